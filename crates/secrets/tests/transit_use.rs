//! What transit's keys do, by path.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that can not go on has failed"
)]

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::Fault;
use coffer_engine::testing::Bench;
use coffer_secrets::transit::Transit;
use proptest::prelude::*;
use serde_json::{Value, json};

const HELLO: &str = "aGVsbG8=";
const ABC: &str = "YWJj";
const CIPHERS: [&str; 4] = [
    "aes128-gcm96",
    "aes256-gcm96",
    "chacha20-poly1305",
    "xchacha20-poly1305",
];

type TestBench = Bench<Transit>;

async fn ok(bench: &TestBench, path: &str, input: Value) -> Value {
    match bench.write(path, input).await {
        Ok(answered) => answered.data,
        Err(fault) => panic!("{path}: {fault}"),
    }
}

async fn refused(bench: &TestBench, path: &str, input: Value) -> String {
    match bench.write(path, input).await {
        Err(Fault::Invalid(text)) => text,
        other => panic!("{path}: {other:?}"),
    }
}

async fn sealed(bench: &TestBench, name: &str, input: Value) -> String {
    let answer = ok(bench, &format!("encrypt/{name}"), input).await;
    answer["ciphertext"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_cipher_opens_what_it_sealed_and_nothing_else() {
    let bench = TestBench::new().await;
    for kind in CIPHERS {
        for derived in [false, true] {
            let name = format!("{kind}-{derived}");
            ok(
                &bench,
                &format!("keys/{name}"),
                json!({"type": kind, "derived": derived}),
            )
            .await;
            let more = json!({"context": if derived { ABC } else { "" }, "associated_data": ABC});
            let with = |field: &str, value: &str| {
                let mut input = more.clone();
                input[field] = json!(value);
                input
            };
            let text = sealed(&bench, &name, with("plaintext", HELLO)).await;
            let path = format!("decrypt/{name}");
            let opened = ok(&bench, &path, with("ciphertext", &text)).await;
            assert_eq!(opened, json!({"plaintext": HELLO}));
            let bytes = STANDARD
                .decode(text.strip_prefix("vault:v1:").unwrap())
                .unwrap();
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] ^= 1;
                let altered = format!("vault:v1:{}", STANDARD.encode(altered));
                let why = refused(&bench, &path, with("ciphertext", &altered)).await;
                assert_eq!(why, "cipher: message authentication failed");
                let cut = format!("vault:v1:{}", STANDARD.encode(&bytes[..at]));
                refused(&bench, &path, with("ciphertext", &cut)).await;
            }
            let mut other = with("ciphertext", &text);
            other["associated_data"] = json!("YWJk");
            refused(&bench, &path, other).await;
            let mut other = with("ciphertext", &text);
            other["context"] = json!("YWJk");
            assert_eq!(bench.write(&path, other).await.is_ok(), !derived);
        }
    }
}

#[tokio::test]
async fn contexts_are_needed_and_nonces_are_ours() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/d", json!({"derived": true})).await;
    for context in [Value::Null, json!("")] {
        let input = json!({"plaintext": HELLO, "context": context});
        let why = refused(&bench, "encrypt/d", input).await;
        assert!(why.starts_with("missing 'context'"), "{why}");
    }
    let wrong = json!({"plaintext": HELLO, "context": "?"});
    assert_eq!(
        refused(&bench, "encrypt/d", wrong).await,
        "illegal base64 data at input byte 0"
    );
    for (path, field) in [
        ("encrypt/d", "plaintext"),
        ("rewrap/d", "ciphertext"),
        ("datakey/wrapped/d", "bits"),
    ] {
        let input = json!({field: "vault:v1:AAAA", "context": ABC, "nonce": "AAAAAAAAAAAAAAAA"});
        let mut input = input;
        if field != "ciphertext" {
            input[field] = json!(if field == "bits" { "256" } else { HELLO });
        }
        assert_eq!(
            refused(&bench, path, input).await,
            "provided nonce not allowed for this key"
        );
    }
    let texts: BTreeSet<_> = futures_util::future::join_all((0..50).map(|_| {
        let input = json!({"plaintext": HELLO, "context": ABC});
        sealed(&bench, "d", input)
    }))
    .await
    .into_iter()
    .collect();
    assert_eq!(texts.len(), 50);
}

