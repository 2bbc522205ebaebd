//! What is configured and what is stored, together: how the server opens.

use std::sync::Arc;

use coffer_barrier::RootCopy;
use coffer_barrier::seal::{Protection, SealConfig};
use coffer_engine::Fault;

use super::book::SealBook;
use super::keeping::Keeping;
use super::stanza::SealStanza;

/// Seals with their stored copies of the root key.
pub(crate) type Copies = Vec<(Arc<SealStanza>, RootCopy)>;

/// How the server opens, or which move is wanted.
pub(crate) enum Situation {
    /// Nothing is stored yet.
    New,
    /// Shares of the unseal key open it.
    Shares(SealConfig),
    /// Keepers open it. The counts are those of the recovery keys.
    Kept {
        /// How the recovery key is split.
        recovery: SealConfig,
        /// Who opens it, in this order.
        by: Copies,
    },
    /// Shares of the unseal key open it, and seals are configured: it is to move to them.
    ToKeepers(SealConfig),
    /// Keepers have it, and all that are configured are disabled: it is to move to shares.
    ToShares {
        /// How the recovery key is split.
        recovery: SealConfig,
        /// Who still opens it.
        by: Copies,
    },
    /// The seals in use have no copy, disabled ones have: it is to move to those in use.
    ToOthers {
        /// How the recovery key is split.
        recovery: SealConfig,
        /// Who still opens it.
        by: Copies,
    },
    /// Keepers have it, and none of them is configured.
    Lost {
        /// How the recovery key is split.
        recovery: SealConfig,
        /// Names and kinds of the seals that have copies.
        kept_by: Vec<(String, String)>,
        /// The seals in use, which have none.
        configured: Vec<String>,
    },
}

impl Situation {
    /// How the key is split that people hold; none before the first initialisation.
    pub(crate) fn counts(&self) -> Option<SealConfig> {
        match self {
            Self::New => None,
            Self::Shares(counts) | Self::ToKeepers(counts) => Some(*counts),
            Self::Kept { recovery, .. }
            | Self::ToShares { recovery, .. }
            | Self::ToOthers { recovery, .. }
            | Self::Lost { recovery, .. } => Some(*recovery),
        }
    }

    /// Whether the server is to move from one seal to another.
    pub(crate) fn is_migration(&self) -> bool {
        matches!(
            self,
            Self::ToKeepers(_) | Self::ToShares { .. } | Self::ToOthers { .. }
        )
    }

    /// Whether people hold recovery keys, from the move that is wanted on.
    pub(crate) fn has_recovery_keys(&self) -> bool {
        !matches!(self, Self::New | Self::Shares(_) | Self::ToShares { .. })
    }
}

impl Situation {
    /// The situation of a store with this protection and these copies, where these seals are configured.
    pub(crate) fn of(protection: Option<Protection>, copies: &[RootCopy], book: &SealBook) -> Self {
        let enabled = book.enabled();
        let recovery = match protection {
            None => return Self::New,
            Some(Protection::Shares(counts)) => {
                return match enabled.is_empty() {
                    true => Self::Shares(counts),
                    false => Self::ToKeepers(counts),
                };
            }
            Some(Protection::Keepers(recovery)) => recovery,
        };
        let all = book.all();
        let with_copies = |disabled: bool| -> Copies {
            let those = all.iter().filter(|stanza| stanza.disabled == disabled);
            let found = those.filter_map(|stanza| {
                let copy = copies.iter().find(|copy| is_of(copy, stanza))?;
                Some((Arc::clone(stanza), copy.clone()))
            });
            found.collect()
        };
        let (by, left) = (with_copies(false), with_copies(true));
        match (by.is_empty(), left.is_empty()) {
            (false, _) => Self::Kept { recovery, by },
            (true, false) if enabled.is_empty() => Self::ToShares { recovery, by: left },
            (true, false) => Self::ToOthers { recovery, by: left },
            (true, true) => Self::Lost {
                recovery,
                kept_by: copies.iter().map(name_and_kind).collect(),
                configured: enabled.iter().map(|stanza| stanza.name.clone()).collect(),
            },
        }
    }
}

impl Keeping<'_> {
    /// The situation as it is now.
    pub(crate) async fn situation(&self) -> Result<Situation, Fault> {
        let protection = self.barrier.protection().await?;
        let copies = match protection {
            Some(Protection::Keepers(_)) => self.copies().await?,
            _ => Vec::new(),
        };
        let situation = Situation::of(protection, &copies, &self.settings.seals);
        self.settings.seals.remember(&situation);
        Ok(situation)
    }

    /// The stored copies that can be read.
    pub(crate) async fn copies(&self) -> Result<Vec<RootCopy>, Fault> {
        let (copies, damaged) = self.barrier.root_copies().await?;
        for error in damaged {
            tracing::error!(%error, "a copy of the root key can not be read; the others are used");
        }
        Ok(copies)
    }
}

/// Whether a copy was made by this seal.
pub(crate) fn is_of(copy: &RootCopy, stanza: &SealStanza) -> bool {
    copy.name == stanza.name && copy.kind == stanza.kind()
}

fn name_and_kind(copy: &RootCopy) -> (String, String) {
    (copy.name.clone(), copy.kind.clone())
}
