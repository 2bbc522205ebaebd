//! Names, passwords and directories that want to get somebody in, or the server down.

use std::time::{Duration, Instant};

use super::*;
use crate::directory::{BIND_DONE, ENTRY, SEARCH_DONE, done, extended, message, referred, wrapped};

#[tokio::test]
async fn an_empty_password_never_reaches_the_directory() {
    // As a directory that allows unauthenticated binds: yes to everybody without a password.
    let directory = Directory::new(|question| match question {
        Question::Bind { password, .. } if password.is_empty() => bound(0),
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    configure(&bench, json!({ "deny_null_bind": false })).await;
    for way in [
        json!({}),
        json!({ "binddn": "", "discoverdn": true }),
        json!({ "discoverdn": false }),
        json!({ "upndomain": "x" }),
    ] {
        configure(&bench, way).await;
        assert!(matches!(
            login(&bench, "ann", "").await,
            Err(Fault::Invalid(_))
        ));
    }
    assert_eq!(directory.heard(), []);
}

#[tokio::test]
async fn names_are_values_and_nothing_else() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    let names = [
        "*",
        "ann*",
        "ann)(uid=*",
        "a)(|(uid=*",
        "ann\\",
        "an\\6e",
        "ann,ou=people",
        "ann+cn=a",
        "#616e6e",
        "a\"nn",
        "ann;x",
        "é<>=",
        "a/b",
    ];
    for name in names {
        let before = directory.heard().len();
        let _ = login(&bench, name, "no-word").await;
        let heard = directory.heard();
        let Question::Search { filter, .. } = &heard[before + 1] else {
            panic!("{name}: no search")
        };
        assert_eq!(
            filter,
            &wrapped_short(
                0xa3,
                &[wrapped_short(4, b"uid"), wrapped_short(4, name.as_bytes())].concat()
            ),
            "{name}"
        );
    }
    configure(&bench, json!({ "binddn": "", "bindpass": "" })).await;
    for name in names {
        let before = directory.heard().len();
        let _ = login(&bench, name, "no-word").await;
        let Question::Bind { name: bound, .. } = &directory.heard()[before] else {
            panic!("{name}: no bind")
        };
        let value = bound
            .strip_prefix("uid=")
            .unwrap()
            .strip_suffix(",ou=people,dc=x")
            .unwrap();
        assert!(
            !value.contains([',', '+', '"', ';', '<', '>', '=', '*', '(', '/', ' ', '#']),
            "{name}: {bound}"
        );
    }
}

fn wrapped_short(kind: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, u8::try_from(content.len()).unwrap()], content].concat()
}

#[tokio::test]
async fn impossible_names_are_refused_unasked() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    for name in ["ann\0", "an\nn", "\u{200b}", " ", &"x".repeat(600)] {
        let told = login(&bench, name, "ann-word")
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(
            told, "ldap operation failed: failed to bind as user",
            "{name:?}"
        );
    }
    assert_eq!(directory.heard(), []);
}

/// What the directory answers to a password, and to the search for a user, and what comes of it.
#[tokio::test]
async fn half_a_yes_is_no_login() {
    type Say = fn() -> Answer;
    let cases: [(&str, Say, Say); 6] = [
        (
            "a referral",
            || Answer::Say(vec![referred(BIND_DONE, 10)]),
            one,
        ),
        (
            "success with a referral",
            || Answer::Say(vec![referred(BIND_DONE, 0)]),
            one,
        ),
        (
            "an entry without a name",
            || bound(0),
            || found(vec![entry("", &[("uid", &[b"ann"])])]),
        ),
        (
            "two entries",
            || bound(0),
            || found(vec![entry(ANN, &[]), entry("uid=ann2", &[])]),
        ),
        (
            "many entries and a limit",
            || bound(0),
            || {
                Answer::Say(vec![
                    entry(ANN, &[]),
                    entry("uid=ann2", &[]),
                    done(SEARCH_DONE, 4),
                ])
            },
        ),
        ("no entry", || bound(0), || found(vec![])),
    ];
    for (what, password, search) in cases {
        let directory = Directory::new(move |question| match question {
            Question::Bind { password: word, .. } if word == "ann-word" => password(),
            Question::Search { base, .. } if base == PEOPLE => search(),
            other => usual(other),
        })
        .await;
        let bench = mounted(&directory).await;
        assert!(
            matches!(
                login(&bench, "ann", "ann-word").await,
                Err(Fault::Invalid(_))
            ),
            "{what}"
        );
    }
}

