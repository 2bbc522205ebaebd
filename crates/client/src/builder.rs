use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::retry::DEFAULT_RETRIES;
use crate::{Client, Error, Rehearsed, Token};

/// Where a server listens unless it is told otherwise.
pub const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const PREFIXES: [&str; 3] = ["COFFER_", "BAO_", "VAULT_"];

/// The value of a setting in the environment: `variable("ADDR")` looks at `COFFER_ADDR`, then `BAO_ADDR`, then
/// `VAULT_ADDR`. Empty values count as absent.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    first(name, &|full| std::env::var(full).ok()).map(|(_, value)| value)
}

/// The full name of the variable that [`variable`] takes a setting from.
#[must_use]
pub fn variable_in_use(name: &str) -> Option<String> {
    first(name, &|full| std::env::var(full).ok()).map(|(full, _)| full)
}

fn first(name: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Option<(String, String)> {
    PREFIXES.iter().find_map(|prefix| {
        let full = format!("{prefix}{name}");
        let value = lookup(&full).filter(|value| !value.is_empty())?;
        Some((full, value))
    })
}

/// How a [`Client`] is to be set up.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    pub(crate) address: String,
    pub(crate) token: Option<Token>,
    pub(crate) namespace: Option<String>,
    pub(crate) ca_cert: Option<PathBuf>,
    pub(crate) ca_path: Option<PathBuf>,
    pub(crate) client_cert: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
    pub(crate) tls_server_name: Option<String>,
    pub(crate) skip_verify: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) max_retries: u32,
    pub(crate) wrap_ttl: Option<Duration>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) redirects: bool,
    pub(crate) rehearsal: Option<fn(&Rehearsed) -> String>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            address: DEFAULT_ADDRESS.to_owned(),
            token: None,
            namespace: None,
            ca_cert: None,
            ca_path: None,
            client_cert: None,
            client_key: None,
            tls_server_name: None,
            skip_verify: false,
            timeout: Some(DEFAULT_TIMEOUT),
            max_retries: DEFAULT_RETRIES,
            wrap_ttl: None,
            headers: Vec::new(),
            redirects: true,
            rehearsal: None,
        }
    }
}

impl ClientBuilder {
    /// Reads every setting from the environment (see [`variable`]).
    pub(crate) fn from_env() -> Result<Self, Error> {
        Self::from_lookup(&|name| std::env::var(name).ok())
    }

    fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let found = |name: &str| first(name, lookup);
        let text = |name: &str| found(name).map(|(_, value)| value);
        let path = |name: &str| text(name).map(PathBuf::from);
        let mut builder = Self {
            address: text("ADDR").unwrap_or_else(|| DEFAULT_ADDRESS.to_owned()),
            token: text("TOKEN").map(Token::from),
            namespace: text("NAMESPACE"),
            ca_cert: path("CACERT"),
            ca_path: path("CAPATH"),
            client_cert: path("CLIENT_CERT"),
            client_key: path("CLIENT_KEY"),
            tls_server_name: text("TLS_SERVER_NAME"),
            ..Self::default()
        };
        if let Some(pair) = found("SKIP_VERIFY") {
            builder.skip_verify = parse(pair, "true or false", parse_bool)?;
        }
        if let Some(pair) = found("DISABLE_REDIRECTS") {
            builder.redirects = !parse(pair, "true or false", parse_bool)?;
        }
        if let Some(pair) = found("MAX_RETRIES") {
            builder.max_retries = parse(pair, "a whole number", |text| text.parse().ok())?;
        }
        if let Some(pair) = found("CLIENT_TIMEOUT") {
            let timeout = parse(pair, "a duration such as 90s", parse_duration)?;
            builder.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        }
        if let Some(pair) = found("WRAP_TTL") {
            builder.wrap_ttl = Some(parse(pair, "a duration such as 5m", parse_duration)?);
        }
        if let Some(mfa) = text("MFA") {
            builder
                .headers
                .push((coffer_wire::header::MFA.to_owned(), mfa));
        }
        Ok(builder)
    }

    /// The server: `https://host:port`, `http://…`, or `unix:///path/to/socket`. A path is kept as a prefix.
    pub fn address(mut self, address: impl Into<String>) -> Self {
        self.address = address.into();
        self
    }

    /// The token to send; none for endpoints that need none.
    pub fn token(mut self, token: Option<Token>) -> Self {
        self.token = token.filter(|token| !token.is_empty());
        self
    }

    /// The namespace that all paths are relative to.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// A PEM file of certificate authorities to trust, in place of the system's.
    pub fn ca_cert(mut self, file: impl AsRef<Path>) -> Self {
        self.ca_cert = Some(file.as_ref().to_owned());
        self
    }

    /// A directory of PEM files of certificate authorities to trust, in place of the system's.
    pub fn ca_path(mut self, directory: impl AsRef<Path>) -> Self {
        self.ca_path = Some(directory.as_ref().to_owned());
        self
    }

    /// The PEM file of this client's certificate chain.
    pub fn client_cert(mut self, file: impl AsRef<Path>) -> Self {
        self.client_cert = Some(file.as_ref().to_owned());
        self
    }

    /// The PEM file of this client's private key.
    pub fn client_key(mut self, file: impl AsRef<Path>) -> Self {
        self.client_key = Some(file.as_ref().to_owned());
        self
    }

    /// The name the server's certificate must bear, where it is not the address's host.
    pub fn tls_server_name(mut self, name: impl Into<String>) -> Self {
        self.tls_server_name = Some(name.into());
        self
    }

    /// Accepts any certificate: only for a first look, it gives up the protection TLS is for.
    pub fn skip_verify(mut self, skip: bool) -> Self {
        self.skip_verify = skip;
        self
    }

    /// How long one attempt of a request may take; `None` for no limit.
    pub fn timeout(mut self, timeout: Option<Duration>) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a request that failed in passing is repeated.
    pub fn max_retries(mut self, times: u32) -> Self {
        self.max_retries = times;
        self
    }

    /// Has answers of [`Client::read`] and its siblings wrapped for this long.
    pub fn wrap_ttl(mut self, ttl: Option<Duration>) -> Self {
        self.wrap_ttl = ttl;
        self
    }

    /// Adds a header to every request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends nothing: each request ends in [`Error::Rehearsed`] with what `word` says of it. Requests by which a client finds
    /// out how to ask ([`crate::sys::Sys::mount_of`]) are sent all the same.
    pub fn rehearse(mut self, word: fn(&Rehearsed) -> String) -> Self {
        self.rehearsal = Some(word);
        self
    }

    /// Whether a redirect to the same host is followed.
    pub fn redirects(mut self, follow: bool) -> Self {
        self.redirects = follow;
        self
    }

    /// Makes the client. Nothing is connected yet.
    ///
    /// # Errors
    /// [`Error::Config`] for an address, header or certificate file that cannot be used, or a process without TLS provider.
    pub fn build(self) -> Result<Client, Error> {
        Client::new(&self)
    }
}

fn parse<T>(
    (name, value): (String, String),
    wanted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, Error> {
    read(value.trim()).ok_or_else(|| {
        Error::Config(format!(
            "the variable {name} is \"{value}\" but must be {wanted}"
        ))
    })
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Some(true),
        "0" | "f" | "false" => Some(false),
        _ => None,
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    coffer_wire::parse_duration(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<ClientBuilder, Error> {
        ClientBuilder::from_lookup(&|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn our_names_win_over_the_elder_ones() {
        let builder = from(&[
            ("VAULT_ADDR", "http://vault"),
            ("BAO_ADDR", "http://bao"),
            ("COFFER_ADDR", ""),
            ("VAULT_TOKEN", "v"),
            ("COFFER_TOKEN", "c"),
            ("VAULT_SKIP_VERIFY", "True"),
            ("VAULT_CLIENT_TIMEOUT", "90"),
            ("BAO_WRAP_TTL", "5m"),
        ])
        .unwrap();
        assert_eq!(builder.address, "http://bao");
        assert_eq!(builder.token.unwrap().expose(), "c");
        assert!(builder.skip_verify);
        assert_eq!(builder.timeout, Some(Duration::from_secs(90)));
        assert_eq!(builder.wrap_ttl, Some(Duration::from_secs(300)));
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        let error = from(&[("BAO_MAX_RETRIES", "many")])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("BAO_MAX_RETRIES") && error.contains("many") && error.contains("number"),
            "{error}"
        );
    }
}
