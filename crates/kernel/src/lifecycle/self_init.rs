//! What the configuration has a new server do while it is initialised (`initialize "name" { … }`).
//!
//! It happens before anything is stored, on the server in memory that initialising makes: if a request fails, nothing
//! was initialised, and whoever mended the configuration initialises again.

use std::sync::Arc;

use coffer_crypto::Secret;
use coffer_crypto::pgp::Recipient;
use coffer_engine::{Fault, Nesting};
use serde_json::Map;
use tokio::sync::SemaphorePermit;

use crate::core::Core;
use crate::kernel::Kernel;
use crate::script::{Dialect, Errand, run};
use crate::tokens;

impl Kernel {
    /// Of several who initialise at once one goes on: what requests do outside is done once.
    pub(super) fn alone_if_it_initialises_itself(
        &self,
        person: Option<&Recipient>,
    ) -> Result<Option<SemaphorePermit<'_>>, Fault> {
        let declared = &self.settings.self_init;
        if declared.script.is_empty() {
            return Ok(None);
        }
        if person.is_some() && !declared.keep_root_token {
            return Err(Fault::invalid(
                "this server initialises itself by its configuration and hands out no root token: leave root_token_pgp_key away",
            ));
        }
        let permit = self.initialising.try_acquire();
        permit.map(Some).map_err(|_| {
            Fault::Conflict("the server is being initialised by another request".into())
        })
    }

    /// Makes the declared requests with the first root token and revokes it; answers what is handed out of it.
    pub(super) async fn initialise_itself(
        &self,
        core: &Arc<Core>,
        root_token: Secret<String>,
    ) -> Result<Secret<String>, Fault> {
        let declared = &self.settings.self_init;
        if declared.script.is_empty() {
            return Ok(root_token);
        }
        self.enable_declared_audit(core).await?;
        let token = Arc::new(root_token.clone());
        let errand = Errand {
            core,
            dialect: Dialect::Initialize,
            id: core.random.uuid_v4(),
            namespace: String::new(),
            token: Some(token),
            client: None,
            nesting: Nesting::default(),
        };
        let ended = Box::pin(run(&declared.script, &Map::new(), &errand)).await;
        let keeps = declared.keep_root_token && ended.outcome.is_ok();
        let done = match keeps {
            true => Ok(()),
            false => end(core, &root_token).await, // What was made outside for it is undone as well.
        };
        ended.outcome.map_err(failed)?;
        done?;
        core.audit.keep_heads().await?;
        tracing::info!(
            requests = declared.script.requests(),
            "initialised by the configuration"
        );
        Ok(match keeps {
            true => root_token,
            false => Secret::new(String::new()),
        })
    }
}

async fn end(core: &Arc<Core>, token: &Secret<String>) -> Result<(), Fault> {
    match core.tokens.by_token(token.expose()).await? {
        Some(record) => tokens::revoke_tree(core, &record.accessor).await,
        None => Ok(()), // A request revoked it.
    }
}

/// Says what failed to the log and to whoever initialises. Our own faults are for the log.
fn failed(fault: Fault) -> Fault {
    tracing::error!(%fault, "the server could not initialise itself; nothing was stored, so it can be initialised again");
    let what = match fault {
        Fault::Internal(_) => "see the log of the server".to_owned(),
        told => told.to_string(),
    };
    Fault::Invalid(format!(
        "the requests that the configuration declares failed, and nothing was initialised: {what}; mend it and initialise again"
    ))
}
