//! Second factors: which logins need one, and codes that are good once.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::otp::{OtpHash, one_time_password};
use coffer_wire::Verb;
use harness::faulty::Faulty;
use harness::otp::base32;
use harness::{Answer, Harness};
use serde_json::{Value, json};

const LOGIN: &str = "auth/passport/login";
const VALIDATE: &str = "sys/mfa/validate";
const WRONG: &str = "MFA credentials not supplied or incorrect";

/// A server where Ann has a device, and what is enforced is up to the test.
struct Bank {
    h: Harness,
    accessor: String,
    ann: String,
    method: String,
    key: Vec<u8>,
}

impl Bank {
    async fn open() -> Self {
        Self::over(Harness::new().await).await
    }

    async fn over(h: Harness) -> Self {
        let accessor = h.enable_passport().await;
        let login = h.write(LOGIN, "", json!({ "name": "ann" })).await;
        let ann = login.auth()["entity_id"].as_str().unwrap().to_owned();
        let method = method(&h, json!({ "method_name": "phone" })).await;
        let key = secret(&h, &method, &ann).await;
        Self {
            h,
            accessor,
            ann,
            method,
            key,
        }
    }

    async fn enforced() -> Self {
        Self::enforced_over(Harness::new().await).await
    }

    async fn enforced_over(h: Harness) -> Self {
        let bank = Self::over(h).await;
        let wish = json!({ "auth_method_accessors": [bank.accessor] });
        bank.enforce("all", wish).await;
        bank
    }

    async fn enforce(&self, name: &str, wish: Value) {
        let mut wish = wish;
        if wish.get("mfa_method_ids").is_none() {
            wish["mfa_method_ids"] = json!([self.method]);
        }
        let path = format!("identity/mfa/login-enforcement/{name}");
        let done = self.h.write(&path, &self.h.root, wish).await;
        assert_eq!(done.status, 204, "{done:?}");
    }

    async fn login(&self, name: &str) -> Answer {
        self.h
            .write(LOGIN, "", json!({ "name": name, "policies": ["p"] }))
            .await
    }

    /// The request id of a login of Ann that waits.
    async fn waiting(&self) -> String {
        let login = self.login("ann").await;
        let id = login.auth()["mfa_requirement"]["mfa_request_id"].as_str();
        id.unwrap_or_else(|| panic!("it does not wait: {login:?}"))
            .to_owned()
    }

    async fn validate(&self, id: &str, payload: Value) -> Answer {
        let wish = json!({ "mfa_request_id": id, "mfa_payload": payload });
        self.h.write(VALIDATE, "", wish).await
    }

    async fn send(&self, id: &str, code: &str) -> Answer {
        self.validate(id, json!({ &self.method: [code] })).await
    }

    /// The code that Ann's device shows so many periods from now.
    fn code(&self, periods: i64) -> String {
        code_of(&self.h, &self.key, periods)
    }

    /// Logs in with codes in the header.
    async fn at_once(&self, headers: &[&str]) -> Answer {
        let headers: Vec<String> = headers.iter().map(|text| (*text).to_owned()).collect();
        let add = |request: &mut coffer_kernel::Request| {
            request.headers.insert("x-vault-mfa".into(), headers);
        };
        let wish = json!({ "name": "ann" });
        self.h.request_with(Verb::Write, LOGIN, "", wish, add).await
    }
}

fn code_of(h: &Harness, key: &[u8], periods: i64) -> String {
    let now = h.clock.now().secs() / 30;
    let period = now.checked_add_signed(periods).unwrap();
    one_time_password(key, OtpHash::Sha1, period, 6).to_string()
}

async fn method(h: &Harness, over: Value) -> String {
    let mut wish = json!({ "issuer": "the bank", "qr_size": 0 });
    for (name, value) in over.as_object().unwrap() {
        wish[name] = value.clone();
    }
    let made = h.write("identity/mfa/method/totp", &h.root, wish).await;
    assert_eq!(made.status, 200, "{made:?}");
    made.data()["method_id"].as_str().unwrap().to_owned()
}

