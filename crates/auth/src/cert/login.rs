//! `login`: the way in.

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::sha256;
use coffer_engine::{Ctx, Fault, Handle, Login, Role as LoginRole, Routes, Session, Stay, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cert;
use super::anchors::Anchors;
use super::certificate::Certificate;
use super::config::Config;
use super::constraints;
use super::crl::{self, InForce};
use super::crls;
use super::ocsp;
use super::role::Role;
use super::trust::{self, Chain, Refusal, Shown};
use crate::names;

/// How many certificates a client may show, and how many bytes they may have together.
const SHOWN_MAX: usize = 128;
const SHOWN_BYTES_MAX: usize = 256 * 1024;
/// How many roles are tried for a client that names none.
const CANDIDATES_MAX: usize = 64;
/// How long a client waits for others whose signatures are being checked.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Routes<Cert> {
    Routes::new([
        path("login", "Logs in with the certificate of the connection.")
            .unauthenticated()
            .role::<LogIn>()
            .write::<LogIn>(),
    ])
    .sessions::<Entered>()
}

/// A login of some time ago.
#[derive(Serialize, Deserialize)]
struct Entered {
    role_name: String,
    /// The SHA-256 of the certificate.
    fingerprint: String,
    /// The policies of the role at that time.
    policies: Vec<String>,
}

/// Logs in with the certificate that the client showed in the TLS handshake.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// The role to log in by; the first that trusts the certificate where nothing is said.
    #[serde(default)]
    name: Text,
}

impl LoginRole<Cert> for LogIn {
    async fn role(self, engine: &Cert, cx: &Ctx) -> Result<Option<String>, Fault> {
        let attempt = Attempt::new(engine, cx, &self.name.0).await?;
        let found = attempt.next(engine, 0).await?;
        Ok(found.ok().map(|found| found.candidate.name.clone()))
    }
}

impl Handle<Cert> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, engine: &Cert, cx: &Ctx) -> Result<Box<Login>, Fault> {
        let attempt = Attempt::new(engine, cx, &self.name.0).await?;
        let found = attempt.found(engine, cx).await?;
        let leaf = &attempt.shown.leaf;
        if leaf.common_name.is_empty() {
            return Err(Fault::invalid(
                "missing name in alias: the certificate has no common name",
            ));
        }
        if leaf.has_strange_names() {
            return Err(Fault::invalid(
                "a name in the certificate has characters that no name has",
            ));
        }
        found.role.token.check_address(cx.request.client)?;
        accepted(cx, leaf, &found).await
    }
}

/// The token goes on as the role is now, for a client that shows the certificate of the login and still could log in.
impl Session<Cert> for Entered {
    async fn renew(self, engine: &Cert, cx: &Ctx) -> Result<Stay, Fault> {
        let role = Role::find(cx, &self.role_name).await?;
        let role = role.ok_or_else(|| Fault::invalid("the role is gone, not renewing"))?;
        if !Config::of(cx).await?.disable_binding {
            let attempt = Attempt::new(engine, cx, &self.role_name).await?;
            if fingerprint(&attempt.shown.leaf) != self.fingerprint {
                return Err(Fault::invalid(
                    "client identity during renewal not matching client identity used during login",
                ));
            }
            attempt.found(engine, cx).await?;
        }
        match role.token.policies == self.policies {
            true => Ok(role.token.stay()),
            false => Err(Fault::invalid("policies have changed, not renewing")),
        }
    }
}

/// What is shown, and the roles that could trust it.
struct Attempt {
    shown: Arc<Shown>,
    candidates: Vec<Arc<Candidate>>,
    lists: Arc<[InForce]>,
    now: Duration,
}

/// A role, read.
struct Candidate {
    name: String,
    role: Role,
    trusted: Anchors,
}

/// A role that trusts what is shown.
struct Found {
    at: usize,
    candidate: Arc<Candidate>,
    chain: Chain,
}

impl std::ops::Deref for Found {
    type Target = Candidate;

