use std::time::Duration;

use coffer_engine::Fault;
use coffer_engine::testing::Bench;
use coffer_secrets::database::Database;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::postgres::{ADMIN, PASSWORD, Postgres};
use super::{configured, invalid, login, role};

async fn verify(bench: &Bench<Database>, user: &str, password: &str) -> Result<Value, Fault> {
    let body = json!({"username": user, "password": password});
    Ok(bench.write("verify-login/pg", body).await?.data)
}

/// What the database says of a refused login.
async fn refused(bench: &Bench<Database>, user: &str, password: &str) -> String {
    let said = verify(bench, user, password).await.unwrap();
    assert_eq!(said["accepted"], false, "{said}");
    said["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_credential_is_accepted_until_it_is_revoked() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    bench.events();
    let accepted = json!({"accepted": true, "message": "the database accepts this login"});
    for _ in 0..12 {
        assert_eq!(verify(&bench, &user, &password).await.unwrap(), accepted);
    }
    let refusal = "the database refuses this login: the password is wrong or over, or there is no such user (SQLSTATE 28P01)";
    assert_eq!(refused(&bench, &user, "another").await, refusal);
    // No session of it is left.
    let sessions = format!("SELECT 1 FROM pg_stat_activity WHERE usename = '{user}'");
    let mut tries = 0;
    while !server.sql(&sessions).await.is_empty() {
        tries += 1;
        assert!(
            tries < 10_000,
            "a session of a login that was only tried goes on"
        );
    }
    bench.revoke(&lease).await.unwrap();
    assert_eq!(refused(&bench, &user, &password).await, refusal);
    let events = bench.events();
    assert!(
        events
            .iter()
            .all(|event| event.kind == "database/creds-revoke"),
        "{events:?}"
    );
}

#[tokio::test]
async fn reasons_are_told_without_what_is_inside() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server
        .sql("CREATE ROLE off NOLOGIN PASSWORD 'p'; CREATE ROLE late LOGIN PASSWORD 'p' VALID UNTIL '2001-01-01'; CREATE ROLE full LOGIN PASSWORD 'p' CONNECTION LIMIT 0; CREATE ROLE out LOGIN PASSWORD 'p'; REVOKE CONNECT ON DATABASE postgres FROM public")
        .await;
    for (user, code) in [
        ("off", "28000"),
        ("late", "28P01"),
        ("out", "42501"),
        ("ghost", "28P01"),
    ] {
        let said = refused(&bench, user, "p").await;
        assert!(said.contains(code), "{user}: {said}");
        assert!(
            !said.contains("127.0.0.1") && !said.contains(user),
            "{said}"
        );
    }
    server
        .sql("GRANT CONNECT ON DATABASE postgres TO \"full\"")
        .await;
    // That is an answer of neither kind.
    for undecided in [verify(&bench, "full", "p").await, {
        server.stop();
        verify(&bench, "out", "p").await
    }] {
        assert!(
            matches!(undecided, Err(Fault::Upstream(_))),
            "{undecided:?}"
        );
    }
}

#[tokio::test]
async fn who_has_rights_over_others_is_not_tried() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server
        .sql("CREATE ROLE boss CREATEROLE LOGIN PASSWORD 'p'; CREATE ROLE heir LOGIN PASSWORD 'p' IN ROLE boss; CREATE ROLE copier REPLICATION LOGIN PASSWORD 'p'; CREATE ROLE shell LOGIN PASSWORD 'p' IN ROLE pg_execute_server_program")
        .await;
    for user in [ADMIN, "boss", "heir", "copier", "shell"] {
        let why = invalid(verify(&bench, user, PASSWORD).await);
        assert!(why.contains("neither the configured user"), "{user}: {why}");
    }
    // Nor where the connection string alone says who that is.
    let port = server.port;
    let url =
        format!("host=127.0.0.1 port={port} dbname=postgres user=boss password=p sslmode=disable");
    let body = json!({"plugin_name": "postgresql-database-plugin", "connection_url": url, "allowed_roles": "*"});
    bench.write("config/pg", body).await.unwrap();
    let why = invalid(verify(&bench, "boss", "p").await);
    assert!(why.contains("neither the configured user"), "{why}");
    server.sql("CREATE ROLE plain LOGIN PASSWORD 'q'").await;
    // What the connection string holds is not what is tried.
    refused(&bench, "plain", "p").await;
    assert_eq!(
        verify(&bench, "plain", "q").await.unwrap()["accepted"],
        true
    );
}

#[tokio::test]
async fn guesses_end_soon() {
    let server = Postgres::start();
    let mut bench = configured(&server).await;
    server.sql("CREATE ROLE plain LOGIN PASSWORD 'q'").await;
    for n in 0..10 {
        refused(&bench, "plain", &format!("guess-{n}")).await;
    }
    for _ in 0..3 {
        // Not even the right one is told from a wrong one now.
        let refused = verify(&bench, "plain", "q").await;
        assert!(matches!(refused, Err(Fault::TooMany(_))), "{refused:?}");
    }
    bench.advance(Duration::from_secs(60));
    assert_eq!(
        verify(&bench, "plain", "q").await.unwrap()["accepted"],
        true
    );

    // Many at once are no more than one after another.
    bench.advance(Duration::from_secs(60));
    let guesses = (0..60).map(|_| verify(&bench, "plain", "guess"));
    let tried = join_all(guesses)
        .await
        .into_iter()
        .filter(Result::is_ok)
        .count();
    assert!((1..=10).contains(&tried), "{tried} guesses were tried");
}

#[tokio::test]
async fn nothing_but_two_values_is_taken() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    for (user, password) in [
        ("", "p"),
        ("plain", ""),
        ("plain", "p\0q"),
        ("pl\0ain", "p"),
        ("plain", &*"p".repeat(2_000)),
        (&*"u".repeat(64), "p"),
    ] {
        invalid(verify(&bench, user, password).await);
    }
    invalid(
        bench
            .write("verify-login/pg", json!({"username": "plain"}))
            .await,
    );
    let nowhere = json!({"username": "plain", "password": "p"});
    invalid(bench.write("verify-login/other", nowhere).await);
    server.sql("CREATE ROLE plain LOGIN PASSWORD 'q'").await;
    // A value that would be a parameter, if it were put into a connection string.
    for (user, password) in [
        ("plain' host=evil.example", "q"),
        ("plain", "q host=evil.example"),
        ("plain@evil.example:1/x?", "q"),
    ] {
        refused(&bench, user, password).await;
    }
    let more = json!({"username": "plain", "password": "q", "connection_url": "postgresql://evil.example/x"});
    let answered = bench.write("verify-login/pg", more).await.unwrap();
    assert_eq!(answered.data["accepted"], true);
    assert!(answered.reply.warnings.concat().contains("connection_url"));
}