async fn secret(h: &Harness, method: &str, entity: &str) -> Vec<u8> {
    let wish = json!({ "method_id": method, "entity_id": entity });
    let made = h
        .write("identity/mfa/method/totp/admin-generate", &h.root, wish)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    let url = made.data()["url"].as_str().unwrap();
    base32(url.split_once("secret=").unwrap().1)
}

#[tokio::test(start_paused = true)]
async fn a_login_waits_for_its_code_and_then_is_what_it_would_have_been() {
    let bank = Bank::enforced().await;
    let login = bank.login("ann").await;
    assert_eq!(login.status, 200);
    let auth = login.auth();
    assert_eq!(
        (login.token(), login.accessor()),
        (String::new(), String::new())
    );
    assert_eq!(
        auth["mfa_requirement"]["mfa_constraints"],
        json!({ "all": { "any": [{ "type": "totp", "id": bank.method, "uses_passcode": true, "name": "phone" }] } })
    );
    assert!(login.warnings()[0].contains("sys/mfa/validate"));
    let id = auth["mfa_requirement"]["mfa_request_id"].as_str().unwrap();

    let wrong = bank.send(id, "000000").await;
    assert_eq!(wrong.status, 403);
    assert!(
        wrong
            .error()
            .starts_with("failed to satisfy enforcement all: ")
            && wrong.error().ends_with(WRONG)
    );
    let done = bank.send(id, &bank.code(0)).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.auth()["entity_id"], json!(bank.ann));
    assert_eq!(done.auth()["policies"], json!(["default", "p"]));
    assert!(bank.h.lives(&done.token()).await);
    let seen = bank.h.read("auth/token/lookup-self", &done.token()).await;
    assert_eq!(
        (&seen.data()["path"], &seen.data()["display_name"]),
        (&json!(LOGIN), &json!("passport-ann"))
    );
    let again = bank.send(id, &bank.code(1)).await;
    assert_eq!(
        (again.status, again.error()),
        (400, "invalid request ID".into())
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_comes_in_the_header_too() {
    let bank = Bank::enforced().await;
    for bad in [
        "",
        "x:000000",
        &bank.method,
        &format!("{}:000000", bank.method),
    ] {
        let refused = bank.at_once(&[bad]).await;
        assert_eq!(
            (refused.status, refused.error()),
            (403, "permission denied".into()),
            "{bad}"
        );
    }
    let by_id = format!("{}:{}", bank.method, bank.code(0));
    let done = bank.at_once(&[&by_id]).await;
    assert!(bank.h.lives(&done.token()).await, "{done:?}");
    assert_eq!(bank.at_once(&[&by_id]).await.status, 403, "it is used up");
    let by_name = format!("phone:passcode={}", bank.code(1));
    assert!(bank.h.lives(&bank.at_once(&[&by_name]).await.token()).await);
}

#[tokio::test(start_paused = true)]
async fn a_used_code_stays_used_after_a_crash() {
    let store = Faulty::new();
    let bank = Bank::enforced_over(Harness::over(Arc::clone(&store) as _).await).await;
    let (used, second) = (bank.waiting().await, bank.waiting().await);
    let code = bank.code(0);
    assert_eq!(bank.send(&used, &code).await.status, 200);
    let h = bank
        .h
        .restarted(Harness::settings(), store.survivor())
        .await;
    let bank = Bank { h, ..bank };
    assert_eq!(
        bank.send(&used, &bank.code(1)).await.status,
        400,
        "the login was completed"
    );
    assert_eq!(
        bank.send(&second, &code).await.status,
        403,
        "the code was used"
    );
    assert_eq!(
        bank.send(&second, &bank.code(1)).await.status,
        200,
        "the other login still waits"
    );
}

#[tokio::test(start_paused = true)]
async fn of_many_who_send_one_code_at_once_one_gets_in() {
    for seed in 0..20 {
        let bank = Bank::enforced_over(Harness::restless(seed).await).await;
        let (one, other) = (bank.waiting().await, bank.waiting().await);
        let code = bank.code(0);
        let (a, b, c) = tokio::join!(
            bank.send(&one, &code),
            bank.send(&one, &code),
            bank.send(&other, &code)
        );
        let won = [&a, &b, &c]
            .iter()
            .filter(|answer| answer.status == 200)
            .count();
        assert_eq!(won, 1, "seed {seed}: {a:?} {b:?} {c:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_codes_for_one_login_one_completes_it() {
    for seed in 0..10 {
        let bank = Bank::enforced_over(Harness::restless(seed).await).await;
        let id = bank.waiting().await;
        let (now, next) = (bank.code(0), bank.code(1));
        let (a, b) = tokio::join!(bank.send(&id, &now), bank.send(&id, &next));
        let won = [&a, &b]
            .iter()
            .filter(|answer| answer.status == 200)
            .count();
        assert_eq!(won, 1, "seed {seed}: {a:?} {b:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn wrong_codes_lock_out_over_a_restart() {
    let store = Faulty::new();
    let bank = Bank::enforced_over(Harness::over(Arc::clone(&store) as _).await).await;
    let id = bank.waiting().await;
    for _ in 0..5 {
        assert!(bank.send(&id, "000000").await.error().ends_with(WRONG));
    }
    let locked = bank.send(&id, &bank.code(0)).await;
    assert!(
        locked.status == 403 && locked.error().contains("try again in 31 seconds"),
        "{locked:?}"
    );
    let in_header = bank.at_once(&[&format!("phone:{}", bank.code(0))]).await;
    assert_eq!(
        (in_header.status, in_header.error()),
        (403, "permission denied".into())
    );
    let h = bank
        .h
        .restarted(Harness::settings(), store.survivor())
        .await;
    let bank = Bank { h, ..bank };
    let locked = bank.send(&id, &bank.code(0)).await;
    assert!(locked.error().contains("try again"), "{locked:?}");
    bank.h.clock.advance(Duration::from_secs(30));
    assert_eq!(bank.send(&id, &bank.code(0)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_operator_lets_somebody_start_anew() {
    let bank = Bank::enforced().await;
    let id = bank.waiting().await;
    for _ in 0..6 {
        bank.send(&id, "000000").await;
    }
    let destroy = json!({ "method_id": bank.method, "entity_id": bank.ann });
    let path = "identity/mfa/method/totp/admin-destroy";
    for _ in 0..2 {
        assert_eq!(
            bank.h
                .write(path, &bank.h.root, destroy.clone())
                .await
                .status,
            204
        );
    }
    let old = bank.code(0);
    assert!(bank.send(&id, &old).await.error().ends_with(WRONG));
    let key = secret(&bank.h, &bank.method, &bank.ann).await;
    assert_ne!(key, bank.key);
    assert_eq!(bank.send(&id, &code_of(&bank.h, &key, 0)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn who_has_no_device_is_told_nothing_else_than_who_mistypes() {
    let bank = Bank::enforced().await;
    let login = bank.login("bob").await;
    let id = login.auth()["mfa_requirement"]["mfa_request_id"]
        .as_str()
        .unwrap();
    let without = bank.send(id, "000000").await;
    let with = bank.send(&bank.waiting().await, "000000").await;
    assert_eq!(without.json, with.json);
}

#[tokio::test(start_paused = true)]
async fn logins_are_named_by_mount_type_group_or_entity() {
    let bank = Bank::open().await;
    let group = json!({ "name": "staff", "member_entity_ids": [bank.ann] });
    let inner = bank
        .h
        .write("identity/group", &bank.h.root, group)
        .await
        .data()["id"]
        .clone();
    let group = json!({ "name": "everybody", "member_group_ids": [inner] });
    let outer = bank
        .h
        .write("identity/group", &bank.h.root, group)
        .await
        .data()["id"]
        .clone();
    let waits = |login: Answer| !login.auth()["mfa_requirement"].is_null();
    for (wish, ann, bob) in [
        (
            json!({ "auth_method_accessors": [bank.accessor] }),
            true,
            true,
        ),
        (json!({ "auth_method_types": ["passport"] }), true, true),
        (json!({ "auth_method_types": ["token"] }), false, false),
        (json!({ "identity_entity_ids": [bank.ann] }), true, false),
        (json!({ "identity_group_ids": [inner] }), true, false),
        (json!({ "identity_group_ids": [outer] }), true, false),
    ] {
        bank.enforce("some", wish.clone()).await;
        assert_eq!(waits(bank.login("ann").await), ann, "{wish}");
        assert_eq!(waits(bank.login("bob").await), bob, "{wish}");
        let path = "identity/mfa/login-enforcement/some";
        assert_eq!(bank.h.delete(path, &bank.h.root).await.status, 204);
    }
    assert!(!waits(bank.login("ann").await));
}

#[tokio::test(start_paused = true)]
async fn every_enforcement_is_satisfied_by_one_of_its_methods() {
    let bank = Bank::open().await;
    let second = method(
        &bank.h,
        json!({ "method_name": "watch", "digits": 8, "algorithm": "SHA512" }),
    )
    .await;
    bank.enforce(
        "either",
        json!({ "mfa_method_ids": [second, bank.method], "auth_method_types": "passport" }),
    )
    .await;
    bank.enforce("phone", json!({ "auth_method_types": "passport" }))
        .await;
    let id = bank.waiting().await;
    let none = bank.validate(&id, json!({})).await;
    assert!(
        none.status == 403 && none.error().contains("no code was sent"),
        "{none:?}"
    );
    let other = bank.validate(&id, json!({ &second: ["00000000"] })).await;
    assert!(
        other
            .error()
            .starts_with("failed to satisfy enforcement either"),
        "{other:?}"
    );
    // One code does for both, though it is looked at once.
    let done = bank.validate(&id, json!({ "phone": [bank.code(0)] })).await;
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn payloads_of_another_form_are_refused() {
    let bank = Bank::enforced().await;
    let id = bank.waiting().await;
    for (wish, said) in [
        (json!({}), "missing request ID"),
        (json!({ "mfa_payload": {} }), "missing request ID"),
        (
            json!({ "mfa_request_id": "x", "mfa_payload": {} }),
            "invalid request ID",
        ),
        (
            json!({ "mfa_request_id": "a/../b", "mfa_payload": {} }),
            "invalid request ID",
        ),
        (
            json!({ "mfa_request_id": id, "mfa_payload": 5 }),
            "invalid mfa payload",
        ),
        (
            json!({ "mfa_request_id": id, "mfa_payload": { "phone": "1" } }),
            "invalid mfa payload",
        ),
    ] {
        let refused = bank.h.write(VALIDATE, "", wish.clone()).await;
        assert_eq!(
            (refused.status, refused.error()),
            (400, said.into()),
            "{wish}"
        );
    }
    for payload in [
        json!({ "phone": [] }),
        json!({ "phone": null }),
        json!({ "phone": ["1", "2"] }),
    ] {
        assert_eq!(bank.validate(&id, payload).await.status, 403);
    }
    // None of that was an attempt: the right code is still looked at.
    for _ in 0..10 {
        bank.validate(&id, json!({ "phone": [] })).await;
    }
    assert_eq!(bank.send(&id, &bank.code(0)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_login_waits_for_five_minutes_and_only_a_few_of_one_person_do() {
    let bank = Bank::enforced().await;
    let old = bank.waiting().await;
    bank.h.clock.advance(Duration::from_secs(300));
    assert_eq!(
        bank.send(&old, &bank.code(0)).await.error(),
        "invalid request ID"
    );
    let first = bank.waiting().await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        bank.h.clock.advance(Duration::from_millis(10));
        ids.push(bank.waiting().await);
    }
    assert_eq!(
        bank.send(&first, &bank.code(0)).await.error(),
        "invalid request ID"
    );
    assert_eq!(bank.send(&ids[0], &bank.code(0)).await.status, 200);
    bank.h.advance(Duration::from_secs(301)).await;
    let view = bank.h.open().barrier.view("sys/mfa/pending/");
    assert!(view.scan_paths("", None, 10).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_enforced_at_the_second_half_counts() {
    let bank = Bank::enforced().await;
    let (free, more) = (bank.waiting().await, bank.waiting().await);
    let second = method(&bank.h, json!({})).await;
    bank.enforce(
        "late",
        json!({ "mfa_method_ids": [second], "auth_method_types": "passport" }),
    )
    .await;
    let refused = bank.send(&more, &bank.code(0)).await;
    assert!(
        refused
            .error()
            .starts_with("failed to satisfy enforcement late"),
        "{refused:?}"
    );
    for name in ["late", "all"] {
        bank.h
            .delete(
                &format!("identity/mfa/login-enforcement/{name}"),
                &bank.h.root,
            )
            .await;
    }
    assert_eq!(bank.validate(&free, json!({})).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn who_is_disabled_or_gone_meanwhile_does_not_get_in() {
    let bank = Bank::enforced().await;
    let (one, other) = (bank.waiting().await, bank.waiting().await);
    let entity = format!("identity/entity/id/{}", bank.ann);
    bank.h
        .write(&entity, &bank.h.root, json!({ "disabled": true }))
        .await;
    assert_eq!(bank.send(&one, &bank.code(0)).await.status, 403);
    bank.h.delete(&entity, &bank.h.root).await;
    assert_eq!(bank.send(&other, &bank.code(0)).await.status, 400);
    let view = bank.h.open().barrier.view("sys/mfa/");
    let left = view.scan_paths("seat/", None, 10).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn whom_the_method_has_removed_meanwhile_does_not_get_in() {
    let bank = Bank::enforced().await;
    let person = "auth/passport/people/ann";
    bank.h.write(person, &bank.h.root, json!({})).await;
    let (one, other) = (bank.waiting().await, bank.waiting().await);
    let gone = |gone: bool| json!({ "gone": gone });
    bank.h.write(person, &bank.h.root, gone(true)).await;
    assert_eq!(bank.send(&one, &bank.code(0)).await.status, 400);
    bank.h.write(person, &bank.h.root, gone(false)).await;
    assert_eq!(bank.send(&other, &bank.code(1)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_mount_that_is_disabled_meanwhile_lets_nobody_in() {
    let bank = Bank::enforced().await;
    let id = bank.waiting().await;
    assert_eq!(
        bank.h
            .delete("sys/auth/passport", &bank.h.root)
            .await
            .status,
        204
    );
    assert_eq!(
        bank.send(&id, &bank.code(0)).await.error(),
        "invalid request ID"
    );
}

#[tokio::test(start_paused = true)]
async fn a_login_without_an_entity_is_no_way_around() {
    let bank = Bank::enforced().await;
    let refused = bank.h.write(LOGIN, "", json!({})).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let batch = bank
        .h
        .write(LOGIN, "", json!({ "name": "ann", "batch": true }))
        .await;
    let id = batch.auth()["mfa_requirement"]["mfa_request_id"]
        .as_str()
        .unwrap();
    let done = bank.send(id, &bank.code(0)).await;
    assert_eq!(done.auth()["token_type"], "batch", "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn who_is_logged_in_makes_a_secret_once() {
    let bank = Bank::open().await;
    let path = "identity/mfa/method/totp/generate";
    bank.h
        .policy(
            "p",
            &format!("path \"{path}\" {{ capabilities = [\"update\"] }}"),
        )
        .await;
    let bob = bank.login("bob").await;
    let wish = json!({ "method_id": bank.method });
    let made = bank.h.write(path, &bob.token(), wish.clone()).await;
    let url = made.data()["url"].as_str().unwrap().to_owned();
    let entity = bob.auth()["entity_id"].as_str().unwrap();
    let head = format!(
        "otpauth://totp/the%20bank:{entity}?algorithm=SHA1&digits=6&issuer=the%20bank&period=30&secret="
    );
    assert!(url.starts_with(&head), "{url}");
    let again = bank.h.write(path, &bob.token(), wish.clone()).await;
    assert!(
        again.warnings()[0].contains("already has a secret") && again.data().is_null(),
        "{again:?}"
    );
    let nobody = bank.h.write(path, &bank.h.root, wish).await;
    assert_eq!(
        (nobody.status, nobody.error()),
        (400, "missing entityID".into())
    );
}

#[tokio::test(start_paused = true)]
async fn of_two_who_make_a_secret_at_once_one_has_it() {
    for seed in 0..10 {
        let bank = Bank::over(Harness::restless(seed).await).await;
        let bob = bank.login("bob").await.auth()["entity_id"].clone();
        let wish = json!({ "method_id": bank.method, "entity_id": bob });
        let path = "identity/mfa/method/totp/admin-generate";
        let make = || bank.h.write(path, &bank.h.root, wish.clone());
        let (a, b) = tokio::join!(make(), make());
        assert_ne!(
            a.data().is_null(),
            b.data().is_null(),
            "seed {seed}: {a:?} {b:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_picture_shows_the_secret() {
    let bank = Bank::open().await;
    let method = method(&bank.h, json!({ "qr_size": 200 })).await;
    let wish = json!({ "method_id": method, "entity_id": bank.ann });
    let path = "identity/mfa/method/totp/admin-generate";
    let made = bank.h.write(path, &bank.h.root, wish).await;
    let picture = made.data()["barcode"].as_str().unwrap();
    assert!(picture.starts_with("iVBORw0KGgo"), "{picture}");
}

#[tokio::test(start_paused = true)]
async fn methods_are_checked_when_they_are_made() {
    let bank = Bank::open().await;
    let path = "identity/mfa/method/totp";
    for (wish, said) in [
        (json!({}), "issuer must be set"),
        (
            json!({ "issuer": "i", "digits": 7 }),
            "digits can only be 6 or 8",
        ),
        (json!({ "issuer": "i", "skew": 2 }), "skew must be 0 or 1"),
        (json!({ "issuer": "i", "skew": -1 }), "skew must be 0 or 1"),
        (
            json!({ "issuer": "i", "algorithm": "MD5" }),
            "unrecognized algorithm",
        ),
        (
            json!({ "issuer": "i", "period": 0 }),
            "period must be greater than zero",
        ),
        (
            json!({ "issuer": "i", "key_size": 0 }),
            "key_size must be greater than zero",
        ),
        (
            json!({ "issuer": "i", "key_size": 8 }),
            "key_size must be 16 to 128 bytes",
        ),
        (
            json!({ "issuer": "i", "qr_size": 100000 }),
            "qr_size must be 0 to 1000 pixels",
        ),
        (
            json!({ "issuer": "i", "max_validation_attempts": -1 }),
            "max_validation_attempts must be greater than zero",
        ),
    ] {
        let refused = bank.h.write(path, &bank.h.root, wish.clone()).await;
        assert_eq!(
            (refused.status, refused.error()),
            (400, said.into()),
            "{wish}"
        );
    }
    for kind in ["okta", "duo", "pingid"] {
        let path = format!("identity/mfa/method/{kind}");
        let refused = bank
            .h
            .write(&path, &bank.h.root, json!({ "org_name": "x" }))
            .await;
        assert!(
            refused.status == 400 && refused.error().contains(kind),
            "{refused:?}"
        );
        assert_eq!(bank.h.list(&path, &bank.h.root).await.status, 404);
    }
    let own = format!("{path}/{}", bank.method);
    let shown = bank.h.read(&own, &bank.h.root).await;
    assert_eq!(shown.data()["name"], "phone");
    assert_eq!(
        bank.h
            .write(&own, &bank.h.root, json!({ "issuer": "new" }))
            .await
            .status,
        204
    );
    let shown = bank
        .h
        .read(
            &format!("identity/mfa/method/{}", bank.method),
            &bank.h.root,
        )
        .await;
    assert_eq!(
        (&shown.data()["name"], &shown.data()["issuer"]),
        (&json!("phone"), &json!("new"))
    );
    // A name is one method's.
    assert_eq!(
        method(&bank.h, json!({ "method_name": "phone" })).await,
        bank.method
    );
    let other = method(&bank.h, json!({ "method_name": "other" })).await;
    let wish = json!({ "issuer": "i", "method_name": "phone" });
    let taken = bank
        .h
        .write(&format!("{path}/{other}"), &bank.h.root, wish)
        .await;
    assert!(
        taken.status == 400 && taken.error().contains("already exists"),
        "{taken:?}"
    );
    for odd in ["nosuch", "a/b"] {
        assert_eq!(
            bank.h
                .read(&format!("{path}/{odd}"), &bank.h.root)
                .await
                .status,
            404
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_method_stays_while_it_is_enforced_whoever_is_faster() {
    for seed in 0..20 {
        let bank = Bank::over(Harness::restless(seed).await).await;
        let path = format!("identity/mfa/method/totp/{}", bank.method);
        let wish = json!({ "mfa_method_ids": [bank.method], "auth_method_types": "passport" });
        let (made, gone) = tokio::join!(
            bank.h
                .write("identity/mfa/login-enforcement/e", &bank.h.root, wish),
            bank.h.delete(&path, &bank.h.root),
        );
        assert_ne!(
            made.status == 204,
            gone.status == 204,
            "seed {seed}: {made:?} {gone:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn enforcements_name_what_is_there() {
    let bank = Bank::open().await;
    let path = "identity/mfa/login-enforcement/e";
    let with = |more: Value| {
        let mut wish = json!({ "mfa_method_ids": [bank.method] });
        for (name, value) in more.as_object().unwrap() {
            wish[name] = value.clone();
        }
        wish
    };
    for (wish, said) in [
        (
            json!({ "auth_method_types": "token" }),
            "missing method ids",
        ),
        (
            json!({ "mfa_method_ids": [], "auth_method_types": "token" }),
            "missing method ids",
        ),
        (
            json!({ "mfa_method_ids": "nosuch", "auth_method_types": "token" }),
            "one of the provided method ids",
        ),
        (with(json!({})), "One of auth_method_accessors"),
        (
            with(json!({ "auth_method_types": "nosuch" })),
            "auth method types",
        ),
        (
            with(json!({ "auth_method_accessors": "nosuch" })),
            "auth method accessors",
        ),
        (
            with(json!({ "identity_entity_ids": "nosuch" })),
            "entity ids",
        ),
        (with(json!({ "identity_group_ids": "nosuch" })), "group ids"),
    ] {
        let refused = bank.h.write(path, &bank.h.root, wish.clone()).await;
        assert!(
            refused.status == 400 && refused.error().contains(said),
            "{wish}: {refused:?}"
        );
    }
    bank.enforce(
        "e",
        json!({ "auth_method_types": "token", "identity_entity_ids": [bank.ann] }),
    )
    .await;
    bank.enforce("e", json!({ "auth_method_types": "passport" }))
        .await;
    let shown = bank.h.read(path, &bank.h.root).await;
    assert_eq!(shown.data()["auth_method_types"], json!(["passport"]));
    assert_eq!(
        shown.data()["identity_entity_ids"],
        json!([bank.ann]),
        "what is not said stays"
    );
    let used = format!("identity/mfa/method/totp/{}", bank.method);
    let refused = bank.h.delete(&used, &bank.h.root).await;
    assert!(
        refused
            .error()
            .contains(shown.data()["id"].as_str().unwrap()),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_enforced_above_holds_within() {
    let bank = Bank::open().await;
    let h = &bank.h;
    assert_eq!(
        h.write("sys/namespaces/team", &h.root, json!({}))
            .await
            .status,
        200
    );
    let mount = json!({ "type": "passport" });
    assert_eq!(
        h.write("team/sys/auth/passport", &h.root, mount)
            .await
            .status,
        204
    );
    bank.enforce("above", json!({ "auth_method_types": "passport" }))
        .await;
    let login = |name: &str| {
        let wish = json!({ "name": name });
        h.write("team/auth/passport/login", "", wish)
    };
    let waits = login("eve").await;
    let requirement = &waits.auth()["mfa_requirement"];
    assert_eq!(
        requirement["mfa_constraints"]["above"]["any"][0]["id"],
        json!(bank.method)
    );
    let id = requirement["mfa_request_id"].as_str().unwrap().to_owned();
    // The method of above serves those within; their secrets are theirs.
    let listed = h.list("team/identity/mfa/method", &h.root).await;
    assert_eq!(listed.keys(), std::slice::from_ref(&bank.method));
    let path = format!("team/identity/mfa/method/totp/{}", bank.method);
    assert_eq!(
        h.write(&path, &h.root, json!({ "issuer": "x" }))
            .await
            .status,
        400
    );
    assert_eq!(h.delete(&path, &h.root).await.status, 400);
    let eve = h.list("team/identity/entity/id", &h.root).await.keys()[0].clone();
    let wish = json!({ "method_id": bank.method, "entity_id": eve });
    let made = h
        .write(
            "team/identity/mfa/method/totp/admin-generate",
            &h.root,
            wish,
        )
        .await;
    let key = base32(
        made.data()["url"]
            .as_str()
            .unwrap()
            .split_once("secret=")
            .unwrap()
            .1,
    );
    let wish =
        json!({ "mfa_request_id": id, "mfa_payload": { &bank.method: [code_of(h, &key, 0)] } });
    let elsewhere = h.write(VALIDATE, "", wish.clone()).await;
    assert_eq!(elsewhere.error(), "invalid request ID", "it waits at home");
    let done = h.write(&format!("team/{VALIDATE}"), "", wish).await;
    assert_eq!(done.status, 200, "{done:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_merged_keeps_their_device() {
    let bank = Bank::enforced().await;
    let bob = bank.login("bob").await;
    let listed = bank.h.list("identity/entity/id", &bank.h.root).await.keys();
    let bobs = listed.iter().find(|id| **id != bank.ann).unwrap();
    let merge = json!({ "from_entity_ids": [bank.ann], "to_entity_id": bobs });
    // Both have an alias in the same mount; Ann's is to stay.
    let aliases = bank.h.list("identity/entity-alias/id", &bank.h.root).await;
    let info = aliases.data()["key_info"].as_object().unwrap();
    let anns = info
        .iter()
        .find(|(_, alias)| alias["name"] == "ann")
        .unwrap()
        .0;
    let mut merge = merge;
    merge["conflicting_alias_ids_to_keep"] = json!([anns]);
    let done = bank
        .h
        .write("identity/entity/merge", &bank.h.root, merge)
        .await;
    assert_eq!(done.status, 204, "{done:?}");
    let id = bank.waiting().await;
    let done = bank.send(&id, &bank.code(0)).await;
    assert_eq!(done.auth()["entity_id"], json!(bobs), "{done:?}");
    drop(bob);
}
