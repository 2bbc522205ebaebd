//! A KV secret whose new versions the service takes up while it runs: by Coffer's events, else by looking every few seconds.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use coffer_client::Error;
use jiff::{Timestamp, ZonedDateTime};
use serde_json::Value;
use tokio::time::sleep;

use crate::session::Session;
use crate::settings::SecretPath;
use crate::status::{Status, WatchedSecret};

/// How often it is looked at where no events come.
const POLL_EVERY: Duration = Duration::from_secs(2);

/// Follows the secret for as long as the service runs.
pub async fn follow(secret: SecretPath, session: Arc<Session>, status: Arc<Status>) {
    let watcher = Watcher {
        secret,
        session,
        status,
        fingerprints: RandomState::new(),
    };
    loop {
        watcher.look().await;
        sleep(POLL_EVERY).await;
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