#[tokio::test]
async fn convergent_keys_give_the_same_for_the_same() {
    let bench = TestBench::new().await;
    for kind in CIPHERS {
        let wish = json!({"type": kind, "derived": true, "convergent_encryption": true});
        ok(&bench, &format!("keys/{kind}"), wish).await;
        let input = |plaintext: &str, context: &str, data: &str| json!({"plaintext": plaintext, "context": context, "associated_data": data});
        let one = sealed(&bench, kind, input(HELLO, ABC, "")).await;
        assert_eq!(one, sealed(&bench, kind, input(HELLO, ABC, "")).await);
        let mut nonces = BTreeSet::new();
        for (plaintext, context, data) in [
            (HELLO, ABC, ""),
            (ABC, ABC, ""),
            (HELLO, HELLO, ""),
            (HELLO, ABC, ABC),
            (HELLO, ABC, HELLO),
        ] {
            let text = sealed(&bench, kind, input(plaintext, context, data)).await;
            nonces.insert(text.get(..25).unwrap().to_owned());
        }
        assert_eq!(nonces.len(), 5, "{kind}");
        ok(&bench, &format!("keys/{kind}/rotate"), json!({})).await;
        let input = json!({ "ciphertext": one, "context": ABC });
        let rewrapped = ok(&bench, &format!("rewrap/{kind}"), input).await;
        let anew = sealed(&bench, kind, json!({"plaintext": HELLO, "context": ABC})).await;
        assert_eq!(rewrapped["ciphertext"], anew);
    }
}

#[tokio::test]
async fn rsa_encrypts_what_fits() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/rsa", json!({"type": "rsa-2048"})).await;
    let most = STANDARD.encode([7; 190]);
    let text = sealed(&bench, "rsa", json!({ "plaintext": most })).await;
    let opened = ok(&bench, "decrypt/rsa", json!({ "ciphertext": text })).await;
    assert_eq!(opened["plaintext"], most);
    let long = json!({"plaintext": STANDARD.encode([7; 191])});
    assert!(
        refused(&bench, "encrypt/rsa", long)
            .await
            .contains("too long")
    );
    let data = json!({"plaintext": HELLO, "associated_data": ABC});
    let why = refused(&bench, "encrypt/rsa", data).await;
    assert_eq!(
        why,
        "'[0].associated_data' provided for non-AEAD cipher suite rsa-2048"
    );
    // Wrong keys, wrong lengths and wrong paddings are told apart by nobody (Bleichenbacher, Manger).
    let mut whys = BTreeSet::new();
    for bytes in [
        vec![0; 256],
        vec![1; 256],
        vec![0xFF; 256],
        vec![1; 255],
        vec![1; 257],
        vec![],
        vec![9; 10_000],
    ] {
        let text = format!("vault:v1:{}", STANDARD.encode(bytes));
        whys.insert(refused(&bench, "decrypt/rsa", json!({ "ciphertext": text })).await);
    }
    assert_eq!(whys.len(), 1, "{whys:?}");
    for kind in ["ed25519", "ecdsa-p256", "mldsa-44"] {
        ok(&bench, &format!("keys/{kind}"), json!({"type": kind})).await;
        let why = refused(
            &bench,
            &format!("encrypt/{kind}"),
            json!({"plaintext": HELLO}),
        )
        .await;
        assert_eq!(
            why,
            format!("message encryption not supported for key type {kind}")
        );
    }
}

