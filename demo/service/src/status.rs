//! All that can be shown of the service: numbers, names, versions. No value of a secret comes here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use coffer_client::{Credential, Error};
use jiff::ZonedDateTime;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use crate::credential::user;
use crate::settings::Settings;

/// How many lines of the log are shown.
const LINES_MAX: usize = 40;
/// How many of the last queries are shown.
const QUERIES_SHOWN: usize = 60;
/// How often the page hears of it without news …
const EVERY: Duration = Duration::from_secs(1);
/// … and how often at most.
const AT_MOST_EVERY: Duration = Duration::from_millis(100);
/// A service whose last good query is older than this is not well.
const WELL_FOR: Duration = Duration::from_secs(5);

/// What is known of the service.
pub struct Status {
    facts: Mutex<Facts>,
    news: Notify,
    out: watch::Sender<Arc<str>>,
}

#[derive(Serialize)]
struct Facts {
    state: State,
    coffer: String,
    role: String,
    /// Why Coffer did not help, while that lasts.
    trouble: Option<String>,
    user: Option<String>,
    lease_ttl_s: u64,
    lease_ends_in_s: f64,
    renewals: u64,
    /// How many have been taken; the first is no change-over.
    credentials: u64,
    handed_back: u64,
    queries: u64,
    errors: u64,
    /// Queries that came through at the second attempt or a later one.
    retried: u64,
    last_error: Option<String>,
    /// How long the last queries took, in milliseconds; nothing for one that failed.
    latencies_ms: VecDeque<Option<f64>>,
    /// Who the database says that it was asked by.
    asked_as: Option<String>,
    orders: Value,
    cups_ordered: i64,
    secret: WatchedSecret,
    log: VecDeque<Line>,
    #[serde(skip)]
    credential: Option<Lifetime>,
    #[serde(skip)]
    last_success: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Starting,
    Running,
    Waiting,
    Stopping,
}

/// The time of the current credential. Not the credential itself: to hold that is to use it.
struct Lifetime {
    ttl: Duration,
    ends: Instant,
}

/// The KV secret without its value.
#[derive(Clone, Default, Serialize)]
pub struct WatchedSecret {
    /// Where it is.
    pub path: String,
    /// Its current version; 0 where there is none.
    pub version: u64,
    /// Eight digits that change when the value does, and say nothing of it.
    pub fingerprint: Option<String>,
    /// When the service learnt of this version.
    pub seen_at: Option<String>,
    /// How long after it was written, in milliseconds.
    pub learnt_after_ms: Option<i64>,
    /// How the service hears of new versions: `events` or `polling`.
    pub by: &'static str,
}

/// A line of the log.
#[derive(Clone, Serialize)]
struct Line {
    at: String,
    text: String,
}

/// An answered query.
pub struct Answered {
    /// The database user that asked.
    pub user: String,
    /// The rows.
    pub orders: Value,
    /// How long it took, retries included.
    pub took: Duration,
    /// How many attempts it needed.
    pub attempts: u32,
}

impl Status {
    /// Of a service that has not begun.
    pub fn new(settings: &Settings) -> Self {
        let coffer = coffer_client::variable("ADDR");
        let secret = WatchedSecret {
            path: settings.secret.to_string(),
            by: "polling",
            ..WatchedSecret::default()
        };
        let facts = Facts {
            state: State::Starting,
            coffer: coffer.unwrap_or_else(|| coffer_client::DEFAULT_ADDRESS.to_owned()),
            role: settings.role.clone(),
            trouble: None,
            user: None,
            lease_ttl_s: 0,
            lease_ends_in_s: 0.0,
            renewals: 0,
            credentials: 0,
            handed_back: 0,
            queries: 0,
            errors: 0,
            retried: 0,
            last_error: None,
            latencies_ms: VecDeque::new(),
            asked_as: None,
            orders: Value::Array(Vec::new()),
            cups_ordered: 0,
            secret,
            log: VecDeque::new(),
            credential: None,
            last_success: None,
        };
        Self {
            facts: Mutex::new(facts),
            news: Notify::new(),
            out: watch::channel(Arc::from("{}")).0,
        }
    }

