//! One round on one server: every measurement, from a fresh start to a restart with many tokens.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Failure;
use crate::load::{self, Measured, Request, Size};
use crate::logins;
use crate::options::{Options, Side};
use crate::postgres::Postgres;
use crate::process::{Server, StartTimes};
use crate::transit;

const SECRETS: u32 = 1_000;
const POLICY: &str = r#"path "secret/*" { capabilities = ["create", "read", "update"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "database/creds/*" { capabilities = ["read"] }"#;

/// Everything one round found out.
pub struct Round {
    /// Named loads in the order of the table.
    pub loads: Vec<(&'static str, Measured)>,
    /// Named sizes in MiB.
    pub memory_mib: Vec<(String, f64)>,
    /// Named starts.
    pub starts: Vec<(String, StartTimes)>,
}

/// Runs every measurement on a fresh server of this side.
pub async fn run(
    options: &Options,
    side: &Side,
    postgres: Option<&Postgres>,
) -> Result<Round, Failure> {
    let mut server = Server::fresh(side, &options.dir).await?;
    let empty = server.restart().await?;
    settle().await;
    let mut memory_mib = vec![("idle".to_owned(), mib(&server)?)];
    let mut loads = Vec::new();
    if options.logins > 0 && !options.only_transit {
        logins::run(options, &server, &mut loads).await?;
    }
    if options.transit > 0 && !options.only_logins {
        transit::run(options, &server, &mut loads).await?;
    }
    if options.only_logins || options.only_transit {
        return Ok(Round {
            loads,
            memory_mib,
            starts: vec![("empty".to_owned(), empty)],
        });
    }
    let callers = prepare(&server).await?;
    key_value(options, &server, &callers, &mut loads).await?;
    if let Some(postgres) = postgres {
        loads.push((
            "credential issue (PostgreSQL)",
            credentials(options, &server, &callers.app, postgres).await?,
        ));
    }
    let tokens = create_tokens(options, &server, &mut loads).await?;
    settle().await;
    memory_mib.push((format!("with {} tokens", options.tokens), mib(&server)?));
    renew_tokens(options, &server, tokens, &mut loads).await?;
    memory_mib.push(("after the renewals".to_owned(), mib(&server)?));
    let full = server.restart().await?;
    settle().await;
    memory_mib.push((
        format!("restarted with {} tokens", options.tokens),
        mib(&server)?,
    ));
    Ok(Round {
        loads,
        memory_mib,
        starts: vec![
            ("empty".to_owned(), empty),
            (format!("with {} tokens", options.tokens), full),
        ],
    })
}

struct Callers {
    app: String,
    lean: String,
}

async fn prepare(server: &Server) -> Result<Callers, Failure> {
    let root = &server.root;
    server
        .call(
            "POST",
            "sys/mounts/secret",
            root,
            &json!({"type": "kv", "options": {"version": "2"}}),
        )
        .await?;
    server
        .call(
            "PUT",
            "sys/policies/acl/bench",
            root,
            &json!({"policy": POLICY}),
        )
        .await?;
    let mut seeded = Err("no secret written".into());
    // A version 2 store may need a moment before it takes the first write.
    for _ in 0..200 {
        seeded = server
            .call("POST", "secret/data/bench-0", root, &secret(0))
            .await;
        if seeded.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    seeded?;
    for number in 1..SECRETS {
        server
            .call(
                "POST",
                &format!("secret/data/bench-{number}"),
                root,
                &secret(number),
            )
            .await?;
    }
    Ok(Callers {
        app: token(server, false).await?,
        lean: token(server, true).await?,
    })
}

async fn token(server: &Server, lean: bool) -> Result<String, Failure> {
    let body = json!({"policies": ["bench"], "ttl": "24h", "no_default_policy": lean});
    let made = server
        .call("POST", "auth/token/create", &server.root, &body)
        .await?;
    made.pointer("/auth/client_token")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| "no token in the answer".into())
}

fn secret(number: u32) -> Value {
    json!({"data": {"user": format!("user-{number}"), "password": "correct horse battery staple", "number": number}})
}

async fn key_value(
    options: &Options,
    server: &Server,
    callers: &Callers,
    loads: &mut Vec<(&'static str, Measured)>,
) -> Result<(), Failure> {
    let reads = size(options, options.reads);
    for (name, caller) in [
        ("KV v2 read", &callers.app),
        ("KV v2 read, token without `default`", &callers.lean),
    ] {
        let caller = caller.clone();
        loads.push((
            name,
            load::run(
                server,
                reads,
                move |number| get(format!("secret/data/bench-{}", number % SECRETS), &caller),
                |_| (),
            )
            .await?,
        ));
    }
    let caller = callers.app.clone();
    let write = move |number: u32| {
        post(
            format!("secret/data/bench-{}", number % SECRETS),
            &caller,
            secret(number).to_string(),
        )
    };
    loads.push((
        "KV v2 write",
        load::run(server, size(options, options.writes), write, |_| ()).await?,
    ));
    let caller = callers.app.clone();
    loads.push((
        "token lookup-self",
        load::run(
            server,
            reads,
            move |_| get("auth/token/lookup-self".to_owned(), &caller),
            |_| (),
        )
        .await?,
    ));
    Ok(())
}

async fn credentials(
    options: &Options,
    server: &Server,
    caller: &str,
    postgres: &Postgres,
) -> Result<Measured, Failure> {
    let root = &server.root;
    let url = format!(
        "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable",
        postgres.port
    );
    server
        .call(
            "POST",
            "sys/mounts/database",
            root,
            &json!({"type": "database"}),
        )
        .await?;
    let config = json!({"plugin_name": "postgresql-database-plugin", "allowed_roles": "*", "connection_url": url, "username": "coffer_admin",
        "password": postgres.password, "max_open_connections": 16, "max_idle_connections": 16});
    server
        .call("POST", "database/config/bench", root, &config)
        .await?;
    let create =
        "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'";
    server
        .call(
            "POST",
            "database/roles/bench",
            root,
            &json!({"db_name": "bench", "creation_statements": [create], "default_ttl": "1h"}),
        )
        .await?;
    let caller = caller.to_owned();
    let measured = load::run(
        server,
        size(options, options.credentials),
        move |_| get("database/creds/bench".to_owned(), &caller),
        |_| (),
    )
    .await?;
    server
        .call(
            "PUT",
            "sys/leases/revoke-prefix/database/creds/bench",
            root,
            &json!({"sync": true}),
        )
        .await?;
    Ok(measured)
}

async fn create_tokens(
    options: &Options,
    server: &Server,
    loads: &mut Vec<(&'static str, Measured)>,
) -> Result<Vec<String>, Failure> {
    let root = server.root.clone();
    let body = json!({"policies": ["bench"], "ttl": "24h"}).to_string();
    let tokens = Rc::new(RefCell::new(Vec::with_capacity(options.tokens as usize)));
    let kept = Rc::clone(&tokens);
    let create = move |_| post("auth/token/create".to_owned(), &root, body.clone());
    let measured = load::run(
        server,
        size(options, options.tokens),
        create,
        move |answer| kept.borrow_mut().extend(answer.text_of("client_token")),
    )
    .await?;
    loads.push(("token create", measured));
    Ok(tokens.take())
}

async fn renew_tokens(
    options: &Options,
    server: &Server,
    tokens: Vec<String>,
    loads: &mut Vec<(&'static str, Measured)>,
) -> Result<(), Failure> {
    let count = options
        .renewals
        .min(u32::try_from(tokens.len()).unwrap_or(u32::MAX));
    let renew = move |number: u32| {
        let token = tokens.get(number as usize).map_or("", String::as_str);
        post("auth/token/renew-self".to_owned(), token, String::new())
    };
    loads.push((
        "token renew-self, each its own",
        load::run(server, size(options, count), renew, |_| ()).await?,
    ));
    Ok(())
}

fn size(options: &Options, requests: u32) -> Size {
    Size {
        connections: options.connections,
        requests,
        seconds_max: options.seconds_max,
    }
}

fn get(path: String, token: &str) -> Request {
    Request {
        method: "GET",
        path,
        token: token.to_owned(),
        body: String::new(),
    }
}

fn post(path: String, token: &str, body: String) -> Request {
    Request {
        method: "POST",
        path,
        token: token.to_owned(),
        body,
    }
}

fn mib(server: &Server) -> Result<f64, Failure> {
    Ok(server.resident_kib()? as f64 / 1024.0)
}

/// Background work right after a start or a load is not what an idle server needs.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}
