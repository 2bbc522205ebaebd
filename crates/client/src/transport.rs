//! One attempt of a request over HTTP: the only file that knows the HTTP library's ways.

mod stream;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use coffer_wire::{format_duration, header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::{Attempt, Policy};
use url::Url;
use zeroize::Zeroizing;

use crate::request::Wrap;
use crate::response::MAX_RESPONSE_BYTES;
use crate::{ClientBuilder, Error, Method, Rehearsed, Request, Response, Token, tls};

pub use stream::Download;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 3;

/// Connections to one server.
#[derive(Clone)]
pub(crate) struct Transport {
    http: reqwest::Client,
    base: Url,
    address: Arc<str>,
    timeout: Option<Duration>,
    rehearsal: Option<Rehearsal>,
}

/// What says of a request what would be sent, with the header fields that all of them have.
#[derive(Clone)]
struct Rehearsal {
    word: fn(&Rehearsed) -> String,
    headers: HeaderMap,
}

impl Transport {
    pub(crate) fn new(from: &ClientBuilder) -> Result<Self, Error> {
        let (base, socket) = base_url(from)?;
        let mut http = tls::configure(reqwest::Client::builder(), from)?
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("coffer/", env!("CARGO_PKG_VERSION")))
            .default_headers(default_headers(from)?)
            .redirect(redirect_policy(from.redirects));
        if let Some(timeout) = from.timeout {
            http = http.timeout(timeout);
        }
        if is_local(&base) || socket.is_some() {
            // A proxy from the environment cannot reach this machine's own loopback.
            http = http.no_proxy();
        }
        if let Some(path) = socket {
            http = http.unix_socket(path);
        } else if from.tls_server_name.is_some() {
            http = http.dns_resolver(FixedHost::of(&from.address)?);
        }
        let http = http
            .build()
            .map_err(|error| Error::Config(format!("no HTTP client: {}", innermost(&error))))?;
        Ok(Self {
            http,
            base,
            address: from.address.as_str().into(),
            timeout: from.timeout,
            rehearsal: match from.rehearsal {
                Some(word) => Some(Rehearsal {
                    word,
                    headers: default_headers(from)?,
                }),
                None => None,
            },
        })
    }

    /// The server's address, as given.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Sends a request once; any status is an answer.
    pub(crate) async fn send(
        &self,
        request: &Request,
        token: Option<&Token>,
        wrap_ttl: Option<Duration>,
    ) -> Result<Response, Error> {
        let url = self.url(request)?;
        let shown = shown(&url);
        let answer = self
            .outgoing(request, token, wrap_ttl, url)?
            .send()
            .await
            .map_err(|error| self.transport_error(request.method, &shown, &error))?;
        self.received(request.method, shown, answer).await
    }

    /// Reads an answer as a whole.
    async fn received(
        &self,
        method: Method,
        shown: String,
        mut answer: reqwest::Response,
    ) -> Result<Response, Error> {
        if let Some(elsewhere) = Self::redirect(&answer, &shown) {
            return Err(elsewhere);
        }
        let fail = |error| self.transport_error(method, &shown, &error);
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(seconds);
        let expected = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        let mut body = Zeroizing::new(Vec::with_capacity(
            expected.unwrap_or(0).min(MAX_RESPONSE_BYTES),
        ));
        while let Some(chunk) = answer.chunk().await.map_err(fail)? {
            if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                return Err(Error::TooLarge {
                    url: shown,
                    limit_bytes: MAX_RESPONSE_BYTES,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response {
            status,
            retry_after,
            body: Bytes::from_owner(body),
            method,
            url: shown,
        })
    }

    fn outgoing(
        &self,
        request: &Request,
        token: Option<&Token>,
        wrap_ttl: Option<Duration>,
        url: Url,
    ) -> Result<reqwest::RequestBuilder, Error> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Put => reqwest::Method::PUT,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
            Method::Head => reqwest::Method::HEAD,
        };
        let mut outgoing = self.http.request(method, url);
        if let Some(token) = request.token.as_ref().or(token) {
            outgoing = outgoing.header(header::TOKEN, token_header(token)?);
        }
        let wrap = match request.wrap {
            Wrap::Never => None,
            Wrap::AsConfigured => wrap_ttl,
            Wrap::Default(ttl) => wrap_ttl.or(Some(ttl)),
        };
        if let Some(ttl) = wrap {
            outgoing = outgoing.header(header::WRAP_TTL, format_duration(ttl));
        }
        if let Some(media_type) = request.accept {
            outgoing = outgoing.header(ACCEPT, media_type);
        }
        if let Some(body) = &request.body {
            let media = if request.method == Method::Patch {
                header::MERGE_PATCH
            } else {
                "application/json"
            };
            outgoing = outgoing.header(CONTENT_TYPE, media).body(body.clone());
        }
        match &self.rehearsal {
            Some(rehearsal) if !request.is_question => {
                let sent = outgoing.build();
                let sent = sent.map_err(|error| Error::Config(innermost(&error)))?;
                Err(rehearsal.of(request, &sent))
            }
            _ => Ok(outgoing),
        }
    }