    /// Renders it again and again for those who watch.
    pub async fn publish(self: Arc<Self>) {
        loop {
            self.out.send_replace(self.json().into());
            tokio::select! {
                () = self.news.notified() => {}
                () = sleep(EVERY) => {}
            }
            sleep(AT_MOST_EVERY).await;
        }
    }

    /// Follows it, as JSON; the first is as it is now.
    pub fn watch(&self) -> watch::Receiver<Arc<str>> {
        self.out.send_replace(self.json().into());
        let mut watch = self.out.subscribe();
        watch.mark_changed();
        watch
    }

    /// As JSON, now.
    pub fn json(&self) -> String {
        let mut facts = self.facts();
        let left = facts.credential.as_ref().map(Lifetime::left);
        facts.lease_ends_in_s = left.map_or(0.0, |left| (left.as_secs_f64() * 10.0).round() / 10.0);
        serde_json::to_string(&*facts).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Whether queries are answered at present.
    pub fn is_well(&self) -> bool {
        let last = self.facts().last_success;
        last.is_some_and(|last| last.elapsed() < WELL_FOR)
    }

    /// Writes a line to the log and to the page.
    pub fn say(&self, text: &str) {
        let at = ZonedDateTime::now().strftime("%H:%M:%S").to_string();
        println!("{at} {text}");
        let text = text.to_owned();
        let mut facts = self.facts();
        facts.log.push_back(Line { at, text });
        if facts.log.len() > LINES_MAX {
            facts.log.pop_front();
        }
        drop(facts);
        self.news.notify_one();
    }

    /// Another database user is the current one.
    pub fn taken(&self, credential: &Credential) {
        let ttl = credential.ttl().as_secs();
        let mut facts = self.facts();
        facts.set_credential(credential);
        facts.credentials += 1;
        drop(facts);
        self.say(&format!("new credential: {}, {ttl} s", user(credential)));
    }

    /// The current database user lives longer.
    pub fn renewed(&self, credential: &Credential) {
        let ttl = credential.ttl().as_secs();
        let mut facts = self.facts();
        facts.set_credential(credential);
        facts.renewals += 1;
        drop(facts);
        self.say(&format!("renewed {} for {ttl} s", user(credential)));
    }

    /// A former database user is gone.
    pub fn handed_back(&self, user: &str) {
        self.facts().handed_back += 1;
        self.say(&format!("handed back {user}"));
    }

    /// New connections are made by this user.
    pub fn changed_over(&self, user: &str) {
        self.say(&format!("queries run as {user}"));
    }

    /// Coffer did what it was asked for.
    pub fn coffer_answers(&self) {
        let before = self.facts().trouble.take();
        if before.is_some() {
            self.say("Coffer answers again");
        }
    }

    /// Coffer did not do what it was asked for. The service goes on with what it has.
    pub fn coffer_fails(&self, what: &str, error: &Error) {
        self.facts().trouble = Some(error.to_string());
        self.say(&format!("trouble: {what}: {error}"));
    }

    /// A query was answered.
    pub fn answered(&self, answered: &Answered) {
        let mut facts = self.facts();
        facts.queries += 1;
        facts.retried += u64::from(answered.attempts > 1);
        facts.orders = answered.orders.clone();
        facts.cups_ordered = cups(&answered.orders);
        facts.asked_as = Some(answered.user.clone());
        facts.last_success = Some(Instant::now());
        facts.push_latency(Some(answered.took));
        if facts.state != State::Stopping {
            facts.state = State::Running;
        }
        drop(facts);
        self.news.notify_one();
    }

    /// A query failed.
    pub fn failed(&self, error: &str) {
        let mut facts = self.facts();
        let is_new = facts.last_error.as_deref() != Some(error) || facts.state == State::Running;
        facts.errors += 1;
        facts.last_error = Some(error.to_owned());
        facts.push_latency(None);
        if facts.state != State::Stopping {
            facts.state = State::Waiting;
        }
        drop(facts);
        if is_new {
            self.say(&format!("trouble: a query failed: {error}"));
        }
    }

    /// How the service hears of new versions of the secret.
    pub fn secret_by(&self, by: &'static str) {
        self.facts().secret.by = by;
        self.news.notify_one();
    }

    /// The KV secret as it is now.
    pub fn secret(&self, now: WatchedSecret) {
        let text = match (&now.fingerprint, now.learnt_after_ms) {
            (None, _) => format!("{} has no value", now.path),
            (Some(_), None) => format!("{} has version {}", now.path, now.version),
            (Some(_), Some(after)) => format!(
                "{} has version {} now, learnt by {} {after} ms after it was written",
                now.path, now.version, now.by
            ),
        };
        self.facts().secret = now;
        self.say(&text);
    }

    /// The KV secret as it was seen last.
    pub fn last_secret(&self) -> WatchedSecret {
        self.facts().secret.clone()
    }

    /// The end begins.
    pub fn stopping(&self) {
        self.facts().state = State::Stopping;
        self.say("stopping");
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Facts {
    fn set_credential(&mut self, credential: &Credential) {
        let ttl = credential.ttl();
        self.user = Some(user(credential).to_owned());
        self.lease_ttl_s = ttl.as_secs();
        self.credential = Some(Lifetime {
            ttl,
            ends: Instant::now() + credential.left(),
        });
    }

    fn push_latency(&mut self, took: Option<Duration>) {
        let ms = took.map(|took| (took.as_secs_f64() * 10_000.0).round() / 10.0);
        self.latencies_ms.push_back(ms);
        if self.latencies_ms.len() > QUERIES_SHOWN {
            self.latencies_ms.pop_front();
        }
    }
}

impl Lifetime {
    fn left(&self) -> Duration {
        let left = self.ends.saturating_duration_since(Instant::now());
        left.min(self.ttl)
    }
}

/// The cups of all orders that say how many they are for.
fn cups(orders: &Value) -> i64 {
    let orders = orders.as_array().map(Vec::as_slice).unwrap_or_default();
    orders
        .iter()
        .filter_map(|order| order.get("cups")?.as_i64())
        .sum()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::{DatabasePlace, SecretPath};

    fn status() -> Status {
        Status::new(&Settings {
            token_file: "/t".into(),
            listen: "127.0.0.1:0".parse().unwrap(),
            address_file: None,
            role: "database/creds/app-role".to_owned(),
            secret: SecretPath {
                mount: "secret".to_owned(),
                path: "app/config".to_owned(),
            },
            database: DatabasePlace {
                host: "127.0.0.1".to_owned(),
                port: 5432,
                name: "shop".to_owned(),
            },
        })
    }

    fn shown(status: &Status) -> Value {
        serde_json::from_str(&status.json()).unwrap()
    }

    #[test]
    fn queries_are_counted_and_tell_the_state() {
        let status = status();
        assert_eq!(shown(&status)["state"], "starting");
        let answered = Answered {
            user: "v-app".to_owned(),
            orders: json!([{ "id": 1, "cups": 2 }, { "id": 2, "cups": 3 }, { "id": 3 }]),
            took: Duration::from_micros(1234),
            attempts: 2,
        };
        status.answered(&answered);
        let now = shown(&status);
        assert_eq!(
            (&now["state"], &now["queries"]),
            (&json!("running"), &json!(1))
        );
        assert_eq!(
            (&now["cups_ordered"], &now["retried"]),
            (&json!(5), &json!(1))
        );
        assert!(status.is_well());
        status.failed("no database");
        let now = shown(&status);
        assert_eq!(
            (&now["state"], &now["errors"]),
            (&json!("waiting"), &json!(1))
        );
        assert_eq!(now["latencies_ms"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_grows_has_an_end() {
        let status = status();
        for count in 0..200 {
            status.failed(&format!("error {count}"));
        }
        let now = shown(&status);
        assert_eq!(now["log"].as_array().unwrap().len(), LINES_MAX);
        assert_eq!(now["latencies_ms"].as_array().unwrap().len(), QUERIES_SHOWN);
    }
}
