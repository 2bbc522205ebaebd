use std::time::Duration;

use coffer_wire::Timestamp;
use serde_json::json;

use super::postgres::{Postgres, query};
use super::{CREATE, bench, configured, ended, invalid, login, now, role, upstream};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_user_works_until_it_is_revoked() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    let answered = bench.read("creds/app").await.unwrap();
    let (user, password, lease) = login(&answered);
    assert!(user.starts_with("v-token-app-"), "{user}");
    let session = server.login(&user, &password).await.unwrap();
    assert_eq!(
        query(&session, "SELECT current_user").await.unwrap(),
        [user.as_str()]
    );

    bench.revoke(&lease).await.unwrap();
    assert!(bench.lease_ids().await.is_empty());
    assert!(!server.has_role(&user).await);
    assert!(server.login(&user, &password).await.is_err());
    // The session that was open is ended too.
    ended(&session).await;
    // Again, as after a crash between the database and the lease's removal.
    let answered = bench.read("creds/app").await.unwrap();
    let (user, _, lease) = login(&answered);
    server.sql(&format!("DROP ROLE \"{user}\"")).await;
    bench.revoke(&lease).await.unwrap();
}

/// As PostgreSQL keeps times.
fn micros(time: Timestamp) -> String {
    (time.nanos() / 1000).to_string()
}

#[tokio::test]
async fn expiry_is_exact_and_renewal_moves_it() {
    let server = Postgres::start();
    let mut bench = configured(&server).await;
    role(&bench, json!({})).await;
    // Made two hours ago for one hour: PostgreSQL itself refuses by now.
    let issued = Timestamp::from_secs(now().secs() - 2 * 3600);
    bench.now = issued;
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    let until = || async {
        let sql = format!(
            "SELECT (extract(epoch FROM rolvaliduntil) * 1000000)::bigint FROM pg_roles WHERE rolname = '{user}'"
        );
        server.sql(&sql).await.remove(0)
    };
    assert_eq!(until().await, micros(issued.plus(HOUR)));
    assert!(server.login(&user, &password).await.is_err());

    bench.now = now();
    let granted = bench.renew(&lease, issued, None).await.unwrap();
    assert_eq!(granted, bench.now.plus(HOUR));
    assert_eq!(until().await, micros(granted));
    server.login(&user, &password).await.unwrap();

    // Never past the role's maximum from the issue.
    let granted = bench.renew(&lease, issued, Some(100 * HOUR)).await.unwrap();
    assert_eq!(granted, issued.plus(4 * HOUR));
    assert_eq!(until().await, micros(granted));

    role(&bench, json!({"renew_statements": ["ALTER ROLE \"{{name}}\" VALID UNTIL '{{expiration}}' CONNECTION LIMIT 7"]})).await;
    bench.renew(&lease, issued, None).await.unwrap();
    let limit = format!("SELECT rolconnlimit FROM pg_roles WHERE rolname = '{user}'");
    assert_eq!(server.sql(&limit).await, ["7"]);

    bench.delete("roles/app").await.unwrap();
    let text = invalid(bench.renew(&lease, issued, None).await);
    assert!(
        text.contains("could not find role with name \"app\""),
        "{text}"
    );
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
}

#[tokio::test]
async fn ttls_are_the_roles_within_the_mounts() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    for (default_ttl, max_ttl, secs) in [
        (60, 3600, 60),
        (600, 60, 60),
        (0, 60, 60),
        (0, 0, 768 * 3600),
    ] {
        role(
            &bench,
            json!({"default_ttl": default_ttl, "max_ttl": max_ttl}),
        )
        .await;
        let grant = bench.read("creds/app").await.unwrap().reply.lease.unwrap();
        assert_eq!(
            grant.ttl,
            Duration::from_secs(secs),
            "{default_ttl} {max_ttl}"
        );
        assert!(grant.renewable);
    }
}

