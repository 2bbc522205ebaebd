//! What an issuer says of itself (OpenID Connect Discovery 1.0, section 3).

use coffer_engine::Ctx;
use serde::Deserialize;

use super::source::{Place, Unreadable};

/// What follows the issuer's name to make the address of its facts.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The facts of an issuer, as far as anybody here looks at them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Facts {
    issuer: String,
    pub(super) jwks_uri: String,
    /// Where people are sent to sign in.
    #[serde(default)]
    pub(crate) authorization_endpoint: String,
    /// Where codes become tokens.
    #[serde(default)]
    pub(crate) token_endpoint: String,
    /// Where more is said about whoever an access token is for.
    #[serde(default)]
    pub(crate) userinfo_endpoint: String,
    /// Where devices without a browser begin.
    #[serde(default)]
    pub(crate) device_authorization_endpoint: String,
    /// How clients may say who they are where codes become tokens; empty for the first of the standard's ways.
    #[serde(default)]
    pub(crate) token_endpoint_auth_methods_supported: Vec<String>,
}

impl Facts {
    /// Asks the issuer whose name this address is. Facts of an issuer of another name are none: whoever can put a
    /// document at an address must not be able to speak for somebody else.
    pub(super) async fn of(place: &Place, cx: &Ctx) -> Result<Self, Unreadable> {
        let at = Place {
            url: format!("{}{WELL_KNOWN}", place.url.trim_end_matches('/')),
            ..place.clone()
        };
        let found = at.json(cx).await?;
        let facts = Self::deserialize(&found)
            .map_err(|_| Unreadable("the answer is no discovery document".into()))?;
        match facts.issuer == place.url {
            true => Ok(facts),
            false => Err(Unreadable(
                "the issuer that the document names is not the one that was asked".into(),
            )),
        }
    }
}
