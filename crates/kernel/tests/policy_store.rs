//! Policies behind the barrier: names, versions, and what decisions see when a policy changes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use coffer_barrier::Barrier;
use coffer_crypto::{Aes256Key, Random};
use coffer_kernel::policy::{Error, Policies, Put};
use coffer_storage::{Batch, Memory};
use coffer_wire::Timestamp;

const READ: &str = "path \"a\" { capabilities = [\"read\"] }";
const LIST: &str = "path \"a\" { capabilities = [\"list\"] }";

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

async fn opened() -> (Policies, Arc<Barrier>) {
    let barrier = Arc::new(Barrier::new(Arc::new(Memory::new()), Random::system()));
    let root = Aes256Key::generate(barrier.random()).unwrap();
    barrier.initialise(&root, 1, Batch::new()).await.unwrap();
    barrier.unseal(root).await.unwrap();
    (Policies::new(barrier.view("sys/policy/"), true), barrier)
}

async fn write(policies: &Policies, name: &str, text: &str) -> Result<(), Error> {
    let put = Put {
        text: text.into(),
        ..Put::default()
    };
    policies.put(name, put, at(10)).await
}

async fn held(policies: &Policies, names: &[&str], now: u64) -> Vec<&'static str> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    policies
        .acl_for(&names, None, at(now))
        .await
        .unwrap()
        .capabilities("a")
}

#[tokio::test]
async fn texts_come_back_as_written_under_one_spelling_of_the_name() {
    let (policies, _) = opened().await;
    let text = format!("# kept\r\n  {READ}\n\n");
    write(&policies, " Team/Ops ", &text).await.unwrap();
    let entry = policies.read("TEAM/ops", at(11)).await.unwrap().unwrap();
    assert_eq!((entry.name.as_str(), entry.text), ("team/ops", text));
    assert_eq!((entry.version, entry.modified), (1, Some(at(10))));
    assert_eq!(
        policies.list(at(11)).await.unwrap(),
        ["default", "team/ops", "root"]
    );
    policies.delete("Team/OPS", at(12)).await.unwrap();
    policies.delete("team/ops", at(12)).await.unwrap();
    assert_eq!(policies.read("team/ops", at(13)).await.unwrap(), None);
    assert_eq!(policies.list(at(13)).await.unwrap(), ["default", "root"]);
}

#[tokio::test]
async fn built_in_policies_are_protected() {
    let (policies, _) = opened().await;
    for name in ["root", "ROOT", " Root", "response-wrapping"] {
        let written = write(&policies, name, READ).await;
        assert!(matches!(written, Err(Error::Protected { .. })), "{name}");
        let deleted = policies.delete(name, at(1)).await;
        assert!(matches!(deleted, Err(Error::Protected { .. })), "{name}");
    }
    assert!(policies.delete("Default", at(1)).await.is_err());
    assert_eq!(
        policies.read("root", at(1)).await.unwrap().unwrap().text,
        ""
    );
    assert_eq!(held(&policies, &["root"], 1).await, ["root"]);
    assert_eq!(
        held(&policies, &["ROOT"], 1).await,
        ["deny"],
        "tokens keep normal names"
    );
    assert_eq!(held(&policies, &["default"], 1).await, ["deny"]);
    write(&policies, "default", READ).await.unwrap();
    assert_eq!(
        held(&policies, &["default"], 11).await,
        ["read"],
        "default may be changed"
    );
}

#[tokio::test]
async fn names_are_checked() {
    let (policies, _) = opened().await;
    let long = "x".repeat(513);
    for name in ["", "  ", "a//b", "/a", "a/", "a/../b", ".", "a\nb", &long] {
        let written = write(&policies, name, READ).await;
        assert!(matches!(written, Err(Error::Name(..))), "{name:?}");
    }
    assert!(matches!(
        write(&policies, "a", "paht").await,
        Err(Error::Syntax(_))
    ));
    assert_eq!(
        policies.read("a", at(1)).await.unwrap(),
        None,
        "a refused text leaves nothing"
    );
}

#[tokio::test]
async fn every_decision_after_a_write_obeys_it() {
    let (policies, _) = opened().await;
    assert_eq!(
        held(&policies, &["p", "q"], 1).await,
        ["deny"],
        "missing names are skipped"
    );
    write(&policies, "p", READ).await.unwrap();
    assert_eq!(held(&policies, &["p", "q"], 11).await, ["read"]);
    write(&policies, "q", LIST).await.unwrap();
    assert_eq!(
        held(&policies, &["p", "q", "p"], 11).await,
        ["list", "read"]
    );
    write(&policies, "P", LIST).await.unwrap();
    assert_eq!(held(&policies, &["p"], 11).await, ["list"]);
    policies.delete("p", at(12)).await.unwrap();
    assert_eq!(held(&policies, &["p"], 12).await, ["deny"]);
    assert_eq!(held(&policies, &["q"], 12).await, ["list"]);
}

