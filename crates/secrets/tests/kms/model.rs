//! The life of a key against a model that is too simple to be wrong.

use std::collections::BTreeMap;

use coffer_wire::Timestamp;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Enable,
    Disable,
    Schedule(i64),
    Cancel,
    Rotate,
    Calendar(Option<u32>),
    Encrypt,
    Decrypt(usize),
    Wait(u32),
    Tick,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Enable),
        2 => Just(Step::Disable),
        1 => (7..31_i64).prop_map(Step::Schedule),
        2 => Just(Step::Cancel),
        3 => Just(Step::Rotate),
        2 => prop::option::weighted(0.8, 90..400_u32).prop_map(Step::Calendar),
        5 => Just(Step::Encrypt),
        5 => any::<usize>().prop_map(Step::Decrypt),
        3 => prop_oneof![1..9_u32, 80..500_u32].prop_map(Step::Wait),
        3 => Just(Step::Tick),
    ]
}

/// A key as somebody who reads the documentation would keep it in mind.
struct Model {
    now: Timestamp,
    disabled: bool,
    deletion: Option<Timestamp>,
    calendar: Option<(u32, Timestamp)>,
    on_demand: u32,
    versions: u32,
    /// What was encrypted, and with which version.
    made: Vec<(String, u32)>,
}

impl Model {
    /// Why the key can not be used, if it can not.
    fn trouble(&self) -> Option<&'static str> {
        match self.deletion {
            Some(at) if at <= self.now => Some("NotFoundException"),
            Some(_) => Some("KMSInvalidStateException"),
            None if self.disabled => Some("DisabledException"),
            None => None,
        }
    }

    /// The same for what only a deletion forbids.
    fn ending(&self) -> Option<&'static str> {
        self.trouble()
            .filter(|trouble| *trouble != "DisabledException")
    }

    fn tick(&mut self) {
        let Some((period, next)) = self.calendar.filter(|(_, next)| *next <= self.now) else {
            return;
        };
        if self.trouble().is_some() {
            return;
        }
        self.versions += 1;
        let from = if self.now.since(next) < DAY {
            next
        } else {
            self.now
        };
        self.calendar = Some((period, from.plus(days(period))));
    }
}

async fn run(steps: Vec<Step>) {
    let mut bench = Bench::<Kms>::new().await;
    let id = symmetric(&bench).await;
    bench
        .write("aliases/app", json!({"target_key_id": id}))
        .await
        .unwrap();
    let mut model = Model {
        now: bench.now,
        disabled: false,
        deletion: None,
        calendar: None,
        on_demand: 0,
        versions: 1,
        made: Vec::new(),
    };
    for step in steps {
        take(&mut bench, &id, &mut model, &step).await;
        check(&bench, &id, &model).await;
    }
}

fn expect(result: Result<Answered, Fault>, trouble: Option<&str>, step: &Step) -> Option<Value> {
    match trouble {
        Some(trouble) => {
            assert_eq!(exception(result), trouble, "{step:?}");
            None
        }
        None => Some(result.unwrap().data),
    }
}

