//! `sys/locked-users`: names that are locked out after wrong passwords.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::lockout::Lockout;
use crate::namespaces::{NamespaceRecord, Space};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "locked-users",
            "Names that are locked out after wrong passwords.",
        )
        .read::<List>(),
        path(
            "locked-users/{mount_accessor}/unlock/{alias_identifier*}",
            "One name that may be locked out.",
        )
        .write::<Unlock>(),
    ])
}

/// Lists the names that are locked out, here and in the namespaces below.
#[derive(Deserialize, JsonSchema)]
struct List {
    /// Only those of the mount with this accessor.
    #[serde(default)]
    mount_accessor: Text,
}

impl Handle<Open> for List {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let here = open.space.record();
        let below = open.namespaces.below(&open.space.path, true).await?;
        let (mut shown, mut total) = (Vec::new(), 0);
        let readable = |record: &&NamespaceRecord| !open.namespaces.is_closed(record);
        for record in std::iter::once(here.as_ref())
            .chain(&below)
            .filter(readable)
        {
            let view = Space::view_of(record, &open.barrier);
            let locked = Lockout::new(&view).locked(cx.now).await?;
            let (of_one, count) = self.shown(record, locked);
            shown.push(of_one);
            total += count;
        }
        Reply::data(&json!({ "by_namespace": shown, "total": total }))
    }
}

impl List {
    /// The names of one namespace, and how many they are.
    fn shown(
        &self,
        record: &NamespaceRecord,
        mut locked: BTreeMap<String, Vec<String>>,
    ) -> (Value, usize) {
        let only = self.mount_accessor.0.as_str();
        if !only.is_empty() {
            locked.retain(|mount, _| mount == only);
            locked.entry(only.to_owned()).or_default();
        }
        let count = locked.values().map(Vec::len).sum();
        let of_mount = |(mount, names): (String, Vec<String>)| {
            let (count, names) = (names.len(), (!names.is_empty()).then_some(names));
            json!({ "mount_accessor": mount, "counts": count, "alias_identifiers": names })
        };
        let mounts: Vec<Value> = locked.into_iter().map(of_mount).collect();
        let shown = json!({
            "namespace_id": record.shown_id(), "namespace_path": record.path, "counts": count,
            "mount_accessors": mounts,
        });
        (shown, count)
    }
}

/// Lets a name log in again, and forgets its wrong passwords.
#[derive(Deserialize, JsonSchema)]
struct Unlock {
    /// The accessor of the auth method's mount.
    mount_accessor: String,
    /// The name.
    alias_identifier: String,
}

impl Handle<Open> for Unlock {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let lockout = &open.space.lockout;
        lockout
            .unlock(&self.mount_accessor, &self.alias_identifier)
            .await?;
        Ok(Empty)
    }
}
