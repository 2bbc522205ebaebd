//! `sys/mounts`, `sys/auth` and `sys/remount`: which engine answers where.

use std::collections::BTreeMap;

use coffer_engine::{Class, Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, KvPairs, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::mount_shape::{EnableConfig, Shown, Tunable};
use crate::mounts::{self, Mount, MountRecord};
use crate::open::Open;
use crate::settings::Settings;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("mounts", "Lists the secrets engines.").read::<ListMounts>(),
        path(
            "mounts/{path*}",
            "One secrets engine: enables, shows, disables it.",
        )
        .read::<ReadMount>()
        .write::<EnableMount>()
        .delete::<DisableMount>(),
        path(
            "mounts/{path*}/tune",
            "The tunable settings of a secrets engine (or of an auth method, as auth/PATH).",
        )
        .read::<ReadTuning>()
        .write::<Tune>(),
        path("auth", "Lists the auth methods.").read::<ListAuth>(),
        path(
            "auth/{path*}",
            "One auth method: enables, shows, disables it.",
        )
        .sudo()
        .read::<ReadAuth>()
        .write::<EnableAuth>()
        .delete::<DisableAuth>(),
        path(
            "auth/{path*}/tune",
            "The tunable settings of an auth method.",
        )
        .sudo()
        .read::<ReadAuthTuning>()
        .write::<TuneAuth>(),
    ])
}

/// Lists the secrets engines.
#[derive(Deserialize, JsonSchema)]
struct ListMounts {}

impl Handle<Open> for ListMounts {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        listed(open, Class::Secret)
    }
}

/// Lists the auth methods.
#[derive(Deserialize, JsonSchema)]
struct ListAuth {}

impl Handle<Open> for ListAuth {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        listed(open, Class::Auth)
    }
}

fn listed(open: &Open, class: Class) -> Result<Reply, Fault> {
    let all = open.space.mounts.all(class);
    let shown: BTreeMap<_, _> = all
        .iter()
        .map(|mount| (mount.record.shown_path().to_owned(), Shown::of(mount)))
        .collect();
    Reply::also_at_top(&shown)
}

/// Shows one secrets engine.
#[derive(Deserialize, JsonSchema)]
struct ReadMount {
    /// Where it is mounted.
    path: String,
}

impl Handle<Open> for ReadMount {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let path = slashed(&self.path);
        let mount = open
            .space
            .mounts
            .exactly(&path)
            .ok_or_else(|| Fault::Invalid(format!("No secret engine mount at {path}")))?;
        Reply::also_at_top(&Shown::of(&mount))
    }
}

/// Shows one auth method.
#[derive(Deserialize, JsonSchema)]
struct ReadAuth {
    /// Where it is mounted, below `auth/`.
    path: String,
}

impl Handle<Open> for ReadAuth {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let path = slashed(&self.path);
        let mount = open
            .space
            .mounts
            .exactly(&format!("auth/{path}"))
            .ok_or_else(|| Fault::Invalid(format!("No auth engine at {path}")))?;
        Reply::also_at_top(&Shown::of(&mount))
    }
}

/// What an operator says when enabling a mount.
#[derive(Deserialize, JsonSchema)]
struct Wanted {
    /// Where to mount it.
    path: String,
    /// The engine's type.
    #[serde(default, rename = "type")]
    kind: Option<Text>,
    /// Words for people.
    #[serde(default)]
    description: Text,
    /// Tunable settings.
    #[serde(default)]
    config: EnableConfig,
    /// The engine's own options, for example `version`.
    #[serde(default)]
    options: KvPairs,
    /// Kept on this cluster only.
    #[serde(default)]
    local: Flag,
    /// Asks for an extra wrapping by the seal.
    #[serde(default)]
    seal_wrap: Flag,
    /// Asks for randomness from the seal.
    #[serde(default)]
    external_entropy_access: Flag,
    /// The older way to say the type of a plugin.
    #[serde(default)]
    plugin_name: Text,
    /// The version of an external plugin; there are none.
    #[serde(default)]
    plugin_version: Text,
}

/// Enables a secrets engine.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct EnableMount(Wanted);

/// Enables an auth method.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct EnableAuth(Wanted);

impl Handle<Open> for EnableMount {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let remark = self.0.config.remark();
        let path = slashed(&self.0.path);
        if path.starts_with("auth/") {
            // `sys/auth` needs sudo, this path does not.
            return Err(Fault::Invalid(format!(
                "cannot mount {path:?}; auth methods are enabled at sys/auth"
            )));
        }
        let record = self.0.record(path, &open.settings)?;
        if record.kind == "cubbyhole" || record.kind == "system" {
            return Err(Fault::Invalid(format!(
                "mount type of {:?} is not mountable",
                record.kind
            )));
        }
        mounts::enable(open, record).await?;
        Ok(remark.into_iter().fold(Reply::default(), Reply::warn))
    }
}

impl Handle<Open> for EnableAuth {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let remark = self.0.config.remark();
        let path = format!("auth/{}", slashed(&self.0.path));
        let record = self.0.record(path, &open.settings)?;
        if record.kind == "token" {
            return Err(Fault::invalid(
                "token credential backend cannot be instantiated",
            ));
        }
        mounts::enable(open, record).await?;
        Ok(remark.into_iter().fold(Reply::default(), Reply::warn))
    }
}

