//! A store that tells how long it takes, beneath all encryption.

use std::sync::Arc;

use coffer_metrics::{Registry, Summary};
use coffer_storage::{Answer, Batch, Frozen, Replacement, Store};

/// A store with timings: `<its type>.get` and so on.
pub(crate) struct Measured {
    store: Arc<dyn Store>,
    get: Arc<Summary>,
    list: Arc<Summary>,
    scan: Arc<Summary>,
    commit: Arc<Summary>,
}

impl Measured {
    /// Measures a store.
    pub(crate) fn over(store: Arc<dyn Store>, kind: &str, registry: &Registry) -> Arc<dyn Store> {
        let took = |what: &str, help| registry.summary(&format!("{kind}.{what}"), help);
        Arc::new(Self {
            get: took(
                "get",
                "Time that the storage takes to read a value, in milliseconds.",
            ),
            list: took(
                "list",
                "Time that the storage takes to list names, in milliseconds.",
            ),
            scan: took(
                "scan",
                "Time that the storage takes to read a page of values, in milliseconds.",
            ),
            commit: took(
                "commit",
                "Time that the storage takes to make a set of writes durable, in milliseconds.",
            ),
            store,
        })
    }
}

impl Store for Measured {
    fn get<'a>(&'a self, path: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let _timed = self.get.timed();
            self.store.get(path).await
        })
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<String>> {
        Box::pin(async move {
            let _timed = self.list.timed();
            self.store.list(prefix, after, limit).await
        })
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a str>,
        limit: usize,
    ) -> Answer<'a, Vec<(String, Vec<u8>)>> {
        Box::pin(async move {
            let _timed = self.scan.timed();
            self.store.scan(prefix, after, limit).await
        })
    }

    fn commit(&self, batch: Batch) -> Answer<'_, ()> {
        Box::pin(async move {
            let _timed = self.commit.timed();
            self.store.commit(batch).await
        })
    }

    fn freeze(&self) -> Answer<'_, Box<dyn Frozen>> {
        self.store.freeze()
    }

    fn replace(&self) -> Answer<'_, Box<dyn Replacement>> {
        self.store.replace()
    }

    fn generation(&self) -> u64 {
        self.store.generation()
    }

    fn close(&self) -> Answer<'_, ()> {
        self.store.close()
    }
}

#[cfg(test)]
mod tests {
    use coffer_storage::Memory;

    use super::*;

    #[tokio::test]
    async fn a_measured_store_is_a_store() {
        let registry = Registry::default();
        let store = Measured::over(Arc::new(Memory::new()), "inmem", &registry);
        store.put("a/b", b"1".to_vec()).await.unwrap();
        assert_eq!(store.get("a/b").await.unwrap().as_deref(), Some(&b"1"[..]));
        let (_, families) = registry.gather(0);
        let names: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
        assert_eq!(names, ["inmem.commit", "inmem.get"]);
        assert!(
            store.freeze().await.is_ok(),
            "what the store can, it can measured"
        );
        assert!(store.replace().await.is_ok());
    }
}
