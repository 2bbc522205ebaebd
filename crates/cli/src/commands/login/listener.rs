//! Where a browser comes back to: as little of a web server as that takes.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::form_urlencoded;

use crate::failure::Failure;

/// The path that a browser comes back to.
pub(super) const PATH: &str = "/oidc/callback";
/// The longest request that is read, in bytes.
const MAX_REQUEST_BYTES: usize = 32 * 1024;
/// How many connections are looked at at once.
const CONNECTIONS_MAX: usize = 64;
/// How long a browser may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(10);

/// It.
pub(super) struct Listener(TcpListener);

/// A browser that came back, and waits for what to show.
pub(super) struct Arrival {
    /// What the provider gave it.
    pub(super) fields: BTreeMap<String, String>,
    stream: TcpStream,
}

impl Listener {
    pub(super) async fn bind(address: &str, port: u16) -> Result<Self, Failure> {
        let bound = TcpListener::bind((address, port)).await;
        bound.map(Self).map_err(|error| {
            Failure::local(format!(
                "cannot listen at {address}:{port} for the browser to come back: {error}. Name another with port= or listenaddress=."
            ))
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.0.local_addr().map_or(0, |address| address.port())
    }

    /// Waits for the browser that comes back from this sign-in; any other is turned away.
    pub(super) async fn arrival(&self, state: &str) -> Result<Arrival, Failure> {
        // Browsers open connections ahead and say nothing on them: none may keep another waiting.
        let mut asking = JoinSet::new();
        loop {
            tokio::select! {
                Some(looked) = asking.join_next() => if let Ok(Some(arrival)) = looked {
                    return Ok(arrival);
                },
                accepted = self.0.accept(), if asking.len() < CONNECTIONS_MAX => {
                    let (stream, _) = accepted.map_err(|error| {
                        Failure::local(format!("cannot listen for the browser any more: {error}"))
                    })?;
                    asking.spawn(looked_at(stream, state.to_owned()));
                }
            }
        }
    }
}

/// The browser of the sign-in with this state; anybody else is turned away.
async fn looked_at(mut stream: TcpStream, state: String) -> Option<Arrival> {
    let asked = tokio::time::timeout(PATIENCE, target(&mut stream)).await;
    let fields = asked.ok().flatten().and_then(|target| fields(&target));
    let (status, text) = match fields {
        Some(fields) if fields.get("state") == Some(&state) => {
            return Some(Arrival { fields, stream });
        }
        Some(_) => ("400 Bad Request", "This is not the sign-in that was begun."),
        None => ("404 Not Found", "There is nothing here."),
    };
    say(&mut stream, status, text).await;
    None
}

impl Arrival {
    /// Tells whoever sits there how it went.
    pub(super) async fn tell(mut self, fine: bool) {
        match fine {
            true => {
                say(
                    &mut self.stream,
                    "200 OK",
                    "You are signed in. You can close this page.",
                )
                .await
            }
            false => {
                say(
                    &mut self.stream,
                    "400 Bad Request",
                    "The sign-in failed; the terminal says why.",
                )
                .await
            }
        }
    }
}

/// What a browser asks for. A form that it sends stands for the query.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let head = loop {
        if let Some(at) = request.windows(4).position(|end| end == b"\r\n\r\n") {
            break String::from_utf8(request.drain(..at + 4).collect()).ok()?;
        }
        more(stream, &mut request).await?;
    };
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    if method != "POST" {
        return (method == "GET").then(|| target.to_owned());
    }
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    let length: usize = length.1.trim().parse().ok()?;
    while request.len() < length {
        more(stream, &mut request).await?;
    }
    let form = String::from_utf8(request).ok()?;
    Some(format!("{target}?{form}"))
}

/// Reads on, up to a limit.
async fn more(stream: &mut TcpStream, request: &mut Vec<u8>) -> Option<()> {
    let mut chunk = [0; 4096];
    let length = stream
        .read(&mut chunk)
        .await
        .ok()
        .filter(|length| *length > 0)?;
    request.extend_from_slice(chunk.get(..length)?);
    (request.len() <= MAX_REQUEST_BYTES).then_some(())
}

/// The fields of a request for our path.
fn fields(target: &str) -> Option<BTreeMap<String, String>> {
    let (path, query) = target.split_once('?')?;
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    (path == PATH).then(|| pairs.collect())
}

async fn say(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Coffer</title><p>{text}</p></html>\n"
    );
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nContent-Security-Policy: default-src 'none'\r\nReferrer-Policy: no-referrer\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(port: u16, request: &'static str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn connections_that_say_nothing_keep_nobody_waiting() {
        let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
        let port = listener.port();
        let mut silent = Vec::new();
        for _ in 0..10 {
            silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        }
        let browser = tokio::spawn(asked(
            port,
            "GET /oidc/callback?state=st_1 HTTP/1.1\r\n\r\n",
        ));
        let arrival = tokio::time::timeout(PATIENCE / 2, listener.arrival("st_1"));
        arrival.await.unwrap().unwrap().tell(true).await;
        assert!(browser.await.unwrap().contains("signed in"));
    }

    #[tokio::test]
    async fn only_the_browser_of_this_sign_in_arrives() {
        let listener = Listener::bind("127.0.0.1", 0).await.unwrap();
        let port = listener.port();
        let browser = tokio::spawn(async move {
            for (request, status) in [
                ("GET /favicon.ico HTTP/1.1\r\n\r\n", "404"),
                (
                    "GET /oidc/callback?state=other&code=c HTTP/1.1\r\n\r\n",
                    "400",
                ),
                ("PUT /oidc/callback?state=st_1 HTTP/1.1\r\n\r\n", "404"),
                ("POST /oidc/callback HTTP/1.1\r\n\r\n", "404"),
                (
                    "POST /oidc/callback HTTP/1.1\r\ncontent-length: 7\r\n\r\nstate=x",
                    "400",
                ),
                ("nonsense\r\n\r\n", "404"),
            ] {
                assert!(
                    asked(port, request)
                        .await
                        .starts_with(&format!("HTTP/1.1 {status}")),
                    "{request}"
                );
            }
            asked(
                port,
                "GET /oidc/callback?state=st_1%2Cns%3Da&code=a%2Bb HTTP/1.1\r\nHost: x\r\n\r\n",
            )
            .await
        });
        let arrival = listener.arrival("st_1,ns=a").await.unwrap();
        assert_eq!(arrival.fields["code"], "a+b");
        arrival.tell(true).await;
        assert!(browser.await.unwrap().contains("You are signed in"));
        let form = "POST /oidc/callback HTTP/1.1\r\nContent-Length: 18\r\n\r\nstate=s&id_token=t";
        let browser = tokio::spawn(async move { asked(port, form).await });
        let arrival = listener.arrival("s").await.unwrap();
        assert_eq!(arrival.fields["id_token"], "t");
        arrival.tell(false).await;
        assert!(browser.await.unwrap().contains("failed"));
    }
}
