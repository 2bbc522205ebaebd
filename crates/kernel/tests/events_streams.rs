//! Events as subscribers get them: what is told, to whom, and from where on.

mod harness;

use std::sync::Arc;

use coffer_engine::{Class, Fault, Kind};
use coffer_kernel::Settings;
use coffer_kernel::events::EventId;
use coffer_storage::Memory;
use coffer_wire::Verb;
use harness::Harness;
use harness::bells::Bells;
use harness::streams::{Next, id, kind, said};
use serde_json::{Value, json};

fn settings() -> Settings {
    Settings::new(vec![Kind::new::<Bells>(Class::Secret)])
}

async fn server() -> Harness {
    server_with(settings()).await
}

async fn server_with(settings: Settings) -> Harness {
    let h = Harness::with(settings, Arc::new(Memory::new())).await;
    mount(&h, "").await;
    h
}

async fn mount(h: &Harness, namespace: &str) {
    let wish = json!({ "type": "bells" });
    let done = h.in_ns(namespace, Verb::Write, "sys/mounts/bells", &h.root, wish);
    assert_eq!(done.await.status, 204);
}

async fn ring(h: &Harness, namespace: &str, name: &str) {
    let path = format!("bells/ring/{name}");
    let rung = h.in_ns(namespace, Verb::Write, &path, &h.root, json!({}));
    assert_eq!(rung.await.status, 204);
}

async fn token(h: &Harness, rules: &str) -> String {
    let rules = format!("path \"sys/events/subscribe/*\" {{ capabilities = [\"read\"] }}\n{rules}");
    h.policy("listens", &rules).await;
    h.create(&h.root, json!({ "policies": ["listens"] }))
        .await
        .token()
}

