//! Many requests at once, and what they know of each other's changes.

use std::sync::Arc;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_one_key_are_all_kept() {
    let bench = Arc::new(Bench::<Kms>::new().await);
    let id = symmetric(&bench).await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (bench, id) = (Arc::clone(&bench), id.clone());
            tokio::spawn(async move {
                let tags = json!({"tags": [{"tag_key": format!("t{n}"), "tag_value": ""}]});
                bench.write(&format!("keys/{id}/tags"), tags).await.unwrap();
                bench
                    .write(&format!("aliases/a{n}"), json!({"target_key_id": id}))
                    .await
                    .unwrap();
                bench
                    .write(&format!("keys/{id}/rotate"), json!({}))
                    .await
                    .unwrap();
                encrypt(&bench, &id, &n.to_string()).await
            })
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let blob = task.await.unwrap();
        assert_eq!(decrypt(&bench, &id, &blob).await.unwrap(), n.to_string());
    }
    let tags = bench.read(&format!("keys/{id}/tags")).await.unwrap().data;
    assert_eq!(tags["tags"].as_array().unwrap().len(), 20);
    let aliases = list(&bench, "aliases", json!({"key_id": id})).await.data;
    assert_eq!(aliases["keys"].as_array().unwrap().len(), 20);
    let rotations = bench
        .read(&format!("keys/{id}/rotations"))
        .await
        .unwrap()
        .data;
    assert_eq!(rotations["rotations"].as_array().unwrap().len(), 20);
}

/// Whoever is told that a key is disabled can rely on it, however many use the key at that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_uses_a_key_after_it_was_disabled() {
    let bench = Arc::new(Bench::<Kms>::new().await);
    let id = symmetric(&bench).await;
    bench
        .write("aliases/app", json!({"target_key_id": id}))
        .await
        .unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let users: Vec<_> = (0..3)
        .map(|n| {
            let (bench, stop) = (Arc::clone(&bench), Arc::clone(&stop));
            let path = if n == 0 {
                "encrypt/alias:app".to_owned()
            } else {
                format!("encrypt/{id}")
            };
            tokio::spawn(async move {
                while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                    let _ = bench.write(&path, json!({"plaintext": b64("x")})).await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..100 {
        bench
            .write(&format!("keys/{id}/disable"), json!({}))
            .await
            .unwrap();
        for path in ["encrypt/alias:app", &format!("encrypt/{id}")] {
            let used = refused(&bench, path, json!({"plaintext": b64("x")})).await;
            assert_eq!(used, "DisabledException");
        }
        bench
            .write(&format!("keys/{id}/enable"), json!({}))
            .await
            .unwrap();
        encrypt(&bench, "alias:app", "x").await;
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    for user in users {
        user.await.unwrap();
    }
}

/// More keys than are held ready: those that had to make room work on.
#[tokio::test]
async fn more_keys_than_are_held_ready() {
    let bench = Bench::<Kms>::new().await;
    let mut blobs = Vec::new();
    for n in 0..1_100 {
        let id = symmetric(&bench).await;
        let blob = encrypt(&bench, &id, &n.to_string()).await;
        blobs.push((id, blob));
    }
    for (n, (id, blob)) in blobs.iter().enumerate() {
        assert_eq!(decrypt(&bench, id, blob).await.unwrap(), n.to_string());
    }
}
