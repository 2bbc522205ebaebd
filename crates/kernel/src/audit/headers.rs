//! The request headers that audit records.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use coffer_barrier::{Stored, View};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use super::entry::HeaderFacts;

/// How many headers can be recorded: each one lengthens every line.
const HEADERS_MAX: usize = 128;
/// The longest name of a header, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// Where the table is kept, within the view.
const TABLE: &str = "table";

/// The headers to record, by name in lower case.
#[derive(Debug)]
pub struct AuditedHeaders {
    view: View,
    active: ArcSwap<BTreeMap<String, HeaderSetting>>,
}

/// How one header is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct HeaderSetting {
    /// Whether its values are hashed.
    pub hmac: bool,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Table {
    headers: BTreeMap<String, HeaderSetting>,
}

impl Stored for Table {}

impl AuditedHeaders {
    /// The headers that were chosen earlier.
    pub async fn load(view: View) -> Result<Self, Fault> {
        let table: Table = view.get(TABLE).await?.unwrap_or_default();
        Ok(Self {
            view,
            active: ArcSwap::from_pointee(table.headers),
        })
    }

    /// All of them.
    pub fn all(&self) -> Arc<BTreeMap<String, HeaderSetting>> {
        self.active.load_full()
    }

    /// Those of a request's headers (names in lower case) that are recorded.
    pub fn of<'a>(&self, headers: &'a BTreeMap<String, Vec<String>>) -> Vec<HeaderFacts<'a>> {
        let active = self.active.load();
        let mut found = Vec::new();
        for (name, setting) in active.iter() {
            if let Some((name, values)) = headers.get_key_value(name) {
                found.push(HeaderFacts {
                    name,
                    values,
                    hashed: setting.hmac,
                });
            }
        }
        found
    }

    /// Records a header from now on.
    pub async fn set(&self, name: &str, setting: HeaderSetting) -> Result<(), Fault> {
        let name = canonical(name)?;
        self.change(move |headers| {
            if headers.len() >= HEADERS_MAX && !headers.contains_key(&name) {
                return Err(Fault::invalid(format!(
                    "{HEADERS_MAX} headers are recorded, which is the limit; remove one first"
                )));
            }
            headers.insert(name.clone(), setting);
            Ok(())
        })
        .await
    }

    /// Records a header no more; one that was not recorded is done with already.
    pub async fn remove(&self, name: &str) -> Result<(), Fault> {
        let name = canonical(name)?;
        self.change(move |headers| {
            headers.remove(&name);
            Ok(())
        })
        .await
    }

    async fn change(
        &self,
        change: impl Fn(&mut BTreeMap<String, HeaderSetting>) -> Result<(), Fault> + Send + Sync,
    ) -> Result<(), Fault> {
        let decide = |table: Option<Table>| {
            let mut table = table.unwrap_or_default();
            change(&mut table.headers)?;
            Ok::<_, Fault>((Some(table), ()))
        };
        self.view.update(TABLE, decide).await?;
        // What is stored counts, so that two changes at once end with both of them in memory.
        let table: Table = self.view.get(TABLE).await?.unwrap_or_default();
        self.active.store(Arc::new(table.headers));
        Ok(())
    }
}

/// The name in lower case, if it can be one of a header.
fn canonical(name: &str) -> Result<String, Fault> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(allowed) {
        return Err(Fault::invalid(format!(
            "{name:?} is not the name of a header; use letters, digits and dashes"
        )));
    }
    Ok(name.to_ascii_lowercase())
}
