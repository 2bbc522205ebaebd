//! Asking keepers on behalf of people who handed in keys, of which only the root key tells whether they are right.
//!
//! Anybody can hand in keys. So the keepers are asked once in a while, whoever wants it, and all who wait get what came of it:
//! strangers neither wear a keeper out nor keep the right people waiting longer than that.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Aes256Key;
use coffer_engine::Fault;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

use super::keeping::Keeping;
use super::situation::Copies;

/// Between two questions at least.
const PAUSE: Duration = Duration::from_secs(2);

/// The root key, or why no keeper gave it.
type Given = Result<Arc<Aes256Key>, String>;

/// Who waits for the root key.
#[derive(Debug)]
pub(super) struct Asked {
    /// One of those who wait asks for all.
    leads: Semaphore,
    waiting: Mutex<Vec<oneshot::Sender<Given>>>,
    last: Mutex<Option<Instant>>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            leads: Semaphore::new(1),
            waiting: Mutex::default(),
            last: Mutex::default(),
        }
    }
}

impl Asked {
    /// Waits in line.
    fn wait(&self) -> oneshot::Receiver<Given> {
        let (answer, answered) = oneshot::channel();
        let mut waiting = self.waiting.lock();
        waiting.retain(|other| !other.is_closed());
        waiting.push(answer);
        answered
    }

    /// How long it is until keepers may be asked again.
    fn pause(&self) -> Duration {
        let last = *self.last.lock();
        last.map_or(Duration::ZERO, |last| PAUSE.saturating_sub(last.elapsed()))
    }

    fn answer_all(&self, given: &Given) {
        for waiting in mem::take(&mut *self.waiting.lock()) {
            waiting.send(given.clone()).ok(); // Who went away needs none.
        }
    }
}

impl Keeping<'_> {
    /// The root key of the store by the first of these seals that gives it, for people who are not known yet.
    ///
    /// If whoever leads goes away in the middle, the next one who waits leads.
    pub(super) async fn open_for_people(&self, by: &Copies) -> Result<Arc<Aes256Key>, Fault> {
        let asked = &self.settings.seals.asked;
        let mut answered = asked.wait();
        let given = tokio::select! {
            biased;
            given = &mut answered => given,
            lead = asked.leads.acquire() => {
                let _lead = lead.map_err(Fault::internal)?;
                if let Ok(given) = answered.try_recv() {
                    Ok(given)
                } else {
                    tokio::time::sleep(asked.pause()).await;
                    *asked.last.lock() = Some(Instant::now());
                    let given = self.open_any(by).await.map(Arc::new).map_err(told);
                    asked.answer_all(&given);
                    Ok(given)
                }
            }
        };
        given.map_err(Fault::internal)?.map_err(Fault::Unavailable)
    }
}

/// What strangers are told.
fn told(fault: Fault) -> String {
    match fault {
        Fault::Unavailable(text) => text,
        other => {
            tracing::error!(fault = %other, "the root key could not be asked for");
            "the storage can not be read; see the server's log".to_owned()
        }
    }
}
