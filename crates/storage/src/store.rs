//! The seam that every backend fills.

use std::future::Future;
use std::pin::Pin;

use crate::{Batch, Error, Frozen, Replacement};

/// A boxed future, so that stores can be chosen at run time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Bytes at slash-separated paths.
///
/// A path is 1 to [`MAX_PATH_BYTES`](crate::MAX_PATH_BYTES) bytes of UTF-8 without NUL, without a
/// slash at either end and without empty segments; anything else is [`Error::Invalid`]. `a` and
/// `a/b` may both exist. A read that starts after a write was acknowledged sees that write.
pub trait Store: Send + Sync + 'static {
    /// The value at `path`, or `None`. An empty value is a value.
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Vec<u8>>>;

    /// Immediate children of `prefix` (which is "" or ends in '/'), in byte order, folders with a
    /// trailing slash, only those after the child name `after`, at most `limit` (itself at most
    /// [`MAX_PAGE`](crate::MAX_PAGE)). Fewer than `limit` means that there are no more.
    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<String>>;

    /// Full paths that start with the string `prefix` with their values, in byte order, strictly
    /// after the full path `after`, at most `limit` (itself at most [`MAX_PAGE`](crate::MAX_PAGE)).
    ///
    /// A page also ends once it holds [`MAX_PAGE_BYTES`](crate::MAX_PAGE_BYTES), so only an
    /// **empty** page means the end: go on with `after` set to the last path received.
    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<(String, Vec<u8>)>>;

    /// All of the batch durably, or nothing. [`Error::Conflict`] if one of its checks does not hold.
    ///
    /// A caller that stops waiting does not undo the batch: it may still happen.
    fn commit(&self, batch: Batch) -> Answer<'_, ()>;

    /// Sets one value durably.
    fn put<'a>(&'a self, path: &'a str, value: Vec<u8>) -> Answer<'a, ()> {
        self.commit(Batch::new().put(path, value))
    }

    /// Removes one value durably. Removing what is not there is fine.
    fn delete<'a>(&'a self, path: &'a str) -> Answer<'a, ()> {
        self.commit(Batch::new().delete(path))
    }

    /// Everything as it is now, to be read at leisure. What was acknowledged before is in it.
    fn freeze(&self) -> Answer<'_, Box<dyn Frozen>> {
        Box::pin(std::future::ready(Err(Error::UNSUPPORTED)))
    }

    /// Begins a replacement of everything. [`Error::Busy`] while another one is under way.
    fn replace(&self) -> Answer<'_, Box<dyn Replacement>> {
        Box::pin(std::future::ready(Err(Error::UNSUPPORTED)))
    }

    /// How often everything was replaced since this store was opened.
    fn generation(&self) -> u64 {
        0
    }

    /// Finishes the writes already accepted and lets go of files and connections. What is asked of
    /// the store afterwards is [`Error::Closed`]. Closing twice is fine.
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }
}
