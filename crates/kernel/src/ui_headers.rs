//! Headers that operators give to answers of the user interface.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_barrier::{Stored, View};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

/// Where the headers are kept, below `core/`.
const RECORD: &str = "ui-headers";

/// The headers.
pub struct UiHeaders {
    view: View,
    present: ArcSwap<Table>,
}

/// Values by the lower-case names of headers, as stored under `core/ui-headers`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Table {
    headers: BTreeMap<String, Vec<String>>,
}

impl Stored for Table {
    const MAX_BYTES: usize = 64 * 1024;
}

impl UiHeaders {
    /// Reads them.
    pub async fn load(core: View) -> Result<Self, Fault> {
        let found: Option<Table> = core.get(RECORD).await?;
        Ok(Self {
            view: core,
            present: ArcSwap::from_pointee(found.unwrap_or_default()),
        })
    }

    /// The values of a header; names are compared without case.
    pub fn get(&self, name: &str) -> Option<Vec<String>> {
        let present = self.present.load();
        present.headers.get(&name.to_lowercase()).cloned()
    }

    /// All headers, their names in lower case.
    pub fn all(&self) -> BTreeMap<String, Vec<String>> {
        self.present.load().headers.clone()
    }

    /// Gives a header values; none takes it away.
    pub async fn set(&self, name: &str, values: Option<Vec<String>>) -> Result<(), Fault> {
        let change = |old: Option<Table>| {
            let mut table = old.unwrap_or_default();
            match &values {
                Some(values) => drop(table.headers.insert(name.to_lowercase(), values.clone())),
                None => drop(table.headers.remove(&name.to_lowercase())),
            }
            Ok::<_, Fault>((Some(table), ()))
        };
        self.view.update(RECORD, change).await?;
        // What is stored counts, so that two changes at once end with both of them in memory.
        let stored: Option<Table> = self.view.get(RECORD).await?;
        self.present.store(Arc::new(stored.unwrap_or_default()));
        Ok(())
    }
}
