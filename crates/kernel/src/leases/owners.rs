//! Who has how many leases. The indexes are read page by page, so that memory depends on what is asked for and not on
//! how many leases there are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::vec::IntoIter;

use coffer_barrier::{Pages, Paths};
use coffer_engine::Fault;

use crate::namespaces::id_of;
use crate::open::Open;

/// How many entities are counted in one pass over the index.
const MAX_COUNTED_AT_ONCE: usize = 100_000;

/// What owners are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The token that asked, by its accessor.
    Token,
    /// The entity behind that token, by its id; empty for tokens without one.
    Entity,
    /// The namespace they were issued in, by its id.
    Namespace,
}

/// An owner and the number of its leases.
pub type Owner = (String, u64);

/// Those with the most leases in the namespace at hand and in those within it, the highest first, at most `limit`.
/// Leases count until they are undone, also while their revocation fails. Only paths are read, so those of sealed namespaces
/// count, too; by namespace this includes what is just being issued.
pub async fn owners(open: &Open, by: By, limit: usize) -> Result<Vec<Owner>, Fault> {
    match by {
        By::Token => tokens(open, limit).await,
        By::Entity => entities(open, limit, MAX_COUNTED_AT_ONCE).await,
        By::Namespace => namespaces(open, limit).await,
    }
}

async fn tokens(open: &Open, limit: usize) -> Result<Vec<Owner>, Fault> {
    let mut top = Top::of(limit);
    let mut runs = Runs::of(open);
    while let Some((accessor, count)) = runs.next().await? {
        top.offer(accessor, count);
    }
    Ok(top.into_sorted())
}

async fn entities(open: &Open, limit: usize, at_once: usize) -> Result<Vec<Owner>, Fault> {
    let mut top = Top::of(limit);
    let mut tally = Tally::after(None, at_once);
    loop {
        let mut runs = Runs::of(open);
        while let Some((accessor, count)) = runs.next().await? {
            // Nobody can say who is behind a token of a sealed namespace.
            if open.namespaces.seals.closed(id_of(&accessor)).is_some() {
                continue;
            }
            if let Some(token) = open.tokens.by_accessor(&accessor).await? {
                tally.add(token.entity_id, count);
            }
        }
        let next = tally.next_pass();
        for (entity, count) in tally.counts {
            top.offer(entity, count);
        }
        match next {
            Some(after) => tally = Tally::after(Some(after), at_once),
            None => return Ok(top.into_sorted()),
        }
    }
}

async fn namespaces(open: &Open, limit: usize) -> Result<Vec<Owner>, Fault> {
    let mut top = Top::of(limit);
    let mut reach = Reach::from(open);
    let mut run: Owner = (String::new(), 0);
    for mut pages in open.leases.everywhere() {
        while let Some(page) = pages.next().await? {
            for path in page {
                let namespace = id_of(&path);
                if !reach.reaches(&path).await? {
                    continue;
                }
                if run.0 != namespace {
                    let (owner, count) = std::mem::replace(&mut run, (namespace.to_owned(), 0));
                    top.offer(owner, count);
                }
                run.1 += 1;
            }
        }
    }
    top.offer(run.0, run.1);
    Ok(top.into_sorted())
}

/// The token index, which is in order of the accessors, as one number a token.
struct Runs<'a> {
    pages: Pages<'a, Paths>,
    page: IntoIter<String>,
    reach: Reach<'a>,
    begun: Option<Owner>,
}

impl<'a> Runs<'a> {
    fn of(open: &'a Open) -> Self {
        Self {
            pages: open.leases.token_index(),
            page: Vec::new().into_iter(),
            reach: Reach::from(open),
            begun: None,
        }
    }

    async fn next(&mut self) -> Result<Option<Owner>, Fault> {
        loop {
            let Some(path) = self.page.next() else {
                match self.pages.next().await? {
                    Some(page) => self.page = page.into_iter(),
                    None => return Ok(self.begun.take()),
                }
                continue;
            };
            let entry = path
                .strip_prefix("token/")
                .and_then(|entry| entry.split_once('/'));
            let Some((accessor, lease)) = entry else {
                continue;
            };
            if !self.reach.reaches(lease).await? {
                continue;
            }
            match &mut self.begun {
                Some((owner, count)) if owner == accessor => *count += 1,
                begun => {
                    if let Some(done) = begun.replace((accessor.to_owned(), 1)) {
                        return Ok(Some(done));
                    }
                }
            }
        }
    }
}

