use super::*;

#[tokio::test]
async fn an_alias_stands_for_a_key_and_then_for_another() {
    let bench = Bench::<Kms>::new().await;
    let (one, other) = (symmetric(&bench).await, symmetric(&bench).await);
    assert_eq!(bench.exists("aliases/team:app").await, Some(false));
    bench
        .write("aliases/team:app", json!({"target_key_id": one}))
        .await
        .unwrap();
    assert_eq!(bench.exists("aliases/team:app").await, Some(true));
    let blob = encrypt(&bench, "alias:team:app", "text").await;
    assert_eq!(decrypt(&bench, &one, &blob).await.unwrap(), "text");
    let read = bench.read("aliases/team:app").await.unwrap().data;
    assert_eq!(read["alias_name"], "alias/team/app");
    assert_eq!(read["target_key_id"], one.as_str());
    assert_eq!(
        bench.read("keys/alias:team:app").await.unwrap().data["key_id"],
        one.as_str()
    );

    bench
        .write(
            "aliases/team:app",
            json!({"target_key_id": other, "update_only": true}),
        )
        .await
        .unwrap();
    assert_eq!(
        exception(decrypt(&bench, "alias:team:app", &blob).await),
        "IncorrectKeyException"
    );
    let blob = encrypt(&bench, "alias:team:app", "text").await;
    assert_eq!(decrypt(&bench, &other, &blob).await.unwrap(), "text");
    assert_eq!(
        list(&bench, "aliases", json!({"key_id": one})).await.data["aliases"],
        json!([])
    );
    let of_other = list(&bench, "aliases", json!({"key_id": other})).await.data;
    assert_eq!(of_other["keys"], json!(["team:app"]));

    bench.delete("aliases/team:app").await.unwrap();
    assert_eq!(
        exception(decrypt(&bench, "alias:team:app", &blob).await),
        "NotFoundException"
    );
    assert_eq!(
        exception(bench.delete("aliases/team:app").await),
        "NotFoundException"
    );
    assert_eq!(decrypt(&bench, &other, &blob).await.unwrap(), "text");
}

#[tokio::test]
async fn what_an_alias_can_not_be() {
    let bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    let mac = key(
        &bench,
        json!({"key_spec": "HMAC_256", "key_usage": "GENERATE_VERIFY_MAC"}),
    )
    .await;
    let to = json!({"target_key_id": id});
    for name in ["aws:s3", "a.b", "a b", "ä", &"a".repeat(251)] {
        let path = format!("aliases/{name}");
        assert_eq!(
            refused(&bench, &path, to.clone()).await,
            "InvalidAliasNameException",
            "{name}"
        );
    }
    for target in ["", "alias:app", "x", "1234abcd-12ab-34cd-56ef-1234567890ab"] {
        let fields = json!({"target_key_id": target});
        assert_eq!(
            refused(&bench, "aliases/app", fields).await,
            "NotFoundException"
        );
    }
    let update = json!({"target_key_id": id, "update_only": true});
    assert_eq!(
        refused(&bench, "aliases/app", update).await,
        "NotFoundException"
    );
    bench.write("aliases/app", to.clone()).await.unwrap();
    let create = json!({"target_key_id": id, "create_only": true});
    assert_eq!(
        refused(&bench, "aliases/app", create).await,
        "AlreadyExistsException"
    );
    let other_kind = json!({"target_key_id": mac});
    assert_eq!(
        refused(&bench, "aliases/app", other_kind).await,
        "ValidationException"
    );
    for n in 1..50 {
        bench
            .write(&format!("aliases/n{n}"), to.clone())
            .await
            .unwrap();
    }
    assert_eq!(
        refused(&bench, "aliases/n50", to.clone()).await,
        "LimitExceededException"
    );
    bench.write("aliases/n49", to).await.unwrap();
}

#[tokio::test]
async fn aliases_come_in_pages_and_end_with_their_key() {
    let mut bench = Bench::<Kms>::new().await;
    let (one, other) = (symmetric(&bench).await, symmetric(&bench).await);
    for name in ["a", "a-b", "a:b", "b", "c"] {
        let target = if name == "b" { &other } else { &one };
        bench
            .write(&format!("aliases/{name}"), json!({"target_key_id": target}))
            .await
            .unwrap();
    }
    for (fields, all) in [
        (json!({"limit": 1}), vec!["a", "a-b", "a:b", "b", "c"]),
        (
            json!({"limit": 1, "key_id": one}),
            vec!["a", "a-b", "a:b", "c"],
        ),
    ] {
        let mut fields = fields;
        let mut seen: Vec<String> = Vec::new();
        loop {
            let page = list(&bench, "aliases", fields.clone()).await.data;
            seen.extend(serde_json::from_value::<Vec<String>>(page["keys"].clone()).unwrap());
            match page.get("next_marker") {
                Some(marker) => fields["marker"] = marker.clone(),
                None => break,
            }
        }
        assert_eq!(seen, all);
    }
    bench
        .write(
            &format!("keys/{one}/schedule-deletion"),
            json!({"pending_window_in_days": 7}),
        )
        .await
        .unwrap();
    bench.advance(days(7));
    bench.tick().await.unwrap();
    let left = list(&bench, "aliases", json!({})).await.data;
    assert_eq!(left["keys"], json!(["b"]));
}
