//! `sys/rekey` (Vault's paths) and `sys/rotate/root` (OpenBao's).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::seal::SealConfig;
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Routes, path};
use coffer_wire::{CommaList, Flag, Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use super::verify::{self, waiting};
use super::{Outcome, Rekey, Terms, backup, recovery, update};
use crate::lifecycle::dialect::{ByPolicy, ForAll, Shown, Standing, Step};
use crate::lifecycle::init::operators_fault;
use crate::lifecycle::pgp;
use crate::lifecycle::quorum::{present_seal, share};
use crate::open::Open;

/// The paths that ask for a token.
const INIT: &str = "sys/rotate/root/init";
const UPDATE: &str = "sys/rotate/root/update";
const VERIFY: &str = "sys/rotate/root/verify";

type Shares = Vec<Zeroizing<Vec<u8>>>;

pub(crate) fn routes() -> Routes<Open> {
    Routes::merge([attempts(), backup::routes(), recovery::routes().root_only()])
}

fn attempts() -> Routes<Open> {
    Routes::new([
        path(
            "rekey/init",
            "The change of the unseal keys: its progress; starts, cancels it.",
        )
        .unauthenticated()
        .root_only()
        .read::<ForAll<ReadStatus>>()
        .write::<ForAll<Start>>()
        .delete::<ForAll<Cancel>>(),
        path(
            "rekey/update",
            "Hands in one share of the present unseal key.",
        )
        .unauthenticated()
        .root_only()
        .write::<ForAll<Update>>(),
        path("rekey/verify", "Hands back a share of the new unseal key.")
            .unauthenticated()
            .root_only()
            .read::<ForAll<ReadVerification>>()
            .write::<ForAll<Verify>>()
            .delete::<ForAll<RestartVerification>>(),
        path(
            "rotate/root/init",
            "The change of the unseal keys: its progress; starts, cancels it.",
        )
        .read::<ByPolicy<ReadStatus>>()
        .write::<ByPolicy<Start>>()
        .delete::<ByPolicy<Cancel>>(),
        path(
            "rotate/root/update",
            "Hands in one share of the present unseal key.",
        )
        .write::<ByPolicy<Update>>(),
        path(
            "rotate/root/verify",
            "Hands back a share of the new unseal key.",
        )
        .read::<ByPolicy<ReadVerification>>()
        .write::<ByPolicy<Verify>>()
        .delete::<ByPolicy<RestartVerification>>(),
    ])
}

/// Shows how far the change of the unseal keys is.
#[derive(Deserialize, JsonSchema)]
struct ReadStatus {}

/// The state of a change of the unseal keys.
#[derive(Serialize)]
struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    started: bool,
    t: u8,
    n: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<usize>,
    required: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pgp_fingerprints: Option<Fingerprints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_nonce: Option<String>,
}

/// The names of the keys that shares are encrypted to; null for none.
type Fingerprints = Option<Vec<String>>;

impl Status {
    /// Nothing is under way.
    fn idle(required: u8) -> Self {
        Self {
            nonce: Some(String::new()),
            started: false,
            t: 0,
            n: 0,
            progress: Some(0),
            required,
            pgp_fingerprints: Some(None),
            backup: Some(false),
            verification_required: Some(false),
            verification_nonce: None,
        }
    }

    fn by_policy(mut self) -> Self {
        if !self.started {
            (self.nonce, self.progress, self.verification_required) = (None, None, None);
        } else if self.verification_nonce.is_none() {
            self.verification_nonce = Some(String::new());
        }
        if self.pgp_fingerprints.as_ref().is_none_or(Option::is_none) {
            (self.pgp_fingerprints, self.backup) = (None, None);
        }
        self
    }
}

impl Step for ReadStatus {
    const BY_POLICY: &'static str = INIT;
    type Answer = Status;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, how: Standing) -> Result<Option<Status>, Fault> {
        let mut status = status(open, None).await?;
        if how == Standing::Stranger {
            status.nonce = Some(String::new());
            status.verification_nonce = None;
        }
        Ok(Some(status))
    }

    fn by_policy(status: Status) -> Status {
        status.by_policy()
    }
}

/// The state of the attempt of a nonce, without one of that which is furthest.
async fn status(open: &Open, nonce: Option<&str>) -> Result<Status, Fault> {
    let required = present_seal(open).await?.secret_threshold;
    let ceremonies = open.ceremonies()?;
    let mut slot = ceremonies.rekey.lock();
    let rekey = match nonce {
        Some(nonce) => slot.named(nonce).map(|rekey| &*rekey),
        None => slot.furthest(),
    };
    let Some(rekey) = rekey else {
        return Ok(Status::idle(required));
    };
    let pending = rekey.pending.as_ref();
    Ok(Status {
        nonce: Some(rekey.quorum.nonce().to_owned()),
        started: true,
        t: rekey.terms.config.secret_threshold,
        n: rekey.terms.config.secret_shares,
        progress: Some(rekey.quorum.progress()),
        required,
        pgp_fingerprints: Some(pgp::fingerprints(&rekey.terms.people)),
        backup: Some(rekey.terms.backup),
        verification_required: Some(rekey.terms.verify),
        verification_nonce: pending.map(|pending| pending.quorum.nonce().to_owned()),
    })
}

