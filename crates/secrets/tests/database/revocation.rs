use futures_util::future::join_all;
use serde_json::json;

use super::postgres::{Postgres, query};
use super::{CREATE, configured, ended, login, role, upstream};

#[tokio::test]
async fn own_statements_that_postgresql_refuses_keep_the_lease() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(
        &bench,
        json!({
            "creation_statements": [CREATE, "GRANT CONNECT ON DATABASE postgres TO \"{{name}}\""],
            "revocation_statements": ["DROP ROLE \"{{name}}\""],
        }),
    )
    .await;
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    for _ in 0..2 {
        let text = upstream(bench.revoke(&lease).await);
        assert!(
            text.contains("cannot be dropped because some objects depend on it (SQLSTATE 2BP01)"),
            "{text}"
        );
        assert!(text.contains("privileges for database postgres"), "{text}");
        assert_eq!(bench.lease_ids().await, [lease.as_str()]);
        server.login(&user, &password).await.unwrap();
    }
    // The operator repairs the role, and the next try succeeds.
    role(
        &bench,
        json!({"revocation_statements": [
            "REVOKE CONNECT ON DATABASE postgres FROM \"{{name}}\"; DROP ROLE \"{{name}}\"",
        ]}),
    )
    .await;
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
    assert!(bench.lease_ids().await.is_empty());
}

#[tokio::test]
async fn users_with_rights_on_one_table_can_go_at_the_same_time() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server.sql("CREATE TABLE shared (name text)").await;
    role(
        &bench,
        json!({"creation_statements": [CREATE, "GRANT SELECT ON shared TO \"{{name}}\""]}),
    )
    .await;
    let mut leases = Vec::new();
    for _ in 0..16 {
        leases.push(login(&bench.read("creds/app").await.unwrap()).2);
    }
    let revoked = join_all(leases.iter().map(|lease| bench.revoke(lease))).await;
    revoked.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    assert!(bench.lease_ids().await.is_empty());
}

#[tokio::test]
async fn own_statements_run_all_or_none() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server.sql("CREATE TABLE journal (name text)").await;
    role(
        &bench,
        json!({"revocation_statements": [
            "INSERT INTO journal VALUES ('{{name}}')", "DROP ROLE \"{{name}}\"", "SELECT 1/0",
        ]}),
    )
    .await;
    let (user, _, lease) = login(&bench.read("creds/app").await.unwrap());
    assert!(upstream(bench.revoke(&lease).await).contains("22012"));
    assert!(server.has_role(&user).await);
    assert!(server.sql("SELECT name FROM journal").await.is_empty());
    // The statements that came with the lease serve where the role is gone.
    role(
        &bench,
        json!({"revocation_statements": "DROP ROLE \"{{name}}\""}),
    )
    .await;
    let (other, _, lease) = login(&bench.read("creds/app").await.unwrap());
    bench.delete("roles/app").await.unwrap();
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&other).await);
}

#[tokio::test]
async fn the_default_removes_a_user_with_privileges_and_keeps_its_data() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server.sql("CREATE TABLE shared (n int); CREATE SEQUENCE numbers; CREATE SCHEMA rooms; CREATE ROLE friend").await;
    role(&bench, json!({"creation_statements": [CREATE,
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO \"{{name}}\"; GRANT USAGE ON SEQUENCE numbers TO \"{{name}}\";
         GRANT CREATE, USAGE ON SCHEMA public, rooms TO \"{{name}}\"; GRANT CONNECT, TEMPORARY ON DATABASE postgres TO \"{{name}}\";
         ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO \"{{name}}\"; GRANT friend TO \"{{name}}\"",
    ]})).await;
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    let session = server.login(&user, &password).await.unwrap();
    let work = "CREATE TABLE rooms.own (n int); INSERT INTO rooms.own VALUES (1); CREATE VIEW own_view AS SELECT * FROM shared;
                CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON rooms.own TO friend";
    query(&session, work).await.unwrap();
    // An open transaction with locks does not stop it either.
    query(&session, "BEGIN; LOCK TABLE rooms.own")
        .await
        .unwrap();

    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
    assert_eq!(server.sql("SELECT n FROM rooms.own").await, ["1"]);
    assert_eq!(
        server
            .sql("SELECT tableowner FROM pg_tables WHERE tablename = 'own'")
            .await,
        ["coffer_admin"]
    );
    assert!(server.has_role("friend").await);
}

#[tokio::test]
async fn an_admin_without_superuser_rights_can_revoke() {
    let server = Postgres::start();
    server.sql("CREATE ROLE manager LOGIN CREATEROLE PASSWORD 'm'; GRANT CREATE ON SCHEMA public TO manager WITH GRANT OPTION").await;
    let bench = configured(&server).await;
    bench
        .write("config/pg", json!({"username": "manager", "password": "m"}))
        .await
        .unwrap();
    role(
        &bench,
        json!({"creation_statements": [CREATE, "GRANT CREATE ON SCHEMA public TO \"{{name}}\""]}),
    )
    .await;
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    let session = server.login(&user, &password).await.unwrap();
    query(&session, "CREATE TABLE own (n int)").await.unwrap();
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
    ended(&session).await;
    assert_eq!(
        server
            .sql("SELECT tableowner FROM pg_tables WHERE tablename = 'own'")
            .await,
        ["manager"]
    );
}

#[tokio::test]
async fn what_is_owned_in_another_database_is_named() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server.sql("CREATE DATABASE other").await;
    role(
        &bench,
        json!({"creation_statements": [CREATE, "GRANT CREATE ON DATABASE other TO \"{{name}}\""]}),
    )
    .await;
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    let session = server.login_to("other", &user, &password).await.unwrap();
    query(&session, "CREATE SCHEMA own").await.unwrap();
    let text = upstream(bench.revoke(&lease).await);
    assert!(
        text.contains("object in database other") && text.contains("out of reach"),
        "{text}"
    );
    assert_eq!(bench.lease_ids().await, [lease.as_str()]);
    assert!(server.login(&user, &password).await.is_err());
    let admin = server
        .login_to("other", super::postgres::ADMIN, super::postgres::PASSWORD)
        .await
        .unwrap();
    query(&admin, "DROP SCHEMA own").await.unwrap();
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
}

#[tokio::test]
async fn a_database_that_is_down_fails_and_later_works() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    let (user, _, lease) = login(&bench.read("creds/app").await.unwrap());
    server.stop();
    let text = upstream(bench.read("creds/app").await);
    assert!(
        text.contains("failed to connect to") && text.contains("refused"),
        "{text}"
    );
    assert!(bench.revoke(&lease).await.is_err());
    assert!(bench.renew(&lease, bench.now, None).await.is_err());
    assert_eq!(bench.lease_ids().await, [lease.as_str()]);

    server.start_again();
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
    login(&bench.read("creds/app").await.unwrap());
}

#[tokio::test]
async fn a_deleted_configuration_keeps_leases_until_it_is_back() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    let (user, _, lease) = login(&bench.read("creds/app").await.unwrap());
    bench.delete("config/pg").await.unwrap();
    let error = bench.revoke(&lease).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "failed to find entry for connection with name: \"pg\""
    );
    bench.write("config/pg", server.config()).await.unwrap();
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
}
