//! The clients one by one, sent while they are read.

use std::collections::{BTreeMap, HashSet};

use coffer_engine::{Fault, Feed, Pieces, Streamed, Unread};
use serde_json::{Map, Value, json};

use super::client::{Client, Key};
use super::log::PARTS;
use super::month::{Month, Period};
use super::report::Sight;
use crate::identity::Standing;
use crate::open::Open;

/// The most clients in one file. Their keys are in memory.
const CLIENTS_MAX: usize = 2_000_000;
/// How many bytes are sent at once.
const PIECE_BYTES: usize = 64 * 1024;
/// The columns of the CSV form.
const COLUMNS: [&str; 11] = [
    "entity_name",
    "entity_alias_name",
    "client_id",
    "client_type",
    "local_entity_alias",
    "namespace_id",
    "namespace_path",
    "mount_accessor",
    "mount_path",
    "mount_type",
    "timestamp",
];

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A JSON object a line.
    Json,
    /// What is no list and no notes, in columns.
    Csv,
}

impl Format {
    /// The form of that name; JSON without one.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "" | "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// Begins to send the clients of a period, the earliest month first; none if there are none.
pub(crate) async fn begin(
    open: &Open,
    period: Period,
    format: Format,
) -> Result<Option<Streamed>, Fault> {
    open.activity.store().await?;
    let mut months = open.activity.months().await?;
    months.retain(|month| (period.first..=period.last).contains(month));
    if months.is_empty() {
        return Ok(None);
    }
    let (feed, pieces) = Pieces::new();
    let sender = Sender {
        open: open.clone(),
        sight: Sight::from(open),
        format,
        sent: HashSet::new(),
        buffer: Vec::new(),
    };
    tokio::spawn(send(sender, months, feed));
    Ok(Some(Streamed {
        media_type: Some(match format {
            Format::Json => "application/json",
            Format::Csv => "text/csv",
        }),
        attachment: true,
        pieces,
    }))
}

async fn send(mut sender: Sender, months: Vec<Month>, feed: Feed) {
    let sent = sender.send(&months, &feed).await;
    // Who does not read any more needs no end.
    let _ = match sent {
        Ok(()) => feed.end().await,
        Err(Broken::Fault(fault)) => feed.fail(fault).await,
        Err(Broken::Unread) => Ok(()),
    };
}

enum Broken {
    Fault(Fault),
    Unread,
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Unread> for Broken {
    fn from(_: Unread) -> Self {
        Self::Unread
    }
}

struct Sender {
    open: Open,
    sight: Sight,
    format: Format,
    sent: HashSet<Key>,
    buffer: Vec<u8>,
}

impl Sender {
    async fn send(&mut self, months: &[Month], feed: &Feed) -> Result<(), Broken> {
        if self.format == Format::Csv {
            self.line(&COLUMNS.join(","));
        }
        for month in months {
            for part in 0..PARTS {
                self.part(*month, part, feed).await?;
            }
        }
        Ok(feed.send(std::mem::take(&mut self.buffer)).await?)
    }

    async fn part(&mut self, month: Month, part: u32, feed: &Feed) -> Result<(), Broken> {
        let mut after = None;
        loop {
            let page = self.open.activity.page(month, part, after.as_deref());
            let Some((last, clients)) = page.await? else {
                return Ok(());
            };
            after = Some(last);
            for client in clients {
                self.client(&client).await?;
            }
            if self.buffer.len() >= PIECE_BYTES {
                feed.send(std::mem::take(&mut self.buffer)).await?;
            }
        }
    }

    async fn client(&mut self, client: &Client) -> Result<(), Fault> {
        let Some(path) = self.sight.path_of(&client.namespace).await? else {
            return Ok(());
        };
        let path = path.to_owned();
        if self.sent.len() >= CLIENTS_MAX {
            return Err(Fault::invalid(
                "these are too many clients for one file; ask for fewer months",
            ));
        }
        if !self.sent.insert(client.key()) {
            return Ok(());
        }
        let about = self.about(client, &path).await?;
        let line = match self.format {
            Format::Json => Value::from(about).to_string(),
            Format::Csv => COLUMNS.map(|name| cell(about.get(name))).join(","),
        };
        self.line(&line);
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.buffer.extend_from_slice(line.as_bytes());
        self.buffer.push(b'\n');
    }

    /// What is known about a client now; of what is gone, what was written down.
    async fn about(&self, client: &Client, path: &str) -> Result<Map<String, Value>, Fault> {
        let space = self.open.namespaces.readable(&client.namespace).await?;
        let mount = space
            .as_ref()
            .and_then(|space| space.mounts.by_accessor(&client.mount));
        let standing = match (&space, client.is_entity) {
            (Some(space), true) => space.identity.standing(&client.id).await?,
            _ => None,
        };
        let mut about = Map::from_iter([
            ("client_id".to_owned(), json!(client.id)),
            (
                "client_type".to_owned(),
                json!(if client.is_entity {
                    "entity"
                } else {
                    "non-entity-token"
                }),
            ),
            (
                "namespace_id".to_owned(),
                json!(if client.namespace.is_empty() {
                    "root"
                } else {
                    &client.namespace
                }),
            ),
            ("namespace_path".to_owned(), json!(path)),
            ("mount_accessor".to_owned(), json!(client.mount)),
            (
                "mount_path".to_owned(),
                json!(mount.as_ref().map_or("", |mount| &mount.record.path)),
            ),
            (
                "mount_type".to_owned(),
                json!(mount.as_ref().map_or("", |mount| mount.record.engine())),
            ),
            ("timestamp".to_owned(), json!(client.first.whole_seconds())),
        ]);
        about.extend(entity(standing.as_deref(), &client.mount));
        Ok(about)
    }
}

fn entity(standing: Option<&Standing>, mount: &str) -> Map<String, Value> {
    let entity = standing.map(|standing| &standing.entity);
    let alias = entity.and_then(|entity| entity.alias_in(mount));
    let none = BTreeMap::new();
    let notes = entity.and_then(|entity| entity.metadata.as_ref());
    let custom = alias.and_then(|alias| alias.custom_metadata.as_ref());
    let nobody: &[String] = &[];
    let fields = [
        (
            "entity_name",
            json!(entity.map_or("", |entity| &entity.name)),
        ),
        (
            "entity_alias_name",
            json!(alias.map_or("", |alias| &alias.name)),
        ),
        (
            "local_entity_alias",
            json!(alias.is_some_and(|alias| alias.local)),
        ),
        (
            "policies",
            json!(entity.map_or(nobody, |entity| &entity.policies)),
        ),
        ("entity_metadata", json!(notes.unwrap_or(&none))),
        (
            "entity_alias_metadata",
            json!(alias.map_or(&none, |alias| &alias.metadata)),
        ),
        (
            "entity_alias_custom_metadata",
            json!(custom.unwrap_or(&none)),
        ),
        (
            "entity_group_ids",
            json!(entity.map_or(nobody, |entity| &entity.groups)),
        ),
    ];
    let fields = fields.into_iter();
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A value as a cell, quoted where it must be. What a spreadsheet would take for a formula is marked as text.
fn cell(value: Option<&Value>) -> String {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let text = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text,
    };
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_for_their_place() {
        for (value, expected) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("=1+1", "'=1+1"),
            ("@x,\n", "\"'@x,\n\""),
        ] {
            assert_eq!(cell(Some(&json!(value))), expected);
        }
        assert_eq!(cell(Some(&json!(true))), "true");
        assert_eq!(cell(None), "");
    }
}
