//! `sys/policies` and `sys/policy`: who may do what, and how passwords are made.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Text, Timestamp, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::keys;
use crate::open::Open;
use crate::policy::{Entry, Put, normal_name};

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("policies/acl", "Lists the policies.").list::<ListPolicies>(),
        path("policies/acl/{name*}", "One policy.")
            .caseless()
            .read::<ReadPolicy>()
            .write::<WritePolicy>()
            .delete::<DeletePolicy>(),
        path("policy", "Lists the policies (the old path).")
            .read::<ListOld>()
            .list::<ListOld>(),
        path("policy/{name*}", "One policy (the old path).")
            .caseless()
            .read::<ReadOld>()
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
        keys(open.space.policies.list(cx.now).await?)
    }
}

/// Lists the policies in the old shape.
#[derive(Deserialize, JsonSchema)]
struct ListOld {}

impl Handle<Open> for ListOld {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let _timed = open.settings.meters.policies.list_policies.timed();
        let names = open.space.policies.list(cx.now).await?;
        Reply::also_at_top(&json!({ "keys": names, "policies": names }))
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
        Reply::data(&shown(&self.name, &entry, "policy")?)
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
        Reply::also_at_top(&shown(&self.name, &entry, "rules")?)
    }
}

fn shown(name: &str, entry: &Entry, text_field: &str) -> Result<Map<String, Value>, Fault> {
    let mut shown = Map::from_iter([
        ("name".to_owned(), normal_name(name)?.into()),
        (text_field.to_owned(), entry.text.clone().into()),
    ]);
    shown.extend(facts(entry));
    Ok(shown)
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
    /// Later writes must give `cas`.
    #[serde(default)]
    cas_required: Option<Flag>,
    /// Ends the policy at this time.
    #[serde(default)]
    expiration: Option<Timestamp>,
    /// Ends the policy after this long.
    #[serde(default)]
    ttl: Option<Ttl>,
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
        let text =
            text.ok_or_else(|| Fault::invalid("'policy' parameter not supplied or empty"))?;
        let text = from_base64(&text).unwrap_or(text);
        let expires = self.expiration.or_else(|| {
            self.ttl
                .filter(|ttl| !ttl.is_zero())
                .map(|ttl| cx.now.plus(ttl.0))
        });
        let put = Put {
            text,
            cas: self.cas.map(|cas| cas.0),
            cas_required: self.cas_required.map(|flag| flag.0),
            expires,
        };
        open.space.policies.put(&self.name, put, cx.now).await?;
        let reply = Reply::default();
        Ok(if old_word {
            reply.warn("'rules' is deprecated, please use 'policy' instead")
        } else {
            reply
        })
    }
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
    // Values of identities never widen a rule here: one with a slash or a wildcard drops it.
    for flag in [
        "allow_slashes_in_identity_templates",
        "allow_wildcards_in_identity_templates",
    ] {
        facts.insert(flag.into(), false.into());
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
