//! The database engine against a real PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what can not be set up or read is a failed test"
)]

mod config;
mod creds;
mod events;
mod postgres;
mod revocation;
mod static_roles;
mod tls;
mod verify_login;

use std::time::SystemTime;

use coffer_engine::testing::{Answered, Bench};
use coffer_engine::{Fault, MountInfo};
use coffer_secrets::database::Database;
use coffer_wire::Timestamp;
use postgres::Postgres;
use serde_json::{Value, json};

/// What most roles of the tests are made by.
const CREATE: &str =
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';";

/// A bench whose clock is PostgreSQL's.
async fn bench() -> Bench<Database> {
    let mut bench = Bench::new().await;
    bench.now = now();
    bench
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_nanos(since.unwrap().as_nanos().try_into().unwrap())
}

/// A bench with `config/pg` for this server.
async fn configured(server: &Postgres) -> Bench<Database> {
    let bench = bench().await;
    bench.write("config/pg", server.config()).await.unwrap();
    bench
}

/// Writes `roles/app` with [`CREATE`] and these fields.
async fn role(bench: &Bench<Database>, fields: Value) {
    let mut role = json!({"db_name": "pg", "creation_statements": CREATE, "default_ttl": "1h", "max_ttl": "4h"});
    let all = role.as_object_mut().unwrap();
    all.extend(fields.as_object().unwrap().clone());
    bench.write("roles/app", role).await.unwrap();
}

/// User name, password and lease of an answer of `creds/`.
fn login(answered: &Answered) -> (String, String, String) {
    let text = |key: &str| answered.data[key].as_str().unwrap().to_owned();
    let lease = answered.lease_id.clone().unwrap();
    (text("username"), text("password"), lease)
}

/// Waits until a session is over: the signal needs a moment to arrive.
async fn ended(session: &tokio_postgres::Client) {
    let mut tries = 0;
    while postgres::query(session, "SELECT 1").await.is_ok() {
        tries += 1;
        assert!(tries < 100_000, "the session of a revoked user goes on");
    }
}

fn invalid<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    match result {
        Err(Fault::Invalid(text)) => text,
        other => panic!("expected a client's mistake, not {other:?}"),
    }
}

fn upstream<T: std::fmt::Debug>(result: Result<T, Fault>) -> String {
    match result {
        Err(Fault::Upstream(text)) => text,
        other => panic!("expected the database's refusal, not {other:?}"),
    }
}

#[test]
fn the_table_is_sound() {
    use coffer_engine::Engine as _;
    let _ = Database::new(&MountInfo::default());
    assert_eq!(Database::routes().faults(), &[] as &[String]);
}