#[tokio::test]
async fn compiled_policies_are_shared_until_one_changes() {
    let (policies, _) = opened().await;
    write(&policies, "p", READ).await.unwrap();
    let names = ["default".to_owned(), "p".to_owned()];
    let first = policies.acl_for(&names, None, at(11)).await.unwrap();
    assert!(Arc::ptr_eq(
        &first,
        &policies.acl_for(&names, None, at(11)).await.unwrap()
    ));
    write(&policies, "other", READ).await.unwrap();
    assert!(Arc::ptr_eq(
        &first,
        &policies.acl_for(&names, None, at(11)).await.unwrap()
    ));
    write(&policies, "p", READ).await.unwrap();
    assert!(!Arc::ptr_eq(
        &first,
        &policies.acl_for(&names, None, at(11)).await.unwrap()
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_decision_is_older_than_an_acknowledged_write() {
    let (policies, _) = opened().await;
    write(&policies, "p", READ).await.unwrap();
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let policies = policies.clone();
            tokio::spawn(async move {
                for _ in 0..2_000 {
                    held(&policies, &["p"], 11).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for round in 0..200 {
        let (text, expected) = if round % 2 == 0 {
            (LIST, "list")
        } else {
            (READ, "read")
        };
        write(&policies, "p", text).await.unwrap();
        assert_eq!(
            held(&policies, &["p"], 11).await,
            [expected],
            "round {round}"
        );
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn versions_are_checked_where_asked() {
    let (policies, _) = opened().await;
    let put = |cas, cas_required| Put {
        text: READ.into(),
        cas,
        cas_required,
        expires: None,
    };
    policies.put("c", put(Some(0), None), at(1)).await.unwrap();
    for wrong in [put(Some(0), None), put(Some(-1), None), put(Some(-2), None)] {
        let written = policies.put("c", wrong, at(1)).await;
        assert!(matches!(written, Err(Error::CheckAndSet(_))));
    }
    policies
        .put("c", put(Some(1), Some(true)), at(1))
        .await
        .unwrap();
    assert!(
        policies
            .put("c", put(None, Some(false)), at(1))
            .await
            .is_err()
    );
    policies
        .put("c", put(Some(2), Some(false)), at(1))
        .await
        .unwrap();
    policies.put("c", put(None, None), at(1)).await.unwrap();
    assert_eq!(policies.read("c", at(1)).await.unwrap().unwrap().version, 4);
    policies.put("d", put(Some(-1), None), at(1)).await.unwrap();
}

#[tokio::test]
async fn policies_and_their_rules_expire_in_memory_too() {
    let (policies, _) = opened().await;
    let put = Put {
        text: READ.into(),
        expires: Some(at(100)),
        ..Put::default()
    };
    policies.put("p", put.clone(), at(1)).await.unwrap();
    let rule = LIST.replace('}', "expiration = 50 }");
    write(&policies, "q", &rule).await.unwrap();
    assert_eq!(held(&policies, &["p", "q"], 49).await, ["list", "read"]);
    assert_eq!(held(&policies, &["p", "q"], 50).await, ["read"]);
    assert_eq!(held(&policies, &["p", "q"], 100).await, ["deny"]);
    assert_eq!(policies.read("p", at(100)).await.unwrap(), None);
    assert_eq!(
        policies.list(at(100)).await.unwrap(),
        ["default", "q", "root"]
    );
    assert!(matches!(
        policies.put("p", put, at(100)).await,
        Err(Error::Expired)
    ));
    write(&policies, "p", READ).await.unwrap();
    assert_eq!(held(&policies, &["p"], 101).await, ["read"]);
}

#[tokio::test]
async fn a_sealed_barrier_refuses_what_is_not_in_memory() {
    let (policies, barrier) = opened().await;
    write(&policies, "p", READ).await.unwrap();
    barrier.seal();
    let refused = policies.acl_for(&["p".to_owned()], None, at(11)).await;
    assert!(matches!(refused, Err(Error::Barrier(_))));
    assert!(write(&policies, "p", LIST).await.is_err());
}
