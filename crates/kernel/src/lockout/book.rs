//! The counters, and the attempts that are under way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_barrier::{Stored, View};
use coffer_crypto::HmacKey;
use coffer_engine::{Fault, Reply};
use coffer_wire::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::futures::OwnedNotified;
use tokio::sync::{Notify, OnceCell};

use super::rules::Rules;
use crate::identity::name;

/// The most locked names that one list tells.
const MAX_LISTED_NAMES: usize = 100_000;

/// The counters of one namespace.
#[derive(Clone)]
pub struct Lockout {
    view: View,
    keys: View,
    shared: Arc<Shared>,
}

struct Shared {
    /// Names with attempts under way, or waiting for their turn.
    under_way: Mutex<HashMap<String, UnderWay>>,
    /// Whether there may be records at all, so that nobody looks for old ones in vain.
    kept: AtomicBool,
    /// The key with which names become the places of their counts, once it was read.
    code: OnceCell<HmacKey>,
}

/// The key with which names become the places of their counts: people type passwords where names belong, and places
/// are readable in the storage.
#[derive(Serialize, Deserialize)]
struct CodeKey {
    key: [u8; 32],
}

impl Stored for CodeKey {}

#[derive(Default)]
struct UnderWay {
    /// How many requests are about the name.
    requests: u64,
    /// How many of them check a password now.
    running: u64,
    /// What is stored about the name, once it was read.
    count: Option<Option<Count>>,
    /// Tells those who wait that one of the running ended.
    over: Arc<Notify>,
}

/// What is stored about a name: the wrong passwords that were counted lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Count {
    /// The accessor of the mount.
    mount: String,
    /// The name, in normal form.
    name: String,
    failures: u64,
    /// From when on all this is forgotten.
    until: Timestamp,
    /// Whether the name is locked out until then.
    locked: bool,
}

impl Stored for Count {
    const MAX_BYTES: usize = 8 * 1024;
}

impl Count {
    /// Whether of two failures that were counted at once this is the later one.
    fn is_newer_than(&self, other: &Self) -> bool {
        self.failures > other.failures && self.until >= other.until
    }
}

/// A password that is being checked. It is over when this is dropped.
pub struct Attempt {
    place: Place,
    mount: String,
    name: String,
    rules: Rules,
}

/// A request's place among those about one name.
struct Place {
    book: Lockout,
    key: String,
    running: bool,
}

/// Whether an attempt may begin.
enum Turn {
    Now,
    Later(OwnedNotified),
}

impl Lockout {
    /// The counters of a namespace whose records are in a view.
    pub fn new(space: &View) -> Self {
        let shared = Shared {
            under_way: Mutex::default(),
            kept: AtomicBool::new(true),
            code: OnceCell::new(),
        };
        Self {
            view: space.sub("sys/lockout/"),
            keys: space.sub("sys/lockout-key/"),
            shared: Arc::new(shared),
        }
    }

    /// Begins an attempt under a name. Not more are under way at once than could fail before the name is locked out:
    /// others wait for them, so that guessing many at once is no way around the count.
    ///
    /// # Errors
    /// [`Fault::Denied`] while the name is locked out.
    pub async fn begin(
        &self,
        mount: &str,
        name: &str,
        rules: Rules,
        now: Timestamp,
    ) -> Result<Attempt, Fault> {
        name::check("a user", name)?;
        let mut place = self.place(self.key(mount, name).await?);
        place.read().await?;
        while let Turn::Later(over) = place.turn(rules, now)? {
            over.await;
        }
        Ok(Attempt {
            place,
            mount: mount.to_owned(),
            name: name::normal(name),
            rules,
        })
    }