#[tokio::test]
async fn items_of_a_batch_fail_alone() {
    let bench = TestBench::new().await;
    let items = json!([
        {"plaintext": HELLO, "reference": "one"},
        {"plaintext": "?", "reference": "\"two\"<\\"},
        {"plaintext": HELLO, "key_version": 9},
        {"plaintext": "", "associated_data": ABC},
    ]);
    ok(&bench, "keys/a", json!({})).await;
    let answered = bench
        .write("encrypt/a", json!({ "batch_input": items }))
        .await
        .unwrap();
    assert_eq!(answered.reply.status, Some(400));
    let results = answered.data["batch_results"].clone();
    assert_eq!(results[0]["reference"], "one");
    assert_eq!(
        results[1],
        json!({"error": "illegal base64 data at input byte 0", "reference": "\"two\"<\\"})
    );
    assert_eq!(
        results[2]["error"],
        "requested version for encryption is higher than the latest key version"
    );
    let items = json!([
        {"ciphertext": results[0]["ciphertext"]},
        {"ciphertext": results[3]["ciphertext"]},
        {"ciphertext": results[3]["ciphertext"], "associated_data": ABC},
    ]);
    for (code, status) in [
        (0, 400),
        (207, 207),
        (200, 200),
        (199, 400),
        (600, 400),
        (-1, 400),
        (70_000, 400),
    ] {
        let input = json!({"batch_input": items, "partial_failure_response_code": code});
        let answered = bench.write("decrypt/a", input).await.unwrap();
        assert_eq!(answered.reply.status, Some(status), "{code}");
        assert_eq!(answered.reply.warnings.is_empty(), status != 400, "{code}");
        let failed = json!({"error": "cipher: message authentication failed", "plaintext": "", "reference": ""});
        let good = |plaintext| json!({"plaintext": plaintext, "reference": ""});
        assert_eq!(
            answered.data,
            json!({"batch_results": [good(HELLO), failed, good("")]})
        );
    }
    let all = json!({"batch_input": [{"ciphertext": "x"}], "partial_failure_response_code": 207});
    assert_eq!(
        bench.write("decrypt/a", all).await.unwrap().reply.status,
        Some(400)
    );
    let rewrapped = bench
        .write("rewrap/a", json!({ "batch_input": items }))
        .await
        .unwrap();
    assert_eq!(
        rewrapped.reply.status, None,
        "rewrap tells by item alone, as the reference does"
    );
    assert!(rewrapped.data["batch_results"][2]["ciphertext"].is_string());
}

#[tokio::test]
async fn batches_that_are_none_are_refused() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    for path in ["encrypt/a", "decrypt/a", "rewrap/a", "hmac/a", "verify/a"] {
        for batch in [
            json!([]),
            json!({}),
            json!("x"),
            json!([1]),
            json!([null]),
            json!([[]]),
            json!(5),
        ] {
            let input = json!({ "batch_input": batch });
            let why = refused(&bench, path, input).await;
            assert!(!why.is_empty() && why.len() < 200, "{path} {batch}: {why}");
        }
    }
    let mixed =
        json!({"batch_input": [{"plaintext": HELLO}, {"plaintext": HELLO, "context": ABC}]});
    refused(&bench, "encrypt/new", mixed).await;
    assert!(matches!(bench.read("keys/new").await, Err(Fault::NotFound)));
    let without = json!({"batch_input": [{"plaintext": HELLO, "ciphertext": "x"}, {}]});
    for path in ["encrypt/a", "decrypt/a", "rewrap/a"] {
        let answered = bench.write(path, without.clone()).await.unwrap();
        let why = &answered.data["batch_results"][1]["error"];
        assert!(
            why.as_str().unwrap().starts_with("missing"),
            "{path}: {why}"
        );
    }
}

