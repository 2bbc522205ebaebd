//! A server that its configuration sets up while it is initialised.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod harness;

use std::sync::Arc;

use coffer_barrier::seal::SealConfig;
use coffer_crypto::Random;
use coffer_engine::{Class, Fault, Kind};
use coffer_kernel::script::Script;
use coffer_kernel::settings::SelfInit;
use coffer_kernel::{Clock, Kernel, Settings};
use coffer_storage::{Memory, Store};
use coffer_wire::Timestamp;
use harness::Harness;
use harness::shelves::{Cubbyhole, Shelf};
use serde_json::json;

const MOUNT: &str = r#"
initialize "first" {
  request "mount" { operation = "update" path = "sys/mounts/kv" data = { type = "kv" } }
  request "keep" {
    operation = "update"
    path = "kv/x"
    data = { is = { eval_source = "env" eval_type = "string" env_var = "CARGO_PKG_NAME" require_present = true } }
  }
}
initialize "second" {
  request "again" {
    operation = "update"
    path = "kv/y"
    data = { is = { eval_source = "request" eval_type = "any" initialize_name = "first" request_name = "keep" field_selector = ["map", "is"] } }
  }
  request "admin" { operation = "update" path = "auth/token/create-orphan" data = { id = "admin" policies = ["root"] no_parent = true } allow_failure = true }
  request "child" { operation = "update" path = "auth/token/create" data = { id = "child" policies = ["root"] } }
}
"#;

fn script(text: &str) -> Script {
    let mut script = Script::default();
    let mut body = coffer_hcl::parse(text).unwrap();
    for block in body.take_blocks("initialize", 1).unwrap() {
        script.initialize(block, "c.hcl".into()).unwrap();
    }
    script
}

fn settings(text: &str) -> Settings {
    let mut settings = Settings::new(vec![
        Kind::new::<Shelf>(Class::Secret),
        Kind::new::<Cubbyhole>(Class::Secret),
    ]);
    settings.self_init = SelfInit {
        script: script(text),
        keep_root_token: false,
    };
    settings
}

async fn kernel(store: &Arc<dyn Store>, text: &str) -> Arc<Kernel> {
    let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
    let made = Kernel::new(settings(text), Arc::clone(store), Random::system(), clock);
    made.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_declared_is_there_and_the_root_token_is_not() {
    let h = Harness::with(settings(MOUNT), Arc::new(Memory::new())).await;
    assert_eq!(h.root, "", "no root token is handed out");
    assert_eq!(
        h.read("kv/x", "child").await.status,
        403,
        "what the root token made ends with it"
    );
    let admin = h.read("kv/x", "admin").await;
    assert_eq!(admin.data(), &json!({ "is": "coffer-kernel" }), "{admin:?}");
    assert_eq!(h.read("kv/y", "admin").await.data(), admin.data());
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_leaves_nothing_and_can_be_repeated() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let broken = MOUNT.replace("path = \"kv/y\"", "path = \"nowhere/y\"");
    let first = kernel(&store, &broken).await;
    let config = || SealConfig::new(1, 1).unwrap();
    for _ in 0..2 {
        let Err(Fault::Invalid(text)) = first.initialise(config()).await else {
            panic!("it was initialised");
        };
        let place = r#"initialize "second", request "again" (c.hcl:11:3): nothing is there (404)"#;
        assert!(text.contains(place), "{text}");
    }
    assert_eq!(
        store.scan("", None, 10).await.unwrap().len(),
        0,
        "nothing is stored"
    );
    let second = kernel(&store, MOUNT).await;
    let made = second.initialise(config()).await.unwrap();
    assert_eq!(made.root_token.expose(), "");
    assert_eq!(made.shares.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_missing_is_named_and_never_shown() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    for (value, what) in [
        (
            "eval_source = \"env\" eval_type = \"string\" env_var = \"COFFER_NOT_THERE\" require_present = true",
            "COFFER_NOT_THERE is not set",
        ),
        (
            "eval_source = \"file\" eval_type = \"string\" path = \"/nowhere/at/all\"",
            "/nowhere/at/all can not be read",
        ),
        (
            "eval_source = \"env\" eval_type = \"int\" env_var = \"CARGO_PKG_NAME\"",
            "is not a whole number",
        ),
    ] {
        let text = format!(
            "initialize \"a\" {{ request \"b\" {{ operation = \"update\" path = \"sys/mounts/kv\" data = {{ type = {{ {value} }} }} }} }}"
        );
        let kernel = kernel(&store, &text).await;
        let config = SealConfig::new(1, 1).unwrap();
        let Err(Fault::Invalid(said)) = kernel.initialise(config).await else {
            panic!("it was initialised");
        };
        assert!(said.contains(what) && said.contains("c.hcl:1:"), "{said}");
        assert!(!said.contains("coffer-kernel"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dev_server_keeps_its_root_token() {
    let mut settings = settings(MOUNT);
    settings.self_init.keep_root_token = true;
    let h = Harness::with(settings, Arc::new(Memory::new())).await;
    assert_eq!(h.read("kv/x", &h.root).await.status, 200);
    assert_eq!(h.read("kv/x", "child").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_request_says_is_shown_to_nobody() {
    let store: Arc<dyn Store> = Arc::new(Memory::new());
    let text = r#"initialize "a" { request "b" { operation = "update" path = "auth/token/roles/x" data = { token_type = { eval_source = "env" eval_type = "string" env_var = "CARGO_PKG_NAME" } } } }"#;
    let kernel = kernel(&store, text).await;
    let config = SealConfig::new(1, 1).unwrap();
    let Err(Fault::Invalid(said)) = kernel.initialise(config).await else {
        panic!("it was initialised");
    };
    let place = r#"initialize "a", request "b" (c.hcl:1:18): an invalid request (400)"#;
    assert!(said.contains(place), "{said}");
    assert!(!said.contains("coffer-kernel"), "{said}");
}
