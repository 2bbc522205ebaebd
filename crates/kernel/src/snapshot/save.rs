//! Taking a snapshot.

use std::io::{self, Write};
use std::sync::Arc;

use coffer_barrier::{Barrier, Error};
use coffer_engine::{Fault, Feed, Pieces, Streamed};
use coffer_snapshot::{Meta, SEAL_DOMAIN, Tally, Writer};
use coffer_storage::Frozen;
use coffer_wire::Timestamp;

use super::{PIECE_BYTES, on_a_thread};
use crate::lifecycle::Cluster;
use crate::open::Open;

/// Everything in the storage as it is now. It is read twice, because an archive says how long it is
/// before it begins; what is written meanwhile is in neither.
pub(crate) async fn save(open: &Open, now: Timestamp) -> Result<Streamed, Fault> {
    let frozen = open.barrier.store().freeze().await.map_err(Error::from)?;
    let cluster: Option<Cluster> = open.barrier.view("core/").get("cluster").await?;
    let cluster = cluster.unwrap_or_default();
    let meta = Meta {
        created: now.to_string(),
        cluster_id: cluster.id,
        cluster_name: cluster.name,
        version: open.settings.version.clone(),
        ..Meta::default()
    };
    let counted = on_a_thread(move || {
        let mut tally = Tally::default();
        each_entry(frozen.as_ref(), |path, value| {
            tally.add(path, value);
            Ok(())
        })?;
        Ok((frozen, tally))
    });
    let (frozen, tally) = counted.await?;
    let (feed, pieces) = Pieces::new();
    let barrier = Arc::clone(&open.barrier);
    tokio::task::spawn_blocking(move || {
        let mut out = Fed::new(feed);
        let written = write(&mut out, frozen.as_ref(), meta, tally, &barrier, now);
        out.end(written);
    });
    Ok(Streamed {
        media_type: Some("application/gzip"),
        attachment: true,
        pieces,
    })
}

fn write(
    out: &mut Fed,
    frozen: &dyn Frozen,
    meta: Meta,
    tally: Tally,
    barrier: &Barrier,
    now: Timestamp,
) -> Result<(), Fault> {
    let begun = Writer::begin(&mut *out, meta, tally, now.secs());
    let mut writer = begun.map_err(Fault::internal)?;
    each_entry(frozen, |path, value| {
        writer.entry(path, value).map_err(Fault::internal)
    })?;
    let sums = writer.sums().map_err(Fault::internal)?;
    let sealed = barrier.seal_with_root(SEAL_DOMAIN, &sums)?;
    writer.finish(&sealed).map_err(Fault::internal)?;
    out.flush().map_err(Fault::internal)
}

fn each_entry(
    frozen: &dyn Frozen,
    mut see: impl FnMut(&str, &[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut after: Option<String> = None;
    loop {
        let page = frozen.page(after.as_deref()).map_err(of_store)?;
        for (path, value) in &page {
            see(path, value)?;
        }
        match page.into_iter().next_back() {
            Some((path, _)) => after = Some(path),
            None => return Ok(()),
        }
    }
}

fn of_store(error: coffer_storage::Error) -> Fault {
    match error {
        coffer_storage::Error::Closed => Fault::Unavailable(
            "the storage was closed or opened again while the snapshot was taken; take it again"
                .into(),
        ),
        other => Error::from(other).into(),
    }
}

/// What is written is sent in pieces.
struct Fed {
    feed: Feed,
    piece: Vec<u8>,
}

impl Fed {
    fn new(feed: Feed) -> Self {
        Self {
            feed,
            piece: Vec::with_capacity(PIECE_BYTES),
        }
    }

    /// Ends the stream properly, or so that nobody takes it for the whole. That nobody reads any more is
    /// the reader's decision.
    fn end(self, written: Result<(), Fault>) {
        let _ = match written {
            Ok(()) => self.feed.blocking_end(),
            Err(fault) => self.feed.blocking_fail(fault),
        };
    }
}

impl Write for Fed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE_BYTES.saturating_sub(self.piece.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        let sent = self.feed.blocking_send(piece);
        sent.map_err(|unread| io::Error::new(io::ErrorKind::BrokenPipe, unread))
    }
}