impl Wanted {
    fn record(self, path: String, settings: &Settings) -> Result<MountRecord, Fault> {
        let kind = self
            .kind
            .map(|kind| kind.0)
            .filter(|kind| !kind.is_empty() && kind != "plugin")
            .unwrap_or(self.plugin_name.0);
        if kind.is_empty() {
            return Err(Fault::invalid("backend type must be specified as a string"));
        }
        if !self.plugin_version.0.is_empty() {
            return Err(Fault::invalid(
                "plugin_version names an external plugin; every engine here is built in, so leave it out",
            ));
        }
        let mut record = MountRecord {
            path,
            kind,
            description: self.description.0,
            options: self.options.0,
            local: self.local.0,
            seal_wrap: self.seal_wrap.0,
            external_entropy_access: self.external_entropy_access.0,
            ..MountRecord::default()
        };
        self.config.tunable.apply(&mut record, settings)?;
        match record.kind.as_str() {
            "kv-v1" | "generic" => record.kind = "kv".into(),
            "kv-v2" => {
                record.kind = "kv".into();
                record.options.insert("version".into(), "2".into());
            }
            _ => {}
        }
        Ok(record)
    }
}

/// Disables a secrets engine: revokes its leases and deletes its data.
#[derive(Deserialize, JsonSchema)]
struct DisableMount {
    /// Where it is mounted.
    path: String,
}

impl Handle<Open> for DisableMount {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let path = slashed(&self.path);
        let built_in = open
            .space
            .mounts
            .exactly(&path)
            .is_some_and(|mount| mount.is_kernels_own() || mount.per_token());
        if built_in || path.starts_with("auth/") {
            return Err(Fault::Invalid(format!("cannot unmount {path:?}")));
        }
        mounts::disable(open, &path).await?;
        Ok(Empty)
    }
}

/// Disables an auth method: ends its tokens and deletes its data.
#[derive(Deserialize, JsonSchema)]
struct DisableAuth {
    /// Where it is mounted, below `auth/`.
    path: String,
}

impl Handle<Open> for DisableAuth {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let path = format!("auth/{}", slashed(&self.path));
        if open
            .space
            .mounts
            .exactly(&path)
            .is_some_and(|mount| mount.is_kernels_own())
        {
            return Err(Fault::invalid(
                "token credential backend cannot be disabled",
            ));
        }
        mounts::disable(open, &path).await?;
        Ok(Empty)
    }
}

/// Shows the tunable settings of a mount.
#[derive(Deserialize, JsonSchema)]
struct ReadTuning {
    /// Where it is mounted.
    path: String,
}

/// Shows the tunable settings of an auth method.
#[derive(Deserialize, JsonSchema)]
struct ReadAuthTuning {
    /// Where it is mounted, below `auth/`.
    path: String,
}

impl Handle<Open> for ReadTuning {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        tuning(open, &slashed(&self.path))
    }
}

impl Handle<Open> for ReadAuthTuning {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        tuning(open, &format!("auth/{}", slashed(&self.path)))
    }
}

fn tuning(open: &Open, path: &str) -> Result<Reply, Fault> {
    let mount = open
        .space
        .mounts
        .exactly(path)
        .ok_or_else(|| Fault::Invalid(format!("cannot fetch sysview for path {path:?}")))?;
    Reply::also_at_top(&super::mount_shape::tuning_of(&mount))
}

/// Changes the tunable settings of a mount.
#[derive(Deserialize, JsonSchema)]
struct Tune {
    /// Where it is mounted.
    path: String,
    /// New settings.
    #[serde(flatten)]
    settings: Tunable,
}

/// Changes the tunable settings of an auth method.
#[derive(Deserialize, JsonSchema)]
struct TuneAuth {
    /// Where it is mounted, below `auth/`.
    path: String,
    /// New settings.
    #[serde(flatten)]
    settings: Tunable,
}

impl Handle<Open> for Tune {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        tune(open, &slashed(&self.path), &self.settings).await
    }
}

impl Handle<Open> for TuneAuth {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        tune(
            open,
            &format!("auth/{}", slashed(&self.path)),
            &self.settings,
        )
        .await
    }
}

async fn tune(open: &Open, path: &str, settings: &Tunable) -> Result<Reply, Fault> {
    let before = open.space.mounts.exactly(path);
    mounts::tune(open, path, |record| settings.apply(record, &open.settings)).await?;
    let version = |mount: &Option<std::sync::Arc<Mount>>| {
        mount
            .as_ref()
            .and_then(|mount| mount.record.options.get("version").cloned())
    };
    let (old, new) = (version(&before), version(&open.space.mounts.exactly(path)));
    let reply = Reply::default();
    Ok(if old == new {
        reply
    } else {
        reply.warn(format!(
            "the mount was upgraded to version {}",
            new.unwrap_or_default()
        ))
    })
}

/// A mount path with its slash.
pub(super) fn slashed(path: &str) -> String {
    format!("{}/", path.trim_matches('/'))
}