#[tokio::test]
async fn a_batch_of_thousands_is_answered_in_order() {
    let bench = TestBench::new().await;
    let plain = |n: u32| STANDARD.encode(n.to_be_bytes());
    let items: Vec<_> = (0..5_000)
        .map(|n| json!({"plaintext": plain(n), "reference": n.to_string()}))
        .collect();
    let sealed = ok(&bench, "encrypt/a", json!({ "batch_input": items })).await;
    let items: Vec<_> = sealed["batch_results"].as_array().unwrap().clone();
    assert_eq!(items.len(), 5_000);
    let opened = ok(&bench, "decrypt/a", json!({ "batch_input": items })).await;
    for (n, item) in opened["batch_results"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
    {
        assert_eq!(item["reference"], n.to_string());
        assert_eq!(item["plaintext"], plain(u32::try_from(n).unwrap()));
    }
}

#[tokio::test]
async fn data_keys_open_to_what_was_shown() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    ok(&bench, "keys/d", json!({"derived": true})).await;
    for (bits, length) in [(128, 16), (256, 32), (512, 64)] {
        let input = json!({"bits": bits, "context": ABC, "associated_data": ABC});
        for name in ["a", "d"] {
            let made = ok(&bench, &format!("datakey/plaintext/{name}"), input.clone()).await;
            let shown = STANDARD
                .decode(made["plaintext"].as_str().unwrap())
                .unwrap();
            assert_eq!(shown.len(), length);
            let input =
                json!({"ciphertext": made["ciphertext"], "context": ABC, "associated_data": ABC});
            let opened = ok(&bench, &format!("decrypt/{name}"), input).await;
            assert_eq!(opened["plaintext"], made["plaintext"]);
        }
        let wrapped = ok(&bench, "datakey/wrapped/a", input).await;
        assert_eq!(
            wrapped.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["ciphertext", "key_version"]
        );
    }
    for bits in [0, 1, 192, -256, 1_024] {
        refused(&bench, "datakey/plaintext/a", json!({ "bits": bits })).await;
    }
    refused(&bench, "datakey/other/a", json!({})).await;
    refused(&bench, "datakey/plaintext/nosuch", json!({})).await;
}

#[tokio::test]
async fn codes_verify_by_their_own_key_hash_and_version_alone() {
    let bench = TestBench::new().await;
    ok(&bench, "keys/a", json!({})).await;
    ok(&bench, "keys/b", json!({"type": "hmac", "key_size": 64})).await;
    let hashes = [
        "sha1", "sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384",
        "sha3-512",
    ];
    for name in ["a", "b"] {
        let mut codes = BTreeSet::new();
        for hash in hashes {
            let made = ok(
                &bench,
                &format!("hmac/{name}/{hash}"),
                json!({"input": HELLO}),
            )
            .await;
            codes.insert(made["hmac"].as_str().unwrap().to_owned());
            for other in hashes {
                let input = json!({"input": HELLO, "hmac": made["hmac"], "hash_algorithm": other});
                let verdict = ok(&bench, &format!("verify/{name}"), input).await;
                assert_eq!(verdict, json!({"valid": hash == other}), "{hash} {other}");
            }
        }
        assert_eq!(codes.len(), hashes.len());
    }
    let made = ok(&bench, "hmac/b", json!({"input": HELLO})).await;
    ok(&bench, "keys/b/rotate", json!({})).await;
    let moved = made["hmac"].as_str().unwrap().replace("v1", "v2");
    for (code, valid) in [
        (made["hmac"].clone(), true),
        (json!(moved), false),
        (json!("vault:v1:"), false),
    ] {
        let verdict = ok(&bench, "verify/b", json!({"input": HELLO, "hmac": code})).await;
        assert_eq!(verdict["valid"], valid, "{code}");
    }
    ok(
        &bench,
        "keys/b/config",
        json!({"min_decryption_version": 2}),
    )
    .await;
    let why = refused(
        &bench,
        "verify/b",
        json!({"input": HELLO, "hmac": made["hmac"]}),
    )
    .await;
    assert_eq!(
        why,
        "cannot verify HMAC: version is too old (disallowed by policy)"
    );
    for hash in ["none", "foo", "", "SHA2-256", "sha4"] {
        refused(&bench, "hmac/a", json!({"input": HELLO, "algorithm": hash})).await;
    }
}

