//! The barrier over the memory store.

#![expect(clippy::unwrap_used, reason = "what fails in a test is a failed test")]

use std::sync::Arc;

use coffer_barrier::{Barrier, Error, Foundation, Rotation, Seen, Stored, View, seal};
use coffer_crypto::{Aes256Key, Random};
use coffer_storage::{Batch, MAX_PAGE_BYTES, Memory};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Counter {
    count: u64,
}

impl Stored for Counter {}

async fn opened() -> (Arc<Barrier>, Aes256Key) {
    let barrier = Arc::new(Barrier::new(Arc::new(Memory::new()), Random::system()));
    let root = Aes256Key::generate(barrier.random()).unwrap();
    barrier.initialise(&root, 1, Batch::new()).await.unwrap();
    barrier
        .unseal(Aes256Key::from_slice(root.expose_bytes()).unwrap())
        .await
        .unwrap();
    (barrier, root)
}

async fn count(view: &View) -> Option<u64> {
    view.get::<Counter>("a/b")
        .await
        .unwrap()
        .map(|counter| counter.count)
}

#[tokio::test]
async fn records_come_back_and_are_encrypted() {
    let (barrier, _) = opened().await;
    let view = barrier.view("logical/1/");
    view.put("a/b", &Counter { count: 7 }).await.unwrap();
    assert_eq!(count(&view).await, Some(7));
    let bytes = barrier.store().get("logical/1/a/b").await.unwrap().unwrap();
    assert!(!bytes.windows(5).any(|part| part == b"count"));
}

#[tokio::test]
async fn a_record_moved_to_another_path_is_damaged() {
    let (barrier, _) = opened().await;
    let view = barrier.view("x/");
    view.put("one", &Counter { count: 1 }).await.unwrap();
    let bytes = barrier.store().get("x/one").await.unwrap().unwrap();
    barrier.store().put("x/two", bytes).await.unwrap();
    assert!(matches!(
        view.get::<Counter>("two").await,
        Err(Error::Damaged { .. })
    ));
}

#[tokio::test]
async fn sealing_takes_the_keys_away_and_unsealing_brings_them_back() {
    let (barrier, root) = opened().await;
    let view = barrier.view("x/");
    view.put("a/b", &Counter { count: 1 }).await.unwrap();
    barrier.seal();
    assert!(matches!(
        view.get::<Counter>("a/b").await,
        Err(Error::Sealed)
    ));
    let wrong = Aes256Key::generate(barrier.random()).unwrap();
    assert!(matches!(barrier.unseal(wrong).await, Err(Error::WrongKey)));
    barrier.unseal(root).await.unwrap();
    assert_eq!(count(&view).await, Some(1));
}

#[tokio::test]
async fn rotation_keeps_old_records_readable() {
    let (barrier, _) = opened().await;
    let view = barrier.view("x/");
    view.put("a/b", &Counter { count: 1 }).await.unwrap();
    assert_eq!(barrier.rotate(5).await.unwrap(), 2);
    assert_eq!(count(&view).await, Some(1));
    view.put("a/b", &Counter { count: 2 }).await.unwrap();
    assert_eq!(
        (count(&view).await, barrier.key_info().unwrap().term),
        (Some(2), 2)
    );
}

