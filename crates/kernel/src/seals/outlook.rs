//! Whether an open server opens again after its next start, said while there is time to mend it.

use super::keeping::Keeping;
use super::situation::Situation;
use crate::kernel::{Kernel, State};

impl Kernel {
    /// Looks whether the configured seals fit what is stored, and says in the log, once, if they do not. Of a sealed server
    /// the log says it where it tries to open.
    pub async fn look_at_seals(&self) {
        let situation = match Keeping::of(self).situation().await {
            Ok(situation) => situation,
            Err(fault) => {
                tracing::error!(%fault, "what keeps the root key can not be read");
                return;
            }
        };
        let words = situation.of_next_start().unwrap_or_default();
        let is_open = matches!(&*self.state(), State::Active(_));
        if is_open && self.settings.seals.is_news(&words) && !words.is_empty() {
            tracing::warn!(
                why = words,
                "this server will not open by itself after its next start"
            );
        }
    }
}

impl Situation {
    /// What keeps the server from opening by itself after its next start, though seals are to open it, and what mends it.
    pub(crate) fn of_next_start(&self) -> Option<String> {
        match self {
            Self::New | Self::Shares(_) | Self::Kept { .. } => None,
            Self::ToKeepers(_) => Some(
                "key shares protect the storage, though a seal is configured: after the next start hand in the unseal keys with `coffer operator unseal -migrate` to move to the seal, or remove the stanza".to_owned(),
            ),
            Self::ToShares { .. } => Some(
                "the seals that have a copy of the root key are disabled: after the next start hand in recovery keys with `coffer operator unseal -migrate` to make them the unseal keys, or enable a seal".to_owned(),
            ),
            Self::ToOthers { .. } => Some(
                "the seals that have a copy of the root key are disabled, those in use have none: give one a copy now with `coffer operator seals add NAME`, or hand in recovery keys after the next start with `coffer operator unseal -migrate`".to_owned(),
            ),
            Self::Lost { kept_by, configured, .. } => Some(lost(kept_by, configured)),
        }
    }
}

fn lost(kept_by: &[(String, String)], configured: &[String]) -> String {
    let kept_by = names(kept_by);
    let mends = match configured {
        [] => "add one of these stanzas again; or that of another seal, send SIGHUP to the server, and give it a copy while the server is open: `coffer operator seals add NAME`".to_owned(),
        names => format!(
            "while the server is open, give one that is configured a copy (`coffer operator seals add {}`), or add one of these stanzas again",
            names.join("`, `coffer operator seals add ")
        ),
    };
    format!("no configured seal has a copy of the root key, these have: {kept_by}. {mends}")
}

/// Seals as people are told of them.
pub(crate) fn names(seals: &[(String, String)]) -> String {
    let shown: Vec<_> = seals
        .iter()
        .map(|(name, kind)| match name == kind {
            true => kind.clone(),
            false => format!("{name} ({kind})"),
        })
        .collect();
    shown.join(", ")
}
