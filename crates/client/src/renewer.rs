use std::time::Duration;

use tokio::time::Instant;

use crate::term::Term;
use crate::{Auth, Client, Error, Secret};

/// Less than this part of the first TTL is not worth renewing: the maximum is near, the end has to come.
const WORTHWHILE: f64 = 0.1;

/// Keeps one token or lease alive, as long as that goes. What also takes the next one in time is [`crate::LeaseKeeper`].
///
/// ```no_run
/// # async fn example(client: coffer_client::Client, auth: coffer_client::Auth) {
/// use coffer_client::{Renewal, Renewer};
/// let mut renewer = Renewer::token(client, &auth);
/// loop {
///     match renewer.next().await {
///         Renewal::Renewed { .. } => {}
///         Renewal::Failed { error, .. } => eprintln!("renewal failed, trying again: {error}"),
///         Renewal::Ending { left } => break, // log in again within `left`
///     }
/// }
/// # }
/// ```
pub struct Renewer {
    client: Client,
    subject: Subject,
    term: Term,
}

enum Subject {
    Token,
    Lease(String),
}

/// What happened next to a lease.
#[derive(Debug)]
pub enum Renewal {
    /// It was renewed.
    Renewed {
        /// How long it lives now.
        ttl: Duration,
        /// What the server remarked.
        warnings: Vec<String>,
    },
    /// A renewal failed in passing; it is tried again.
    Failed {
        /// Why.
        error: Error,
        /// How long the lease still lives.
        left: Duration,
    },
    /// It cannot be renewed any further; a new one is needed. Answered from then on.
    Ending {
        /// How long it still lives.
        left: Duration,
    },
}

impl Renewer {
    /// Keeps the client's own token alive, as `auth` described it.
    #[must_use]
    pub fn token(client: Client, auth: &Auth) -> Self {
        Self::new(client, Subject::Token, auth.lease_duration, auth.renewable)
    }

    /// Keeps the lease of a secret alive.
    #[must_use]
    pub fn lease(client: Client, secret: &Secret) -> Self {
        let subject = Subject::Lease(secret.lease_id.clone());
        Self::new(client, subject, secret.lease_duration, secret.renewable)
    }

    fn new(client: Client, subject: Subject, ttl_secs: u64, renewable: bool) -> Self {
        let term = Term::new(Instant::now(), ttl_secs, renewable);
        Self {
            client,
            subject,
            term,
        }
    }

    /// Waits until the lease is due, renews it, and says how that went. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Renewal {
        if !self.term.is_renewable() || self.term.is_over() {
            let left = self.term.left();
            return Renewal::Ending { left };
        }
        tokio::time::sleep_until(self.term.due()).await;
        let asked = Instant::now();
        match self.renew().await {
            Ok(secret) => self.renewed(asked, &secret),
            Err(error) => self.failed(error),
        }
    }

    async fn renew(&self) -> Result<Secret, Error> {
        match &self.subject {
            Subject::Token => self.client.tokens().renew_self(None).await,
            Subject::Lease(id) => self.client.sys().renew_lease(id, None).await,
        }
    }

    fn renewed(&mut self, asked: Instant, secret: &Secret) -> Renewal {
        let (ttl_secs, renewable) = match (&self.subject, &secret.auth) {
            (Subject::Token, Some(auth)) => (auth.lease_duration, auth.renewable),
            _ => (secret.lease_duration, secret.renewable),
        };
        self.term.renewed(asked, ttl_secs, renewable);
        if self.term.is_cut_below(WORTHWHILE) {
            self.term.give_up();
        }
        Renewal::Renewed {
            ttl: self.term.ttl(),
            warnings: secret.warnings.clone(),
        }
    }

    fn failed(&mut self, error: Error) -> Renewal {
        self.term.failed(&error);
        let left = self.term.left();
        Renewal::Failed { error, left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responder::Responder;

    #[tokio::test(start_paused = true)]
    async fn renews_until_the_maximum_is_near() {
        let renewed = |secs: u64| {
            format!(r#"{{"auth":{{"client_token":"t","lease_duration":{secs},"renewable":true}}}}"#)
        };
        let responder = Responder::start([(200, renewed(100)), (200, renewed(5))]).await;
        let auth = Auth {
            lease_duration: 100,
            renewable: true,
            ..Auth::default()
        };
        let mut renewer = Renewer::token(responder.client(), &auth);

        let begun = Instant::now();
        assert!(
            matches!(renewer.next().await, Renewal::Renewed { ttl, .. } if ttl.as_secs() == 100)
        );
        let waited = begun.elapsed().as_secs();
        assert!((60..=80).contains(&waited), "{waited}");
        assert!(matches!(renewer.next().await, Renewal::Renewed { ttl, .. } if ttl.as_secs() == 5));
        assert!(matches!(renewer.next().await, Renewal::Ending { left } if left.as_secs() <= 5));
        assert!(
            responder
                .requests()
                .iter()
                .all(|request| request.starts_with("PUT /v1/auth/token/renew-self"))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn tries_again_after_a_passing_failure_and_stops_after_a_refusal() {
        let responder = Responder::start([
            (500, r#"{"errors":["disk"]}"#.to_owned()),
            (
                200,
                r#"{"lease_id":"l","lease_duration":60,"renewable":true}"#.to_owned(),
            ),
            (400, r#"{"errors":["lease not found"]}"#.to_owned()),
        ])
        .await;
        let secret = Secret {
            lease_id: "l".to_owned(),
            lease_duration: 60,
            renewable: true,
            ..Secret::default()
        };
        let mut renewer = Renewer::lease(responder.client(), &secret);
        assert!(
            matches!(renewer.next().await, Renewal::Failed { left, .. } if left.as_secs() < 25)
        );
        assert!(matches!(renewer.next().await, Renewal::Renewed { .. }));
        assert!(matches!(renewer.next().await, Renewal::Failed { .. }));
        assert!(matches!(renewer.next().await, Renewal::Ending { .. }));
    }
}
