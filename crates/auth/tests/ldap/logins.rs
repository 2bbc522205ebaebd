//! Logins and renewals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::directory::{SEARCH_DONE, done, failed};

#[tokio::test]
async fn a_login_is_what_the_directory_and_the_mount_say() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    let wishes = [
        (
            "config",
            json!({ "token_policies": "all", "token_ttl": "30m", "alias_metadata": { "team": "red", "name": "no" } }),
        ),
        ("groups/engineers", json!({ "policies": "eng" })),
        ("groups/Here", json!({ "policies": "here" })),
        ("users/Ann", json!({ "policies": "own", "groups": "HERE" })),
    ];
    for (path, wish) in wishes {
        bench.write(path, wish).await.unwrap();
    }
    for spelling in ["ann", " ANN ", "\u{ff21}nn"] {
        let made = login(&bench, spelling, "ann-word").await;
        // The directory that the test plays compares bytes, as none does.
        if spelling != "ann" {
            assert!(matches!(made, Err(Fault::Invalid(_))), "{spelling}");
            continue;
        }
        let made = made.unwrap();
        assert_eq!(made.policies, ["all", "eng", "here", "own"]);
        assert_eq!(made.group_aliases, ["Engineers", "everybody", "here"]);
        let alias = made.alias.as_ref().unwrap();
        assert_eq!(
            (
                alias.name.as_str(),
                alias.metadata["team"].as_str(),
                alias.metadata["name"].as_str()
            ),
            ("ann", "red", "ann")
        );
        assert_eq!(made.metadata["username"], "ann");
        assert_eq!(made.ttl.as_secs(), 1800);
    }
    let bind = |name: &str, password: &str| Question::Bind {
        name: name.into(),
        password: password.into(),
    };
    let heard = directory.heard();
    assert_eq!(heard[0], bind("cn=service", "service-word"));
    assert_eq!(heard[2], bind(ANN, "ann-word"));
    assert_eq!(
        heard[3],
        bind("cn=service", "service-word"),
        "groups are looked for by the account"
    );
}

#[tokio::test]
async fn wrong_and_unknown_are_answered_alike() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    let mut asked = Vec::new();
    for (name, password) in [("ann", "wrong"), ("nobody", "ann-word")] {
        let before = directory.heard().len();
        let Err(Fault::Invalid(text)) = login(&bench, name, password).await else {
            panic!("{name}");
        };
        assert_eq!(text, "ldap operation failed: failed to bind as user");
        asked.push(directory.heard().len() - before);
    }
    assert_eq!(
        asked[0], asked[1],
        "as many questions for a user that there is not"
    );
}

#[tokio::test]
async fn users_are_found_without_an_account() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    configure(&bench, json!({ "binddn": "", "bindpass": "" })).await;
    assert_eq!(
        login(&bench, "ann", "ann-word")
            .await
            .unwrap()
            .alias
            .unwrap()
            .name,
        "ann"
    );
    assert!(login(&bench, "ann", "wrong").await.is_err());
    let own = directory.heard().into_iter().filter(
        |question| matches!(question, Question::Search { base, scope: 0, .. } if base == ANN),
    );
    assert_eq!(own.count(), 1);
    configure(&bench, json!({ "discoverdn": true })).await;
    let before = directory.heard().len();
    assert!(login(&bench, "ann", "ann-word").await.is_ok());
    let first = directory.heard().into_iter().nth(before);
    assert_eq!(
        first,
        Some(Question::Bind {
            name: String::new(),
            password: String::new()
        })
    );
}

#[tokio::test]
async fn users_of_a_domain() {
    let directory = Directory::new(|question| match question {
        Question::Bind { name, password } if name == "ann@x.example" && password == "ann-word" => {
            bound(0)
        }
        Question::Bind { .. } => bound(49),
        Question::Search { filter, .. } if contains(filter, b"userPrincipalName") => {
            match contains(filter, b"ann@x.example") {
                true => found(vec![entry(
                    "CN=Ann Lee,CN=Users,DC=x",
                    &[
                        ("sAMAccountName", &[b"ann"]),
                        ("userPrincipalName", &[b"Ann@x.example"]),
                    ],
                )]),
                false => found(vec![]),
            }
        }
        _ => found(vec![]),
    })
    .await;
    let bench = mounted(&directory).await;
    let wish = json!({ "binddn": "", "bindpass": "", "upndomain": "x.example", "userattr": "sAMAccountName" });
    configure(&bench, wish).await;
    assert_eq!(
        login(&bench, "ann", "ann-word")
            .await
            .unwrap()
            .alias
            .unwrap()
            .name,
        "ann"
    );
    for (attribute, called) in [("userPrincipalName", "ann"), ("cn", "ann lee")] {
        configure(&bench, json!({ "userattr": attribute })).await;
        let made = login(&bench, "ann", "ann-word").await.unwrap();
        assert_eq!(made.metadata["username"], called);
    }
    for name in ["ann@y.example", "bob", "*"] {
        assert!(login(&bench, name, "ann-word").await.is_err(), "{name}");
    }
}

/// `S-1-5-32-544` and one that is none.
const IDENTIFIERS: [&[u8]; 2] = [&[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0], b"odd"];