    fn url(&self, request: &Request) -> Result<Url, Error> {
        let mut url = self.base.clone();
        let unusable = || Error::Config(format!("the address {} cannot take a path", self.address));
        {
            let mut segments = url.path_segments_mut().map_err(|()| unusable())?;
            segments.pop_if_empty().push("v1");
            for segment in request.path.split('/') {
                // A tab or line feed would be dropped on the way, and `.<tab>.` is a dot segment then.
                if segment.contains(char::is_control) {
                    return Err(Error::Config(format!(
                        "the path {:?} has a control character; write it without",
                        request.path
                    )));
                }
                if matches!(segment, "." | "..") {
                    return Err(Error::Config(format!(
                        "the path \"{}\" has a dot segment; write it without",
                        request.path
                    )));
                }
                segments.push(segment);
            }
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }

    fn transport_error(&self, method: Method, url: &str, error: &reqwest::Error) -> Error {
        let reason = innermost(error);
        if error.is_timeout() && !error.is_connect() {
            let seconds = self.timeout.map_or(0, |timeout| timeout.as_secs());
            return Error::Timeout {
                method,
                url: url.to_owned(),
                seconds,
            };
        }
        if error.is_connect() {
            let address = self.address.to_string();
            return if is_tls(error) {
                Error::Tls { address, reason }
            } else {
                Error::Connect { address, reason }
            };
        }
        Error::Broken {
            method,
            url: url.to_owned(),
            reason,
        }
    }
}

impl Rehearsal {
    fn of(&self, request: &Request, sent: &reqwest::Request) -> Error {
        let all = self.headers.iter().chain(sent.headers());
        let mut has_token = false;
        let mut headers = Vec::new();
        for (name, value) in all {
            match name.as_str() == header::TOKEN {
                true => has_token = true,
                false => headers.push((
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )),
            }
        }
        let lists = |(name, value): &(String, String)| name == "list" && value == "true";
        Error::Rehearsed((self.word)(&Rehearsed {
            method: request.method,
            url: sent.url().to_string(),
            path: request.path.clone(),
            headers,
            has_token,
            lists: request.query.iter().any(lists),
            body: request.body.clone(),
        }))
    }
}

/// The URL requests start from, and the socket to connect to in place of its host.
fn base_url(from: &ClientBuilder) -> Result<(Url, Option<PathBuf>), Error> {
    let bad = |reason: &str| {
        Error::Config(format!(
            "the address \"{}\" cannot be used: {reason}; write it like https://127.0.0.1:8200 or unix:///run/coffer.sock",
            from.address
        ))
    };
    if let Some(path) = from.address.strip_prefix("unix://") {
        let base = Url::parse("http://localhost/").map_err(|error| bad(&error.to_string()))?;
        return Ok((base, Some(path.into())));
    }
    let mut base = Url::parse(&from.address).map_err(|error| bad(&error.to_string()))?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err(bad("its scheme is neither http nor https"));
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err(Error::Config(
            "the address must not hold a user name or password; use a token".to_owned(),
        ));
    }
    base.set_query(None);
    base.set_fragment(None);
    if let Some(name) = &from.tls_server_name {
        base.set_host(Some(name))
            .map_err(|error| bad(&format!("TLS server name: {error}")))?;
    }
    Ok((base, None))
}

fn default_headers(from: &ClientBuilder) -> Result<HeaderMap, Error> {
    let bad = |name: &str| {
        Error::Config(format!(
            "the header \"{name}\" cannot be sent: unusual characters"
        ))
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::REQUEST, HeaderValue::from_static("true"));
    if let Some(namespace) = &from.namespace {
        let value = HeaderValue::from_str(namespace).map_err(|_| bad(header::NAMESPACE))?;
        headers.insert(header::NAMESPACE, value);
    }
    for (name, value) in &from.headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| bad(name))?;
        value.set_sensitive(true);
        headers.append(
            HeaderName::try_from(name.as_str()).map_err(|_| bad(name))?,
            value,
        );
    }
    Ok(headers)
}

fn token_header(token: &Token) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(token.expose()).map_err(|_| {
        Error::Config("the token has characters that cannot be sent; copy it again".to_owned())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Follows only redirects that keep method and body (307, 308) and stay on the same server: the token goes nowhere else.
fn redirect_policy(follow: bool) -> Policy {
    if !follow {
        return Policy::none();
    }
    Policy::custom(|attempt: Attempt| {
        let same_host = attempt
            .previous()
            .last()
            .is_some_and(|from| from.origin() == attempt.url().origin());
        let keeps_method = matches!(attempt.status().as_u16(), 307 | 308);
        if same_host && keeps_method && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

/// Connects to one host whatever name is asked for: the URL then bears the name that TLS has to check.
struct FixedHost {
    host: String,
    port: u16,
}

impl FixedHost {
    fn of(address: &str) -> Result<Arc<Self>, Error> {
        let url = Url::parse(address).map_err(|error| Error::Config(error.to_string()))?;
        let host = url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        Ok(Arc::new(Self {
            host,
            port: url.port_or_known_default().unwrap_or(443),
        }))
    }
}

impl Resolve for FixedHost {
    fn resolve(&self, _: Name) -> Resolving {
        let (host, port) = (self.host.clone(), self.port);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn seconds(value: &HeaderValue) -> Option<Duration> {
    value
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

/// The cause at the bottom, which is the one that tells: "connection refused" and not "error sending request".
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// Whether the TLS library is among the causes. An input/output error answers with its inner error's cause as its source,
/// not with the inner error itself, so that one is asked for by name.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inner.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

#[cfg(test)]
mod tests;
