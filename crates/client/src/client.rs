use std::time::Duration;

use serde::Serialize;

use crate::events::Events;
use crate::sys::Sys;
use crate::transport::Transport;
use crate::{
    AccessKeys, ClientBuilder, Download, Error, Kv1, Kv2, LeaseBuilder, Method, Request, Response,
    Secret, Token, Tokens, retry,
};

/// How long `sys/wrapping/wrap`, which always wraps, does so when nobody says.
const DEFAULT_WRAP: Duration = Duration::from_secs(300);

/// A client of one server. Cloning is cheap and shares connections.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    token: Option<Token>,
    wrap_ttl: Option<Duration>,
    max_retries: u32,
    namespace: String,
}

impl Client {
    /// A client with default settings, to be changed by the builder's methods.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client as the environment says.
    ///
    /// # Errors
    /// [`Error::Config`] naming the variable whose value cannot be read.
    pub fn builder_from_env() -> Result<ClientBuilder, Error> {
        ClientBuilder::from_env()
    }

    pub(crate) fn new(from: &ClientBuilder) -> Result<Self, Error> {
        Ok(Self {
            transport: Transport::new(from)?,
            token: from.token.clone(),
            wrap_ttl: from.wrap_ttl,
            max_retries: from.max_retries,
            namespace: from.namespace.clone().unwrap_or_default(),
        })
    }

    /// The server's address, as given.
    #[must_use]
    pub fn address(&self) -> &str {
        self.transport.address()
    }

    /// The namespace that all paths are relative to; empty for the root.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The token that is sent, if any.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// The same client with another token.
    #[must_use]
    pub fn with_token(&self, token: Option<Token>) -> Self {
        Self {
            token,
            ..self.clone()
        }
    }

    /// Reads `path`; `None` where nothing exists there.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn read(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Secret>, Error> {
        self.send(Request::new(Method::Get, path).queries(query).wrappable())
            .await?
            .secret()
    }

    /// Writes `body`, a JSON object, to `path`; `None` where the server has nothing to answer.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn write(&self, path: &str, body: &impl Serialize) -> Result<Option<Secret>, Error> {
        let request = Request::new(Method::Put, path).json(body)?;
        let request = match path.trim_matches('/') {
            "sys/wrapping/wrap" => request.wrapped_for(DEFAULT_WRAP),
            _ => request.wrappable(),
        };
        existing(self.send(request).await?)
    }

    /// Changes the named fields at `path` and leaves the others (RFC 7396 merge patch).
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn patch(&self, path: &str, body: &impl Serialize) -> Result<Option<Secret>, Error> {
        existing(
            self.send(Request::new(Method::Patch, path).json(body)?.wrappable())
                .await?,
        )
    }

    /// Lists the names below `path`; `None` where there are none.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn list(&self, path: &str, query: &[(&str, &str)]) -> Result<Option<Secret>, Error> {
        self.send(
            Request::new(Method::Get, path)
                .query("list", "true")
                .queries(query)
                .wrappable(),
        )
        .await?
        .secret()
    }

    /// Deletes what is at `path`; deleting nothing is no error.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn delete(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Option<Secret>, Error> {
        existing(
            self.send(
                Request::new(Method::Delete, path)
                    .queries(query)
                    .wrappable(),
            )
            .await?,
        )
    }

    /// Unwraps a wrapped answer: with `token`, or with the client's own token if that is the wrapping one.
    ///
    /// # Errors
    /// Any [`Error`]; 400 where the token was used already.
    pub async fn unwrap(&self, token: Option<&Token>) -> Result<Option<Secret>, Error> {
        let mut request = Request::new(Method::Put, "sys/wrapping/unwrap");
        match (token, &self.token) {
            // Without a token of one's own the wrapping token is its own permission to unwrap itself.
            (Some(token), None) => request = request.token(token.clone()),
            (Some(token), Some(_)) => {
                request = request.json(&serde_json::json!({ "token": token }))?
            }
            (None, _) => {}
        }
        existing(self.send(request).await?)
    }

    /// The server's own affairs: seal, mounts, policies, leases and more.
    #[must_use]
    pub fn sys(&self) -> Sys<'_> {
        Sys::new(self)
    }

    /// What happens on the server, as it happens.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events::new(self)
    }

    /// Tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens::new(self)
    }

    /// Calls about access keys.
    #[must_use]
    pub fn access_keys(&self) -> AccessKeys<'_> {
        AccessKeys::new(self)
    }

    /// The key-value engine, version 1, mounted at `mount`.
    #[must_use]
    pub fn kv1(&self, mount: impl Into<String>) -> Kv1<'_> {
        Kv1::new(self, mount)
    }

    /// The key-value engine, version 2, mounted at `mount`.
    #[must_use]
    pub fn kv2(&self, mount: impl Into<String>) -> Kv2<'_> {
        Kv2::new(self, mount)
    }

    /// A secret with a lease, kept good for as long as it is wanted: renewed in time, replaced in time, handed back.
    ///
    /// ```no_run
    /// # async fn example(client: coffer_client::Client) {
    /// let keeper = client.lease("database/creds/app-role").keep();
    /// let Some(credential) = keeper.ready().await else { return };
    /// println!("user {:?}, good for {:?}", credential.field("username"), credential.left());
    /// # }
    /// ```
    pub fn lease(&self, path: &str) -> LeaseBuilder {
        LeaseBuilder::new(self.clone(), path)
    }

    /// Sends a request once whose answer may be of any length and take any time.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn download(&self, request: &Request) -> Result<Download, Error> {
        self.transport.download(request, self.token.as_ref()).await
    }

    /// Sends a request once whose body is a file of any length; any status is an answer here.
    ///
    /// # Errors
    /// Everything but what an error status means.
    pub async fn upload(
        &self,
        request: &Request,
        body: tokio::fs::File,
    ) -> Result<Response, Error> {
        let token = self.token.as_ref();
        self.transport.upload(request, token, body).await
    }

    /// Sends a request, repeating it where that is safe and promising; any status is an answer here.
    ///
    /// # Errors
    /// Everything but what an error status means.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let mut attempt = 0;
        loop {
            let outcome = self
                .transport
                .send(&request, self.token.as_ref(), self.wrap_ttl)
                .await;
            let Some(wait) =
                retry::wait_before_retry(attempt, self.max_retries, &request, &outcome)
            else {
                return outcome;
            };
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }
}

/// An answer to a write: absence is an error here, since something was to be changed.
fn existing(response: Response) -> Result<Option<Secret>, Error> {
    if response.status() == 404 {
        return response.ok().map(|_| None);
    }
    response.secret()
}
