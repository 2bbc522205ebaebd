//! Namespaces with a seal of their own: what is in them is out of reach while they are sealed, and ends when it must.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;

use coffer_engine::{Class, Kind};
use coffer_kernel::{Request, Settings};
use coffer_storage::{Memory, Store};
use coffer_wire::Verb;
use harness::shelves::{Cubbyhole, Shelf};
use harness::tickets::Tickets;
use harness::{Answer, Harness};
use serde_json::{Value, json};

const STANZA: &str = "seal \"shamir\" {\n  shares    = 3\n  threshold = 2\n}";

fn settings() -> Settings {
    let mut settings = Settings::new(vec![
        Kind::new::<Shelf>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
        Kind::new::<Tickets>(Class::Secret),
    ]);
    settings.raw_storage_endpoint = true;
    settings
}

/// A server with `vault/`, which has a seal of its own and is open, and in it `inner/`; things and tickets in both.
struct Sealable {
    h: Harness,
    store: Arc<dyn Store>,
    shares: Vec<String>,
}

impl Sealable {
    async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(Memory::new());
        let h = Harness::with(settings(), Arc::clone(&store)).await;
        let made = h
            .write("sys/namespaces/vault", &h.root, json!({ "seal": STANZA }))
            .await;
        assert_eq!(made.status, 200, "{made:?}");
        let server = Self {
            shares: shares(&made.data()["key_shares"]),
            store,
            h,
        };
        server.unseal().await;
        server
            .root("vault", Verb::Write, "sys/namespaces/inner", json!({}))
            .await;
        for ns in ["vault", "vault/inner"] {
            for (path, kind) in [("secret", "kv"), ("tickets", "tickets")] {
                let path = format!("sys/mounts/{path}");
                let mounted = server
                    .root(ns, Verb::Write, &path, json!({ "type": kind }))
                    .await;
                assert_eq!(mounted.status, 204, "{mounted:?}");
            }
            server
                .root(ns, Verb::Write, "secret/a", json!({ "is": "treasure" }))
                .await;
        }
        server
    }

    async fn ask(&self, ns: &str, verb: Verb, path: &str, token: &str, body: Value) -> Answer {
        let named = |request: &mut Request| ns.clone_into(&mut request.namespace);
        self.h.request_with(verb, path, token, body, named).await
    }

    async fn root(&self, ns: &str, verb: Verb, path: &str, body: Value) -> Answer {
        self.ask(ns, verb, path, &self.h.root, body).await
    }

    async fn hand_in(&self, share: &str) -> Answer {
        let body = json!({ "key": share });
        self.root("", Verb::Write, "sys/namespaces/vault/unseal", body)
            .await
    }

    async fn unseal(&self) {
        for share in &self.shares[1..] {
            assert_eq!(self.hand_in(share).await.status, 200);
        }
        assert!(!self.is_sealed().await);
    }

    async fn seal(&self) {
        let sealed = self.root("", Verb::Write, "sys/namespaces/vault/seal", json!({}));
        assert_eq!(sealed.await.status, 204);
        assert!(self.is_sealed().await);
    }

    async fn is_sealed(&self) -> bool {
        let path = "sys/namespaces/vault/seal-status";
        let status = self.root("", Verb::Read, path, json!({})).await;
        status.data()["sealed"].as_bool().unwrap()
    }

    /// A token made by the root's, with these wishes.
    async fn token(&self, ns: &str, wish: Value) -> Answer {
        let made = self.root(ns, Verb::Write, "auth/token/create", wish).await;
        assert_eq!(made.status, 200, "{made:?}");
        made
    }

    async fn lookup(&self, token: &str) -> u16 {
        let path = "auth/token/lookup-self";
        self.ask("", Verb::Read, path, token, json!({}))
            .await
            .status
    }

    async fn issue(&self, ns: &str, name: &str, token: &str, ttl: u64) -> String {
        let path = format!("tickets/issue/{name}");
        let made = self
            .ask(ns, Verb::Write, &path, token, json!({ "ttl": ttl }))
            .await;
        assert_eq!(made.status, 200, "{made:?}");
        made.json["lease_id"].as_str().unwrap().to_owned()
    }

    async fn live(&self, ns: &str) -> Vec<String> {
        self.root(ns, Verb::List, "tickets/live", json!({}))
            .await
            .keys()
    }

    /// Everything that is stored.
    async fn stored(&self) -> Vec<(String, Vec<u8>)> {
        self.store.scan("", None, 10_000).await.unwrap()
    }
}

