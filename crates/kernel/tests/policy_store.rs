//! Policies behind the barrier: names, versions, and what decisions see when a policy changes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use coffer_barrier::Barrier;
use coffer_crypto::{Aes256Key, Random};
use coffer_kernel::policy::{Error, Identity, Latitude, Patch, Policies, Put};
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
        policies.list("", at(11)).await.unwrap(),
        ["default", "team/ops", "root"]
    );
    assert_eq!(policies.list("TEAM", at(11)).await.unwrap(), ["team/ops"]);
    let nothing: [&str; 0] = [];
    assert_eq!(policies.list("tea", at(11)).await.unwrap(), nothing);
    policies.delete("Team/OPS", at(12)).await.unwrap();
    policies.delete("team/ops", at(12)).await.unwrap();
    assert_eq!(policies.read("team/ops", at(13)).await.unwrap(), None);
    assert_eq!(
        policies.list("", at(13)).await.unwrap(),
        ["default", "root"]
    );
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
        ..Put::default()
    };
    policies.put("c", put(Some(0), false), at(1)).await.unwrap();
    for wrong in [
        put(Some(0), false),
        put(Some(-1), false),
        put(Some(-2), false),
    ] {
        let written = policies.put("c", wrong, at(1)).await;
        assert!(matches!(written, Err(Error::CheckAndSet(_))));
    }
    assert!(policies.put("c", put(None, true), at(1)).await.is_err());
    policies.put("c", put(Some(1), true), at(1)).await.unwrap();
    assert!(policies.put("c", put(None, false), at(1)).await.is_err());
    let blind = policies.patch("c", Patch::default(), at(1)).await;
    assert!(matches!(blind, Err(Error::CheckAndSet(_))), "{blind:?}");
    policies.put("c", put(Some(2), false), at(1)).await.unwrap();
    policies.put("c", put(None, false), at(1)).await.unwrap();
    assert_eq!(policies.read("c", at(1)).await.unwrap().unwrap().version, 4);
    policies
        .put("d", put(Some(-1), false), at(1))
        .await
        .unwrap();
}

