//! `verify/NAME`: whether codes and signatures are right.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transit;
use super::batch::{Items, Turns};
use super::ciphertext::{Misshapen, Versioned};
use super::encoded::Encoded;
use super::hmac::MacHash;
use super::ready::Ready;
use super::results::{Results, Written};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([
        path("verify/{name}", "Whether a code or a signature is right.").write::<Verify>(),
        path(
            "verify/{name}/{urlalgorithm}",
            "Whether a code or a signature is right.",
        )
        .write::<VerifyBy>(),
    ])
}

/// Answers whether a code (HMAC) or a signature is that of the input.
#[derive(Deserialize, JsonSchema)]
struct Verify {
    /// Name of the key.
    name: String,
    /// What is looked at.
    #[serde(flatten)]
    checks: Checks,
}

/// Answers whether a code (HMAC) or a signature is that of the input.
#[derive(Deserialize, JsonSchema)]
struct VerifyBy {
    /// Name of the key.
    name: String,
    /// `sha1`, `sha2-224`, `sha2-256`, `sha2-384`, `sha2-512`, or `sha3` with the same lengths; for signatures `none`, too.
    urlalgorithm: String,
    /// What is looked at.
    #[serde(flatten)]
    checks: Checks,
}

/// What is looked at.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Checks {
    /// `sha1`, `sha2-224`, `sha2-256` (the default), `sha2-384`, `sha2-512`, or `sha3` with the same lengths; for
    /// signatures `none`, too.
    pub(super) hash_algorithm: Option<Text>,
    /// The old name of `hash_algorithm`, which wins.
    pub(super) algorithm: Option<Text>,
    /// Whether inputs of signatures are hashed already.
    #[serde(default)]
    pub(super) prehashed: Flag,
    /// Of RSA signatures: `pss` (the default) or `pkcs1v15`.
    pub(super) signature_algorithm: Option<Text>,
    /// Of ECDSA signatures: `asn1` (the default) or `jws`.
    pub(super) marshaling_algorithm: Option<Text>,
    /// Of RSA-PSS signatures: `auto` (the default), `hash` or a length in bytes.
    pub(super) salt_length: Option<Text>,
    /// One input with its code or signature.
    #[serde(flatten)]
    pub(super) item: Item,
    /// Many inputs, all with codes or all with signatures. The one beside it is not looked at then.
    pub(super) batch_input: Option<Items<Item>>,
}

/// An input with its code or signature.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Item {
    /// The input, in base64.
    #[schemars(with = "String")]
    pub(super) input: Option<Encoded>,
    /// The signature, as it was given.
    pub(super) signature: Option<Text>,
    /// The code, as it was given.
    pub(super) hmac: Option<Text>,
    /// Of derived keys: what the key is derived for, in base64.
    #[serde(default)]
    #[schemars(with = "String")]
    pub(super) context: Encoded,
    /// Of a batch: comes back with the result.
    #[serde(default)]
    pub(super) reference: Text,
}

/// Whether it is right, or the results of a batch in the order of its items.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
struct Verdicts {
    /// Whether it is right.
    valid: Option<bool>,
    /// Of a batch.
    batch_results: Option<Vec<VerdictItem>>,
}

/// The result of one item.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the form of what is written without it")]
struct VerdictItem {
    /// Whether it is right.
    valid: Option<bool>,
    /// Why that can not be said.
    error: Option<String>,
    /// That of the item.
    reference: String,
}

/// Whether it is right.
#[derive(Serialize)]
struct Verdict {
    valid: bool,
}

impl Handle<Transit> for Verify {
    type Reply = Written<Verdicts>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        self.checks.verdicts(engine, cx, &self.name, None).await
    }
}

impl Handle<Transit> for VerifyBy {
    type Reply = Written<Verdicts>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let algorithm = Some(self.urlalgorithm.as_str());
        self.checks
            .verdicts(engine, cx, &self.name, algorithm)
            .await
    }
}

