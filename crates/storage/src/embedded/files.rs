//! The directory of a store: its lock, its marker and its database file.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, TableDefinition};

use super::disk::{Disk, Health};
use crate::Error;

/// Everything stored: full path to bytes.
pub(super) const ENTRIES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("entries");

/// Facts about the file itself, such as the number of its format.
const META: TableDefinition<&[u8], &[u8]> = TableDefinition::new("meta");

/// Key in the meta table of the format number, eight bytes, big-endian.
const FORMAT_KEY: &[u8] = b"format";

/// The format this version writes.
const FORMAT: u64 = 1;

/// The part of the file that every commit changes: the engine's header and both commit slots.
const HEADER_BYTES: usize = 512;

/// What the marker file says. Its presence is what counts; the text is for a person who looks.
const MARKER_TEXT: &str = "coffer embedded store, format 1\n";

/// Memory that the engine may use for pages, in bytes. The kernel's page cache lies behind it, so
/// a miss costs a copy and not a disk access as long as the machine has memory.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// A file of up to so many bytes is read and checked as a whole at every opening.
const CHECKED_BYTES: u64 = 8 * 1024 * 1024;

pub(super) const RESTORE: &str = "stop, keep a copy of the directory, and restore it from a backup";

/// A store's directory while it is locked by this handle.
pub(super) struct Home {
    place: Place,
    _lock: File,
}

/// Where a store's files are, without the lock: lets the writer open the file again.
#[derive(Clone)]
pub(super) struct Place {
    dir: PathBuf,
}

/// Values are ciphertext, but the names of what is kept are not: they are for the owner alone.
const MODE: u32 = 0o600;

/// Makes a file, or empties the one that is there.
pub(super) fn create(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    options.mode(MODE).open(path)
}

impl Home {
    /// Locks the directory `dir`, creating it where it is missing.
    pub(super) fn lock(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(|e| Error::io("creating the directory of the store", e))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(MODE)
            .open(dir.join("LOCK"))
            .map_err(|e| Error::io("opening the lock file of the store", e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                place: Place {
                    dir: dir.to_owned(),
                },
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked {
                dir: dir.to_owned(),
            }),
            Err(TryLockError::Error(e)) => Err(Error::io("locking the store", e)),
        }
    }

    /// Opens the database, or creates it where there has never been one.
    pub(super) fn open(&self, health: &Arc<Health>) -> Result<Database, Error> {
        let place = &self.place;
        remove_left_over(&place.replacement())?;
        let marked = exists(&place.marker())?;
        let length = match fs::metadata(place.database()) {
            Ok(found) => Some(found.len()),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(Error::io("looking at the database file", e)),
        };
        match (marked, length) {
            (false, None) => place.create()?,
            (true, None) => return Err(place.damaged("is missing although the store was in use")),
            // Unmarked, creation was interrupted between its last two steps: the file is whole.
            (_, Some(_)) => {}
        }
        let database = place.reopen(health, length.is_some_and(|n| n <= CHECKED_BYTES))?;
        if !marked {
            place.mark()?;
        }
        Ok(database)
    }

    /// Where the files are.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }
}

impl Place {
    /// Opens the existing database file, reading and checking all of it if `checked`.
    pub(super) fn reopen(&self, health: &Arc<Health>, checked: bool) -> Result<Database, Error> {
        let database = self.guarded(|| {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(self.database())?;
            // The engine would take an emptied file for a new one.
            if file.metadata()?.len() == 0 {
                return Err(Refusal::Empty);
            }
            let disk = Disk::new(file, Arc::clone(health))?;
            Ok(Database::builder()
                .set_cache_size(CACHE_BYTES)
                .set_check_integrity_on_open(checked)
                .create_with_backend(disk)?)
        })?;
        self.guarded(|| self.check_format(&database))?;
        Ok(database)
    }

    /// Creates the database under another name first, so that the file is whole once it is there.
    fn create(&self) -> Result<(), Error> {
        let fresh = self.dir.join("coffer.redb.new");
        remove_left_over(&fresh)?;
        self.guarded(|| Ok::<_, redb::Error>(empty(&fresh)?.close()?))?;
        self.put_in_place(&fresh, || {})
            .map_err(|e| Error::io("creating the database file", e))
    }

    /// An empty database beside the one in use.
    pub(super) fn create_replacement(&self) -> Result<Database, Error> {
        let fresh = self.replacement();
        remove_left_over(&fresh)?;
        empty(&fresh).map_err(super::work::write_error)
    }

    /// Proves that the closed replacement opens, before anything depends on it.
    pub(super) fn check_replacement(&self) -> Result<(), Error> {
        self.guarded(|| {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .open(self.replacement())?;
            let database = Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create_with_backend(FileBackend::new(file)?)?;
            Ok::<_, Refusal>(database)
        })
        .and_then(|database| {
            self.guarded(|| self.check_format(&database))?;
            self.guarded(|| Ok::<_, redb::Error>(database.close()?))
        })
    }

    /// Gives the replacement the name of the database, durably. A crash leaves one or the other. `taken` is
    /// called once it is there, whether or not the disk confirms it.
    pub(super) fn take_replacement(&self, taken: impl FnOnce()) -> Result<(), Error> {
        self.put_in_place(&self.replacement(), taken)
            .map_err(|e| Error::io("putting another database file in place", e))
    }

    fn put_in_place(&self, fresh: &Path, there: impl FnOnce()) -> std::io::Result<()> {
        File::open(fresh)?.sync_all()?;
        fs::rename(fresh, self.database())?;
        there();
        self.sync_dir()
    }

