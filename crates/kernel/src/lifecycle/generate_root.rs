//! `sys/generate-root` (Vault's paths) and `sys/generate-root-token` (OpenBao's): a root token from
//! enough shares of the unseal key, encoded with a one-time password.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use coffer_crypto::pgp::Recipient;
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dialect::{ByPolicy, ForAll, Leaf, RootToken, Shown, Standing, Step, Way};
use super::pgp;
use super::quorum::{Quorum, authenticate, present_seal, share, wrong_nonce};
use super::under_way::{Attempt, UnderWay};
use crate::open::Open;

/// How long a root token is: `hvs.` and 24 characters. Clients choose one-time passwords of this length.
const ROOT_TOKEN_CHARS: usize = 28;
/// The longest encoded token that is decoded, in bytes.
const ENCODED_BYTES_MAX: usize = 8 * 1024;

/// The attempts under way.
pub(super) type Slot = Mutex<UnderWay<RootAttempt>>;

/// An attempt to make a root token.
pub(crate) struct RootAttempt {
    quorum: Quorum,
    cover: Cover,
}

/// What keeps the token from who merely sees the answer.
enum Cover {
    /// A one-time password as long as the token.
    Otp(Secret<String>),
    /// Somebody's key.
    Pgp(Box<Recipient>),
}

impl Attempt for RootAttempt {
    fn quorum(&self) -> &Quorum {
        &self.quorum
    }
}

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "generate-root/attempt",
            "The making of a root token: its progress; starts, cancels it.",
        )
        .unauthenticated()
        .root_only()
        .read::<ForAll<ReadStatus, RootToken>>()
        .write::<ForAll<Start, RootToken>>()
        .delete::<ForAll<Cancel, RootToken>>(),
        path(
            "generate-root/update",
            "Hands in one share of the unseal key.",
        )
        .unauthenticated()
        .root_only()
        .write::<ForAll<Update, RootToken>>(),
        path(
            "generate-root-token/attempt",
            "The making of a root token: its progress; starts, cancels it.",
        )
        .read::<ByPolicy<ReadStatus, RootToken>>()
        .write::<ByPolicy<Start, RootToken>>()
        .delete::<ByPolicy<Cancel, RootToken>>(),
        path(
            "generate-root-token/update",
            "Hands in one share of the unseal key.",
        )
        .write::<ByPolicy<Update, RootToken>>(),
        path(
            "decode-token",
            "Decodes a root token with its one-time password.",
        )
        .unauthenticated()
        .write::<Decode>(),
    ])
}

/// The state of an attempt.
#[derive(Default, Serialize)]
struct Status {
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    started: bool,
    progress: usize,
    required: u8,
    complete: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded_root_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pgp_fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otp: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otp_length: Option<usize>,
}

impl Status {
    /// The state as the attempt's path shows it to who has a token.
    fn by_policy(mut self) -> Self {
        (self.encoded_token, self.encoded_root_token) = (None, None);
        if !self.started {
            (self.nonce, self.pgp_fingerprint) = (None, None);
        }
        self
    }
}

/// Shows how far the making of a root token is.
#[derive(Deserialize, JsonSchema)]
struct ReadStatus {}

impl Step for ReadStatus {
    const LEAF: Leaf = Leaf::Init;
    type Answer = Status;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_generate_root
    }

    async fn take(self, open: &Open, _: &Ctx, way: Way) -> Result<Option<Status>, Fault> {
        let mut status = status(open, None).await?;
        if way.standing == Standing::Stranger {
            status.nonce = Some(String::new());
        }
        Ok(Some(status))
    }

    fn by_policy(status: Status) -> Status {
        status.by_policy()
    }
}

/// The state of the attempt of a nonce, without one of that which is furthest.
async fn status(open: &Open, nonce: Option<&str>) -> Result<Status, Fault> {
    let (required, length) = (present_seal(open).await?.secret_threshold, otp_length(open));
    let ceremonies = open.ceremonies()?;
    let mut slot = ceremonies.root.lock();
    let attempt = match nonce {
        Some(nonce) => slot.named(nonce).map(|attempt| &*attempt),
        None => slot.furthest(),
    };
    let quorum = attempt.map(Attempt::quorum);
    Ok(Status {
        nonce: Some(
            quorum
                .map(|quorum| quorum.nonce().to_owned())
                .unwrap_or_default(),
        ),
        pgp_fingerprint: Some(attempt.map(RootAttempt::fingerprint).unwrap_or_default()),
        encoded_token: Some(String::new()),
        encoded_root_token: Some(String::new()),
        otp: Some(Shown::default()),
        started: quorum.is_some(),
        progress: quorum.map_or(0, |quorum| quorum.progress()),
        required,
        otp_length: Some(length),
        ..Status::default()
    })
}

