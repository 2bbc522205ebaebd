//! Periodic work of the active node: signing keys whose time has come, codes and logins that nobody came back for.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::open::Open;

/// How long after its time something may still be there.
const EVERY: Duration = Duration::from_secs(60);

/// Runs until the server seals. It begins with what became due while the server was down.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    loop {
        let round = async {
            round(&core).await;
            tokio::time::sleep(EVERY).await;
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = round => {}
        }
    }
}

/// One round through all namespaces that have such things.
async fn round(core: &Arc<Core>) {
    let spaces = match core.namespaces.needing_care().await {
        Ok(spaces) => spaces,
        Err(fault) => {
            tracing::warn!(%fault, "namespaces with signing keys could not be read; it is tried again");
            return;
        }
    };
    for space in spaces {
        let open = Open::new(core, space);
        if let Err(fault) = look_after(&open).await {
            let namespace = &open.space.path;
            tracing::warn!(%fault, namespace, "signing keys and logins could not be looked after; it is tried again");
        }
    }
}

async fn look_after(open: &Open) -> Result<(), Fault> {
    let now = open.clock.now();
    open.space.oidc.rotate_due(open).await?;
    open.space.oidc.codes.tidy(now).await?;
    open.space.mfa.pending.tidy(now).await
}