#[tokio::test]
async fn updates_lose_nothing_under_contention() {
    let (barrier, _) = opened().await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let view = barrier.view("x/");
            tokio::spawn(async move {
                let add = |old: Option<Counter>| {
                    Ok::<_, Error>((
                        Some(Counter {
                            count: old.map_or(0, |c| c.count) + 1,
                        }),
                        (),
                    ))
                };
                view.update("a/b", add).await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(count(&barrier.view("x/")).await, Some(16));
}

#[tokio::test]
async fn changes_are_all_or_nothing() {
    let (barrier, _) = opened().await;
    let view = barrier.view("x/");
    view.put("a/b", &Counter { count: 1 }).await.unwrap();
    let changes = view
        .changes()
        .put(&view, "c", &Counter { count: 9 })
        .unwrap()
        .expect(&view, "a/b", Seen::NOTHING);
    assert!(matches!(changes.commit().await, Err(Error::Conflict)));
    assert_eq!(view.get::<Counter>("c").await.unwrap(), None);
}

#[tokio::test]
async fn shares_open_the_root_key_and_too_few_do_not() {
    let (barrier, root) = opened().await;
    let config = seal::SealConfig::new(5, 3).unwrap();
    let (shares, batch) = barrier.wrap(&root, config).unwrap();
    barrier.store().commit(batch).await.unwrap();
    assert_eq!(barrier.seal_config().await.unwrap(), Some(config));
    let opened = barrier.unwrap(config, &shares[1..4]).await.unwrap();
    assert_eq!(opened.expose_bytes(), root.expose_bytes());
    assert!(matches!(
        barrier.unwrap(config, &shares[..2]).await,
        Err(Error::WrongKey)
    ));
}

#[test]
fn share_counts_are_checked() {
    for (shares, threshold) in [
        (0, 0),
        (256, 3),
        (3, 4),
        (3, 0),
        (5, 1),
        (-1, 1),
        (3, -1),
        (300, 300),
    ] {
        assert!(
            seal::SealConfig::new(shares, threshold).is_err(),
            "{shares}/{threshold}"
        );
    }
    assert!(seal::SealConfig::new(1, 1).is_ok());
    assert!(seal::SealConfig::new(255, 255).is_ok());
}

#[tokio::test]
async fn rotations_at_once_lose_no_key() {
    let (barrier, root) = opened().await;
    let view = barrier.view("x/");
    let rotations = (0..40).map(|turn| {
        let (barrier, view) = (Arc::clone(&barrier), view.clone());
        tokio::spawn(async move {
            let path = format!("n/{turn}");
            let outcome = match turn % 2 {
                0 => barrier.rotate(turn).await.map(drop),
                _ => barrier.keep_keys_fresh(turn, Rotation::default()).await,
            };
            assert!(matches!(outcome, Ok(()) | Err(Error::Conflict)));
            view.put(&path, &Counter { count: turn }).await.unwrap();
        })
    });
    for rotation in rotations.collect::<Vec<_>>() {
        rotation.await.unwrap();
    }
    let term = barrier.key_info().unwrap().term;
    barrier.seal();
    barrier.unseal(root).await.unwrap();
    assert_eq!(barrier.key_info().unwrap().term, term);
    for turn in 0..40 {
        let kept = view.get::<Counter>(&format!("n/{turn}")).await.unwrap();
        assert_eq!(kept, Some(Counter { count: turn }));
    }
}

#[tokio::test]
async fn keys_are_replaced_when_they_are_old_or_used() {
    let (barrier, _) = opened().await;
    let view = barrier.view("x/");
    let mut rotation = Rotation {
        max_encryptions: 3,
        interval_secs: 100,
        enabled: true,
    };
    let term = || barrier.key_info().unwrap().term;
    barrier.keep_keys_fresh(50, rotation).await.unwrap();
    assert_eq!(term(), 1);
    barrier.keep_keys_fresh(101, rotation).await.unwrap();
    assert_eq!(term(), 2, "it was 100 seconds in use");
    for count in 0..3 {
        view.put("a/b", &Counter { count }).await.unwrap();
    }
    rotation.enabled = false;
    barrier.keep_keys_fresh(500, rotation).await.unwrap();
    assert_eq!(term(), 2, "rotation is off");
    rotation.enabled = true;
    rotation.interval_secs = 0;
    barrier.keep_keys_fresh(500, rotation).await.unwrap();
    assert_eq!(term(), 3, "it encrypted three times");
    assert_eq!(count(&view).await, Some(2));
}

#[tokio::test]
async fn another_root_key_opens_what_was_there() {
    let (barrier, old) = opened().await;
    let view = barrier.view("x/");
    view.put("a/b", &Counter { count: 1 }).await.unwrap();
    let new = Aes256Key::generate(barrier.random()).unwrap();
    let copy = Aes256Key::from_slice(new.expose_bytes()).unwrap();
    barrier.change_root(copy, Batch::new()).await.unwrap();
    barrier.seal();
    assert!(matches!(barrier.unseal(old).await, Err(Error::WrongKey)));
    barrier.unseal(new).await.unwrap();
    assert_eq!(count(&view).await, Some(1));
}

#[tokio::test]
async fn what_was_decided_before_everything_was_replaced_is_not_written_after() {
    let (barrier, root) = opened().await;
    let view = barrier.view("x/");
    view.put("a/b", &Counter { count: 1 }).await.unwrap();
    let changes = view.changes().put(&view, "late", &Counter { count: 2 });
    let changes = changes.unwrap();

    let frozen = barrier.store().freeze().await.unwrap();
    let mut other = barrier.store().replace().await.unwrap();
    let mut foundation = Foundation::default();
    for (path, value) in frozen.page(None).unwrap() {
        foundation.see(&path, &value);
        other.add(vec![(path, value)]).unwrap();
    }
    assert_eq!(foundation.missing(), Some("core/root-key"));
    assert!(foundation.opens_with(&root));
    other.complete().unwrap();
    other.take_place().await.unwrap();

    assert!(matches!(changes.commit().await, Err(Error::Sealed)));
    let read = view.get::<Counter>("a/b").await;
    assert!(matches!(read, Err(Error::Sealed)));
    let written = view.put("a/b", &Counter { count: 3 }).await;
    assert!(matches!(written, Err(Error::Sealed)));
    assert_eq!(count(&barrier.view("x/")).await, Some(1));
}

#[tokio::test]
async fn only_this_cluster_seals_with_its_root_key() {
    let (barrier, _) = opened().await;
    let sealed = barrier.seal_with_root(b"one", b"bytes").unwrap();
    assert_eq!(*barrier.open_with_root(b"one", &sealed).unwrap(), b"bytes");
    let (other, _) = opened().await;
    for opened in [
        barrier.open_with_root(b"two", &sealed),
        other.open_with_root(b"one", &sealed),
    ] {
        assert!(matches!(opened, Err(Error::WrongKey)));
    }
}

/// A record so large that a page of the store holds a few of them.
#[derive(Serialize, Deserialize)]
struct Large {
    text: String,
}

impl Stored for Large {}

#[tokio::test]
async fn pages_are_read_to_the_end_however_short_they_are() {
    let (barrier, _) = opened().await;
    let view = barrier.view("x/");
    let large = Large {
        text: "x".repeat(MAX_PAGE_BYTES / 3),
    };
    let names: Vec<String> = (0..10).map(|number| format!("in/{number}")).collect();
    for name in &names {
        view.put(name, &large).await.unwrap();
    }
    view.put("out", &large).await.unwrap();
    for limit in [1, 4, 1_000] {
        let (mut found, mut sizes) = (Vec::new(), Vec::new());
        let mut pages = view.pages::<Large>("in/").at_most(limit);
        while let Some(page) = pages.next().await.unwrap() {
            sizes.push(page.len());
            found.extend(page.into_iter().map(|(path, _)| path));
        }
        assert_eq!(found, names);
        assert!(sizes.iter().all(|size| (1..10).contains(size)), "{sizes:?}");
        let mut paths = Vec::new();
        let mut pages = view.path_pages("in/").at_most(limit);
        while let Some(page) = pages.next().await.unwrap() {
            paths.extend(page);
        }
        assert_eq!(paths, names);
    }
    assert!(view.pages::<Large>("none/").next().await.unwrap().is_none());
}

/// A barrier with a part below `ns/1/` whose keys are its own, both open; and the root key of the part.
async fn divided() -> (Arc<Barrier>, Arc<Barrier>, Aes256Key) {
    let (barrier, _) = opened().await;
    let part = Arc::new(barrier.part("keys/1/"));
    assert!(barrier.add_part(&part, &["ns/1/".to_owned(), "in/aaa".to_owned()]));
    let root = Aes256Key::generate(barrier.random()).unwrap();
    part.initialise(&root, 1, Batch::new()).await.unwrap();
    part.unseal(copied(&root)).await.unwrap();
    (barrier, part, root)
}

fn copied(key: &Aes256Key) -> Aes256Key {
    Aes256Key::from_slice(key.expose_bytes()).unwrap()
}

#[tokio::test]
async fn a_part_is_out_of_reach_while_it_is_sealed() {
    let (barrier, part, root) = divided().await;
    let whole = barrier.view("");
    for path in ["ns/1/x", "in/aaabbb/x", "ns/2/x", "in/aab"] {
        whole.put(path, &Counter { count: 1 }).await.unwrap();
    }
    part.seal();
    for (path, inside) in [
        ("ns/1/x", true),
        ("in/aaabbb/x", true),
        ("ns/2/x", false),
        ("in/aab", false),
    ] {
        let read = whole.get::<Counter>(path).await;
        let written = whole.put(path, &Counter { count: 2 }).await;
        match inside {
            true => {
                assert!(matches!(read, Err(Error::PartSealed)), "{path}");
                assert!(matches!(written, Err(Error::PartSealed)), "{path}");
                assert!(matches!(barrier.raw(path).await, Err(Error::PartSealed)));
            }
            false => assert_eq!(read.unwrap(), Some(Counter { count: 1 }), "{path}"),
        }
    }
    let all = whole.scan_parts::<Counter>("ns/", None, 10).await.unwrap();
    let all: Vec<_> = all
        .iter()
        .map(|(path, value)| (path.as_str(), value.is_some()))
        .collect();
    assert_eq!(all, [("ns/1/x", false), ("ns/2/x", true)]);
    assert!(whole.scan::<Counter>("ns/", None, 10).await.is_err());
    part.unseal(root).await.unwrap();
    assert_eq!(
        whole.get("ns/1/x").await.unwrap(),
        Some(Counter { count: 1 })
    );
    barrier.seal();
    assert!(!part.is_open(), "it is sealed with the whole");
    assert!(matches!(
        whole.get::<Counter>("ns/1/x").await,
        Err(Error::Sealed)
    ));
}

#[tokio::test]
async fn who_knows_what_was_before_a_part_was_sealed_is_refused() {
    let (barrier, part, root) = divided().await;
    let view = barrier.view("ns/1/");
    view.put("a", &Counter { count: 1 }).await.unwrap();
    let late = view
        .changes()
        .put(&view, "a", &Counter { count: 2 })
        .unwrap();
    let deletion = view.changes().delete(&view, "a");
    part.seal();
    part.unseal(root).await.unwrap();
    assert!(matches!(late.commit().await, Err(Error::PartSealed)));
    assert!(matches!(deletion.commit().await, Err(Error::PartSealed)));
    for stale in [view.clone(), view.sub("b/")] {
        assert!(matches!(
            stale.get::<Counter>("a").await,
            Err(Error::PartSealed)
        ));
        assert!(matches!(stale.list_all("").await, Err(Error::PartSealed)));
        assert!(
            barrier
                .view("")
                .changes()
                .put(&stale, "a", &Counter { count: 3 })
                .is_err()
        );
    }
    assert_eq!(
        barrier.view("ns/1/").get("a").await.unwrap(),
        Some(Counter { count: 1 })
    );
}

#[tokio::test]
async fn one_step_writes_to_several_parts_or_to_none() {
    let (barrier, part, _) = divided().await;
    let (inside, outside) = (barrier.view("ns/1/"), barrier.view("ns/2/"));
    let both = inside
        .changes()
        .put(&inside, "a", &Counter { count: 1 })
        .unwrap();
    let both = both.put(&outside, "a", &Counter { count: 1 }).unwrap();
    both.commit().await.unwrap();
    inside.copy_to(&barrier.view("ns/3/")).await.unwrap();
    outside.copy_to(&barrier.view("ns/1/moved/")).await.unwrap();
    part.seal();
    let read = async |path: &str| barrier.view("").get::<Counter>(path).await;
    assert!(
        read("ns/3/a").await.unwrap().is_some(),
        "moved out, it has the keys of the whole"
    );
    assert!(matches!(read("ns/1/moved/a").await, Err(Error::PartSealed)));
}

#[tokio::test]
async fn key_material_is_bound_to_its_place() {
    let (barrier, part, root) = divided().await;
    let config = seal::SealConfig::new(3, 2).unwrap();
    let (shares, wrapped) = part.wrap(&root, config).unwrap();
    barrier.store().commit(wrapped).await.unwrap();
    assert!(
        part.is_root(&part.unwrap(config, &shares[..2]).await.unwrap())
            .unwrap()
    );
    let other = barrier.part("keys/2/");
    let mut moved = Batch::new();
    for name in ["keyring", "root-key", "seal-config"] {
        let from = format!("keys/1/{name}");
        assert!(matches!(barrier.raw(&from).await, Err(Error::Protected(_))));
        let bytes = barrier.store().get(&from).await.unwrap().unwrap();
        moved = moved.put(format!("keys/2/{name}"), bytes);
    }
    barrier.store().commit(moved).await.unwrap();
    assert!(matches!(
        other.unwrap(config, &shares[..2]).await,
        Err(Error::WrongKey)
    ));
    assert!(matches!(
        other.unseal(copied(&root)).await,
        Err(Error::WrongKey)
    ));
    barrier.store().commit(part.destruction()).await.unwrap();
    assert_eq!(part.seal_config().await.unwrap(), None);
}
