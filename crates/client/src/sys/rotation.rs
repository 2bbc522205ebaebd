use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Sys, is_false};
use crate::{Error, Method, Request, Response, Token, nullable};

/// Keys that people hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Those that unseal the server; where seals do, nobody's.
    Unseal,
    /// Those that allow, where seals open the server.
    Recovery,
    /// Those that open the server without its seals.
    BreakGlass,
}

impl Sys<'_> {
    /// The state of the key that encrypts storage.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn key_status(&self) -> Result<KeyStatus, Error> {
        self.get_data("sys/key-status").await
    }

    /// Begins a new encryption key; what is stored stays readable.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn rotate(&self) -> Result<(), Error> {
        self.done(Method::Put, "sys/rotate", &json!({})).await
    }

    /// The state of a change of the unseal keys.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn rekey_status(&self, of: Keys) -> Result<RekeyState, Error> {
        self.either(Method::Get, &rekey(of, "init"), &Nothing {})
            .await?
            .ok()?
            .bare()
    }

    /// Begins a change of the unseal keys.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn rekey_init(&self, of: Keys, shares: &NewShares) -> Result<RekeyState, Error> {
        self.either(Method::Put, &rekey(of, "init"), shares)
            .await?
            .ok()?
            .bare()
    }

    /// Gives up a change of the unseal keys. The attempt's nonce shows that it is one's own.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn rekey_cancel(&self, of: Keys, nonce: &str) -> Result<(), Error> {
        self.either(
            Method::Delete,
            &self.cancel_paths(rekey(of, "init"), nonce),
            &Cancel { nonce },
        )
        .await?
        .ok()
        .map(drop)
    }

    /// Gives one of the present unseal keys; the last one needed is answered by the new keys.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn rekey_update(&self, of: Keys, attempt: &Attempt) -> Result<RekeyAnswer, Error> {
        self.either(Method::Put, &rekey(of, "update"), attempt)
            .await?
            .ok()?
            .bare()
    }

    /// Shows that a new key was kept, where the change asked for that.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn rekey_verify(&self, of: Keys, attempt: &Attempt) -> Result<RekeyAnswer, Error> {
        self.either(Method::Put, &rekey(of, "verify"), attempt)
            .await?
            .ok()?
            .bare()
    }

    /// The state of the making of a new root token.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn root_status(&self) -> Result<RootAttempt, Error> {
        self.either(Method::Get, &root("attempt"), &Nothing {})
            .await?
            .ok()?
            .bare()
    }

    /// Begins to make a new root token. Without `otp` and `pgp_key` the server makes a one-time password.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn root_init(&self, otp: &str, pgp_key: &str) -> Result<RootAttempt, Error> {
        self.either(
            Method::Put,
            &root("attempt"),
            &json!({ "otp": otp, "pgp_key": pgp_key }),
        )
        .await?
        .ok()?
        .bare()
    }

    /// Gives up the making of a root token. The attempt's nonce shows that it is one's own.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn root_cancel(&self, nonce: &str) -> Result<(), Error> {
        self.either(
            Method::Delete,
            &self.cancel_paths(root("attempt"), nonce),
            &Cancel { nonce },
        )
        .await?
        .ok()
        .map(drop)
    }

    /// Gives one unseal key; the last one needed is answered by the encoded token.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn root_update(&self, attempt: &Attempt) -> Result<RootAttempt, Error> {
        self.either(Method::Put, &root("update"), attempt)
            .await?
            .ok()?
            .bare()
    }

    /// Without the nonce only a token shows that the attempt may be given up: OpenBao's path asks for one, so it goes first.
    fn cancel_paths(&self, [vault, bao]: [String; 2], nonce: &str) -> [String; 2] {
        match nonce.is_empty() && self.client.token().is_some() {
            true => [bao, vault],
            false => [vault, bao],
        }
    }

    /// Asks at the path Vault serves, and at OpenBao's where that one is not served.
    async fn either(
        &self,
        method: Method,
        paths: &[String; 2],
        body: &impl Serialize,
    ) -> Result<Response, Error> {
        let [first, second] = paths;
        let request = |path| match method {
            Method::Get => Ok(Request::new(method, path)),
            _ => Request::new(method, path).json(body),
        };
        let answer = self.client.send(request(first)?).await?;
        if !matches!(answer.status(), 404 | 405) {
            return Ok(answer);
        }
        self.client.send(request(second)?).await
    }
}