fn one() -> Answer {
    found(vec![entry(ANN, &[("uid", &[b"ann"])])])
}

#[tokio::test]
async fn a_hostile_directory_ends_its_own_conversation_only() {
    type Say = fn() -> Answer;
    let cases: [(&str, Say); 10] = [
        ("garbage", || {
            Answer::Raw(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())
        }),
        ("no end", || Answer::Raw(vec![0x30, 0x80, 2, 1, 1])),
        ("too long", || {
            Answer::Raw(vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])
        }),
        ("nothing", || Answer::Raw(message(1, &[]))),
        ("nested", || {
            Answer::Raw((0..100_000).fold(vec![], |inner, _| nested(&inner)))
        }),
        ("half a result", || {
            Answer::Say(vec![wrapped(BIND_DONE, &[10, 1, 0])])
        }),
        ("a code that wraps around", || {
            Answer::Say(vec![wrapped(
                BIND_DONE,
                &[10, 5, 1, 0, 0, 0, 0, 4, 0, 4, 0],
            )])
        }),
        ("another number", || {
            Answer::Raw(message(99, &done(BIND_DONE, 0)))
        }),
        ("another operation", || {
            Answer::Say(vec![done(SEARCH_DONE, 0)])
        }),
        ("hangs up", || Answer::HangUp),
    ];
    for (what, say) in cases {
        let directory = Directory::new(move |_| say()).await;
        let bench = mounted(&directory).await;
        let told = login(&bench, "ann", "ann-word").await;
        assert!(
            matches!(told, Err(Fault::Unavailable(_))),
            "{what}: {told:?}"
        );
    }
}

/// One level of nesting around; a length of four bytes each, cut off where it gets too long to build.
fn nested(inner: &[u8]) -> Vec<u8> {
    match inner.len() > 60_000 {
        true => inner.to_vec(),
        false => wrapped(0x30, inner),
    }
}

#[tokio::test]
async fn too_many_groups_are_no_login_with_some_of_them() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == GROUPS => found(
            (0..5_000)
                .map(|number| entry(&format!("cn=g{number}"), &[]))
                .collect(),
        ),
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    assert!(matches!(
        login(&bench, "ann", "ann-word").await,
        Err(Fault::Upstream(_))
    ));
}

/// Who may name groups or entries in the directory gets nothing by names that look like others.
#[tokio::test]
async fn names_that_look_alike_are_not_alike() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == GROUPS => {
            let names = [
                "\u{ff45}ngineers",
                "engineers\u{200b}",
                "engineer\u{ad}s",
                "in\u{212a}",
                "two\nlines",
                "cn=\u{212a}",
            ];
            found(
                names
                    .iter()
                    .map(|name| entry("ou=x", &[("cn", &[name.as_bytes()])]))
                    .collect(),
            )
        }
        Question::Search { base, .. } if base == PEOPLE => found(vec![entry(
            "cn=x,dc=x",
            &[("uid", &["\u{ff21}nn".as_bytes()])],
        )]),
        Question::Bind { name, password } if name == "cn=x,dc=x" && password == "ann-word" => {
            bound(0)
        }
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    for name in ["engineers", "ink", "k"] {
        let wish = json!({ "policies": "eng" });
        bench.write(&format!("groups/{name}"), wish).await.unwrap();
    }
    let made = login(&bench, "ann", "ann-word").await.unwrap();
    assert_eq!(made.policies, [""; 0]);
    assert_ne!(made.alias.unwrap().name, "ann");
    assert!(
        !made
            .group_aliases
            .iter()
            .any(|name| name.contains('\u{212a}') || name.contains('\n'))
    );
}

