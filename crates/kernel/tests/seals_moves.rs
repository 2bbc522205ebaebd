//! Moving from one seal to another, adding and removing seals, break-glass shares; and power cuts at each write of that.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::sync::Arc;

use coffer_kernel::seals::SealStanza;
use coffer_storage::{Batch, Memory, Store};
use coffer_wire::Verb;
use harness::Answer;
use harness::faulty::Faulty;
use harness::keeper::{Keeper, Mood, Sealed, texts};
use serde_json::{Value, json};

/// Everything that a test needs again after a restart.
struct World {
    store: Arc<Memory>,
    old: Arc<Keeper>,
    new: Arc<Keeper>,
    root: String,
    keys: Vec<String>,
    glass: Vec<String>,
}

impl World {
    /// Opened by key shares.
    async fn of_shares() -> Self {
        Self::made(
            Vec::new(),
            json!({ "secret_shares": 3, "secret_threshold": 2 }),
        )
        .await
    }

    /// Opened by the keeper `old`, with break-glass shares.
    async fn of_keeper() -> Self {
        let old = Keeper::new("old");
        let wish = json!({
            "recovery_shares": 3, "recovery_threshold": 2,
            "break_glass_shares": 3, "break_glass_threshold": 2,
        });
        let seals = vec![old.stanza("old", 1)];
        let world = Self::made(seals, wish).await;
        Self { old, ..world }
    }

    async fn made(seals: Vec<SealStanza>, wish: Value) -> Self {
        let store = Arc::new(Memory::new());
        let mut server = Sealed::start(Arc::clone(&store) as _, seals).await;
        let made = server.init(wish).await;
        let mut keys = texts(&made["keys"]);
        keys.extend(texts(&made["recovery_keys"]));
        Self {
            root: server.server.root.clone(),
            glass: texts(&made["break_glass_keys"]),
            old: Keeper::new("old"),
            new: Keeper::new("new"),
            store,
            keys,
        }
    }

    async fn start(&self, seals: Vec<SealStanza>) -> Sealed {
        self.over(Arc::clone(&self.store) as _, seals).await
    }

    async fn over(&self, store: Arc<dyn Store>, seals: Vec<SealStanza>) -> Sealed {
        let mut server = Sealed::start(store, seals).await;
        self.root.clone_into(&mut server.server.root);
        server
    }

    /// Whether a start with these seals opens by itself, with the same root token.
    async fn opens_alone(&self, store: &Arc<Memory>, seals: Vec<SealStanza>) -> bool {
        let server = self.over(Arc::clone(store) as _, seals).await;
        server.opens_within(5).await && self.is_the_same(&server).await
    }

    /// Whether key shares open it.
    async fn opens_by_shares(&self, store: &Arc<Memory>) -> bool {
        let server = self.over(Arc::clone(store) as _, Vec::new()).await;
        server.unseal(&self.keys[..2], json!({})).await;
        server.is_open() && self.is_the_same(&server).await
    }

    async fn is_the_same(&self, server: &Sealed) -> bool {
        let asked = server.by_root(Verb::Read, "auth/token/lookup-self", Value::Null);
        asked.await.status == 200
    }

    /// A copy of the store as it is.
    async fn copied(&self) -> Arc<Memory> {
        let copy = Arc::new(Memory::new());
        let all = self.store.scan("", None, 1000).await.unwrap();
        let batch = all
            .into_iter()
            .fold(Batch::new(), |batch, (path, value)| batch.put(path, value));
        copy.commit(batch).await.unwrap();
        copy
    }
}

const MIGRATE: fn() -> Value = || json!({ "migrate": true });

#[tokio::test(start_paused = true)]
async fn from_shares_to_a_seal_and_back_the_same_people_hold_keys() {
    let world = World::of_shares().await;
    let with_seal = || vec![world.new.stanza("new", 1)];
    let server = world.start(with_seal()).await;
    assert!(!server.opens_within(120).await, "not by itself");
    let status = server.get("sys/seal-status").await;
    assert_eq!(status.data()["migration"], true);
    assert_eq!(status.data()["type"], "new");
    let refused = server.unseal(&world.keys[..1], json!({})).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let wrong = [world.keys[0].clone(), format!("{}07", "ab".repeat(32))];
    assert_eq!(server.unseal(&wrong, MIGRATE()).await.status, 400);
    world.new.is(Mood::Away);
    assert_eq!(server.unseal(&world.keys[..2], MIGRATE()).await.status, 503);
    assert!(world.opens_by_shares(&world.copied().await).await);
    world.new.is(Mood::Well);
    let moved = server.unseal(&world.keys[..2], MIGRATE()).await;
    assert_eq!(moved.status, 200, "{moved:?}");
    assert!(server.is_open());
    let status = server.get("sys/seal-status").await;
    assert_eq!(status.data()["migration"], false);
    assert_eq!(status.data()["recovery_seal"], true);
    drop(server);
    assert!(world.opens_alone(&world.store, with_seal()).await);
    assert!(!world.opens_by_shares(&world.copied().await).await);

    let disabled = vec![world.new.disabled("new")];
    let server = world.start(disabled).await;
    assert!(!server.opens_within(120).await);
    let status = server.get("sys/seal-status").await;
    assert_eq!(status.data()["migration"], true);
    assert_eq!(status.data()["type"], "shamir");
    assert_eq!(server.unseal(&world.keys[1..], MIGRATE()).await.status, 200);
    assert!(server.is_open());
    drop(server);
    assert!(!world.opens_alone(&world.copied().await, with_seal()).await);
    assert!(world.opens_by_shares(&world.store).await);
    let left = world.store.scan("core/seals/", None, 10).await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test(start_paused = true)]
