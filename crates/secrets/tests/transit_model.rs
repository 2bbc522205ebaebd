//! The versions of a transit key against a model that is too simple to be wrong.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can not go on has failed"
)]

use coffer_engine::Fault;
use coffer_engine::testing::Bench;
use coffer_secrets::transit::Transit;
use proptest::prelude::*;
use serde_json::{Value, json};

const HELLO: &str = "aGVsbG8=";

#[derive(Clone, Debug)]
enum Step {
    Encrypt(i64),
    Decrypt(prop::sample::Index),
    Rewrap(prop::sample::Index, i64),
    Code(i64),
    Verify(prop::sample::Index),
    Rotate,
    Configure(Option<i64>, Option<i64>),
    Trim(i64),
    SoftDelete,
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    let version = || -1..7_i64;
    let maybe = || prop::option::of(-1..7_i64);
    let any_of = any::<prop::sample::Index>;
    prop_oneof![
        4 => version().prop_map(Step::Encrypt),
        6 => any_of().prop_map(Step::Decrypt),
        3 => (any_of(), version()).prop_map(|(which, version)| Step::Rewrap(which, version)),
        2 => version().prop_map(Step::Code),
        3 => any_of().prop_map(Step::Verify),
        4 => Just(Step::Rotate),
        5 => (maybe(), maybe()).prop_map(|(decrypts, encrypts)| Step::Configure(decrypts, encrypts)),
        2 => version().prop_map(Step::Trim),
        1 => Just(Step::SoftDelete),
        3 => Just(Step::Restore),
    ]
}

/// A key as somebody who reads the documentation would keep it in mind.
#[derive(Clone, Debug)]
struct Model {
    latest: i64,
    decrypts: i64,
    encrypts: i64,
    available: i64,
    deleted: bool,
    ciphertexts: Vec<(i64, String)>,
    codes: Vec<(i64, String)>,
}

impl Model {
    /// The version that is used where this one is asked for, if it may be.
    fn used(&self, asked: i64) -> Option<i64> {
        match asked {
            _ if self.deleted => None,
            0 => Some(self.latest),
            asked if asked < self.encrypts || asked < self.decrypts || asked > self.latest => None,
            asked => Some(asked),
        }
    }

    fn opens(&self, version: i64) -> bool {
        !self.deleted && version >= self.decrypts
    }

    fn configured(&self, decrypts: Option<i64>, encrypts: Option<i64>) -> Option<Self> {
        let mut next = self.clone();
        if let Some(asked) = decrypts {
            next.decrypts = if asked == 0 { 1 } else { asked };
        }
        next.encrypts = encrypts.unwrap_or(self.encrypts);
        let fits = (0..=self.latest).contains(&next.decrypts)
            && (0..=self.latest).contains(&next.encrypts)
            && (next.encrypts == 0 || next.encrypts >= next.decrypts)
            && next.encrypts >= self.available
            && next.decrypts >= self.available;
        fits.then_some(next)
    }

    fn trims(&self, to: i64) -> bool {
        to > 0 && to >= self.available && to <= self.encrypts && to <= self.decrypts
    }
}

type TestBench = Bench<Transit>;

/// The field of the answer, or none where the request was refused.
async fn asked(bench: &TestBench, path: &str, input: Value, field: &str) -> Option<Value> {
    match bench.write(path, input.clone()).await {
        Ok(answered) => Some(answered.data.get(field).cloned().unwrap_or_default()),
        Err(Fault::Invalid(_)) => None,
        Err(other) => panic!("{path} {input}: {other}"),
    }
}

fn version_of(text: &str) -> i64 {
    let rest = text.strip_prefix("vault:v").unwrap();
    rest.split(':').next().unwrap().parse().unwrap()
}