    fn deref(&self) -> &Candidate {
        &self.candidate
    }
}

/// Why no role trusts it, the better reasons later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    NotTrusted,
    Unfit(&'static str),
    Unsatisfied,
    Revoked,
}

impl Attempt {
    async fn new(engine: &Cert, cx: &Ctx, role_name: &str) -> Result<Self, Fault> {
        let shown = shown(cx)?;
        let mut candidates = candidates(engine, cx, &shown, role_name).await?;
        let pins = |it: &Arc<Candidate>| it.trusted.iter().any(|one| one.der == shown.leaf.der);
        candidates.sort_by_key(|candidate| !pins(candidate));
        candidates.truncate(CANDIDATES_MAX);
        Ok(Self {
            shown: Arc::new(shown),
            candidates,
            lists: crls::in_force(engine, cx).await?.into(),
            now: Duration::from_secs(cx.now.secs()),
        })
    }

    /// The first role that trusts it, by all that is known here and elsewhere.
    async fn found(&self, engine: &Cert, cx: &Ctx) -> Result<Found, Fault> {
        let (mut from, mut refused) = (0, None);
        loop {
            let found = match self.next(engine, from).await? {
                Ok(found) => found,
                Err(reason) => return Err(refused.unwrap_or_else(|| fault(&reason))),
            };
            match self.ask_responders(engine, cx, &found).await {
                Ok(()) => return Ok(found),
                Err(fault) => refused = Some(fault),
            }
            from = found.at + 1;
        }
    }

    async fn ask_responders(&self, engine: &Cert, cx: &Ctx, found: &Found) -> Result<(), Fault> {
        if !found.role.ocsp.enabled {
            return Ok(());
        }
        let Some(issuer) = found.chain.get(1) else {
            // Who signs themselves can be revoked by nobody but the operator.
            return match self.shown.leaf.subject == self.shown.leaf.issuer {
                true => Ok(()),
                false if found.role.ocsp.fail_open => Ok(()),
                false => Err(Fault::invalid(
                    "OCSP needs the issuer of the certificate; show it, too, or add it to the role",
                )),
            };
        };
        let question = ocsp::Question {
            leaf: &self.shown.leaf,
            issuer,
            fields: &found.role.ocsp,
        };
        ocsp::check(&engine.answers, cx, &question).await
    }

    /// The first role from this one on that trusts it by what is known here. Signatures are checked aside, by as many at
    /// once as the machine has cores.
    async fn next(&self, engine: &Cert, from: usize) -> Result<Result<Found, Reason>, Fault> {
        let turn = tokio::time::timeout(PATIENCE, engine.turns.acquire()).await;
        let turn = turn.map_err(|_| {
            let text = "too many certificates are being checked; try again in a moment";
            Fault::Unavailable(text.into())
        })?;
        let _turn = turn.map_err(Fault::internal)?;
        let (shown, lists, now) = (Arc::clone(&self.shown), Arc::clone(&self.lists), self.now);
        let candidates = self.candidates.clone();
        let work = move || first(&shown, &candidates, &lists, now, from);
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Fault::internal)
    }
}

fn first(
    shown: &Shown,
    candidates: &[Arc<Candidate>],
    lists: &[InForce],
    now: Duration,
    from: usize,
) -> Result<Found, Reason> {
    let shown = &shown.narrowed()?;
    let mut reason = Reason::NotTrusted;
    let against = |chain: &Chain| crl::against(lists, chain);
    for (at, candidate) in candidates.iter().enumerate().skip(from) {
        match trust::chain(shown, &candidate.trusted, now, &against) {
            Ok(chain) if candidate.role.constraints.hold(&shown.leaf) => {
                let candidate = Arc::clone(candidate);
                return Ok(Found {
                    at,
                    candidate,
                    chain,
                });
            }
            Ok(_) => reason = reason.max(Reason::Unsatisfied),
            Err(refusal) => reason = reason.max(refusal.into()),
        }
    }
    Err(reason)
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotTrusted => Self::NotTrusted,
            Refusal::Unfit(why) => Self::Unfit(why),
            Refusal::Revoked => Self::Revoked,
        }
    }
}

