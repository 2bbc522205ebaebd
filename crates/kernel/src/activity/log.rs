//! The clients of this month in memory, and of all months in storage.

use std::collections::{BTreeMap, HashSet};

use arc_swap::ArcSwap;
use coffer_barrier::View;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use parking_lot::RwLock;

use super::client::{Batch, Client, Key};
use super::config::Config;
use super::month::Month;

/// Where the configuration is kept, below `sys/activity/`.
const CONFIG: &str = "config";
/// Where the months are.
const MONTHS: &str = "month/";
/// How many clients of a month are counted. Their keys are in memory.
pub(super) const CLIENTS_MAX: usize = 1_000_000;
/// How many clients wait to be stored; more are met anew with their next request.
const WAITING_MAX: usize = 50_000;
/// How many clients are in one batch.
const BATCH_CLIENTS_MAX: usize = 1_000;
/// In how many parts the clients of a month are.
pub(super) const PARTS: u32 = 16;
/// How many batches are read at once.
const PAGE: usize = 8;

/// Who used the server.
pub struct Activity {
    view: View,
    config: ArcSwap<Config>,
    memory: RwLock<Memory>,
}

#[derive(Default)]
struct Memory {
    month: Month,
    /// Who was met in this month.
    met: HashSet<Key>,
    /// Who is not stored yet.
    waiting: Vec<Client>,
}

impl Activity {
    /// Reads the configuration and nothing else, however many clients there were. The view holds nothing else.
    pub async fn open(view: View) -> Result<Self, Fault> {
        let config = view.get(CONFIG).await?.unwrap_or_default();
        Ok(Self {
            view,
            config: ArcSwap::from_pointee(config),
            memory: RwLock::default(),
        })
    }

    /// The configuration in force.
    pub fn config(&self) -> Config {
        **self.config.load()
    }

    /// Puts a configuration into force. Who stops counting wants what was counted in this month to be gone.
    pub async fn configure(
        &self,
        change: impl Fn(Config) -> Config + Send + Sync,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let config = self
            .view
            .update(CONFIG, |old: Option<Config>| {
                let config = change(old.unwrap_or_default());
                Ok::<_, Fault>((Some(config), config))
            })
            .await?;
        self.config.store(config.into());
        if !config.counts() {
            *self.memory.write() = Memory::default();
            self.view.clear(&folder(Month::of(now))).await?;
        }
        self.sweep(now).await
    }

    /// Counts a client, if it was not yet in this month.
    pub fn note(&self, client: Client, now: Timestamp) {
        if !self.config.load().counts() {
            return;
        }
        let (key, month) = (client.key(), Month::of(now));
        {
            let memory = self.memory.read();
            if memory.month == month && (memory.met.contains(&key) || memory.is_full()) {
                return;
            }
        }
        let mut memory = self.memory.write();
        if memory.month != month {
            (memory.month, memory.met) = (month, HashSet::new());
        }
        if !memory.is_full() && memory.met.insert(key) {
            memory.waiting.push(client);
        }
    }

    /// Reads who was met in this month before the server was opened.
    pub(super) async fn load(&self, now: Timestamp) -> Result<(), Fault> {
        let month = Month::of(now);
        for part in 0..PARTS {
            let mut after = None;
            while let Some((last, clients)) = self.page(month, part, after.as_deref()).await? {
                after = Some(last);
                let keys: HashSet<Key> = clients.iter().map(Client::key).collect();
                let mut memory = self.memory.write();
                if memory.month == Month::default() {
                    memory.month = month;
                }
                if memory.month == month {
                    memory.waiting.retain(|client| {
                        Month::of(client.first) != month || !keys.contains(&client.key())
                    });
                    memory.met.extend(keys);
                }
            }
        }
        Ok(())
    }

    /// Stores who was met for the first time.
    pub async fn store(&self) -> Result<(), Fault> {
        let waiting = std::mem::take(&mut self.memory.write().waiting);
        if !self.config().counts() {
            return Ok(());
        }
        let mut folders: BTreeMap<(Month, u32), Vec<Client>> = BTreeMap::new();
        for client in waiting {
            let place = (Month::of(client.first), part_of(client.key()));
            folders.entry(place).or_default().push(client);
        }
        let mut failed = Ok(());
        for ((month, part), mut clients) in folders {
            let stored = match failed {
                Ok(()) => self.append(month, part, &mut clients).await,
                Err(_) => Ok(()),
            };
            // What is left was not stored; it waits for the next time.
            self.memory.write().waiting.append(&mut clients);
            failed = failed.and(stored);
        }
        failed
    }

    /// Adds clients to the last batch of their part and to new ones behind it; leaves those that it could not store.
    async fn append(
        &self,
        month: Month,
        part: u32,
        clients: &mut Vec<Client>,
    ) -> Result<(), Fault> {
        let folder = part_folder(month, part);
        let mut number = self.last_batch(&folder).await?;
        while !clients.is_empty() {
            let path = format!("{folder}{number:08}");
            let taken = self
                .view
                .update(&path, |old: Option<Batch>| {
                    let mut batch = old.unwrap_or_default();
                    let room = BATCH_CLIENTS_MAX.saturating_sub(batch.clients.len());
                    let taken = clients.len().min(room);
                    batch.clients.extend(clients.iter().take(taken).cloned());
                    Ok::<_, Fault>((Some(batch), taken))
                })
                .await?;
            clients.drain(..taken);
            number += 1;
        }
        Ok(())
    }

    async fn last_batch(&self, folder: &str) -> Result<u64, Fault> {
        let mut last = 0;
        let mut pages = self.view.path_pages(folder);
        while let Some(page) = pages.next().await? {
            let name = page.last().and_then(|path| path.rsplit('/').next());
            last = name.unwrap_or_default().parse().map_err(Fault::internal)?;
        }
        Ok(last)
    }

    /// The clients in the next batches of a part, and where they end; none behind the last.
    pub(super) async fn page(
        &self,
        month: Month,
        part: u32,
        after: Option<&str>,
    ) -> Result<Option<(String, Vec<Client>)>, Fault> {
        let folder = part_folder(month, part);
        let page = self.view.scan::<Batch>(&folder, after, PAGE).await?;
        let last = page.last().map(|(path, _)| path.clone());
        Ok(last.map(|last| {
            let batches = page.into_iter();
            (last, batches.flat_map(|(_, batch)| batch.clients).collect())
        }))
    }

    /// The months of which something is stored, in order.
    pub async fn months(&self) -> Result<Vec<Month>, Fault> {
        let names = self.view.list_all(MONTHS).await?;
        let months = names
            .iter()
            .filter_map(|name| Month::named(name.trim_end_matches('/')));
        Ok(months.collect())
    }

    /// Removes the months that are not to be kept any more.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<(), Fault> {
        let kept = self.config().retention_months.max(1);
        let oldest = Month::of(now).before(kept - 1);
        for month in self.months().await? {
            if month < oldest {
                self.view.clear(&folder(month)).await?;
            }
        }
        Ok(())
    }
}

impl Memory {
    fn is_full(&self) -> bool {
        self.met.len() >= CLIENTS_MAX || self.waiting.len() >= WAITING_MAX
    }
}

fn folder(month: Month) -> String {
    format!("{MONTHS}{month}/")
}

fn part_folder(month: Month, part: u32) -> String {
    format!("{MONTHS}{month}/{part:x}/")
}

fn part_of(key: Key) -> u32 {
    u32::try_from(key % Key::from(PARTS)).unwrap_or_default()
}