/// Starts to change the unseal keys. The answer holds the nonce that every further step needs.
#[derive(Deserialize, JsonSchema)]
struct Start {
    /// How many shares the new unseal key is split into.
    #[serde(default)]
    secret_shares: Int,
    /// How many of them are needed to unseal.
    #[serde(default)]
    secret_threshold: Int,
    /// Whether the new shares hold only once they were handed back.
    #[serde(default)]
    require_verification: Flag,
    /// OpenPGP public keys to encrypt the new shares to, one for each share.
    #[serde(default)]
    pgp_keys: CommaList,
    /// Whether a copy of the encrypted shares is kept.
    #[serde(default)]
    backup: Flag,
    /// Shares kept by an auto-unseal device; without effect here.
    #[serde(default, rename = "stored_shares")]
    _stored_shares: Int,
}

impl Step for Start {
    const BY_POLICY: &'static str = INIT;
    type Answer = Status;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, cx: &Ctx, how: Standing) -> Result<Option<Status>, Fault> {
        if self.backup.0 && self.pgp_keys.0.is_empty() {
            return Err(Fault::invalid(
                "cannot request a backup of the new keys without providing PGP keys for encryption",
            ));
        }
        let config = SealConfig::new(self.secret_shares.0, self.secret_threshold.0)
            .map_err(operators_fault)?;
        let people = pgp::recipients(&self.pgp_keys.0, config.secret_shares, cx.now)?;
        let terms = Terms {
            config,
            verify: self.require_verification.0,
            people: people.into(),
            backup: self.backup.0,
        };
        let rekey = Rekey::new(terms, &cx.random);
        let nonce = rekey.quorum.nonce().to_owned();
        open.ceremonies()?.rekey.lock().begin(how, rekey)?;
        status(open, Some(&nonce)).await.map(Some)
    }

    fn by_policy(status: Status) -> Status {
        status.by_policy()
    }
}

/// Cancels the change of the unseal keys; new shares that wait to be verified are void.
#[derive(Deserialize, JsonSchema)]
struct Cancel {
    /// The nonce that starting it answered.
    #[serde(default)]
    nonce: Text,
}

impl Step for Cancel {
    const BY_POLICY: &'static str = INIT;
    type Answer = ();

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, how: Standing) -> Result<Option<()>, Fault> {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.rekey.lock();
        let named = slot.find(|rekey| rekey.is_named(&self.nonce.0));
        if let Some(rekey) = named {
            rekey.idle()?;
            let nonce = rekey.quorum.nonce().to_owned();
            slot.take(&nonce);
            return Ok(None);
        }
        if how == Standing::Stranger && !slot.is_empty() {
            return Err(Fault::invalid(
                "canceling needs the nonce that starting the rekey answered (nonce=...); a token whose policies let it delete sys/rotate/root/init can cancel without it",
            ));
        }
        for rekey in slot.iter() {
            rekey.idle()?;
        }
        slot.clear();
        Ok(None)
    }
}

/// Hands in one share of the present unseal key; the last one needed is answered by the new shares.
#[derive(Deserialize, JsonSchema)]
struct Update {
    /// One share, in hex or base64.
    #[serde(default)]
    #[schemars(with = "String")]
    key: Option<Secret<String>>,
    /// The nonce that starting the change answered.
    #[serde(default)]
    nonce: Text,
}

/// How far it is, or the new shares.
#[derive(Serialize)]
#[serde(untagged)]
enum Updated {
    Progress(Status),
    Done(Done),
}

/// The new shares.
#[derive(Serialize)]
struct Done {
    nonce: String,
    complete: bool,
    #[serde(serialize_with = "as_hex")]
    keys: Shares,
    #[serde(serialize_with = "as_base64")]
    keys_base64: Shares,
    pgp_fingerprints: Fingerprints,
    backup: bool,
    verification_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_nonce: Option<String>,
}

impl Step for Update {
    const BY_POLICY: &'static str = UPDATE;
    type Answer = Updated;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, _: Standing) -> Result<Option<Updated>, Fault> {
        let share = share(self.key.as_ref())?;
        let updated = match update(open, &self.nonce.0, share).await? {
            Outcome::Progress => Updated::Progress(status(open, Some(&self.nonce.0)).await?),
            Outcome::Done(new) => Updated::Done(Done {
                nonce: self.nonce.0,
                complete: true,
                keys: new.shares.clone(),
                keys_base64: new.shares,
                pgp_fingerprints: pgp::fingerprints(&new.terms.people),
                backup: new.terms.backup,
                verification_required: new.terms.verify,
                verification_nonce: Some(new.verification_nonce).filter(|nonce| !nonce.is_empty()),
            }),
        };
        Ok(Some(updated))
    }

    fn by_policy(updated: Updated) -> Updated {
        match updated {
            Updated::Progress(status) => Updated::Progress(status.by_policy()),
            Updated::Done(done) => Updated::Done(Done {
                verification_nonce: done.verification_nonce.or_else(|| Some(String::new())),
                ..done
            }),
        }
    }
}

