//! `keys`, `keys/{key}`: making keys, and what is told and noted about them.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, keys, path};
use coffer_wire::{Flag, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Kms;
use super::book::{Draft, KEYS, named, read};
use super::bytes::Bytes;
use super::describe::Metadata;
use super::events::{DESCRIPTION_WRITE, KEY_CREATE};
use super::exception::Exception;
use super::import::material_id;
use super::list::ListKeys;
use super::name::KeyId;
use super::record::{Key, Version};
use super::spec::{KeySpec, Make, Origin, Usage};
use super::tags::Tags;
use super::terms::no_grants;

/// How many keys a mount has at most.
const MAX_KEYS: u64 = 100_000;
/// How many keys there may be before they are counted anew with each that is made.
const COUNTED_FROM: u64 = 1_000;
/// The longest description.
const MAX_DESCRIPTION: usize = 8_192;

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("keys", "The keys.")
            .list::<ListKeys>()
            .write::<CreateKey>(),
        path("keys/{key}", "A key.")
            .read::<DescribeKey>()
            .write::<UpdateDescription>(),
    ])
}

/// Makes a key.
#[derive(Deserialize, JsonSchema)]
struct CreateKey {
    /// What it is made of: `SYMMETRIC_DEFAULT` (if nothing is said), `RSA_2048`, `RSA_3072`, `RSA_4096`, `ECC_NIST_P256`,
    /// `ECC_NIST_P384`, `ECC_NIST_P521`, `ECC_NIST_EDWARDS25519`, `HMAC_224`, `HMAC_256`, `HMAC_384`, `HMAC_512`,
    /// `ML_DSA_44`, `ML_DSA_65` or `ML_DSA_87`.
    #[serde(default)]
    key_spec: Text,
    /// The old name of `key_spec`.
    #[serde(default)]
    customer_master_key_spec: Text,
    /// What it is for: `ENCRYPT_DECRYPT`, `SIGN_VERIFY` or `GENERATE_VERIFY_MAC`. Only symmetric keys need not say it.
    #[serde(default)]
    key_usage: Text,
    /// Where its material is from: made here (`AWS_KMS`), or imported later (`EXTERNAL`).
    #[serde(default)]
    origin: Text,
    /// A note about it, no secret.
    #[serde(default)]
    description: Text,
    /// Tags: a list of `{"tag_key", "tag_value"}`, or an object.
    #[serde(default)]
    tags: Tags,
    /// Must be false: there are no keys of several regions.
    #[serde(default)]
    multi_region: Flag,
    /// Must not be given: Coffer's policies say who may use a key.
    #[serde(default)]
    policy: Text,
    /// Must not be given: there are no custom key stores.
    #[serde(default)]
    custom_key_store_id: Text,
    /// Must not be given: there are no external key stores.
    #[serde(default)]
    xks_key_id: Text,
    /// Not looked at: without key policies nobody can lock themselves out.
    #[serde(default)]
    #[expect(
        dead_code,
        reason = "taken, so that clients which send it are not warned"
    )]
    bypass_policy_lockout_safety_check: Flag,
}

impl Handle<Kms> for CreateKey {
    type Reply = Metadata;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Metadata, Fault> {
        let key = self.checked(cx)?;
        refuse_too_many(cx).await?;
        let id = KeyId::new(&cx.random)?;
        let mut draft = Draft::new(id, key);
        if draft.key.origin == Origin::Here {
            let material = engine.material(cx, draft.key.spec).await?;
            draft.key.current = draft.key.add(Version::made(id, material));
        }
        let answer = Metadata::of(id, &draft.key);
        let (spec, usage) = (draft.key.spec.name(), draft.key.usage.name());
        draft.save_in(cx, cx.view.changes())?.commit().await?;
        let event = id.event(KEY_CREATE);
        cx.emit(event.with("key_spec", spec).with("key_usage", usage));
        Ok(answer)
    }
}