fn rekey(of: Keys, step: &str) -> [String; 2] {
    match of {
        Keys::Unseal => [
            format!("sys/rekey/{step}"),
            format!("sys/rotate/root/{step}"),
        ],
        Keys::Recovery => [
            format!("sys/rekey-recovery-key/{step}"),
            format!("sys/rotate/recovery/{step}"),
        ],
        Keys::BreakGlass => [
            format!("sys/break-glass/{step}"),
            format!("sys/break-glass/{step}"),
        ],
    }
}

fn root(step: &str) -> [String; 2] {
    [
        format!("sys/generate-root/{step}"),
        format!("sys/generate-root-token/{step}"),
    ]
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct Cancel<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    nonce: &'a str,
}

/// The key that encrypts storage.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyStatus {
    /// Counts keys from 1.
    pub term: u64,
    /// When it was made, RFC 3339.
    pub install_time: String,
    /// How often it has encrypted.
    pub encryptions: u64,
}

/// How new unseal keys are to be made.
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewShares {
    /// How many keys.
    pub secret_shares: u32,
    /// How many of them unseal.
    pub secret_threshold: u32,
    /// PGP keys (base64) the new keys are encrypted to, one each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pgp_keys: Vec<String>,
    /// Whether the server keeps a copy of the encrypted keys.
    #[serde(skip_serializing_if = "is_false")]
    pub backup: bool,
    /// Whether the new keys hold only once they were given back.
    #[serde(skip_serializing_if = "is_false")]
    pub require_verification: bool,
}

/// One key given to an attempt.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// The key (hexadecimal or base64).
    pub key: Token,
    /// Which attempt it is for.
    pub nonce: String,
}

/// The state of a change of the unseal keys.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RekeyState {
    /// Names the attempt.
    pub nonce: String,
    /// Whether there is one.
    pub started: bool,
    /// How many keys there will be.
    pub n: u32,
    /// How many of them will unseal.
    pub t: u32,
    /// How many present keys were given.
    pub progress: u32,
    /// How many present keys are needed.
    pub required: u32,
    /// PGP fingerprints the new keys are encrypted to.
    #[serde(with = "nullable")]
    pub pgp_fingerprints: Vec<String>,
    /// Whether a copy of the encrypted keys is kept.
    pub backup: bool,
    /// Whether the new keys must be given back once.
    pub verification_required: bool,
    /// Names the giving back.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub verification_nonce: String,
    /// Whether the new keys are made already, because nobody held any before.
    #[serde(skip_serializing_if = "is_false")]
    pub complete: bool,
    /// The new keys then, hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Token>,
    /// The new keys then, base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys_base64: Vec<Token>,
}

/// What giving a key to a change of unseal keys answers: the new keys when it was the last one needed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RekeyAnswer {
    /// Names the attempt.
    pub nonce: String,
    /// Whether the new keys are made.
    pub complete: bool,
    /// The new keys, hexadecimal.
    #[serde(with = "nullable")]
    pub keys: Vec<Token>,
    /// The new keys, base64.
    #[serde(with = "nullable")]
    pub keys_base64: Vec<Token>,
    /// PGP fingerprints the new keys are encrypted to.
    #[serde(with = "nullable")]
    pub pgp_fingerprints: Vec<String>,
    /// Whether a copy of the encrypted keys is kept.
    pub backup: bool,
    /// Whether the new keys must be given back before they hold.
    pub verification_required: bool,
    /// Names the giving back.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub verification_nonce: String,
}

/// The state of the making of a root token.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RootAttempt {
    /// Names the attempt.
    pub nonce: String,
    /// Whether there is one.
    pub started: bool,
    /// How many keys were given.
    pub progress: u32,
    /// How many keys are needed.
    pub required: u32,
    /// Whether the token is made.
    pub complete: bool,
    /// The token, encoded with the one-time password or encrypted to the PGP key.
    pub encoded_token: String,
    /// The same under its elder name.
    pub encoded_root_token: String,
    /// The PGP key's fingerprint.
    pub pgp_fingerprint: String,
    /// The one-time password, shown once at the beginning.
    pub otp: Token,
    /// How long a one-time password must be.
    pub otp_length: usize,
}
