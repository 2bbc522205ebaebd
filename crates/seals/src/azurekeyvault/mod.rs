//! `azurekeyvault`: an RSA key in Azure Key Vault, or in a managed HSM there.
//!
//! It wraps by RSA-OAEP with SHA-256. Who has the public half can wrap too, so a wrapped key proves nothing of who wrapped it;
//! that the right root key came out is for the barrier to see.

mod account;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_barrier::{Kept, WrapError, Wrapped, Wrapper};
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_wire::parse_foreign;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use url::Url;

use crate::build::BuildError;
use crate::exchange::{Exchange, unlike};
use crate::fresh::Fresh;
use crate::stanza::Stanza;
use account::{Account, Cloud};

const KIND: &str = "azurekeyvault";
const WHO: &str = "Azure Key Vault";
const VERSION: &str = "api-version=7.4";
const ALGORITHM: &str = "RSA-OAEP-256";

/// A key in Azure Key Vault.
pub(crate) struct AzureKeyVault {
    exchange: Exchange,
    /// The vault's address.
    vault: String,
    key: String,
    account: Account,
    bearer: Fresh<Secret<String>>,
}

#[derive(Deserialize)]
struct Described {
    key: Version,
}

#[derive(Deserialize)]
struct Version {
    kid: String,
}

#[derive(Deserialize)]
struct Operated {
    kid: String,
    value: Secret<String>,
}

#[derive(Deserialize)]
struct Failed {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    code: String,
    #[serde(default)]
    innererror: Option<Inner>,
}

#[derive(Deserialize)]
struct Inner {
    #[serde(default)]
    code: String,
}

impl AzureKeyVault {
    pub(crate) fn build(
        mut stanza: Stanza<'_>,
        outbound: Arc<dyn Outbound>,
    ) -> Result<Self, BuildError> {
        let vault = stanza.required("vault_name", &["*_AZUREKEYVAULT_VAULT_NAME"])?;
        let key = stanza.required("key_name", &["*_AZUREKEYVAULT_KEY_NAME"])?;
        let environment = stanza.text("environment", &["AZURE_ENVIRONMENT"]);
        let resource = stanza.text("resource", &["AZURE_AD_RESOURCE"]);
        let endpoint = stanza.own("endpoint");
        let cloud = Cloud::build(&stanza, environment, resource)?;
        let account = Account::build(&mut stanza, &cloud)?;
        stanza.finish()?;
        for (parameter, name) in [("vault_name", &vault), ("key_name", &key)] {
            if !is_name(name) {
                return Err(stanza.unfit(parameter, "is no name: letters, digits and dashes"));
            }
        }
        let vault = match endpoint {
            None => format!("https://{vault}.{}", cloud.resource),
            Some(text) => bare(&text).ok_or_else(|| stanza.unfit("endpoint", "is no address"))?,
        };
        Ok(Self {
            exchange: Exchange::new(outbound, KIND, WHO),
            vault: vault.to_ascii_lowercase(),
            key,
            account,
            bearer: Fresh::default(),
        })
    }

    async fn encrypt(&self, plaintext: &[u8]) -> Result<Wrapped, WrapError> {
        let url = format!("{}/keys/{}?{VERSION}", self.vault, self.key);
        let described: Described = self.ask(Request::get(url)).await?;
        let kid = self.own(&described.key.kid, WrapError::Garbled)?;
        let value = Zeroizing::new(URL_SAFE_NO_PAD.encode(plaintext));
        let answer = self.operate(&kid, "wrapkey", &value).await?;
        let ciphertext = URL_SAFE_NO_PAD.decode(answer.value.expose()).ok();
        match ciphertext.filter(|bytes| !bytes.is_empty()) {
            Some(ciphertext) => Ok(Wrapped {
                key_id: kid,
                ciphertext,
            }),
            None => Err(self.exchange.garbled("the ciphertext is no base64url")),
        }
    }

