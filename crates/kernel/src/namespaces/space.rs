//! The parts of one namespace.

use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_barrier::{Barrier, View};
use coffer_engine::Fault;

use super::record::NamespaceRecord;
use crate::identity::{Identity, Mfa, Oidc};
use crate::lockout::Lockout;
use crate::mounts::Mounts;
use crate::password_book::Passwords;
use crate::policy::Policies;
use crate::settings::Settings;
use crate::workflows::Workflows;

/// What a namespace has of its own. It knows nothing of the server around it.
pub struct Space {
    /// Its id; empty for the root.
    pub id: String,
    /// Its path, with a trailing slash; empty for the root.
    pub path: String,
    record: ArcSwap<NamespaceRecord>,
    /// The namespace this one lies in; none for the root.
    pub parent: Option<Arc<Space>>,
    /// Its part of the storage.
    pub view: View,
    /// Mounts.
    pub mounts: Mounts,
    /// Policies.
    pub policies: Policies,
    /// Entities and groups.
    pub identity: Identity,
    /// Wrong passwords, counted.
    pub lockout: Lockout,
    /// Identity tokens and the OpenID provider.
    pub oidc: Oidc,
    /// Second factors.
    pub mfa: Mfa,
    /// Password policies.
    pub passwords: Passwords,
    /// Workflows.
    pub workflows: Workflows,
}

impl Space {
    /// Reads what a namespace has in memory. Not more than its mounts: the rest is read when it is asked for.
    pub(super) async fn load(
        record: NamespaceRecord,
        parent: Option<Arc<Self>>,
        barrier: &Arc<Barrier>,
        settings: &Settings,
    ) -> Result<Arc<Self>, Fault> {
        let view = Self::view_of(&record, barrier);
        Ok(Arc::new(Self {
            id: record.id.clone(),
            path: record.path.clone(),
            parent,
            mounts: Mounts::load(&view, settings).await?,
            policies: Policies::new(view.sub("sys/policy/"), record.is_root()),
            identity: Identity::new(view.sub("sys/identity/"), record.shown_id()),
            lockout: Lockout::new(&view),
            oidc: Oidc::new(view.sub("sys/oidc/")),
            mfa: Mfa::new(view.sub("sys/mfa/")),
            passwords: Passwords::new(view.sub("sys/password-policy/")),
            workflows: Workflows::new(view.sub("sys/workflow/")),
            record: ArcSwap::from_pointee(record),
            view,
        }))
    }

    /// The part of the storage that a namespace has.
    pub(crate) fn view_of(record: &NamespaceRecord, barrier: &Arc<Barrier>) -> View {
        barrier.view(record.prefix())
    }

    /// What is stored about it, as it is now.
    pub fn record(&self) -> Arc<NamespaceRecord> {
        self.record.load_full()
    }

    /// Takes over what was stored.
    pub(super) fn changed(&self, record: NamespaceRecord) {
        self.record.store(Arc::new(record));
    }

    /// Where the storage of the innermost namespace with a seal of its own begins that this one is, or lies in.
    pub(super) fn seal_prefix(&self) -> Option<String> {
        let record = self.record();
        match record.own_seal {
            true => Some(record.prefix()),
            false => self.parent.as_ref()?.seal_prefix(),
        }
    }

    /// Its path without the trailing slash, for people and labels; `root` for the root.
    pub fn shown(&self) -> &str {
        match self.path.as_str() {
            "" => "root",
            path => path.trim_end_matches('/'),
        }
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// A name of something in it that is known outside it too: with its id behind a dot, unless it is the root.
    pub fn named(&self, name: String) -> String {
        match self.id.as_str() {
            "" => name,
            id => format!("{name}.{id}"),
        }
    }

    /// The storage that a token of this namespace has of its own, as it is seen in the namespace it visits; none
    /// where none is mounted. It is all kept at home, so that it ends with the token.
    pub fn own_storage(&self, accessor: &str, visited: &Self) -> Option<View> {
        let home = &self.mounts.per_token()?.view;
        Some(match visited.id == self.id {
            true => home.sub(&format!("{accessor}/")),
            false => home.sub(&format!("{accessor}@{}/", visited.id)),
        })
    }

    /// The path of this namespace as seen from another one that it lies in, or is; none from elsewhere.
    pub fn seen_from(&self, other: &Self) -> Option<&str> {
        self.path.strip_prefix(&other.path)
    }

    /// This namespace and those it lies in, the innermost first.
    pub fn line(self: &Arc<Self>) -> impl Iterator<Item = Arc<Self>> {
        std::iter::successors(Some(Arc::clone(self)), |space| space.parent.clone())
    }
}
