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
use crate::seals::{Keeping, Situation};

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
    /// One share of the unseal key, or of the recovery key, in hex or base64.
    #[serde(default)]
    #[schemars(with = "String")]
    key: Option<Secret<String>>,
    /// Forgets the shares handed in so far.
    #[serde(default)]
    reset: Flag,
    /// Moves to the seal that the configuration names now.
    #[serde(default)]
    migrate: Flag,
    /// The share is a break-glass share, which opens the server without its seals.
    #[serde(default)]
    break_glass: Flag,
}

impl Handle<Kernel> for Unseal {
    type Reply = Reply;

    async fn handle(self, kernel: &Kernel, cx: &Ctx) -> Result<Reply, Fault> {
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
            kernel.attempts.clear();
        } else if self.break_glass.0 {
            kernel.break_glass_with(decoded(key)?, cx).await?;
        } else {
            let situation = Keeping::of(kernel).situation().await?;
            refuse_other_wish(&situation, self.migrate.0)?;
            kernel.unseal_with(decoded(key)?, &situation, cx).await?;
        }
        super::status::seal_status(kernel).await
    }
}

/// A move from one seal to another is made by whoever says so, and only where the configuration wants one.
fn refuse_other_wish(situation: &Situation, migrate: bool) -> Result<(), Fault> {
    match (situation.is_migration(), migrate) {
        (true, false) => Err(Fault::invalid(
            "migrate option not provided and seal migration is pending",
        )),
        (false, true) => Err(Fault::invalid(
            "can't perform a seal migration, no migration seal found; configure the seal to move to, or leave migrate out",
        )),
        _ => Ok(()),
    }
}

impl Kernel {
    /// Takes one share; opens the server with the last one needed.
    async fn unseal_with(
        &self,
        share: Zeroizing<Vec<u8>>,
        situation: &Situation,
        cx: &Ctx,
    ) -> Result<(), Fault> {
        if self.is_no_longer_sealed()? {
            return Ok(());
        }
        refuse_length(&share)?;
        let config = situation.counts();
        let config = config.ok_or_else(|| Fault::invalid("server is not yet initialized"))?;
        if config.is_none() {
            return Err(Fault::invalid(
                "there are no recovery keys, so no key unseals this server: its seals do; restart it, or see its log",
            ));
        }
        let shares = self.attempts.unseal.lock().add(
            share,
            usize::from(config.secret_threshold),
            &cx.random,
        );
        let Some(shares) = shares else { return Ok(()) };
        let root = Keeping::of(self).root_by_people(situation, &shares).await?;
        self.open_with(root).await
    }

    /// Takes one break-glass share; opens the server with the last one needed, without any keeper.
    async fn break_glass_with(&self, share: Zeroizing<Vec<u8>>, cx: &Ctx) -> Result<(), Fault> {
        if self.is_no_longer_sealed()? {
            return Ok(());
        }
        refuse_length(&share)?;
        let found = self.barrier.break_glass().await?;
        let found = found.ok_or_else(|| {
            Fault::invalid("this server has no break-glass shares; leave break_glass out")
        })?;
        let threshold = usize::from(found.config.secret_threshold);
        let shares = self
            .attempts
            .break_glass
            .lock()
            .add(share, threshold, &cx.random);
        let Some(shares) = shares else { return Ok(()) };
        let root = found.open(&shares, &self.barrier);
        self.open_with(root.map_err(operators_fault)?).await?;
        tracing::warn!("unsealed by break-glass shares");
        Ok(())
    }

    /// Whether there is nothing to do; what was never initialised can not be unsealed.
    fn is_no_longer_sealed(&self) -> Result<bool, Fault> {
        match &*self.state() {
            State::Uninitialised => Err(Fault::invalid("server is not yet initialized")),
            State::Active(_) | State::Unsealing => Ok(true),
            State::Sealed => Ok(false),
        }
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