    /// The names that are locked out, by the accessors of their mounts.
    pub async fn locked(&self, now: Timestamp) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let mut locked: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut found = 0;
        let mut pages = self.view.pages::<Count>("");
        while found < MAX_LISTED_NAMES
            && let Some(page) = pages.next().await?
        {
            for (_, count) in page {
                if count.locked && count.until > now {
                    locked.entry(count.mount).or_default().push(count.name);
                    found += 1;
                }
            }
        }
        locked.values_mut().for_each(|names| names.sort());
        Ok(locked)
    }

    /// Forgets what was counted of a name, if anything was.
    pub async fn unlock(&self, mount: &str, name: &str) -> Result<(), Fault> {
        if mount.is_empty() || name::normal(name).is_empty() || name.len() > name::MAX_NAME_BYTES {
            return Ok(());
        }
        self.set(&self.key(mount, name).await?, |_| None).await
    }

    /// Where a name's count is.
    async fn key(&self, mount: &str, name: &str) -> Result<String, Fault> {
        let code = self.shared.code.get_or_try_init(async || {
            let fresh = self.view.barrier().random().bytes();
            let keep = |old: Option<CodeKey>| {
                let key = old.map_or(fresh, |old| old.key);
                Ok::<_, Fault>((Some(CodeKey { key }), HmacKey::new(&key)))
            };
            match self.keys.get::<CodeKey>("key").await? {
                Some(kept) => Ok::<_, Fault>(HmacKey::new(&kept.key)),
                None => self.keys.update("key", keep).await,
            }
        });
        let code = hex::encode(code.await?.sign(name::normal(name).as_bytes()));
        Ok(format!("{}/{code}", name::escaped(mount)))
    }

    /// Removes what is forgotten anyhow.
    pub async fn sweep(&self, now: Timestamp) -> Result<(), Fault> {
        if !self.shared.kept.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        let mut pages = self.view.pages::<Count>("");
        while let Some(page) = pages.next().await? {
            for (key, count) in &page {
                if count.until > now {
                    self.shared.kept.store(true, Ordering::SeqCst);
                    continue;
                }
                let gone =
                    |old: Option<Count>| Ok::<_, Fault>((old.filter(|old| old.until > now), ()));
                self.view.update(key, gone).await?;
            }
        }
        Ok(())
    }

    fn place(&self, key: String) -> Place {
        let mut under_way = self.shared.under_way.lock();
        under_way.entry(key.clone()).or_default().requests += 1;
        Place {
            book: self.clone(),
            key,
            running: false,
        }
    }

    /// Changes what is stored about a name, then what those who are under way know of it.
    async fn set(
        &self,
        key: &str,
        change: impl Fn(Option<Count>) -> Option<Count> + Send + Sync,
    ) -> Result<(), Fault> {
        let decide = |old: Option<Count>| {
            let new = change(old);
            Ok::<_, Fault>((new.clone(), new))
        };
        let new = self.view.update(key, decide).await?;
        if let Some(slot) = self.shared.under_way.lock().get_mut(key) {
            match (&slot.count, &new) {
                (Some(Some(known)), Some(new)) if known.is_newer_than(new) => {}
                _ => slot.count = Some(new),
            }
        }
        Ok(())
    }
}

impl Place {
    /// Reads what is stored about the name, unless somebody who is under way did.
    async fn read(&self) -> Result<(), Fault> {
        let known = |slot: &UnderWay| slot.count.is_some();
        if self.slot(|slot| known(slot)) {
            return Ok(());
        }
        let count = self.book.view.get::<Count>(&self.key).await?;
        self.slot(|slot| slot.count.get_or_insert(count).is_some());
        Ok(())
    }

    fn turn(&mut self, rules: Rules, now: Timestamp) -> Result<Turn, Fault> {
        let turn = self.slot(|slot| {
            let count = slot.count.iter().flatten().find(|count| count.until > now);
            if count.is_some_and(|count| count.locked) {
                return Err(Fault::Denied);
            }
            let failures = count.map_or(0, |count| count.failures);
            // Alone it may try, whatever was counted while the rules were others.
            if slot.running == 0 || failures + slot.running < rules.threshold {
                slot.running += 1;
                return Ok(Turn::Now);
            }
            Ok(Turn::Later(Arc::clone(&slot.over).notified_owned()))
        })?;
        self.running = matches!(turn, Turn::Now);
        Ok(turn)
    }

    fn slot<R>(&self, look: impl FnOnce(&mut UnderWay) -> R) -> R {
        look(
            self.book
                .shared
                .under_way
                .lock()
                .entry(self.key.clone())
                .or_default(),
        )
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.book.shared.under_way.lock();
        let Some(slot) = under_way.get_mut(&self.key) else {
            return;
        };
        slot.requests = slot.requests.saturating_sub(1);
        if self.running {
            slot.running = slot.running.saturating_sub(1);
            slot.over.notify_waiters();
        }
        if slot.requests == 0 {
            under_way.remove(&self.key);
        }
    }
}

impl Attempt {
    /// Counts or clears, as the handler answered: a login ends the count, a refusal that is the client's adds to it,
    /// anything else says nothing about the password.
    pub async fn settle(self, answer: &Result<Reply, Fault>, now: Timestamp) -> Result<(), Fault> {
        let (book, key) = (&self.place.book, &self.place.key);
        match answer {
            Ok(reply) if reply.login.is_some() => {
                let counted = self.place.slot(|slot| !matches!(slot.count, Some(None)));
                if counted {
                    book.set(key, |_| None).await?;
                }
                Ok(())
            }
            Err(Fault::Invalid(_) | Fault::Denied | Fault::Forbidden(_)) => {
                book.shared.kept.store(true, Ordering::SeqCst);
                book.set(key, |old| Some(self.counted(old, now))).await
            }
            _ => Ok(()),
        }
    }

    /// The count with one more failure.
    fn counted(&self, old: Option<Count>, now: Timestamp) -> Count {
        let old = old.filter(|count| count.until > now);
        let failures = old.map_or(0, |count| count.failures).saturating_add(1);
        let locked = failures >= self.rules.threshold;
        let lasts = match locked {
            true => self.rules.duration,
            false => self.rules.counter_reset,
        };
        Count {
            mount: self.mount.clone(),
            name: self.name.clone(),
            failures,
            until: now.plus(lasts),
            locked,
        }
    }
}