#[tokio::test]
async fn a_creation_that_fails_half_way_leaves_nothing() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    let users = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'";
    for statements in [
        json!([CREATE, "SELECT * FROM nosuch_table"]),
        json!([format!("{CREATE} SELECT * FROM nosuch_table;")]),
        // Not even where the statements end the transaction themselves.
        json!([CREATE, "COMMIT", "SELECT * FROM nosuch_table"]),
    ] {
        role(&bench, json!({"creation_statements": statements})).await;
        let text = upstream(bench.read("creds/app").await);
        assert_eq!(
            text,
            "failed to execute query: ERROR: relation \"nosuch_table\" does not exist (SQLSTATE 42P01)"
        );
        assert!(server.sql(users).await.is_empty());
        assert!(bench.lease_ids().await.is_empty());
    }
    server.sql("CREATE TABLE cleaned (name text)").await;
    role(
        &bench,
        json!({
            "creation_statements": ["CREATE NONSENSE '{{password}}'"],
            "rollback_statements": ["INSERT INTO cleaned VALUES ('{{name}}')"],
        }),
    )
    .await;
    let text = upstream(bench.read("creds/app").await);
    assert!(
        text.contains("SQLSTATE 42601") && !text.contains("password-by"),
        "{text}"
    );
    assert_eq!(
        server
            .sql("SELECT count(*) FROM cleaned WHERE name LIKE 'v-token-app-%'")
            .await,
        ["1"]
    );

    role(&bench, json!({"creation_statements": []})).await;
    assert_eq!(
        invalid(bench.read("creds/app").await),
        "empty creation statements"
    );
}

#[tokio::test]
async fn names_can_not_become_sql() {
    let server = Postgres::start();
    let mut bench = configured(&server).await;
    server.sql("CREATE TABLE victims ()").await;
    let evil = r#"x"; DROP TABLE victims; --'; DROP TABLE victims; --\"#;
    bench
        .write(
            "config/pg",
            json!({"username_template": "{{.DisplayName}}{{random 4}}{{.RoleName}}"}),
        )
        .await
        .unwrap();
    for (display_name, role_name) in [(evil, "app"), ("x", evil), ("{{password}}$$", "{{name}}")] {
        bench.caller.display_name = display_name.into();
        let create = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'; COMMENT ON ROLE {{name}} IS E'{{name}} \\' {{username}}'";
        let path = format!("roles/{role_name}");
        bench
            .write(
                &path,
                json!({"db_name": "pg", "creation_statements": create}),
            )
            .await
            .unwrap();
        let answered = bench.read(&format!("creds/{role_name}")).await.unwrap();
        let (user, password, lease) = login(&answered);
        assert!(
            user.starts_with(display_name) || user.ends_with(role_name),
            "{user}"
        );
        server.login(&user, &password).await.unwrap();
        let comment = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE shobj_description(oid, 'pg_authid') <> ''";
        assert_eq!(server.sql(comment).await, [format!("{user} ' {user}")]);
        assert_eq!(
            server
                .sql("SELECT count(*) FROM pg_class WHERE relname = 'victims'")
                .await,
            ["1"]
        );
        bench.revoke(&lease).await.unwrap();
        assert!(!server.has_role(&user).await);
    }
    // Where quoting can not help, it is refused.
    bench.caller.display_name = evil.into();
    role(
        &bench,
        json!({"creation_statements": "DO $$ BEGIN EXECUTE 'CREATE ROLE \"{{name}}\"'; END $$"}),
    )
    .await;
    let text = upstream(bench.read("creds/app").await);
    assert!(text.contains("can not be put safely"), "{text}");
    bench.caller.display_name = "harmless--name".into();
    let (user, _, _) = login(&bench.read("creds/app").await.unwrap());
    assert!(server.has_role(&user).await);
}

