//! `transit`: encrypt, sign and hash with keys that stay in the server.
//!
//! Bytes go in and come out as bytes: base64, which the API wants, is made and unmade here. [`source`] says where they come
//! from, [`place`] which key is meant, [`batch`] does many items in few requests, [`asking`] talks to the server and explains
//! what it refuses.

mod asking;
mod backup;
mod batch;
mod binding;
mod body;
mod datakey;
mod decrypt;
mod encrypt;
mod export;
mod hash;
mod hmac;
mod import;
mod import_version;
mod keys;
mod place;
mod printing;
mod random;
mod restore;
mod rewrap;
mod scheme;
mod sign;
mod source;
mod verdict;
mod verify;
mod verify_hmac;
mod wrapping;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Encrypt, sign and hash with keys that stay in the server
#[derive(Debug, Subcommand)]
pub(crate) enum Transit {
    #[command(subcommand)]
    Keys(keys::Keys),
    Encrypt(encrypt::Encrypt),
    Decrypt(decrypt::Decrypt),
    Rewrap(rewrap::Rewrap),
    Datakey(datakey::Datakey),
    Sign(sign::Sign),
    Verify(verify::Verify),
    Hmac(hmac::Hmac),
    VerifyHmac(verify_hmac::VerifyHmac),
    Hash(hash::Hash),
    Random(random::Random),
    Export(export::Export),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Import(import::Import),
    ImportVersion(import_version::ImportVersion),
}

impl Transit {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Keys(keys) => keys.run(cx).await,
            Self::Encrypt(encrypt) => encrypt.run(cx).await,
            Self::Decrypt(decrypt) => decrypt.run(cx).await,
            Self::Rewrap(rewrap) => rewrap.run(cx).await,
            Self::Datakey(datakey) => datakey.run(cx).await,
            Self::Sign(sign) => sign.run(cx).await,
            Self::Verify(verify) => verify.run(cx).await,
            Self::Hmac(hmac) => hmac.run(cx).await,
            Self::VerifyHmac(verify) => verify.run(cx).await,
            Self::Hash(hash) => hash.run(cx).await,
            Self::Random(random) => random.run(cx).await,
            Self::Export(export) => export.run(cx).await,
            Self::Backup(backup) => backup.run(cx).await,
            Self::Restore(restore) => restore.run(cx).await,
            Self::Import(import) => import.run(cx).await,
            Self::ImportVersion(import) => import.run(cx).await,
        }
    }
}
