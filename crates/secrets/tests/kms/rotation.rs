use super::*;

async fn rotations(bench: &Bench<Kms>, id: &str, all: bool) -> Vec<Value> {
    let what = if all {
        "ALL_KEY_MATERIAL"
    } else {
        "ROTATIONS_ONLY"
    };
    let fields = json!({"include_key_material": what});
    let path = format!("keys/{id}/rotations");
    let read = bench.request(Verb::Read, &path, fields).await.unwrap();
    read.data["rotations"].as_array().unwrap().clone()
}

#[tokio::test]
async fn old_versions_decrypt_and_the_new_one_encrypts() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    let mut blobs = vec![encrypt(&bench, &id, "0").await];
    for n in 1..=25 {
        bench
            .write(&format!("keys/{id}/rotate"), json!({}))
            .await
            .unwrap();
        blobs.push(encrypt(&bench, &id, &n.to_string()).await);
    }
    for (n, blob) in blobs.iter().enumerate() {
        assert_eq!(decrypt(&bench, &id, blob).await.unwrap(), n.to_string());
    }
    let wrong = refused(&bench, &format!("keys/{id}/rotate"), json!({})).await;
    assert_eq!(wrong, "LimitExceededException");
    let shown = rotations(&bench, &id, false).await;
    assert_eq!(shown.len(), 25);
    assert!(shown.iter().all(|one| one["rotation_type"] == "ON_DEMAND"));
    let all = rotations(&bench, &id, true).await;
    assert_eq!(all.len(), 26);
    assert!(all[0].get("rotation_date").is_none());
    let current: Vec<_> = all
        .iter()
        .filter(|one| one["key_material_state"] == "CURRENT")
        .collect();
    assert_eq!(current.len(), 1);
    let described = bench.read(&format!("keys/{id}")).await.unwrap().data;
    assert_eq!(
        described["current_key_material_id"],
        current[0]["key_material_id"]
    );
    let page = bench
        .request(
            Verb::Read,
            &format!("keys/{id}/rotations"),
            json!({"limit": 10}),
        )
        .await
        .unwrap()
        .data;
    assert_eq!(page["rotations"].as_array().unwrap().len(), 10);
    assert_eq!(page["truncated"], true);
}

#[tokio::test]
async fn the_calendar_rotates() {
    let mut bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    let path = format!("keys/{id}/rotation");
    let start = bench.now;
    let status = bench.read(&path).await.unwrap().data;
    assert_eq!(status, json!({"key_id": id, "key_rotation_enabled": false}));
    for wrong in [89, 2_561, 0, -365] {
        let fields = json!({"enabled": true, "rotation_period_in_days": wrong});
        assert_eq!(refused(&bench, &path, fields).await, "ValidationException");
    }
    let on = json!({"enabled": true, "rotation_period_in_days": 90});
    bench.write(&path, on.clone()).await.unwrap();
    let status = bench.read(&path).await.unwrap().data;
    assert_eq!(status["next_rotation_date"], json!(start.plus(days(90))));
    bench.advance(days(80));
    // Saying it again puts nothing off.
    bench.write(&path, on).await.unwrap();
    bench
        .write(&format!("keys/{id}/rotate"), json!({}))
        .await
        .unwrap();
    bench.advance(days(10) - Duration::from_secs(1));
    bench.tick().await.unwrap();
    assert_eq!(rotations(&bench, &id, false).await.len(), 1);
    bench.advance(Duration::from_secs(31));
    bench.tick().await.unwrap();
    bench.tick().await.unwrap();
    let shown = rotations(&bench, &id, false).await;
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[1]["rotation_type"], "AUTOMATIC");
    // A late tick does not move the schedule.
    let status = bench.read(&path).await.unwrap().data;
    assert_eq!(status["next_rotation_date"], json!(start.plus(days(180))));

    bench
        .write(&format!("keys/{id}/disable"), json!({}))
        .await
        .unwrap();
    bench.advance(days(400));
    bench.tick().await.unwrap();
    assert_eq!(
        rotations(&bench, &id, false).await.len(),
        2,
        "not while it is disabled"
    );
    bench
        .write(&format!("keys/{id}/enable"), json!({}))
        .await
        .unwrap();
    bench.tick().await.unwrap();
    assert_eq!(rotations(&bench, &id, false).await.len(), 3);
    let status = bench.read(&path).await.unwrap().data;
    assert_eq!(
        status["next_rotation_date"],
        json!(bench.now.plus(days(90)))
    );

    bench
        .write(&format!("keys/{id}/schedule-deletion"), json!({}))
        .await
        .unwrap();
    let status = bench.read(&path).await.unwrap().data;
    assert_eq!(status["key_rotation_enabled"], false);
    bench
        .write(&format!("keys/{id}/cancel-deletion"), json!({}))
        .await
        .unwrap();
    let status = bench.read(&path).await.unwrap().data;
    assert_eq!(status["key_rotation_enabled"], true);
    bench
        .write(&format!("keys/{id}/enable"), json!({}))
        .await
        .unwrap();
    bench.write(&path, json!({"enabled": false})).await.unwrap();
    bench.advance(days(1_000));
    bench.tick().await.unwrap();
    assert_eq!(rotations(&bench, &id, false).await.len(), 3);
}

#[tokio::test]
async fn only_symmetric_keys_rotate() {
    let bench = Bench::<Kms>::new().await;
    for fields in [
        json!({"key_spec": "HMAC_256", "key_usage": "GENERATE_VERIFY_MAC"}),
        json!({"key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}),
    ] {
        let id = key(&bench, fields).await;
        for (path, fields) in [
            ("rotate", json!({})),
            ("rotation", json!({"enabled": true})),
        ] {
            let path = format!("keys/{id}/{path}");
            assert_eq!(
                refused(&bench, &path, fields).await,
                "UnsupportedOperationException"
            );
        }
        for path in ["rotation", "rotations"] {
            let read = bench.read(&format!("keys/{id}/{path}")).await;
            assert_eq!(exception(read), "UnsupportedOperationException");
        }
    }
    let id = key(&bench, json!({"origin": "EXTERNAL"})).await;
    let path = format!("keys/{id}/rotation");
    assert_eq!(
        refused(&bench, &path, json!({"enabled": true})).await,
        "UnsupportedOperationException"
    );
}

/// Ten keys due at once, and one whose record is damaged: the others are rotated all the same.
#[tokio::test]
async fn one_that_fails_holds_up_no_other() {
    let mut bench = Bench::<Kms>::new().await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        let id = symmetric(&bench).await;
        let on = json!({"enabled": true, "rotation_period_in_days": 90});
        bench
            .write(&format!("keys/{id}/rotation"), on)
            .await
            .unwrap();
        ids.push(id);
    }
    let broken = ids.swap_remove(3);
    let place = format!("key/{broken}");
    bench
        .view()
        .put(&place, &golden::Raw(json!({"not": "a key"})))
        .await
        .unwrap();
    bench.advance(days(90));
    assert!(bench.tick().await.is_err());
    for id in ids {
        assert_eq!(rotations(&bench, &id, false).await.len(), 1);
    }
}