/// Shows how many of the new shares were handed back.
#[derive(Deserialize, JsonSchema)]
struct ReadVerification {}

/// The state of a verification.
#[derive(Serialize)]
struct Verification {
    nonce: String,
    started: bool,
    t: u8,
    n: u8,
    progress: usize,
}

impl Step for ReadVerification {
    const BY_POLICY: &'static str = VERIFY;
    type Answer = Verification;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(
        self,
        open: &Open,
        _: &Ctx,
        how: Standing,
    ) -> Result<Option<Verification>, Fault> {
        let mut found = verification(open, None)?;
        if how == Standing::Stranger {
            found.nonce.clear();
        }
        Ok(Some(found))
    }
}

/// The state of the verification of a nonce, without one of the attempt that is furthest.
fn verification(open: &Open, nonce: Option<&str>) -> Result<Verification, Fault> {
    let ceremonies = open.ceremonies()?;
    let mut slot = ceremonies.rekey.lock();
    let rekey = match nonce {
        Some(nonce) => slot
            .find(|rekey| rekey.is_named(nonce))
            .map(|rekey| &*rekey),
        None => slot.furthest(),
    };
    let rekey =
        rekey.ok_or_else(|| Fault::invalid("no rekey configuration found; start a rekey first"))?;
    let quorum = rekey.pending.as_ref().map(|pending| &pending.quorum);
    Ok(Verification {
        nonce: quorum
            .map(|quorum| quorum.nonce().to_owned())
            .unwrap_or_default(),
        started: quorum.is_some(),
        t: rekey.terms.config.secret_threshold,
        n: rekey.terms.config.secret_shares,
        progress: quorum.map_or(0, |quorum| quorum.progress()),
    })
}

/// Hands back one of the new shares; with enough of them they hold, and the present ones end.
#[derive(Deserialize, JsonSchema)]
struct Verify {
    /// One new share, in hex or base64.
    #[serde(default)]
    #[schemars(with = "String")]
    key: Option<Secret<String>>,
    /// The verification's nonce, which came with the new shares.
    #[serde(default)]
    nonce: Text,
}

#[derive(Serialize)]
#[serde(untagged)]
enum VerifyAnswer {
    Progress(Verification),
    Done { nonce: String, complete: bool },
}

impl Step for Verify {
    const BY_POLICY: &'static str = VERIFY;
    type Answer = VerifyAnswer;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, _: Standing) -> Result<Option<VerifyAnswer>, Fault> {
        let share = share(self.key.as_ref())?;
        Ok(Some(
            match verify::update(open, &self.nonce.0, share).await? {
                false => VerifyAnswer::Progress(verification(open, Some(&self.nonce.0))?),
                true => VerifyAnswer::Done {
                    nonce: self.nonce.0,
                    complete: true,
                },
            },
        ))
    }
}

/// Forgets the new shares that were handed back, so that handing back begins anew.
#[derive(Deserialize, JsonSchema)]
struct RestartVerification {
    /// The verification's nonce.
    #[serde(default)]
    nonce: Text,
}

impl Step for RestartVerification {
    const BY_POLICY: &'static str = VERIFY;
    type Answer = Verification;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(
        self,
        open: &Open,
        cx: &Ctx,
        how: Standing,
    ) -> Result<Option<Verification>, Fault> {
        let fresh = cx.random.uuid_v4();
        {
            let ceremonies = open.ceremonies()?;
            let mut slot = ceremonies.rekey.lock();
            let nonce = match how {
                Standing::Stranger => Some(self.nonce.0.as_str()),
                Standing::Granted => Some(self.nonce.0.as_str()).filter(|nonce| !nonce.is_empty()),
            };
            let (_, pending) = waiting(&mut slot, nonce)?;
            pending.quorum.idle("verify operation")?;
            pending.quorum = super::Quorum::named(fresh.clone());
        }
        verification(open, Some(&fresh)).map(Some)
    }
}

fn as_hex<S: Serializer>(shares: &Shares, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        shares
            .iter()
            .map(|share| Shown(Zeroizing::new(hex::encode(share)))),
    )
}

fn as_base64<S: Serializer>(shares: &Shares, to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(
        shares
            .iter()
            .map(|share| Shown(Zeroizing::new(STANDARD.encode(share)))),
    )
}
