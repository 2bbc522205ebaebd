use std::path::PathBuf;

use super::Place;

/// Why a configuration cannot be used. Every text names the place and what to write; none holds a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory cannot be read.
    #[error("cannot read the configuration {}: {source}; check the path given with -config and its permissions", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file is no text, too large, or a directory holds nothing to read, or too much.
    #[error("the configuration {} {problem}", path.display())]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong and what to do, as the end of the sentence.
        problem: String,
    },

    /// A wrong spelling, type or value at a place.
    #[error("{place}: {found}, expected {expected}; {advice}")]
    At {
        /// Where.
        place: Place,
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
        /// What to do.
        advice: String,
    },

    /// A key that neither Vault, OpenBao nor Coffer knows.
    #[error("{place}: unknown key `{key}` in {stanza}; {}", hint(suggestion))]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// The stanza, for people: "the configuration", "`listener \"tcp\"`".
        stanza: String,
        /// The nearest known key.
        suggestion: Option<String>,
    },

    /// A storage of Vault's that is not served.
    #[error(
        "{place}: storage `{kind}` is not supported; use `storage \"embedded\" {{ path = \"…\" }}` \
         (`file` and `raft` mean the same) or, for tests, `storage \"inmem\" {{}}`"
    )]
    UnsupportedStorage {
        /// Where.
        place: Place,
        /// What was asked for.
        kind: String,
    },

    /// A seal of Vault's that is not served.
    #[error(
        "{place}: seal `{kind}` is not supported; there are {}, and `shamir` for key shares, which needs no stanza", coffer_seals::KINDS.join(", ")
    )]
    UnsupportedSeal {
        /// Where.
        place: Place,
        /// What was asked for.
        kind: String,
    },

    /// Neither `storage` nor `backend` in any file.
    #[error(
        "no storage is configured; write `storage \"embedded\" {{ path = \"/var/lib/coffer\" }}` to a configuration file"
    )]
    NoStorage,

    /// No `listener` in any file.
    #[error(
        "no listener is configured; write `listener \"tcp\" {{ address = \"127.0.0.1:8200\" tls_cert_file = \"…\" \
         tls_key_file = \"…\" }}` to a configuration file"
    )]
    NoListener,
}

fn hint(suggestion: &Option<String>) -> String {
    match suggestion {
        Some(key) => format!("did you mean `{key}`?"),
        None => "remove it, or check its spelling".to_owned(),
    }
}
