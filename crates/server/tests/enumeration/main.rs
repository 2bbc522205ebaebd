//! Every route of every table, asked in every way that must be refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod golden;
mod hostile;
mod running;
mod surface;

use std::collections::{BTreeMap, BTreeSet};

use coffer_wire::Verb;
use running::{Running, panics};
use serde_json::{Value, json};
use surface::{Endpoint, documented, endpoints, method};

/// Larger than what any test sends on purpose.
const ROOMY_BYTES: usize = 4 * 1024 * 1024;
/// An error's text is bounded; JSON's escapes make some of it longer.
const MAX_ERROR_BYTES: usize = 32 * 1024;

/// The paths that need no token, each with the reason why. May only shrink: a path that joins needs a reason that a
/// reviewer believes.
const WITHOUT_TOKEN: &[(&str, &str)] = &[
    (
        "sys/health",
        "load balancers have no token; it tells no more than whether to send requests",
    ),
    ("sys/init", "before it there are no tokens"),
    (
        "sys/leader",
        "whoever reached a standby must learn where to go",
    ),
    (
        "sys/seal-status",
        "operators look before tokens can be read",
    ),
    (
        "sys/seal-backend-status",
        "a probe: whether the seal needs another system, and reaches it",
    ),
    (
        "sys/replication/status",
        "a probe: that nothing is replicated",
    ),
    (
        "sys/replication/{sort}/status",
        "a probe: that nothing is replicated",
    ),
    (
        "sys/unseal",
        "shares of the unseal key speak for the operators, and no token can be read yet",
    ),
    (
        "sys/decode-token",
        "it mixes two texts that the client sends, and asks nothing of the server",
    ),
    (
        "sys/generate-root/attempt",
        "who lost every token makes one from shares; strangers see no nonce and cancel nothing",
    ),
    (
        "sys/generate-root/update",
        "shares of the unseal key speak for the operators",
    ),
    (
        "sys/rekey/init",
        "shares of the unseal key speak for the operators; strangers see no nonce and cancel nothing",
    ),
    (
        "sys/rekey/update",
        "shares of the unseal key speak for the operators",
    ),
    (
        "sys/rekey/verify",
        "shares of the unseal key speak for the operators",
    ),
    (
        "sys/rekey-recovery-key/init",
        "shares of the recovery key speak for the operators, not a token",
    ),
    (
        "sys/rekey-recovery-key/update",
        "shares of the recovery key speak for the operators, not a token",
    ),
    (
        "sys/rekey-recovery-key/verify",
        "shares of the recovery key speak for the operators, not a token",
    ),
    (
        "sys/internal/specs/openapi",
        "a login page asks; without a token it shows what is listed for everyone",
    ),
    (
        "sys/internal/ui/feature-flags",
        "a login page asks; there are none",
    ),
    (
        "sys/internal/ui/mounts",
        "a login page asks; without a token it shows what is listed for everyone",
    ),
    (
        "sys/internal/ui/mounts/{path*}",
        "the command line asks before every kv command; the handler refuses who may not see the mount",
    ),
    (
        "sys/internal/ui/namespaces",
        "needs a token, and no policy for it",
    ),
    (
        "sys/storage/raft/join",
        "a node that wants to join has none; it is refused and told why",
    ),
    (
        "sys/workflows/unauthed-execute/{path*}",
        "for workflows that say so, where the configuration lets them; refused otherwise",
    ),
    ("sys/wrapping/lookup", "the wrapping token is in the body"),
    (
        "sys/wrapping/pubkey",
        "it verifies wrapping tokens in the form of a JWT, and is public",
    ),
    ("sys/wrapping/rewrap", "the wrapping token is in the body"),
    (
        "sys/wrapping/unwrap",
        "the wrapping token is in the body, or is the one that asks",
    ),
    (
        "sys/mfa/validate",
        "the second half of a login, whose first half named the request",
    ),
    (
        "identity/oidc/.well-known/keys",
        "everybody may check what this server signed",
    ),
    (
        "identity/oidc/.well-known/openid-configuration",
        "everybody may check what this server signed",
    ),
    (
        "identity/oidc/provider/{name}/.well-known/keys",
        "everybody may check what this server signed",
    ),
    (
        "identity/oidc/provider/{name}/.well-known/openid-configuration",
        "everybody may check what this server signed",
    ),
    (
        "identity/oidc/provider/{name}/token",
        "OpenID clients bring credentials of their own, and are refused in their protocol's words",
    ),
    (
        "identity/oidc/provider/{name}/userinfo",
        "OpenID clients bring an access token of their own, and are refused in their protocol's words",
    ),
    (
        "auth/approle/login",
        "a login: role id and secret id speak for the machine",
    ),
    (
        "auth/aws/login",
        "a login: AWS answers for the signed request",
    ),
    (
        "auth/cert/login",
        "a login: the certificate of the handshake speaks for the client",
    ),
    (
        "auth/gcp/login",
        "a login: a token that Google stands behind",
    ),
    (
        "auth/jwt/login",
        "a login: a token that somebody trusted has signed",
    ),
    (
        "auth/jwt/oidc/auth_url",
        "where a sign-in with a browser begins",
    ),
    (
        "auth/jwt/oidc/callback",
        "where a sign-in comes back; it wants the state of one that is under way",
    ),
    (
        "auth/jwt/oidc/poll",
        "whether a sign-in that is under way is done; it wants its state and nonce",
    ),
    (
        "auth/kubernetes/login",
        "a login: the cluster answers for the token",
    ),
    (
        "auth/ldap/login/{username*}",
        "a login: the directory answers for the password",
    ),
    ("auth/userpass/login/{username}", "a login: a password"),
];

