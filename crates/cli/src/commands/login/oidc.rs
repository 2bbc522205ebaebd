//! Signing in with a browser.

use std::time::Duration;

use coffer_client::{Client, Error, Secret, variable};
use coffer_crypto::Random;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use url::Url;

use super::listener::{self, Listener};
use crate::context::Context;
use crate::failure::{Failure, While};

/// How long a sign-in is good for; the server forgets it after that.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How long to wait between two questions where the server says nothing.
const INTERVAL: Duration = Duration::from_secs(5);
/// How much later to ask after having asked too soon (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// What the words after the command say.
struct Options {
    role: String,
    mode: Mode,
    listen_address: String,
    port: u16,
    callback_method: Option<String>,
    callback_host: Option<String>,
    callback_port: Option<u16>,
    skip_browser: bool,
    abort_on_error: bool,
}

/// Where the provider's answer arrives.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Client,
    Direct,
    Device,
}

/// What the server says about where to go.
struct Directions {
    url: Url,
    /// What to type there.
    code: String,
    state: Option<String>,
    interval: Duration,
}

/// Signs somebody in who has a browser.
pub(super) async fn log_in(
    cx: &Context,
    client: &Client,
    mount: &str,
    fields: Map<String, Value>,
) -> Result<Secret, Failure> {
    let options = Options::of(fields)?;
    let client = client.with_token(None);
    let at = format!("auth/{mount}/oidc");
    let nonce = Random::system().base62(32);
    let (listener, redirect_uri) = match options.mode {
        Mode::Client => {
            let listener = Listener::bind(&options.listen_address, options.port).await?;
            let uri = options.local_uri(listener.port());
            (Some(listener), uri)
        }
        Mode::Direct => (None, options.server_uri(cx, &client, mount)?),
        Mode::Device => (None, String::new()),
    };
    let asked =
        json!({ "role": options.role, "redirect_uri": redirect_uri, "client_nonce": nonce });
    let told = client
        .write(&format!("{at}/auth_url"), &asked)
        .await
        .or_failed("beginning the sign-in")?;
    let directions = Directions::of(told, &redirect_uri)?;
    options.show(cx, &directions)?;
    let answer = match (&listener, &directions.state) {
        (Some(listener), _) => hand_on(&client, &at, listener, &directions, &nonce).await?,
        (None, Some(state)) => wait(&client, &at, state, directions.interval, &nonce).await?,
        (None, None) => {
            return Err(Failure::local(
                "the role's callback_mode is not the one of callbackmode=; ask whoever set the role up",
            ));
        }
    };
    answer.ok_or_else(|| Failure {
        code: 2,
        text: "the server answered no token".to_owned(),
    })
}

impl Options {
    fn of(mut fields: Map<String, Value>) -> Result<Self, Failure> {
        let mut take = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let mode = match take("callbackmode").as_deref() {
            None | Some("client") => Mode::Client,
            Some("direct") => Mode::Direct,
            Some("device") => Mode::Device,
            Some(_) => return Err(Failure::local("callbackmode is client, direct or device")),
        };
        let options = Self {
            role: take("role").unwrap_or_default(),
            mode,
            listen_address: take("listenaddress").unwrap_or_else(|| "localhost".to_owned()),
            port: port("port", take("port"))?.unwrap_or(8250),
            callback_method: take("callbackmethod"),
            callback_host: take("callbackhost"),
            callback_port: port("callbackport", take("callbackport"))?,
            skip_browser: flag("skip_browser", take("skip_browser"))?,
            abort_on_error: flag("abort_on_error", take("abort_on_error"))?,
        };
        match fields.keys().next() {
            Some(name) => Err(Failure::local(format!(
                "{name}= is not known here; known are role, callbackmode, listenaddress, port, callbackmethod, callbackhost, callbackport, skip_browser and abort_on_error"
            ))),
            None => Ok(options),
        }
    }

    /// Where the provider sends the browser, when this program listens.
    fn local_uri(&self, port: u16) -> String {
        let method = self.callback_method.as_deref().unwrap_or("http");
        let host = self.callback_host.as_deref().unwrap_or("localhost");
        let port = self.callback_port.unwrap_or(port);
        format!("{method}://{host}:{port}{}", listener::PATH)
    }

    /// The same when the server is to get the answer.
    fn server_uri(&self, cx: &Context, client: &Client, mount: &str) -> Result<String, Failure> {
        let unusable = || Failure::local("the server's address can not be come back to");
        let mut url = Url::parse(client.address()).map_err(|_| unusable())?;
        if let Some(method) = &self.callback_method {
            url.set_scheme(method).map_err(|()| unusable())?;
        }
        if let Some(host) = &self.callback_host {
            url.set_host(Some(host)).map_err(|_| unusable())?;
        }
        if let Some(port) = self.callback_port {
            url.set_port(Some(port)).map_err(|()| unusable())?;
        }
        let namespace = cx
            .global
            .namespace
            .clone()
            .or_else(|| variable("NAMESPACE"));
        let namespace = namespace.unwrap_or_default();
        let namespace = match namespace.trim_matches('/') {
            "" => String::new(),
            path => format!("{path}/"),
        };
        url.set_path(&format!("v1/{namespace}auth/{mount}/oidc/callback"));
        Ok(url.into())
    }

