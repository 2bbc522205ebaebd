//! Exchanging the wrapped keys of a file in place.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::head::HEAD_BYTES;
use crate::{Error, Head, Keys, slots};

/// A file whose writes can be made durable.
pub trait Durable: Read + Write + Seek {
    /// Waits until what was written survives a loss of power.
    ///
    /// # Errors
    /// Those of the system.
    fn make_durable(&mut self) -> io::Result<()>;
}

impl Durable for File {
    fn make_durable(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Puts other wrapped keys in the place of those in a file. Only its first few kilobytes are touched, whatever its length.
///
/// The two copies are written one after the other, so that at every moment one of them is whole, with the old keys or the new.
/// When this is done, nothing of the old is left in the file.
///
/// # Errors
/// [`Error::NoRoom`] where they need more room than the file has; the errors of [`crate::Envelope::read`]; [`Error::Io`].
pub fn replace_keys(file: &mut impl Durable, keys: &Keys) -> Result<(), Error> {
    file.seek(SeekFrom::Start(0))?;
    let head = Head::read(file)?;
    let found = slots::read(&head, file)?;
    let generations = found
        .each_ref()
        .map(|slot| slot.as_ref().map(|slot| slot.generation));
    let newest = slots::newest(found)?.generation;
    let older = usize::from(generations[0] == Some(newest));
    for (nth, slot) in (1..).zip([older, 1 - older]) {
        let text = slots::encoded(keys, newest.saturating_add(nth), head.slot_bytes())?;
        let at = HEAD_BYTES + slot * head.slot_bytes();
        file.seek(SeekFrom::Start(at as u64))?;
        file.write_all(&text)?;
        file.make_durable()?;
    }
    Ok(())
}
