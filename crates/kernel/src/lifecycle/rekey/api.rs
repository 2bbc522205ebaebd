//! The steps of changing keys: the same for unseal keys, recovery keys and break-glass shares.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::seal::{SealConfig, Shares};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Fault};
use coffer_wire::{CommaList, Flag, Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Map;

use super::applicable::{is_applicable, refuse_inapplicable};
use super::verify::{self, waiting};
use super::{New, Outcome, Rekey, Terms, complete, update};
use crate::authority::Authority;
use crate::lifecycle::dialect::{Leaf, Shown, Standing, Step, Subject, Way};
use crate::lifecycle::init::{break_glass_counts, operators_fault, recovery_counts};
use crate::lifecycle::pgp;
use crate::lifecycle::quorum::{is_kept_by_keepers, nobody_holds_keys, present_seal, share};
use crate::open::Open;
use crate::policy::Question;

/// Shows how far the change of the unseal keys is.
#[derive(Deserialize, JsonSchema)]
pub(super) struct ReadStatus {}

/// The state of a change of the unseal keys.
#[derive(Serialize)]
pub(super) struct Status {
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
        if self.started && self.n == 0 {
            (self.t, self.n) = (1, 1); // A root key alone, whose counts say nothing; as the reference has it.
        }
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
    const LEAF: Leaf = Leaf::Init;
    type Answer = Status;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, way: Way) -> Result<Option<Status>, Fault> {
        refuse_inapplicable(open, way.subject).await?;
        let mut status = status(open, way, None).await?;
        if way.standing == Standing::Stranger {
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
async fn status(open: &Open, way: Way, nonce: Option<&str>) -> Result<Status, Fault> {
    let required = present_seal(open).await?.secret_threshold;
    let ceremonies = open.ceremonies()?;
    let mut slot = ceremonies.keys(way.subject).lock();
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
pub(super) struct Start {
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
    const LEAF: Leaf = Leaf::Init;
    type Answer = Updated;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, cx: &Ctx, way: Way) -> Result<Option<Updated>, Fault> {
        refuse_inapplicable(open, way.subject).await?;
        let terms = self.terms(open, cx, way.subject).await?;
        let alone = nobody_holds_keys(open).await?;
        if alone {
            refuse_alone(way)?;
            demand_sudo(open, cx, way.subject).await?;
        }
        let rekey = Rekey::new(terms.clone(), &cx.random);
        let nonce = rekey.quorum.nonce().to_owned();
        let ceremonies = open.ceremonies()?;
        ceremonies
            .keys(way.subject)
            .lock()
            .begin(way.standing, rekey)?;
        if alone {
            // Nobody holds a recovery key yet: policy alone decides.
            return match complete(open, &nonce, terms).await? {
                Outcome::Done(new) => Ok(Some(Updated::Done(Done::of(nonce, new)))),
                Outcome::Progress => Ok(None),
            };
        }
        let status = status(open, way, Some(&nonce)).await?;
        Ok(Some(Updated::Progress(status)))
    }

    fn by_policy(updated: Updated) -> Updated {
        Update::by_policy(updated)
    }
}

/// Without recovery keys nobody but policy can allow their making; break-glass shares are never made by policy alone.
fn refuse_alone(way: Way) -> Result<(), Fault> {
    match (way.subject, way.standing) {
        (Subject::BreakGlass, _) => Err(Fault::invalid(
            "break-glass shares are made by who holds recovery keys, and there are none; make some first at sys/rotate/recovery/init",
        )),
        (_, Standing::Stranger) => Err(Fault::invalid(
            "there are no recovery keys; a token whose policies let it write sys/rotate/recovery/init, with the capability sudo, can make some",
        )),
        _ => Ok(()),
    }
}

/// Who makes keys that nobody else has to allow can make a root token with them, so it takes `sudo`.
async fn demand_sudo(open: &Open, cx: &Ctx, subject: Subject) -> Result<(), Fault> {
    let caller = match &cx.caller {
        Some(caller) => Some(Arc::clone(caller)),
        None => crate::sys::sender(open, cx).await?,
    };
    let caller = caller.ok_or(Fault::Denied)?;
    let authority = Authority::of(open, &caller, cx.now).await?;
    let path = subject.by_policy(Leaf::Init);
    let verdict = authority.decide(&Question {
        path,
        verb: cx.request.verb,
        creates: false,
        body: &Map::new(),
        wrap_ttl: None,
        sudo_path: true,
    });
    match verdict.sudo {
        true => Ok(()),
        false => Err(Fault::Forbidden(format!(
            "nobody holds recovery keys that could allow this, so your token needs the capability sudo at {path}"
        ))),
    }
}

impl Start {
    async fn terms(&self, open: &Open, cx: &Ctx, subject: Subject) -> Result<Terms, Fault> {
        if self.backup.0 && self.pgp_keys.0.is_empty() {
            return Err(Fault::invalid(
                "cannot request a backup of the new keys without providing PGP keys for encryption",
            ));
        }
        if self.backup.0 && subject == Subject::BreakGlass {
            return Err(Fault::invalid(
                "no copies of break-glass shares are kept; leave backup out",
            ));
        }
        let (shares, threshold) = (self.secret_shares.0, self.secret_threshold.0);
        let config = match subject {
            Subject::RecoveryKeys if shares == 0 && threshold == 0 => {
                return Err(Fault::invalid(
                    "invalid recovery configuration: shares must be at least one",
                ));
            }
            Subject::RecoveryKeys => recovery_counts(shares, threshold)?,
            Subject::BreakGlass => break_glass_counts(shares, threshold)?,
            _ if is_kept_by_keepers(open).await? => return self.of_root_key(subject),
            _ => SealConfig::new(shares, threshold).map_err(operators_fault)?,
        };
        let people = pgp::recipients(&self.pgp_keys.0, config.secret_shares, cx.now)?;
        Ok(Terms {
            subject,
            config,
            verify: self.require_verification.0,
            people: people.into(),
            backup: self.backup.0,
        })
    }

    /// Where seals have the root key, nobody gets keys: counts mean nothing.
    fn of_root_key(&self, subject: Subject) -> Result<Terms, Fault> {
        if self.require_verification.0 {
            return Err(Fault::invalid(
                "requiring verification not supported when rotating the barrier key with recovery keys",
            ));
        }
        if !self.pgp_keys.0.is_empty() {
            return Err(Fault::invalid(
                "no keys are handed out when the root key is replaced by recovery keys; leave pgp_keys out",
            ));
        }
        Ok(Terms {
            subject,
            config: SealConfig::default(),
            verify: false,
            people: Arc::default(),
            backup: false,
        })
    }
}

/// Cancels the change of the unseal keys; new shares that wait to be verified are void.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Cancel {
    /// The nonce that starting it answered.
    #[serde(default)]
    nonce: Text,
}

impl Step for Cancel {
    const LEAF: Leaf = Leaf::Init;
    type Answer = ();

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, way: Way) -> Result<Option<()>, Fault> {
        if !is_applicable(open, way.subject).await? && !way.for_all {
            return Ok(None); // As in the reference: there is nothing to cancel.
        }
        refuse_inapplicable(open, way.subject).await?;
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.keys(way.subject).lock();
        let named = slot.find(|rekey| rekey.is_named(&self.nonce.0));
        if let Some(rekey) = named {
            rekey.idle()?;
            let nonce = rekey.quorum.nonce().to_owned();
            slot.take(&nonce);
            return Ok(None);
        }
        if way.standing == Standing::Stranger && !slot.is_empty() {
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
pub(super) struct Update {
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
pub(super) enum Updated {
    Progress(Status),
    Done(Done),
}

/// The new shares.
#[derive(Serialize)]
pub(super) struct Done {
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

impl Done {
    fn of(nonce: String, new: New) -> Self {
        Self {
            nonce,
            complete: true,
            keys: new.shares.clone(),
            keys_base64: new.shares,
            pgp_fingerprints: pgp::fingerprints(&new.terms.people),
            backup: new.terms.backup,
            verification_required: new.terms.verify,
            verification_nonce: Some(new.verification_nonce).filter(|nonce| !nonce.is_empty()),
        }
    }
}

impl Step for Update {
    const LEAF: Leaf = Leaf::Update;
    type Answer = Updated;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, way: Way) -> Result<Option<Updated>, Fault> {
        refuse_inapplicable(open, way.subject).await?;
        let share = share(self.key.as_ref())?;
        let updated = match update(open, way.subject, &self.nonce.0, share).await? {
            Outcome::Progress => Updated::Progress(status(open, way, Some(&self.nonce.0)).await?),
            Outcome::Done(new) => Updated::Done(Done::of(self.nonce.0, new)),
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
pub(super) struct ReadVerification {}

/// The state of a verification.
#[derive(Serialize)]
pub(super) struct Verification {
    nonce: String,
    started: bool,
    t: u8,
    n: u8,
    progress: usize,
}

impl Step for ReadVerification {
    const LEAF: Leaf = Leaf::Verify;
    type Answer = Verification;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, way: Way) -> Result<Option<Verification>, Fault> {
        refuse_inapplicable(open, way.subject).await?;
        let mut found = verification(open, way, None)?;
        if way.standing == Standing::Stranger {
            found.nonce.clear();
        }
        Ok(Some(found))
    }
}

/// The state of the verification of a nonce, without one of the attempt that is furthest.
fn verification(open: &Open, way: Way, nonce: Option<&str>) -> Result<Verification, Fault> {
    let ceremonies = open.ceremonies()?;
    let mut slot = ceremonies.keys(way.subject).lock();
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
pub(super) struct Verify {
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
pub(super) enum VerifyAnswer {
    Progress(Verification),
    Done { nonce: String, complete: bool },
}

impl Step for Verify {
    const LEAF: Leaf = Leaf::Verify;
    type Answer = VerifyAnswer;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, _: &Ctx, way: Way) -> Result<Option<VerifyAnswer>, Fault> {
        refuse_inapplicable(open, way.subject).await?;
        let share = share(self.key.as_ref())?;
        Ok(Some(
            match verify::update(open, way.subject, &self.nonce.0, share).await? {
                false => VerifyAnswer::Progress(verification(open, way, Some(&self.nonce.0))?),
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
pub(super) struct RestartVerification {
    /// The verification's nonce.
    #[serde(default)]
    nonce: Text,
}

impl Step for RestartVerification {
    const LEAF: Leaf = Leaf::Verify;
    type Answer = Verification;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_rekey
    }

    async fn take(self, open: &Open, cx: &Ctx, way: Way) -> Result<Option<Verification>, Fault> {
        refuse_inapplicable(open, way.subject).await?;
        let fresh = cx.random.uuid_v4();
        {
            let ceremonies = open.ceremonies()?;
            let mut slot = ceremonies.keys(way.subject).lock();
            let nonce = match way.standing {
                Standing::Stranger => Some(self.nonce.0.as_str()),
                Standing::Granted => Some(self.nonce.0.as_str()).filter(|nonce| !nonce.is_empty()),
            };
            let (_, pending) = waiting(&mut slot, nonce)?;
            pending.quorum.idle("verify operation")?;
            pending.quorum = super::Quorum::named(fresh.clone());
        }
        verification(open, way, Some(&fresh)).map(Some)
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
