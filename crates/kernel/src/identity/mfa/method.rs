//! How codes are made.

use std::time::Duration;

use coffer_barrier::Stored;
use coffer_crypto::otp::OtpHash;
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use crate::identity::edit::Noun;
use crate::open::Open;

/// The kinds of methods that other servers have, and this one has not: each asks a service outside, which nobody could
/// try here.
pub const ELSEWHERE: [&str; 3] = ["duo", "okta", "pingid"];

/// A method, as stored under `method/<id>`: codes by time (RFC 6238).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Method {
    /// Names it for ever.
    pub id: String,
    /// What people call it: no other method of the namespace is called so. May be empty.
    pub name: String,
    /// Who people see in their authenticator.
    pub issuer: String,
    /// How codes are made.
    pub terms: Terms,
    /// How many bytes a secret has.
    pub key_size: u16,
    /// How many pixels wide the picture of a secret is; 0 for no picture.
    pub qr_size: u16,
    /// How many wrong codes in a row lock somebody out for a while.
    pub max_attempts: u32,
}

/// How codes are made of a secret. A secret keeps the terms that it was handed out with: a device knows no others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The hash.
    pub hash: HashName,
    /// How many digits a code has.
    pub digits: u32,
    /// How long a code is shown.
    pub period: Duration,
    /// How many periods a device's clock may be off, either way.
    pub skew: u64,
}

/// The hash of a method, by the name that clients know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HashName {
    /// SHA-1.
    #[default]
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Stored for Method {}

impl Noun for Method {
    const FOLDER: &'static str = "method/";
}

impl HashName {
    /// The hash of exactly that name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|hash| hash.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// The hash.
    pub fn hash(self) -> OtpHash {
        match self {
            Self::Sha1 => OtpHash::Sha1,
            Self::Sha256 => OtpHash::Sha256,
            Self::Sha512 => OtpHash::Sha512,
        }
    }
}

/// The method with an id, and the namespace it is of: the one at hand or one above.
pub async fn find(open: &Open, id: &str) -> Result<Option<(Method, Open)>, Fault> {
    if !super::super::name::is_id(id) {
        return Ok(None);
    }
    for space in open.space.line() {
        if let Some(method) = space.mfa.get::<Method>(id).await? {
            return Ok(Some((method, Open::new(open, space))));
        }
    }
    Ok(None)
}

/// All methods of the namespace at hand and those above, each with the namespace it is of.
pub async fn all(open: &Open) -> Result<Vec<(Method, Open)>, Fault> {
    let mut found = Vec::new();
    for space in open.space.line() {
        let methods = space.mfa.all::<Method>().await?;
        let home = Open::new(open, space);
        found.extend(
            methods
                .into_iter()
                .map(|(_, method)| (method, home.clone())),
        );
    }
    Ok(found)
}