impl CreateKey {
    /// The key without material.
    fn checked(self, cx: &Ctx) -> Result<Key, Fault> {
        self.refuse_unsupported()?;
        let spec = match (
            self.key_spec.0.as_str(),
            self.customer_master_key_spec.0.as_str(),
        ) {
            ("", "") => KeySpec::Symmetric,
            (spec, "") | ("", spec) => KeySpec::parse(spec)?,
            _ => {
                return Err(Exception::Validation
                    .because("give either key_spec or customer_master_key_spec"));
            }
        };
        let usage = match self.key_usage.0.as_str() {
            "" if spec == KeySpec::Symmetric => Usage::EncryptDecrypt,
            "" => {
                return Err(Exception::Validation.because(
                    "key_usage must be given for all keys but symmetric encryption keys",
                ));
            }
            usage => Usage::parse(usage)?,
        };
        if !spec.takes(usage) {
            return Err(Exception::Validation.because(format!(
                "the key usage {} is incompatible with the key spec {}",
                usage.name(),
                spec.name()
            )));
        }
        let origin = match self.origin.0.as_str() {
            "" => Origin::Here,
            origin => Origin::parse(origin)?,
        };
        // Their private key has several forms, and the protocol takes none of them.
        if origin == Origin::External && spec.is_ml_dsa() {
            return Err(Exception::UnsupportedOperation.because(format!(
                "material of the key spec {} can not be imported",
                spec.name()
            )));
        }
        Ok(Key {
            spec,
            usage,
            origin,
            created: cx.now,
            description: description(self.description)?,
            disabled: false,
            deletion: None,
            tags: self.tags.checked(&BTreeMap::new())?,
            aliases: Default::default(),
            rotation: None,
            on_demand: 0,
            current: 0,
            last: 0,
            versions: BTreeMap::new(),
            wrappings: Vec::new(),
        })
    }

    fn refuse_unsupported(&self) -> Result<(), Fault> {
        let refused = [
            (self.multi_region.0, "multi_region"),
            (!self.policy.0.is_empty(), "policy"),
            (
                !self.custom_key_store_id.0.is_empty(),
                "custom_key_store_id",
            ),
            (!self.xks_key_id.0.is_empty(), "xks_key_id"),
        ];
        match refused.iter().find(|(given, _)| *given) {
            None => Ok(()),
            Some((_, "policy")) => Err(Exception::UnsupportedOperation
                .because("there are no key policies: Coffer's own policies say who may use a key")),
            Some((_, field)) => {
                Err(Exception::UnsupportedOperation.because(format!("{field} is not supported")))
            }
        }
    }
}

impl Kms {
    /// New material of a spec.
    pub(super) async fn material(&self, cx: &Ctx, spec: KeySpec) -> Result<Bytes, Fault> {
        let random = |length: usize| {
            let mut bytes = zeroize::Zeroizing::new(vec![0; length]);
            cx.random.fill(&mut bytes);
            Bytes::from(bytes)
        };
        Ok(match spec.make() {
            Make::Symmetric => random(super::import::SYMMETRIC_BYTES),
            Make::Hmac(length) => random(length),
            Make::Pair(kind) => {
                let pair = self.turns.generate(kind).await?;
                pair.to_pkcs8()?.expose().clone().into()
            }
        })
    }
}

impl Version {
    /// A version of this material, not in use yet.
    pub(super) fn made(id: KeyId, material: Bytes) -> Self {
        Self {
            id: material_id(id, material.as_slice()),
            material: Some(material),
            rotated: None,
            valid_to: None,
            description: String::new(),
        }
    }
}

/// The number is looked at anew only where it matters.
async fn refuse_too_many(cx: &Ctx) -> Result<(), Fault> {
    let few = usize::try_from(COUNTED_FROM).unwrap_or(usize::MAX);
    let first = cx.view.scan_paths(KEYS, None, few).await?;
    if first.len() < few || keys::count(&cx.view, KEYS).await? < MAX_KEYS {
        return Ok(());
    }
    Err(Exception::LimitExceeded.because(format!("a mount has {MAX_KEYS} keys at most")))
}

fn description(text: Text) -> Result<String, Fault> {
    match text.0.chars().count() <= MAX_DESCRIPTION {
        true => Ok(text.0),
        false => Err(Exception::Validation.because(format!(
            "the description is too long; the limit is {MAX_DESCRIPTION} characters"
        ))),
    }
}

/// Shows a key.
#[derive(Deserialize, JsonSchema)]
struct DescribeKey {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// Must be empty: there are no grants.
    #[serde(default)]
    grant_tokens: coffer_wire::CommaList,
}

impl Handle<Kms> for DescribeKey {
    type Reply = Metadata;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<Metadata, Fault> {
        no_grants(&self.grant_tokens)?;
        let id = named(cx, &self.key).await?;
        Ok(Metadata::of(id, &read(cx, id).await?))
    }
}

/// Notes something about a key.
#[derive(Deserialize, JsonSchema)]
struct UpdateDescription {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// The note, no secret; empty for none.
    description: Text,
}

impl Handle<Kms> for UpdateDescription {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        let description = description(self.description)?;
        let edit = |id, key: &mut Key| {
            key.refuse_pending_deletion(id)?;
            key.description.clone_from(&description);
            Ok(Empty)
        };
        engine.change(cx, &self.key, DESCRIPTION_WRITE, edit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_looked_at_are_still_fields() {
        let request = serde_json::json!({"bypass_policy_lockout_safety_check": true});
        assert!(serde_json::from_value::<CreateKey>(request).is_ok());
    }
}
