//! What is told of seals, keys, identities and second factors, and of what happens while a server is being sealed.

#![expect(clippy::unwrap_used, reason = "what fails in a test is a failed test")]

mod harness;

use coffer_crypto::otp::{OtpHash, one_time_password};
use coffer_kernel::events::catalogue;
use harness::otp::base32;
use harness::snapshots::{restore, save};
use harness::streams::{Stream, id, kind, said};
use harness::{Answer, Harness};
use serde_json::{Value, json};

const STANZA: &str = "seal \"shamir\" {\n  shares    = 1\n  threshold = 1\n}";

async fn all(h: &Harness) -> Stream {
    since(h, Value::Null).await
}

async fn since(h: &Harness, since: Value) -> Stream {
    let query = json!({ "namespaces": "*", "since": since });
    h.subscribe(&h.root, "*", query).await.unwrap()
}

async fn done(h: &Harness, path: &str, wish: Value) -> Answer {
    let answer = h.write(path, &h.root, wish).await;
    assert!(answer.status < 300, "{path}: {answer:?}");
    answer
}

/// The one event that comes next.
async fn only(stream: &mut Stream, wanted: &str) -> Value {
    let mut told = stream.events().await;
    assert_eq!(told.iter().map(kind).collect::<Vec<_>>(), [wanted]);
    assert!(catalogue::ALL.iter().any(|known| known.name == wanted));
    told.remove(0)
}

fn of<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.data()[name].as_str().unwrap()
}

#[tokio::test(start_paused = true)]
async fn sealing_and_unsealing_are_told() {
    let h = Harness::new().await;
    let mut stream = all(&h).await;
    h.policy("p", "path \"x\" { capabilities = [\"read\"] }")
        .await;
    let before = stream.event().await;
    done(&h, "sys/seal", json!({})).await;
    assert!(matches!(stream.cut().await, coffer_engine::Fault::Sealed));
    done(&h, "sys/unseal", json!({ "key": h.key })).await;
    let mut again = since(&h, json!(id(&before))).await;
    let told = again.events().await;
    let kinds: Vec<_> = told.iter().map(kind).collect();
    assert_eq!(kinds, [catalogue::SEAL, catalogue::UNSEAL]);
    assert_eq!(said(&told[0], "path"), "sys/seal-status");
}

#[tokio::test(start_paused = true)]
async fn what_happens_between_the_last_that_is_stored_and_sealing_is_told_as_a_gap() {
    let h = Harness::new().await;
    let mut stream = all(&h).await;
    h.kernel.keep_events(true).await;
    let sealed = stream.event().await;
    assert_eq!(kind(&sealed), catalogue::SEAL);
    h.policy("late", "path \"x\" { capabilities = [\"read\"] }")
        .await;
    // It got no number, or the next server would give that to something else.
    assert!(stream.events().await.is_empty());
    h.kernel.seal();
    for expected in [
        &[catalogue::EVENTS_GAP, catalogue::UNSEAL][..],
        &[catalogue::UNSEAL],
    ] {
        done(&h, "sys/unseal", json!({ "key": h.key })).await;
        let mut again = since(&h, json!("oldest")).await;
        let told = again.events().await;
        let last: Vec<_> = told[told.len() - expected.len()..]
            .iter()
            .map(kind)
            .collect();
        assert_eq!(last, expected);
        if expected.len() > 1 {
            assert_eq!(said(&told[told.len() - 2], "reason"), "seal");
        }
        h.kernel.keep_events(true).await;
        h.kernel.seal();
    }
}

#[tokio::test(start_paused = true)]
async fn new_unseal_keys_are_told_without_any_key() {
    let h = Harness::new().await;
    let mut stream = all(&h).await;
    let wish = json!({ "secret_shares": 1, "secret_threshold": 1 });
    let begun = done(&h, "sys/rekey/init", wish).await;
    let share = json!({ "key": h.key, "nonce": of(&begun, "nonce") });
    let changed = done(&h, "sys/rekey/update", share).await;
    let told = only(&mut stream, catalogue::REKEY).await;
    assert_eq!(said(&told, "path"), "sys/rekey");
    let key = changed.data()["keys"][0].as_str().unwrap();
    let text = told.to_string();
    assert!(!text.contains(key) && !text.contains(&h.key));
}

#[tokio::test(start_paused = true)]
async fn namespaces_with_a_seal_tell_of_it_around_them() {
    let h = Harness::new().await;
    let mut stream = all(&h).await;
    let made = done(&h, "sys/namespaces/vault", json!({ "seal": STANZA })).await;
    let shares = made.data()["key_shares"].to_string();
    let share = shares.split('"').find(|part| part.len() > 30).unwrap();
    only(&mut stream, catalogue::NAMESPACE_CREATE).await;
    for _ in 0..2 {
        done(&h, "sys/namespaces/vault/unseal", json!({ "key": share })).await;
        let told = only(&mut stream, catalogue::NAMESPACE_UNSEAL).await;
        assert_eq!(said(&told, "namespace_path"), "vault/");
        assert_eq!(told["data"]["namespace"], "");
        assert!(!told.to_string().contains(share));
        done(&h, "sys/namespaces/vault/seal", json!({})).await;
        only(&mut stream, catalogue::NAMESPACE_SEAL).await;
    }
}