    async fn decrypt(&self, wrapped: &Wrapped) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let kid = self.own(&wrapped.key_id, WrapError::Refused)?;
        let value = Zeroizing::new(URL_SAFE_NO_PAD.encode(&wrapped.ciphertext));
        let answer = self.operate(&kid, "unwrapkey", &value).await?;
        let plaintext = URL_SAFE_NO_PAD.decode(answer.value.expose());
        let garbled = |_| self.exchange.garbled("the plaintext is no base64url");
        self.exchange
            .fit(Zeroizing::new(plaintext.map_err(garbled)?))
    }

    async fn operate(
        &self,
        kid: &str,
        operation: &str,
        value: &str,
    ) -> Result<Operated, WrapError> {
        let body = Zeroizing::new(json!({ "alg": ALGORITHM, "value": value }).to_string());
        let url = format!("{kid}/{operation}?{VERSION}");
        let request = Request::post(url, "application/json", body.as_bytes().to_vec());
        let answer: Operated = self.ask(request).await?;
        match self.own(&answer.kid, WrapError::Garbled)? == kid {
            true => Ok(answer),
            false => Err(self.exchange.garbled("another key answered than was asked")),
        }
    }

    /// The address of a version of a key of this vault: nobody else is sent a token.
    fn own(&self, kid: &str, wrong: fn(String) -> WrapError) -> Result<String, WrapError> {
        let foreign = || {
            wrong(format!(
                "{WHO}: a key is named that is none of this vault's"
            ))
        };
        let rest = kid
            .strip_prefix("https://")
            .or_else(|| kid.strip_prefix("http://"));
        let (host, path) = rest
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(foreign)?;
        let own_host = self.vault.split_once("://").map_or("", |(_, host)| host);
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["keys", name, version]
                if host.eq_ignore_ascii_case(own_host) && is_name(name) && is_name(version) =>
            {
                Ok(format!("{}/keys/{name}/{version}", self.vault))
            }
            _ => Err(foreign()),
        }
    }

    /// Asks with a token; one that is not taken is got anew once.
    async fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, WrapError> {
        let mut answer = self.sent(request.clone()).await?;
        if answer.status == 401 {
            self.bearer.forget().await;
            answer = self.sent(request).await?;
        }
        match answer.status {
            200 => self.exchange.read(&answer.body),
            _ => Err(self.why(&answer)),
        }
    }

    async fn sent(&self, request: Request) -> Result<Response, WrapError> {
        let bearer = self
            .bearer
            .get(async || self.account.token(&self.exchange).await)
            .await?;
        let value = format!("Bearer {}", bearer.expose());
        self.exchange
            .ask(request.with("authorization", value))
            .await
    }

    fn why(&self, answer: &Response) -> WrapError {
        let failed: Option<Failed> = parse_foreign(&answer.body).ok();
        let (code, inner) = failed
            .map(|failed| {
                let inner = failed.error.innererror.map(|inner| inner.code);
                (failed.error.code, inner.unwrap_or_default())
            })
            .unwrap_or_default();
        match (code.as_str(), inner.as_str()) {
            (_, "KeyDisabled") | ("KeyDisabled", _) => self.exchange.refused("KeyDisabled: the key, or the version that is needed, is disabled"),
            (_, "KeyNotYetValid" | "KeyExpired") => self.exchange.refused("the key is not valid at this time"),
            (_, "ForbiddenByPolicy" | "ForbiddenByRbac" | "AccessDenied") | ("Forbidden", _) => self
                .exchange
                .refused("Forbidden: the account may not get, wrap and unwrap by the key, or the vault's firewall keeps us out"),
            ("Unauthorized", _) => self.exchange.refused("Unauthorized: the account's token is not taken"),
            ("KeyNotFound" | "SecretNotFound" | "VaultNotFound", _) => self.exchange.refused("there is no such key, or no such version of it"),
            ("BadParameter" | "InvalidCiphertext", _) => self.exchange.refused("the key does not do that: another one wrapped this, it was changed, or the key is not RSA"),
            ("Throttled", _) => self.exchange.unreachable("Throttled: it is overloaded"),
            _ => unlike(WHO, answer.status),
        }
    }
}

impl Wrapper for AzureKeyVault {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped> {
        Box::pin(self.encrypt(plaintext))
    }

    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>> {
        Box::pin(self.decrypt(wrapped))
    }
}

/// Whether it is the name of a vault, a key or a version.
fn is_name(text: &str) -> bool {
    let is_sound = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    !text.is_empty() && text.len() <= 128 && text.bytes().all(is_sound)
}

/// An address without a path, and without a slash at its end.
fn bare(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    let is_web = matches!(url.scheme(), "http" | "https") && url.host().is_some();
    (is_bare && is_web).then(|| url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests;