#[tokio::test]
async fn a_name_that_is_taken_is_left_alone() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    server.sql("CREATE ROLE somebody").await;
    bench
        .write("config/pg", json!({"username_template": "somebody"}))
        .await
        .unwrap();
    let text = upstream(bench.read("creds/app").await);
    assert!(text.contains("exists already"), "{text}");
    assert!(server.has_role("somebody").await);
    assert!(bench.lease_ids().await.is_empty());

    // Statements that stumble over a stranger's role: neither is it removed when the intent is undone.
    bench
        .write(
            "config/pg",
            json!({"username_template": "{{.RoleName}}{{random 3}}"}),
        )
        .await
        .unwrap();
    role(
        &bench,
        json!({"creation_statements": ["CREATE ROLE somebody", CREATE]}),
    )
    .await;
    let text = upstream(bench.read("creds/app").await);
    assert!(text.contains("42710"), "{text}");
    assert!(server.has_role("somebody").await);
    assert!(bench.lease_ids().await.is_empty());
    assert!(
        bench
            .view()
            .scan_paths("not-ours/", None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn long_names_are_cut_as_postgresql_cuts_them() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    bench
        .write(
            "config/pg",
            json!({"username_template": format!("{}é", "a".repeat(62))}),
        )
        .await
        .unwrap();
    let (user, password, lease) = login(&bench.read("creds/app").await.unwrap());
    assert_eq!(user, "a".repeat(62));
    server.login(&user, &password).await.unwrap();
    bench.revoke(&lease).await.unwrap();
    assert!(!server.has_role(&user).await);
}

#[tokio::test]
async fn hashes_instead_of_passwords() {
    let server = Postgres::start_with("password_encryption = md5");
    let bench = configured(&server).await;
    role(&bench, json!({})).await;
    bench
        .write(
            "config/pg",
            json!({"password_authentication": "scram-sha-256"}),
        )
        .await
        .unwrap();
    let (user, password, _) = login(&bench.read("creds/app").await.unwrap());
    // Had the server seen the password, it would have hashed it the old way.
    let stored = format!("SELECT left(rolpassword, 13) FROM pg_authid WHERE rolname = '{user}'");
    assert_eq!(server.sql(&stored).await, ["SCRAM-SHA-256"]);
    server.login(&user, &password).await.unwrap();
}

#[tokio::test]
async fn only_allowed_roles() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    for (allowed, works) in [
        ("app", true),
        ("ap*,x", true),
        ("*pp", true),
        ("other", false),
        ("", false),
    ] {
        bench
            .write("config/pg", json!({"allowed_roles": allowed}))
            .await
            .unwrap();
        role(&bench, json!({})).await;
        let answer = bench.read("creds/app").await;
        match works {
            true => drop(answer.unwrap()),
            false => assert_eq!(invalid(answer), "\"app\" is not an allowed role"),
        }
    }
    assert_eq!(
        invalid(bench.read("creds/nosuch").await),
        "unknown role: nosuch"
    );
}

#[tokio::test]
async fn roles_are_read_changed_and_listed() {
    let bench = bench().await;
    assert_eq!(bench.exists("roles/app").await, Some(false));
    assert_eq!(
        invalid(
            bench
                .write("roles/app", json!({"creation_statements": CREATE}))
                .await
        ),
        "database name is required"
    );
    role(&bench, json!({"default_ttl": "2m", "max_ttl": "5m"})).await;
    assert_eq!(bench.exists("roles/app").await, Some(true));
    bench
        .write("roles/app", json!({"default_ttl": "100s"}))
        .await
        .unwrap();
    assert_eq!(
        bench.read("roles/app").await.unwrap().data,
        json!({
            "creation_statements": [CREATE], "credential_type": "password", "db_name": "pg", "default_ttl": 100,
            "max_ttl": 300, "renew_statements": [], "revocation_statements": [], "rollback_statements": [],
        })
    );
    let odd = json!({"db_name": "pg", "credential_type": "odd"});
    assert!(
        invalid(bench.write("roles/b", odd).await).starts_with("invalid credential_type \"odd\"")
    );
    let config = json!({"db_name": "pg", "credential_config": {"password_policy": "p"}});
    bench.write("roles/b", config).await.unwrap();
    assert_eq!(
        bench.read("roles/b").await.unwrap().data["credential_config"],
        json!({"password_policy": "p"})
    );
    assert_eq!(bench.list("roles").await.unwrap(), ["app", "b"]);
    let list = |input| bench.request(coffer_wire::Verb::List, "roles", input);
    assert_eq!(
        list(json!({"limit": 1})).await.unwrap().data["keys"],
        json!(["app"])
    );
    assert_eq!(
        list(json!({"after": "app", "limit": -1}))
            .await
            .unwrap()
            .data["keys"],
        json!(["b"])
    );
    assert!(list(json!({"after": "b"})).await.is_err());
    bench.delete("roles/b").await.unwrap();
    bench.delete("roles/b").await.unwrap();
    assert!(bench.read("roles/b").await.is_err());
}
