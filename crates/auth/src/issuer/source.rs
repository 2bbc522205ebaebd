//! Where keys come from.

use coffer_crypto::Zeroizing;
use coffer_crypto::jose::KeySet;
use coffer_crypto::sign::{self, Algorithm, VerifyingKey};
use coffer_engine::outbound::Request;
use coffer_engine::{Ctx, Fault};
use coffer_wire::parse_foreign;
use serde_json::Value;

use super::Facts;

/// The most keys that are read in PEM.
const PEM_KEYS_MAX: usize = 100;

/// Where the keys of an issuer come from. Whoever configures a mount chooses it, never whoever logs in.
#[derive(Clone)]
pub(crate) enum Source {
    /// An operator wrote them down: public keys or certificates in PEM, one each.
    Pem(Vec<String>),
    /// A set of keys in JSON (RFC 7517).
    Jwks(Place),
    /// An object of JSON with certificates in PEM, or public keys, by their names.
    Certificates(Place),
    /// Wherever the issuer at this address says (OpenID Connect Discovery).
    Discovery(Place),
}

/// An address that is read.
#[derive(Clone, Default)]
pub(crate) struct Place {
    /// It.
    pub(crate) url: String,
    /// The certificates, in PEM, one of which the server's must come from; empty for those that the system trusts.
    pub(crate) roots: String,
    /// What to show the server, if it wants to know who asks.
    pub(crate) bearer: Option<Zeroizing<String>>,
}

/// What came from a source.
pub(super) struct Found {
    pub(super) keys: KeySet,
    /// What the issuer says of itself, where it was asked.
    pub(super) facts: Option<Facts>,
}

/// Why keys could not be read. The text is for whoever configures the mount; it holds no address.
#[derive(Clone, Debug)]
pub(crate) struct Unreadable(pub(crate) String);

impl Source {
    /// Whether it is the same source. Who asks does not matter.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pem(keys), Self::Pem(others)) => keys == others,
            (Self::Jwks(place), Self::Jwks(other))
            | (Self::Certificates(place), Self::Certificates(other))
            | (Self::Discovery(place), Self::Discovery(other)) => place.is(other),
            _ => false,
        }
    }

    /// Whether it can say something else tomorrow.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::Pem(_))
    }

    pub(super) async fn read(&self, cx: &Ctx) -> Result<Found, Unreadable> {
        let keys = match self {
            Self::Pem(keys) => written(keys)?,
            Self::Jwks(place) => set(place, cx).await?,
            Self::Certificates(place) => certificates(&place.json(cx).await?)?,
            Self::Discovery(place) => {
                let facts = Facts::of(place, cx).await?;
                let same = origin(&facts.jwks_uri) == origin(&place.url);
                let place = Place {
                    url: facts.jwks_uri.clone(),
                    bearer: place.bearer.clone().filter(|_| same),
                    ..place.clone()
                };
                let keys = set(&place, cx).await?;
                return Ok(Found {
                    keys,
                    facts: Some(facts),
                });
            }
        };
        Ok(Found { keys, facts: None })
    }
}

impl Place {
    fn is(&self, other: &Self) -> bool {
        (&self.url, &self.roots) == (&other.url, &other.roots)
    }

    /// The JSON that is there.
    pub(super) async fn json(&self, cx: &Ctx) -> Result<Value, Unreadable> {
        let mut request = Request::get(&self.url).trusting(&self.roots);
        request = request.with("accept", "application/json");
        if let Some(bearer) = &self.bearer {
            request = request.with("authorization", format!("Bearer {}", bearer.as_str()));
        }
        let response = cx.fetch(request).await?;
        if response.status != 200 {
            return Err(Unreadable(format!(
                "the server answered with status {}",
                response.status
            )));
        }
        parse_foreign(&response.body)
            .map_err(|_| Unreadable("the server did not answer with JSON".into()))
    }
}

impl From<Fault> for Unreadable {
    fn from(fault: Fault) -> Self {
        Self(fault.to_string())
    }
}

async fn set(place: &Place, cx: &Ctx) -> Result<KeySet, Unreadable> {
    let read = KeySet::read(&place.json(cx).await?, &Algorithm::PUBLIC);
    read.map_err(|why| Unreadable(why.to_string()))
}

/// Keys that an operator wrote down. They have no names, so each is tried.
fn written(keys: &[String]) -> Result<KeySet, Unreadable> {
    refuse_many(keys.len())?;
    let mut read = Vec::new();
    for text in keys {
        read.extend(pem(text)?.into_iter().map(|key| (None, key)));
    }
    Ok(KeySet::of(read))
}

/// Certificates by their names. What is no key is left out, as of a set.
fn certificates(listed: &Value) -> Result<KeySet, Unreadable> {
    let wrong = || Unreadable("the answer is not an object of JSON with keys in PEM".into());
    let listed = listed.as_object().ok_or_else(wrong)?;
    refuse_many(listed.len())?;
    let mut read = Vec::new();
    for (name, text) in listed {
        let keys = text.as_str().and_then(|text| pem(text).ok());
        let keys = keys.unwrap_or_default().into_iter();
        read.extend(keys.map(|key| (Some(name.clone()), key)));
    }
    Ok(KeySet::of(read))
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    Some((scheme, rest.split(['/', '?', '#']).next()?))
}

fn refuse_many(count: usize) -> Result<(), Unreadable> {
    match count > PEM_KEYS_MAX {
        true => Err(Unreadable(format!("more than {PEM_KEYS_MAX} keys"))),
        false => Ok(()),
    }
}

fn pem(text: &str) -> Result<Vec<VerifyingKey>, Unreadable> {
    sign::read_pem(text, &Algorithm::PUBLIC).map_err(|_| {
        Unreadable(
            "not one public key or certificate in PEM with an RSA key of 2048 to 8192 bits, one on P-256, P-384 or P-521, or an Ed25519 key"
                .into(),
        )
    })
}
