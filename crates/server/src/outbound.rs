//! The HTTP client of this process, and how engines use it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::{Zeroizing, sha256};
use coffer_engine::outbound::{Method, Outbound, Request, Response};
use coffer_engine::{Answer, Fault};
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Identity, RequestBuilder};
use tokio::sync::Semaphore;
use url::{Host, Url};

/// How long a connection that nobody uses is kept.
const IDLE: Duration = Duration::from_secs(60);
/// How many requests one mount has under way; more wait for their turn.
const UNDER_WAY_MAX: usize = 64;
/// How many clients are kept: one for each set of roots, and one more for this machine's own addresses.
const CLIENTS_MAX: usize = 256;

/// What engines send requests by. Redirects are not followed: whoever answers must not choose who is asked.
#[derive(Default)]
pub(crate) struct Courier {
    clients: Mutex<HashMap<Manner, Client>>,
    turns: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// What makes clients differ: whom they trust, what they show, whether they may use a proxy, and where they go instead.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Manner {
    roots: [u8; 32],
    identity: [u8; 32],
    is_local: bool,
    instead: Option<String>,
}

impl Outbound for Courier {
    fn fetch<'a>(&'a self, owner: &'a str, request: Request) -> Answer<'a, Response> {
        Box::pin(async move {
            let late = |_| Fault::upstream("no answer in time");
            let limit = request.timeout;
            let answer = tokio::time::timeout(limit, self.bring(owner, request)).await;
            answer.map_err(late)?.map_err(Fault::Upstream)
        })
    }
}

