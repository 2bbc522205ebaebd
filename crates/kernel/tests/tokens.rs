//! `auth/token/`: creating tokens, as the reference answers.

mod harness;

use std::time::Duration;

use harness::Harness;
use serde_json::json;

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

#[tokio::test(start_paused = true)]
async fn lifetimes_of_new_tokens() {
    let h = server().await;
    for (wish, secs, renewable, warning) in [
        (json!({ "policies": ["maker"] }), 2_764_800, true, ""),
        (json!({ "policies": ["maker"], "ttl": 120 }), 120, true, ""),
        (
            json!({ "policies": ["maker"], "lease": "2m" }),
            120,
            true,
            "",
        ),
        (
            json!({ "policies": ["maker"], "ttl": "5m", "renewable": false }),
            300,
            false,
            "",
        ),
        (
            json!({ "policies": ["maker"], "ttl": "1h", "explicit_max_ttl": "10m" }),
            600,
            true,
            "TTL of \"1h\" exceeded the effective max_ttl of \"10m\"; TTL value is capped accordingly",
        ),
        (
            json!({ "policies": ["maker"], "ttl": "999999h" }),
            2_764_800,
            true,
            "TTL of \"999999h\" exceeded the effective max_ttl of \"768h\"; TTL value is capped accordingly",
        ),
        (
            json!({ "policies": ["maker"], "period": "9999h" }),
            2_764_800,
            true,
            "period of \"9999h\" exceeded the effective max_ttl of \"768h\"; period value is capped accordingly",
        ),
        (json!({}), 0, false, ""),
        (json!({ "policies": ["root"], "ttl": "1h" }), 3600, true, ""),
        (json!({ "explicit_max_ttl": "1h" }), 3600, true, ""),
        (json!({ "period": "1h" }), 3600, true, ""),
    ] {
        let made = h.create(&h.root, wish.clone()).await;
        assert_eq!(made.auth()["lease_duration"], json!(secs), "{wish}");
        assert_eq!(made.auth()["renewable"], json!(renewable), "{wish}");
        assert_eq!(
            made.warnings().first().map_or("", String::as_str),
            warning,
            "{wish}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn policies_of_new_tokens() {
    let h = server().await;
    let weak = h
        .create(&h.root, json!({ "policies": ["maker"] }))
        .await
        .token();
    let bare = h
        .create(
            &h.root,
            json!({ "policies": ["maker"], "no_default_policy": true }),
        )
        .await
        .token();
    let chief = h
        .create(&h.root, json!({ "policies": ["chief"] }))
        .await
        .token();
    for (by, wish, policies) in [
        (&h.root, json!({}), json!(["root"])),
        (
            &h.root,
            json!({ "policies": "a,b" }),
            json!(["a,b", "default"]),
        ),
        (
            &h.root,
            json!({ "policies": [" B ", "a", "b", ""] }),
            json!(["a", "b", "default"]),
        ),
        (&weak, json!({}), json!(["default", "maker"])),
        (
            &weak,
            json!({ "policies": ["default"] }),
            json!(["default"]),
        ),
        (
            &weak,
            json!({ "policies": ["MAKER"] }),
            json!(["default", "maker"]),
        ),
        (
            &weak,
            json!({ "policies": ["maker"], "no_default_policy": true }),
            json!(["maker"]),
        ),
        (
            &weak,
            json!({ "no_default_policy": true }),
            json!(["maker"]),
        ),
        (&bare, json!({}), json!(["maker"])),
        (&bare, json!({ "policies": ["maker"] }), json!(["maker"])),
        (
            &chief,
            json!({ "policies": ["x"] }),
            json!(["default", "x"]),
        ),
    ] {
        let made = h.create(by, wish.clone()).await;
        assert_eq!(made.auth()["policies"], policies, "{wish}");
    }
    let made = h
        .create(&h.root, json!({ "policies": ["maker", "x", "y"] }))
        .await;
    assert_eq!(
        made.warnings(),
        ["Policy \"x\" does not exist", "Policy \"y\" does not exist"]
    );
    for (by, wish, error) in [
        (
            &weak,
            json!({ "policies": ["maker", "other"] }),
            "child policies must be subset of parent",
        ),
        (
            &weak,
            json!({ "policies": ["root"] }),
            "child policies must be subset of parent",
        ),
        (
            &bare,
            json!({ "policies": ["maker", "default"] }),
            "child policies must be subset of parent",
        ),
        (
            &chief,
            json!({ "policies": ["root"] }),
            "root tokens may not be created without parent token being root",
        ),
        (
            &h.root,
            json!({ "policies": ["response-wrapping"] }),
            "cannot assign policy \"response-wrapping\"",
        ),
    ] {
        refused(&h, by, wish, error).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_wished() {
    let h = server().await;
    let weak = h
        .create(&h.root, json!({ "policies": ["maker"] }))
        .await
        .token();
    let chief = h
        .create(&h.root, json!({ "policies": ["chief"] }))
        .await
        .token();
    let few = h
        .create(&h.root, json!({ "policies": ["maker"], "num_uses": 3 }))
        .await
        .token();
    let ending = h
        .create(&h.root, json!({ "policies": ["root"], "ttl": "1h" }))
        .await
        .token();
    for (by, wish, error) in [
        (
            &weak,
            json!({ "no_parent": true }),
            "root or sudo privileges required to create orphan token",
        ),
        (
            &weak,
            json!({ "id": "wish" }),
            "root or sudo privileges required to specify token id",
        ),
        (
            &weak,
            json!({ "period": "5m" }),
            "root or sudo privileges required to create periodic token",
        ),
        (
            &few,
            json!({}),
            "restricted use token cannot generate child tokens",
        ),
        (
            &ending,
            json!({}),
            "expiring root tokens cannot create non-expiring root tokens",
        ),
        (
            &h.root,
            json!({ "num_uses": -1 }),
            "number of uses cannot be negative",
        ),
        (
            &h.root,
            json!({ "type": "odd" }),
            "invalid 'token_type' value",
        ),
        (
            &h.root,
            json!({ "type": "batch" }),
            "batch tokens cannot be root tokens",
        ),
        (
            &h.root,
            json!({ "type": "batch", "policies": "a", "period": "5m" }),
            "batch tokens cannot have \"period\" set",
        ),
        (
            &h.root,
            json!({ "type": "batch", "policies": "a", "num_uses": 2 }),
            "batch tokens cannot have \"num_uses\" set",
        ),
        (
            &h.root,
            json!({ "type": "batch", "policies": "a", "explicit_max_ttl": 60 }),
            "batch tokens cannot have \"explicit_max_ttl\" set",
        ),
        (
            &h.root,
            json!({ "entity_alias": "bob" }),
            "'entity_alias' is only allowed in combination with token role",
        ),
        (
            &h.root,
            json!({ "id": "s.mine" }),
            "custom token ID cannot have the 's.' prefix",
        ),
        (
            &h.root,
            json!({ "id": "hvs.mine" }),
            "custom token ID cannot have the 'hvs.' prefix",
        ),
        (
            &h.root,
            json!({ "id": "hvb.mine" }),
            "custom token ID cannot have a '.' in the value",
        ),
    ] {
        refused(&h, by, wish, error).await;
    }
    for wish in [
        json!({ "ttl": "soon" }),
        json!({ "ttl": "-5m" }),
        json!({ "meta": 5 }),
        json!({ "num_uses": "many" }),
        json!({ "policies": {} }),
        json!({ "id": "a\nb" }),
    ] {
        assert_eq!(
            h.write("auth/token/create", &h.root, wish.clone())
                .await
                .status,
            400,
            "{wish}"
        );
    }
    let odd = h.create(&h.root, json!({ "colour": "red" })).await;
    assert_eq!(
        odd.warnings(),
        ["Endpoint ignored these unrecognized parameters: [colour]"]
    );
    for wish in [
        json!({ "no_parent": true }),
        json!({ "id": "my-own" }),
        json!({ "period": "5m" }),
    ] {
        h.create(&chief, wish).await;
    }
    assert!(h.lives("my-own").await);
    refused(
        &h,
        &chief,
        json!({ "id": "my-own" }),
        "cannot create a token with a duplicate ID",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn orphans() {
    let h = server().await;
    let weak = h
        .create(&h.root, json!({ "policies": ["maker"] }))
        .await
        .token();
    let orphan = h
        .write("auth/token/create-orphan", &weak, json!({ "ttl": "5m" }))
        .await;
    assert_eq!(orphan.auth()["orphan"], true);
    assert_eq!(
        h.read("auth/token/lookup-self", &orphan.token())
            .await
            .data()["path"],
        "auth/token/create-orphan"
    );
    let cut_off = h
        .create(&h.root, json!({ "policies": ["maker"], "no_parent": true }))
        .await;
    assert_eq!(cut_off.auth()["orphan"], true);
    assert_eq!(
        h.write("auth/token/revoke", &h.root, json!({ "token": weak }))
            .await
            .status,
        204
    );
    assert!(h.lives(&orphan.token()).await && h.lives(&cut_off.token()).await);
}

#[tokio::test(start_paused = true)]
async fn batch_tokens() {
    let h = server().await;
    let parent = h
        .create(&h.root, json!({ "policies": ["maker"], "ttl": "1h" }))
        .await;
    let batch = h
        .create(&parent.token(), json!({ "type": "batch", "ttl": "5m" }))
        .await;
    assert_eq!(
        (batch.accessor(), &batch.auth()["renewable"]),
        (String::new(), &json!(false))
    );
    let token = batch.token();
    let shown = h.read("auth/token/lookup-self", &token).await;
    assert_eq!(
        (&shown.data()["type"], &shown.data()["ttl"]),
        (&json!("batch"), &json!(300))
    );
    for (path, by, body, error) in [
        (
            "auth/token/renew",
            &h.root,
            json!({ "token": token }),
            "batch tokens cannot be renewed",
        ),
        (
            "auth/token/renew-self",
            &token,
            json!({}),
            "batch tokens cannot be renewed",
        ),
        (
            "auth/token/revoke",
            &h.root,
            json!({ "token": token }),
            "batch tokens cannot be revoked",
        ),
        (
            "auth/token/revoke-self",
            &token,
            json!({}),
            "batch tokens cannot be revoked",
        ),
        (
            "auth/token/revoke-orphan",
            &h.root,
            json!({ "token": token }),
            "batch tokens cannot be revoked",
        ),
        (
            "auth/token/create",
            &token,
            json!({}),
            "batch tokens cannot create more tokens",
        ),
    ] {
        let answer = h.write(path, by, body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (400, error),
            "{path}"
        );
    }
    let middle = token.len() / 2;
    let other = if token[middle..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    let tampered = format!("{}{other}{}", &token[..middle], &token[middle + 1..]);
    assert!(!h.lives(&tampered).await);
    h.write(
        "auth/token/revoke",
        &h.root,
        json!({ "token": parent.token() }),
    )
    .await;
    assert!(!h.lives(&token).await);
}

#[tokio::test(start_paused = true)]
async fn a_batch_token_ends_by_itself_and_with_its_parent() {
    let h = server().await;
    let long = h
        .create(
            &h.root,
            json!({ "policies": ["maker"], "type": "batch", "ttl": "2h" }),
        )
        .await
        .token();
    let parent = h
        .create(&h.root, json!({ "policies": ["maker"], "ttl": "1h" }))
        .await
        .token();
    let short = h
        .create(&parent, json!({ "type": "batch", "ttl": "2h" }))
        .await
        .token();
    h.clock.advance(HOUR);
    assert!(
        !h.lives(&short).await,
        "its parent is over, whether the worker came or not"
    );
    assert!(h.lives(&long).await);
    h.clock.advance(HOUR);
    assert!(!h.lives(&long).await);
}

async fn refused(h: &Harness, by: &str, wish: serde_json::Value, error: &str) {
    let answer = h.write("auth/token/create", by, wish.clone()).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (400, error),
        "{wish}"
    );
}
