use std::net::TcpListener;

use serde_json::{Value, json};

use super::postgres::{PASSWORD, Postgres};
use super::{bench, configured, invalid, login, role, upstream};

#[tokio::test]
async fn a_configuration_is_proved_stored_and_shown_without_secrets() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    let shown = bench.read("config/pg").await.unwrap().data;
    assert_eq!(
        shown,
        json!({
            "allowed_roles": ["*"],
            "connection_details": {"connection_url": server.url("127.0.0.1", "sslmode=disable"), "username": "coffer_admin"},
            "password_policy": "", "plugin_name": "postgresql-database-plugin", "plugin_version": "",
            "root_credentials_rotate_statements": [],
        })
    );
    assert_eq!(bench.list("config").await.unwrap(), ["pg"]);
    // Fields that are not given stay.
    bench.write("config/pg", json!({"allowed_roles": ["b"], "max_connection_lifetime": "5s", "max_open_connections": "3"})).await.unwrap();
    let shown = bench.read("config/pg").await.unwrap().data;
    assert_eq!(shown["allowed_roles"], json!(["b"]));
    assert_eq!(shown["connection_details"]["max_connection_lifetime"], "5s");
    assert_eq!(shown["connection_details"]["max_open_connections"], 3);
    bench.write("reset/pg", json!({})).await.unwrap();
    assert!(invalid(bench.write("reset/nosuch", json!({})).await).contains("failed to find entry"));
    bench.delete("config/pg").await.unwrap();
    bench.delete("config/pg").await.unwrap();
    assert!(bench.read("config/pg").await.is_err());
    assert!(bench.list("config").await.is_err());
}

#[tokio::test]
async fn what_can_not_work_is_refused_and_not_stored() {
    let server = Postgres::start();
    let bench = bench().await;
    let changed = |key: &str, value: Value| {
        let mut config = server.config();
        config[key] = value;
        config
    };
    for (config, reason) in [
        (changed("plugin_name", Value::Null), "empty plugin name"),
        (
            changed("plugin_name", json!("nosuch")),
            "plugin not found in the catalog: nosuch",
        ),
        (
            changed("connection_url", Value::Null),
            "connection_url cannot be empty",
        ),
        (
            changed("connection_url", json!("::nonsense")),
            "cannot parse connection url: invalid keyword/value",
        ),
        (
            changed(
                "connection_url",
                json!(
                    "postgresql://{{username}}:{{password}}@127.0.0.1:1/postgres?sslmode=disable"
                ),
            ),
            "refused",
        ),
        (
            changed(
                "connection_url",
                json!("postgres://h/d?sslrootcert=/etc/passwd"),
            ),
            "tls_ca",
        ),
        (
            changed("password", json!("wrong-secret")),
            "password authentication failed for user \"coffer_admin\" (SQLSTATE 28P01)",
        ),
        (
            changed("username_template", json!("{{.Nope")),
            "unable to initialize username template",
        ),
        (
            changed("max_connection_lifetime", json!("soon")),
            "max_connection_lifetime",
        ),
        (
            changed("password_authentication", json!("md5")),
            "password_authentication",
        ),
        (
            changed("tls_certificate", json!("x")),
            "error creating database object",
        ),
    ] {
        let wants_tls = config["tls_certificate"].is_string();
        let mut config = config;
        if wants_tls {
            config["connection_url"] = json!(server.url("127.0.0.1", "sslmode=require"));
        }
        let text = invalid(bench.write("config/pg", config).await);
        assert!(
            text.contains(reason) && !text.contains("wrong-secret"),
            "{text}"
        );
        assert!(bench.read("config/pg").await.is_err());
    }
    assert!(
        invalid(
            bench
                .write("config/pg", changed("max_open_connections", json!("x")))
                .await
        )
        .contains("max_open_connections")
    );
    let mut unproved = changed("password", json!("wrong"));
    unproved["verify_connection"] = json!(false);
    bench.write("config/pg", unproved).await.unwrap();
    role(&bench, json!({})).await;
    assert!(upstream(bench.read("creds/app").await).contains("28P01"));
}

#[tokio::test]
async fn a_password_in_the_string_is_warned_of_and_hidden() {
    let server = Postgres::start();
    let bench = bench().await;
    let url = |password: &str| {
        format!(
            "postgresql://coffer_admin:{password}@127.0.0.1:{}/postgres?sslmode=disable",
            server.port
        )
    };
    let escaped: String = PASSWORD.bytes().map(|b| format!("%{b:02x}")).collect();
    let config = json!({"plugin_name": "postgresql", "connection_url": url(&escaped)});
    let answered = bench.write("config/pg", config).await.unwrap();
    assert!(answered.reply.warnings[0].starts_with("Password found in connection_url"));
    let shown = bench.read("config/pg").await.unwrap().data;
    assert_eq!(shown["connection_details"]["connection_url"], url("xxxxx"));
    let keys = format!(
        "host=127.0.0.1 port={} user={{{{username}}}} password={{{{password}}}} dbname=postgres sslmode=disable",
        server.port
    );
    let mut config = server.config();
    config["connection_url"] = json!(keys);
    assert!(
        bench
            .write("config/pg", config)
            .await
            .unwrap()
            .reply
            .warnings
            .is_empty()
    );
}