/// RFC 4231, test case 2, has a key of four bytes; ours are random. So the code is that of the same library: here it is
/// told from a plain hash, and the hash itself is as published (FIPS 180-4).
#[tokio::test]
async fn hashes_are_as_published() {
    let bench = TestBench::new().await;
    let abc = json!({"input": ABC});
    for (hash, start) in [
        ("sha2-224", "23097d22"),
        ("sha2-256", "ba7816bf"),
        ("sha2-384", "cb00753f"),
        ("sha2-512", "ddaf35a1"),
        ("sha3-224", "e642824c"),
        ("sha3-256", "3a985da7"),
        ("sha3-384", "ec01498288516fc9"),
        ("sha3-512", "b751850b"),
    ] {
        let made = ok(&bench, &format!("hash/{hash}"), abc.clone()).await;
        assert!(
            made["sum"].as_str().unwrap().starts_with(start),
            "{hash} {made}"
        );
    }
    let made = ok(&bench, "hash", json!({"input": ABC, "format": "base64"})).await;
    assert_eq!(made["sum"], "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    for input in [
        json!({}),
        json!({"input": "?"}),
        json!({"input": ABC, "format": "x"}),
        json!({"input": ABC, "algorithm": "sha1"}),
    ] {
        refused(&bench, "hash", input).await;
    }
    for (path, length) in [
        ("random", 32),
        ("random/16", 16),
        ("random/platform/8", 8),
        ("random/131072", 131_072),
    ] {
        let made = ok(&bench, path, json!({})).await;
        assert_eq!(
            STANDARD
                .decode(made["random_bytes"].as_str().unwrap())
                .unwrap()
                .len(),
            length
        );
    }
    for path in [
        "random/0",
        "random/131073",
        "random/foo",
        "random/foo/8",
        "random/platform/x",
    ] {
        refused(&bench, path, json!({})).await;
    }
}

/// A text of any sort where base64, a ciphertext, a number or an item of a batch is meant.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,40}".prop_map(Value::String),
        "[A-Za-z0-9+/=\r\n]{0,40}".prop_map(Value::String),
        "vault:v[0-9-]{0,3}:[A-Za-z0-9+/=]{0,60}".prop_map(Value::String),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({"a": [1]})),
        Just(json!(HELLO)),
    ]
}

const FIELDS: [&str; 12] = [
    "plaintext",
    "ciphertext",
    "context",
    "associated_data",
    "nonce",
    "key_version",
    "input",
    "hmac",
    "signature",
    "reference",
    "bits",
    "partial_failure_response_code",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_sent_is_answered_or_refused(
        fields in prop::collection::btree_map(prop::sample::select(&FIELDS[..]), anything(), 0..6),
        in_batch in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = TestBench::new().await;
            ok(&bench, "keys/a", json!({})).await;
            ok(&bench, "keys/d", json!({"derived": true, "convergent_encryption": true})).await;
            ok(&bench, "keys/m", json!({"type": "hmac", "key_size": 32})).await;
            let input = if in_batch { json!({"batch_input": [fields, {}]}) } else { json!(fields) };
            for operation in ["encrypt", "decrypt", "rewrap", "datakey/plaintext", "hmac", "verify", "hash", "random"] {
                for name in ["a", "d", "m", "sha2-256"] {
                    match bench.write(&format!("{operation}/{name}"), input.clone()).await {
                        Ok(_) | Err(Fault::Invalid(_)) => {}
                        Err(other) => panic!("{operation}/{name} {input}: {other:?}"),
                    }
                }
            }
        });
    }

    #[test]
    fn any_plaintext_comes_back(
        plaintext in prop::collection::vec(any::<u8>(), 0..4_000),
        context in prop::collection::vec(any::<u8>(), 1..40),
        data in prop::collection::vec(any::<u8>(), 0..40),
        kind in 0..4_usize,
        convergent in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = TestBench::new().await;
            let wish = json!({"type": CIPHERS[kind], "derived": true, "convergent_encryption": convergent});
            ok(&bench, "keys/a", wish).await;
            let mut input = json!({
                "plaintext": STANDARD.encode(&plaintext),
                "context": STANDARD.encode(&context),
                "associated_data": STANDARD.encode(&data),
            });
            let text = sealed(&bench, "a", input.clone()).await;
            input["ciphertext"] = json!(text);
            let opened = ok(&bench, "decrypt/a", input.clone()).await;
            assert_eq!(opened["plaintext"], input["plaintext"]);
            let rewrapped = ok(&bench, "rewrap/a", input.clone()).await;
            assert_eq!(rewrapped["ciphertext"] == text, convergent);
        });
    }
}
