use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use crate::{Client, Error, Request, Secret};

/// How to come by a client with a good token.
pub(super) type Login = Box<dyn Fn() -> Answer<Client> + Send + Sync>;
type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Who gives credentials, extends them and takes them back.
pub(super) trait Lessor: Send + Sync + 'static {
    fn issue(&self) -> impl Future<Output = Result<Secret, Error>> + Send;
    fn renew(&self, lease_id: &str) -> impl Future<Output = Result<Secret, Error>> + Send;
    fn take_back(&self, lease_id: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A server, spoken to by a client whose token may be replaced.
pub(super) struct ClientLessor {
    client: Mutex<Client>,
    request: Request,
    login: Option<Login>,
}

impl ClientLessor {
    pub(super) fn new(client: Client, request: Request, login: Option<Login>) -> Self {
        Self {
            client: Mutex::new(client),
            request,
            login,
        }
    }

    /// The client whose token was good last.
    pub(super) fn client(&self) -> Client {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.clone()
    }

    fn set_client(&self, new: Client) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = new;
    }

    async fn ask(&self) -> Result<Secret, Error> {
        let nothing = || Error::Config(format!("there is nothing at {}", self.request.path));
        let answer = self.client().send(self.request.clone()).await?;
        let secret = answer.secret()?.ok_or_else(nothing)?;
        if secret.lease_id.is_empty() || secret.lease_duration == 0 {
            return Err(Error::Config(format!(
                "{} answers nothing that has a lease; read it once, or watch its events",
                self.request.path
            )));
        }
        Ok(secret)
    }
}

impl Lessor for ClientLessor {
    async fn issue(&self) -> Result<Secret, Error> {
        match (self.ask().await, &self.login) {
            (Err(error), Some(login)) if is_about_the_token(&error) => {
                self.set_client(login().await?);
                self.ask().await
            }
            (answer, _) => answer,
        }
    }

    async fn renew(&self, lease_id: &str) -> Result<Secret, Error> {
        self.client().sys().renew_lease(lease_id, None).await
    }

    async fn take_back(&self, lease_id: &str) -> Result<(), Error> {
        self.client().sys().revoke_lease(lease_id, true).await
    }
}

/// 403 is a token that ended or may not; 401 is what some proxies say. Without any token it is 400.
fn is_about_the_token(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 401 | 403))
}