/// Starts to make a root token. The answer holds the nonce that every further step needs, and the
/// one-time password, unless one was given.
#[derive(Deserialize, JsonSchema)]
struct Start {
    /// A one-time password as long as `otp_length` says; made up when empty.
    #[serde(default)]
    #[schemars(with = "String")]
    otp: Option<Secret<String>>,
    /// An OpenPGP public key to encrypt the token to, instead of a one-time password.
    #[serde(default)]
    pgp_key: Text,
}

impl Step for Start {
    const LEAF: Leaf = Leaf::Init;
    type Answer = Status;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_generate_root
    }

    async fn take(self, open: &Open, cx: &Ctx, way: Way) -> Result<Option<Status>, Fault> {
        let (cover, shown) = self.cover(cx, otp_length(open))?;
        let nonce = cx.random.uuid_v4();
        let attempt = RootAttempt {
            quorum: Quorum::named(nonce.clone()),
            cover,
        };
        open.ceremonies()?
            .root
            .lock()
            .begin(way.standing, attempt)?;
        let mut status = status(open, Some(&nonce)).await?;
        status.otp = Some(shown);
        Ok(Some(status))
    }

    fn by_policy(status: Status) -> Status {
        status.by_policy()
    }
}

impl Start {
    /// What covers the token, and the one-time password to be answered, if one was made up.
    fn cover(self, cx: &Ctx, length: usize) -> Result<(Cover, Shown), Fault> {
        let given = self.otp.filter(|otp| !otp.expose().is_empty());
        match (given, self.pgp_key.0.as_str()) {
            (Some(otp), "") if otp.expose().len() != length => Err(Fault::Invalid(format!(
                "OTP string has incorrect length; it must have {length} bytes"
            ))),
            (Some(otp), "") => Ok((Cover::Otp(otp), Shown::default())),
            (Some(_), _) => Err(Fault::invalid(
                "only one of otp and pgp_key can be given; leave one out",
            )),
            (None, "") => {
                let otp = Secret::new(cx.random.base62(length));
                let copy = Shown(Zeroizing::new(otp.expose().clone()));
                Ok((Cover::Otp(otp), copy))
            }
            (None, key) => {
                let recipient = pgp::recipient(key, cx.now)?;
                Ok((Cover::Pgp(Box::new(recipient)), Shown::default()))
            }
        }
    }
}

impl RootAttempt {
    /// Of the key that the token is encrypted to; empty where there is none.
    fn fingerprint(&self) -> String {
        match &self.cover {
            Cover::Otp(_) => String::new(),
            Cover::Pgp(recipient) => pgp::fingerprint(recipient),
        }
    }
}

/// Cancels the making of a root token.
#[derive(Deserialize, JsonSchema)]
struct Cancel {
    /// The nonce that starting it answered.
    #[serde(default)]
    nonce: Text,
}

impl Step for Cancel {
    const LEAF: Leaf = Leaf::Init;
    type Answer = ();

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_generate_root
    }

    async fn take(self, open: &Open, _: &Ctx, way: Way) -> Result<Option<()>, Fault> {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.root.lock();
        if let Some(attempt) = slot.named(&self.nonce.0) {
            attempt.quorum.idle("root generation operation")?;
            slot.take(&self.nonce.0);
            return Ok(None);
        }
        if way.standing == Standing::Stranger && !slot.is_empty() {
            return Err(Fault::invalid(
                "canceling needs the nonce that starting the attempt answered (nonce=...); a token whose policies let it delete sys/generate-root-token/attempt can cancel without it",
            ));
        }
        for attempt in slot.iter() {
            attempt.quorum.idle("root generation operation")?;
        }
        slot.clear();
        Ok(None)
    }
}

/// Hands in one share of the unseal key; the last one needed is answered by the encoded token.
#[derive(Deserialize, JsonSchema)]
struct Update {
    /// One share, in hex or base64.
    #[serde(default)]
    #[schemars(with = "String")]
    key: Option<Secret<String>>,
    /// The nonce that starting the attempt answered.
    #[serde(default)]
    nonce: Text,
}

impl Step for Update {
    const LEAF: Leaf = Leaf::Update;
    type Answer = Status;

    fn is_for_all(open: &Open) -> bool {
        open.settings.unauthed_generate_root
    }

