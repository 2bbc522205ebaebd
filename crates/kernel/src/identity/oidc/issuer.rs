//! Under which address the tokens of this server stand.

use coffer_barrier::Stored;
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use super::Oidc;
use crate::open::Open;

/// Where the issuer that an operator set is kept.
const CONFIG: &str = "config";

/// What an operator set.
#[derive(Default, Serialize, Deserialize)]
struct Config {
    issuer: String,
}

impl Stored for Config {}

impl Oidc {
    /// Scheme, host and port that an operator set; empty where nobody did.
    pub async fn issuer_base(&self) -> Result<String, Fault> {
        let config: Option<Config> = self.shelf.view().get(CONFIG).await?;
        Ok(config.unwrap_or_default().issuer)
    }

    /// Sets it; empty for this server's own address.
    pub async fn set_issuer_base(&self, issuer: String) -> Result<(), Fault> {
        check(&issuer)?;
        Ok(self.shelf.view().put(CONFIG, &Config { issuer }).await?)
    }

    /// The issuer of identity tokens.
    pub async fn issuer(&self, open: &Open) -> Result<String, Fault> {
        Ok(below(open, &self.issuer_base().await?, ""))
    }
}

/// The issuer that a provider is, with the base that an operator set for it.
pub fn of_provider(open: &Open, base: &str, name: &str) -> String {
    below(open, base, &format!("/provider/{name}"))
}

fn below(open: &Open, base: &str, path: &str) -> String {
    let base = match base {
        "" => open.settings.api_addr.trim_end_matches('/'),
        base => base,
    };
    format!("{base}/v1/{}identity/oidc{path}", open.space.path)
}

/// Refuses what is more or less than scheme, host and port.
pub fn check(issuer: &str) -> Result<(), Fault> {
    if issuer.is_empty() || is_origin(issuer) {
        return Ok(());
    }
    Err(Fault::invalid(
        "invalid issuer, which must include only a scheme, host, and optional port (e.g. https://example.com:8200)",
    ))
}

fn is_origin(text: &str) -> bool {
    let Some((scheme, place)) = text.split_once("://") else {
        return false;
    };
    let port = |port: &str| !port.is_empty() && port.parse::<u16>().is_ok();
    let named = |host: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        !host.is_empty() && host.bytes().all(letter)
    };
    let numbered = |host: &str| host.parse::<std::net::Ipv6Addr>().is_ok();
    let placed = match place.strip_prefix('[') {
        Some(rest) => rest.split_once(']').is_some_and(|(host, rest)| {
            numbered(host) && (rest.is_empty() || rest.strip_prefix(':').is_some_and(port))
        }),
        None => match place.split_once(':') {
            Some((host, number)) => named(host) && port(number),
            None => named(place),
        },
    };
    matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") && placed && text.len() <= 512
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin() {
        for good in [
            "https://a.example.com",
            "http://a",
            "HTTPS://a:8200",
            "https://127.0.0.1:1",
            "https://[::1]:8200",
            "https://[::1]",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "nonsense",
            "//a",
            "ftp://a",
            "https://",
            "https://a/",
            "https://a/b",
            "https://a?x",
            "https://a#f",
            "https://u:p@a",
            "https://u@a",
            "https://a:",
            "https://a:x",
            "https://a:99999",
            "https://[::1",
            "https://[::1]x",
            "https://[a.b]",
            "https://a b",
            "https://a\r\nx: y",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
