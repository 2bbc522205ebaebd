//! What a subscriber may see, as it is now.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Caller, Fault};
use tokio::time::Instant;

use super::catalogue;
use super::cut::Cut;
use super::published::Published;
use crate::authority::Authority;
use crate::core::Core;
use crate::open::Open;
use crate::tokens;

/// How often it is looked whether the token lives and what its policies say.
pub(super) const BETWEEN_LOOKS: Duration = Duration::from_secs(5);
/// How often at most, where something has happened that may change it.
const BETWEEN_HASTY_LOOKS: Duration = Duration::from_millis(500);
/// The capabilities of which one lets somebody subscribe.
const NEEDED: [&str; 2] = ["read", "root"];

/// What a subscriber may see. Nothing of it is older than a few seconds.
pub(super) struct Rights {
    core: Arc<Core>,
    token: Arc<Secret<String>>,
    client: Option<IpAddr>,
    /// The id of the namespace of the subscription.
    home: String,
    /// The path of the subscription there.
    path: String,
    caller: Arc<Caller>,
    /// By the ids of namespaces; none where nothing may be seen.
    known: HashMap<String, Option<Arc<Authority>>>,
    looked_at: Instant,
    changes: u64,
}

impl Rights {
    /// The rights of who asks, which were looked at just now.
    pub fn new(open: &Open, asks: super::Asks, path: String) -> Self {
        Self {
            core: Arc::clone(open),
            token: asks.token,
            client: asks.client,
            home: open.space.id.clone(),
            path,
            caller: asks.caller,
            known: HashMap::new(),
            looked_at: Instant::now(),
            changes: open.events.changes(),
        }
    }

    /// When they are to be looked at again.
    pub fn look_due(&self) -> Instant {
        match self.core.events.changes() == self.changes {
            true => self.looked_at + BETWEEN_LOOKS,
            false => self.looked_at + BETWEEN_HASTY_LOOKS,
        }
    }

    /// Looks again, if it is time to.
    pub async fn look(&mut self) -> Result<(), Cut> {
        if Instant::now() < self.look_due() {
            return Ok(());
        }
        self.changes = self.core.events.changes();
        self.looked_at = Instant::now();
        self.known.clear();
        let now = self.core.clock.now();
        let tokens = &self.core.tokens;
        let usable = tokens.usable(self.token.expose(), self.client, now).await;
        let record = usable.map_err(|fault| cut_of(&fault))?;
        let record = record.ok_or(Cut::TokenEnded)?;
        let home = self.core.namespaces.readable(&self.home).await;
        let home = home.map_err(|fault| cut_of(&fault))?;
        let home = home.filter(|home| !home.record().tainted);
        let home = home.ok_or(Cut::NamespaceClosed)?;
        home.refuse_if_locked().map_err(|_| Cut::NamespaceClosed)?;
        let open = Open::new(&self.core, home);
        let standing = open.standing_of(&record.namespace, &record.entity_id).await;
        let standing = standing.map_err(|fault| cut_of(&fault))?;
        self.caller = Arc::new(tokens::caller(&record, standing.as_deref()));
        let authority = Authority::of(&open, &self.caller, now).await;
        let authority = authority.map_err(|fault| cut_of(&fault))?;
        let held = authority.capabilities(&self.path);
        match held.iter().any(|held| NEEDED.contains(held)) {
            true => Ok(()),
            false => Err(Cut::Denied),
        }
    }

    /// Whether an event may be seen.
    pub async fn show(&mut self, event: &Published) -> Result<bool, Cut> {
        if event.kind() == catalogue::EVENTS_GAP {
            return Ok(true);
        }
        let namespace = event.namespace_id();
        if self.core.namespaces.seals.closed(namespace).is_some() {
            return Ok(false); // Also where it was open a moment ago.
        }
        if !self.known.contains_key(namespace) {
            let authority = self.authority(namespace).await?;
            self.known.insert(namespace.to_owned(), authority);
        }
        let authority = self.known.get(namespace).and_then(Option::as_ref);
        Ok(authority
            .is_some_and(|authority| authority.may_subscribe(event.guarded_path(), event.kind())))
    }

    async fn authority(&self, namespace: &str) -> Result<Option<Arc<Authority>>, Cut> {
        let space = self.core.namespaces.readable(namespace).await;
        let space = match space {
            Ok(Some(space)) => space,
            Ok(None) | Err(Fault::Denied) => return Ok(None),
            Err(fault) => return Err(cut_of(&fault)),
        };
        let open = Open::new(&self.core, space);
        match Authority::of(&open, &self.caller, self.core.clock.now()).await {
            Ok(authority) => Ok(Some(Arc::new(authority))),
            Err(Fault::Denied) => Ok(None),
            Err(fault) => Err(cut_of(&fault)),
        }
    }
}

fn cut_of(fault: &Fault) -> Cut {
    match fault {
        Fault::Denied => Cut::TokenEnded,
        Fault::Sealed => Cut::ServerSealed,
        _ => Cut::Unavailable,
    }
}
