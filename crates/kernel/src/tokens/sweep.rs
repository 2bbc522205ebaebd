//! Removing index entries whose token is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use coffer_barrier::View;
use coffer_engine::Fault;

use super::access_key::INDEXES;
use super::record::TokenRecord;
use super::store::{Tokens, by_id};
use crate::due::{Due, Ending};

/// How many entries are read at once.
const PAGE: usize = 1_000;

/// The right to sweep, which one may have at a time; ends with this value.
pub struct Sweep {
    view: View,
    due: Arc<Due>,
    busy: Arc<AtomicBool>,
}

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Entries of the family tree.
    pub children: usize,
    /// Entries of access keys.
    pub access_keys: usize,
    /// Entries of the due index.
    pub due: usize,
}

impl Tokens {
    /// The right to sweep; none while somebody else has it.
    pub fn begin_sweep(&self) -> Option<Sweep> {
        let free = !self.sweeping.swap(true, Ordering::SeqCst);
        free.then(|| Sweep {
            view: self.view.clone(),
            due: Arc::clone(&self.due),
            busy: Arc::clone(&self.sweeping),
        })
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.busy.store(false, Ordering::SeqCst);
    }
}

impl Sweep {
    /// Removes entries of the family tree, of access keys and of the due index that lead to no token. Records are
    /// written together with their entries, so there are such only after damage.
    pub async fn run(self) -> Result<Swept, Fault> {
        Ok(Swept {
            children: self.named("child/").await?,
            access_keys: self.access_keys().await?,
            due: self.dues().await?,
        })
    }

    async fn access_keys(&self) -> Result<usize, Fault> {
        let [by_id, by_namespace] = INDEXES;
        Ok(self.named(by_id).await? + self.named(by_namespace).await?)
    }

    /// The entries of an index whose last segment is an accessor.
    async fn named(&self, index: &str) -> Result<usize, Fault> {
        let mut removed = 0;
        let mut pages = self.view.path_pages(index);
        while let Some(page) = pages.next().await? {
            for path in page {
                let accessor = path.rsplit('/').next().unwrap_or_default();
                if self.is_gone(accessor).await? {
                    self.view.delete(&path).await?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    async fn dues(&self) -> Result<usize, Fault> {
        let mut removed = 0;
        let mut after = None;
        loop {
            let page = self.due.after(after.as_ref(), PAGE).await?;
            let Some(last) = page.last().cloned() else {
                return Ok(removed);
            };
            for entry in page {
                let Ending::Token(accessor) = &entry.what else {
                    continue;
                };
                if self.is_gone(accessor).await? {
                    let changes = self.due.changes();
                    self.due
                        .remove(changes, entry.at, &entry.what)
                        .commit()
                        .await?;
                    removed += 1;
                }
            }
            after = Some(last);
        }
    }

    async fn is_gone(&self, accessor: &str) -> Result<bool, Fault> {
        match self.view.get::<TokenRecord>(&by_id(accessor)).await {
            Ok(record) => Ok(record.is_none()),
            Err(coffer_barrier::Error::PartSealed) => Ok(false), // Nobody can tell now.
            Err(other) => Err(other.into()),
        }
    }
}
