//! What a store must hold to be opened at all, found among the entries of one that is not in use yet.

use std::collections::BTreeMap;

use coffer_crypto::Aes256Key;
use coffer_storage::Store;

use crate::auto;
use crate::barrier::{KEY_RING_DOMAIN, KEY_RING_PATH};
use crate::seal::{CONFIG_PATH, Protection, ROOT_KEY_PATH, SERVER};
use crate::{Error, RootCopy};

/// The records without which no key opens a store.
#[derive(Default)]
pub struct Foundation {
    key_ring: Option<Vec<u8>>,
    root_key: Option<Vec<u8>>,
    /// What keepers outside have wrapped, by its path.
    copies: BTreeMap<String, Vec<u8>>,
    seal: Option<Protection>,
}

impl Foundation {
    /// What the store that is in use has.
    pub async fn load(store: &dyn Store) -> Result<Self, Error> {
        let mut foundation = Self::default();
        for path in [KEY_RING_PATH, ROOT_KEY_PATH, CONFIG_PATH] {
            if let Some(value) = store.get(path).await? {
                foundation.see(path, &value);
            }
        }
        let copies = auto::folder(SERVER);
        for (path, value) in store.scan(&copies, None, auto::COPIES_MAX).await? {
            foundation.see(&path, &value);
        }
        Ok(foundation)
    }

    /// Looks at an entry; most are of no interest.
    pub fn see(&mut self, path: &str, value: &[u8]) {
        match path {
            KEY_RING_PATH => self.key_ring = Some(value.to_vec()),
            ROOT_KEY_PATH => self.root_key = Some(value.to_vec()),
            CONFIG_PATH => self.seal = Protection::read(value).ok(),
            path if path.starts_with(&auto::folder(SERVER)) => {
                self.copies.insert(path.to_owned(), value.to_vec());
            }
            _ => {}
        }
    }

    /// The record that is missing or can not be read, if one is.
    pub fn missing(&self) -> Option<&'static str> {
        let by_keepers = matches!(self.seal, Some(Protection::Keepers(_)));
        let root_key = match by_keepers {
            true => !self.copies.is_empty(),
            false => self.root_key.is_some(),
        };
        let found = [
            (KEY_RING_PATH, self.key_ring.is_some()),
            (ROOT_KEY_PATH, root_key),
            (CONFIG_PATH, self.seal.is_some()),
        ];
        let missing = found.into_iter().find(|(_, found)| !found);
        missing.map(|(path, _)| path)
    }

    /// Whether this root key opens the store.
    pub fn opens_with(&self, root: &Aes256Key) -> bool {
        let locked = self.key_ring.as_deref().unwrap_or_default();
        root.open(KEY_RING_DOMAIN, locked).is_ok()
    }

    /// Who opens the store.
    pub fn protection(&self) -> Option<Protection> {
        self.seal
    }

    /// What keepers outside have wrapped, as far as it can be read.
    pub fn root_copies(&self) -> Vec<RootCopy> {
        let folder = auto::folder(SERVER);
        let copies = self.copies.iter().filter_map(|(path, bytes)| {
            let name = path.strip_prefix(&folder)?;
            RootCopy::read(path, name, bytes).ok()
        });
        copies.collect()
    }

    /// Takes over the copies of another store that is opened by the same root key; answers what is to be written for that.
    /// None where there would be too many.
    pub fn take_over(
        &mut self,
        other: &Self,
        is_wanted: impl Fn(&RootCopy) -> bool,
    ) -> Vec<(String, Vec<u8>)> {
        let folder = auto::folder(SERVER);
        let wanted = other.root_copies().into_iter().filter(is_wanted);
        let paths = wanted.map(|copy| format!("{folder}{}", copy.name));
        let taken: Vec<_> = paths
            .filter_map(|path| other.copies.get_key_value(&path))
            .map(|(path, value)| (path.clone(), value.clone()))
            .collect();
        let mut copies = self.copies.clone();
        copies.extend(taken.iter().cloned());
        if copies.len() > auto::COPIES_MAX {
            return Vec::new();
        }
        self.copies = copies;
        taken
    }

    /// Whether the same shares, or the same keepers, open both.
    pub fn has_the_shares_of(&self, other: &Self) -> bool {
        self.root_key == other.root_key && self.copies == other.copies
    }
}
