//! Asking those who know whether a certificate is revoked now.

mod cache;
mod message;

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::sha256;
use coffer_engine::{Ctx, Fault, outbound};

use super::certificate::{self, Certificate};
use super::config::Config;
use super::role::OcspFields;
use super::role_write::{OCSP_SERVERS_MAX, is_web_address};
use super::signature;
pub(super) use cache::Cache;
use message::{ANSWER_BYTES_MAX, Answer, CertId, Standing};

/// How long one responder has.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long all of them have together.
const TIMEOUT_OF_ALL: Duration = Duration::from_secs(15);
/// How often a responder that does not answer is asked again, where nothing is said.
const RETRIES: u8 = 1;
/// How far the responder's clock may be ahead.
const SKEW: Duration = Duration::from_secs(300);
/// How old an answer may be that does not say until when it holds.
const AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// How many certificates of an answer are looked at.
const RESPONDERS_MAX: usize = 8;

/// A certificate and who vouches for it.
pub(super) struct Question<'a> {
    pub(super) leaf: &'a Certificate,
    pub(super) issuer: &'a Arc<Certificate>,
    pub(super) fields: &'a OcspFields,
}

/// What is known of a certificate, for as long as that holds.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    standing: Standing,
    /// When the responder knew it, since 1970.
    this_update: Duration,
    /// Until when it holds, since 1970.
    until: Duration,
}

/// Refuses a certificate that is revoked, or of which nobody says that it is not, unless the role lets that pass.
pub(super) async fn check(cache: &Cache, cx: &Ctx, question: &Question<'_>) -> Result<(), Fault> {
    let asked = tokio::time::timeout(TIMEOUT_OF_ALL, asked(cache, cx, question)).await;
    let standing = asked.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    match standing {
        Ok(Standing::Good) => Ok(()),
        Ok(Standing::Revoked) => Err(Fault::invalid("the certificate is revoked")),
        _ if question.fields.fail_open => Ok(()),
        Ok(Standing::Unknown) => Err(Fault::invalid(
            "the OCSP responder does not know the certificate",
        )),
        Err(why) => Err(Fault::Invalid(format!(
            "no OCSP responder says that the certificate is good: {why}"
        ))),
    }
}

async fn asked(cache: &Cache, cx: &Ctx, question: &Question<'_>) -> Result<Standing, String> {
    let servers = servers(question);
    if servers.is_empty() {
        return Err("the certificate names none, and the role has no ocsp_servers_override".into());
    }
    let size = Config::of(cx)
        .await
        .map_err(|fault| fault.to_string())?
        .answers_max();
    let all = question.fields.query_all_servers;
    let mut worst = None;
    for server in servers {
        let said = ask_cached(cache, cx, question, server, size).await;
        match said {
            Ok(Standing::Revoked) => return said,
            Ok(Standing::Good) if !all => return said,
            Ok(Standing::Good) => worst = worst.or(Some(said)),
            Ok(Standing::Unknown) | Err(_) => worst = Some(said),
        }
    }
    worst.unwrap_or_else(|| Err("there is nobody to ask".to_owned()))
}

/// The addresses of those who are asked. Those in the certificate were put there by who signed it.
fn servers<'a>(question: &'a Question<'_>) -> Vec<&'a String> {
    let own = question.fields.servers_override.as_ref();
    let own = own.filter(|servers| !servers.is_empty());
    let servers = own.unwrap_or(&question.leaf.ocsp_servers).iter();
    let servers = servers.filter(|server| is_web_address(server));
    servers.take(OCSP_SERVERS_MAX).collect()
}

async fn ask_cached(
    cache: &Cache,
    cx: &Ctx,
    question: &Question<'_>,
    server: &str,
    size: usize,
) -> Result<Standing, String> {
    let now = Duration::from_secs(cx.now.secs());
    let key = key_of(question, server);
    let kept = cache.get(&key, now);
    if let Some(kept) = kept.filter(|kept| is_young(kept, question.fields, now)) {
        return Ok(kept.standing);
    }
    let mut tries = question.fields.max_retries.unwrap_or(RETRIES) + 1;
    loop {
        tries -= 1;
        match (ask(cx, question, server, now).await, tries) {
            (Ok(verdict), _) => {
                cache.put(key, verdict, size, now);
                return Ok(verdict.standing);
            }
            (Err(why), 0) => return Err(why),
            (Err(_), _) => {}
        }
    }
}

/// What was asked, whom, and whom the role would believe.
fn key_of(question: &Question<'_>, server: &str) -> [u8; 32] {
    let parts = [
        question.leaf.der.as_ref(),
        question.issuer.der.as_ref(),
        question.fields.ca_certificates.as_bytes(),
        server.as_bytes(),
    ];
    let digests = parts.map(sha256);
    sha256(digests.as_flattened())
}

async fn ask(
    cx: &Ctx,
    question: &Question<'_>,
    server: &str,
    now: Duration,
) -> Result<Verdict, String> {
    let id = CertId::of(question.leaf, question.issuer).map_err(|why| why.0)?;
    let nonce = cx.random.bytes::<32>();
    let body = message::request(&id, &nonce).map_err(|why| why.0)?;
    let request = outbound::Request {
        timeout: TIMEOUT,
        most: ANSWER_BYTES_MAX,
        ..outbound::Request::post(server, "application/ocsp-request", body)
    };
    let request = request.trusting(question.fields.ca_certificates.clone());
    let answer = cx.fetch(request).await.map_err(|fault| fault.to_string())?;
    if answer.status != 200 {
        return Err(format!("a responder answers with status {}", answer.status));
    }
    let answer = Answer::read(&answer.body, &id).map_err(|why| why.0)?;
    if answer.nonce.as_ref().is_some_and(|echo| *echo != nonce) {
        return Err("the answer is to another question".to_owned());
    }
    if !is_by_responder(&answer, question, now) {
        return Err("the answer is not signed by anybody who may".to_owned());
    }
    let this_update = answer.this_update;
    let until = answer.next_update.unwrap_or(this_update + AGE_MAX);
    let verdict = Verdict {
        standing: answer.standing,
        this_update,
        until,
    };
    match this_update <= now + SKEW && now < until && is_young(&verdict, question.fields, now) {
        true => Ok(verdict),
        false => Err("the answer is not of this time".to_owned()),
    }
}

fn is_young(verdict: &Verdict, fields: &OcspFields, now: Duration) -> bool {
    let most = fields.this_update_max_age;
    most.is_zero() || now.saturating_sub(verdict.this_update) <= most.0
}

/// Whether an answer is signed by the issuer itself, by somebody whom the issuer lets sign answers, or by somebody whom an
/// operator named.
fn is_by_responder(answer: &Answer, question: &Question<'_>, now: Duration) -> bool {
    let issuer = question.issuer;
    if signature::is_by(&answer.signed, &issuer.key) {
        return true;
    }
    let named = certificate::from_pem(&question.fields.ca_certificates).unwrap_or_default();
    let mut named = named.iter().filter(|one| one.is_valid_at(now));
    if named.any(|one| signature::is_by(&answer.signed, &one.key)) {
        return true;
    }
    let came = answer.certificates.iter().take(RESPONDERS_MAX);
    let mut came = came.filter_map(|der| Certificate::read(der).ok());
    came.any(|one| {
        one.issuer == issuer.subject
            && one.signs_ocsp()
            && one.is_valid_at(now)
            && signature::is_by(&one.signed, &issuer.key)
            && signature::is_by(&answer.signed, &one.key)
    })
}
