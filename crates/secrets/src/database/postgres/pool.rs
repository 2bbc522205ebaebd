//! A bounded set of connections to one database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use coffer_crypto::Secret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_postgres::config::SslMode as Negotiation;
use tokio_postgres::{Client, Config, NoTls};

use super::address::{Address, SslMode};
use super::tls::Tls;
use super::trouble;
use crate::database::driver::DriverError;

/// How long a request waits for one of the connections, in seconds.
const WAIT_SECS: u64 = 20;
/// How long an idle connection may take to show that it is alive, in seconds.
const PING_SECS: u64 = 2;
/// How many connections there are at most where the configuration says nothing.
const DEFAULT_MAX_OPEN: usize = 4;
/// How many connections a configuration may ask for.
const MAX_OPEN: usize = 1000;

/// What is set in every session. Text is read as the quoting of this engine expects it, and nothing waits for ever:
/// a statement is given up after 30 seconds, one that waits for a lock after 10.
const SESSION: &str = "SET standard_conforming_strings = on; SET client_min_messages = warning; \
                       SET statement_timeout = '30s'; SET lock_timeout = '10s'";

/// How many connections may live, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Connections at the same time.
    pub max_open: usize,
    /// Connections that are kept while nobody needs them.
    pub max_idle: usize,
    /// The age after which a connection is not used again; zero for no limit.
    pub max_lifetime: Duration,
}

impl Limits {
    /// From a configuration's numbers, read as the reference reads them: zero open for the default, zero idle for
    /// as many as may be open, fewer than zero idle for none.
    pub(super) fn new(max_open: i64, max_idle: i64, max_lifetime: Duration) -> Self {
        let count = |number: i64| usize::try_from(number).unwrap_or(0);
        let max_open = match count(max_open) {
            0 => DEFAULT_MAX_OPEN,
            asked => asked.min(MAX_OPEN),
        };
        let max_idle = match max_idle {
            0 => max_open,
            asked => count(asked).min(max_open),
        };
        Self {
            max_open,
            max_idle,
            max_lifetime,
        }
    }
}

/// The connections to one database.
pub(super) struct Pool {
    config: Config,
    mode: SslMode,
    tls: Option<Tls>,
    connect_timeout: Duration,
    limits: Limits,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Idle>>>,
}

struct Idle {
    client: Client,
    since: Instant,
}

/// A connection in use. Dropping it closes it; only [`Pooled::keep`] puts it back, so that one in an unknown state is
/// never used again.
pub(super) struct Pooled {
    /// The connection.
    pub client: Client,
    since: Instant,
    max_idle: usize,
    idle: Arc<Mutex<Vec<Idle>>>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(address: Address, tls: Option<Tls>, limits: Limits) -> Self {
        Self {
            config: address.config,
            mode: address.mode,
            tls,
            connect_timeout: address.connect_timeout,
            limits,
            permits: Arc::new(Semaphore::new(limits.max_open)),
            idle: Arc::default(),
        }
    }

    /// A connection that works: an idle one, else a new one.
    pub(super) async fn get(&self) -> Result<Pooled, DriverError> {
        let wait = Arc::clone(&self.permits).acquire_owned();
        let permit = match timeout(Duration::from_secs(WAIT_SECS), wait).await {
            Ok(Ok(permit)) => permit,
            _ => {
                return Err(DriverError::unreachable(format!(
                    "all {} connections to the database are in use; try again, or raise max_open_connections",
                    self.limits.max_open
                )));
            }
        };
        let (client, since) = match self.idle_one().await {
            Some(idle) => (idle.client, idle.since),
            None => (self.connect().await?, Instant::now()),
        };
        Ok(Pooled {
            client,
            since,
            max_idle: self.limits.max_idle,
            idle: Arc::clone(&self.idle),
            _permit: permit,
        })
    }

    /// A connection that was kept, is not too old and answers.
    async fn idle_one(&self) -> Option<Idle> {
        loop {
            let idle = lock(&self.idle).pop()?;
            let age = idle.since.elapsed();
            let old = !self.limits.max_lifetime.is_zero() && age >= self.limits.max_lifetime;
            if old || idle.client.is_closed() {
                continue;
            }
            let ping = idle.client.simple_query("");
            if let Ok(Ok(_)) = timeout(Duration::from_secs(PING_SECS), ping).await {
                return Some(idle);
            }
        }
    }