    /// Where a database waits until it takes the place of the one in use.
    pub(super) fn replacement(&self) -> PathBuf {
        self.dir.join("coffer.redb.replacement")
    }

    /// Leaves the marker that tells a store which lost its data from a new one.
    fn mark(&self) -> Result<(), Error> {
        let fresh = self.dir.join("FORMAT.new");
        create(&fresh)
            .and_then(|mut file| {
                file.write_all(MARKER_TEXT.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&fresh, self.marker()))
            .and_then(|()| self.sync_dir())
            .map_err(|e| Error::io("writing the marker file of the store", e))
    }

    fn sync_dir(&self) -> std::io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }

    fn check_format(&self, database: &Database) -> Result<(), Refusal> {
        let read = database.begin_read().map_err(redb::Error::from)?;
        let meta = read.open_table(META).map_err(redb::Error::from)?;
        let found = meta.get(FORMAT_KEY).map_err(redb::Error::from)?;
        let number = found
            .as_ref()
            .and_then(|found| <[u8; 8]>::try_from(found.value()).ok())
            .map(u64::from_be_bytes);
        match number {
            Some(FORMAT) => Ok(()),
            Some(found) if found > FORMAT => Err(Refusal::Newer(found)),
            _ => Err(Refusal::NoFormat),
        }
    }

    /// Runs one step of the engine. On a file altered behind its back the engine may stop with a
    /// panic instead of an error; here both become [`Error::Damaged`].
    fn guarded<T, E: Into<Refusal>>(
        &self,
        step: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, Error> {
        match catch_unwind(AssertUnwindSafe(step)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(refusal)) => Err(self.refused(refusal.into())),
            Err(_) => Err(self.damaged("does not hold what was written")),
        }
    }

    fn refused(&self, refusal: Refusal) -> Error {
        match refusal {
            Refusal::Newer(found) => Error::Newer {
                found,
                newest: FORMAT,
            },
            Refusal::Empty => self.damaged("is empty although the store was in use"),
            Refusal::NoFormat => self.damaged("holds no format number"),
            Refusal::Engine(
                redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch,
            ) => Error::Locked {
                dir: self.dir.clone(),
            },
            Refusal::Engine(redb::Error::Corrupted(why)) => {
                self.damaged(&format!("does not hold what was written ({why})"))
            }
            Refusal::Engine(redb::Error::Io(e)) if e.kind() == ErrorKind::InvalidData => {
                self.damaged("is not a database file, or its beginning was overwritten")
            }
            Refusal::Engine(redb::Error::Io(e)) if e.kind() == ErrorKind::UnexpectedEof => {
                self.damaged("is shorter than what was written")
            }
            Refusal::Engine(
                redb::Error::UpgradeRequired(_) | redb::Error::TableDoesNotExist(_),
            ) => self.damaged("is not a database of this program"),
            Refusal::Engine(redb::Error::Io(e)) => {
                super::work::disk_error("opening the database file", e)
            }
            Refusal::Engine(other) => Error::io("opening the database file", other),
        }
    }

    fn damaged(&self, what: &str) -> Error {
        Error::Damaged {
            what: format!("'{}' {what}", self.database().display()),
            next: RESTORE,
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// How the file is now, before a transaction.
    pub(super) fn extent(&self) -> Option<Extent> {
        let file = File::open(self.database()).ok()?;
        Extent::of(&file).ok()
    }

    /// Cuts off what a failed transaction added to the file, so that it does not keep the disk's
    /// last space. Only if the header shows that nothing was committed since `before`.
    pub(super) fn cut_back(&self, before: &Extent, health: &Health) {
        let cut = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.database())
            .and_then(|file| {
                let now = Extent::of(&file)?;
                if now.header != before.header || now.bytes <= before.bytes {
                    return Ok(());
                }
                health.cut(before.bytes);
                file.set_len(before.bytes)
            });
        if let Err(error) = cut {
            tracing::warn!(%error, "could not shorten the database file after a failed write");
        }
    }

    fn database(&self) -> PathBuf {
        self.dir.join("coffer.redb")
    }

    fn marker(&self) -> PathBuf {
        self.dir.join("FORMAT")
    }
}

/// A whole, empty database at `path`.
fn empty(path: &Path) -> Result<Database, redb::Error> {
    let file = create(path)?;
    let database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(FileBackend::new(file)?)?;
    let change = database.begin_write()?;
    change.open_table(ENTRIES)?;
    change
        .open_table(META)?
        .insert(FORMAT_KEY, FORMAT.to_be_bytes().as_slice())?;
    change.commit()?;
    Ok(database)
}

/// Removes a file that a crash left half-made.
fn remove_left_over(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(Error::io("removing a half-made database file", e))
        }
        _ => Ok(()),
    }
}

/// Length and header of the database file at one moment.
pub(super) struct Extent {
    /// Length of the file.
    pub(super) bytes: u64,
    header: [u8; HEADER_BYTES],
}

impl Extent {
    fn of(mut file: &File) -> std::io::Result<Self> {
        let mut header = [0; HEADER_BYTES];
        file.read_exact(&mut header)?;
        Ok(Self {
            bytes: file.metadata()?.len(),
            header,
        })
    }
}

/// Why a database file was not taken.
enum Refusal {
    Newer(u64),
    NoFormat,
    Empty,
    Engine(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists()
        .map_err(|e| Error::io("looking at the marker file of the store", e))
}
