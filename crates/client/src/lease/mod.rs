//! Leases that never run out under their user: renewed in time, replaced in time, handed back.

mod credential;
mod keeper;
mod lessor;
mod listening;
mod news;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::Serialize;
use tokio::sync::{mpsc, watch};

pub use credential::Credential;
pub use news::LeaseNews;

use crate::{Client, Error, Method, Request};
use keeper::{Ears, Keeper, Tell};
use lessor::{ClientLessor, Login};

/// How many reports of refusals wait for the keeper; one is enough, they all say the same.
const REPORTS_MAX: usize = 16;

/// A wish for a leased credential, see [`Client::lease`].
#[must_use = "nothing is taken before `keep`"]
pub struct LeaseBuilder {
    client: Client,
    request: Request,
    login: Option<Login>,
    tell: Tell,
    listens: bool,
}

/// Keeps a leased credential good for as long as it is wanted.
///
/// The keeper renews when 70 % of the credential's time is over, a little sooner or later so that a fleet does not come
/// in step. When a renewal gives less than the whole time, the maximum is near: it takes *another* credential while the
/// one before is still good, and makes that the current one. The one before is handed back (revoked) when its last
/// user has dropped it. A server that is away or sealed is asked again and again, with growing, uneven waits, and the
/// current credential stays the current one meanwhile.
///
/// ```no_run
/// # async fn connect(_: &coffer_client::Credential) {}
/// # async fn example(client: coffer_client::Client) {
/// let keeper = client.lease("database/creds/app-role").keep();
/// let mut current = keeper.watch();
/// let first = keeper.ready().await; // as soon as there is one
/// loop {
///     let credential = current.borrow_and_update().clone();
///     if let Some(credential) = credential {
///         connect(&credential).await; // new connections with this one; what runs on the one before may finish
///     }
///     tokio::select! {
///         changed = current.changed() => if changed.is_err() { break },
///         _ = tokio::signal::ctrl_c() => break,
///     }
/// }
/// keeper.close().await; // hands back what is left
/// # }
/// ```
///
/// Dropping it hands everything back, too, in the background; only [`LeaseKeeper::close`] waits until that is done.
pub struct LeaseKeeper {
    current: watch::Receiver<Option<Credential>>,
    reports: mpsc::Sender<String>,
    stop: watch::Sender<bool>,
}

impl LeaseBuilder {
    pub(crate) fn new(client: Client, path: &str) -> Self {
        Self {
            client,
            request: Request::new(Method::Get, path),
            login: None,
            tell: Box::new(|_| {}),
            listens: false,
        }
    }

    /// Listens to the server's events, too, so that a lease that somebody revokes is replaced within a moment. Policies must grant
    /// `read` on `sys/events/subscribe/lease/*` and `subscribe` on the credential's path; where they do not, or where the server has no
    /// events, a failed renewal or [`LeaseKeeper::refused`] tells.
    pub fn listen(mut self) -> Self {
        self.listens = true;
        self
    }

    /// Writes these parameters to the path in place of reading it, for engines that want some.
    ///
    /// # Errors
    /// [`Error::Config`] if they cannot be written as JSON.
    pub fn parameters(mut self, parameters: &impl Serialize) -> Result<Self, Error> {
        self.request.method = Method::Put;
        self.request = self.request.json(parameters)?;
        Ok(self)
    }

    /// How to come by a client whose token is good, for when the server refuses the present one: by logging in anew, or by
    /// reading the file again that an agent keeps. Without it a token that ends takes the credential with it.
    ///
    /// ```no_run
    /// # fn example(client: coffer_client::Client) {
    /// use coffer_client::Token;
    /// let again = client.clone();
    /// let keeper = client.lease("database/creds/app-role").login(move || {
    ///     let client = again.clone();
    ///     async move {
    ///         let text = tokio::fs::read_to_string("/run/coffer/token").await;
    ///         let text = text.map_err(|error| coffer_client::Error::Config(format!("no token: {error}")))?;
    ///         Ok(client.with_token(Some(Token::new(text))))
    ///     }
    /// });
    /// # }
    /// ```
    pub fn login<F, T>(mut self, login: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<Client, Error>> + Send + 'static,
    {
        self.login = Some(Box::new(move || Box::pin(login())));
        self
    }

    /// Who hears of what the keeper does. It is called between two steps of the keeper: it must return soon.
    pub fn tell(mut self, tell: impl Fn(&LeaseNews<'_>) + Send + Sync + 'static) -> Self {
        self.tell = Box::new(tell);
        self
    }

    /// Takes the first credential and keeps it, in a task of the present tokio runtime. Returns at once: a server that is
    /// away now is waited for.
    #[must_use = "dropping the keeper ends it"]
    pub fn keep(self) -> LeaseKeeper {
        let lessor = ClientLessor::new(self.client, self.request, self.login);
        let lessor = Arc::new(lessor);
        let keeper = start(lessor.clone(), self.tell);
        if self.listens {
            let reports = keeper.reports.clone();
            tokio::spawn(listening::listen(lessor, reports, keeper.watch()));
        }
        keeper
    }
}

fn start(lessor: Arc<impl lessor::Lessor>, tell: Tell) -> LeaseKeeper {
    let (out, current) = watch::channel(None);
    let (reports, reported) = mpsc::channel(REPORTS_MAX);
    let (stop, stopped) = watch::channel(false);
    let ears = Ears { reported, stopped };
    tokio::spawn(Keeper::new(lessor, tell, out).run(ears));
    LeaseKeeper {
        current,
        reports,
        stop,
    }
}

impl LeaseKeeper {
    /// The current credential; none before the first was taken, and after the end.
    ///
    /// It may be over (`left()` is zero) while the server is away. It still is the best there is: what was opened with it may go on.
    #[must_use]
    pub fn current(&self) -> Option<Credential> {
        self.current.borrow().clone()
    }

    /// The current credential, as soon as there is one; none after the end.
    pub async fn ready(&self) -> Option<Credential> {
        let mut current = self.current.clone();
        let found = current.wait_for(Option::is_some).await.ok()?;
        found.clone()
    }

    /// Follows which credential is the current one. The channel closes when the keeper is done.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Credential>> {
        self.current.clone()
    }

    /// The target system has refused this credential: if it is the current one, another is taken at once (and less soon if
    /// that is refused as well). Say it as often as you like.
    pub fn refused(&self, credential: &Credential) {
        self.ended(credential.lease_id());
    }

    /// This lease has ended before its time, as an event or another source says; does what [`LeaseKeeper::refused`] does.
    pub fn ended(&self, lease_id: &str) {
        // Full of reports that nobody has read yet: it will look anyway.
        let _ = self.reports.try_send(lease_id.to_owned());
    }

    /// Hands back every credential, used or not, and returns when that is done or has been tried for some seconds.
    pub async fn close(&self) {
        self.stop.send_replace(true);
        let mut current = self.current.clone();
        while current.changed().await.is_ok() {}
    }
}
