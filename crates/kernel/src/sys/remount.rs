//! `sys/remount`: moving a mount to another path.

use std::collections::VecDeque;
use std::sync::Arc;

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::mounts::slashed;
use crate::core::Core;
use crate::mounts;
use crate::open::Open;

/// How many moves are remembered, the oldest forgotten first.
const MOVES_MAX: usize = 1_000;

/// The moves since the server was unsealed, the newest last. One is carried out at a time.
#[derive(Default)]
pub(crate) struct Moves {
    all: Mutex<VecDeque<Move>>,
    bell: Notify,
}

/// One move.
#[derive(Clone)]
struct Move {
    id: String,
    /// The id of the namespace it was asked in, looked up when its turn comes; the paths are seen from there.
    namespace: String,
    from: String,
    to: String,
    status: Status,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Queued,
    Success,
    Failure,
}

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("remount", "Moves a mount to another path.")
            .sudo()
            .write::<Remount>(),
        path("remount/status/{migration_id}", "How far a move is.").read::<ReadMove>(),
    ])
}

/// Moves a mount. Its leases are revoked, its data and settings stay.
#[derive(Deserialize, JsonSchema)]
struct Remount {
    /// Where it is mounted.
    #[serde(default)]
    from: Text,
    /// Where it shall be mounted.
    #[serde(default)]
    to: Text,
}

impl Handle<Open> for Remount {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if self.from.0.is_empty() || self.to.0.is_empty() {
            return Err(Fault::invalid(
                "both 'from' and 'to' path must be specified as a string",
            ));
        }
        for (name, path) in [("from", &self.from.0), ("to", &self.to.0)] {
            if path.trim_end() != path {
                return Err(Fault::Invalid(format!(
                    "'{name}' path cannot contain trailing whitespace"
                )));
            }
        }
        let (from, to) = (slashed(&self.from.0), slashed(&self.to.0));
        let (here, old) = open.reached(&from).await?;
        let (there, new) = open.reached(&to).await?;
        mounts::check_remount(&here, &old, &there, &new).await?;
        let id = cx.random.uuid_v4();
        open.moves.queue(Move {
            id: id.clone(),
            namespace: open.space.id.clone(),
            from,
            to,
            status: Status::Queued,
        })?;
        Ok(Reply::also_at_top(&json!({ "migration_id": id }))?.warn(
            "Mount move has been queued. Progress will be reported in the server's log, tagged with the returned migration_id",
        ))
    }
}

/// Carries out what is queued until the server is sealed.
pub(crate) async fn run_moves(core: Arc<Core>, stop: CancellationToken) {
    loop {
        finish_moves(&core).await;
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.moves.bell.notified() => {}
        }
    }
}

/// Carries out what is queued.
pub(crate) async fn finish_moves(core: &Arc<Core>) {
    while let Some(next) = core.moves.next() {
        carry_out(core, &next).await;
    }
}

async fn carry_out(core: &Arc<Core>, next: &Move) {
    let Move { id, from, to, .. } = next;
    let status = match moved(core, next).await {
        Ok(()) => {
            tracing::info!(migration_id = id, from, to, "a mount was moved");
            Status::Success
        }
        Err(fault) => {
            tracing::error!(migration_id = id, from, to, %fault, "a mount could not be moved");
            Status::Failure
        }
    };
    core.moves.end(id, status);
}

async fn moved(core: &Arc<Core>, next: &Move) -> Result<(), Fault> {
    let Move { from, to, .. } = next;
    core.namespaces.seals.refuse_closed(&next.namespace)?;
    let space = core.namespaces.by_id(&next.namespace).await?;
    let open = Open::new(core, space.ok_or(Fault::NotFound)?);
    let (here, from) = open.reached(from).await?;
    let (there, to) = open.reached(to).await?;
    match here.space.id == there.space.id {
        true => mounts::remount(&here, &from, &to).await?,
        false => mounts::move_across(&here, &from, &there, &to).await?,
    }
    mounts::tell_move(&there, &format!("{}{from}", here.space.path), &to);
    Ok(())
}

impl Open {
    /// The namespace that a mount's path leads to, and the path there. An auth method's has `auth/` in front in its
    /// own namespace, however it is seen from here.
    async fn reached(&self, path: &str) -> Result<(Self, String), Fault> {
        let (auth, path) = match path.strip_prefix("auth/") {
            Some(below) => ("auth/", below),
            None => ("", path),
        };
        let mut space = Arc::clone(&self.space);
        let mut rest = path;
        while let Some((name, below)) = rest.split_once('/').filter(|(_, below)| !below.is_empty())
        {
            match self.namespaces.child(&space, name).await? {
                Some(child) => (space, rest) = (child, below),
                None => break,
            }
        }
        Ok((Self::new(self, space), format!("{auth}{rest}")))
    }
}

/// Shows how far a move is. Moves are remembered until the server is sealed.
#[derive(Deserialize, JsonSchema)]
struct ReadMove {
    /// What `sys/remount` answered.
    migration_id: String,
}

impl Handle<Open> for ReadMove {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let found = open.moves.find(&self.migration_id);
        let found = found.filter(|found| found.namespace == open.space.id);
        let found = found.ok_or(Fault::NotFound)?;
        Reply::data(&json!({
            "migration_id": found.id,
            "migration_info": {
                "source_mount": found.from,
                "target_mount": found.to,
                "status": found.status.word(),
            },
        }))
    }
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Queued => "in-progress",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

impl Moves {
    fn queue(&self, new: Move) -> Result<(), Fault> {
        let mut all = self.all.lock();
        if all.len() >= MOVES_MAX {
            let done = all.iter().position(|one| one.status != Status::Queued);
            let oldest = done.ok_or_else(|| {
                Fault::TooMany(format!(
                    "{MOVES_MAX} moves are queued; wait until some are done"
                ))
            })?;
            all.remove(oldest);
        }
        all.push_back(new);
        drop(all);
        self.bell.notify_one();
        Ok(())
    }

    fn next(&self) -> Option<Move> {
        let all = self.all.lock();
        let queued = all.iter().find(|one| one.status == Status::Queued);
        queued.cloned()
    }

    fn end(&self, id: &str, status: Status) {
        let mut all = self.all.lock();
        if let Some(found) = all.iter_mut().find(|one| one.id == id) {
            found.status = status;
        }
    }

    fn find(&self, id: &str) -> Option<Move> {
        self.all.lock().iter().find(|one| one.id == id).cloned()
    }
}
