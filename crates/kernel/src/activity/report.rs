//! How many clients there were, and through which mounts of which namespaces they came.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use coffer_engine::Fault;

use super::client::{Client, Key};
use super::log::{CLIENTS_MAX, PARTS};
use super::month::{Month, Period};
use crate::open::Open;

/// The most mounts that a report tells apart.
const GROUPS_MAX: usize = 100_000;
/// The most namespaces whose paths are kept while a report is made.
const PATHS_MAX: usize = 100_000;

/// So many clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entities.
    pub entities: u64,
    /// Clients that are no entities.
    pub others: u64,
}

/// Clients by the id of their namespace and the accessor of their mount.
pub type Groups = BTreeMap<(String, String), Counts>;

/// The clients of one month.
#[derive(Debug)]
pub struct MonthReport {
    /// The month.
    pub month: Month,
    /// All of them.
    pub all: Groups,
    /// Those that were in no earlier month of the report.
    pub new: Groups,
}

/// The clients of a period, each counted once.
#[derive(Debug)]
pub struct Report {
    /// All of them, by the namespace and the mount through which they came first.
    pub total: Groups,
    /// The months of the period, in order.
    pub months: Vec<MonthReport>,
}

/// The namespaces that can be seen from one: itself and those within it.
pub(crate) struct Sight {
    open: Open,
    paths: HashMap<String, Option<String>>,
}

impl Report {
    /// Counts the clients of the namespace at hand and of those within it, one part after the other.
    pub async fn make(open: &Open, period: Period) -> Result<Self, Fault> {
        open.activity.store().await?;
        let stored: BTreeSet<Month> = open.activity.months().await?.into_iter().collect();
        let mut sight = Sight::from(open);
        let mut report = Self {
            total: Groups::new(),
            months: period.months().map(MonthReport::new).collect(),
        };
        for part in 0..PARTS {
            report.add_part(part, &stored, &mut sight).await?;
        }
        Ok(report)
    }

    async fn add_part(
        &mut self,
        part: u32,
        stored: &BTreeSet<Month>,
        sight: &mut Sight,
    ) -> Result<(), Fault> {
        let mut earlier: HashSet<Key> = HashSet::new();
        let months = self.months.iter_mut();
        for month in months.filter(|month| stored.contains(&month.month)) {
            let mut met: HashSet<Key> = HashSet::new();
            let mut after = None;
            loop {
                let activity = &sight.open.activity;
                let page = activity.page(month.month, part, after.as_deref()).await?;
                let Some((last, clients)) = page else { break };
                after = Some(last);
                for client in clients {
                    let key = client.key();
                    if sight.path_of(&client.namespace).await?.is_none() || !met.insert(key) {
                        continue;
                    }
                    count(&mut month.all, &client)?;
                    if earlier.insert(key) {
                        count(&mut month.new, &client)?;
                        count(&mut self.total, &client)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a month has so many clients that more of them are not counted.
    pub fn is_cut(&self) -> bool {
        let most = u64::try_from(CLIENTS_MAX).unwrap_or(u64::MAX);
        self.months
            .iter()
            .any(|month| sum(&month.all).clients() >= most)
    }
}

impl MonthReport {
    fn new(month: Month) -> Self {
        Self {
            month,
            all: Groups::new(),
            new: Groups::new(),
        }
    }
}

impl Counts {
    /// All of them.
    pub fn clients(self) -> u64 {
        self.entities + self.others
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            entities: self.entities + other.entities,
            others: self.others + other.others,
        }
    }
}

/// The clients of all groups.
pub(crate) fn sum(groups: &Groups) -> Counts {
    groups
        .values()
        .fold(Counts::default(), |sum, one| sum.and(*one))
}

fn count(groups: &mut Groups, client: &Client) -> Result<(), Fault> {
    let key = (client.namespace.clone(), client.mount.clone());
    if groups.len() >= GROUPS_MAX && !groups.contains_key(&key) {
        return Err(Fault::invalid(
            "these clients came through too many mounts for one report; ask in a namespace, or for fewer months",
        ));
    }
    let counts = groups.entry(key).or_default();
    match client.is_entity {
        true => counts.entities += 1,
        false => counts.others += 1,
    }
    Ok(())
}

impl Sight {
    pub(crate) fn from(open: &Open) -> Self {
        Self {
            open: open.clone(),
            paths: HashMap::new(),
        }
    }

    /// The path of a namespace; none where it can not be seen from here. The root sees what is gone, too.
    pub(crate) async fn path_of(&mut self, id: &str) -> Result<Option<&str>, Fault> {
        if !self.paths.contains_key(id) {
            if self.paths.len() >= PATHS_MAX {
                self.paths.clear();
            }
            let space = self.open.namespaces.readable(id).await?;
            let here = &self.open.space;
            let path = match (space, self.open.namespaces.seals.closed(id)) {
                (_, Some(seal)) => seal.path.starts_with(&here.path).then(|| seal.shown(id)),
                (Some(space), _) => space.seen_from(here).map(|_| space.path.clone()),
                (None, _) => here.is_root().then(|| format!("deleted namespace {id:?}")),
            };
            self.paths.insert(id.to_owned(), path);
        }
        Ok(self.paths.get(id).and_then(Option::as_deref))
    }
}
