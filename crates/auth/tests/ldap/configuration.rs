//! The configuration, users and groups.

use super::*;

#[tokio::test]
async fn secrets_are_not_shown() {
    let bench = Bench::<Ldap>::new().await;
    let remarks = bench
        .write(
            "config",
            json!({ "binddn": "cn=a", "bindpass": "secret-word", "insecure_tls": true }),
        )
        .await;
    assert_eq!(remarks.unwrap().reply.warnings.len(), 1);
    let shown = bench.read("config").await.unwrap().data;
    assert_eq!(shown["binddn"], "cn=a");
    assert!(shown.get("bindpass").is_none() && shown.get("client_tls_key").is_none());
    assert!(!shown.to_string().contains("secret-word"));
    let refused = bench
        .write(
            "config",
            json!({ "bindpass": "secret-word", "url": "http://x" }),
        )
        .await;
    assert!(!refused.unwrap_err().to_string().contains("secret-word"));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_changes_nothing() {
    let bench = Bench::<Ldap>::new().await;
    let before = bench.read("config").await.unwrap().data;
    for (field, value) in [
        ("url", json!("http://x")),
        ("userattr", json!("a=b")),
        ("groupattr", json!("a b")),
        ("userfilter", json!("(uid={{.Username}}")),
        ("userfilter", json!("({{.Username}}=*)")),
        ("groupfilter", json!("(member={{.Nosuch}})")),
        ("certificate", json!("nonsense")),
        ("client_tls_cert", json!("x")),
        ("userdn", json!("\0")),
        ("groupdn", json!("ou=a\nb")),
        ("binddn", json!("cn=a\u{7f}")),
        ("upndomain", json!("a)(b=*")),
        ("upndomain", json!("x\0.example")),
        ("upndomain", json!("a@x.example")),
        ("upndomain", json!("x..example")),
        ("tls_max_version", json!("tls11")),
        ("tls_min_version", json!("")),
        ("dereference_aliases", json!("often")),
        ("request_timeout", json!(-1)),
        ("max_page_size", json!("x")),
        ("token_type", json!("odd")),
    ] {
        let refused = bench
            .write("config", json!({ field: value, "token_ttl": 7 }))
            .await;
        let Err(Fault::Invalid(text)) = refused else {
            panic!("{field} {value}")
        };
        assert!(text.contains(field), "{field}: {text}");
    }
    assert_eq!(bench.read("config").await.unwrap().data, before);
}

#[tokio::test]
async fn the_password_is_not_sent_to_another_server() {
    let bench = Bench::<Ldap>::new().await;
    let account =
        json!({ "url": "ldaps://a,ldaps://b", "binddn": "cn=a", "bindpass": "secret-word" });
    configure(&bench, account).await;
    for url in [
        "ldaps://evil",
        "ldaps://a,ldaps://evil",
        "ldap://a",
        "ldaps://a:1636",
    ] {
        let refused = bench.write("config", json!({ "url": url })).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{url}");
    }
    configure(&bench, json!({ "url": "ldaps://b" })).await;
    configure(
        &bench,
        json!({ "url": "ldaps://c", "bindpass": "secret-word" }),
    )
    .await;
}

fn certificate() -> String {
    let made = rcgen::generate_simple_self_signed(vec!["a".to_owned()]);
    made.unwrap().cert.pem()
}

#[tokio::test]
async fn the_password_is_not_sent_with_less_encryption() {
    let ours = certificate();
    let strict = json!({
        "url": "ldap://a", "binddn": "cn=a", "bindpass": "secret-word", "starttls": true, "insecure_tls": false,
        "certificate": ours,
    });
    for weaker in [
        json!({ "starttls": false }),
        json!({ "insecure_tls": true }),
        json!({ "certificate": certificate() }),
        json!({ "certificate": "" }),
    ] {
        let bench = Bench::<Ldap>::new().await;
        configure(&bench, strict.clone()).await;
        let Err(Fault::Invalid(told)) = bench.write("config", weaker.clone()).await else {
            panic!("{weaker}")
        };
        assert!(told.contains("give bindpass"), "{told}");
        let mut again = weaker;
        again["bindpass"] = json!("secret-word");
        configure(&bench, again).await;
        let unchanged = json!({ "starttls": true, "insecure_tls": false, "bindpass": "secret-word", "certificate": ours });
        configure(&bench, unchanged).await;
        configure(
            &bench,
            json!({ "starttls": true, "insecure_tls": false, "certificate": ours }),
        )
        .await;
    }
    let bench = Bench::<Ldap>::new().await;
    configure(&bench, json!({ "starttls": true, "certificate": ours })).await;
    configure(&bench, json!({ "starttls": false, "certificate": "" })).await;
}

#[tokio::test]
async fn domains_that_there_are() {
    let bench = Bench::<Ldap>::new().await;
    for domain in [
        "x.example",
        "corp",
        "a-b.x_y.Example",
        "m\u{fc}nchen.example",
        "",
    ] {
        configure(&bench, json!({ "upndomain": domain })).await;
    }
}

#[tokio::test]
async fn users_and_groups_have_so_many_names_and_no_more() {
    let bench = Bench::<Ldap>::new().await;
    let names = |number: usize| -> Vec<String> { (0..number).map(|n| format!("g{n}")).collect() };
    for (path, field) in [
        ("users/ann", "groups"),
        ("users/ann", "policies"),
        ("groups/g", "policies"),
    ] {
        bench
            .write(path, json!({ field: names(1_000) }))
            .await
            .unwrap();
        let before = bench.read(path).await.unwrap().data;
        for number in [1_001, 40_000] {
            let begun = std::time::Instant::now();
            let refused = bench.write(path, json!({ field: names(number) })).await;
            let Err(Fault::Invalid(told)) = refused else {
                panic!("{path} {field} {number}")
            };
            assert!(told.contains(field) && told.contains("1000"), "{told}");
            assert!(begun.elapsed().as_secs() < 3);
        }
        assert_eq!(bench.read(path).await.unwrap().data, before);
    }
}

#[tokio::test]
async fn users_and_groups_have_one_name_whatever_its_case() {
    let bench = Bench::<Ldap>::new().await;
    bench
        .write(
            "users/Ann Lee",
            json!({ "policies": "B,a,b", "groups": "X, y,x" }),
        )
        .await
        .unwrap();
    let shown = bench.read("users/ANN LEE").await.unwrap().data;
    assert_eq!(shown, json!({ "policies": ["a", "b"], "groups": "x,y" }));
    bench
        .write("users/ann lee", json!({ "policies": "c" }))
        .await
        .unwrap();
    assert_eq!(
        bench.read("users/ann lee").await.unwrap().data,
        json!({ "policies": ["c"], "groups": "" })
    );
    bench
        .write("groups/a/b", json!({ "policies": "c" }))
        .await
        .unwrap();
    assert_eq!(bench.list("groups").await.unwrap(), ["a/b"]);
    for path in ["users/Ann Lee", "groups/A/B"] {
        bench.delete(path).await.unwrap();
        assert!(matches!(bench.read(path).await, Err(Fault::NotFound)));
    }
    for name in ["a\0", "\u{200b}", &"x".repeat(600)] {
        let refused = bench.write(&format!("users/{name}"), json!({})).await;
        assert!(matches!(refused, Err(Fault::Invalid(_))), "{name:?}");
    }
}

#[tokio::test]
async fn what_was_written_by_case_can_be_removed_later() {
    let bench = Bench::<Ldap>::new().await;
    configure(&bench, json!({ "case_sensitive_names": true })).await;
    bench
        .write("groups/Old", json!({ "policies": "p" }))
        .await
        .unwrap();
    configure(&bench, json!({ "case_sensitive_names": false })).await;
    bench.delete("groups/Old").await.unwrap();
    assert!(matches!(bench.list("groups").await, Err(Fault::NotFound)));
}
