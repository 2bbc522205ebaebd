use std::time::Duration;

use coffer_engine::testing::Bench;
use coffer_secrets::database::Database;
use serde_json::{Value, json};

use super::postgres::{PASSWORD, Postgres};
use super::{CREATE, configured, invalid, login, role};

/// What was told since the last time: kind, path, whether it says that something changed, and whether it goes out although
/// the request fails. No password may be in it, nor what the database said.
fn told(bench: &Bench<Database>) -> Vec<(&'static str, String, String, bool)> {
    let events = bench.events();
    let text = format!("{events:?}");
    for secret in [
        "password-by-",
        PASSWORD,
        "own-secret",
        "SQLSTATE",
        "postgresql://",
    ] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    let each = events.into_iter().map(|event| {
        let said = |name: &str| event.metadata.get(name).cloned().unwrap_or_default();
        assert_eq!(
            said("operation"),
            event.kind.trim_start_matches("database/")
        );
        (event.kind, said("path"), said("modified"), event.regardless)
    });
    each.collect()
}

fn changed(kind: &'static str, path: &str) -> (&'static str, String, String, bool) {
    (kind, path.to_owned(), "true".to_owned(), false)
}

fn unchanged(kind: &'static str, path: &str) -> (&'static str, String, String, bool) {
    (kind, path.to_owned(), "false".to_owned(), true)
}

#[tokio::test]
async fn what_is_configured_is_told() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    assert_eq!(
        told(&bench),
        [changed("database/config-write", "config/pg")]
    );
    bench.write("reset/pg", json!({})).await.unwrap();
    assert_eq!(told(&bench), [unchanged("database/reset", "reset/pg")]);
    for kind in ["database/role-create", "database/role-update"] {
        role(&bench, json!({})).await;
        assert_eq!(told(&bench), [changed(kind, "roles/app")]);
    }
    bench.delete("roles/app").await.unwrap();
    assert_eq!(told(&bench), [changed("database/role-delete", "roles/app")]);

    // The client's mistakes are told to nobody else.
    let wrong = json!({"connection_url": "::nonsense", "password": "own-secret"});
    invalid(bench.write("config/pg", wrong).await);
    invalid(bench.write("config/new", json!({})).await);
    invalid(bench.write("roles/app", json!({})).await);
    invalid(bench.write("reset/other", json!({})).await);
    invalid(bench.write("rotate-role/app", json!({})).await);
    invalid(bench.write("rotate-root/other", json!({})).await);
    invalid(bench.read("creds/app").await);
    let nobody = json!({"db_name": "pg", "username": "nobody_here", "rotation_period": "1h"});
    invalid(bench.write("static-roles/s", nobody).await);
    bench.delete("config/pg").await.unwrap();
    assert_eq!(
        told(&bench),
        [changed("database/config-delete", "config/pg")]
    );
}

#[tokio::test]
async fn users_are_told_from_their_beginning_to_their_end() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    told(&bench);
    let (user, _, lease) = login(&bench.read("creds/app").await.unwrap());
    let events = bench.events();
    let text = format!("{events:?}");
    assert!(
        !text.contains("password-by-") && !text.contains(&user),
        "{text}"
    );
    let said: Value = json!(events[0].metadata);
    let wanted = json!({"operation": "creds-create", "path": "creds/app", "name": "app", "db_name": "pg", "modified": "true"});
    assert_eq!((events.len(), said), (1, wanted));

    server.stop();
    assert!(bench.revoke(&lease).await.is_err());
    assert_eq!(
        told(&bench),
        [unchanged("database/creds-revoke-fail", "creds/app")]
    );
    server.start_again();
    bench.revoke(&lease).await.unwrap();
    assert_eq!(
        told(&bench),
        [changed("database/creds-revoke", "creds/app")]
    );

    // One that could not be made, and what might have been left of it.
    let broken = json!({"creation_statements": [CREATE, "SELECT * FROM nosuch"]});
    role(&bench, broken).await;
    told(&bench);
    assert!(bench.read("creds/app").await.is_err());
    let failed = unchanged("database/creds-create-fail", "creds/app");
    assert_eq!(
        told(&bench),
        [failed, changed("database/creds-revoke", "creds/app")]
    );
}