#[tokio::test]
async fn the_text_that_is_built_in_is_the_first_version() {
    let (policies, _) = opened().await;
    let built_in = policies.read("default", at(1)).await.unwrap().unwrap();
    assert_eq!((built_in.version, built_in.modified), (1, None));
    let put = |cas| Put {
        text: READ.into(),
        cas: Some(cas),
        ..Put::default()
    };
    for wrong in [-1, 0, 2] {
        assert!(policies.put("default", put(wrong), at(1)).await.is_err());
    }
    policies.put("default", put(1), at(1)).await.unwrap();
    let written = policies.read("default", at(1)).await.unwrap().unwrap();
    assert_eq!((written.version, written.modified), (2, Some(at(1))));
    let patch = Patch {
        cas_required: Some(true),
        ..Patch::default()
    };
    let (policies, _) = opened().await;
    policies.patch("default", patch, at(1)).await.unwrap();
    let patched = policies.read("default", at(1)).await.unwrap().unwrap();
    assert_eq!((patched.text, patched.version), (built_in.text, 2));
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let (policies, _) = opened().await;
    let put = Put {
        text: READ.into(),
        expires: Some(at(100)),
        latitude: Latitude {
            slashes: true,
            wildcards: false,
        },
        ..Put::default()
    };
    policies.put("p", put, at(1)).await.unwrap();
    let text = Patch {
        text: Some(LIST.into()),
        cas: Some(1),
        ..Patch::default()
    };
    assert_eq!(held(&policies, &["p"], 2).await, ["read"]);
    policies.patch("P", text.clone(), at(2)).await.unwrap();
    assert_eq!(held(&policies, &["p"], 2).await, ["list"]);
    let entry = policies.read("p", at(2)).await.unwrap().unwrap();
    assert_eq!((entry.version, entry.expires), (2, Some(at(100))));
    assert!(entry.latitude.slashes && !entry.latitude.wildcards);
    let again = policies.patch("p", text.clone(), at(3)).await;
    assert!(matches!(again, Err(Error::CheckAndSet(_))));
    let wrong = Patch {
        text: Some("paht".into()),
        ..Patch::default()
    };
    assert!(policies.patch("p", wrong, at(3)).await.is_err());
    let past = Patch {
        expires: Some(at(3)),
        ..Patch::default()
    };
    assert!(matches!(
        policies.patch("p", past, at(3)).await,
        Err(Error::Expired)
    ));
    for gone in ["none", "root"] {
        assert!(policies.patch(gone, text.clone(), at(3)).await.is_err());
    }
    let ended = policies.patch("p", Patch::default(), at(100)).await;
    assert!(
        matches!(ended, Err(Error::Missing)),
        "what ended is not revived"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_of_the_same_version_one_succeeds() {
    let (policies, _) = opened().await;
    for round in 0..50 {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let policies = policies.clone();
                tokio::spawn(async move {
                    if writer % 2 == 0 {
                        let patch = Patch {
                            cas: Some(round),
                            text: Some(READ.into()),
                            ..Patch::default()
                        };
                        // A patch makes nothing new.
                        return policies.patch("p", patch, at(1)).await.is_ok();
                    }
                    let put = Put {
                        text: LIST.into(),
                        cas: Some(round),
                        ..Put::default()
                    };
                    policies.put("p", put, at(1)).await.is_ok()
                })
            })
            .collect();
        let mut succeeded = 0;
        for writer in writers {
            succeeded += u32::from(writer.await.unwrap());
        }
        assert_eq!(succeeded, 1, "round {round}");
    }
    let entry = policies.read("p", at(1)).await.unwrap().unwrap();
    assert_eq!(entry.version, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn patches_of_different_fields_at_once_lose_nothing() {
    let (policies, _) = opened().await;
    write(&policies, "p", READ).await.unwrap();
    let patches = [
        Patch {
            slashes: Some(true),
            ..Patch::default()
        },
        Patch {
            wildcards: Some(true),
            ..Patch::default()
        },
        Patch {
            expires: Some(at(500)),
            ..Patch::default()
        },
        Patch {
            text: Some(LIST.into()),
            ..Patch::default()
        },
    ];
    let tasks = patches.map(|patch| {
        let policies = policies.clone();
        tokio::spawn(async move { policies.patch("p", patch, at(20)).await })
    });
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let entry = policies.read("p", at(20)).await.unwrap().unwrap();
    assert!(entry.latitude.slashes && entry.latitude.wildcards);
    assert_eq!((entry.version, entry.expires), (5, Some(at(500))));
    assert_eq!(entry.text, LIST);
}

struct Somebody;

impl Identity for Somebody {
    fn stamp(&self) -> u64 {
        7
    }

    fn value(&self, selector: &str) -> Option<String> {
        (selector == "identity.entity.name").then(|| "team/a*".to_owned())
    }
}

#[tokio::test]
async fn what_was_rendered_for_somebody_ends_with_its_policy() {
    let (policies, _) = opened().await;
    let put = |expires| Put {
        text: "path \"kv/{{identity.entity.name}}\" { capabilities = [\"read\"] }".into(),
        expires,
        latitude: Latitude {
            slashes: true,
            wildcards: true,
        },
        ..Put::default()
    };
    policies.put("t", put(Some(at(100))), at(1)).await.unwrap();
    let names = ["t".to_owned()];
    let held = async |now| {
        let acl = policies.acl_for(&names, Some(&Somebody), at(now)).await;
        acl.unwrap().capabilities("kv/team/abc")
    };
    assert_eq!(held(99).await, ["read"]);
    assert_eq!(held(99).await, ["read"], "from memory");
    assert_eq!(held(100).await, ["deny"]);
    policies.put("t", put(None), at(100)).await.unwrap();
    assert_eq!(held(101).await, ["read"]);
    let careful = Patch {
        wildcards: Some(false),
        ..Patch::default()
    };
    policies.patch("t", careful, at(102)).await.unwrap();
    assert_eq!(held(102).await, ["deny"]);
}

#[tokio::test]
async fn lists_tell_all_about_policies_that_have_not_ended() {
    let (policies, _) = opened().await;
    for name in ["b", "team/x", "team/in/y", "a"] {
        write(&policies, name, READ).await.unwrap();
    }
    let put = Put {
        text: READ.into(),
        expires: Some(at(50)),
        ..Put::default()
    };
    policies.put("team/short", put, at(10)).await.unwrap();
    let names = async |folder, now| -> Vec<String> {
        let entries = policies.entries(folder, at(now)).await.unwrap();
        let names: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
        assert_eq!(policies.list(folder, at(now)).await.unwrap(), names);
        names
    };
    assert_eq!(
        names("team", 49).await,
        ["team/short", "team/x", "team/in/y"]
    );
    assert_eq!(names("Team/In", 49).await, ["team/in/y"]);
    let all = ["a", "b", "default", "team/x", "team/in/y", "root"];
    assert_eq!(names("", 50).await, all);
    for wrong in ["a//b", "..", "/"] {
        assert!(policies.list(wrong, at(50)).await.is_err(), "{wrong}");
    }
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
        policies.list("", at(100)).await.unwrap(),
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
