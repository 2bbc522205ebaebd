//! Handing in shares until the server opens.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Flag;
use schemars::JsonSchema;
use serde::Deserialize;

use super::init::operators_fault;
use crate::kernel::{Kernel, State};

/// The shortest and longest share, in bytes.
const SHARE_BYTES: std::ops::RangeInclusive<usize> = 16..=33;

pub(super) fn routes() -> Routes<Kernel> {
    Routes::new([path(
        "unseal",
        "Hands in one share of the unseal key, or starts again.",
    )
    .unauthenticated()
    .root_only()
    .write::<Unseal>()])
}

/// Sealing what is not open is done already.
pub(super) fn closed_routes() -> Routes<Kernel> {
    Routes::new([path("seal", "Seals the server.")
        .unauthenticated()
        .write::<SealClosed>()])
}

/// Sealing a sealed server changes nothing.
#[derive(Deserialize, JsonSchema)]
struct SealClosed {}

impl Handle<Kernel> for SealClosed {
    type Reply = Empty;

    async fn handle(self, _: &Kernel, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}

/// Hands in one share; the server opens with the last one needed.
#[derive(Deserialize, JsonSchema)]
struct Unseal {
    /// One share of the unseal key, in hex or base64.
    #[serde(default)]
    #[schemars(with = "String")]
    key: Option<Secret<String>>,
    /// Forgets the shares handed in so far.
    #[serde(default)]
    reset: Flag,
    /// Moves to another seal; there is none to move to.
    #[serde(default)]
    migrate: Flag,
}

impl Handle<Kernel> for Unseal {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, cx: &Ctx) -> Result<Reply, Fault> {
        if self.migrate.0 {
            return Err(Fault::invalid(
                "there is no seal migration under way; leave migrate out",
            ));
        }
        let key = self
            .key
            .as_ref()
            .map(|key| key.expose().as_str())
            .unwrap_or_default();
        if key.is_empty() && !self.reset.0 {
            return Err(Fault::invalid(
                "'key' must be specified in request body as JSON, or 'reset' set to true",
            ));
        }
        if self.reset.0 {
            kernel.attempts.unseal.lock().reset();
        } else {
            kernel.unseal_with(decoded(key)?, cx).await?;
        }
        super::status::seal_status(kernel).await
    }
}

impl Kernel {
    /// Takes one share; opens the server with the last one needed.
    pub async fn unseal_with(&self, share: Zeroizing<Vec<u8>>, cx: &Ctx) -> Result<(), Fault> {
        match &*self.state() {
            State::Uninitialised => return Err(Fault::invalid("server is not yet initialized")),
            State::Active(_) | State::Unsealing => return Ok(()),
            State::Sealed => {}
        }
        refuse_length(&share)?;
        let config = self
            .seal_config()
            .await?
            .ok_or_else(|| Fault::invalid("server is not yet initialized"))?;
        let shares = self.attempts.unseal.lock().add(
            share,
            usize::from(config.secret_threshold),
            &cx.random,
        );
        let Some(shares) = shares else { return Ok(()) };
        let root = self.barrier.unwrap(config, &shares).await;
        let root = root.map_err(operators_fault)?;
        self.open_with(root).await
    }
}

/// Refuses what is too short or too long to be a share.
pub(crate) fn refuse_length(share: &[u8]) -> Result<(), Fault> {
    let word = match share.len() {
        length if length < *SHARE_BYTES.start() => "shorter than minimum 16",
        length if length > *SHARE_BYTES.end() => "longer than maximum 33",
        _ => return Ok(()),
    };
    Err(Fault::Invalid(format!("invalid key: key is {word} bytes")))
}

/// A share as hex or any base64.
pub(crate) fn decoded(text: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let text = text.trim();
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let bytes = hex::decode(text)
        .ok()
        .or_else(|| engines.iter().find_map(|engine| engine.decode(text).ok()));
    bytes
        .map(Zeroizing::new)
        .ok_or_else(|| Fault::invalid("'key' must be a valid hex or base64 string"))
}
