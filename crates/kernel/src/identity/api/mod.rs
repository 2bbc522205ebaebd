//! The paths below `identity/`, one file per topic.

mod entities;
mod entity_aliases;
mod group_aliases;
mod groups;
mod lookup;
mod personas;
mod shapes;

use std::sync::LazyLock;

use coffer_engine::{Event, Fault, Reply, Routes};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::open::Open;

/// The most records that one answer lists.
const MAX_LISTED_RECORDS: usize = 100_000;

static TABLE: LazyLock<Routes<Open>> = LazyLock::new(|| {
    Routes::merge([
        entities::routes(),
        entity_aliases::routes(),
        personas::routes(),
        groups::routes(),
        group_aliases::routes(),
        lookup::routes(),
        super::oidc::routes(),
        super::mfa::routes(),
    ])
});

/// The table of everything below `identity/`.
pub fn routes() -> &'static Routes<Open> {
    &TABLE
}

/// What a list says about each of its keys.
#[derive(Default)]
struct Listed {
    keys: Vec<String>,
    info: Map<String, Value>,
}

impl Listed {
    fn is_full(&self) -> bool {
        self.keys.len() >= MAX_LISTED_RECORDS
    }

    fn add(&mut self, key: String, info: Value) {
        if !self.is_full() {
            self.info.insert(key.clone(), info);
            self.keys.push(key);
        }
    }

    /// The answer; an empty list is "not found", as the reference has it.
    fn reply(mut self) -> Result<Reply, Fault> {
        if self.keys.is_empty() {
            return Err(Fault::NotFound);
        }
        let full = self.is_full();
        self.keys.sort_unstable();
        let reply = Reply::data(&json!({ "keys": self.keys, "key_info": self.info }))?;
        Ok(cut_short(reply, full))
    }
}

fn names(mut names: Vec<String>) -> Result<Reply, Fault> {
    if names.is_empty() {
        return Err(Fault::NotFound);
    }
    names.sort_unstable();
    let full = names.len() >= MAX_LISTED_RECORDS;
    Ok(cut_short(Reply::data(&json!({ "keys": names }))?, full))
}

fn cut_short(reply: Reply, full: bool) -> Reply {
    match full {
        true => reply.warn(format!(
            "there may be more: an answer lists at most {MAX_LISTED_RECORDS}"
        )),
        false => reply,
    }
}

/// A field that was given, be it as null: that sets it back. One that is absent is left as it is.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A text that says something.
fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The mount that an alias is to be of.
fn mount_of(open: &Open, accessor: &str) -> Result<bool, Fault> {
    let mount = open.space.mounts.by_accessor(accessor);
    let mount = mount.filter(|mount| !mount.record.tainted);
    match mount {
        Some(mount) => Ok(mount.record.local),
        None => Err(Fault::Invalid(format!(
            "invalid mount accessor {accessor:?}"
        ))),
    }
}

/// An event about something of the identity store, at the path where that is read.
fn told(kind: &'static str, folder: &str, id: &str) -> Event {
    Event::new(kind, format!("identity/{folder}/id/{id}")).with("id", id)
}
