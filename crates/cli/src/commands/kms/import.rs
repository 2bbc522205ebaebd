use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use coffer_client::Secret;
use coffer_crypto::pair::{Oaep, OaepHash, PublicKey};
use coffer_crypto::{Random, key_wrap, pem};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::refusal::Explained;
use super::target::{Target, bytes, done, file_bytes, file_of_base64, text, write, write_once};
use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// Material longer than an AES-256 or HMAC key is wrapped with a key in between.
const LONGEST_DIRECT: usize = 64;

/// Import material that was made elsewhere
///
/// It is wrapped here, so that it travels encrypted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  32 bytes into a key that was made with -origin=EXTERNAL:
      coffer kms import -key=alias/app material.bin
  A private key (PKCS #8) that expires:
      coffer kms import -key=alias/releases -expires=2027-01-01T00:00:00Z private.pem
  The next material of a symmetric key, and its use:
      coffer kms import -key=alias/app -new material-2.bin
      coffer kms rotate -key=alias/app")]
pub(crate) struct Import {
    #[command(flatten)]
    target: Target,
    /// The material: raw bytes, or a private key as PKCS #8 in PEM or DER; - for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
    /// When it expires, within 365 days
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// It is new, and waits for the next rotation
    #[arg(long)]
    new: bool,
    /// A note about it
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The file is wrapped already, for the public key of `coffer kms import-parameters`
    #[arg(long, requires = "import_token")]
    wrapped: bool,
    /// File with the token that came with that public key
    #[arg(long, value_name = "FILE", requires = "wrapped")]
    import_token: Option<String>,
}

impl Import {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        if self.wrapped {
            return self.bring(cx, file_of_base64(&self.file)?).await;
        }
        let mut material = file_bytes(&self.file)?;
        let pair = self.is_pair(cx).await?;
        if pair {
            material = unarmoured(material)?;
        }
        let algorithm = match pair || material.len() > LONGEST_DIRECT {
            true => "RSA_AES_KEY_WRAP_SHA_256",
            false => "RSAES_OAEP_SHA_256",
        };
        let given = parameters(cx, &self.target, algorithm, "RSA_4096").await?;
        let public = PublicKey::from_spki(&bytes(&given, "public_key")?);
        let public = public.map_err(|_| Failure::local("the server's public key is unreadable"))?;
        let wrapped = match algorithm {
            "RSAES_OAEP_SHA_256" => direct(&public, &material)?,
            _ => by_aes(&public, &material)?,
        };
        let token = text(&given, "import_token")?;
        let wrapped = STANDARD.encode(wrapped).into();
        self.send(cx, self.body(token, wrapped)).await
    }

    /// Brings what was wrapped elsewhere.
    async fn bring(&self, cx: &Context, wrapped: Value) -> Outcome {
        let token = self.import_token.as_deref().ok_or_else(|| {
            Failure::local(
                "-wrapped needs the token that `coffer kms import-parameters` gave: -import-token=FILE",
            )
        })?;
        let token = file_of_base64(token)?;
        let body = self.body(token.as_str().unwrap_or_default(), wrapped);
        self.send(cx, body).await
    }

    async fn send(&self, cx: &Context, body: Map<String, Value>) -> Outcome {
        let doing = format!("importing material of {}", self.target.name());
        let answer = write(cx, &self.target.part("material"), &body, &doing).await?;
        let said = format!("Success! imported material of {}", self.target.name());
        done(cx, answer, &said)
    }

    async fn is_pair(&self, cx: &Context) -> Result<bool, Failure> {
        let path = self.target.part("");
        let answer = cx.client()?.read(&path, &[]).await;
        let answer = answer.or_failed(format!("reading {path}"))?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        let spec = text(&answer, "key_spec")?;
        Ok(!spec.starts_with("SYMMETRIC") && !spec.starts_with("HMAC"))
    }

    fn body(&self, token: &str, wrapped: Value) -> Map<String, Value> {
        let mut body = Map::from_iter([
            ("import_token".to_owned(), Value::from(token)),
            ("encrypted_key_material".to_owned(), wrapped),
        ]);
        let mut say = |name: &str, value: &str| body.insert(name.to_owned(), value.into());
        match &self.expires {
            Some(at) => {
                say("expiration_model", "KEY_MATERIAL_EXPIRES");
                say("valid_to", at);
            }
            None => {
                say("expiration_model", "KEY_MATERIAL_DOES_NOT_EXPIRE");
            }
        }
        if self.new {
            say("import_type", "NEW_KEY_MATERIAL");
        }
        if let Some(note) = &self.description {
            say("key_material_description", note);
        }
        body
    }
}

/// Has the server make a pair of keys for one import.
pub(super) async fn parameters(
    cx: &Context,
    target: &Target,
    algorithm: &str,
    spec: &str,
) -> Result<Secret, Failure> {
    let path = target.part("import-parameters");
    let body = Map::from_iter([
        ("wrapping_algorithm".to_owned(), Value::from(algorithm)),
        ("wrapping_key_spec".to_owned(), Value::from(spec)),
    ]);
    let given = write_once(cx, &path, &body, &format!("asking {path}")).await?;
    given.ok_or_else(|| Failure::nothing_at(&path))
}

/// A private key in DER, whichever form the file has.
fn unarmoured(file: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = std::str::from_utf8(&file).ok();
    let armoured = text.filter(|text| text.contains("-----BEGIN "));
    match armoured.map(pem::read) {
        None => Ok(file),
        Some(Some(("PRIVATE KEY", document))) => Ok(document),
        Some(_) => Err(Failure::local(
            "this PEM is no private key in PKCS #8; `openssl pkcs8 -topk8 -nocrypt` makes it one",
        )),
    }
}

fn direct(public: &PublicKey, material: &[u8]) -> Result<Vec<u8>, Failure> {
    let made = public.encrypt(Oaep::new(OaepHash::Sha256), &Random::system(), material);
    made.map_err(|error| Failure::local(format!("cannot wrap the material: {error}")))
}

/// An AES key wrapped for RSA, and the material wrapped with it (RFC 5649).
fn by_aes(public: &PublicKey, material: &[u8]) -> Result<Vec<u8>, Failure> {
    let aes = Random::system().secret_bytes::<32>();
    let mut wrapped = direct(public, aes.expose())?;
    let inner = key_wrap::wrap_kwp(aes.expose(), material);
    let inner =
        inner.map_err(|error| Failure::local(format!("cannot wrap the material: {error}")))?;
    wrapped.extend(inner);
    Ok(wrapped)
}