fn shares(of: &Value) -> Vec<String> {
    let all = of.as_array().unwrap().iter();
    all.map(|share| share.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_new_one_is_sealed_until_enough_shares_came() {
    let s = Sealable::new().await;
    s.seal().await;
    let status = s.hand_in(&s.shares[0]).await;
    let shown = |key: &str| status.data()[key].clone();
    assert_eq!(
        [shown("sealed"), shown("progress"), shown("n"), shown("t")],
        [json!(true), json!(1), json!(3), json!(2)]
    );
    let again = s.hand_in(&s.shares[0]).await;
    assert_eq!(
        again.data()["progress"],
        json!(1),
        "the same share does not count twice"
    );
    let wrong = s.hand_in(&"aa".repeat(33)).await;
    assert_eq!(wrong.status, 400);
    assert!(s.is_sealed().await);
    s.hand_in(&s.shares[0]).await;
    let reset = json!({ "reset": true });
    let reset = s
        .root("", Verb::Write, "sys/namespaces/vault/unseal", reset)
        .await;
    assert_eq!(reset.data()["progress"], json!(0));
    for (share, status) in [("", 400), ("zz!", 400), ("abcd", 400)] {
        assert_eq!(s.hand_in(share).await.status, status, "{share}");
    }
    s.unseal().await;
    assert_eq!(
        s.hand_in(&s.shares[0]).await.status,
        200,
        "it is open already"
    );
    let read = s
        .root("vault/inner", Verb::Read, "secret/a", json!({}))
        .await;
    assert_eq!(read.data()["is"], json!("treasure"));
}

#[tokio::test(start_paused = true)]
async fn a_sealed_one_answers_nobody_and_is_seen_from_above() {
    let s = Sealable::new().await;
    let mine = s
        .token("vault", json!({ "policies": ["default"], "ttl": "1h" }))
        .await
        .token();
    let batch = json!({ "policies": ["default"], "ttl": "1h", "type": "batch" });
    let batch = s.token("vault", batch).await.token();
    s.seal().await;
    for ns in ["vault", "vault/inner", "vault/unknown"] {
        for token in [
            s.h.root.as_str(),
            mine.as_str(),
            batch.as_str(),
            "",
            "unknown",
        ] {
            let asked = s.ask(ns, Verb::Read, "secret/a", token, json!({})).await;
            assert_eq!(asked.status, 503, "{ns} {token}");
            assert_eq!(asked.error(), "namespace is sealed");
        }
    }
    let by_path = s.root("", Verb::Read, "vault/secret/a", json!({})).await;
    assert_eq!(by_path.status, 503);
    assert_eq!([s.lookup(&mine).await, s.lookup(&batch).await], [503, 503]);
    assert_eq!(s.lookup("hvs.aaaaaaaaaaaaaaaaaaaaaaaa").await, 403);
    let listed = s.root("", Verb::List, "sys/namespaces", json!({})).await;
    assert_eq!(listed.keys(), ["vault/"]);
    let deep = s.root("", Verb::Scan, "sys/namespaces", json!({})).await;
    assert_eq!(deep.keys(), ["vault/"], "what is in it is not told");
    let notes = json!({ "custom_metadata": { "a": "b" } });
    let noted = s.root("", Verb::Write, "sys/namespaces/vault", notes).await;
    assert_eq!(noted.data()["custom_metadata"], json!({ "a": "b" }));
    let deleted = s
        .root("", Verb::Delete, "sys/namespaces/vault", json!({}))
        .await;
    assert_eq!(deleted.status, 503);
    let raw =
        s.h.read(&format!("sys/raw/{}", s.inside().await), &s.h.root)
            .await;
    assert_eq!(raw.status, 503, "not even byte by byte");
    s.unseal().await;
    assert_eq!([s.lookup(&mine).await, s.lookup(&batch).await], [200, 200]);
}

impl Sealable {
    /// The path in the storage of something in the namespace.
    async fn inside(&self) -> String {
        let all = self.stored().await;
        let inside = |path: &&String| path.starts_with("ns/") && path.ends_with("/a");
        all.iter()
            .map(|(path, _)| path)
            .find(inside)
            .unwrap()
            .clone()
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_inside_is_readable_with_the_keys_of_the_server() {
    let s = Sealable::new().await;
    s.token("vault", json!({ "policies": ["default"], "ttl": "1h" }))
        .await;
    s.token(
        "vault/inner",
        json!({ "policies": ["default"], "ttl": "1h" }),
    )
    .await;
    s.issue("vault", "a", &s.h.root, 100).await;
    s.issue("vault/inner", "a", &s.h.root, 100).await;
    let role = json!({ "allowed_policies": "default" });
    s.root("vault/inner", Verb::Write, "auth/token/roles/r", role)
        .await;
    let open = s.h.open();
    let vault = open.namespaces.seals.open().pop().unwrap();
    let markers = ["in", "ns-role", "events/of"].map(|place| format!("{place}/{}", vault.id));
    s.seal().await;
    let mut inside = 0;
    for (path, _) in s.stored().await {
        let is_inside = path.starts_with("ns/")
            || path.starts_with("core/namespace/path/vault/")
            || markers.iter().any(|marker| path.contains(marker.as_str()));
        let unreadable = open.barrier.raw(&path).await.is_err();
        let is_key_material = path.contains("key") || path == "core/seal-config";
        assert_eq!(
            unreadable,
            is_inside || is_key_material || path.contains("seal-config"),
            "{path}"
        );
        inside += usize::from(is_inside);
    }
    assert!(inside > 20, "{inside}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_and_the_seal_of_the_server_seal_it() {
    let s = Sealable::new().await;
    s.h.kernel.seal();
    let h = s.h.restarted(settings(), Arc::clone(&s.store)).await;
    let s = Sealable { h, ..s };
    assert!(s.is_sealed().await);
    let read = s.root("vault", Verb::Read, "secret/a", json!({})).await;
    assert_eq!(read.status, 503);
    s.unseal().await;
    let read = s.root("vault", Verb::Read, "secret/a", json!({})).await;
    assert_eq!(read.data()["is"], json!("treasure"));
}

#[tokio::test(start_paused = true)]
async fn what_ends_while_it_is_sealed_ends_when_it_is_unsealed() {
    let s = Sealable::new().await;
    let mine = s
        .token("vault", json!({ "policies": ["default"], "ttl": "20s" }))
        .await
        .token();
    let longer = s
        .token("vault", json!({ "policies": ["default"], "ttl": "1h" }))
        .await
        .token();
    s.issue("vault", "short", &s.h.root, 20).await;
    s.issue("vault/inner", "short", &s.h.root, 30).await;
    s.issue("vault", "long", &s.h.root, 5_000).await;
    s.seal().await;
    s.h.pass(120).await;
    let due = s.store.scan("sys/due/", None, 100).await.unwrap();
    let waiting = s.store.scan("sys/waiting/", None, 100).await.unwrap();
    assert_eq!(
        (due.len(), waiting.len()),
        (2, 3),
        "the worker does not come to them again"
    );
    s.unseal().await;
    s.h.pass(5).await;
    assert_eq!(s.live("vault").await, ["long"]);
    assert_eq!(s.live("vault/inner").await, Vec::<String>::new());
    assert_eq!([s.lookup(&mine).await, s.lookup(&longer).await], [403, 200]);
    assert!(
        s.store
            .scan("sys/waiting/", None, 1)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn who_is_revoked_above_has_nothing_left_inside() {
    let s = Sealable::new().await;
    let policy = r#"path "*" { capabilities = ["create","read","update","list","sudo"] }"#;
    s.h.policy("all", policy).await;
    let parent = s
        .token("", json!({ "policies": ["all"], "ttl": "1h" }))
        .await;
    let wish = json!({ "policies": ["default"], "ttl": "1h", "no_default_policy": true });
    let made = s
        .ask(
            "vault",
            Verb::Write,
            "auth/token/create",
            &parent.token(),
            wish.clone(),
        )
        .await;
    let child = made.token();
    s.issue("vault", "of-the-parent", &parent.token(), 3_000)
        .await;
    s.seal().await;
    let gone =
        s.h.write(
            "auth/token/revoke",
            &s.h.root,
            json!({ "token": parent.token() }),
        )
        .await;
    assert_eq!(gone.status, 204, "{gone:?}");
    assert_eq!(s.lookup(&parent.token()).await, 403);
    s.unseal().await;
    assert_eq!(s.lookup(&child).await, 403, "before anybody can use it");
    s.h.pass(15).await;
    assert_eq!(s.live("vault").await, Vec::<String>::new());
    assert!(
        s.store
            .scan("sys/waiting/", None, 1)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn leases_that_can_not_be_undone_wait_quietly() {
    let s = Sealable::new().await;
    s.issue("vault", "stubborn", &s.h.root, 20).await;
    s.root(
        "vault",
        Verb::Write,
        "tickets/config",
        json!({ "refuse": true }),
    )
    .await;
    s.h.pass(60).await;
    assert_eq!(s.live("vault").await, ["stubborn"]);
    s.seal().await;
    s.h.pass(60).await;
    s.unseal().await;
    s.root(
        "vault",
        Verb::Write,
        "tickets/config",
        json!({ "refuse": false }),
    )
    .await;
    s.h.pass(30).await;
    assert_eq!(s.live("vault").await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn its_owners_change_its_keys_and_make_root_tokens_of_it() {
    let mut s = Sealable::new().await;
    let before = s
        .root("vault", Verb::Read, "sys/key-status", json!({}))
        .await;
    assert_eq!(before.data()["term"], json!(1));
    assert_eq!(
        s.root("vault", Verb::Write, "sys/rotate/keyring", json!({}))
            .await
            .status,
        204
    );
    let after = s
        .root("vault", Verb::Read, "sys/key-status", json!({}))
        .await;
    assert_eq!(after.data()["term"], json!(2));
    let whole = s.root("", Verb::Read, "sys/key-status", json!({})).await;
    assert_eq!(whole.data()["term"], json!(1), "the server's is untouched");
    for path in [
        "sys/key-status",
        "sys/rotate/root/init",
        "sys/rotate/keyring/config",
        "sys/generate-root-token/attempt",
    ] {
        let inner = s.root("vault/inner", Verb::Read, path, json!({})).await;
        assert_eq!(
            (inner.status, inner.error().as_str()),
            (400, "namespace is not sealable")
        );
    }

    let wish = json!({ "secret_shares": 2, "secret_threshold": 2 });
    let start = s
        .root("vault", Verb::Write, "sys/rotate/root/init", wish)
        .await;
    let nonce = start.data()["nonce"].clone();
    let mut done = start;
    for share in &s.shares[..2] {
        let body = json!({ "key": share, "nonce": nonce });
        done = s
            .root("vault", Verb::Write, "sys/rotate/root/update", body)
            .await;
    }
    assert_eq!(done.data()["complete"], json!(true), "{done:?}");
    let old = std::mem::replace(&mut s.shares, shares(&done.data()["keys"]));
    s.seal().await;
    s.hand_in(&old[0]).await;
    assert_eq!(
        s.hand_in(&old[1]).await.status,
        400,
        "the former shares are void"
    );
    s.shares.insert(0, String::new());
    s.unseal().await;

    let start = s
        .root(
            "vault",
            Verb::Write,
            "sys/generate-root-token/attempt",
            json!({}),
        )
        .await;
    let (nonce, otp) = (start.data()["nonce"].clone(), start.data()["otp"].clone());
    let mut done = start;
    for share in &s.shares[1..] {
        let body = json!({ "key": share, "nonce": nonce });
        done = s
            .root("vault", Verb::Write, "sys/generate-root-token/update", body)
            .await;
    }
    let encoded = json!({ "encoded_token": done.data()["encoded_token"], "otp": otp });
    let decoded = s
        .root("vault", Verb::Write, "sys/decode-token", encoded)
        .await;
    let own = decoded.data()["token"].as_str().unwrap().to_owned();
    for (ns, status) in [("vault", 200), ("vault/inner", 200), ("", 403)] {
        let used = s.ask(ns, Verb::Read, "sys/mounts", &own, json!({})).await;
        assert_eq!(used.status, status, "{ns:?} {used:?}");
    }
    let made = s
        .ask(
            "vault",
            Verb::Write,
            "auth/token/create",
            &own,
            json!({ "policies": ["root"] }),
        )
        .await;
    assert_eq!(made.status, 200, "its own root token makes others of it");
    for (ns, token) in [("vault", &s.h.root), ("vault/inner", &own)] {
        let made = s
            .ask(
                ns,
                Verb::Write,
                "auth/token/create",
                token,
                json!({ "policies": ["root"] }),
            )
            .await;
        assert_eq!(made.status, 400, "{ns}");
    }
    for path in ["sys/seal", "sys/raw/core/keyring", "sys/audit/file"] {
        let refused = s.ask("vault", Verb::Write, path, &own, json!({})).await;
        assert_eq!(
            refused.status, 400,
            "what is the server's is not its: {path}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn stanzas_that_make_no_seal_are_refused_and_make_nothing() {
    let h = Harness::with(settings(), Arc::new(Memory::new())).await;
    for stanza in [
        "",
        "nonsense",
        "seal \"shamir\" { }",
        "seal \"odd\" { shares = 1 threshold = 1 }",
        "seal \"shamir\" { shares = 3 threshold = 1 }",
        "seal \"shamir\" { shares = 1 threshold = 2 }",
        "seal \"shamir\" { shares = 300 threshold = 2 }",
        "seal \"shamir\" { shares = -1 threshold = 2 }",
        "seal \"shamir\" { shares = 1 threshold = 1 key = \"x\" }",
        "seal \"shamir\" { shares = 1.5 threshold = 1 }",
        "seal \"shamir\" { shares = 1 threshold = 1 }\nseal \"shamir\" { shares = 1 threshold = 1 }",
    ] {
        let refused = h
            .write("sys/namespaces/bad", &h.root, json!({ "seal": stanza }))
            .await;
        assert_eq!(refused.status, 400, "{stanza}");
    }
    assert_eq!(h.list("sys/namespaces", &h.root).await.status, 404);
    assert_eq!(
        h.write("sys/namespaces/plain", &h.root, json!({}))
            .await
            .status,
        200
    );
    let late = h
        .write("sys/namespaces/plain", &h.root, json!({ "seal": STANZA }))
        .await;
    assert_eq!(late.status, 400);
    for path in ["seal", "unseal"] {
        let path = format!("sys/namespaces/plain/{path}");
        assert_eq!(
            h.write(&path, &h.root, json!({ "key": "aa".repeat(33) }))
                .await
                .status,
            400
        );
    }
}

#[tokio::test(start_paused = true)]
async fn seals_within_seals_open_one_by_one_and_close_together() {
    let s = Sealable::new().await;
    let made = s
        .root(
            "vault",
            Verb::Write,
            "sys/namespaces/safe",
            json!({ "seal": STANZA }),
        )
        .await;
    let inner = shares(&made.data()["key_shares"]);
    let unseal = async || {
        for share in &inner[..2] {
            let body = json!({ "key": share });
            let done = s
                .root("vault", Verb::Write, "sys/namespaces/safe/unseal", body)
                .await;
            assert_eq!(done.status, 200, "{done:?}");
        }
    };
    let status = async || {
        s.root("vault/safe", Verb::Read, "sys/mounts", json!({}))
            .await
            .status
    };
    assert_eq!(status().await, 503);
    unseal().await;
    assert_eq!(status().await, 200);
    let third = s
        .root(
            "vault/safe",
            Verb::Write,
            "sys/namespaces/third",
            json!({ "seal": STANZA }),
        )
        .await;
    assert_eq!(third.status, 400, "no deeper than this");
    let plain = s
        .root("vault/safe", Verb::Write, "sys/namespaces/plain", json!({}))
        .await;
    assert_eq!(plain.status, 200);
    s.seal().await;
    assert_eq!(status().await, 503);
    s.unseal().await;
    assert_eq!(status().await, 503, "it has its own shares");
    unseal().await;
    assert_eq!(status().await, 200);
}

#[tokio::test(start_paused = true)]
async fn mounts_move_between_differently_sealed_ones() {
    let s = Sealable::new().await;
    for (from, to, reader) in [
        ("vault/secret", "moved", ""),
        ("moved", "vault/inner/back", "vault/inner"),
    ] {
        let asked = s
            .root(
                "",
                Verb::Write,
                "sys/remount",
                json!({ "from": from, "to": to }),
            )
            .await;
        assert_eq!(asked.status, 200, "{asked:?}");
        s.h.pass(1).await;
        let path = format!("{}/a", to.rsplit('/').next().unwrap());
        let read = s.root(reader, Verb::Read, &path, json!({})).await;
        assert_eq!(read.data()["is"], json!("treasure"), "{to}: {read:?}");
    }
    s.seal().await;
    let read = s.root("vault/inner", Verb::Read, "back/a", json!({})).await;
    assert_eq!(read.status, 503);
    let asked = s
        .root(
            "",
            Verb::Write,
            "sys/remount",
            json!({ "from": "vault/tickets", "to": "t" }),
        )
        .await;
    assert_eq!(asked.status, 503);
}

impl Sealable {
    async fn delete_sealed(&self, force: bool) -> Answer {
        let path = "sys/namespaces/vault/delete-sealed";
        self.root("", Verb::Delete, path, json!({ "force": force }))
            .await
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_shares_are_lost_is_deleted_with_all_that_it_had() {
    let s = Sealable::new().await;
    let made = s
        .root(
            "vault",
            Verb::Write,
            "sys/namespaces/safe",
            json!({ "seal": STANZA }),
        )
        .await;
    assert_eq!(made.status, 200);
    let policy = r#"path "*" { capabilities = ["create","read","update","list","sudo"] }"#;
    s.h.policy("all", policy).await;
    let parent = s
        .token("", json!({ "policies": ["all"], "ttl": "1h" }))
        .await;
    s.issue("vault", "by-the-parent", &parent.token(), 3_000)
        .await;
    let id = s
        .root("", Verb::Read, "sys/namespaces/vault", json!({}))
        .await;
    let id = id.data()["id"].as_str().unwrap().to_owned();
    for ns in ["vault", "vault/inner"] {
        s.token(ns, json!({ "policies": ["default"], "ttl": "1h" }))
            .await;
        let wish = json!({ "policies": ["default"], "ttl": "1h" });
        let made = s.root(ns, Verb::Write, "auth/token/access-keys", wish);
        assert_eq!(made.await.status, 200);
        s.issue(ns, "a", &s.h.root, 20).await;
    }
    assert_eq!(s.delete_sealed(true).await.status, 400, "it is not sealed");
    s.seal().await;
    s.h.pass(60).await;
    assert_eq!(
        s.delete_sealed(false).await.status,
        400,
        "there are namespaces in it"
    );
    let path = "sys/namespaces/vault/delete-sealed";
    let no_sudo = r#"path "sys/namespaces/*" { capabilities = ["delete", "update"] }"#;
    s.h.policy("no-sudo", no_sudo).await;
    let poor = s.token("", json!({ "policies": ["no-sudo"] })).await;
    let refused = s
        .ask(
            "",
            Verb::Delete,
            path,
            &poor.token(),
            json!({ "force": true }),
        )
        .await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        s.delete_sealed(true).await.data()["status"],
        json!("in-progress")
    );
    s.h.pass(10).await;
    assert_eq!(s.h.list("sys/namespaces", &s.h.root).await.status, 404);
    let left: Vec<_> = s.stored().await.into_iter().map(|(path, _)| path).collect();
    let left: Vec<_> = left
        .iter()
        .filter(|path| path.contains(&id) || path.starts_with("ns/"))
        .collect();
    assert_eq!(left, Vec::<&String>::new());
    assert_eq!(s.delete_sealed(true).await.warnings().len(), 1);
    let gone =
        s.h.write(
            "auth/token/revoke",
            &s.h.root,
            json!({ "token": parent.token() }),
        )
        .await;
    assert_eq!(
        gone.status, 204,
        "what had leases in it ends all the same: {gone:?}"
    );
    let plain = s
        .root("", Verb::Write, "sys/namespaces/vault", json!({}))
        .await;
    assert_eq!(plain.status, 200);
    let mounted = s
        .root(
            "vault",
            Verb::Write,
            "sys/mounts/secret",
            json!({ "type": "kv" }),
        )
        .await;
    assert_eq!(
        mounted.status, 204,
        "its name is free for one without a seal"
    );
}

#[tokio::test(start_paused = true)]
async fn deleting_an_open_one_leaves_nothing_of_its_seal() {
    let s = Sealable::new().await;
    let inner = s
        .root("vault", Verb::Delete, "sys/namespaces/inner", json!({}))
        .await;
    assert_eq!(inner.status, 200, "{inner:?}");
    s.h.pass(10).await;
    let gone = s
        .root("", Verb::Delete, "sys/namespaces/vault", json!({}))
        .await;
    assert_eq!(gone.status, 200, "{gone:?}");
    s.h.pass(10).await;
    assert_eq!(s.h.list("sys/namespaces", &s.h.root).await.status, 404);
    let left = s.stored().await;
    let of_it = |path: &str| path.starts_with("ns/") || path.starts_with("core/namespace/");
    assert_eq!(left.iter().filter(|(path, _)| of_it(path)).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn quotas_count_right_what_was_sealed_when_they_were_made() {
    let s = Sealable::new().await;
    let quota = "sys/quotas/lease-count/all";
    s.issue("vault", "before", &s.h.root, 3_000).await;
    s.seal().await;
    let made =
        s.h.write(quota, &s.h.root, json!({ "max_leases": 2 }))
            .await;
    assert_eq!(made.status, 204, "{made:?}");
    s.h.pass(5).await;
    let counted = async || s.h.read(quota, &s.h.root).await.data()["counter"].clone();
    assert_eq!(counted().await, json!(0));
    assert_eq!(
        s.delete_sealed(true).await.status,
        400,
        "nobody could say what to take off"
    );
    s.unseal().await;
    s.h.pass(5).await;
    assert_eq!(counted().await, json!(1));
    s.issue("vault/inner", "second", &s.h.root, 3_000).await;
    let third = s
        .root("vault", Verb::Write, "tickets/issue/third", json!({}))
        .await;
    assert_eq!(third.status, 429, "{third:?}");
}

#[tokio::test(start_paused = true)]
async fn what_looks_at_all_namespaces_leaves_sealed_ones_out() {
    let s = Sealable::new().await;
    s.issue("vault", "a", &s.h.root, 3_000).await;
    s.seal().await;
    for (verb, path) in [
        (Verb::Read, "sys/locked-users"),
        (Verb::Read, "sys/internal/ui/namespaces"),
        (
            Verb::Read,
            "sys/leases?type=irrevocable&include_child_namespaces=true",
        ),
        (Verb::Write, "sys/leases/tidy"),
        (Verb::Write, "auth/token/tidy"),
        (Verb::Read, "sys/metrics"),
        (Verb::Write, "sys/mounts/other"),
    ] {
        let (path, body) = match path.split_once('?') {
            Some((path, _)) => (
                path,
                json!({ "type": "irrevocable", "include_child_namespaces": true }),
            ),
            None => (path, json!({ "type": "kv" })),
        };
        let asked = s.root("", verb, path, body).await;
        assert!(asked.status < 300, "{path}: {asked:?}");
    }
    s.h.pass(130).await;
    let hidden = s
        .root("", Verb::Write, "sys/mounts/vault", json!({ "type": "kv" }))
        .await;
    assert_eq!(
        hidden.status, 400,
        "its name is taken while it is sealed, too"
    );
    s.unseal().await;
    assert_eq!(s.live("vault").await, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn of_several_who_make_the_same_one_at_once_one_does_and_it_is_isolated() {
    for seed in 0..40 {
        let h = Harness::restless(seed).await;
        let wish = || json!({ "seal": STANZA });
        let make = || h.write("sys/namespaces/vault", &h.root, wish());
        let all = futures_util::future::join_all((0..4).map(|_| make())).await;
        let made: Vec<_> = all.iter().filter(|made| made.status == 200).collect();
        assert_eq!(made.len(), 1, "seed {seed}: {all:?}");
        for share in &shares(&made[0].data()["key_shares"])[..2] {
            let body = json!({ "key": share });
            let unseal = h.write("sys/namespaces/vault/unseal", &h.root, body);
            assert_eq!(unseal.await.status, 200, "seed {seed}");
        }
        let inner = "sys/namespaces/inner";
        let inner = h.in_ns("vault", Verb::Write, inner, &h.root, json!({}));
        assert_eq!(inner.await.status, 200, "seed {seed}");
        let sealed = h.write("sys/namespaces/vault/seal", &h.root, json!({}));
        assert_eq!(sealed.await.status, 204, "seed {seed}");
        let shown = h.request(Verb::Scan, "sys/namespaces", &h.root, json!({}));
        assert_eq!(shown.await.keys(), ["vault/"], "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_revoked_above_waits_for_the_inner_seal_and_the_outer_one_opens() {
    let s = Sealable::new().await;
    let safe = "sys/namespaces/safe";
    let made = s
        .root("vault", Verb::Write, safe, json!({ "seal": STANZA }))
        .await;
    let inner = shares(&made.data()["key_shares"]);
    let unseal_inner = async || {
        for share in &inner[..2] {
            let body = json!({ "key": share });
            let path = "sys/namespaces/safe/unseal";
            let done = s.root("vault", Verb::Write, path, body).await;
            assert_eq!(done.status, 200, "{done:?}");
        }
    };
    unseal_inner().await;
    let policy = r#"path "*" { capabilities = ["create","read","update","list","sudo"] }"#;
    s.h.policy("all", policy).await;
    let parent = s
        .token("", json!({ "policies": ["all"], "ttl": "1h" }))
        .await;
    let wish = json!({ "policies": ["default"], "ttl": "1h", "no_default_policy": true });
    let mut children = Vec::new();
    for ns in ["vault", "vault/safe"] {
        let path = "auth/token/create";
        let made = s
            .ask(ns, Verb::Write, path, &parent.token(), wish.clone())
            .await;
        children.push(made.token());
    }
    s.seal().await;
    let body = json!({ "token": parent.token() });
    let gone = s.h.write("auth/token/revoke", &s.h.root, body).await;
    assert_eq!(gone.status, 204, "{gone:?}");
    s.unseal().await;
    assert_eq!(s.lookup(&children[0]).await, 403);
    assert_eq!(s.lookup(&children[1]).await, 503);
    unseal_inner().await;
    assert_eq!(
        s.lookup(&children[1]).await,
        403,
        "before anybody can use it"
    );
    s.h.pass(15).await;
    let waiting = s.store.scan("sys/waiting/", None, 1).await.unwrap();
    assert!(waiting.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_that_nobody_can_read_hides_no_others() {
    let s = Sealable::new().await;
    let path = "core/namespace/path/gone/child".to_owned();
    let damaged = coffer_storage::Batch::new().put(path, vec![1; 64]);
    s.store.commit(damaged).await.unwrap();
    let shown = s.root("", Verb::Scan, "sys/namespaces", json!({})).await;
    assert_eq!(shown.keys(), ["vault/", "vault/inner/"], "{shown:?}");
}
