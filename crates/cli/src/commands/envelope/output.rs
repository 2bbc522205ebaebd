use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// Where the result goes: a file that appears under its name once it is whole, or standard output.
pub(in crate::commands) struct Output {
    to: To,
    done: bool,
}

enum To {
    File {
        file: File,
        partial: PathBuf,
        path: PathBuf,
        replaces: bool,
    },
    Stdout(io::Stdout),
}

impl Output {
    /// `-` is standard output, which must not be a terminal where the result is `binary`.
    pub(in crate::commands) fn create(
        path: &str,
        force: bool,
        binary: bool,
    ) -> Result<Self, Failure> {
        if path == "-" {
            if binary && io::stdout().is_terminal() {
                return Err(Failure::local(
                    "an envelope is not for a terminal; give -output=FILE, or send it on with `|` or `>`",
                ));
            }
            return Ok(Self {
                to: To::Stdout(io::stdout()),
                done: false,
            });
        }
        if !force && Path::new(path).exists() {
            return Err(Failure::local(format!(
                "{path} exists already; give another -output=FILE, or -force to replace it"
            )));
        }
        let partial = PathBuf::from(format!("{path}.partial-{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options
            .open(&partial)
            .map_err(|error| Failure::local(format!("{path} can not be written: {error}")))?;
        remove_when_told_to_end(partial.clone());
        let path = PathBuf::from(path);
        Ok(Self {
            to: To::File {
                file,
                partial,
                path,
                replaces: force,
            },
            done: false,
        })
    }

    /// Gives the result the owner and the mode of a file that it shall replace.
    pub(super) fn resemble(&mut self, facts: &Metadata) -> Result<(), Failure> {
        let To::File { file, .. } = &self.to else {
            return Ok(());
        };
        let alike = fchown(file, Some(facts.uid()), Some(facts.gid()))
            .and_then(|()| file.set_permissions(facts.permissions()));
        alike.map_err(|error| {
            Failure::local(format!(
                "the result can not have the owner of the file that it replaces: {error}"
            ))
        })
    }

    /// Makes the result durable and gives it its name.
    pub(in crate::commands) fn finish(mut self) -> Result<(), Failure> {
        let finished = match &mut self.to {
            To::Stdout(out) => out.flush(),
            To::File {
                file,
                partial,
                path,
                replaces,
            } => file
                .sync_all()
                .and_then(|()| named(partial, path, *replaces))
                .and_then(|()| sync_folder(path)),
        };
        finished
            .map_err(|error| Failure::local(format!("the result can not be written: {error}")))?;
        self.done = true;
        Ok(())
    }
}

/// What is not whole must not be taken for the result.
impl Drop for Output {
    fn drop(&mut self) {
        if let (To::File { partial, .. }, false) = (&self.to, self.done) {
            let _ = std::fs::remove_file(partial);
        }
    }
}

impl Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match &mut self.to {
            To::File { file, .. } => file.write(data),
            To::Stdout(out) => out.write(data),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.to {
            To::File { .. } => Ok(()),
            To::Stdout(out) => out.flush(),
        }
    }
}

/// A file that appeared meanwhile is not replaced.
fn named(partial: &Path, path: &Path, replaces: bool) -> io::Result<()> {
    if replaces {
        return std::fs::rename(partial, path);
    }
    match std::fs::hard_link(partial, path) {
        Ok(()) => std::fs::remove_file(partial),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // There are file systems without links.
        Err(_) => std::fs::rename(partial, path),
    }
}

/// What was written so far may be plaintext, and nobody would look for it.
fn remove_when_told_to_end(partial: PathBuf) {
    let told = async {
        let (mut interrupt, mut terminate, mut hang_up) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        );
        Ok::<_, io::Error>(tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
            _ = hang_up.recv() => 129,
        })
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if let Ok(Ok(code)) = runtime.map(|runtime| runtime.block_on(told)) {
            let _ = std::fs::remove_file(partial);
            std::process::exit(code);
        }
    });
}

/// Makes the new name of a file durable.
pub(in crate::commands) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