async fn take(bench: &mut Bench<Kms>, id: &str, model: &mut Model, step: &Step) {
    let path = |tail: &str| format!("keys/{id}/{tail}");
    match step {
        Step::Enable | Step::Disable => {
            let disable = matches!(step, Step::Disable);
            let verb = if disable { "disable" } else { "enable" };
            let done = bench.write(&path(verb), json!({})).await;
            if expect(done, model.ending(), step).is_some() {
                model.disabled = disable;
            }
        }
        Step::Schedule(window) => {
            let fields = json!({"pending_window_in_days": window});
            let done = bench.write(&path("schedule-deletion"), fields).await;
            if expect(done, model.ending(), step).is_some() {
                model.deletion = Some(model.now.plus(days(u32::try_from(*window).unwrap())));
            }
        }
        Step::Cancel => {
            let done = bench.write(&path("cancel-deletion"), json!({})).await;
            let trouble = match model.ending() {
                Some("KMSInvalidStateException") => None,
                Some(gone) => Some(gone),
                None => Some("KMSInvalidStateException"),
            };
            if expect(done, trouble, step).is_some() {
                (model.deletion, model.disabled) = (None, true);
            }
        }
        Step::Rotate => {
            let done = bench.write(&path("rotate"), json!({})).await;
            let full = (model.on_demand == 25).then_some("LimitExceededException");
            if expect(done, model.trouble().or(full), step).is_some() {
                model.on_demand += 1;
                model.versions += 1;
            }
        }
        Step::Calendar(period) => {
            let fields = match period {
                Some(days) => json!({"enabled": true, "rotation_period_in_days": days}),
                None => json!({"enabled": false}),
            };
            let done = bench.write(&path("rotation"), fields).await;
            if expect(done, model.trouble(), step).is_some() {
                let old = model.calendar;
                model.calendar = period.map(|period| match old {
                    Some((same, next)) if same == period => (period, next),
                    _ => (period, model.now.plus(days(period))),
                });
            }
        }
        Step::Encrypt => {
            let text = format!("text {}", model.made.len());
            let fields = json!({"plaintext": b64(text)});
            let done = bench.write("encrypt/alias:app", fields).await;
            if let Some(done) = expect(done, model.trouble(), step) {
                let blob = done["ciphertext_blob"].as_str().unwrap().to_owned();
                let raw = unb64(&done["ciphertext_blob"]);
                let version = u32::from_be_bytes(raw[17..21].try_into().unwrap());
                assert_eq!(version, model.versions);
                model.made.push((blob, version));
            }
        }
        Step::Decrypt(which) if !model.made.is_empty() => {
            let at = which % model.made.len();
            let fields = json!({"ciphertext_blob": model.made[at].0});
            let done = bench.write(&format!("decrypt/{id}"), fields).await;
            if let Some(done) = expect(done, model.trouble(), step) {
                assert_eq!(unb64(&done["plaintext"]), format!("text {at}").into_bytes());
            }
        }
        Step::Decrypt(_) => {}
        Step::Wait(count) => {
            bench.advance(days(*count));
            model.now = bench.now;
        }
        Step::Tick => {
            bench.tick().await.unwrap();
            model.tick();
        }
    }
}

/// What is shown is what the model says, and what is due is written down once.
async fn check(bench: &Bench<Kms>, id: &str, model: &Model) {
    let read = bench.read(&format!("keys/{id}")).await;
    if model.ending() == Some("NotFoundException") {
        assert_eq!(exception(read), "NotFoundException");
        return;
    }
    let wanted = match model.trouble() {
        None => "Enabled",
        Some("DisabledException") => "Disabled",
        Some(_) => "PendingDeletion",
    };
    assert_eq!(read.unwrap().data["key_state"], wanted);
    let fields = json!({"include_key_material": "ALL_KEY_MATERIAL", "limit": 1_000});
    let all = bench
        .request(Verb::Read, &format!("keys/{id}/rotations"), fields)
        .await
        .unwrap();
    let states = all.data["rotations"].as_array().unwrap().iter();
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for one in states {
        *counts
            .entry(one["key_material_state"].as_str().unwrap())
            .or_default() += 1;
    }
    assert_eq!(counts.get("CURRENT"), Some(&1));
    assert_eq!(counts.values().sum::<u32>(), model.versions);
    let due = bench.view().scan_paths("due/", None, 10).await.unwrap();
    let wanted = match model.trouble() {
        None => model.calendar.map(|(_, next)| next),
        Some(_) => model.deletion,
    };
    let wanted: Vec<String> = wanted
        .iter()
        .map(|at| format!("due/{:016x}/{id}", at.nanos()))
        .collect();
    assert_eq!(due, wanted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_life_of_a_key(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