impl Courier {
    async fn bring(&self, owner: &str, request: Request) -> Result<Response, String> {
        let turns = self.turns_of(owner);
        let turn = turns.acquire().await.map_err(|error| error.to_string())?;
        let most = request.most;
        let answer = self.sent(request)?.send().await;
        let mut answer = answer.map_err(|error| told(owner, &error))?;
        let media_type = answer.headers().get(CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = answer.chunk().await.map_err(|error| told(owner, &error))? {
            if body.len() + chunk.len() > most {
                return Err(format!("the answer is longer than {most} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        drop(turn);
        Ok(Response {
            status: answer.status().as_u16(),
            media_type,
            body,
        })
    }

    fn sent(&self, request: Request) -> Result<RequestBuilder, String> {
        let url = Url::parse(&request.url).map_err(|error| format!("the address: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("the address is neither of http nor of https".to_owned());
        }
        let (url, host) = renamed(url, &request.server_name)?;
        let client = self.client(&url, host, &request)?;
        let mut sent = match request.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
            Method::Put => client.put(url),
        };
        for (name, value) in &request.headers {
            let wrong = || format!("the header {name:?} can not be sent");
            let name = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
            let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            sent = sent.header(name, value);
        }
        Ok(match request.body.is_empty() {
            true => sent,
            false => sent.body(bytes::Bytes::from_owner(request.body)),
        })
    }

    /// The client for an address, which stands for `host` if that is said.
    fn client(&self, url: &Url, host: Option<String>, of: &Request) -> Result<Client, String> {
        let manner = Manner {
            roots: sha256(of.roots.as_bytes()),
            identity: sha256(of.identity.expose().as_bytes()),
            is_local: is_local(url),
            instead: host,
        };
        if let Some(client) = self.clients.lock().get(&manner) {
            return Ok(client.clone());
        }
        let mut client = builder(url);
        if manner.instead.is_some() {
            let names = Names {
                instead: manner.instead.clone(),
            };
            client = client.no_proxy().dns_resolver(Arc::new(names));
        }
        if !of.roots.is_empty() {
            client = client.tls_certs_only(certificates(&of.roots)?);
        }
        if !of.identity.expose().is_empty() {
            let shown = Identity::from_pem(of.identity.expose().as_bytes());
            // Its own words may hold what it could not read.
            let wrong = |_| "the certificate to be shown, or its key, is not PEM of a pair";
            client = client.identity(shown.map_err(wrong)?);
        }
        let client = client.build().map_err(|error| innermost(&error))?;
        let mut clients = self.clients.lock();
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(manner, client.clone());
        Ok(client)
    }

    /// The turns of a mount. Those of mounts that have no request under way are forgotten.
    fn turns_of(&self, owner: &str) -> Arc<Semaphore> {
        let mut turns = self.turns.lock();
        if let Some(turns) = turns.get(owner) {
            return Arc::clone(turns);
        }
        turns.retain(|_, turns| Arc::strong_count(turns) > 1);
        let fresh = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        turns.insert(owner.to_owned(), Arc::clone(&fresh));
        fresh
    }
}

/// The beginning of every client of this process, for requests to this address.
pub(crate) fn builder(url: &Url) -> ClientBuilder {
    // The first call wins; usually the start of the server was that.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = Client::builder()
        .redirect(Policy::none())
        .dns_resolver(Arc::new(Names::default()))
        .pool_idle_timeout(IDLE)
        .user_agent(concat!("coffer/", env!("CARGO_PKG_VERSION")));
    match is_local(url) {
        // A proxy from the environment can not reach this machine's own loopback.
        true => client.no_proxy(),
        false => client,
    }
}

/// The certificates of a text in PEM.
pub(crate) fn certificates(pem: &str) -> Result<Vec<Certificate>, String> {
    let found = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| error.to_string())?;
    match found.is_empty() {
        true => Err("it holds no certificate".to_owned()),
        false => Ok(found),
    }
}

/// What went wrong, in words that strangers may read: who listens where, and what stands in whose certificate, is for the log.
fn told(owner: &str, error: &reqwest::Error) -> String {
    let why = innermost(error);
    tracing::warn!(mount = owner, reason = %why, "another server can not be asked");
    let text = match () {
        () if error.is_timeout() => "no answer in time",
        () if is_tls(error) => "its certificate is not trusted, or it does not speak TLS",
        () if error.is_connect() => "no connection can be made",
        () => "it does not answer as HTTP wants it",
    };
    format!("{text}; the server's log says more")
}

/// Whether the TLS library is among the causes. An input/output error answers with its inner error's cause as its source,
/// not with the inner error itself, so that one is asked for by name.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let inner = error.downcast_ref::<std::io::Error>();
    let inner = inner.and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>()
        || inner.is_some_and(|inner| is_tls(inner))
        || error.source().is_some_and(is_tls)
}

/// The address with the name of a certificate in place of its host, and that host.
fn renamed(mut url: Url, name: &str) -> Result<(Url, Option<String>), String> {
    if name.is_empty() || url.scheme() != "https" {
        return Ok((url, None));
    }
    let host = url.host_str().map(str::to_owned);
    let wrong = |_| "the name of the server's certificate is none".to_owned();
    url.set_host(Some(name)).map_err(wrong)?;
    match url.host() {
        Some(Host::Domain(_)) => Ok((url, host)),
        // An address is not looked up, so that the connection would go there.
        _ => Err("the name of the server's certificate is an address".to_owned()),
    }
}

/// Names by the process's own lookup; all of them where one name stands for another.
#[derive(Default)]
struct Names {
    instead: Option<String>,
}

impl Resolve for Names {
    fn resolve(&self, asked: Name) -> Resolving {
        let name = self.instead.clone();
        let name = name.unwrap_or_else(|| asked.as_str().to_owned());
        Box::pin(async move {
            let found = coffer_engine::lookup(&name).await?;
            let found: Vec<SocketAddr> = found.iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What went wrong, without the address: that may hold a credential.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Whether an address is this machine's own, or of what stands beside it: services that tell a machine who it is. Through a proxy
/// they would tell us who the proxy is.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => matches!(name, "localhost" | "metadata.google.internal"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
        Some(Host::Ipv6(address)) => {
            // Amazon's own place for such services.
            let is_beside = matches!(address.segments(), [0xfd00, 0x0ec2, ..]);
            address.is_loopback() || address.is_unicast_link_local() || is_beside
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers each connection once with `answer`, and says how it was asked.
    async fn server(answer: String) -> (String, tokio::sync::mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/x", listener.local_addr().unwrap());
        let (tell, told) = tokio::sync::mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = vec![0; 64 << 10];
                let length = stream.read(&mut asked).await.unwrap();
                asked.truncate(length);
                let _ = tell.send(String::from_utf8(asked).unwrap()).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        (address, told)
    }

    fn answer(status: &str, more: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{more}content-length: {length}\r\n\r\n{body}")
    }

    async fn refused(request: Request) -> String {
        let answer = Courier::default().fetch("mount", request).await;
        answer.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn an_answer_of_any_status_is_one() {
        let more = "content-type: text/plain\r\n";
        let (url, mut told) = server(answer("403 Forbidden", more, "no")).await;
        let request = Request::post(url, "application/json", b"{}".to_vec()).with("x-a", "b");
        let response = Courier::default().fetch("mount", request).await.unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (403, &b"no"[..])
        );
        assert_eq!(response.media_type, "text/plain");
        let asked = told.recv().await.unwrap();
        assert!(asked.starts_with("POST /x HTTP/1.1\r\n") && asked.ends_with("\r\n\r\n{}"));
        assert!(
            asked.contains("x-a: b\r\n") && asked.contains("content-type: application/json\r\n")
        );
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_too() {
        let (elsewhere, mut never) = server(answer("200 OK", "", "")).await;
        let more = format!("location: {elsewhere}\r\n");
        let (url, _told) = server(answer("302 Found", &more, "")).await;
        let response = Courier::default()
            .fetch("mount", Request::get(url))
            .await
            .unwrap();
        assert_eq!(response.status, 302);
        assert!(never.try_recv().is_err());
    }

    #[tokio::test]
    async fn length_and_time_are_bounded() {
        let (url, _told) = server(answer("200 OK", "", &"x".repeat(1_000))).await;
        let short = Request {
            most: 999,
            ..Request::get(url)
        };
        assert!(refused(short).await.contains("longer than 999 bytes"));
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let hasty = Request {
            timeout: Duration::from_millis(50),
            ..Request::get(url)
        };
        assert!(refused(hasty).await.contains("no answer in time"));
    }

    #[tokio::test]
    async fn one_mount_waits_for_its_own_requests_alone() {
        let courier = Courier::default();
        let turns = courier.turns_of("slow");
        let _all = turns.acquire_many(64).await.unwrap();
        let (url, _told) = server(answer("200 OK", "", "")).await;
        let hasty = Request {
            timeout: Duration::from_millis(50),
            ..Request::get(url)
        };
        assert!(courier.fetch("slow", hasty.clone()).await.is_err());
        let patient = Request {
            timeout: Duration::from_secs(10),
            ..hasty
        };
        courier.fetch("other", patient).await.unwrap();
    }

    #[tokio::test]
    async fn what_can_not_be_sent_is_refused_without_its_secrets() {
        for (request, word) in [
            (Request::get("http://"), "the address"),
            (Request::get("file:///etc/passwd"), "neither of http"),
            (
                Request::get("http://h/").with("a", "hunter2\n"),
                "the header",
            ),
            (Request::get("http://h/").trusting("x"), "no certificate"),
            (
                Request::get("http://u:hunter2@127.0.0.1:1/"),
                "no connection",
            ),
        ] {
            let why = refused(request).await;
            assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn what_stands_beside_a_machine_is_not_asked_through_a_proxy() {
        for (url, is) in [
            ("http://localhost/", true),
            ("http://127.0.0.1/", true),
            ("http://169.254.169.254/latest/", true),
            ("http://[fd00:ec2::254]/", true),
            ("http://[fe80::1]/", true),
            ("http://metadata.google.internal/", true),
            ("http://10.0.0.1/", false),
            ("http://metadata.google.internal.example/", false),
            ("http://[fd00::1]/", false),
        ] {
            assert_eq!(is_local(&Url::parse(url).unwrap()), is, "{url}");
        }
    }

    /// A server that takes those alone who show a certificate of its authority, and is itself called `name.example`.
    struct Closed {
        url: String,
        roots: String,
        identity: String,
    }

    async fn closed() -> Closed {
        use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
        use tokio_rustls::TlsAcceptor;
        use tokio_rustls::rustls::pki_types::pem::PemObject;
        use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
        use tokio_rustls::rustls::server::WebPkiClientVerifier;
        use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::aws_lc_rs};
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let roots = authority.self_signed(&key).unwrap();
        let issuer = Issuer::new(authority, key);
        let issued = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            (params.signed_by(&key, &issuer).unwrap(), key)
        };
        let (own, own_key) = issued("name.example");
        let (theirs, their_key) = issued("client.example");
        let mut trusted = RootCertStore::empty();
        trusted.add(roots.der().clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider));
        let chain = vec![CertificateDer::from(own.der().to_vec())];
        let key = PrivateKeyDer::from_pem_slice(own_key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/x", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut asked = vec![0; 64 << 10];
                let length = stream.read(&mut asked).await.unwrap_or_default();
                let method = asked.iter().take(length).take_while(|byte| **byte != b' ');
                let method = String::from_utf8(method.copied().collect()).unwrap();
                let _ = stream
                    .write_all(answer("200 OK", "", &method).as_bytes())
                    .await;
            }
        });
        Closed {
            url,
            roots: roots.pem(),
            identity: format!("{}{}", theirs.pem(), their_key.serialize_pem()),
        }
    }

    #[tokio::test]
    async fn a_certificate_is_shown_and_another_name_is_expected() {
        let Closed {
            url,
            roots,
            identity,
        } = closed().await;
        let both = Request {
            method: Method::Put,
            identity: identity.as_str().into(),
            server_name: "name.example".into(),
            ..Request::get(url).trusting(roots)
        };
        let courier = Courier::default();
        let response = courier.fetch("seal", both.clone()).await.unwrap();
        assert_eq!(
            (response.status, response.body.as_slice()),
            (200, &b"PUT"[..])
        );
        for (wrong, word) in [
            (
                Request {
                    server_name: String::new(),
                    ..both.clone()
                },
                "not trusted",
            ),
            (
                Request {
                    server_name: "other.example".into(),
                    ..both.clone()
                },
                "not trusted",
            ),
            (
                Request {
                    server_name: "127.0.0.1".into(),
                    ..both.clone()
                },
                "is an address",
            ),
            (
                Request {
                    server_name: "a b".into(),
                    ..both.clone()
                },
                "is none",
            ),
            (
                Request {
                    roots: String::new(),
                    ..both.clone()
                },
                "not trusted",
            ),
            (
                Request {
                    identity: "hunter2".into(),
                    ..both.clone()
                },
                "not PEM of a pair",
            ),
        ] {
            let why = refused(wrong).await;
            assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
        }
        let shy = Request {
            identity: "".into(),
            ..both
        };
        assert!(courier.fetch("seal", shy).await.is_err());
    }
}