#[tokio::test]
async fn a_stored_password_is_not_sent_elsewhere() {
    let (server, elsewhere) = (Postgres::start(), TcpListener::bind("127.0.0.1:0").unwrap());
    elsewhere.set_nonblocking(true).unwrap();
    let bench = configured(&server).await;
    let port = elsewhere.local_addr().unwrap().port();
    let at = |place: &str| {
        format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@{place}/postgres?sslmode=disable&connect_timeout=1"
        )
    };
    let keys =
        format!("host=127.0.0.1 port={port} user={{{{username}}}} password={{{{password}}}}");
    for url in [
        at(&format!("127.0.0.1:{port}")),
        at(&format!("localhost:{}", server.port)),
        at(&format!("127.0.0.1:{},127.0.0.1:{port}", server.port)),
        at("{{password}}.example"),
        at("127.0.0.1"),
        keys,
    ] {
        for verify in [true, false] {
            let change = json!({"connection_url": url, "verify_connection": verify});
            let refused = invalid(bench.write("config/pg", change).await);
            assert!(refused.contains("give password"), "{url}: {refused}");
        }
    }
    assert!(elsewhere.accept().is_err(), "nobody came");
    let same = json!({"connection_url": server.url("127.0.0.1", "sslmode=prefer")});
    bench.write("config/pg", same).await.unwrap();
    let again =
        json!({"connection_url": server.url("localhost", "sslmode=disable"), "password": PASSWORD});
    bench.write("config/pg", again).await.unwrap();
    let url = &bench.read("config/pg").await.unwrap().data["connection_details"]["connection_url"];
    assert_eq!(*url, server.url("localhost", "sslmode=disable"));
}

#[tokio::test]
async fn the_admins_password_is_rotated() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server
        .sql("CREATE ROLE root2 SUPERUSER LOGIN PASSWORD 'first'")
        .await;
    let config = json!({"username": "root2", "password": "first", "password_policy": "two"});
    bench.write("config/pg", config).await.unwrap();
    bench.write("rotate-root/pg", json!({})).await.unwrap();
    assert!(server.login("root2", "first").await.is_err());
    server.login("root2", "password-by-two").await.unwrap();
    role(&bench, json!({})).await;
    login(&bench.read("creds/app").await.unwrap());

    // A refusal leaves the present password in force.
    bench
        .write(
            "config/pg",
            json!({"password_policy": "three", "root_rotation_statements": ["ALTER NONSENSE"]}),
        )
        .await
        .unwrap();
    upstream(bench.write("rotate-root/pg", json!({})).await);
    login(&bench.read("creds/app").await.unwrap());
    let own = "ALTER ROLE \"{{username}}\" CONNECTION LIMIT 9 PASSWORD '{{password}}'";
    bench
        .write("config/pg", json!({"root_rotation_statements": own}))
        .await
        .unwrap();
    bench.write("rotate-root/pg", json!({})).await.unwrap();
    server.login("root2", "password-by-three").await.unwrap();
    login(&bench.read("creds/app").await.unwrap());

    assert!(
        invalid(bench.write("rotate-root/nosuch", json!({})).await)
            .contains("failed to find entry")
    );
    let mut anonymous = server.config();
    anonymous["username"] = json!("");
    anonymous["verify_connection"] = json!(false);
    bench.write("config/anonymous", anonymous).await.unwrap();
    assert!(invalid(bench.write("rotate-root/anonymous", json!({})).await).contains("no username"));
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_is_found_out() {
    let server = Postgres::start();
    let bench = configured(&server).await;
    server
        .sql("CREATE ROLE root2 SUPERUSER LOGIN PASSWORD 'first'")
        .await;
    // The statement takes effect, and then the connection dies before anyone is told.
    let own = "ALTER ROLE \"{{username}}\" PASSWORD '{{password}}'; COMMIT; SELECT pg_terminate_backend(pg_backend_pid())";
    let config = json!({"username": "root2", "password": "first", "password_policy": "two", "root_rotation_statements": own});
    bench.write("config/pg", config).await.unwrap();
    assert!(bench.write("rotate-root/pg", json!({})).await.is_err());
    assert!(server.login("root2", "first").await.is_err());
    role(&bench, json!({})).await;
    login(&bench.read("creds/app").await.unwrap());
}

#[tokio::test]
async fn a_database_that_hangs_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgresql://u:p@127.0.0.1:{port}/d?connect_timeout=1&sslmode=disable");
    let config = json!({"plugin_name": "postgresql-database-plugin", "connection_url": url});
    let text = invalid(bench().await.write("config/pg", config).await);
    assert!(text.contains("no answer within 1 seconds"), "{text}");
}