#[tokio::test]
async fn groups_by_token_groups() {
    for knows_identifiers in [true, false] {
        let directory = Directory::new(move |question| match question {
            Question::Search { base, .. } if base == ANN => {
                found(vec![entry(ANN, &[("tokenGroups", &IDENTIFIERS)])])
            }
            Question::Search { base, .. } if base == "<SID=S-1-5-32-544>" => {
                match knows_identifiers {
                    true => found(vec![entry("CN=Admins,CN=Builtin,DC=x", &[])]),
                    false => failed(34),
                }
            }
            Question::Search { base, filter, .. } if base == GROUPS => {
                match contains(filter, IDENTIFIERS[0]) {
                    true => found(vec![entry("CN=Admins,OU=groups,DC=x", &[])]),
                    false => found(vec![]),
                }
            }
            Question::Search { base, .. } if base.starts_with("<SID") => {
                found(vec![entry("CN=wrong", &[])])
            }
            other => usual(other),
        })
        .await;
        let bench = mounted(&directory).await;
        configure(&bench, json!({ "use_token_groups": true })).await;
        assert_eq!(
            login(&bench, "ann", "ann-word")
                .await
                .unwrap()
                .group_aliases,
            ["Admins"]
        );
    }
}

#[tokio::test]
async fn the_entity_is_who_the_directory_says() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == PEOPLE => found(vec![entry(
            "uid=ann,ou=people,dc=x",
            &[("mail", &[b"Ann@X.example"])],
        )]),
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    let name = |made: Box<Login>| made.alias.unwrap().name;
    configure(
        &bench,
        json!({ "userattr": "mail", "userfilter": "(|(uid={{.Username}})(mail={{.Username}}))" }),
    )
    .await;
    assert_eq!(
        name(login(&bench, "ann", "ann-word").await.unwrap()),
        "ann@x.example"
    );
    configure(&bench, json!({ "username_as_alias": true })).await;
    assert_eq!(name(login(&bench, "ANN", "ann-word").await.unwrap()), "ann");
    configure(
        &bench,
        json!({ "username_as_alias": false, "userattr": "employeeNumber" }),
    )
    .await;
    let nameless = login(&bench, "ann", "ann-word").await;
    assert!(
        matches!(nameless, Err(Fault::Upstream(_))),
        "an entry without the attribute has no name to take instead"
    );
}

#[tokio::test]
async fn case_counts_where_the_mount_says_so() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    configure(&bench, json!({ "case_sensitive_names": true })).await;
    bench
        .write("groups/engineers", json!({ "policies": "small" }))
        .await
        .unwrap();
    bench
        .write("groups/Engineers", json!({ "policies": "capital" }))
        .await
        .unwrap();
    assert_eq!(
        login(&bench, "ann", "ann-word").await.unwrap().policies,
        ["capital"]
    );
    assert_eq!(
        bench.list("groups").await.unwrap(),
        ["Engineers", "engineers"]
    );
}

#[tokio::test]
async fn a_renewal_asks_the_directory_again() {
    let phase = Arc::new(AtomicU8::new(0));
    let now = Arc::clone(&phase);
    let directory = Directory::new(
        move |question| match (now.load(Ordering::SeqCst), question) {
            (1, Question::Search { base, .. }) if base == GROUPS => {
                found(vec![entry("cn=Engineers", &[]), entry("cn=new", &[])])
            }
            (2, Question::Search { base, .. }) if base == PEOPLE => found(vec![]),
            (3, Question::Search { base, .. }) if base == PEOPLE => found(vec![entry(
                "uid=other,ou=people,dc=x",
                &[("uid", &[b"other"])],
            )]),
            (4, _) => Answer::HangUp,
            (_, other) => usual(other),
        },
    )
    .await;
    let bench = mounted(&directory).await;
    bench
        .write("groups/engineers", json!({ "policies": "eng" }))
        .await
        .unwrap();
    let made = login(&bench, "ann", "ann-word").await.unwrap();
    assert!(
        !made.payload.to_string().contains("ann-word"),
        "no password is kept"
    );
    let renewed = async || bench.stay(made.payload.clone()).await.unwrap();
    assert_eq!(
        renewed().await.unwrap().group_aliases.unwrap(),
        ["Engineers", "everybody"]
    );
    phase.store(1, Ordering::SeqCst);
    assert_eq!(
        renewed().await.unwrap().group_aliases.unwrap(),
        ["Engineers", "new"]
    );
    bench
        .write("groups/new", json!({ "policies": "more" }))
        .await
        .unwrap();
    assert!(
        matches!(renewed().await, Err(Fault::Invalid(_))),
        "other policies"
    );
    bench.delete("groups/new").await.unwrap();
    for (gone, name) in [(2, "the user is gone"), (3, "somebody else has the name")] {
        phase.store(gone, Ordering::SeqCst);
        assert!(matches!(renewed().await, Err(Fault::Invalid(_))), "{name}");
    }
    phase.store(4, Ordering::SeqCst);
    assert!(
        matches!(renewed().await, Err(Fault::Unavailable(_))),
        "nobody to ask"
    );
}

#[tokio::test]
async fn what_was_said_before_the_end_is_heard() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == GROUPS => Answer::Last(vec![
            entry("cn=last,ou=groups,dc=x", &[]),
            done(SEARCH_DONE, 0),
        ]),
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    for _ in 0..20 {
        assert_eq!(
            login(&bench, "ann", "ann-word")
                .await
                .unwrap()
                .group_aliases,
            ["last"]
        );
    }
}

#[tokio::test]
async fn the_address_is_looked_at_first() {
    let directory = Directory::new(usual).await;
    let mut bench = mounted(&directory).await;
    configure(&bench, json!({ "token_bound_cidrs": "10.0.0.0/8" })).await;
    bench.client = Some("11.0.0.1".parse().unwrap());
    for password in ["ann-word", "wrong"] {
        assert!(matches!(
            login(&bench, "ann", password).await,
            Err(Fault::Denied)
        ));
    }
    assert_eq!(directory.heard(), []);
}