#[tokio::test]
async fn rotations_are_told_with_their_beginning_and_their_end() {
    let server = Postgres::start();
    let mut bench = configured(&server).await;
    server
        .sql("CREATE ROLE worker LOGIN PASSWORD 'own-secret'; CREATE ROLE coffer_other SUPERUSER LOGIN PASSWORD 'own-secret'")
        .await;
    told(&bench);
    let role = json!({"db_name": "pg", "username": "worker", "rotation_period": "1h"});
    bench.write("static-roles/s", role.clone()).await.unwrap();
    let first = [
        changed("database/static-creds-create", "static-roles/s"),
        changed("database/static-role-create", "static-roles/s"),
    ];
    assert_eq!(told(&bench), first);
    bench.write("static-roles/s", role).await.unwrap();
    assert_eq!(
        told(&bench),
        [changed("database/static-role-update", "static-roles/s")]
    );

    let rotated = [
        unchanged("database/rotate-start", "rotate-role/s"),
        changed("database/rotate", "rotate-role/s"),
    ];
    bench.write("rotate-role/s", json!({})).await.unwrap();
    assert_eq!(told(&bench), rotated);
    bench.advance(Duration::from_secs(3_600));
    bench.tick().await.unwrap();
    let events = bench.events();
    let last = json!(events[1].metadata);
    let wanted = json!({
        "operation": "rotate", "path": "rotate-role/s", "data_path": "static-creds/s", "name": "s", "modified": "true",
        "automatic": "true",
    });
    assert_eq!((events.len(), last), (2, wanted));

    bench.delete("static-roles/s").await.unwrap();
    assert_eq!(
        told(&bench),
        [changed("database/static-role-delete", "static-roles/s")]
    );

    let other = json!({"username": "coffer_other", "password": "own-secret"});
    bench.write("config/pg", other).await.unwrap();
    told(&bench);
    bench.write("rotate-root/pg", json!({})).await.unwrap();
    let rotated = [
        unchanged("database/root-rotate-start", "rotate-root/pg"),
        changed("database/root-rotate", "rotate-root/pg"),
    ];
    assert_eq!(told(&bench), rotated);
    let refused = json!({"root_rotation_statements": "SELECT * FROM nosuch"});
    bench.write("config/pg", refused).await.unwrap();
    told(&bench);
    assert!(bench.write("rotate-root/pg", json!({})).await.is_err());
    let failed = [
        unchanged("database/root-rotate-start", "rotate-root/pg"),
        unchanged("database/root-rotate-fail", "rotate-root/pg"),
    ];
    assert_eq!(told(&bench), failed);
}

#[tokio::test]
async fn a_rotation_that_fails_on_and_on_is_told_once() {
    let server = Postgres::start();
    let mut bench = configured(&server).await;
    server
        .sql("CREATE ROLE worker LOGIN PASSWORD 'own-secret'")
        .await;
    let role = json!({"db_name": "pg", "username": "worker", "rotation_period": "1h"});
    bench.write("static-roles/s", role.clone()).await.unwrap();
    told(&bench);
    bench.advance(Duration::from_secs(3_600));
    server.stop();
    let start = unchanged("database/rotate-start", "rotate-role/s");
    let failed = unchanged("database/rotate-fail", "rotate-role/s");
    bench.tick().await.unwrap();
    assert_eq!(told(&bench), [start.clone(), failed.clone()]);
    for _ in 0..3 {
        bench.tick().await.unwrap();
    }
    assert!(told(&bench).is_empty());
    // Who asks is told each time.
    assert!(bench.write("rotate-role/s", json!({})).await.is_err());
    assert_eq!(told(&bench), [start, failed]);
    server.start_again();
    bench.tick().await.unwrap();
    assert_eq!(told(&bench), [changed("database/rotate", "rotate-role/s")]);
    bench.delete("static-roles/s").await.unwrap();
    told(&bench);

    let own = json!({"rotation_statements": "SELECT * FROM nosuch"});
    let mut broken = role;
    broken
        .as_object_mut()
        .unwrap()
        .extend(own.as_object().unwrap().clone());
    assert!(bench.write("static-roles/s", broken).await.is_err());
    assert_eq!(
        told(&bench),
        [unchanged(
            "database/static-creds-create-fail",
            "static-roles/s"
        )]
    );
}
