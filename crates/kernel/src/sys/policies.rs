//! `sys/policies` and `sys/policy`: who may do what, and how passwords are made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::{Ctx, Empty, Event, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Moment, Text, Timestamp, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::keys;
use crate::events::catalogue;
use crate::open::Open;
use crate::policy::{Entry, Latitude, Patch, Put};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("policies/acl", "Lists the policies.").list::<ListPolicies>(),
        path("policies/acl/{name*}", "One policy.")
            .caseless()
            .read::<ReadPolicy>()
            .list::<ListBelow>()
            .write::<WritePolicy>()
            .patch::<PatchPolicy>()
            .delete::<DeletePolicy>(),
        path(
            "policies/detailed/acl",
            "Lists the policies with their texts.",
        )
        .list::<ListDetailed>(),
        path(
            "policies/detailed/acl/{name*}",
            "Lists the policies below a folder with their texts.",
        )
        .caseless()
        .list::<ListDetailedBelow>(),
        path("policy", "Lists the policies (the old path).")
            .read::<ListOld>()
            .list::<ListOld>(),
        path("policy/{name*}", "One policy (the old path).")
            .caseless()
            .read::<ReadOld>()
            .list::<ListOldBelow>()
            .write::<WriteOld>()
            .delete::<DeletePolicy>(),
        path("policies/password", "Lists the password policies.").list::<ListPasswords>(),
        path("policies/password/{name}", "One password policy.")
            .read::<ReadPassword>()
            .write::<WritePassword>()
            .delete::<DeletePassword>(),
        path(
            "policies/password/{name}/generate",
            "Makes a password by a policy.",
        )
        .read::<GeneratePassword>(),
    ])
}

/// Lists the policies.
#[derive(Deserialize, JsonSchema)]
struct ListPolicies {}

impl Handle<Open> for ListPolicies {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.list_policies.timed();
        keys(open.space.policies.list("", cx.now).await?)
    }
}

/// Lists the policies whose names begin with a folder.
#[derive(Deserialize, JsonSchema)]
struct ListBelow {
    /// The folder; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for ListBelow {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.list_policies.timed();
        keys(open.space.policies.list(folder(&self.name), cx.now).await?)
    }
}

/// Lists the policies with their texts.
#[derive(Deserialize, JsonSchema)]
struct ListDetailed {}

impl Handle<Open> for ListDetailed {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        detailed(open, "", cx.now).await
    }
}

/// Lists the policies whose names begin with a folder, with their texts.
#[derive(Deserialize, JsonSchema)]
struct ListDetailedBelow {
    /// The folder; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for ListDetailedBelow {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        detailed(open, folder(&self.name), cx.now).await
    }
}

async fn detailed(open: &Open, folder: &str, now: Timestamp) -> Result<Reply, Fault> {
    let _timed = open.settings.meters.policies.list_policies.timed();
    let entries = open.space.policies.entries(folder, now).await?;
    if entries.is_empty() {
        return Err(Fault::NotFound);
    }
    let (mut names, mut shown_by_name) = (Vec::new(), Map::new());
    for entry in &entries {
        names.push(entry.name.as_str());
        shown_by_name.insert(entry.name.clone(), shown(entry, "policy").into());
    }
    Reply::data(&json!({ "keys": names, "key_info": shown_by_name }))
}

/// A folder as clients write it.
fn folder(name: &str) -> &str {
    name.trim_end_matches('/')
}

/// Lists the policies in the old shape.
#[derive(Deserialize, JsonSchema)]
struct ListOld {}

impl Handle<Open> for ListOld {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.list_policies.timed();
        listed_old(open.space.policies.list("", cx.now).await?)
    }
}

/// Lists the policies whose names begin with a folder, in the old shape.
#[derive(Deserialize, JsonSchema)]
struct ListOldBelow {
    /// The folder; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for ListOldBelow {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.list_policies.timed();
        listed_old(open.space.policies.list(folder(&self.name), cx.now).await?)
    }
}

/// An empty list in the old shape is no "not found", and has no keys.
fn listed_old(names: Vec<String>) -> Result<Reply, Fault> {
    match names.is_empty() {
        true => Reply::also_at_top(&json!({ "policies": null })),
        false => Reply::also_at_top(&json!({ "keys": names, "policies": names })),
    }
}

/// Shows a policy.
#[derive(Deserialize, JsonSchema)]
struct ReadPolicy {
    /// Its name; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for ReadPolicy {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.get_policy.timed();
        let entry = open
            .space
            .policies
            .read(&self.name, cx.now)
            .await?
            .ok_or(Fault::NotFound)?;
        Reply::data(&shown(&entry, "policy"))
    }
}

