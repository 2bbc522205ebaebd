use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use coffer_client::Credential;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, Config, NoTls};

use super::refusal::Refusal;
use crate::settings::DatabasePlace;

/// How many connections one user opens at most.
const CONNECTIONS_MAX: usize = 4;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What is asked: who asks, and the first orders as they are.
const ORDERS: &str = "select current_user::text, coalesce(json_agg(row), '[]')::text \
                      from (select * from orders order by id limit 20) as row";

/// Connections of one database user, and the hold on its credential.
pub struct Connections {
    config: Config,
    idle: Mutex<Vec<Client>>,
    slots: Semaphore,
    // The last field: it is dropped when the connections are gone.
    credential: Credential,
}

impl Connections {
    /// None is open yet.
    pub fn new(place: &DatabasePlace, credential: Credential) -> Self {
        let mut config = Config::new();
        config
            .host(&place.host)
            .port(place.port)
            .dbname(&place.name)
            .application_name("demo-service")
            .connect_timeout(CONNECT_TIMEOUT)
            .user(credential.field("username").unwrap_or_default())
            .password(credential.field("password").unwrap_or_default());
        Self {
            config,
            idle: Mutex::default(),
            slots: Semaphore::new(CONNECTIONS_MAX),
            credential,
        }
    }

    /// The credential that they are made with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Who the database says it is asked by, and the orders.
    pub async fn orders(&self) -> Result<(String, Value), Refusal> {
        let _slot = self.slots.acquire().await;
        let client = match self.idle_one() {
            Some(client) => client,
            None => self.connect().await?,
        };
        let row = client.query_one(ORDERS, &[]).await?;
        let user: String = row.try_get(0)?;
        let orders: String = row.try_get(1)?;
        // Only a connection that has just done its work is used again.
        self.idle().push(client);
        Ok((user, serde_json::from_str(&orders).unwrap_or_default()))
    }

    fn idle_one(&self) -> Option<Client> {
        let mut idle = self.idle();
        idle.retain(|client| !client.is_closed());
        idle.pop()
    }

    async fn connect(&self) -> Result<Client, Refusal> {
        let (client, connection) = self.config.connect(NoTls).await?;
        // It ends when the client is dropped; what broke it shows in the query.
        tokio::spawn(connection);
        Ok(client)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