    /// Shows where to go, and opens a browser there if there is one.
    fn show(&self, cx: &Context, directions: &Directions) -> Result<(), Failure> {
        let url = &directions.url;
        cx.ui.warn(&format!(
            "Sign in with your provider. If no browser opens, go to:\n\n    {url}\n"
        ));
        if !directions.code.is_empty() {
            cx.ui
                .warn(&format!("and type the code {}\n", directions.code));
        }
        if self.skip_browser || open(url) {
            return Ok(());
        }
        match self.abort_on_error {
            true => Err(Failure::local("no browser could be opened")),
            false => Ok(()),
        }
    }
}

impl Directions {
    fn of(told: Option<Secret>, redirect_uri: &str) -> Result<Self, Failure> {
        let data = told.and_then(|told| told.data).unwrap_or_default();
        let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("auth_url").is_empty() {
            return Err(Failure {
                code: 2,
                text: format!(
                    "the server does not say where to sign in: the role must have {redirect_uri} among its allowed_redirect_uris, and the provider must answer"
                ),
            });
        }
        let url = Url::parse(text("auth_url")).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
        let seconds = text("poll_interval")
            .parse()
            .ok()
            .filter(|seconds| *seconds > 0);
        let url = url.ok_or_else(|| Failure {
            code: 2,
            text: "the server's address to sign in at is none of the web".to_owned(),
        })?;
        Ok(Self {
            url,
            code: text("user_code").to_owned(),
            state: Some(text("state").to_owned()).filter(|state| !state.is_empty()),
            interval: seconds.map_or(INTERVAL, Duration::from_secs),
        })
    }

    /// What the provider has to say again.
    fn expected_state(&self) -> Option<String> {
        let mut pairs = self.url.query_pairs();
        let state = pairs.find(|(name, _)| name == "state");
        state.map(|(_, value)| value.into_owned())
    }
}

/// Waits for the browser to come with the provider's answer, and hands that to the server.
async fn hand_on(
    client: &Client,
    at: &str,
    listener: &Listener,
    directions: &Directions,
    nonce: &str,
) -> Result<Option<Secret>, Failure> {
    let expected = directions.expected_state().unwrap_or_default();
    let arrived = tokio::time::timeout(LIFETIME, listener.arrival(&expected)).await;
    let arrived = arrived.map_err(|_| late())??;
    let mut query = vec![("state", expected.as_str()), ("client_nonce", nonce)];
    for (name, value) in &arrived.fields {
        if matches!(
            name.as_str(),
            "code" | "id_token" | "error" | "error_description"
        ) {
            query.push((name, value));
        }
    }
    let answer = client.read(&format!("{at}/callback"), &query).await;
    arrived.tell(answer.is_ok()).await;
    answer.or_failed("signing in")
}

/// Asks the server until the person has signed in.
async fn wait(
    client: &Client,
    at: &str,
    state: &str,
    mut interval: Duration,
    nonce: &str,
) -> Result<Option<Secret>, Failure> {
    let begun = Instant::now();
    let asked = json!({ "state": state, "client_nonce": nonce });
    while begun.elapsed() < LIFETIME {
        tokio::time::sleep(interval).await;
        let answer = client.write(&format!("{at}/poll"), &asked).await;
        let says = |word: &str| match &answer {
            Err(Error::Api { errors, .. }) => errors.iter().any(|error| error == word),
            _ => false,
        };
        if says("slow_down") {
            interval += SLOWER;
        } else if !says("authorization_pending") {
            return answer.or_failed("signing in");
        }
    }
    Err(late())
}

fn late() -> Failure {
    Failure::local("nobody has signed in within five minutes; begin again")
}

/// Opens a browser; says whether one was begun.
fn open(url: &Url) -> bool {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let quiet = std::process::Stdio::null;
    let mut command = std::process::Command::new(program);
    command.arg(url.as_str());
    command.stdin(quiet()).stdout(quiet()).stderr(quiet());
    command.spawn().is_ok()
}

fn port(name: &str, text: Option<String>) -> Result<Option<u16>, Failure> {
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|_| Failure::local(format!("{name} is a number from 0 to 65535")))
}

fn flag(name: &str, text: Option<String>) -> Result<bool, Failure> {
    match text.as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => Err(Failure::local(format!("{name} is true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[(&str, &str)]) -> Result<Options, Failure> {
        let fields = words
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        Options::of(fields.collect())
    }

    #[test]
    fn words() {
        let usual = options(&[("role", "r")]).unwrap();
        assert_eq!(usual.local_uri(8250), "http://localhost:8250/oidc/callback");
        assert!(usual.mode == Mode::Client && !usual.skip_browser);
        let other = options(&[
            ("port", "0"),
            ("callbackhost", "me.example"),
            ("callbackmethod", "https"),
            ("callbackport", "443"),
            ("skip_browser", "true"),
        ]);
        let other = other.unwrap();
        assert_eq!(other.local_uri(5), "https://me.example:443/oidc/callback");
        assert!(other.skip_browser);
        for wrong in [
            ("port", "x"),
            ("callbackmode", "x"),
            ("skip_browser", "x"),
            ("nosuch", "x"),
        ] {
            assert!(options(&[wrong]).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_opened() {
        let told = |url: &str| {
            let secret = serde_json::from_value(json!({ "data": { "auth_url": url } })).unwrap();
            Directions::of(Some(secret), "x").map(|directions| directions.expected_state())
        };
        assert_eq!(
            told("https://idp.example/auth?state=st_1")
                .unwrap()
                .unwrap(),
            "st_1"
        );
        for wrong in ["", "file:///etc/passwd", "javascript:alert(1)", "--help"] {
            assert!(told(wrong).is_err(), "{wrong}");
        }
    }
}