impl Checks {
    async fn verdicts(
        &self,
        engine: &Transit,
        cx: &Ctx,
        name: &str,
        algorithm: Option<&str>,
    ) -> Result<Written<Verdicts>, Fault> {
        let of_signatures = self.are_signatures()?;
        let body = |text: &Option<Text>| text.as_ref().map(|text| text.0.clone());
        let algorithm = algorithm.map(str::to_owned);
        let algorithm = algorithm
            .or(body(&self.hash_algorithm))
            .or(body(&self.algorithm));
        let algorithm = algorithm.unwrap_or_else(|| "sha2-256".to_owned());
        let ready = engine.known(cx, name).await?;
        if of_signatures {
            return Ok(self.signatures(cx, &ready, &algorithm).await?.into());
        }
        let hash = MacHash::named(&algorithm)?
            .ok_or_else(|| Fault::Invalid(format!("invalid hash algorithm {algorithm:?}")))?;
        let Some(items) = &self.batch_input else {
            let valid = self.item.has_code(cx, &ready, hash, false).await?;
            return Ok(Reply::data(&Verdict { valid })?.into());
        };
        let items = items.some()?;
        let mut results = Results::with_capacity(items.len().saturating_mul(64));
        let mut turns = Turns::default();
        for item in items {
            let verdict = item.has_code(cx, &ready, hash, true).await;
            let length = item.input.as_ref().and_then(|input| input.bytes().ok());
            turns.took(length.map_or(0, <[u8]>::len)).await;
            results.add(&item.reference.0, verdict, |to, valid| {
                to.extend(b"\"valid\":");
                to.extend(if valid { b"true" } else { b"false" });
            })?;
        }
        Ok(results.reply().into())
    }

    /// Whether signatures are looked at; else codes are.
    fn are_signatures(&self) -> Result<bool, Fault> {
        let Some(items) = &self.batch_input else {
            return match (&self.item.signature, &self.item.hmac) {
                (Some(_), _) => Ok(true),
                (None, Some(_)) => Ok(false),
                (None, None) => Err(Fault::invalid(
                    "neither a 'signature' nor an 'hmac' were given to verify",
                )),
            };
        };
        let items = items.some()?;
        let signatures = items.iter().filter(|item| item.signature.is_some()).count();
        let codes = items
            .iter()
            .filter(|item| item.signature.is_none() && item.hmac.is_some());
        match (signatures, codes.count()) {
            (0, 0) => Err(Fault::invalid(
                "no batch_input elements have 'signature' or 'hmac'",
            )),
            (1.., 1..) => Err(Fault::invalid(
                "elements of batch_input must all provide 'signature' or all provide 'hmac'",
            )),
            (given, 0) if given < items.len() => Err(Fault::invalid(
                "some elements of batch_input are missing 'signature'",
            )),
            (0, given) if given < items.len() => Err(Fault::invalid(
                "some elements of batch_input are missing 'hmac'",
            )),
            (given, _) => Ok(given > 0),
        }
    }
}

impl Item {
    async fn has_code(
        &self,
        cx: &Ctx,
        ready: &Ready,
        hash: MacHash,
        in_batch: bool,
    ) -> Result<bool, Fault> {
        ready.key.refuse_deleted()?;
        let input = match &self.input {
            Some(input) => input.bytes(),
            None if in_batch => return Err(Fault::invalid("missing input")),
            None => Ok(&[][..]),
        };
        let input = input.map_err(|malformed| {
            Fault::Invalid(format!("unable to decode input as base64: {malformed}"))
        })?;
        let refused = |misshapen: Misshapen| Fault::invalid(misshapen.of_hmac());
        let text = self.hmac.as_ref().map_or("", |text| &text.0);
        let made = Versioned::parse_code(text, &ready.key).map_err(refused)?;
        let code = made.decode().map_err(|malformed| {
            Fault::Invalid(format!(
                "unable to decode verification HMAC as base64: {malformed}"
            ))
        })?;
        let found = ready.version(cx, made.version).await?;
        let material = found.ok_or_else(|| refused(Misshapen::Old))?;
        Ok(hash.verifies(material.mac(), input, &code))
    }
}
