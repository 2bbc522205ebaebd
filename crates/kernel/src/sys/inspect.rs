//! `sys/internal/inspect`: how requests find their engines. It is there only if the configuration says
//! `introspection_endpoint = true`.

use std::sync::Arc;

use coffer_engine::{Class, Ctx, Fault, Handle, Reply, Routes, path};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::lifecycle::Cluster;
use crate::mounts::Mount;
use crate::namespaces::Space;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "internal/inspect/router/{tag}",
            "All mounts of all namespaces that are in memory, as the router knows them.",
        )
        .sudo()
        .read::<ReadRouter>(),
        path(
            "internal/inspect/request",
            "This very request, as handlers see it.",
        )
        .sudo()
        .read::<ReadRequest>(),
    ])
}

/// Who did not ask for this in the configuration does not have it.
fn refuse_unless_wanted(open: &Open) -> Result<(), Fault> {
    match open.settings.introspection_endpoint {
        true => Ok(()),
        false => Err(Fault::UnsupportedPath),
    }
}

/// Shows all mounts as the router knows them.
#[derive(Deserialize, JsonSchema)]
struct ReadRouter {
    /// In which order and how much of each: `root`, `storage`, `uuid` or `accessor`.
    tag: String,
}

impl Handle<Open> for ReadRouter {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        refuse_unless_wanted(open)?;
        let with_storage = match self.tag.as_str() {
            "root" | "storage" => true,
            "uuid" | "accessor" => false,
            _ => return Err(Fault::UnsupportedPath),
        };
        let mut spaces = open.namespaces.in_memory();
        spaces.sort_by(|one, other| one.path.cmp(&other.path));
        let mut mounts: Vec<(Arc<Space>, Arc<Mount>)> = Vec::new();
        for space in spaces {
            for class in [Class::Auth, Class::Secret] {
                let all = space.mounts.all(class);
                mounts.extend(all.into_iter().map(|mount| (Arc::clone(&space), mount)));
            }
        }
        match self.tag.as_str() {
            "uuid" => {
                mounts.sort_by(|(_, one), (_, other)| one.record.uuid.cmp(&other.record.uuid))
            }
            "accessor" => mounts
                .sort_by(|(_, one), (_, other)| one.record.accessor.cmp(&other.record.accessor)),
            "storage" => {
                mounts.sort_by(|(_, one), (_, other)| one.view.prefix().cmp(other.view.prefix()));
            }
            _ => {}
        }
        let shown = mounts
            .iter()
            .map(|(space, mount)| shown(space, mount, with_storage));
        let shown: Vec<Value> = shown.collect();
        let mut data = Map::new();
        data.insert(self.tag, shown.into());
        Reply::data(&data)
    }
}

fn shown(space: &Space, mount: &Mount, with_storage: bool) -> Value {
    let record = &mount.record;
    let mut shown = json!({
        "accessor": record.accessor,
        "mount_namespace": space.path,
        "mount_path": record.shown_path(),
        "mount_type": record.kind,
        "uuid": record.uuid,
    });
    if let (true, Some(fields)) = (with_storage, shown.as_object_mut()) {
        fields.insert("storage_prefix".into(), mount.view.prefix().into());
        fields.insert("tainted".into(), record.tainted.into());
    }
    shown
}

/// Shows this very request as handlers see it, without the token.
#[derive(Deserialize, JsonSchema)]
struct ReadRequest {
    /// Any fields, which are shown again.
    #[serde(default)]
    #[schemars(extend("x-body" = true))]
    data: Map<String, Value>,
}

impl Handle<Open> for ReadRequest {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        refuse_unless_wanted(open)?;
        let cluster: Option<Cluster> = open.barrier.view("core/").get("cluster").await?;
        let cluster = cluster.unwrap_or_default();
        let caller = cx.caller()?;
        let path = cx.request.path.strip_prefix(&cx.mount.path);
        let client = cx.request.client.map(|client| client.to_string());
        let version = &open.settings.version;
        let request = json!({
            "InboundSSCToken": "",
            "auth": null,
            "client_id": caller.entity_id,
            "client_token": "",
            "client_token_accessor": caller.accessor,
            "connection": {
                "ConnState": null,
                "peer_certificates": null,
                "proxied_certificates": null,
                "remote_addr": client.unwrap_or_default(),
            },
            "display_name": caller.display_name,
            "entity_id": caller.entity_id,
            "headers": cx.request.headers,
            "id": cx.request.id,
            "map": null,
            "mfa_creds": null,
            "mount_accessor": cx.mount.accessor,
            "mount_point": cx.mount.path,
            "mount_type": "system",
            "operation": cx.request.verb.word(),
            "path": path.unwrap_or(&cx.request.path),
            "policy_override": false,
            "replication_cluster": "",
            "secret": null,
            "unauthenticated": false,
            "wrap_info": null,
        });
        Reply::data(&json!({
            "cluster_id": cluster.id,
            "cluster_id_error": null,
            "data": self.data,
            "entity": null,
            "entity_error": null,
            "groups": null,
            "groups_error": null,
            "plugin_env": { "vault_version": version },
            "plugin_env_error": null,
            "req": request,
            "vault_version": version,
            "vault_version_error": null,
        }))
    }
}
