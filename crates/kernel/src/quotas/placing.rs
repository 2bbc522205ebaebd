//! Under which quotas something new falls.

use std::sync::Arc;

use coffer_crypto::sha256;
use coffer_engine::Fault;

use super::book::Quotas;
use super::quota::Limit;
use super::rules::{Rule, Rules, Spot};
use crate::mounts::Mount;
use crate::namespaces::Space;
use crate::tokens::TokenRecord;

/// The quotas that count something new. To be kept until that is stored: counting anew waits for it, so that nothing
/// is counted by quotas that are no more.
pub struct Placed {
    _rules: Option<Arc<Rules>>,
    lease: Option<Arc<Rule>>,
    token: Option<(Arc<Rule>, String)>,
}

impl Placed {
    /// Under no quota.
    pub const NOWHERE: Self = Self {
        _rules: None,
        lease: None,
        token: None,
    };

    /// The id of the quota that counts the lease, of a token too; empty for none.
    pub fn quota(&self) -> &str {
        self.lease.as_ref().map_or("", |rule| &rule.quota.id)
    }

    /// What counts the token: a quota's id and an identity; empty for nothing.
    pub fn holder(&self) -> &str {
        self.token.as_ref().map_or("", |(_, holder)| holder)
    }

    /// How many leases there may be.
    pub fn most_leases(&self) -> u64 {
        match self.lease.as_ref().map(|rule| &rule.quota.limit) {
            Some(Limit::Leases { most }) => *most,
            _ => u64::MAX,
        }
    }

    /// How many tokens the identity may have.
    pub fn most_tokens(&self) -> u64 {
        match self.token.as_ref().map(|(rule, _)| &rule.quota.limit) {
            Some(Limit::Tokens { most }) => *most,
            _ => u64::MAX,
        }
    }

    /// The answer to a request at `path` that would make a lease too many.
    pub fn no_more_leases(path: &str) -> Fault {
        Fault::TooMany(format!("request path {path:?}: lease count quota exceeded"))
    }

    /// The answer to a login that would make a token too many.
    pub fn no_more_tokens(&self) -> Fault {
        let name = self.token.as_ref().map_or("", |(rule, _)| &rule.quota.name);
        Fault::TooMany(format!(
            "this identity has {} living tokens already, the most that the quota {name:?} allows; revoke one of them (auth/token/revoke-self) or wait until one ends",
            self.most_tokens()
        ))
    }
}

impl Quotas {
    /// The quotas of a lease that is about to be made at a path of a namespace.
    pub fn place_lease(&self, space: &Arc<Space>, mount: &str, tail: &str) -> Placed {
        let rules = self.rules();
        let spot = Spot {
            mount,
            tail,
            role: None,
        };
        let lease = rules.leases.find(space, &spot).cloned();
        Placed {
            _rules: Some(rules),
            lease,
            token: None,
        }
    }

    /// The quotas of a token that is about to be made. Batch tokens are not stored, and never-ending ones have no
    /// lease; neither is counted.
    pub fn place_token(
        &self,
        space: &Arc<Space>,
        mount: Option<&Mount>,
        record: &TokenRecord,
    ) -> Placed {
        let rules = self.rules();
        if record.kind == coffer_engine::TokenKind::Batch {
            return Placed::NOWHERE;
        }
        let spot = Spot {
            mount: &record.mount,
            tail: mount.map_or("", |mount| mount.tail(&record.path)),
            role: Some(record.login_role.as_str()).filter(|role| !role.is_empty()),
        };
        let lease = rules.leases.find(space, &spot).cloned();
        let token = rules.tokens.find(space, &spot).cloned();
        let holder = token.zip(identity(mount, record)).map(|(rule, identity)| {
            let holder = format!("{}/{identity}", rule.quota.id);
            (rule, holder)
        });
        Placed {
            lease: lease.filter(|_| record.expires.is_some()),
            token: holder,
            _rules: Some(rules),
        }
    }
}

/// Whose token it is, as a segment of a path: the entity's or, without one, the name that the auth method gave. What
/// `auth/token/create` makes without an entity is nobody's: its maker chooses the name.
fn identity(mount: Option<&Mount>, record: &TokenRecord) -> Option<String> {
    let whose = match record.entity_id.as_str() {
        "" if mount.is_some_and(Mount::is_kernels_own) => return None,
        "" => format!("name {} {}", record.mount, record.display_name),
        entity => format!("entity {entity}"),
    };
    Some(hex::encode(sha256(whose.as_bytes())))
}
