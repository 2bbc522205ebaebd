use std::time::Duration;

use coffer_engine::testing::Bench;
use coffer_secrets::database::Database;
use futures_util::future::join_all;
use serde_json::json;

use super::postgres::Postgres;
use super::{bench, configured, invalid};

async fn password(bench: &Bench<Database>, name: &str) -> String {
    let answered = bench.read(&format!("static-creds/{name}")).await.unwrap();
    answered.data["password"].as_str().unwrap().to_owned()
}

async fn policy(bench: &Bench<Database>, name: &str) {
    bench
        .write("config/pg", json!({"password_policy": name}))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_password_is_taken_over_and_rotated() {
    let server = Postgres::start();
    let mut bench = configured(&server).await;
    server.sql("CREATE ROLE worker LOGIN PASSWORD 'own'").await;
    let role = json!({"db_name": "pg", "username": "worker", "rotation_period": "1h"});
    bench.write("static-roles/s", role.clone()).await.unwrap();
    assert!(server.login("worker", "own").await.is_err());
    server
        .login("worker", &password(&bench, "s").await)
        .await
        .unwrap();
    let read = bench.read("static-roles/s").await.unwrap().data;
    assert_eq!(
        read,
        json!({
            "credential_type": "password", "db_name": "pg", "last_vault_rotation": bench.now.to_string(),
            "rotation_period": 3600, "rotation_statements": [], "username": "worker",
        })
    );

    // Not before it is due, then at the first tick.
    policy(&bench, "two").await;
    bench.advance(Duration::from_secs(3599));
    bench.tick().await.unwrap();
    assert_eq!(password(&bench, "s").await, "password-by-");
    assert_eq!(bench.read("static-creds/s").await.unwrap().data["ttl"], 1);
    bench.advance(Duration::from_secs(1));
    bench.tick().await.unwrap();
    assert_eq!(password(&bench, "s").await, "password-by-two");
    server.login("worker", "password-by-two").await.unwrap();
    assert_eq!(
        bench.read("static-creds/s").await.unwrap().data["ttl"],
        3600
    );

    // On demand, by statements of its own.
    policy(&bench, "three").await;
    let own = json!({"rotation_statements": "ALTER USER \"{{name}}\" CONNECTION LIMIT 5 PASSWORD '{{password}}'"});
    bench.write("static-roles/s", own).await.unwrap();
    bench.write("rotate-role/s", json!({})).await.unwrap();
    server.login("worker", "password-by-three").await.unwrap();
    assert_eq!(
        server
            .sql("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'worker'")
            .await,
        ["5"]
    );

    assert_eq!(bench.list("static-roles").await.unwrap(), ["s"]);
    bench.delete("static-roles/s").await.unwrap();
    bench.delete("static-roles/s").await.unwrap();
    server.login("worker", "password-by-three").await.unwrap();
    assert_eq!(
        invalid(bench.read("static-creds/s").await),
        "unknown role: s"
    );
}

#[tokio::test]
async fn an_interrupted_rotation_is_finished() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server.sql("CREATE ROLE worker LOGIN PASSWORD 'own'").await;
    let role = json!({"db_name": "pg", "username": "worker", "rotation_period": "1h"});
    bench.write("static-roles/s", role).await.unwrap();
    policy(&bench, "two").await;
    server.stop();
    assert!(bench.write("rotate-role/s", json!({})).await.is_err());
    bench.tick().await.unwrap();
    server.start_again();
    // The present password stays the good one until the tick that sets the new one.
    server
        .login("worker", &password(&bench, "s").await)
        .await
        .unwrap();
    bench.tick().await.unwrap();
    assert_eq!(password(&bench, "s").await, "password-by-two");
    server.login("worker", "password-by-two").await.unwrap();
}

#[tokio::test]
async fn mistakes_are_refused() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server
        .sql("CREATE ROLE worker LOGIN; CREATE ROLE other LOGIN")
        .await;
    for (role, reason) in [
        (
            json!({"db_name": "pg", "username": "nobody_here", "rotation_period": "1h"}),
            "does not exist",
        ),
        (
            json!({"db_name": "pg", "username": "worker", "rotation_period": "4s"}),
            "rotation_period must be 5 seconds or more",
        ),
        (
            json!({"db_name": "pg", "rotation_period": "1h"}),
            "username is a required field to create a static account",
        ),
        (
            json!({"username": "worker", "rotation_period": "1h"}),
            "database name is a required field",
        ),
        (
            json!({"db_name": "pg", "username": "worker"}),
            "rotation_period is required to create static accounts",
        ),
        (
            json!({"db_name": "nosuch", "username": "worker", "rotation_period": "1h"}),
            "failed to find entry for connection",
        ),
        (
            json!({"db_name": "pg", "username": "x".repeat(64), "rotation_period": "1h"}),
            "at most 63",
        ),
    ] {
        let text = invalid(bench.write("static-roles/s", role).await);
        assert!(text.contains(reason), "{text}");
        assert!(bench.read("static-roles/s").await.is_err());
    }
    let broken = json!({"db_name": "pg", "username": "worker", "rotation_period": "1h", "rotation_statements": ["ALTER NONSENSE"]});
    assert!(bench.write("static-roles/s", broken).await.is_err());
    assert!(bench.read("static-roles/s").await.is_err());

    bench
        .write(
            "static-roles/s",
            json!({"db_name": "pg", "username": "worker", "rotation_period": 5}),
        )
        .await
        .unwrap();
    assert_eq!(
        invalid(
            bench
                .write("static-roles/s", json!({"username": "other"}))
                .await
        ),
        "cannot update static account username"
    );
    let twin = invalid(bench.write("roles/s", json!({"db_name": "pg"})).await);
    assert_eq!(twin, "Role and Static Role names must be unique");
    assert_eq!(
        invalid(bench.write("rotate-role/nosuch", json!({})).await),
        "no static role found for role name"
    );
}

#[tokio::test]
async fn many_share_few_connections() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    bench
        .write("config/pg", json!({"max_open_connections": 2}))
        .await
        .unwrap();
    server.sql("DO $$ BEGIN FOR i IN 0..19 LOOP EXECUTE 'CREATE ROLE w' || i || ' LOGIN'; END LOOP; END $$").await;
    let all = (0..20).map(|i| {
        let bench = &bench;
        async move {
            let role =
                json!({"db_name": "pg", "username": format!("w{i}"), "rotation_period": "1h"});
            bench.write(&format!("static-roles/s{i}"), role).await
        }
    });
    assert!(join_all(all).await.iter().all(Result::is_ok));
    let open = server
        .sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'coffer'")
        .await;
    assert!(open[0].parse::<u32>().unwrap() <= 2, "{open:?}");
}

#[tokio::test]
async fn a_tick_without_static_roles_needs_no_database() {
    bench().await.tick().await.unwrap();
}
