//! `auth/token/`: creating, looking up, renewing and revoking, as the reference answers.

mod harness;

use std::time::Duration;

use coffer_wire::Verb;
use harness::Harness;
use serde_json::{Value, json};

const HOUR: Duration = Duration::from_secs(3600);

const MAKER: &str = r#"
path "auth/token/create" { capabilities = ["create", "update"] }
path "auth/token/create/*" { capabilities = ["create", "update"] }
path "auth/token/create-orphan" { capabilities = ["create", "update"] }
"#;
const CHIEF: &str = r#"path "auth/token/create*" { capabilities = ["update", "sudo"] }"#;

async fn server() -> Harness {
    let harness = Harness::new().await;
    harness.policy("maker", MAKER).await;
    harness.policy("chief", CHIEF).await;
    harness
}

#[tokio::test(start_paused = true)]
async fn what_a_token_is_made_of() {
    let h = server().await;
    let wish = json!({ "policies": ["maker"], "ttl": "1h", "display_name": "Ann B", "meta": { "team": "a" } });
    let made = h.create(&h.root, wish).await;
    let auth = made.auth();
    assert_eq!(auth["policies"], json!(["default", "maker"]));
    assert_eq!(auth["token_policies"], auth["policies"]);
    assert_eq!(auth["metadata"], json!({ "team": "a" }));
    assert_eq!(
        (&auth["lease_duration"], &auth["renewable"]),
        (&json!(3600), &json!(true))
    );
    assert_eq!(
        (&auth["token_type"], &auth["orphan"]),
        (&json!("service"), &json!(false))
    );
    assert_eq!(made.accessor().len(), 24);
    assert!(made.warnings().is_empty());

    let shown = h
        .write(
            "auth/token/lookup",
            &h.root,
            json!({ "token": made.token() }),
        )
        .await;
    let data = shown.data();
    assert_eq!(data["id"], json!(made.token()));
    assert_eq!(data["display_name"], "token-Ann-B");
    assert_eq!(data["path"], "auth/token/create");
    assert_eq!(
        (&data["creation_ttl"], &data["ttl"]),
        (&json!(3600), &json!(3600))
    );
    assert_eq!(
        (&data["type"], &data["num_uses"]),
        (&json!("service"), &json!(0))
    );
    assert_eq!(data["meta"], json!({ "team": "a" }));
    for absent in ["period", "role", "bound_cidrs", "last_renewal"] {
        assert!(data.get(absent).is_none(), "{absent}");
    }
    let same = h.read("auth/token/lookup-self", &made.token()).await;
    assert_eq!(same.data(), data);
    let by_accessor = h
        .write(
            "auth/token/lookup-accessor",
            &h.root,
            json!({ "accessor": made.accessor() }),
        )
        .await;
    assert_eq!(by_accessor.data()["id"], "");
    assert_eq!(by_accessor.data()["accessor"], json!(made.accessor()));
}