/// Which leases belong to the namespace at hand or to one within it. Neighbours in an index are mostly of one namespace, so
/// the last answer is kept.
struct Reach<'a> {
    open: &'a Open,
    last: Option<(String, bool)>,
}

impl<'a> Reach<'a> {
    fn from(open: &'a Open) -> Self {
        Self { open, last: None }
    }

    async fn reaches(&mut self, lease: &str) -> Result<bool, Fault> {
        let namespace = id_of(lease);
        if let Some((known, reached)) = &self.last
            && known == namespace
        {
            return Ok(*reached);
        }
        let reached = match self.open.namespaces.seals.closed(namespace) {
            Some(seal) => seal.path.starts_with(&self.open.space.path),
            None => self.open.within(lease).await?.is_some(),
        };
        self.last = Some((namespace.to_owned(), reached));
        Ok(reached)
    }
}

/// Counts of owners that come in any order, at most so many at once: those that come first by name and have no room are left
/// to the next pass.
struct Tally {
    after: Option<String>,
    below: Option<String>,
    counts: BTreeMap<String, u64>,
    at_once: usize,
}

impl Tally {
    fn after(after: Option<String>, at_once: usize) -> Self {
        Self {
            after,
            below: None,
            counts: BTreeMap::new(),
            at_once,
        }
    }

    fn add(&mut self, owner: String, count: u64) {
        let is_done = self.after.as_ref().is_some_and(|after| owner <= *after);
        let is_later = self.below.as_ref().is_some_and(|below| owner >= *below);
        if is_done || is_later {
            return;
        }
        *self.counts.entry(owner).or_default() += count;
        // The bound only falls: whoever is below it was counted from the beginning of the pass.
        if self.counts.len() > self.at_once {
            self.below = self.counts.pop_last().map(|(owner, _)| owner);
        }
    }

    /// After which owner the next pass begins; none if all were counted.
    fn next_pass(&self) -> Option<String> {
        self.below.as_ref()?;
        self.counts.last_key_value().map(|(owner, _)| owner.clone())
    }
}

/// The owners with the highest numbers, at most so many; of equal ones those that come first by name.
struct Top {
    limit: usize,
    found: BTreeSet<(u64, Reverse<String>)>,
}

impl Top {
    fn of(limit: usize) -> Self {
        Self {
            limit,
            found: BTreeSet::new(),
        }
    }

    fn offer(&mut self, owner: String, count: u64) {
        if count == 0 {
            return;
        }
        self.found.insert((count, Reverse(owner)));
        if self.found.len() > self.limit {
            self.found.pop_first();
        }
    }

    fn into_sorted(self) -> Vec<Owner> {
        let highest_first = self.found.into_iter().rev();
        highest_first
            .map(|(count, Reverse(owner))| (owner, count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_are_kept_and_equal_ones_go_by_name() {
        let mut top = Top::of(3);
        for (owner, count) in [("d", 1), ("b", 5), ("c", 5), ("a", 2), ("e", 0), ("f", 9)] {
            top.offer(owner.to_owned(), count);
        }
        let found = top.into_sorted();
        let found: Vec<(&str, u64)> = found
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        assert_eq!(found, [("f", 9), ("b", 5), ("c", 5)]);
    }

    #[test]
    fn several_passes_count_as_one_does() {
        let seen: Vec<String> = (0..200_u32)
            .map(|n| format!("{:02}", n * 37 % 23))
            .collect();
        let count = |at_once: usize| {
            let (mut all, mut passes) = (BTreeMap::new(), 0);
            let mut tally = Tally::after(None, at_once);
            loop {
                passes += 1;
                seen.iter().for_each(|owner| tally.add(owner.clone(), 1));
                let next = tally.next_pass();
                all.append(&mut tally.counts);
                match next {
                    Some(after) => tally = Tally::after(Some(after), at_once),
                    None => return (all, passes),
                }
            }
        };
        let (whole, passes) = count(100);
        assert_eq!(
            (whole.len(), whole.values().sum::<u64>(), passes),
            (23, 200, 1)
        );
        assert_eq!(count(5), (whole.clone(), 5));
        assert_eq!(count(1), (whole, 23));
    }
}