/// Who can write into their own entry, or spells a name otherwise, is nobody else and no second person.
#[tokio::test]
async fn one_person_is_one_entity() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == PEOPLE => {
            found(vec![entry("cn=x,dc=x", &[("uid", &[b"boss", b"Ann"])])])
        }
        Question::Bind { name, password } if name == "cn=x,dc=x" && password == "ann-word" => {
            bound(0)
        }
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    assert_eq!(
        login(&bench, "ann", "ann-word")
            .await
            .unwrap()
            .alias
            .unwrap()
            .name,
        "ann"
    );
    let other = login(&bench, "an\u{ad}n", "ann-word").await;
    assert!(
        matches!(other, Err(Fault::Upstream(_))),
        "one of several, and none that was typed"
    );
    configure(&bench, json!({ "username_as_alias": true })).await;
    for name in ["an\u{ad}n", "ann\u{200b}", "\u{ff41}nn"] {
        assert!(
            matches!(
                login(&bench, name, "ann-word").await,
                Err(Fault::Invalid(_))
            ),
            "{name:?}"
        );
    }
    assert!(login(&bench, " ANN", "ann-word").await.is_ok());
}

#[tokio::test]
async fn a_list_of_groups_that_was_cut_off_is_none() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == GROUPS => {
            Answer::Say(vec![entry("cn=g,dc=x", &[]), done(SEARCH_DONE, 4)])
        }
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    assert!(matches!(
        login(&bench, "ann", "ann-word").await,
        Err(Fault::Upstream(_))
    ));
}

#[tokio::test]
async fn a_directory_without_end_is_cut_off() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == GROUPS => {
            let long = "x".repeat(900_000);
            found(
                (0..40)
                    .map(|number| entry(&format!("cn=g{number}"), &[("cn", &[long.as_bytes()])]))
                    .collect(),
            )
        }
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    configure(&bench, json!({ "request_timeout": 20 })).await;
    assert!(matches!(
        login(&bench, "ann", "ann-word").await,
        Err(Fault::Unavailable(_))
    ));
}

/// An entry with as many empty values as its bytes allow; each costs the reader far more than its two bytes.
fn empty_values(number: usize) -> Vec<u8> {
    let attribute = [wrapped(4, b"cn"), wrapped(0x31, &[4, 0].repeat(number))].concat();
    let attributes = wrapped(0x30, &wrapped(0x30, &attribute));
    wrapped(ENTRY, &[wrapped(4, b"ou=x"), attributes].concat())
}