#[tokio::test(start_paused = true)]
async fn aliases_and_mergers_of_identities_are_told() {
    let h = Harness::new().await;
    let accessor = h.enable_passport().await;
    let mut entities = Vec::new();
    for name in ["ann", "anna"] {
        let made = done(&h, "identity/entity", json!({ "name": name })).await;
        entities.push(of(&made, "id").to_owned());
    }
    let (to, from) = (&entities[0], &entities[1]);
    let mut stream = all(&h).await;
    let wish = json!({ "name": "ann@x", "mount_accessor": accessor, "canonical_id": from });
    let alias = done(&h, "identity/entity-alias", wish).await;
    let told = only(&mut stream, catalogue::ENTITY_ALIAS_WRITE).await;
    assert_eq!(said(&told, "entity_id"), from);
    let same = json!({ "name": "ann@x", "mount_accessor": accessor });
    done(&h, "identity/entity-alias", same).await;
    assert!(stream.events().await.is_empty(), "nothing was changed");
    let wish = json!({ "from_entity_ids": [from], "to_entity_id": to });
    done(&h, "identity/entity/merge", wish).await;
    let told = only(&mut stream, catalogue::ENTITY_MERGE).await;
    assert_eq!((said(&told, "id"), said(&told, "merged")), (&**to, &**from));
    let path = format!("identity/entity-alias/id/{}", of(&alias, "id"));
    h.delete(&path, &h.root).await;
    let told = only(&mut stream, catalogue::ENTITY_ALIAS_DELETE).await;
    assert_eq!(said(&told, "path"), path);
    let named = (said(&told, "name"), said(&told, "entity_id"));
    assert_eq!(named, ("ann@x", &**to), "after the merger");
    h.delete(&format!("identity/entity/id/{to}"), &h.root).await;
    let told = only(&mut stream, catalogue::ENTITY_DELETE).await;
    assert_eq!((said(&told, "id"), said(&told, "name")), (&**to, "ann"));
    let group = json!({ "name": "team", "type": "external" });
    let group = done(&h, "identity/group", group).await;
    only(&mut stream, catalogue::GROUP_WRITE).await;
    let wish =
        json!({ "name": "cn=team", "mount_accessor": accessor, "canonical_id": of(&group, "id") });
    let alias = done(&h, "identity/group-alias", wish).await;
    let told = only(&mut stream, catalogue::GROUP_ALIAS_WRITE).await;
    assert_eq!(said(&told, "group_id"), of(&group, "id"));
    let path = format!("identity/group-alias/id/{}", of(&alias, "id"));
    h.delete(&path, &h.root).await;
    let told = only(&mut stream, catalogue::GROUP_ALIAS_DELETE).await;
    let named = (said(&told, "name"), said(&told, "group_id"));
    assert_eq!(named, ("cn=team", of(&group, "id")));
    let path = format!("identity/group/id/{}", of(&group, "id"));
    h.delete(&path, &h.root).await;
    let told = only(&mut stream, catalogue::GROUP_DELETE).await;
    assert_eq!(said(&told, "name"), "team");
}

#[tokio::test(start_paused = true)]
async fn a_login_is_told_when_its_second_factor_has_come() {
    let h = Harness::new().await;
    let accessor = h.enable_passport().await;
    let ann = json!({ "name": "ann" });
    let login = h.write("auth/passport/login", "", ann.clone()).await;
    let entity = login.auth()["entity_id"].clone();
    let wish = json!({ "issuer": "the bank", "qr_size": 0, "method_name": "phone" });
    let method = done(&h, "identity/mfa/method/totp", wish).await;
    let method = of(&method, "method_id");
    let wish = json!({ "method_id": method, "entity_id": entity });
    let made = done(&h, "identity/mfa/method/totp/admin-generate", wish).await;
    let wish = json!({ "mfa_method_ids": [method], "auth_method_accessors": [accessor] });
    done(&h, "identity/mfa/login-enforcement/all", wish).await;
    let mut stream = all(&h).await;
    let waits = h.write("auth/passport/login", "", ann).await;
    let request = waits.auth()["mfa_requirement"]["mfa_request_id"].clone();
    assert!(request.is_string(), "{waits:?}");
    assert!(stream.events().await.is_empty(), "nobody is in yet");
    let validate = |code: String| {
        let wish = json!({ "mfa_request_id": request, "mfa_payload": { method: [code] } });
        h.write("sys/mfa/validate", "", wish)
    };
    assert_eq!(validate("000000".into()).await.status, 403);
    assert!(stream.events().await.is_empty(), "that was no factor");
    let secret = of(&made, "url").split_once("secret=").unwrap().1;
    let period = h.clock.now().secs() / 30;
    let code = one_time_password(&base32(secret), OtpHash::Sha1, period, 6);
    let login = validate(code.to_string()).await;
    assert_eq!(login.status, 200, "{login:?}");
    let told = stream.events().await;
    let kinds: Vec<_> = told.iter().map(kind).collect();
    assert_eq!(kinds, [catalogue::TOKEN_CREATE, catalogue::AUTH_LOGIN]);
    assert_eq!(said(&told[1], "accessor"), login.accessor());
    assert_eq!(said(&told[1], "path"), "auth/passport/login");
    assert!(!json!(told).to_string().contains(&login.token()));
}

#[tokio::test]
async fn a_restored_snapshot_begins_another_log() {
    let h = Harness::new().await;
    let mut stream = all(&h).await;
    let rules = "path \"x\" { capabilities = [\"read\"] }";
    h.policy("before", rules).await;
    let before = stream.event().await;
    let snapshot = save(&h).await;
    h.policy("after", rules).await;
    let restored = restore(&h, "sys/storage/raft/snapshot", &snapshot).await;
    assert_eq!(restored.status, 204, "{restored:?}");
    let query = json!({ "since": id(&before) });
    let refused = h.subscribe(&h.root, "*", query).await.err().unwrap();
    assert!(refused.to_string().contains("another log"), "{refused}");
    let mut again = since(&h, json!("oldest")).await;
    let first = again.event().await;
    assert_eq!(kind(&first), catalogue::UNSEAL);
    assert_ne!(id(&first), id(&before));
}
