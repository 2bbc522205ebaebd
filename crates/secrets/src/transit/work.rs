//! What a key does to one input: the same for single requests and for items of a batch.

use std::sync::Arc;

use coffer_crypto::pair::{Oaep, OaepHash};
use coffer_crypto::{Error, Zeroizing};
use coffer_engine::{Ctx, Fault};
use tokio::sync::Semaphore;

use super::ciphertext::{Misshapen, Versioned};
use super::encoded::Encoded;
use super::ready::{Material, Ready, Work};

/// How many private operations of RSA run at once: each takes a core for milliseconds.
static DECRYPTING: Semaphore = Semaphore::const_new(4);

/// What RSA keys encrypt with.
const OAEP: Oaep<'_> = Oaep {
    hash: OaepHash::Sha256,
    label: &[],
};

/// What was made, and by which version.
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    pub(super) version: u32,
}

/// What an input comes with.
pub(super) struct Terms<'a> {
    pub(super) context: &'a Encoded,
    pub(super) associated_data: &'a Encoded,
    /// Where an item stands in its batch.
    pub(super) at: Option<usize>,
}

impl Terms<'_> {
    fn context(&self) -> Result<&[u8], Fault> {
        self.context.bytes().map_err(Fault::invalid)
    }

    /// The associated data, which keys of no authenticated cipher have none of.
    fn associated(&self, ready: &Ready) -> Result<&[u8], Fault> {
        let bytes = self.associated_data.bytes().map_err(|malformed| {
            Fault::Invalid(format!(
                "unable to get associated_data/additional_data from factory[{}]: {malformed}",
                self.at.unwrap_or(0)
            ))
        })?;
        match (bytes, ready.key.kind.cipher()) {
            ([], _) | (_, Some(_)) => Ok(bytes),
            (_, None) => {
                let field = match self.at {
                    Some(at) => format!("[{at}].associated_data"),
                    None => "associated_data".to_owned(),
                };
                Err(Fault::Invalid(format!(
                    "'{field}' provided for non-AEAD cipher suite {}",
                    ready.key.kind.name()
                )))
            }
        }
    }
}

impl Ready {
    /// The version that a client asks for to encrypt, sign or authenticate with; 0 is the latest.
    pub(super) async fn asked(&self, cx: &Ctx, version: i64) -> Result<Arc<Material>, Fault> {
        if version == 0 {
            return Ok(Arc::clone(self.latest()));
        }
        let found = match u32::try_from(version) {
            Ok(version) if self.key.working().contains(&version) => {
                self.version(cx, version).await?
            }
            _ => None,
        };
        found.ok_or_else(|| Fault::invalid("no such key version"))
    }

    /// Encrypts.
    pub(super) async fn seal(
        &self,
        cx: &Ctx,
        version: i64,
        terms: &Terms<'_>,
        plaintext: &[u8],
    ) -> Result<Sealed, Fault> {
        let key = &self.key;
        key.refuse_deleted()?;
        let refused = |why: &str| {
            Err(Fault::invalid(format!(
                "requested version for encryption is {why}"
            )))
        };
        if !key.kind.encrypts() {
            return Err(unsupported("encryption", self));
        }
        let context = terms.context()?;
        match version {
            0 => {}
            ..0 => return refused("negative"),
            _ if version > i64::from(key.latest_version) => {
                return refused("higher than the latest key version");
            }
            _ if version < i64::from(key.min_encryption_version) => {
                return refused("less than the minimum encryption key version");
            }
            _ => {}
        }
        let associated = terms.associated(self)?;
        let material = self.asked(cx, version).await?;
        let bytes = match (&material.work, key.kind.cipher()) {
            (Work::Cipher(cipher), _) => cipher.seal(&cx.random, associated, plaintext)?,
            (Work::Bytes, Some(cipher)) => {
                let context = needed(context)?;
                let own = material.version.key.expose();
                let own = key.context_key(cipher, own, context)?;
                match own.nonce(plaintext, associated) {
                    Some(nonce) => {
                        let nonce = nonce.get(..cipher.nonce_bytes()).unwrap_or_default();
                        own.cipher.seal_with(nonce, associated, plaintext)?
                    }
                    None => own.cipher.seal(&cx.random, associated, plaintext)?,
                }
            }
            _ => encrypt_to(&material, cx, plaintext)?,
        };
        Ok(Sealed {
            bytes,
            version: material.number,
        })
    }

    /// Decrypts.
    pub(super) async fn open(
        &self,
        cx: &Ctx,
        terms: &Terms<'_>,
        ciphertext: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let key = &self.key;
        key.refuse_deleted()?;
        if !key.kind.encrypts() {
            return Err(unsupported("decryption", self));
        }
        if ciphertext.is_empty() {
            return Err(Fault::invalid("missing ciphertext to decrypt"));
        }
        let context = terms.context()?;
        let associated = terms.associated(self)?;
        let refused = |misshapen: Misshapen| Fault::invalid(misshapen.of_ciphertext());
        let made = Versioned::parse(ciphertext, key).map_err(refused)?;
        let found = self.version(cx, made.version).await?;
        let material = found.ok_or_else(|| refused(Misshapen::Old))?;
        let context = match key.derived {
            true => needed(context)?,
            false => context,
        };
        let sealed = made
            .decode()
            .map_err(|_| Fault::invalid("invalid ciphertext: could not decode base64"))?;
        let Some(cipher) = key.kind.cipher() else {
            return decrypt_with(material, sealed).await;
        };
        if sealed.len() < cipher.nonce_bytes() {
            return Err(Fault::invalid("invalid ciphertext length"));
        }
        let opened = match &material.work {
            Work::Cipher(own) => own.open(associated, &sealed),
            _ => {
                let own = material.version.key.expose();
                let own = key.context_key(cipher, own, context)?;
                own.cipher.open(associated, &sealed)
            }
        };
        opened.map_err(|_| Fault::invalid("cipher: message authentication failed"))
    }
}

fn unsupported(what: &str, ready: &Ready) -> Fault {
    Fault::Invalid(format!(
        "message {what} not supported for key type {}",
        ready.key.kind.name()
    ))
}

/// The context of a derived key.
pub(super) fn needed(context: &[u8]) -> Result<&[u8], Fault> {
    match context {
        [] => Err(Fault::invalid(
            "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key",
        )),
        context => Ok(context),
    }
}

/// Encrypts to a pair's private half; short work.
fn encrypt_to(material: &Material, cx: &Ctx, plaintext: &[u8]) -> Result<Vec<u8>, Fault> {
    let public = material.public().ok_or(Error::Scheme)?;
    public.encrypt(OAEP, &cx.random, plaintext).map_err(|error| match error {
        Error::TooLong => Fault::invalid(
            "failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size",
        ),
        other => other.into(),
    })
}

/// Decrypts with a pair's private half, where waiting harms nobody.
async fn decrypt_with(
    material: Arc<Material>,
    sealed: Zeroizing<Vec<u8>>,
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    if material.pair().is_none() {
        return Err(Fault::invalid(
            "cannot decrypt: only the public half of this version was imported",
        ));
    }
    let _turn = DECRYPTING.acquire().await.map_err(Fault::internal)?;
    let opened = tokio::task::spawn_blocking(move || {
        let pair = material.pair().ok_or(Error::Scheme)?;
        pair.decrypt(OAEP, &sealed)
    });
    let opened = opened.await.map_err(Fault::internal)?;
    opened.map_err(|_| {
        Fault::invalid("failed to RSA decrypt the ciphertext: crypto/rsa: decryption error")
    })
}