#[tokio::test(start_paused = true)]
async fn an_event_says_where_it_comes_from() {
    let h = server().await;
    let mut stream = h.subscribe(&h.root, "bells/*", Value::Null).await.unwrap();
    ring(&h, "", "one").await;
    let event = stream.event().await;
    assert_eq!(kind(&event), "bells/ring");
    assert_eq!(said(&event, "path"), "bells/ring/one");
    assert_eq!(said(&event, "data_path"), "bells/ring/one");
    assert_eq!(said(&event, "operation"), "ring");
    assert_eq!(said(&event, "modified"), "true");
    assert_eq!(event["data"]["namespace"], "");
    assert_eq!(event["data"]["plugin_info"]["mount_path"], "bells/");
    assert_eq!(event["data"]["plugin_info"]["mount_class"], "secret");
    assert_eq!(event["data"]["plugin_info"]["plugin"], "bells");
    assert_eq!(event["data"]["event"]["id"], event["id"]);
    assert!(event["source"].as_str().unwrap().starts_with("coffer://"));
    assert_eq!(event["time"], "2027-01-15T08:00:00Z");
    assert!(id(&event).parse::<EventId>().is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_not_told_unless_it_is_told_regardless() {
    let h = server().await;
    let mut stream = h.subscribe(&h.root, "bells/*", Value::Null).await.unwrap();
    let fail = |more: Value| {
        let mut body = json!({ "fail": true });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        h.write("bells/ring/cracked", &h.root, body)
    };
    assert_eq!(fail(json!({})).await.status, 400);
    assert_eq!(fail(json!({ "regardless": true })).await.status, 400);
    ring(&h, "", "whole").await;
    let told: Vec<_> = stream.events().await;
    let paths: Vec<_> = told.iter().map(|event| said(event, "path")).collect();
    assert_eq!(paths, ["bells/ring/cracked", "bells/ring/whole"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_away_goes_on_where_they_were() {
    let h = server().await;
    let mut stream = h.subscribe(&h.root, "bells/*", Value::Null).await.unwrap();
    ring(&h, "", "one").await;
    let first = stream.event().await;
    drop(stream);
    ring(&h, "", "two").await;
    ring(&h, "", "three").await;
    let since = json!({ "since": id(&first) });
    let mut stream = h.subscribe(&h.root, "bells/*", since).await.unwrap();
    ring(&h, "", "four").await;
    let names: Vec<_> = stream.events().await;
    let names: Vec<_> = names.iter().map(|event| said(event, "path")).collect();
    assert_eq!(
        names,
        ["bells/ring/two", "bells/ring/three", "bells/ring/four"]
    );
    let all = json!({ "since": "oldest" });
    let mut all = h.subscribe(&h.root, "bells/*", all).await.unwrap();
    assert_eq!(all.events().await.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_not_ours_are_refused() {
    let h = server().await;
    let other = server().await;
    let mut stream = other
        .subscribe(&other.root, "*", Value::Null)
        .await
        .unwrap();
    ring(&other, "", "one").await;
    let foreign = id(&stream.event().await).to_owned();
    let mut own = h.subscribe(&h.root, "bells/*", Value::Null).await.unwrap();
    ring(&h, "", "one").await;
    let own = id(&own.event().await).to_owned();
    let future = format!("00ffffff{}", &own[8..]);
    for since in [
        "x",
        "1",
        "newest",
        "901f2388-aabb-a385-7bc0-0b09d5fa060a",
        &foreign,
        &future,
    ] {
        let refused = h.subscribe(&h.root, "*", json!({ "since": since })).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{since}");
    }
    assert!(
        h.subscribe(&h.root, "*", json!({ "since": own }))
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_wrongly_is_refused_in_words() {
    let h = server().await;
    let long = "x".repeat(300);
    for (pattern, query) in [
        ("*", json!({ "filter": "colour == red" })),
        ("*", json!({ "filter": "event_type ==" })),
        ("*", json!({ "namespaces": [long.clone()] })),
        ("*", json!({ "namespaces": vec!["x"; 33] })),
        ("*", json!({ "json": "false" })),
        (long.as_str(), json!({})),
    ] {
        let refused = h.subscribe(&h.root, pattern, query.clone()).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{query}");
    }
    let plain = h.read("sys/events/subscribe/*", &h.root).await;
    assert_eq!(plain.status, 400);
    assert!(plain.error().contains("text/event-stream"), "{plain:?}");
    let upgraded = |body: Value| {
        h.request_with(
            Verb::Read,
            "sys/events/subscribe/*",
            &h.root,
            body,
            |request| {
                let upgrade = vec!["websocket".to_owned()];
                request.headers.insert("upgrade".to_owned(), upgrade);
            },
        )
    };
    assert!(upgraded(json!({})).await.error().contains("json=true"));
    assert_eq!(upgraded(json!({ "json": "true" })).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn rules_say_who_is_told_what() {
    let h = server().await;
    let deaf = h
        .create(&h.root, json!({ "policies": ["default"] }))
        .await
        .token();
    let refused = h.subscribe(&deaf, "*", Value::Null).await;
    assert!(matches!(refused, Err(Fault::Denied)));
    let rules = r#"
path "bells/ring/a*" { capabilities = ["subscribe"] }
path "bells/ring/ab" { capabilities = ["deny"] }
path "bells/ring/ac" { capabilities = ["read"] }
path "bells/ring/ad" { capabilities = ["subscribe"] subscribe_event_types = ["kv*", "database/*"] }
path "bells/ring/ae" { capabilities = ["list", "subscribe"] subscribe_event_types = ["bells/*"] }
"#;
    let token = token(&h, rules).await;
    let mut stream = h.subscribe(&token, "*", Value::Null).await.unwrap();
    for name in ["a", "b", "ab", "ac", "ad", "ae", "az"] {
        ring(&h, "", name).await;
    }
    let told: Vec<_> = stream.events().await;
    let paths: Vec<_> = told.iter().map(|event| said(event, "path")).collect();
    assert_eq!(paths, ["bells/ring/a", "bells/ring/ae", "bells/ring/az"]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_token_is_the_end_of_its_stream() {
    let h = server().await;
    let token = token(&h, r#"path "bells/*" { capabilities = ["subscribe"] }"#).await;
    let mut stream = h.subscribe(&token, "*", Value::Null).await.unwrap();
    ring(&h, "", "one").await;
    stream.event().await;
    h.write("auth/token/revoke", &h.root, json!({ "token": token }))
        .await;
    ring(&h, "", "two").await;
    match stream.next().await {
        Next::Cut(Fault::Forbidden(text)) => assert!(text.contains("token"), "{text}"),
        other => assert!(matches!(other, Next::Event(_)), "{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rights_that_are_lost_are_lost_within_seconds() {
    let h = server().await;
    let token = token(&h, r#"path "bells/*" { capabilities = ["subscribe"] }"#).await;
    let mut stream = h.subscribe(&token, "*", Value::Null).await.unwrap();
    let read = "path \"sys/events/subscribe/*\" { capabilities = [\"read\"] }";
    h.policy("listens", read).await;
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    ring(&h, "", "secretly").await;
    assert!(matches!(stream.next().await, Next::Silence));
    h.policy("listens", "path \"x\" { capabilities = [\"read\"] }")
        .await;
    assert!(matches!(stream.cut().await, Fault::Forbidden(_)));
}

#[tokio::test(start_paused = true)]
async fn expressions_choose() {
    let h = server().await;
    for (filter, expected) in [
        ("path == bells/ring/b", vec!["b"]),
        (
            "data_path != \"bells/ring/b\" and operation == ring",
            vec!["a", "c"],
        ),
        (
            "metadata.time == 0 and not \"ring/a\" in path",
            vec!["b", "c"],
        ),
        ("source_plugin_mount == bells", vec!["a", "b", "c"]),
        ("event_type matches \"^kv\"", vec![]),
        ("namespace == root", vec!["a", "b", "c"]),
    ] {
        let query = json!({ "filter": filter });
        let mut stream = h.subscribe(&h.root, "bells/*", query).await.unwrap();
        for name in ["a", "b", "c"] {
            ring(&h, "", name).await;
        }
        let told: Vec<_> = stream.events().await;
        let paths: Vec<_> = told
            .iter()
            .map(|event| said(event, "path").rsplit('/').next().unwrap())
            .collect();
        assert_eq!(paths, expected, "{filter}");
    }
}

#[tokio::test(start_paused = true)]
async fn namespaces_hear_of_themselves_and_of_those_they_ask_for() {
    let h = server().await;
    for (parent, name) in [("", "one"), ("", "two"), ("one", "inner")] {
        let path = format!("sys/namespaces/{name}");
        let made = h
            .in_ns(parent, Verb::Write, &path, &h.root, json!({}))
            .await;
        assert_eq!(made.status, 200, "{made:?}");
    }
    for namespace in ["one", "two", "one/inner"] {
        mount(&h, namespace).await;
    }
    let listen = |namespace: &'static str, query: Value| {
        let h = &h;
        async move {
            h.subscribe_in(namespace, &h.root, "bells/*", query)
                .await
                .unwrap()
        }
    };
    let cases = [
        ("", json!({}), vec![""]),
        (
            "",
            json!({ "namespaces": "*" }),
            vec!["", "one/", "two/", "one/inner/"],
        ),
        ("", json!({ "namespaces": ["one"] }), vec!["", "one/"]),
        (
            "",
            json!({ "namespaces": ["two/", "one/*"] }),
            vec!["", "two/", "one/inner/"],
        ),
        ("one", json!({}), vec!["one/"]),
        (
            "one",
            json!({ "namespaces": ["i*"] }),
            vec!["one/", "one/inner/"],
        ),
        ("two", json!({ "namespaces": ["*"] }), vec!["two/"]),
    ];
    let mut streams = Vec::new();
    for (namespace, query, _) in &cases {
        streams.push(listen(namespace, query.clone()).await);
    }
    for namespace in ["", "one", "two", "one/inner"] {
        ring(&h, namespace, "x").await;
    }
    for ((namespace, query, expected), mut stream) in cases.into_iter().zip(streams) {
        let told: Vec<_> = stream.events().await;
        let places: Vec<_> = told
            .iter()
            .map(|event| event["data"]["namespace"].as_str().unwrap())
            .collect();
        assert_eq!(places, expected, "{namespace} {query}");
    }
}

#[tokio::test(start_paused = true)]
async fn subscribers_are_so_many() {
    let mut few = settings();
    few.events.max_subscribers = 3;
    few.events.max_subscribers_per_client = 2;
    let h = server_with(few).await;
    let token = token(&h, "").await;
    let own = [
        h.subscribe(&token, "*", Value::Null).await.unwrap(),
        h.subscribe(&token, "*", Value::Null).await.unwrap(),
    ];
    let refused = h.subscribe(&token, "*", Value::Null).await;
    assert!(matches!(refused, Err(Fault::TooMany(_))));
    let last = h.subscribe(&h.root, "*", Value::Null).await.unwrap();
    let refused = h.subscribe(&h.root, "*", Value::Null).await;
    assert!(matches!(refused, Err(Fault::TooMany(_))));
    drop((own, last));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(h.subscribe(&token, "*", Value::Null).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_subscribers_are_told_and_those_who_do_not_read_hold_nobody_up() {
    let mut settings = settings();
    settings.events.memory_bytes = 64 << 10;
    let h = server_with(settings).await;
    let mut sleepers = Vec::new();
    for _ in 0..900 {
        sleepers.push(h.subscribe(&h.root, "bells/*", Value::Null).await.unwrap());
    }
    let mut readers = Vec::new();
    for _ in 0..100 {
        readers.push(h.subscribe(&h.root, "bells/*", Value::Null).await.unwrap());
    }
    // Many times what has room in memory.
    for _ in 0..20 {
        let body = json!({ "times": 50 });
        assert_eq!(h.write("bells/ring/x", &h.root, body).await.status, 204);
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
    for stream in &mut readers {
        for _ in 0..1_000 {
            stream.event().await;
        }
    }
    // Who wakes up late misses nothing either: it is in the storage.
    for time in 0..1_000 {
        let event = sleepers[0].event().await;
        assert_eq!(said(&event, "time"), (time % 50).to_string());
    }
}
