//! How many leases each mount has.

use std::collections::HashMap;

use parking_lot::Mutex;

/// Numbers by the accessors of mounts. Not known before they were counted once, and kept up to date in between, as a
/// [`super::tally::Tally`] is. Mounts without leases take no room.
#[derive(Debug, Default)]
pub struct ByMount(Mutex<Option<HashMap<String, i64>>>);

impl ByMount {
    /// A mount has one more.
    pub fn more(&self, mount: &str) {
        self.change(mount, 1);
    }

    /// A mount has one fewer.
    pub fn fewer(&self, mount: &str) {
        self.change(mount, -1);
    }

    /// They were counted.
    pub fn counted(&self, counts: HashMap<String, i64>) {
        *self.0.lock() = Some(counts);
    }

    /// From now on they are not known.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }

    /// What each mount has, as far as that is known.
    pub fn get(&self) -> Option<HashMap<String, i64>> {
        self.0.lock().clone()
    }

    fn change(&self, mount: &str, by: i64) {
        let mut counts = self.0.lock();
        let Some(counts) = counts.as_mut() else {
            return;
        };
        let count = match counts.get_mut(mount) {
            Some(count) => count,
            None => counts.entry(mount.to_owned()).or_default(),
        };
        *count += by;
        if *count == 0 {
            counts.remove(mount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mount_has_a_number_once_they_were_counted() {
        let counts = ByMount::default();
        counts.more("database_1");
        assert_eq!(counts.get(), None);
        counts.counted(HashMap::from([("database_1".to_owned(), 2)]));
        counts.fewer("database_1");
        counts.more("database_2");
        counts.more("database_2");
        counts.fewer("database_1");
        let left = HashMap::from([("database_2".to_owned(), 2)]);
        assert_eq!(counts.get(), Some(left));
        counts.forget();
        assert_eq!(counts.get(), None);
    }
}
