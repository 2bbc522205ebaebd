//! A KV secret whose new versions the service takes up while it runs: by Coffer's events, else by looking every few seconds.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use coffer_client::Error;
use coffer_client::events::{Delivery, Event};
use jiff::{Timestamp, ZonedDateTime};
use serde_json::Value;
use tokio::time::{Instant, sleep, sleep_until};

use crate::session::Session;
use crate::settings::SecretPath;
use crate::status::{Status, WatchedSecret};

/// How often it is looked at where no events come …
const POLL_EVERY: Duration = Duration::from_secs(2);
/// … how many times before events are asked for again …
const POLLS: u32 = 5;
/// … and where they come, for what nobody thought of.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// A subscription that was not refused within this time stands.
const SETTLED: Duration = Duration::from_millis(500);
/// A broken one is taken for mended when it was not broken again for so long.
const MENDED: Duration = Duration::from_secs(10);

/// Follows the secret for as long as the service runs.
pub async fn follow(secret: SecretPath, session: Arc<Session>, status: Arc<Status>) {
    let watcher = Watcher {
        secret,
        session,
        status,
        fingerprints: RandomState::new(),
    };
    let mut told = None;
    loop {
        watcher.look().await;
        let refusal = watcher.by_events().await.to_string();
        if told.as_ref() != Some(&refusal) {
            let seconds = POLL_EVERY.as_secs();
            watcher
                .status
                .say(&format!("no events, looking every {seconds} s: {refusal}"));
            told = Some(refusal);
        }
        watcher.status.secret_by("polling");
        for _ in 0..POLLS {
            sleep(POLL_EVERY).await;
            watcher.look().await;
        }
    }
}

struct Watcher {
    secret: SecretPath,
    session: Arc<Session>,
    status: Arc<Status>,
    /// Drawn at the start, so that nobody can find a value by trying fingerprints of guesses.
    fingerprints: RandomState,
}

impl Watcher {
    /// Looks whenever an event says that there is something new. Returns when the server refuses: the token may not, it has
    /// ended, or there are no events on this server.
    async fn by_events(&self) -> Error {
        let client = self.session.client();
        let mut stream = client.events().subscribe("kv-v2/*").start();
        let mut stands_from = Instant::now();
        let mut look_at = stands_from + SETTLED;
        loop {
            tokio::select! {
                delivery = stream.next() => match delivery {
                    Ok(Delivery::Event(event)) if !self.is_about_ours(&event) => {}
                    // What is lost may have been about ours.
                    Ok(Delivery::Event(_) | Delivery::Lost { .. }) => self.look().await,
                    Ok(Delivery::Broken { .. }) => {
                        self.status.secret_by("polling");
                        stands_from = Instant::now() + MENDED;
                        look_at = look_at.min(Instant::now() + POLL_EVERY);
                    }
                    Err(refusal) => return refusal,
                },
                () = sleep_until(look_at) => {
                    // After the subscription began, so that nothing falls between it and the first look.
                    self.look().await;
                    let stands = stands_from <= Instant::now();
                    self.status.secret_by(if stands { "events" } else { "polling" });
                    look_at = Instant::now() + if stands { LOOK_EVERY } else { POLL_EVERY };
                }
            }
        }
    }

    /// Whether it tells of our secret: of its data, its metadata or the end of a version.
    fn is_about_ours(&self, event: &Event) -> bool {
        let below = event.path().strip_prefix(&self.secret.mount);
        let rest = below.and_then(|below| below.strip_prefix('/')?.split_once('/'));
        rest.is_some_and(|(_, path)| path == self.secret.path)
    }

    /// Reads the secret and tells if it is another than before. Here a real service would begin to use it.
    async fn look(&self) {
        let client = self.session.client();
        let kv = client.kv2(&self.secret.mount);
        match kv.get(&self.secret.path, None).await {
            Ok(answer) => {
                self.status.coffer_answers();
                let data = answer.and_then(|answer| answer.data).unwrap_or_default();
                self.seen(&data);
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &Error) {
        let what = format!("{} is not read", self.secret);
        self.status.coffer_fails(&what, error);
    }

    fn seen(&self, data: &Value) {
        let before = self.status.last_secret();
        let metadata = data.get("metadata");
        let version = metadata.and_then(|it| it.get("version")?.as_u64());
        let value = data.get("data").filter(|value| !value.is_null());
        let fingerprint = value.map(|value| self.fingerprint(value));
        let version = version.unwrap_or(0);
        if before.seen_at.is_some()
            && (before.version, &before.fingerprint) == (version, &fingerprint)
        {
            return;
        }
        let written = metadata.and_then(|it| it.get("created_time")?.as_str());
        let after = written.and_then(age_ms);
        self.status.secret(WatchedSecret {
            version,
            fingerprint,
            seen_at: Some(ZonedDateTime::now().strftime("%H:%M:%S").to_string()),
            // What was there at the start was not waited for.
            learnt_after_ms: after.filter(|_| before.seen_at.is_some()),
            ..before
        });
    }

    fn fingerprint(&self, value: &Value) -> String {
        let bits = self.fingerprints.hash_one(value.to_string());
        format!("{:08x}", bits >> 32)
    }
}

/// How long ago a time in RFC 3339 was.
fn age_ms(time: &str) -> Option<i64> {
    let then: Timestamp = time.parse().ok()?;
    let age = Timestamp::now().as_millisecond() - then.as_millisecond();
    Some(age.max(0))
}
