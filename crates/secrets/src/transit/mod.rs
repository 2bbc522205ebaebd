//! Encryption as a service: keys that stay here, and what they do for those who may use them.
//!
//! | file | what it holds |
//! |---|---|
//! | [`kind`] | the kinds of keys and what each can do |
//! | [`key`] | what is stored of a key and of its versions, and where |
//! | [`make`] | new material |
//! | [`draft`] | a change of a key, made as if nobody else changed it |
//! | [`ready`], [`cache`] | keys with their schedules computed, found without a lock |
//! | [`derive`] | keys and nonces of contexts |
//! | [`shown`] | a key as clients see it |
//! | [`keys`], [`configure`], [`rotate`], [`trim`], [`soft_delete`] | `keys/`: the life of a key |
//! | [`settings`] | `cache-config`, `config/keys` |
//! | [`events`] | what is told about keys |
//! | [`ciphertext`], [`encoded`] | texts that come and go: `vault:v1:…`, base64 |
//! | [`work`] | what a key does to one input |
//! | [`encrypt`], [`decrypt`], [`rewrap`], [`datakey`] | what ciphers and RSA keys do |
//! | [`batch`], [`results`] | many items in one request |
//! | [`hash`], [`random`] | what needs no key |
//! | [`hmac`], [`verify`] | codes of inputs, and whether they are right |
//! | [`sign`], [`verify_signatures`], [`signatures`], [`signing_options`] | signatures |
//! | [`wrapping_key`], [`import`], [`import_version`], [`unwrapping`], [`material_import`], [`derive_key`] | keys that come from outside |
//! | [`export`], [`byok_export`] | keys that leave |
//! | [`csr`], [`set_certificate`] | certificates of keys |
//! | [`backup`], [`restore`], [`policy_document`], [`backup_entry`], [`decimal`] | backups in the clear, in the reference's form |

mod backup;
mod backup_entry;
mod batch;
mod byok_export;
mod cache;
mod ciphertext;
mod configure;
mod csr;
mod datakey;
mod decimal;
mod decrypt;
mod derive;
mod derive_key;
mod draft;
mod encoded;
mod encrypt;
mod events;
mod export;
mod export_format;
mod hash;
mod hmac;
mod import;
mod import_version;
mod key;
mod keys;
mod kind;
mod make;
mod material_import;
mod policy_document;
mod random;
mod ready;
mod removal;
mod restore;
mod results;
mod rewrap;
mod rotate;
mod secret_text;
mod set_certificate;
mod settings;
mod shown;
mod sign;
mod signatures;
mod signing_options;
mod soft_delete;
mod trim;
mod unwrapping;
mod verify;
mod verify_signatures;
mod work;
mod wrapping_key;

use std::time::Duration;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};
use tokio::sync::OnceCell;

use cache::Cache;

/// The `transit` engine of one mount.
#[derive(Default)]
pub struct Transit {
    cache: Cache,
    /// Set when the size of the cache was read.
    cache_settings: OnceCell<()>,
}

impl Engine for Transit {
    const NAME: &'static str = "transit";
    const HELP: &'static str = "Encrypts, signs and authenticates data with keys that never leave the server; the data is not stored.";
    const TICK: Option<Duration> = Some(Duration::from_secs(60));

    fn new(_: &MountInfo) -> Self {
        Self::default()
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            keys::routes(),
            configure::routes(),
            rotate::routes(),
            trim::routes(),
            soft_delete::routes(),
            settings::routes(),
            encrypt::routes(),
            decrypt::routes(),
            rewrap::routes(),
            datakey::routes(),
            hmac::routes(),
            verify::routes(),
            hash::routes(),
            random::routes(),
            sign::routes(),
            export::routes(),
            byok_export::routes(),
            wrapping_key::routes(),
            import::routes(),
            import_version::routes(),
            derive_key::routes(),
            backup::routes(),
            restore::routes(),
            csr::routes(),
            set_certificate::routes(),
        ])
    }

    async fn tick(&self, cx: &Ctx) -> Result<(), Fault> {
        draft::finish_deletions(cx).await?;
        rotate::rotate_due(self, cx).await
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        Ok(Some(coffer_engine::keys::count(&cx.view, key::KEYS).await?))
    }
}