    /// A new connection, within the time limit, login included.
    async fn connect(&self) -> Result<Client, DriverError> {
        match timeout(self.connect_timeout, self.connect_by_mode(&self.config)).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(DriverError::unreachable(format!(
                "failed to connect to {}: {}",
                self.place(),
                trouble::text(&error)
            ))),
            Err(_) => Err(DriverError::unreachable(format!(
                "failed to connect to {}: no answer within {} seconds",
                self.place(),
                self.connect_timeout.as_secs()
            ))),
        }
    }

    async fn connect_by_mode(&self, config: &Config) -> Result<Client, tokio_postgres::Error> {
        let Some(tls) = &self.tls else {
            return plain(config).await;
        };
        match self.mode {
            SslMode::Disable => plain(config).await,
            SslMode::Allow => match plain(config).await {
                // The server answered, and it did not like this: with TLS it may.
                Err(error) if error.as_db_error().is_some() => {
                    encrypted(config, tls, Negotiation::Require)
                        .await
                        .map_err(|_| error)
                }
                other => other,
            },
            SslMode::Prefer => match encrypted(config, tls, Negotiation::Prefer).await {
                Err(error) if error.as_db_error().is_none() => {
                    plain(config).await.map_err(|_| error)
                }
                other => other,
            },
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                encrypted(config, tls, Negotiation::Require).await
            }
        }
    }

    /// A connection of its own, as another user than the configured one and with nothing else of theirs.
    pub(super) async fn connect_as(
        &self,
        username: &str,
        password: &Secret<String>,
    ) -> Result<Client, tokio_postgres::Error> {
        let mut config = self.config.clone();
        config.user(username).password(password.expose());
        // Settings of the session are meant for the configured user.
        config.options("");
        self.connect_by_mode(&config).await
    }

    /// The configured user; nothing where the connection string names none.
    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// Which database this is, for messages.
    fn place(&self) -> String {
        let hosts: Vec<String> = self
            .config
            .get_hosts()
            .iter()
            .enumerate()
            .map(|(at, host)| match host {
                tokio_postgres::config::Host::Tcp(name) => {
                    let ports = self.config.get_ports();
                    let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
                    format!("{name}:{port}")
                }
                #[cfg(unix)]
                tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        format!(
            "`user={} database={}` at {}",
            self.config.get_user().unwrap_or_default(),
            self.config.get_dbname().unwrap_or_default(),
            hosts.join(", ")
        )
    }
}

async fn plain(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let mut config = config.clone();
    let (client, connection) = config.ssl_mode(Negotiation::Disable).connect(NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute(SESSION).await?;
    Ok(client)
}

async fn encrypted(
    config: &Config,
    tls: &Tls,
    negotiation: Negotiation,
) -> Result<Client, tokio_postgres::Error> {
    let mut config = config.clone();
    let (client, connection) = config.ssl_mode(negotiation).connect(tls.clone()).await?;
    // Ends by itself when the client is dropped or the connection breaks.
    tokio::spawn(connection);
    client.batch_execute(SESSION).await?;
    Ok(client)
}

impl Pooled {
    /// Puts the connection back for the next one who needs it.
    pub(super) fn keep(self) {
        let mut idle = lock(&self.idle);
        if idle.len() < self.max_idle && !self.client.is_closed() {
            idle.push(Idle {
                client: self.client,
                since: self.since,
            });
        }
    }
}

fn lock(idle: &Mutex<Vec<Idle>>) -> std::sync::MutexGuard<'_, Vec<Idle>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_the_reference_reads_them() {
        let limits = |open, idle| {
            let limits = Limits::new(open, idle, Duration::ZERO);
            (limits.max_open, limits.max_idle)
        };
        assert_eq!(limits(0, 0), (4, 4));
        assert_eq!(limits(3, 2), (3, 2));
        assert_eq!(limits(3, 9), (3, 3));
        assert_eq!(limits(3, -1), (3, 0));
        assert_eq!(limits(-5, 0), (4, 4));
        assert_eq!(limits(i64::MAX, 0), (1000, 1000));
    }
}
