//! What auth methods tell about changes of their roles, users and settings: where, and nothing else.

use coffer_auth::approle::AppRole;
use coffer_auth::aws::Aws;
use coffer_auth::cert::Cert;
use coffer_auth::gcp::Gcp;
use coffer_auth::jwt::Jwt;
use coffer_auth::kubernetes::Kubernetes;
use coffer_auth::ldap::Ldap;
use coffer_auth::userpass::Userpass;
use coffer_engine::Engine;
use coffer_engine::testing::Bench;
use coffer_wire::Verb;
use serde_json::{Value, json};

/// What every secret of these tests has in it.
const MARK: &str = "s3cr3t";

/// What was told since the last time: kind and path. No value is in it.
fn told<E: Engine>(bench: &Bench<E>) -> Vec<(&'static str, String)> {
    let events = bench.events();
    let text = format!("{events:?}");
    assert!(!text.contains(MARK), "a value is in an event: {text}");
    let each = events.into_iter().map(|event| {
        let said = |name: &str| event.metadata.get(name).cloned().unwrap_or_default();
        assert_eq!(said("modified"), "true");
        assert!(!event.regardless);
        (event.kind, said("path"))
    });
    each.collect()
}

/// Does all of these, each of which is told by one event at its path.
async fn tells<E: Engine>(
    bench: &Bench<E>,
    steps: impl IntoIterator<Item = (Verb, &str, Value, &'static str)>,
) {
    for (verb, path, body, kind) in steps {
        let done = bench.request(verb, path, body).await;
        assert!(done.is_ok(), "{verb} {path}: {done:?}");
        assert_eq!(told(bench), [(kind, path.to_lowercase())]);
    }
}

/// All of these are refused and told to nobody else.
async fn is_silent<E: Engine>(bench: &Bench<E>, steps: impl IntoIterator<Item = (&str, Value)>) {
    for (path, body) in steps {
        let refused = bench.write(path, body).await;
        assert!(refused.is_err(), "{path}: {refused:?}");
        assert_eq!(told(bench), [], "{path}");
    }
}

/// Whatever is asked, and in whichever field a secret is: it is in no event.
async fn nothing_is_let_out<E: Engine>() {
    let bench = Bench::<E>::new().await;
    let mut count = 0;
    // The second time all is there that the first has made.
    for _ in 0..2 {
        bench.ask_everything(MARK).await;
        count += told(&bench).len();
    }
    assert!(
        count > 1,
        "{} told so little that nothing is proved: {count}",
        E::NAME
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_field_of_any_request_is_in_an_event() {
    nothing_is_let_out::<Userpass>().await;
    nothing_is_let_out::<AppRole>().await;
    nothing_is_let_out::<Ldap>().await;
    nothing_is_let_out::<Jwt>().await;
    nothing_is_let_out::<Kubernetes>().await;
    nothing_is_let_out::<Gcp>().await;
    nothing_is_let_out::<Aws>().await;
    nothing_is_let_out::<Cert>().await;
}

/// What writes and deletions there are that tell nothing.
fn untold<E: Engine>() -> Vec<(Verb, &'static str)> {
    let routes = E::routes();
    let each = routes.paths().iter().flat_map(|path| {
        let changes = path
            .endpoints
            .iter()
            .filter(|endpoint| matches!(endpoint.verb, Verb::Write | Verb::Patch | Verb::Delete));
        let untold = changes.filter(|endpoint| endpoint.tells.is_none());
        untold.map(|endpoint| (endpoint.verb, path.pattern))
    });
    each.collect()
}

/// Logins are told by the server itself, and looking something up is no change.
#[test]
fn no_change_is_forgotten() {
    let write = |path| (Verb::Write, path);
    assert_eq!(untold::<Userpass>(), [write("login/{username}")]);
    assert_eq!(untold::<Ldap>(), [write("login/{username*}")]);
    for untold in [
        untold::<Kubernetes>(),
        untold::<Gcp>(),
        untold::<Aws>(),
        untold::<Cert>(),
    ] {
        assert_eq!(untold, [write("login")]);
    }
    let of_jwt = ["login", "oidc/auth_url", "oidc/callback", "oidc/poll"];
    assert_eq!(untold::<Jwt>(), of_jwt.map(write));
    let of_approle = [
        "login",
        "role/{role_name}/secret-id/lookup",
        "role/{role_name}/secret-id-accessor/lookup",
    ];
    assert_eq!(untold::<AppRole>(), of_approle.map(write));
}

#[tokio::test]
async fn userpass() {
    let bench = Bench::<Userpass>::new().await;
    let password = || json!({"password": MARK});
    tells(
        &bench,
        [
            (
                Verb::Write,
                "users/Alice",
                password(),
                "userpass/user-write",
            ),
            (
                Verb::Write,
                "users/alice/password",
                password(),
                "userpass/password-write",
            ),
            (
                Verb::Write,
                "users/alice/policies",
                json!({"token_policies": "a"}),
                "userpass/user-write",
            ),
        ],
    )
    .await;
    is_silent(
        &bench,
        [
            ("users/bob", json!({})),
            ("users/alice/password", json!({})),
            ("login/alice", json!({"password": "wrong"})),
        ],
    )
    .await;
    // Logins are told by the server itself.
    bench.write("login/alice", password()).await.unwrap();
    assert_eq!(told(&bench), []);
    tells(
        &bench,
        [(
            Verb::Delete,
            "users/alice",
            Value::Null,
            "userpass/user-delete",
        )],
    )
    .await;
}

#[tokio::test]
async fn where_it_can_be_read_is_told() {
    let bench = Bench::<Userpass>::new().await;
    bench
        .write("users/Alice", json!({"password": MARK}))
        .await
        .unwrap();
    bench.delete("users/Alice").await.unwrap();
    let events = bench.events();
    let said: Vec<Value> = events.iter().map(|event| json!(event.metadata)).collect();
    let wanted = [
        json!({"operation": "user-write", "path": "users/alice", "data_path": "users/alice", "name": "alice", "modified": "true"}),
        json!({"operation": "user-delete", "path": "users/alice", "name": "alice", "modified": "true"}),
    ];
    assert_eq!(said, wanted);
}

#[tokio::test]
async fn approle() {
    let bench = Bench::<AppRole>::new().await;
    tells(
        &bench,
        [
            (
                Verb::Write,
                "role/app",
                json!({"token_policies": "a"}),
                "approle/role-write",
            ),
            (
                Verb::Write,
                "role/app/role-id",
                json!({"role_id": MARK}),
                "approle/role-id-write",
            ),
            (
                Verb::Write,
                "role/app/period",
                json!({"period": 60}),
                "approle/role-write",
            ),
            (
                Verb::Delete,
                "role/app/period",
                Value::Null,
                "approle/role-write",
            ),
            (
                Verb::Write,
                "role/app/secret-id",
                json!({"metadata": "{\"a\": \"s3cr3t\"}"}),
                "approle/secret-id-create",
            ),
            (
                Verb::Write,
                "role/app/custom-secret-id",
                json!({"secret_id": MARK}),
                "approle/secret-id-create",
            ),
            (
                Verb::Write,
                "role/app/secret-id/destroy",
                json!({"secret_id": MARK}),
                "approle/secret-id-destroy",
            ),
            (Verb::Write, "tidy/secret-id", json!({}), "approle/tidy"),
            (Verb::Delete, "role/app", Value::Null, "approle/role-delete"),
        ],
    )
    .await;
    is_silent(
        &bench,
        [
            ("role/app", json!({"token_ttl": MARK})),
            ("role/none/secret-id", json!({})),
            ("login", json!({"role_id": MARK, "secret_id": MARK})),
        ],
    )
    .await;
}

#[tokio::test]
async fn ldap() {
    let bench = Bench::<Ldap>::new().await;
    let config =
        json!({"url": "ldap://127.0.0.1", "bindpass": MARK, "binddn": "cn=a", "userdn": "dc=a"});
    tells(
        &bench,
        [
            (Verb::Write, "config", config, "ldap/config-write"),
            (
                Verb::Write,
                "groups/team",
                json!({"policies": "a"}),
                "ldap/group-write",
            ),
            (
                Verb::Write,
                "users/Alice",
                json!({"policies": "a"}),
                "ldap/user-write",
            ),
            (Verb::Delete, "users/alice", Value::Null, "ldap/user-delete"),
            (
                Verb::Delete,
                "groups/team",
                Value::Null,
                "ldap/group-delete",
            ),
        ],
    )
    .await;
    is_silent(&bench, [("config", json!({"url": "nonsense://"}))]).await;
}

#[tokio::test]
async fn methods_that_others_vouch_for() {
    let jwt = Bench::<Jwt>::new().await;
    let role = json!({"role_type": "jwt", "user_claim": "sub", "bound_subject": "a", "bound_audiences": "a"});
    tells(
        &jwt,
        [
            (Verb::Write, "role/app", role, "jwt/role-write"),
            (Verb::Delete, "role/app", Value::Null, "jwt/role-delete"),
        ],
    )
    .await;
    is_silent(&jwt, [("role/app", json!({})), ("config", json!({}))]).await;

    let kubernetes = Bench::<Kubernetes>::new().await;
    let role = json!({"bound_service_account_names": "a", "bound_service_account_namespaces": "b"});
    let ca = rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert;
    let config = json!({"kubernetes_host": "https://127.0.0.1:1", "kubernetes_ca_cert": ca.pem(), "token_reviewer_jwt": MARK});
    tells(
        &kubernetes,
        [
            (Verb::Write, "config", config, "kubernetes/config-write"),
            (Verb::Write, "role/app", role, "kubernetes/role-write"),
            (
                Verb::Delete,
                "role/app",
                Value::Null,
                "kubernetes/role-delete",
            ),
        ],
    )
    .await;
    is_silent(&kubernetes, [("role/app", json!({}))]).await;

    let gcp = Bench::<Gcp>::new().await;
    let role = json!({"type": "gce", "bound_projects": "a"});
    tells(
        &gcp,
        [
            (Verb::Write, "role/app", role, "gcp/role-write"),
            (
                Verb::Write,
                "role/app/labels",
                json!({"add": ["a:b"]}),
                "gcp/role-write",
            ),
            (Verb::Delete, "role/app", Value::Null, "gcp/role-delete"),
            (Verb::Delete, "config", Value::Null, "gcp/config-delete"),
        ],
    )
    .await;
    is_silent(&gcp, [("role/app", json!({"type": MARK}))]).await;

    let aws = Bench::<Aws>::new().await;
    let client = json!({"access_key": "AKIAEXAMPLE", "secret_key": MARK});
    tells(
        &aws,
        [
            (Verb::Write, "config/client", client, "aws/config-write"),
            (
                Verb::Write,
                "config/identity",
                json!({"iam_alias": "role_id"}),
                "aws/config-write",
            ),
            (
                Verb::Delete,
                "config/client",
                Value::Null,
                "aws/config-delete",
            ),
        ],
    )
    .await;
    is_silent(&aws, [("role/app", json!({}))]).await;
}