async fn from_one_seal_to_another_with_the_old_one_disabled() {
    let world = World::of_keeper().await;
    let seals = vec![world.new.stanza("new", 1), world.old.disabled("old")];
    let server = world.start(seals).await;
    assert!(!server.opens_within(60).await);
    assert_eq!(server.unseal(&world.keys[..2], MIGRATE()).await.status, 200);
    assert!(server.is_open());
    drop(server);
    world.old.is(Mood::Away);
    let only = vec![world.new.stanza("new", 1)];
    assert!(world.opens_alone(&world.store, only).await);
}

#[tokio::test(start_paused = true)]
async fn seals_are_added_verified_and_removed_while_the_server_runs() {
    let world = World::of_keeper().await;
    let server = world.start(vec![world.old.stanza("old", 1)]).await;
    assert!(server.opens_within(5).await);
    let ask = async |verb, path: &str| server.by_root(verb, path, json!({})).await;
    assert_eq!(
        ask(Verb::Write, "sys/seals/new").await.status,
        400,
        "not configured"
    );
    assert_eq!(
        ask(Verb::Delete, "sys/seals/old").await.status,
        400,
        "the last one"
    );
    assert_eq!(ask(Verb::Delete, "sys/seals/new").await.status, 404);
    let both = || vec![world.old.stanza("old", 1), world.new.stanza("new", 2)];
    server.server.kernel.settings.seals.replace(both());
    let shown = ask(Verb::Read, "sys/seals").await;
    assert_eq!(shown.data()["key_info"]["new"]["wrapped"], false);
    assert_eq!(ask(Verb::Write, "sys/seals/new/verify").await.status, 400);
    for mood in [Mood::Away, Mood::Refusing, Mood::Garbling, Mood::Hanging] {
        world.new.is(mood);
        assert_eq!(
            ask(Verb::Write, "sys/seals/new").await.status,
            503,
            "{mood:?}"
        );
    }
    world.new.is(Mood::Well);
    let added = ask(Verb::Write, "sys/seals/new").await;
    assert_eq!(added.data()["wrapped"], true, "{added:?}");
    assert_eq!(ask(Verb::Write, "sys/seals/new/verify").await.status, 200);
    world.new.is(Mood::Away);
    assert_eq!(ask(Verb::Write, "sys/seals/new/verify").await.status, 503);
    assert_eq!(
        ask(Verb::Delete, "sys/seals/old").await.status,
        503,
        "no other opens now"
    );
    world.new.is(Mood::Well);
    assert_eq!(ask(Verb::Delete, "sys/seals/old").await.status, 200);
    drop(server);
    world.old.is(Mood::Away);
    assert!(world.opens_alone(&world.store, both()).await);
    let only_old = vec![world.old.stanza("old", 1)];
    let lost = world.start(only_old).await;
    assert!(!lost.opens_within(60).await);
    let refused = lost.unseal(&world.keys[..2], json!({})).await;
    assert_eq!(refused.status, 503, "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn wrapping_anew_uses_the_keepers_present_key() {
    let world = World::of_keeper().await;
    let both = vec![world.old.stanza("old", 1), world.new.stanza("new", 2)];
    let server = world.start(both).await;
    assert!(server.opens_within(5).await);
    let ask = async |path: &str| server.by_root(Verb::Write, path, json!({})).await;
    assert_eq!(ask("sys/seals/new").await.status, 200);
    let key_id = async |name: &str| {
        let path = format!("sys/seals/{name}");
        let seal = server.by_root(Verb::Read, &path, Value::Null).await;
        seal.data()["key_id"].clone()
    };
    world.old.rotate();
    world.new.rotate();
    world.new.is(Mood::Away);
    let partly = ask("sys/sealwrap/rewrap").await;
    assert_eq!(partly.status, 503, "{partly:?}");
    assert_eq!(
        (key_id("old").await, key_id("new").await),
        (json!("v2"), json!("v1"))
    );
    world.new.is(Mood::Well);
    assert_eq!(ask("sys/sealwrap/rewrap").await.status, 204);
    assert_eq!(key_id("new").await, "v2");
    drop(server);
    let only = vec![world.new.stanza("new", 1)];
    assert!(world.opens_alone(&world.store, only).await);
}

#[tokio::test(start_paused = true)]
async fn a_copy_in_the_place_of_another_does_not_open_and_a_damaged_one_is_no_hindrance() {
    let world = World::of_keeper().await;
    let both = || vec![world.old.stanza("old", 1), world.old.stanza("other", 2)];
    let copy = world.store.get("core/seals/old").await.unwrap().unwrap();
    let moved = Batch::new()
        .delete("core/seals/old")
        .put("core/seals/other", copy.clone());
    world.store.commit(moved).await.unwrap();
    assert!(!world.opens_alone(&world.store, both()).await);
    let damaged = Batch::new()
        .put("core/seals/old", copy)
        .put("core/seals/other", b"nonsense".to_vec())
        .put("core/seals/more", b"{\"version\":9}".to_vec());
    world.store.commit(damaged).await.unwrap();
    assert!(world.opens_alone(&world.store, both()).await);
}

#[tokio::test(start_paused = true)]
async fn break_glass_shares_open_the_server_when_its_keepers_are_gone() {
    let world = World::of_keeper().await;
    world.old.is(Mood::Away);
    let glass = || json!({ "break_glass": true });
    let server = world.start(vec![world.old.stanza("old", 1)]).await;
    let status = server.get("sys/seal-status").await;
    assert_eq!(status.data()["break_glass"]["t"], 2);
    let recovery = server.unseal(&world.keys[..2], glass()).await;
    assert_eq!(recovery.status, 400, "recovery keys are others");
    assert!(!server.is_open());
    assert_eq!(server.unseal(&world.glass[..2], glass()).await.status, 200);
    assert!(server.is_open() && world.is_the_same(&server).await);

    // A new seal takes over, and the root key is replaced: the shares stay good.
    let both = vec![world.old.stanza("old", 1), world.new.stanza("new", 2)];
    server.server.kernel.settings.seals.replace(both);
    let ask = async |verb, path: &str| server.by_root(verb, path, json!({})).await;
    assert_eq!(ask(Verb::Write, "sys/seals/new").await.status, 200);
    assert_eq!(ask(Verb::Delete, "sys/seals/old").await.status, 200);
    assert_eq!(ask(Verb::Write, "sys/rotate/root").await.status, 204);
    assert_eq!(ask(Verb::Write, "sys/seals/new/verify").await.status, 200);
    drop(server);
    world.new.is(Mood::Away);
    let server = world.start(Vec::new()).await;
    assert_eq!(server.unseal(&world.glass[1..], glass()).await.status, 200);
    assert!(server.is_open());
    let gone = server.by_root(Verb::Delete, "sys/break-glass", Value::Null);
    assert_eq!(gone.await.status, 204);
    drop(server);
    let server = world.start(Vec::new()).await;
    let refused = server.unseal(&world.glass[1..], glass()).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(!server.is_open());
}

#[tokio::test(start_paused = true)]
async fn break_glass_shares_are_made_by_who_holds_recovery_keys_and_nobody_else() {
    let world = World::of_keeper().await;
    let server = world.start(vec![world.old.stanza("old", 1)]).await;
    assert!(server.opens_within(5).await);
    let ask = async |path: &str, body| server.by_root(Verb::Write, path, body).await;
    let wish = json!({ "secret_shares": 2, "secret_threshold": 2 });
    assert_eq!(
        server
            .put("sys/break-glass/init", wish.clone())
            .await
            .status,
        403
    );
    let begun = ask("sys/break-glass/init", wish).await;
    let nonce = begun.data()["nonce"].clone();
    let hand_in = async |key: &str| {
        ask(
            "sys/break-glass/update",
            json!({ "key": key, "nonce": nonce }),
        )
        .await
    };
    hand_in(&world.glass[0]).await;
    assert_eq!(hand_in(&world.glass[1]).await.status, 400);
    hand_in(&world.keys[0]).await;
    let made = hand_in(&world.keys[1]).await;
    assert_eq!(made.data()["complete"], true, "{made:?}");
    let keys = texts(&made.data()["keys"]);
    server.seal().await;
    let glass = || json!({ "break_glass": true });
    assert_eq!(
        server.unseal(&world.glass[..2], glass()).await.status,
        400,
        "the former ones"
    );
    assert_eq!(server.unseal(&keys, glass()).await.status, 200);
    assert!(server.is_open());
}

#[tokio::test(start_paused = true)]
async fn shares_have_neither_recovery_keys_nor_break_glass_shares() {
    let world = World::of_shares().await;
    let server = world.start(Vec::new()).await;
    server.unseal(&world.keys[..2], json!({})).await;
    let wish = json!({ "secret_shares": 2, "secret_threshold": 2 });
    for path in [
        "sys/break-glass/init",
        "sys/rotate/recovery/init",
        "sys/seals/new",
        "sys/sealwrap/rewrap",
    ] {
        let refused = server.by_root(Verb::Write, path, wish.clone()).await;
        assert_eq!(refused.status, 400, "{path}: {refused:?}");
    }
}

/// What is done to a server of the keeper `old`, with both keepers configured, while its storage loses power.
async fn done(server: &Sealed, what: &str, world: &World) -> Option<Answer> {
    let ask = async |verb, path: &str| server.by_root(verb, path, json!({})).await;
    Some(match what {
        "add" => ask(Verb::Write, "sys/seals/new").await,
        "remove" => {
            ask(Verb::Write, "sys/seals/new").await;
            ask(Verb::Delete, "sys/seals/old").await
        }
        "rewrap" => ask(Verb::Write, "sys/sealwrap/rewrap").await,
        "root key" => ask(Verb::Write, "sys/rotate/root").await,
        "recovery keys" => {
            let wish = json!({ "secret_shares": 1, "secret_threshold": 1 });
            let begun = server.put("sys/rekey-recovery-key/init", wish).await;
            let nonce = begun.data()["nonce"].clone();
            let hand_in = |key: &str| json!({ "key": key, "nonce": nonce });
            let path = "sys/rekey-recovery-key/update";
            server.put(path, hand_in(&world.keys[0])).await;
            server.put(path, hand_in(&world.keys[1])).await
        }
        "break-glass" => ask(Verb::Delete, "sys/break-glass").await,
        _ => return None,
    })
}

#[tokio::test(start_paused = true)]
async fn whatever_a_power_cut_interrupts_a_seal_still_opens_the_server() {
    for what in [
        "add",
        "remove",
        "rewrap",
        "root key",
        "recovery keys",
        "break-glass",
    ] {
        let world = World::of_keeper().await;
        let both = || vec![world.old.stanza("old", 1), world.new.stanza("new", 2)];
        let mut succeeded = false;
        for commits in 0..12 {
            let store = world.copied().await;
            let faulty = Faulty::over(Arc::clone(&store));
            let server = world.over(Arc::clone(&faulty) as _, both()).await;
            assert!(server.opens_within(5).await);
            faulty.crash_after(commits);
            let answer = done(&server, what, &world).await.unwrap();
            succeeded |= answer.status < 300 && !faulty.is_down();
            drop(server);
            let opens = world.opens_alone(&store, both()).await;
            assert!(opens, "{what}, {commits} writes before the cut");
        }
        assert!(succeeded, "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_interrupts_a_move_the_old_way_or_the_new_one_opens_the_server() {
    let shares = World::of_shares().await;
    let kept = World::of_keeper().await;
    let seal = |world: &World| vec![world.new.stanza("new", 1)];
    let old = |world: &World| vec![world.old.stanza("old", 1)];
    for commits in 0..4 {
        let store = shares.copied().await;
        moved(&shares, &store, commits, seal(&shares)).await;
        let before = shares.opens_by_shares(&store).await;
        let after = shares.opens_alone(&store, seal(&shares)).await;
        assert!(before != after, "to a seal, {commits}: {before} {after}");

        let store = kept.copied().await;
        moved(&kept, &store, commits, vec![kept.old.disabled("old")]).await;
        let before = kept.opens_alone(&store, old(&kept)).await;
        let after = kept.opens_by_shares(&store).await;
        assert!(before != after, "to shares, {commits}: {before} {after}");

        let store = kept.copied().await;
        let both = vec![kept.new.stanza("new", 1), kept.old.disabled("old")];
        moved(&kept, &store, commits, both).await;
        let before = kept.opens_alone(&store, old(&kept)).await;
        let after = kept.opens_alone(&store, seal(&kept)).await;
        assert!(before != after, "to another, {commits}: {before} {after}");
    }
}

async fn moved(world: &World, store: &Arc<Memory>, commits: i64, seals: Vec<SealStanza>) {
    let faulty = Faulty::over(Arc::clone(store));
    let server = world.over(Arc::clone(&faulty) as _, seals).await;
    faulty.crash_after(commits);
    server.unseal(&world.keys[..2], MIGRATE()).await;
}