/// Shows a policy in the old shape.
#[derive(Deserialize, JsonSchema)]
struct ReadOld {
    /// Its name; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for ReadOld {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let entry = open
            .space
            .policies
            .read(&self.name, cx.now)
            .await?
            .ok_or(Fault::NotFound)?;
        Reply::also_at_top(&shown(&entry, "rules"))
    }
}

fn shown(entry: &Entry, text_field: &str) -> Map<String, Value> {
    let mut shown = Map::from_iter([
        ("name".to_owned(), entry.name.clone().into()),
        (text_field.to_owned(), entry.text.clone().into()),
    ]);
    shown.extend(facts(entry));
    shown
}

/// What a client says about a policy.
#[derive(Deserialize, JsonSchema)]
struct Written {
    /// Its name; upper and lower case are alike.
    name: String,
    /// Its text, HCL or JSON, plain or in base64.
    #[serde(default)]
    policy: Option<Text>,
    /// The older name of `policy`.
    #[serde(default)]
    rules: Option<Text>,
    /// Writes only if the policy has this version; -1 if it must not be there.
    #[serde(default)]
    cas: Option<Int>,
    /// This and later writes must give `cas`.
    #[serde(default)]
    cas_required: Flag,
    /// Ends the policy at this time.
    #[serde(default)]
    expiration: Option<Moment>,
    /// Ends the policy after this long.
    #[serde(default)]
    ttl: Option<Ttl>,
    /// Values that templates in its paths are filled with may hold slashes.
    #[serde(default)]
    allow_slashes_in_identity_templates: Flag,
    /// Values that templates in its paths are filled with may hold `*` and `+`, which then are wildcards.
    #[serde(default)]
    allow_wildcards_in_identity_templates: Flag,
}

/// Writes a policy.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct WritePolicy(Written);

/// Writes a policy.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
struct WriteOld(Written);

impl Handle<Open> for WritePolicy {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        self.0.write(open, cx).await
    }
}

impl Handle<Open> for WriteOld {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        self.0.write(open, cx).await
    }
}

impl Written {
    async fn write(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.set_policy.timed();
        let old_word = self.policy.is_none() && self.rules.is_some();
        let text = self
            .policy
            .or(self.rules)
            .map(|text| text.0)
            .filter(|text| !text.is_empty());
        let text = text.ok_or_else(no_text)?;
        let put = Put {
            text: from_base64(&text).unwrap_or(text),
            cas: self.cas.map(|cas| cas.0),
            cas_required: self.cas_required.0,
            expires: end(self.expiration, self.ttl, cx.now)?,
            latitude: Latitude {
                slashes: self.allow_slashes_in_identity_templates.0,
                wildcards: self.allow_wildcards_in_identity_templates.0,
            },
        };
        open.space.policies.put(&self.name, put, cx.now).await?;
        told(open, catalogue::POLICY_WRITE, "acl", &self.name);
        let reply = Reply::default();
        Ok(if old_word {
            reply.warn("'rules' is deprecated, please use 'policy' instead")
        } else {
            reply
        })
    }
}

/// Tells that a policy is another one now. One that was not there may be "deleted".
fn told(open: &Open, kind: &'static str, folder: &str, name: &str) {
    let name = name.trim().to_lowercase();
    let path = format!("sys/policies/{folder}/{name}");
    open.tell(Event::new(kind, path).with("name", name));
}

/// When a policy ends of which a client gave the end or the time until then.
fn end(at: Option<Moment>, ttl: Option<Ttl>, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
    match (at, ttl) {
        (Some(_), Some(_)) => Err(Fault::invalid(
            "give 'expiration' or 'ttl' of a policy, not both",
        )),
        (Some(at), None) => Ok(Some(at.0)),
        (None, ttl) => Ok(ttl.map(|ttl| now.plus(ttl.0))),
    }
}

/// Changes parts of a policy; what is not given stays.
#[derive(Deserialize, JsonSchema)]
struct PatchPolicy {
    /// Its name; upper and lower case are alike.
    name: String,
    /// Its text, HCL or JSON, plain or in base64.
    #[serde(default, deserialize_with = "given")]
    policy: Option<Text>,
    /// Changes the policy only if it has this version.
    #[serde(default)]
    cas: Option<Int>,
    /// Later changes must give `cas`.
    #[serde(default)]
    cas_required: Option<Flag>,
    /// Ends the policy at this time.
    #[serde(default)]
    expiration: Option<Moment>,
    /// Ends the policy after this long.
    #[serde(default)]
    ttl: Option<Ttl>,
    /// Values that templates in its paths are filled with may hold slashes.
    #[serde(default)]
    allow_slashes_in_identity_templates: Option<Flag>,
    /// Values that templates in its paths are filled with may hold `*` and `+`, which then are wildcards.
    #[serde(default)]
    allow_wildcards_in_identity_templates: Option<Flag>,
}

