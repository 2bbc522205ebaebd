//! What happens to requests that never reach a handler: they are recorded, and they cost their use.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{
    Class, Ctx, Empty, Engine, Exists, Fault, Handle, Kind, MountInfo, Routes, path,
};
use coffer_kernel::audit::Allow;
use coffer_kernel::{Refusal, Request, Settings};
use coffer_storage::{Memory, Store};
use coffer_wire::{ApiPath, Verb};
use harness::Harness;
use harness::faulty::Faulty;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// An engine that can not tell whether `broken/{name}` is there, and knows `old/{name}`.
struct Shelf;

impl Engine for Shelf {
    const NAME: &'static str = "shelf";
    const HELP: &'static str = "A shelf.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("{state}/{name}", "One thing.")
            .write::<WriteThing>()
            .exists::<WriteThing>()])
    }
}

/// Writes a thing.
#[derive(Deserialize, JsonSchema)]
struct WriteThing {
    /// `old`, `new` or `broken`.
    state: String,
    /// Its name.
    #[serde(rename = "name")]
    _name: String,
}

impl Handle<Shelf> for WriteThing {
    type Reply = Empty;

    async fn handle(self, _: &Shelf, _: &Ctx) -> Result<Empty, Fault> {
        Ok(Empty)
    }
}

impl Exists<Shelf> for WriteThing {
    async fn exists(self, _: &Shelf, _: &Ctx) -> Result<bool, Fault> {
        match self.state.as_str() {
            "broken" => Err(Fault::invalid("the shelf is broken")),
            state => Ok(state == "old"),
        }
    }
}

fn settings() -> Settings {
    let mut settings = Settings::new(vec![Kind::new::<Shelf>(Class::Secret)]);
    settings.audit_allow = Allow::paths(|_| true);
    settings.unsafe_allow_api_audit_creation = true;
    settings
}

async fn audited(store: Arc<dyn Store>, file: &Path) -> Harness {
    let server = Harness::with(settings(), store).await;
    let device = json!({ "type": "file", "options": { "file_path": file } });
    let made = server.write("sys/audit/file", &server.root, device).await;
    assert_eq!(made.status, 204, "{made:?}");
    server
}

/// The recorded lines of this request.
fn lines(file: &Path, id: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let all = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|line| line["request"]["id"] == json!(id))
        .collect()
}

async fn refused(server: &Harness, id: &str, namespace: &str, token: &str) -> Refusal {
    let path = ApiPath::parse("sys/mounts").unwrap();
    let mut request = Request::internal(id.into(), Verb::Read, path);
    request.namespace = namespace.into();
    request.token = (!token.is_empty()).then(|| Arc::new(Secret::new(token.to_owned())));
    server.kernel.handle(request).await.unwrap_err()
}

/// Time is real in the tests of audit: a device's thread does not wait for a paused one.
#[tokio::test]
async fn what_audit_can_not_record_costs_the_last_use_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let server = audited(Arc::new(Memory::new()), &file).await;
    let once = json!({"num_uses": 1, "policies": ["default"]});
    let allowed = server.create(&server.root, once.clone()).await;
    let denied = server.create(&server.root, once).await;
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap(); // Opening it again fails from here on.
    server.open().audit.reopen(server.clock.now()).await;
    let answer = server
        .read("auth/token/lookup-self", &allowed.token())
        .await;
    assert_eq!(answer.status, 500, "{answer:?}");
    let answer = server.read("sys/mounts", &denied.token()).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    for spent in [allowed.accessor(), denied.accessor()] {
        let record = server.open().tokens.by_accessor(&spent).await.unwrap();
        assert_eq!(record, None);
    }
}

#[tokio::test]
async fn a_namespace_that_is_not_there_is_recorded_and_told_to_no_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let server = audited(Arc::new(Memory::new()), &file).await;
    let weak = server.create(&server.root, json!({"policies": ["default"]}));
    let weak = weak.await.token();
    for (id, token) in [("stranger", ""), ("forged", "hvs.x"), ("weak", &weak)] {
        let refusal = refused(&server, id, "elsewhere/", token).await;
        assert!(matches!(refusal.fault, Fault::Denied), "{id}: {refusal:?}");
        assert_eq!(lines(&file, id).len(), 2, "{id}");
    }
    let refusal = refused(&server, "known", "elsewhere/", &server.root).await;
    assert!(matches!(refusal.fault, Fault::Missing(_)), "{refusal:?}");
    assert_eq!(lines(&file, "known").len(), 2);
}

#[tokio::test]
async fn a_token_that_can_not_be_looked_up_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let store = Faulty::new();
    let server = audited(store.clone(), &file).await;
    store.crash_after(0);
    let refusal = refused(&server, "unread", "", &server.root).await;
    assert!(!matches!(refusal.fault, Fault::Denied), "{refusal:?}");
    let lines = lines(&file, "unread");
    assert_eq!(lines.len(), 2);
    assert!(lines.iter().all(|line| !line["error"].is_null()));
}

#[tokio::test(start_paused = true)]
async fn policy_is_asked_before_the_engine_is() {
    let server = Harness::with(settings(), Arc::new(Memory::new())).await;
    let mounted = server
        .write("sys/mounts/shelf", &server.root, json!({"type": "shelf"}))
        .await;
    assert_eq!(mounted.status, 204);
    let rule =
        |capability: &str| format!("path \"shelf/*\" {{ capabilities = [\"{capability}\"] }}");
    let mut answers = Vec::new();
    for capability in ["read", "create", "update", "create\", \"update"] {
        server.policy("p", &rule(capability)).await;
        let by = server.create(&server.root, json!({"policies": ["p"]}));
        let by = by.await.token();
        let mut row = Vec::new();
        for state in ["new", "old", "broken"] {
            let path = format!("shelf/{state}/a");
            row.push(server.write(&path, &by, json!({})).await.status);
        }
        answers.push(row);
        server.advance(Duration::from_secs(1)).await;
    }
    assert_eq!(
        answers,
        [
            [403, 403, 403],
            [204, 403, 400],
            [403, 204, 400],
            [204, 204, 400]
        ]
    );
}
