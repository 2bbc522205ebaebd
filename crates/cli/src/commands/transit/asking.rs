//! Requests, and what to do about those that are refused.

use coffer_client::{Error, Method, Request, Secret};

use super::body::Body;
use crate::context::Context;
use crate::failure::Failure;

/// Words of a refusal, and the step that helps.
const STEPS: [(&str, &str); 15] = [
    (
        "no handler for route",
        "Nothing is mounted there. Mount the engine with `coffer secrets enable transit`, or say where it is with -mount=PATH \
         (`coffer secrets list` shows it).",
    ),
    (
        "key not found",
        "There is no key of this name: `coffer transit keys list` shows those that there are, `coffer transit keys create NAME` \
         makes one.",
    ),
    (
        "deletion is not allowed",
        "Deleting a key makes all that it encrypted unreadable for ever. If that is wanted, allow it first: `coffer transit keys \
         config -deletion-allowed NAME`. `coffer transit keys soft-delete NAME` can be undone.",
    ),
    (
        "missing 'context'",
        "The key is derived: say for what with -context=…, the same for encrypting and decrypting, signing and verifying.",
    ),
    (
        "version is disallowed by policy",
        "`coffer transit keys read NAME` shows the oldest version that is accepted (min_decryption_version); `coffer transit keys \
         config -min-decryption-version=N NAME` accepts older ones again.",
    ),
    (
        "version is too new",
        "It was made by a version that this key does not have: is it the right key, and the right server?",
    ),
    (
        "message authentication failed",
        "The ciphertext, the key, -context or -associated-data is not the one that it was encrypted with.",
    ),
    (
        "no prefix",
        "Give it as the server answered it, beginning with \"vault:v\".",
    ),
    (
        "soft-deleted",
        "`coffer transit keys undelete NAME` brings the key back.",
    ),
    (
        "not exportable",
        "The key was made to stay. If it may leave the server, `coffer transit keys config -exportable NAME` says so; that can \
         not be taken back.",
    ),
    (
        "exporting is disallowed",
        "Only keys that may leave the server can be backed up: `coffer transit keys config -exportable -allow-plaintext-backup \
         NAME`; that can not be taken back.",
    ),
    (
        "plaintext backup is disallowed",
        "A backup holds the key itself. If it may leave the server so, `coffer transit keys config -allow-plaintext-backup NAME` \
         says so; that can not be taken back.",
    ),
    (
        "minimum encryption version is not set",
        "Say first which versions are in use: `coffer transit keys config -min-decryption-version=N -min-encryption-version=N \
         NAME`.",
    ),
    (
        "request body too large",
        "Encrypt large files with `coffer envelope encrypt`; sign a digest of them with -prehashed.",
    ),
    (
        "does not support",
        "`coffer transit keys read NAME` shows the type of the key and what it can do.",
    ),
];

/// Writes to the engine; `None` where it has nothing to answer.
pub(super) async fn write(
    cx: &Context,
    path: &str,
    body: &Body,
    doing: &str,
) -> Result<Option<Secret>, Failure> {
    let answer = cx.client()?.write(path, body.fields()).await;
    answer.map_err(|error| refused(doing, &error))
}

/// Writes what must not take effect twice: a POST is not sent again when a connection breaks.
pub(super) async fn write_once(
    cx: &Context,
    path: &str,
    body: &Body,
    doing: &str,
) -> Result<Option<Secret>, Failure> {
    let request = Request::new(Method::Post, path)
        .json(body.fields())
        .map_err(|error| refused(doing, &error))?
        .wrappable();
    let response = cx.client()?.send(request).await;
    let answer = response.and_then(coffer_client::Response::ok);
    answer
        .and_then(coffer_client::Response::secret)
        .map_err(|error| refused(doing, &error))
}

/// Writes to the engine, which has to answer.
pub(super) async fn ask(
    cx: &Context,
    path: &str,
    body: &Body,
    doing: &str,
) -> Result<Secret, Failure> {
    let answer = write(cx, path, body, doing).await?;
    answer.ok_or_else(|| Failure::nothing_at(path))
}

/// Reads from the engine.
pub(super) async fn read(
    cx: &Context,
    path: &str,
    query: &[(&str, &str)],
    doing: &str,
) -> Result<Secret, Failure> {
    let answer = cx.client()?.read(path, query).await;
    let answer = answer.map_err(|error| refused(doing, &error))?;
    answer.ok_or_else(|| Failure::nothing_at(path))
}

/// What was attempted, what the server said, and what helps.
pub(super) fn refused(doing: &str, error: &Error) -> Failure {
    let mut failure = Failure::remote(doing, error);
    if let (Error::Api { errors, .. }, None) = (error, error.next_step())
        && let Some(step) = step(errors)
    {
        failure.text.push_str("\n\n");
        failure.text.push_str(step);
    }
    failure
}

/// The step that helps against what the server said.
pub(super) fn step(errors: &[String]) -> Option<&'static str> {
    let said = |words: &str| errors.iter().any(|error| error.contains(words));
    STEPS
        .iter()
        .find(|(words, _)| said(words))
        .map(|(_, step)| *step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_helps() {
        let error = |text: &str| Error::Api {
            status: 400,
            method: Method::Put,
            url: "http://h/v1/transit/decrypt/a".to_owned(),
            errors: vec![text.to_owned()],
            warnings: Vec::new(),
        };
        let failure = refused("decrypting", &error("encryption key not found"));
        assert_eq!(failure.code, 2);
        assert!(failure.text.ends_with("makes one."), "{}", failure.text);
        assert!(
            !refused("x", &error("something else"))
                .text
                .contains("coffer")
        );
    }
}