impl Handle<Open> for PatchPolicy {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.set_policy.timed();
        if self.policy.as_ref().is_some_and(|text| text.0.is_empty()) {
            return Err(no_text());
        }
        let text = self.policy.map(|text| text.0);
        let patch = Patch {
            text: text.map(|text| from_base64(&text).unwrap_or(text)),
            cas: self.cas.map(|cas| cas.0),
            cas_required: self.cas_required.map(|flag| flag.0),
            expires: end(self.expiration, self.ttl, cx.now)?,
            slashes: self.allow_slashes_in_identity_templates.map(|flag| flag.0),
            wildcards: self
                .allow_wildcards_in_identity_templates
                .map(|flag| flag.0),
        };
        open.space.policies.patch(&self.name, patch, cx.now).await?;
        told(open, catalogue::POLICY_WRITE, "acl", &self.name);
        Reply::data(&Value::Null)
    }
}

/// A field that was given, even if as null.
fn given<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Text>, D::Error> {
    Text::deserialize(from).map(Some)
}

fn no_text() -> Fault {
    Fault::invalid("'policy' parameter not supplied or empty")
}

/// The policy inside base64, where the text is that.
fn from_base64(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()
}

/// Deletes a policy.
#[derive(Deserialize, JsonSchema)]
struct DeletePolicy {
    /// Its name; upper and lower case are alike.
    name: String,
}

impl Handle<Open> for DeletePolicy {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let _timed = open.settings.meters.policies.delete_policy.timed();
        open.space.policies.delete(&self.name, cx.now).await?;
        told(open, catalogue::POLICY_DELETE, "acl", &self.name);
        Ok(Empty)
    }
}

/// Lists the password policies.
#[derive(Deserialize, JsonSchema)]
struct ListPasswords {}

impl Handle<Open> for ListPasswords {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        keys(open.space.passwords.list().await?)
    }
}

/// Shows a password policy.
#[derive(Deserialize, JsonSchema)]
struct ReadPassword {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadPassword {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let text = open
            .space
            .passwords
            .get(&self.name)
            .await?
            .ok_or_else(no_password_policy)?;
        Reply::data(&json!({ "policy": text }))
    }
}

/// Writes a password policy.
#[derive(Deserialize, JsonSchema)]
struct WritePassword {
    /// Its name.
    name: String,
    /// Its text: `length` and `rule "charset"` blocks, plain or in base64.
    #[serde(default)]
    policy: Text,
}

impl Handle<Open> for WritePassword {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        if self.policy.0.is_empty() {
            return Err(Fault::invalid(
                "missing policy: give its text in the field policy",
            ));
        }
        let text = from_base64(&self.policy.0).unwrap_or(self.policy.0);
        open.space.passwords.put(&self.name, text).await?;
        told(
            open,
            catalogue::PASSWORD_POLICY_WRITE,
            "password",
            &self.name,
        );
        Ok(Empty)
    }
}

/// Deletes a password policy.
#[derive(Deserialize, JsonSchema)]
struct DeletePassword {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeletePassword {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.space.passwords.delete(&self.name).await?;
        told(
            open,
            catalogue::PASSWORD_POLICY_DELETE,
            "password",
            &self.name,
        );
        Ok(Empty)
    }
}

/// Makes a password.
#[derive(Deserialize, JsonSchema)]
struct GeneratePassword {
    /// The policy's name.
    name: String,
}

impl Handle<Open> for GeneratePassword {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if open.space.passwords.get(&self.name).await?.is_none() {
            return Err(no_password_policy());
        }
        let password = open
            .space
            .passwords
            .generate(&self.name, &cx.random)
            .await?;
        Reply::data(&json!({ "password": password.expose() }))
    }
}

fn no_password_policy() -> Fault {
    Fault::Missing("policy does not exist".into())
}

/// The facts about a policy that the newer reference shows beside its text.
fn facts(entry: &Entry) -> Map<String, Value> {
    let mut facts = Map::new();
    let latitude = entry.latitude;
    for (field, allowed) in [
        ("allow_slashes_in_identity_templates", latitude.slashes),
        ("allow_wildcards_in_identity_templates", latitude.wildcards),
    ] {
        facts.insert(field.into(), allowed.into());
    }
    facts.insert("version".into(), entry.version.into());
    facts.insert("cas_required".into(), entry.cas_required.into());
    if let Some(modified) = entry.modified {
        facts.insert("modified".into(), json!(modified));
    }
    if let Some(expires) = entry.expires {
        facts.insert("expiration".into(), json!(expires));
    }
    facts
}