/// The paths that answer while the server is sealed. May only shrink.
const WHILE_SEALED: &[&str] = &[
    "sys/decode-token",
    "sys/generate-root/attempt",
    "sys/generate-root/update",
    "sys/generate-root-token/attempt",
    "sys/generate-root-token/update",
    "sys/health",
    "sys/init",
    "sys/leader",
    "sys/seal",
    "sys/seal-backend-status",
    "sys/seal-status",
    "sys/unseal",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_path_wants_a_token() {
    let running = Running::start(ROOMY_BYTES).await;
    let mut faults = Vec::new();
    let mut open = BTreeSet::new();
    for endpoint in endpoints(&running) {
        let pattern = endpoint.pattern();
        if endpoint.operation.flags.unauthenticated {
            open.insert(pattern);
            continue;
        }
        if endpoint.is_unwritable() {
            continue;
        }
        for (who, token) in [
            ("nobody", ""),
            ("a stranger", "s.bogus"),
            ("the powerless", &running.powerless),
        ] {
            let body = "{}".to_owned();
            let answer = running
                .ask(endpoint.method(), &endpoint.path, token, body)
                .await;
            if answer.status != 403 {
                faults.push(format!("{who} {} {pattern}: {answer:?}", endpoint.method()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let allowed: BTreeSet<String> = WITHOUT_TOKEN
        .iter()
        .map(|(path, _)| (*path).to_owned())
        .collect();
    assert_eq!(
        open, allowed,
        "left: the tables, right: the list in this test"
    );
    for path in ["sys/nosuch", "nosuch/x", "auth/nosuch/x", "database/nosuch"] {
        for token in ["", "s.bogus", &running.powerless] {
            let answer = running.ask("GET", path, token, String::new()).await;
            assert_eq!(
                answer.status, 403,
                "strangers learn what is there: {path} {answer:?}"
            );
        }
    }
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_means_sealed() {
    let running = Running::start(ROOMY_BYTES).await;
    let all = endpoints(&running);
    running.server.kernel().seal();
    let mut faults = Vec::new();
    for endpoint in all {
        let pattern = endpoint.pattern();
        if WHILE_SEALED.contains(&pattern.as_str()) || endpoint.is_unwritable() {
            continue;
        }
        for token in ["", &running.root] {
            let body = "{}".to_owned();
            let answer = running
                .ask(endpoint.method(), &endpoint.path, token, body)
                .await;
            if answer.status != 503 {
                faults.push(format!("{} {pattern}: {answer:?}", endpoint.method()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_and_field_is_explained() {
    let running = Running::start(ROOMY_BYTES).await;
    let mut faults = Vec::new();
    for endpoint in endpoints(&running) {
        let (pattern, verb) = (endpoint.pattern(), endpoint.operation.verb);
        let request = &endpoint.operation.request;
        let is_said = |text: &Value| text.as_str().is_some_and(|text| !text.trim().is_empty());
        if endpoint.operation.about.is_empty() {
            faults.push(format!("{pattern}: nothing about the path"));
        }
        if !is_said(&request["description"]) {
            faults.push(format!("{pattern} {verb}: no word on what it does"));
        }
        for (schema, fields) in all_fields(request) {
            for (name, field) in fields {
                let shared = field["$ref"]
                    .as_str()
                    .and_then(|to| to.strip_prefix("#/$defs/"));
                let shared = shared.map_or(&Value::Null, |to| &request["$defs"][to]["description"]);
                if !is_said(&field["description"]) && !is_said(shared) {
                    faults.push(format!("{pattern} {verb}: no word on {schema}{name}"));
                }
            }
        }
        let path = format!("{}?help=1", endpoint.path);
        let help = running
            .ask("GET", &path, &running.root, String::new())
            .await;
        if help.status != 200 || !is_said(&help.json()["help"]) {
            faults.push(format!("{path}: {help:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    running.server.stop().await;
}

/// The fields of a request and of the types inside it.
fn all_fields(request: &Value) -> Vec<(String, BTreeMap<String, Value>)> {
    let of = |schema: &Value| {
        schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .collect()
    };
    let mut all = vec![(String::new(), of(request))];
    for (name, schema) in request["$defs"].as_object().into_iter().flatten() {
        all.push((format!("{name}."), of(schema)));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_holds_the_body_limit() {
    let running = Running::start(1024).await;
    for endpoint in endpoints(&running)
        .iter()
        .filter(|endpoint| endpoint.has_body())
    {
        // What is streamed has no limit, and is not read before policy says yes.
        if endpoint.is_unwritable() || endpoint.operation.flags.streamed {
            continue;
        }
        for token in ["", &running.root] {
            let body = json!({ "a": "x".repeat(1024) }).to_string();
            let answer = running
                .ask(endpoint.method(), &endpoint.path, token, body)
                .await;
            assert_eq!(answer.status, 413, "{} {answer:?}", endpoint.pattern());
        }
    }
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_verbs_and_paths() {
    let running = Running::start(ROOMY_BYTES).await;
    let mut known: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let all = endpoints(&running);
    for endpoint in &all {
        let methods = known.entry(endpoint.path.clone()).or_default();
        methods.insert(endpoint.method());
    }
    for endpoint in &all {
        // A list's rest of a path may be empty.
        if endpoint.method() == "LIST"
            && endpoint.pattern().ends_with("*}")
            && let Some(above) = known.get_mut(endpoint.path.trim_end_matches("/x"))
        {
            above.insert("LIST");
        }
    }
    for (path, methods) in &known {
        for verb in Verb::ALL
            .map(method)
            .into_iter()
            .chain(["BREW", "OPTIONS", "TRACE"])
        {
            let is_write = matches!(verb, "POST" | "PATCH");
            if methods.contains(verb) || is_write && path.ends_with('/') {
                continue;
            }
            let answer = running
                .ask(verb, path, &running.root, "{}".to_owned())
                .await;
            assert_eq!(answer.status, 405, "{verb} {path}: {answer:?}");
        }
    }
    for path in [
        "sys/nosuch",
        "auth/token/nosuch",
        "database/nosuch",
        "nosuch/x",
        "auth/nosuch/x",
    ] {
        for verb in Verb::ALL.map(method) {
            let answer = running
                .ask(verb, path, &running.root, "{}".to_owned())
                .await;
            assert_eq!(answer.status, 404, "{verb} {path}: {answer:?}");
        }
    }
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_brings_the_server_down() {
    let running = Running::start(ROOMY_BYTES).await;
    let before = panics();
    let (limits, others): (Vec<_>, Vec<_>) = endpoints(&running)
        .into_iter()
        .filter(|endpoint| !endpoint.is_unwritable())
        .partition(|endpoint| endpoint.pattern().starts_with("sys/quotas/"));
    let mut faults = Vec::new();
    for endpoint in &others {
        // Some paths end the token that asks.
        let token = running.token(&json!({"policies": ["root"]})).await;
        faults.extend(sweep(&running, endpoint, &token).await);
    }
    let health = running.ask("GET", "sys/health", "", String::new()).await;
    assert_eq!(health.status, 200);
    // Limits come last, because they limit what comes after them: also the look at the health.
    for endpoint in &limits {
        faults.extend(sweep(&running, endpoint, &running.root).await);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(panics(), before, "something panicked");
    let health = running.ask("GET", "sys/health", "", String::new()).await;
    assert!(matches!(health.status, 200 | 429), "{health:?}");
    running.server.stop().await;
}

/// Sends hostile requests to an endpoint and answers what should not have been answered.
async fn sweep(running: &Running, endpoint: &Endpoint, token: &str) -> Vec<String> {
    let mut faults = Vec::new();
    // Load balancers choose the status of this one.
    let is_chosen = endpoint.pattern() == "sys/health";
    let follows_the_log = endpoint.pattern() == "sys/monitor";
    for (path, body) in hostile::requests(running, endpoint) {
        let shown: String = body.chars().take(200).collect();
        let what = format!("{} {path} {shown}", endpoint.method());
        let answer = running.ask(endpoint.method(), &path, token, body).await;
        // No database and no directory is there; that is told as it is.
        let elsewhere = endpoint.mount == "database/" || endpoint.path == "auth/ldap/login/x";
        let is_upstream = elsewhere && !answer.body.contains("internal error");
        // The log of this process is the test runner's, not the server's.
        let has_no_log = follows_the_log && answer.status == 503 && answer.body.contains("logs");
        if answer.status >= 500 && !is_chosen && !is_upstream && !has_no_log {
            faults.push(format!("{what}: {answer:?}"));
        }
        if answer.status >= 400 && answer.body.len() > MAX_ERROR_BYTES {
            faults.push(format!("{what}: {} bytes of error", answer.body.len()));
        }
    }
    faults
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_holds_what_the_tables_hold_and_is_golden() {
    let running = Running::start(ROOMY_BYTES).await;
    let document = running
        .ok("GET", "sys/internal/specs/openapi", &json!({}))
        .await;
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for endpoint in endpoints(&running) {
        let verb = match endpoint.method() {
            "LIST" | "SCAN" => "get".to_owned(),
            other => other.to_lowercase(),
        };
        let path = endpoint.pattern().replace("*}", "}");
        tables.entry(path).or_default().insert(verb);
    }
    assert_eq!(documented(&document), tables);
    golden::compare(&document);
    running.server.stop().await;
}
