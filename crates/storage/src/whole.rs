//! The whole of a store: reading all of it as it is at one moment, and putting another in its place.

use crate::{Answer, Error};

/// Entries of a store, full paths with their values.
pub type Entries = Vec<(String, Vec<u8>)>;

/// A [`Frozen`] page ends once its values reach this many bytes (it always holds one entry), so that
/// whoever reads a whole store holds little of it at a time.
pub const FROZEN_PAGE_BYTES: usize = 1024 * 1024;

/// Most entries of a [`Frozen`] page.
pub const FROZEN_PAGE_ENTRIES: usize = 4 * 1024;

/// A store as it was at one moment, whatever is written meanwhile. Made by
/// [`Store::freeze`](crate::Store::freeze); for threads that may block.
///
/// A durable store keeps what is overwritten and deleted until this is dropped, so it grows while it
/// is being read. A store that is closed, opened again after a failure of its disk, or replaced can
/// not go on: [`Error::Closed`], never a mixture of two moments.
pub trait Frozen: Send {
    /// The entries after the path `after` in byte order; an empty page is the end.
    fn page(&self, after: Option<&str>) -> Result<Entries, Error>;
}

/// What shall take the place of everything in a store. Made by
/// [`Store::replace`](crate::Store::replace); its first two methods are for threads that may block.
///
/// Until [`Replacement::take_place`] the store does not change; dropping this leaves no trace.
pub trait Replacement: Send {
    /// Adds entries; of two for one path the later one counts.
    fn add(&mut self, entries: Entries) -> Result<(), Error>;

    /// Makes all that was added durable. Nothing is added afterwards.
    fn complete(&mut self) -> Result<(), Error>;

    /// Takes the place of the store's entries, all at once and durably: a crash leaves either the old
    /// entries or these. Batches that wait come before it; those that name an older generation
    /// ([`Batch::only_in`](crate::Batch::only_in)) are refused after it.
    ///
    /// [`Error::Incomplete`] before [`Replacement::complete`].
    fn take_place(self: Box<Self>) -> Answer<'static, ()>;
}
