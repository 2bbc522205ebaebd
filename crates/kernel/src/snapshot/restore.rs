//! Receiving a snapshot beside the storage that is in use.

use std::io;
use std::sync::Arc;

use coffer_barrier::seal::Protection;
use coffer_barrier::{Barrier, Error, Foundation};
use coffer_crypto::constant_time_eq;
use coffer_engine::{Fault, Pieces};
use coffer_snapshot::{Error as ReadError, Read, SEAL_DOMAIN};
use coffer_storage::Replacement;

use super::remarks::Remarks;
use super::{Prepared, on_a_thread};
use crate::events::is_of_log;
use crate::open::Open;
use crate::seals::is_of;
use crate::settings::Settings;

/// Which snapshots are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those that this cluster made with the root key it has now.
    Ours,
    /// Any that is whole.
    Anyones,
}

/// Receives a snapshot and verifies it. The storage in use does not change; what is answered is ready to
/// take its place.
pub(crate) async fn receive(open: &Open, pieces: Pieces, trust: Trust) -> Result<Prepared, Fault> {
    let store = open.barrier.store();
    let replacement = store.replace().await.map_err(|error| match error {
        coffer_storage::Error::Busy => {
            Fault::Conflict("another snapshot is being restored; wait until that has ended".into())
        }
        error @ coffer_storage::Error::Unsupported { .. } => Fault::invalid(error),
        other => Error::from(other).into(),
    })?;
    let present = Present {
        foundation: Foundation::load(store.as_ref()).await?,
        barrier: Arc::clone(&open.barrier),
        settings: Arc::clone(&open.settings),
    };
    on_a_thread(move || fill(replacement, pieces, &present, trust)).await
}

/// The server that is to be replaced.
struct Present {
    foundation: Foundation,
    barrier: Arc<Barrier>,
    settings: Arc<Settings>,
}

fn fill(
    mut replacement: Box<dyn Replacement>,
    pieces: Pieces,
    present: &Present,
    trust: Trust,
) -> Result<Prepared, Fault> {
    let mut foundation = Foundation::default();
    let mut source = Source::new(pieces);
    let read = coffer_snapshot::read(&mut source, |mut entries| {
        for (path, value) in &entries {
            foundation.see(path, value);
        }
        entries.retain(|(path, _)| !is_of_log(path));
        replacement.add(entries)
    });
    let read = read.map_err(|error| source.fault.take().unwrap_or_else(|| of_reading(error)))?;
    if let Some(path) = foundation.missing() {
        return Err(Fault::invalid(format!(
            "the snapshot does not hold {path:?}, without which no server opens it"
        )));
    }
    let root = present.barrier.root()?;
    let opens = foundation.opens_with(&root);
    if trust == Trust::Ours && !(opens && is_ours(&present.barrier, &read)?) {
        return Err(Fault::invalid(
            "this snapshot was not made by this cluster with the keys it has now. snapshot-force restores it nevertheless; the server then opens with the snapshot's own unseal keys",
        ));
    }
    let book = &present.settings.seals;
    let remarks = Remarks::of(&foundation, &present.foundation, opens, book);
    if opens && present.foundation.opens_with(&root) {
        let copies = take_over(&mut foundation, present);
        replacement.add(copies).map_err(Error::from)?;
    }
    replacement.complete().map_err(Error::from)?;
    Ok(Prepared {
        replacement,
        root: opens.then_some(root),
        remarks: remarks.with_next_start(&foundation, book),
        meta: read.meta,
    })
}

/// Of the same root key, the seals in use keep the copies that they have: nobody gets the root key who did not have it, and
/// what was restored opens with the seals of now.
fn take_over(foundation: &mut Foundation, present: &Present) -> Vec<(String, Vec<u8>)> {
    if !matches!(foundation.protection(), Some(Protection::Keepers(_))) {
        return Vec::new();
    }
    let enabled = present.settings.seals.enabled();
    foundation.take_over(&present.foundation, |copy| {
        enabled.iter().any(|stanza| is_of(copy, stanza))
    })
}

/// Whether the digests were sealed by this cluster.
fn is_ours(barrier: &Barrier, read: &Read) -> Result<bool, Fault> {
    match barrier.open_with_root(SEAL_DOMAIN, &read.sealed) {
        Ok(sums) => Ok(constant_time_eq(&sums, &read.sums)),
        Err(Error::WrongKey) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

fn of_reading(error: ReadError<coffer_storage::Error>) -> Fault {
    match error {
        ReadError::Taker(error) => Error::from(error).into(),
        ReadError::Io(error) => Fault::internal(error),
        damaged => Fault::invalid(damaged),
    }
}

/// Pieces as what is read from. Why they broke off is kept, for the answer.
struct Source {
    pieces: Pieces,
    piece: io::Cursor<Vec<u8>>,
    fault: Option<Fault>,
}

impl Source {
    fn new(pieces: Pieces) -> Self {
        Self {
            pieces,
            piece: io::Cursor::default(),
            fault: None,
        }
    }
}

impl io::Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.piece.read(buffer)? {
                0 if !buffer.is_empty() => {}
                count => return Ok(count),
            }
            match self.pieces.blocking_next() {
                None => return Ok(0),
                Some(Ok(piece)) => self.piece = io::Cursor::new(piece),
                Some(Err(fault)) => {
                    self.fault = Some(fault);
                    return Err(io::Error::other("the request's body broke off"));
                }
            }
        }
    }
}
