//! The configured seals, and what is known of their keepers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use super::asked::Asked;
use super::health::{Change, Health};
use super::situation::Situation;
use super::stanza::SealStanza;

/// The seals that the configuration names. There are none where shares of an unseal key open the server.
#[derive(Debug)]
pub struct SealBook {
    /// Those to be asked first come first.
    stanzas: ArcSwap<Vec<Arc<SealStanza>>>,
    health: Mutex<BTreeMap<String, Health>>,
    /// One change of the root key or of its copies at a time.
    turn: Semaphore,
    /// There is something new: other seals, or something to open.
    news: Notify,
    /// What was last seen of how the server opens.
    outlook: Mutex<Outlook>,
    /// Who waits for the root key on behalf of people.
    pub(super) asked: Asked,
    /// An operator sealed the server, so it does not open by itself.
    held: AtomicBool,
}

/// How the server opens, as it was last seen.
#[derive(Debug, Default)]
struct Outlook {
    lost: Vec<(String, String)>,
    said: String,
}

impl Default for SealBook {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl SealBook {
    /// The seals of a configuration.
    pub fn new(stanzas: Vec<SealStanza>) -> Self {
        let book = Self {
            stanzas: ArcSwap::default(),
            health: Mutex::default(),
            turn: Semaphore::new(1),
            news: Notify::new(),
            outlook: Mutex::default(),
            asked: Asked::default(),
            held: AtomicBool::new(false),
        };
        book.replace(stanzas);
        book
    }

    /// Other seals take the place of those of before. What is stored does not change by that.
    pub fn replace(&self, stanzas: Vec<SealStanza>) {
        let mut stanzas: Vec<_> = stanzas.into_iter().map(Arc::new).collect();
        stanzas.sort_by_key(|stanza| stanza.priority);
        let known = |name: &str| stanzas.iter().any(|stanza| stanza.name == name);
        self.health.lock().retain(|name, _| known(name));
        self.stanzas.store(Arc::new(stanzas));
        self.news.notify_waiters();
    }

    /// All, those to be asked first come first.
    pub fn all(&self) -> Arc<Vec<Arc<SealStanza>>> {
        self.stanzas.load_full()
    }

    /// Those that are in use.
    pub fn enabled(&self) -> Vec<Arc<SealStanza>> {
        let all = self.stanzas.load();
        let enabled = all.iter().filter(|stanza| !stanza.disabled);
        enabled.cloned().collect()
    }

    /// The one of a name.
    pub fn named(&self, name: &str) -> Option<Arc<SealStanza>> {
        let all = self.stanzas.load();
        all.iter().find(|stanza| stanza.name == name).cloned()
    }

    /// How a seal's keeper is doing.
    pub fn health(&self, name: &str) -> Health {
        self.health.lock().get(name).cloned().unwrap_or_default()
    }

    /// The seals, by name and kind, that have the root key while none of them is configured; none where the server opens.
    pub(crate) fn lost(&self) -> Vec<(String, String)> {
        self.outlook.lock().lost.clone()
    }

    /// Remembers how the server opens.
    pub(super) fn remember(&self, situation: &Situation) {
        self.outlook.lock().lost = match situation {
            Situation::Lost { kept_by, .. } => kept_by.clone(),
            _ => Vec::new(),
        };
    }

    /// Whether this is another thing to say about the next start than last time.
    pub(super) fn is_news(&self, words: &str) -> bool {
        let mut outlook = self.outlook.lock();
        let is_news = outlook.said != words;
        words.clone_into(&mut outlook.said);
        is_news
    }

    /// Waits for the turn to change the root key or its copies; it ends with the value.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.turn.acquire().await.map_err(Fault::internal)
    }

    /// Whether an operator wants the server to stay sealed.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// Keeps the server from opening by itself, or lets it.
    pub(crate) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }

    /// There may be something to open.
    pub(crate) fn tell(&self) {
        self.news.notify_waiters();
    }

    /// Waits until there is something new. What comes up before this is waited for is not missed.
    pub(super) fn news(&self) -> tokio::sync::futures::Notified<'_> {
        self.news.notified()
    }

    /// Remembers what a keeper answered, and says in the log what changed.
    pub(super) fn note(&self, stanza: &SealStanza, outcome: Result<(), &str>, now: Timestamp) {
        let mut health = self.health.lock();
        let health = health.entry(stanza.name.clone()).or_default();
        match health.note(outcome, now) {
            Change::None => {}
            Change::Recovered => {
                tracing::info!(
                    seal = stanza.name,
                    kind = stanza.kind(),
                    "the seal answers again"
                );
            }
            Change::Fails => tracing::warn!(
                seal = stanza.name,
                kind = stanza.kind(),
                why = health.why,
                "the seal does not work; without any working seal this server does not open after its next start"
            ),
        }
    }
}