async fn take(bench: &TestBench, model: &mut Model, step: &Step) {
    match step {
        Step::Encrypt(version) => {
            let input = json!({"plaintext": HELLO, "key_version": version});
            let made = asked(bench, "encrypt/a", input, "ciphertext").await;
            made_by(model.used(*version), made, &mut model.ciphertexts);
        }
        Step::Code(version) => {
            let input = json!({"input": HELLO, "key_version": version});
            let made = asked(bench, "hmac/a", input, "hmac").await;
            made_by(model.used(*version), made, &mut model.codes);
        }
        Step::Decrypt(which) if !model.ciphertexts.is_empty() => {
            let (version, text) = which.get(&model.ciphertexts);
            let input = json!({ "ciphertext": text });
            let opened = asked(bench, "decrypt/a", input, "plaintext").await;
            assert_eq!(opened, model.opens(*version).then_some(json!(HELLO)));
        }
        Step::Rewrap(which, to) if !model.ciphertexts.is_empty() => {
            let (version, text) = which.get(&model.ciphertexts).clone();
            let input = json!({"ciphertext": text, "key_version": to});
            let made = asked(bench, "rewrap/a", input, "ciphertext").await;
            let used = model.used(*to).filter(|_| model.opens(version));
            made_by(used, made, &mut model.ciphertexts);
        }
        Step::Verify(which) if !model.codes.is_empty() => {
            let (version, text) = which.get(&model.codes);
            let input = json!({"input": HELLO, "hmac": text});
            let valid = asked(bench, "verify/a", input, "valid").await;
            assert_eq!(valid, model.opens(*version).then_some(json!(true)));
        }
        Step::Rotate => {
            let made = asked(bench, "keys/a/rotate", json!({}), "latest_version").await;
            if !model.deleted {
                model.latest += 1;
            }
            assert_eq!(made, (!model.deleted).then(|| json!(model.latest)));
        }
        Step::Configure(decrypts, encrypts) => {
            let mut input = json!({});
            for (name, value) in [
                ("min_decryption_version", decrypts),
                ("min_encryption_version", encrypts),
            ] {
                if let Some(value) = value {
                    input
                        .as_object_mut()
                        .unwrap()
                        .insert(name.to_owned(), json!(value));
                }
            }
            let done = asked(bench, "keys/a/config", input, "name").await.is_some();
            let next = model.configured(*decrypts, *encrypts);
            assert_eq!(done, next.is_some(), "{decrypts:?} {encrypts:?}");
            *model = next.unwrap_or_else(|| model.clone());
        }
        Step::Trim(to) => {
            let input = json!({"min_available_version": to});
            let done = asked(bench, "keys/a/trim", input, "name").await.is_some();
            assert_eq!(done, model.trims(*to), "{to}");
            if done {
                model.available = *to;
            }
        }
        Step::SoftDelete => {
            bench.delete("keys/a/soft-delete").await.unwrap();
            model.deleted = true;
        }
        Step::Restore => {
            bench
                .write("keys/a/soft-delete-restore", json!({}))
                .await
                .unwrap();
            model.deleted = false;
        }
        Step::Decrypt(_) | Step::Rewrap(..) | Step::Verify(_) => {}
    }
}

fn made_by(used: Option<i64>, made: Option<Value>, kept: &mut Vec<(i64, String)>) {
    let made = made.map(|text| text.as_str().unwrap().to_owned());
    assert_eq!(made.as_deref().map(version_of), used);
    kept.extend(made.map(|text| (version_of(&text), text)));
}

async fn agrees(bench: &TestBench, model: &Model) {
    let shown = bench.read("keys/a").await.unwrap().data;
    let number = |name: &str| shown.get(name).and_then(Value::as_i64).unwrap();
    assert_eq!(number("latest_version"), model.latest);
    assert_eq!(number("min_decryption_version"), model.decrypts);
    assert_eq!(number("min_encryption_version"), model.encrypts);
    assert_eq!(number("min_available_version"), model.available);
    let keys = shown.get("keys").and_then(Value::as_object).unwrap();
    let mut versions: Vec<i64> = keys.keys().map(|key| key.parse().unwrap()).collect();
    versions.sort_unstable();
    let first = model.decrypts.max(model.available);
    assert_eq!(versions, (first..=model.latest).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn versions_are_those_of_the_model(
        steps in prop::collection::vec(step(), 1..60),
        kind in prop::sample::select(vec!["aes256-gcm96", "xchacha20-poly1305"]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = TestBench::new().await;
            bench.write("keys/a", json!({"type": kind})).await.unwrap();
            let mut model = Model {
                latest: 1,
                decrypts: 1,
                encrypts: 0,
                available: 0,
                deleted: false,
                ciphertexts: Vec::new(),
                codes: Vec::new(),
            };
            for step in &steps {
                take(&bench, &mut model, step).await;
                agrees(&bench, &model).await;
            }
        });
    }
}