#[tokio::test]
async fn values_without_number_are_not_read() {
    for (messages, values) in [(1, 500_000), (4, 400_000), (20, 10_000)] {
        let directory = Directory::new(move |question| match question {
            Question::Search { base, .. } if base == GROUPS => {
                found(vec![empty_values(values); messages])
            }
            other => usual(other),
        })
        .await;
        let bench = mounted(&directory).await;
        configure(&bench, json!({ "request_timeout": 60 })).await;
        let begun = Instant::now();
        let told = login(&bench, "ann", "ann-word").await;
        assert!(
            matches!(told, Err(Fault::Unavailable(_))),
            "{messages} messages of {values} values: {told:?}"
        );
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_group_entry_with_too_many_names_is_no_login() {
    let directory = Directory::new(|question| match question {
        Question::Search { base, .. } if base == GROUPS => {
            found(vec![entry("ou=x", &[("cn", &[&b"x"[..]; 5_000])])])
        }
        other => usual(other),
    })
    .await;
    let bench = mounted(&directory).await;
    let told = login(&bench, "ann", "ann-word").await;
    assert!(matches!(told, Err(Fault::Upstream(_))), "{told:?}");
}

/// Bob has written `mail: ann` into his own entry, and users are found by their mail.
fn bob_under_anns_name(question: &Question) -> Answer {
    const BOB: &str = "uid=bob,ou=people,dc=x";
    match question {
        Question::Bind { name, password } if name == BOB => match password == "bob-word" {
            true => bound(0),
            false => bound(49),
        },
        Question::Search { base, filter, .. } if base == PEOPLE => match contains(filter, b"ann") {
            true => found(vec![entry(BOB, &[("uid", &[b"Bob"])])]),
            false => found(vec![]),
        },
        Question::Search { base, filter, .. } if base == GROUPS => {
            found(vec![match contains(filter, b"ann") {
                true => entry("cn=of-ann", &[]),
                false => entry("cn=of-bob", &[]),
            }])
        }
        other => usual(other),
    }
}

#[tokio::test]
async fn a_name_in_the_own_entry_gets_nothing_of_who_is_called_so() {
    let directory = Directory::new(bob_under_anns_name).await;
    let bench = mounted(&directory).await;
    let wish =
        json!({ "userfilter": "(mail={{.Username}})", "groupfilter": "(memberUid={{.Username}})" });
    configure(&bench, wish).await;
    for (name, policy) in [("ann", "of-ann"), ("bob", "of-bob")] {
        let wish = json!({ "policies": policy, "groups": format!("here-{name}") });
        bench.write(&format!("users/{name}"), wish).await.unwrap();
    }
    for spelling in ["ann", " ANN\u{ad}ann "] {
        let made = login(&bench, spelling, "bob-word").await.unwrap();
        assert_eq!(made.policies, ["of-bob"]);
        assert_eq!(made.group_aliases, ["here-bob", "of-bob"]);
        assert_eq!(made.metadata["username"], "bob");
        assert_eq!(made.display_name, "bob");
        let alias = made.alias.as_ref().unwrap();
        assert_eq!(
            (alias.name.as_str(), alias.metadata["name"].as_str()),
            ("bob", "bob")
        );
        let stay = bench.stay(made.payload.clone()).await.unwrap().unwrap();
        assert_eq!(stay.group_aliases.unwrap(), ["here-bob", "of-bob"]);
    }
}

#[tokio::test]
async fn endless_passwords_are_wrong_and_unasked() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    for length in [4_097, 300_000] {
        let Err(Fault::Invalid(told)) = login(&bench, "ann", &"x".repeat(length)).await else {
            panic!("{length}")
        };
        assert_eq!(told, "ldap operation failed: failed to bind as user");
    }
    assert_eq!(directory.heard(), []);
    let told = login(&bench, "ann", &"x".repeat(4_096)).await;
    assert!(matches!(told, Err(Fault::Invalid(_))));
    assert!(!directory.heard().is_empty());
}

#[tokio::test]
async fn a_silent_directory_costs_a_bounded_time() {
    let silent = Directory::new(|_| Answer::Silence).await;
    let bench = mounted(&silent).await;
    configure(&bench, json!({ "request_timeout": 1 })).await;
    let other = Directory::new(usual).await;
    let other_bench = mounted(&other).await;
    let begun = Instant::now();
    let (slow, fast) = tokio::join!(login(&bench, "ann", "ann-word"), async {
        let made = login(&other_bench, "ann", "ann-word").await;
        (made, begun.elapsed())
    });
    assert!(matches!(slow, Err(Fault::Unavailable(_))));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(
        fast.0.is_ok() && fast.1 < Duration::from_secs(1),
        "another mount waits for nothing"
    );
}

#[tokio::test]
async fn the_next_server_is_asked_where_one_is_dead() {
    let directory = Directory::new(usual).await;
    let bench = mounted(&directory).await;
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    configure(
        &bench,
        json!({ "url": format!("ldap://{dead},{}", directory.url), "bindpass": "service-word" }),
    )
    .await;
    assert!(login(&bench, "ann", "ann-word").await.is_ok());
    configure(&bench, json!({ "url": format!("ldap://{dead}") })).await;
    let Err(Fault::Unavailable(told)) = login(&bench, "ann", "ann-word").await else {
        panic!("a login by nobody")
    };
    assert!(
        !told.contains("127.0.0.1"),
        "strangers do not learn where the directory is"
    );
}

#[tokio::test]
async fn nothing_is_said_in_the_open_where_encryption_is_wanted() {
    for code in [2, 52, 0] {
        let directory = Directory::new(move |question| match question {
            Question::Extended => extended(code),
            other => usual(other),
        })
        .await;
        let bench = mounted(&directory).await;
        configure(
            &bench,
            json!({ "starttls": true, "insecure_tls": true, "connection_timeout": 1, "bindpass": "service-word" }),
        )
        .await;
        assert!(matches!(
            login(&bench, "ann", "ann-word").await,
            Err(Fault::Unavailable(_))
        ));
        let heard = directory.heard();
        assert!(
            heard.iter().all(|question| *question == Question::Extended),
            "{code}: {heard:?}"
        );
    }
}

#[tokio::test]
async fn a_busy_directory_says_nothing_about_a_password() {
    for code in [51, 52, 80] {
        let directory = Directory::new(move |question| match question {
            Question::Bind { name, .. } if name == ANN => bound(code),
            other => usual(other),
        })
        .await;
        let bench = mounted(&directory).await;
        let told = login(&bench, "ann", "ann-word").await;
        assert!(
            matches!(told, Err(Fault::Unavailable(_) | Fault::Upstream(_))),
            "{code}: {told:?}"
        );
    }
}