/// The same words for a role that is not there and for a certificate that it does not trust.
fn fault(reason: &Reason) -> Fault {
    match reason {
        Reason::NotTrusted => {
            Fault::invalid("invalid certificate or no client certificate supplied")
        }
        Reason::Unfit(why) => {
            Fault::Invalid(format!("failed to verify client's certificate: {why}"))
        }
        Reason::Unsatisfied => Fault::invalid(
            "no chain matching all constraints could be found for this login certificate",
        ),
        Reason::Revoked => {
            Fault::invalid("the certificate, or one that vouches for it, is revoked")
        }
    }
}

/// What the client showed in the handshake. What it showed beside its own certificate and nobody can read, helps nobody.
fn shown(cx: &Ctx) -> Result<Shown, Fault> {
    let all = &cx.request.certificates;
    let (leaf, others) = all
        .split_first()
        .ok_or_else(|| Fault::invalid("no client certificate found"))?;
    let bytes: usize = all.iter().map(Vec::len).sum();
    if all.len() > SHOWN_MAX || bytes > SHOWN_BYTES_MAX {
        return Err(Fault::invalid("the client shows too many certificates"));
    }
    let leaf = Certificate::read(leaf).map_err(|_| fault(&Reason::NotTrusted))?;
    let others = others.iter().filter_map(|der| Certificate::read(der).ok());
    Ok(Shown {
        leaf,
        others: others.collect(),
    })
}

/// The roles that could trust what is shown: the one that is named, or all in the order of their names.
async fn candidates(
    engine: &Cert,
    cx: &Ctx,
    shown: &Shown,
    role_name: &str,
) -> Result<Vec<Arc<Candidate>>, Fault> {
    if !role_name.is_empty() {
        let name = names::normal(role_name);
        let found = candidate(engine, cx, shown, name).await?;
        return Ok(found.into_iter().collect());
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = Role::names(cx, after.as_deref()).await?;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = Some(last.clone());
        for name in page {
            found.extend(candidate(engine, cx, shown, name).await?);
        }
    }
}

async fn candidate(
    engine: &Cert,
    cx: &Ctx,
    shown: &Shown,
    name: String,
) -> Result<Option<Arc<Candidate>>, Fault> {
    let Some(role) = Role::find(cx, &name).await? else {
        return Ok(None);
    };
    let trusted = engine
        .anchors
        .read(&role.certificate)
        .map_err(|why| Fault::internal(why.0))?;
    let candidate = Candidate {
        name,
        role,
        trusted,
    };
    let found = Some(candidate).filter(|it| trust::may_vouch(shown, &it.trusted));
    Ok(found.map(Arc::new))
}

async fn accepted(cx: &Ctx, leaf: &Certificate, found: &Found) -> Result<Box<Login>, Fault> {
    let (name, role) = (&found.name, &found.role);
    let extensions = role.allowed_metadata_extensions.as_deref();
    let metadata = constraints::metadata(leaf, name, extensions.unwrap_or_default());
    let is_noted = Config::of(cx).await?.enable_identity_alias_metadata;
    let noted = Some(&metadata).filter(|_| is_noted);
    let noted = noted.cloned().unwrap_or_default();
    let alias = role.token.alias(leaf.common_name.clone(), noted);
    let entered = Entered {
        role_name: name.clone(),
        fingerprint: fingerprint(leaf),
        policies: role.token.policies.clone(),
    };
    let login = Login {
        display_name: role.display_name.clone(),
        metadata,
        alias: Some(alias),
        ..role.token.login(cx.request.client)
    };
    login.with_session(&entered).map(Box::new)
}

fn fingerprint(leaf: &Certificate) -> String {
    hex::encode(sha256(&leaf.der))
}
