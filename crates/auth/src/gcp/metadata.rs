//! Which of the things that are known of somebody come with their token.

use std::collections::BTreeMap;

use coffer_engine::Fault;
use coffer_wire::CommaList;
use serde::{Deserialize, Serialize};

/// The word for all of them.
const DEFAULT: &str = "default";

/// The names that were chosen; none for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chosen(Option<Vec<String>>);

impl Chosen {
    /// Reads a list of names, of which `known` are all that there are.
    pub(super) fn read(field: &str, list: &CommaList, known: &[&str]) -> Result<Self, Fault> {
        if list.0 == [DEFAULT] {
            return Ok(Self(None));
        }
        match list.0.iter().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self(Some(list.0.clone()))),
            Some(other) => Err(Fault::Invalid(format!(
                "{field}: {other:?} is none of {}, nor {DEFAULT} alone",
                known.join(", ")
            ))),
        }
    }

    /// The names, as they are shown.
    pub(super) fn names(&self, known: &[&str]) -> Vec<String> {
        match &self.0 {
            Some(names) => names.clone(),
            None => known.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// Whether it is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|names| names.iter().any(|chosen| chosen == name))
    }

    /// Those of `all` that were chosen.
    pub(super) fn of(&self, all: BTreeMap<String, String>) -> BTreeMap<String, String> {
        all.into_iter().filter(|(name, _)| self.has(name)).collect()
    }
}
