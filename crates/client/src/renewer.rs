use std::time::Duration;

use tokio::time::Instant;

use crate::retry::unit_random;
use crate::{Auth, Client, Error, Secret};

/// A lease is renewed when this part of its time has passed …
const RENEW_AT: f64 = 0.7;
/// … give or take this part of it, so that a fleet does not renew in step.
const JITTER: f64 = 0.1;
/// Less than this part of the first TTL is not worth renewing: the maximum is near, the end has to come.
const WORTHWHILE: f64 = 0.1;
const SHORTEST_WAIT: Duration = Duration::from_millis(500);

/// Keeps one token or lease alive.
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
    first_ttl: Duration,
    ttl: Duration,
    ends: Instant,
    renewable: bool,
    failures: u32,
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
        let ttl = Duration::from_secs(ttl_secs);
        Self {
            client,
            subject,
            first_ttl: ttl,
            ttl,
            ends: Instant::now() + ttl,
            renewable,
            failures: 0,
        }
    }

    /// Waits until the lease is due, renews it, and says how that went. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Renewal {
        if !self.renewable || self.ends <= Instant::now() {
            return Renewal::Ending { left: self.left() };
        }
        tokio::time::sleep_until(self.due(unit_random())).await;
        match self.renew().await {
            Ok(secret) => self.renewed(&secret),
            Err(error) => self.failed(error),
        }
    }

    fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// When the next try is due: at 70 % of the TTL, and after a failure at a third of what is left.
    fn due(&self, random: f64) -> Instant {
        let begun = self.ends.checked_sub(self.ttl).unwrap_or_else(Instant::now);
        if self.failures == 0 {
            return begun + renew_after(self.ttl, random);
        }
        Instant::now()
            + self
                .left()
                .mul_f64(1.0 / 3.0 * (1.0 - JITTER * random))
                .max(SHORTEST_WAIT)
    }

    async fn renew(&self) -> Result<Secret, Error> {
        match &self.subject {
            Subject::Token => self.client.tokens().renew_self(None).await,
            Subject::Lease(id) => self.client.sys().renew_lease(id, None).await,
        }
    }

    fn renewed(&mut self, secret: &Secret) -> Renewal {
        let (ttl_secs, renewable) = match (&self.subject, &secret.auth) {
            (Subject::Token, Some(auth)) => (auth.lease_duration, auth.renewable),
            _ => (secret.lease_duration, secret.renewable),
        };
        self.failures = 0;
        self.ttl = Duration::from_secs(ttl_secs);
        self.ends = Instant::now() + self.ttl;
        self.renewable = renewable && self.ttl > self.first_ttl.mul_f64(WORTHWHILE);
        Renewal::Renewed {
            ttl: self.ttl,
            warnings: secret.warnings.clone(),
        }
    }

    fn failed(&mut self, error: Error) -> Renewal {
        self.failures = self.failures.saturating_add(1);
        // A refusal in plain words (revoked, unknown, not renewable) will not change by asking again.
        let final_word = matches!(
            &error,
            Error::Api {
                status: 400 | 403 | 404,
                ..
            }
        );
        self.renewable = !final_word;
        Renewal::Failed {
            error,
            left: self.left(),
        }
    }
}

/// 70 % of the TTL, moved by up to a tenth of it either way; `random` is in `0.0..1.0`.
fn renew_after(ttl: Duration, random: f64) -> Duration {
    ttl.mul_f64(RENEW_AT + JITTER * (2.0 * random - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responder::Responder;

    #[test]
    fn due_at_seventy_percent_give_or_take_ten() {
        let ttl = Duration::from_secs(100);
        assert_eq!(renew_after(ttl, 0.0).as_secs(), 60);
        assert_eq!(renew_after(ttl, 0.5).as_secs(), 70);
        assert!(renew_after(ttl, 0.999) < Duration::from_secs(80));
    }

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
