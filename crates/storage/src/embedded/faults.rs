//! For the tests below: a disk that is full, fails on demand, or loses its power.

use std::collections::HashSet;
use std::io;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

const BLOCK_BYTES: u64 = 4096;

/// What a disk writes as a whole even when its power fails.
const SECTOR_BYTES: usize = 512;

#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Every flush fails from now on.
    pub(super) sync_fails: AtomicBool,
    /// Every commit has two phases, as in a large file.
    pub(super) two_phase: AtomicBool,
    room: Mutex<Room>,
    power: Mutex<Option<Power>>,
}

#[derive(Debug, Default)]
struct Room {
    /// Blocks of the database file that have been written and so own their space.
    owned: HashSet<u64>,
    /// Blocks left on the disk, `None` for as many as one likes.
    left: Option<u64>,
}

/// What would be on the disk if its power failed now.
#[derive(Debug)]
struct Power {
    flushed: Vec<u8>,
    pending: Vec<Pending>,
}

#[derive(Debug)]
enum Pending {
    Write(u64, Vec<u8>),
    Length(u64),
}

impl Faults {
    /// From now on only `bytes` more can be written to places not written before.
    pub(super) fn leave(&self, bytes: Option<u64>) {
        self.room.lock().left = bytes.map(|bytes| bytes / BLOCK_BYTES);
    }

    /// From now on remembers what was flushed and what only written, beginning with `image`.
    pub(super) fn watch_power(&self, image: Vec<u8>) {
        *self.power.lock() = Some(Power {
            flushed: image,
            pending: Vec::new(),
        });
    }

    /// The file after a power failure at this moment: each sector that was written and not yet
    /// flushed is there or not, as `dice` says.
    pub(super) fn image_after_power_failure(&self, mut dice: impl FnMut() -> bool) -> Vec<u8> {
        let power = self.power.lock();
        let power = power.as_ref().unwrap();
        let mut image = power.flushed.clone();
        for pending in &power.pending {
            match pending {
                Pending::Length(length) if dice() => image.resize(*length as usize, 0),
                Pending::Length(_) => {}
                Pending::Write(offset, data) => {
                    for (n, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                        let at = *offset as usize + n * SECTOR_BYTES;
                        if dice() {
                            overwrite(&mut image, at, sector);
                        }
                    }
                }
            }
        }
        image
    }

    pub(super) fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut room = self.room.lock();
        for block in offset / BLOCK_BYTES..(offset + data.len() as u64).div_ceil(BLOCK_BYTES) {
            if room.owned.contains(&block) {
                continue;
            }
            match room.left {
                Some(0) => return Err(io::ErrorKind::StorageFull.into()),
                Some(left) => room.left = Some(left - 1),
                None => {}
            }
            room.owned.insert(block);
        }
        if let Some(power) = self.power.lock().as_mut() {
            power.pending.push(Pending::Write(offset, data.to_vec()));
        }
        Ok(())
    }

    /// Cutting the file gives back the blocks beyond its new end.
    pub(super) fn record_len(&self, len: u64) {
        let mut room = self.room.lock();
        let before = room.owned.len();
        room.owned.retain(|block| block * BLOCK_BYTES < len);
        let given = (before - room.owned.len()) as u64;
        room.left = room.left.map(|left| left + given);
        drop(room);
        if let Some(power) = self.power.lock().as_mut() {
            power.pending.push(Pending::Length(len));
        }
    }

    pub(super) fn record_sync(&self) {
        if let Some(power) = self.power.lock().as_mut() {
            for pending in std::mem::take(&mut power.pending) {
                match pending {
                    Pending::Length(length) => power.flushed.resize(length as usize, 0),
                    Pending::Write(at, data) => overwrite(&mut power.flushed, at as usize, &data),
                }
            }
        }
    }

    pub(super) fn take_bytes(&self, bytes: usize) -> io::Result<()> {
        let mut room = self.room.lock();
        let wanted = bytes as u64 / BLOCK_BYTES;
        match room.left {
            Some(left) if left < wanted => return Err(io::ErrorKind::StorageFull.into()),
            Some(left) => room.left = Some(left - wanted),
            None => {}
        }
        Ok(())
    }

    pub(super) fn give_back(&self, bytes: usize) {
        let mut room = self.room.lock();
        if let Some(left) = room.left {
            room.left = Some(left + bytes as u64 / BLOCK_BYTES);
        }
    }
}

fn overwrite(image: &mut Vec<u8>, at: usize, data: &[u8]) {
    if image.len() < at + data.len() {
        image.resize(at + data.len(), 0);
    }
    image[at..at + data.len()].copy_from_slice(data);
}
