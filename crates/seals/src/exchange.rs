//! Asking a keeper by HTTP: what is true of all of them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::WrapError;
use coffer_crypto::Zeroizing;
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_wire::parse_foreign;
use serde::de::DeserializeOwned;

/// How long a keeper's answer may be, in bytes: some hundred that are wrapped, and what stands around them.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long what was unwrapped may be, in bytes.
const PLAINTEXT_BYTES_MAX: usize = 4 << 10;

/// A keeper that is asked by HTTP.
pub(crate) struct Exchange {
    outbound: Arc<dyn Outbound>,
    /// The kind of the keeper, as it stands in the log and has its turns.
    owner: String,
    /// How it is called in errors.
    pub(crate) who: &'static str,
}

impl Exchange {
    pub(crate) fn new(outbound: Arc<dyn Outbound>, kind: &str, who: &'static str) -> Self {
        Self {
            outbound,
            owner: format!("seal/{kind}"),
            who,
        }
    }

    /// Whatever is answered.
    pub(crate) async fn ask(&self, request: Request) -> Result<Response, WrapError> {
        self.ask_of(self.who, request).await
    }

    /// The same of somebody else, who is needed besides: an issuer of tokens.
    pub(crate) async fn ask_of(&self, who: &str, request: Request) -> Result<Response, WrapError> {
        let request = Request {
            most: ANSWER_BYTES_MAX.min(request.most),
            ..request
        };
        let answer = self.outbound.fetch(&self.owner, request).await;
        answer.map_err(|fault| WrapError::Unreachable(format!("{who}: {fault}")))
    }

    pub(crate) fn unreachable(&self, why: &str) -> WrapError {
        WrapError::Unreachable(format!("{}: {why}", self.who))
    }

    pub(crate) fn refused(&self, why: &str) -> WrapError {
        WrapError::Refused(format!("{}: {why}", self.who))
    }

    pub(crate) fn garbled(&self, why: &str) -> WrapError {
        WrapError::Garbled(format!("{}: {why}", self.who))
    }

    /// What an answer says.
    pub(crate) fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, WrapError> {
        read(self.who, body)
    }

    /// A plaintext that was answered in base64.
    pub(crate) fn plaintext(&self, text: &str) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let read = STANDARD.decode(text).map(Zeroizing::new);
        match read {
            Err(_) => Err(self.garbled("the plaintext is no base64")),
            Ok(bytes) => self.fit(bytes),
        }
    }

    /// A plaintext, if it is as long as one may be.
    pub(crate) fn fit(&self, bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        match bytes.len() {
            1..=PLAINTEXT_BYTES_MAX => Ok(bytes),
            length => Err(self.garbled(&format!("a plaintext of {length} bytes is none of ours"))),
        }
    }
}

/// What somebody's answer says.
pub(crate) fn read<T: DeserializeOwned>(who: &str, body: &[u8]) -> Result<T, WrapError> {
    // The parser's own words would repeat what it was given.
    let garbled = |_| WrapError::Garbled(format!("{who}: the answer is not understood"));
    parse_foreign(body).map_err(garbled)
}

/// What a status says that is not the one of success, where nothing more is known.
pub(crate) fn unlike(who: &str, status: u16) -> WrapError {
    let text = |what: &str| format!("{who}: {what} (status {status})");
    match status {
        300..=399 => WrapError::Garbled(text("it answers with a redirect, which is not followed")),
        401 | 403 => WrapError::Refused(text(
            "it refuses: no right, or credentials that are no good",
        )),
        404 => WrapError::Refused(text("what is asked for is not there")),
        408 | 429 => WrapError::Unreachable(text("it is overloaded")),
        400..=499 => WrapError::Refused(text("it refuses what it was asked")),
        500..=599 => WrapError::Unreachable(text("it can not answer now")),
        _ => WrapError::Garbled(text("it answers with an unknown status")),
    }
}

/// In base64, as plaintexts travel.
pub(crate) fn encoded(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_to_try_again() {
        for (status, is_worth_it) in [
            (429, true),
            (500, true),
            (503, true),
            (400, false),
            (403, false),
        ] {
            let error = unlike("it", status);
            assert_eq!(
                matches!(error, WrapError::Unreachable(_)),
                is_worth_it,
                "{status}"
            );
        }
        for status in [101, 204, 302, 307, 999] {
            assert!(
                matches!(unlike("it", status), WrapError::Garbled(_)),
                "{status}"
            );
        }
    }
}
