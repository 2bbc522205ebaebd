//! Everything an engine may use while it answers one request.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_barrier::View;
use coffer_crypto::{Random, Secret};
use coffer_wire::{Timestamp, Verb};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lease::NewLease;
use crate::{Answer, Event, Fault, Intent, Lease, Nesting, Upload, outbound};

/// What an engine gets with a request, a renewal, a revocation or a tick.
#[derive(Clone)]
pub struct Ctx {
    /// The mount's own storage (of this token alone, where [`crate::Engine::PER_TOKEN`] says so).
    pub view: View,
    /// The time of this request.
    pub now: Timestamp,
    /// The source of randomness.
    pub random: Random,
    /// The request.
    pub request: Arc<RequestInfo>,
    /// Who asks; nobody on paths that need no token and in background work.
    pub caller: Option<Arc<Caller>>,
    /// The token that asks, for the kernel's own paths alone; engines never see one.
    pub token: Option<Arc<Secret<String>>>,
    /// The body, on paths that take it as it comes.
    pub upload: Upload,
    /// The mount that is asked.
    pub mount: Arc<MountInfo>,
    /// What the kernel does on behalf of engines.
    pub services: Arc<dyn Services>,
}

/// What the kernel does on behalf of engines.
pub trait Services: Send + Sync {
    /// Stores durably what would have to be undone; becomes the lease when the request succeeds.
    fn intend<'a>(&'a self, cx: &'a Ctx, lease: NewLease) -> Answer<'a, Intent>;

    /// See [`Ctx::attempt`].
    fn attempt<'a>(&'a self, cx: &'a Ctx, name: &'a str) -> Answer<'a, ()>;

    /// A password by the named policy of `sys/policies/password`.
    fn password<'a>(&'a self, policy: &'a str) -> Answer<'a, Secret<String>>;

    /// See [`Ctx::fetch`].
    fn fetch<'a>(
        &'a self,
        cx: &'a Ctx,
        request: outbound::Request,
    ) -> Answer<'a, outbound::Response>;

    /// See [`Ctx::emit`].
    fn emit(&self, cx: &Ctx, event: Event);
}

/// The request an engine answers, without its token.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// Identifies it in logs, audit and answers.
    pub id: String,
    /// What is wanted.
    pub verb: Verb,
    /// The canonical path, mount included.
    pub path: String,
    /// Where it came from; absent for Unix sockets and background work.
    pub client: Option<IpAddr>,
    /// What the client showed in the TLS handshake, in DER, its own certificate first; empty if it showed none. It has
    /// proved that it holds the key of the first; who has signed that, nobody has looked at.
    pub certificates: Arc<[Vec<u8>]>,
    /// The headers that audit or the mount's tuning let through, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The runs of several requests that it is part of.
    pub nesting: Nesting,
}

/// Whom a token speaks for.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The salted hash under which the token is stored; never the token.
    pub token_hash: String,
    /// The accessor; empty for batch tokens.
    pub accessor: String,
    /// A name for people, for example `token-app` or `ldap-alice`.
    pub display_name: String,
    /// The effective policies: the token's own and those of the entity and its groups.
    pub policies: Vec<String>,
    /// Those of the entity and its groups.
    pub identity_policies: Vec<String>,
    /// The entity behind the token, else empty.
    pub entity_id: String,
    /// What the auth method noted about the login.
    pub metadata: BTreeMap<String, String>,
    /// `service` or `batch`.
    pub kind: TokenKind,
    /// Whether the `root` policy is among its policies.
    pub root: bool,
    /// When the token ends; never for some root tokens.
    pub expires: Option<Timestamp>,
    /// The id of the namespace the token belongs to; empty for the root.
    pub namespace: String,
}

/// How a token is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Stored, renewable, revocable.
    #[default]
    Service,
    /// Carries its own state, encrypted; not stored.
    Batch,
}

/// One mount as its engine sees it.
#[derive(Clone, Debug, Default)]
pub struct MountInfo {
    /// Where it is mounted, with a trailing slash and, for auth methods, the `auth/` in front.
    pub path: String,
    /// Names the mount for ever, whatever its path.
    pub accessor: String,
    /// The TTL of leases that ask for none.
    pub default_lease_ttl: Duration,
    /// The longest TTL of any lease of this mount.
    pub max_lease_ttl: Duration,
    /// The mount's own options, for example `version`.
    pub options: BTreeMap<String, String>,
}

impl Ctx {
    /// Announces durably a secret that is about to be made outside, so that a crash leaves no orphan.
    ///
    /// Call it *before* the side effect; give the intent to [`crate::Leased::new`] after it. When the
    /// request fails, or the server dies in between, [`Lease::revoke`] is called with this lease.
    pub async fn intend<E, L: Lease<E>>(&self, lease: &L) -> Result<Intent, Fault> {
        let lease = NewLease::of::<E, L>(lease)?;
        self.services.intend(self, lease).await
    }

    /// Says under which name somebody tries to log in, before their password is looked at.
    ///
    /// Refused while the name is locked out. If the handler then refuses the client ([`Fault::Invalid`],
    /// [`Fault::Denied`] or [`Fault::Forbidden`]), that is counted, durably, before anybody is told; a login ends the
    /// count. Call it for names that nobody has, too, and answer wrong passwords and unknown names alike.
    pub async fn attempt(&self, name: &str) -> Result<(), Fault> {
        self.services.attempt(self, name).await
    }

    /// Asks another server. An answer of any status is an answer.
    ///
    /// # Errors
    /// [`Fault::Upstream`] where none comes, in words without the address: that may hold a secret.
    pub async fn fetch(&self, request: outbound::Request) -> Result<outbound::Response, Fault> {
        self.services.fetch(self, request).await
    }

    /// Tells subscribers what has happened, after the change is stored.
    ///
    /// What a request emits goes out only if its handler succeeds; what work in the background emits, or what does so
    /// [`Event::regardless`], at once. Never waits and never fails.
    pub fn emit(&self, event: Event) {
        self.services.emit(self, event);
    }

    /// The caller, on paths that need one.
    pub fn caller(&self) -> Result<&Caller, Fault> {
        self.caller.as_deref().ok_or(Fault::Denied)
    }
}
