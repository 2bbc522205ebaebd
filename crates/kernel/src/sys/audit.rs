//! `sys/audit`: devices that record requests, and which headers they record.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Empty, Event, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, KvPairs, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{DeviceInfo, DeviceState, HeaderSetting, NewDevice};
use crate::events::catalogue;
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("audit", "Lists the audit devices.")
            .sudo()
            .read::<ListDevices>(),
        path("audit/{path*}", "One audit device: enables, disables it.")
            .sudo()
            .write::<EnableDevice>()
            .delete::<DisableDevice>(),
        path(
            "audit-hash/{path*}",
            "How a text stands in the lines of an audit device.",
        )
        .write::<HashInput>(),
        path(
            "audit-chain/{path*}",
            "The last line of an audit device's chain.",
        )
        .sudo()
        .read::<ReadChain>(),
        path(
            "audit-chain-key/{path*}",
            "The key that proves the lines of an audit device.",
        )
        .sudo()
        .read::<ReadChainKey>(),
        path(
            "config/auditing/request-headers",
            "The request headers that audit records.",
        )
        .sudo()
        .read::<ListHeaders>(),
        path(
            "config/auditing/request-headers/{header}",
            "One request header that audit records.",
        )
        .sudo()
        .read::<ReadHeader>()
        .write::<SetHeader>()
        .delete::<RemoveHeader>(),
    ])
}

/// Lists the audit devices with their options, and how they are doing.
#[derive(Deserialize, JsonSchema)]
struct ListDevices {}

impl Handle<Open> for ListDevices {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let states = open.audit.states().into_iter();
        let mut states: BTreeMap<_, _> = states.map(|state| (state.path.clone(), state)).collect();
        let listed = open.audit.list().into_iter().map(|(path, info)| {
            let state = states.remove(&path);
            (path, Listed { info, state })
        });
        Reply::also_at_top(&listed.collect::<BTreeMap<_, _>>())
    }
}

/// A device as it is listed.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    info: DeviceInfo,
    /// None for a device that was disabled in this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<DeviceState>,
}

/// Enables an audit device, once it has taken a line to try it.
#[derive(Deserialize, JsonSchema)]
struct EnableDevice {
    /// Where the device is to be enabled.
    path: String,
    /// Its type: `file`, `socket`, `syslog`, `http`.
    #[serde(default, rename = "type")]
    kind: Text,
    /// A remark for people.
    #[serde(default)]
    description: Text,
    /// `file_path`, `address`, `uri` and the others.
    #[serde(default)]
    options: KvPairs,
    /// Kept on this cluster only.
    #[serde(default)]
    local: Flag,
}

impl Handle<Open> for EnableDevice {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        changeable(open)?;
        let new = NewDevice {
            kind: self.kind.0,
            description: self.description.0,
            options: self.options.0,
            local: self.local.0,
        };
        let kind = new.kind.clone();
        open.audit.enable(&self.path, new, cx.now).await?;
        let event = told(catalogue::AUDIT_ENABLE, &self.path);
        open.tell(event.with("type", kind));
        tracing::info!(path = self.path, "an audit device was enabled");
        Ok(Empty)
    }
}

/// Disables an audit device; its file stays.
#[derive(Deserialize, JsonSchema)]
struct DisableDevice {
    /// Where the device is enabled.
    path: String,
}

impl Handle<Open> for DisableDevice {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        changeable(open)?;
        let was = open.audit.disable(&self.path).await?;
        let kind = was.map(|device| device.kind);
        open.tell(told(catalogue::AUDIT_DISABLE, &self.path).with_known("type", kind));
        tracing::info!(path = self.path, "an audit device was disabled");
        Ok(Empty)
    }
}

fn told(kind: &'static str, path: &str) -> Event {
    Event::new(kind, format!("sys/audit/{}", path.trim_end_matches('/')))
}

fn changeable(open: &Open) -> Result<(), Fault> {
    if open.settings.unsafe_allow_api_audit_creation {
        return Ok(());
    }
    Err(Fault::invalid(
        "the configuration does not let audit devices be changed over the API; set unsafe_allow_api_audit_creation there, or configure the device",
    ))
}

/// Answers how a text stands in the lines of an audit device, so that it can be searched for.
#[derive(Deserialize, JsonSchema)]
struct HashInput {
    /// Where the device is enabled.
    path: String,
    /// The text.
    #[serde(default)]
    input: Text,
}

impl Handle<Open> for HashInput {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        if self.input.0.is_empty() {
            return Err(Fault::invalid("the \"input\" parameter is empty"));
        }
        let hash = open.audit.hash(&self.path, &self.input.0)?;
        Reply::also_at_top(&json!({ "hash": hash }))
    }
}

/// Shows the last line of an audit device's chain, so that a log can be checked to be complete up to there.
#[derive(Deserialize, JsonSchema)]
struct ReadChain {
    /// Where the device is enabled.
    path: String,
}

impl Handle<Open> for ReadChain {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let (key, head) = open.audit.chain(&self.path)?;
        Reply::data(&json!({
            "id": key.chain().to_string(),
            "head": head.map(|head| head.to_string()),
        }))
    }
}

/// Shows the key that proves the lines of an audit device one by one. Who has it could forge lines.
#[derive(Deserialize, JsonSchema)]
struct ReadChainKey {
    /// Where the device is enabled.
    path: String,
}

impl Handle<Open> for ReadChainKey {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let (key, _) = open.audit.chain(&self.path)?;
        Reply::data(&json!({ "key": key.expose().expose() }))
    }
}

/// Lists the request headers that audit records.
#[derive(Deserialize, JsonSchema)]
struct ListHeaders {}

impl Handle<Open> for ListHeaders {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        Reply::also_at_top(&json!({ "headers": *open.audited_headers.all() }))
    }
}

/// Shows how a request header is recorded.
#[derive(Deserialize, JsonSchema)]
struct ReadHeader {
    /// The header's name.
    header: String,
}

impl Handle<Open> for ReadHeader {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let all = open.audited_headers.all();
        let setting = all
            .get(&self.header.to_ascii_lowercase())
            .ok_or_else(|| Fault::invalid("Could not find header in config"))?;
        Reply::also_at_top(&json!({ self.header: setting }))
    }
}

/// Records a request header from now on.
#[derive(Deserialize, JsonSchema)]
struct SetHeader {
    /// The header's name.
    header: String,
    /// Whether its values are hashed.
    #[serde(default)]
    hmac: Flag,
}

impl Handle<Open> for SetHeader {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let setting = HeaderSetting { hmac: self.hmac.0 };
        open.audited_headers.set(&self.header, setting).await?;
        Ok(Empty)
    }
}

/// Records a request header no more.
#[derive(Deserialize, JsonSchema)]
struct RemoveHeader {
    /// The header's name.
    header: String,
}

impl Handle<Open> for RemoveHeader {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.audited_headers.remove(&self.header).await?;
        Ok(Empty)
    }
}
