//! What the engine refuses, and what to do about it.

use coffer_client::Error;

use crate::failure::Failure;

/// Words of a refusal, and the step that helps.
const STEPS: [(&str, &str); 15] = [
    (
        "no handler for route",
        "Nothing is mounted there. Mount the engine with `coffer secrets enable kms`, or say where it is with -mount=PATH \
         (`coffer secrets list` shows it).",
    ),
    (
        "NotFoundException: alias",
        "`coffer kms alias list` shows the aliases that there are, `coffer kms alias create -key=ID alias/NAME` makes one.",
    ),
    (
        "NotFoundException: key",
        "`coffer kms list` shows the keys that there are (aliases are written alias/NAME), `coffer kms create` makes one.",
    ),
    (
        "DisabledException",
        "`coffer kms enable -key=…` lets the key be used again.",
    ),
    (
        "is pending deletion",
        "If it is still needed: `coffer kms cancel-deletion -key=…`, then `coffer kms enable -key=…`.",
    ),
    (
        "is pending import",
        "Its material is missing: `coffer kms import -key=… FILE` brings it.",
    ),
    (
        "waits for its rotation already",
        "`coffer kms rotate -key=…` puts it in use.",
    ),
    (
        "has no imported material that waits",
        "Import the next material first: `coffer kms import -new -key=… FILE`.",
    ),
    (
        "none that the key had before",
        "If it is to be the next material of the key, say so with -new.",
    ),
    (
        "InvalidCiphertextException: the ciphertext",
        "The ciphertext, the key or -context is not the one that it was encrypted with. For RSA keys, -algorithm has to be the \
         same, too.",
    ),
    (
        "InvalidKeyUsageException",
        "`coffer kms describe -key=…` shows what the key is for, and its algorithms.",
    ),
    (
        "AlreadyExistsException",
        "`coffer kms alias update` lets the alias stand for another key.",
    ),
    (
        "of another kind or usage",
        "`coffer kms alias delete`, then `coffer kms alias create`: whoever uses the alias gets a key of another kind then.",
    ),
    (
        "the limit is 4096",
        "Encrypt what is larger with `coffer envelope encrypt`; sign its digest with -digest.",
    ),
    (
        "for symmetric encryption keys alone",
        "`coffer kms describe -key=…` shows what the key is.",
    ),
];

/// Puts "what was attempted" before what the engine said, and what helps after it.
pub(super) trait Explained<T> {
    /// See [`Failure::remote`].
    fn or_failed(self, doing: impl AsRef<str>) -> Result<T, Failure>;
}

impl<T> Explained<T> for Result<T, Error> {
    fn or_failed(self, doing: impl AsRef<str>) -> Result<T, Failure> {
        self.map_err(|error| {
            let mut failure = Failure::remote(doing.as_ref(), &error);
            if let (Error::Api { errors, .. }, None) = (&error, error.next_step())
                && let Some(step) = step(errors)
            {
                failure.text.push_str("\n\n");
                failure.text.push_str(step);
            }
            failure
        })
    }
}

/// Whether the server has checked, and found it wrong.
pub(super) fn is_not_genuine(error: &Error) -> bool {
    const NAMES: [&str; 2] = ["KMSInvalidSignatureException", "KMSInvalidMacException"];
    match error {
        Error::Api { errors, .. } => errors
            .iter()
            .any(|text| NAMES.iter().any(|name| text.contains(name))),
        _ => false,
    }
}

fn step(errors: &[String]) -> Option<&'static str> {
    let said = |words: &str| errors.iter().any(|error| error.contains(words));
    let found = STEPS.iter().find(|(words, _)| said(words));
    found.map(|(_, step)| *step)
}
