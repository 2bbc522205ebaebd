use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use coffer_crypto::pair::{Oaep, OaepHash, PublicKey};
use coffer_crypto::{Random, key_wrap, pem};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::commands::write::print_written;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::input;
use crate::ui::{Ui, read_file};

/// A key, and where it goes.
#[derive(Debug, Args)]
pub(super) struct Wrapped {
    /// The key: the mount, `keys` and its name, as in transit/keys/orders
    #[arg(value_name = "PATH")]
    path: String,
    /// Its material: base64, @file or - (standard input); of keys with two halves PKCS #8, which may be PEM
    #[arg(value_name = "KEY")]
    key: String,
    /// What else goes with it: type=…, exportable=…, hash_function=… (SHA256 if not given)
    #[arg(value_name = "KEY=VALUE")]
    data: Vec<String>,
}

impl Wrapped {
    /// Wraps the key in the mount's wrapping key and sends it to `operation`.
    pub(super) async fn send(self, cx: &Context, operation: &str) -> Outcome {
        let (mount, name) = parts(&self.path)?;
        let mut data = input::data(&self.data, &cx.ui)?;
        let hash = hash(data.get("hash_function"))?;
        let material = material(&self.key, &cx.ui)?;
        let client = cx.client()?;
        let wrapping = format!("{mount}/wrapping_key");
        let answer = client.read(&wrapping, &[]).await;
        let answer = answer.or_failed(format!("reading {wrapping}"))?;
        let shown = answer.and_then(|answer| answer.data);
        let shown = shown
            .as_ref()
            .and_then(|data| data.get("public_key")?.as_str());
        let public = shown.and_then(|text| PublicKey::from_pem(text).ok());
        let public = public.ok_or_else(|| {
            Failure::local(format!(
                "{wrapping} answered no public key; is {mount} a transit mount?"
            ))
        })?;
        let ciphertext = wrap(&public, hash, &material)?;
        data.insert("ciphertext".to_owned(), Value::String(ciphertext));
        let target = format!("{mount}/keys/{name}/{operation}");
        let answer = client.write(&target, &data).await;
        let answer = answer.or_failed(format!("importing {}", self.path))?;
        print_written(cx, answer, &self.path, None)
    }
}

/// Mount and name in `transit/keys/NAME`. What comes after the name, as in the path of the operation itself, is taken, too.
fn parts(path: &str) -> Result<(&str, &str), Failure> {
    let path = path.trim_matches('/');
    let path = path.strip_suffix("/import").unwrap_or(path);
    let path = path.strip_suffix("/import_version").unwrap_or(path);
    let parts = path.rsplit_once("/keys/");
    parts
        .filter(|(mount, name)| !mount.is_empty() && !name.is_empty() && !name.contains('/'))
        .ok_or_else(|| {
            Failure::local("the path of a key is MOUNT/keys/NAME, as in transit/keys/orders")
        })
}

fn hash(name: Option<&Value>) -> Result<OaepHash, Failure> {
    let Some(name) = name else {
        return Ok(OaepHash::Sha256);
    };
    match name
        .as_str()
        .unwrap_or_default()
        .to_ascii_uppercase()
        .as_str()
    {
        "SHA1" => Ok(OaepHash::Sha1),
        "SHA224" => Ok(OaepHash::Sha224),
        "SHA256" => Ok(OaepHash::Sha256),
        "SHA384" => Ok(OaepHash::Sha384),
        "SHA512" => Ok(OaepHash::Sha512),
        _ => Err(Failure::local(
            "hash_function is SHA1, SHA224, SHA256, SHA384 or SHA512",
        )),
    }
}

/// The bytes of a key: base64, or PEM of PKCS #8. Nothing of it is repeated where it is neither.
fn material(word: &str, ui: &Ui) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = match (word, word.strip_prefix('@')) {
        ("-", _) => ui.stdin()?,
        (_, Some(file)) => read_file(file)?,
        (_, None) => Zeroizing::new(word.to_owned()),
    };
    if let Some((label, document)) = pem::read(&text) {
        return match label {
            pem::PRIVATE_KEY => Ok(document),
            _ => Err(Failure::local(
                "the key is in PEM, but not in PKCS #8: write it anew with openssl pkcs8 -topk8 -nocrypt",
            )),
        };
    }
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    plain.extend(text.chars().filter(|c| !c.is_ascii_whitespace()));
    let decoded = STANDARD.decode(plain.as_bytes());
    let decoded = decoded.map(Zeroizing::new).ok();
    decoded
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| Failure::local("the key is neither base64 nor PEM"))
}

/// An AES-256 key of this moment to the wrapping key, then the key in that.
fn wrap(public: &PublicKey, hash: OaepHash, material: &[u8]) -> Result<String, Failure> {
    let random = Random::system();
    let ephemeral = random.secret_bytes::<32>();
    let unfit = |error| Failure::local(format!("the key can not be wrapped: {error}"));
    let sealed = public.encrypt(Oaep::new(hash), &random, ephemeral.expose());
    let inner = key_wrap::wrap_kwp(ephemeral.expose(), material).map_err(unfit)?;
    Ok(STANDARD.encode([sealed.map_err(unfit)?, inner].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_keys() {
        assert_eq!(parts("transit/keys/a").unwrap(), ("transit", "a"));
        assert_eq!(parts("/a/b/keys/c/import").unwrap(), ("a/b", "c"));
        for path in [
            "",
            "transit",
            "transit/a",
            "/keys/a",
            "t/keys/",
            "t/keys/a/b",
        ] {
            assert!(parts(path).is_err(), "{path}");
        }
    }

    #[test]
    fn material_is_base64_or_pkcs8() {
        let ui = Ui::new(true);
        assert_eq!(*material("AQID", &ui).unwrap(), [1, 2, 3]);
        let pem = pem::write(pem::PRIVATE_KEY, &[1, 2, 3]);
        assert_eq!(*material(&pem, &ui).unwrap(), [1, 2, 3]);
        let other = pem::write(pem::RSA_PRIVATE_KEY, &[1, 2, 3]);
        for word in ["", "?", &other, "@/nowhere"] {
            let failure = material(word, &ui).unwrap_err();
            assert!(!failure.text.contains("AQID"), "{}", failure.text);
        }
    }
}