    async fn take(self, open: &Open, _: &Ctx, _: Way) -> Result<Option<Status>, Fault> {
        let share = share(self.key.as_ref())?;
        let present = present_seal(open).await?;
        let nonce = self.nonce.0;
        let shares = {
            let ceremonies = open.ceremonies()?;
            let mut slot = ceremonies.root.lock();
            if slot.is_empty() {
                return Err(none_under_way());
            }
            let attempt = slot.named(&nonce);
            let attempt = attempt.ok_or_else(|| wrong_nonce("root generation operation"))?;
            attempt.quorum.admit(&nonce, "root generation operation")?;
            attempt.quorum.add(share, present.secret_threshold)?
        };
        let Some(shares) = shares else {
            return status(open, Some(&nonce)).await.map(Some);
        };
        let made = match authenticate(open, present, &shares).await {
            Ok(()) => make(open, &nonce).await,
            Err(fault) => Err(fault),
        };
        let ceremonies = open.ceremonies()?;
        let (encoded, pgp_fingerprint) = made.inspect_err(|_| {
            let mut slot = ceremonies.root.lock();
            if let Some(attempt) = slot.named(&nonce) {
                attempt.quorum.begin_again();
            }
        })?;
        Ok(Some(Status {
            nonce: Some(nonce),
            started: true,
            progress: shares.len(),
            required: present.secret_threshold,
            complete: true,
            encoded_root_token: Some(encoded.clone()),
            encoded_token: Some(encoded),
            pgp_fingerprint: Some(pgp_fingerprint),
            otp: Some(Shown::default()),
            otp_length: Some(0),
        }))
    }

    fn by_policy(mut status: Status) -> Status {
        (status.encoded_root_token, status.otp, status.otp_length) = (None, None, None);
        status
    }
}

/// How long the one-time password is for a root token of the namespace at hand, which ends in its id.
fn otp_length(open: &Open) -> usize {
    open.space.named(String::new()).len() + ROOT_TOKEN_CHARS
}

/// Makes the token and ends the attempt; answers the covered token and the fingerprint of its key. An attempt that was
/// cancelled meanwhile makes none.
async fn make(open: &Open, nonce: &str) -> Result<(String, String), Fault> {
    let attempt = {
        let ceremonies = open.ceremonies()?;
        let mut slot = ceremonies.root.lock();
        slot.take(nonce).ok_or_else(none_under_way)?
    };
    let fingerprint = attempt.fingerprint();
    let token = open.new_root_token("auth/token/root").await?;
    let covered = match &attempt.cover {
        Cover::Otp(otp) => {
            let mixed = mixed(token.expose().as_bytes(), otp.expose().as_bytes())?;
            STANDARD_NO_PAD.encode(&*mixed)
        }
        Cover::Pgp(recipient) => pgp::handed_out_token(token.expose(), recipient, &open.random)?,
    };
    tracing::warn!("a root token was made from key shares");
    Ok((covered, fingerprint))
}

/// Decodes a root token with its one-time password.
#[derive(Deserialize, JsonSchema)]
struct Decode {
    /// The encoded token.
    #[serde(default)]
    #[schemars(with = "String")]
    encoded_token: Option<Secret<String>>,
    /// The one-time password.
    #[serde(default)]
    #[schemars(with = "String")]
    otp: Option<Secret<String>>,
}

impl Handle<Open> for Decode {
    type Reply = Reply;

    async fn handle(self, _: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let (Some(encoded), Some(otp)) = (&self.encoded_token, &self.otp) else {
            return Err(Fault::invalid("provided 'encoded_token' or 'otp' is empty"));
        };
        if encoded.expose().len() > ENCODED_BYTES_MAX {
            return Err(Fault::invalid("the encoded token is too long"));
        }
        let bytes = STANDARD_NO_PAD
            .decode(encoded.expose().trim_end_matches('='))
            .map(Zeroizing::new)
            .map_err(|_| Fault::invalid("encoded_token is not base64"))?;
        let token = mixed(&bytes, otp.expose().as_bytes())?;
        let token = std::str::from_utf8(&token)
            .map_err(|_| Fault::invalid("the one-time password does not belong to this token"))?;
        Reply::data(&json!({ "token": token }))
    }
}

/// Each byte of one with the byte of the other.
fn mixed(one: &[u8], other: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if one.is_empty() || one.len() != other.len() {
        return Err(Fault::Invalid(format!(
            "token and one-time password have different lengths: {} and {} bytes",
            one.len(),
            other.len()
        )));
    }
    let bytes = one.iter().zip(other).map(|(left, right)| left ^ right);
    Ok(Zeroizing::new(bytes.collect()))
}

fn none_under_way() -> Fault {
    Fault::invalid("no root generation in progress; start one first")
}
