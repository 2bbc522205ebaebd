//! Opening the server by itself, as long as it takes.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::Fault;
use tokio_util::sync::CancellationToken;

use super::keeping::Keeping;
use super::outlook::names;
use super::situation::Situation;
use crate::kernel::{Kernel, State};

/// The first wait after a try that failed, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How often at least the log says that nothing opens the server.
const REMINDER: Duration = Duration::from_secs(600);

/// What came of a try.
enum Tried {
    /// There was nothing to do.
    Nothing,
    /// There is nothing that this server could do alone; said in words.
    Stuck(String),
    /// It is to be tried again.
    Failed(Fault),
}

impl Kernel {
    /// Opens the server by its keepers whenever it is sealed and nobody wants it to be, and asks them from time to time
    /// how they are; until `stop`.
    pub async fn keep_seals(self: Arc<Self>, stop: CancellationToken) {
        let both = async {
            tokio::join!(self.open_again_and_again(), super::prober::run(&self));
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = both => {}
        }
    }

    async fn open_again_and_again(&self) {
        let mut waits = Waits::default();
        loop {
            let news = self.settings.seals.news();
            tokio::pin!(news);
            news.as_mut().enable();
            let wait = match self.try_to_open().await {
                Tried::Nothing => {
                    waits = Waits::default();
                    None
                }
                Tried::Stuck(why) => {
                    waits.say(&why, |why| {
                        tracing::error!(why, "the server stays sealed");
                    });
                    None
                }
                Tried::Failed(fault) => {
                    let wait = waits.next(self);
                    let secs = wait.as_secs();
                    waits.say(&fault.to_string(), |why| {
                        tracing::warn!(why, "the server is sealed and could not open itself; it goes on trying, next in {secs} s. See that the seal's keeper can be reached and that this server may use its key");
                    });
                    Some(wait)
                }
            };
            match wait {
                None => news.await,
                Some(wait) => {
                    let _ = tokio::time::timeout(wait, news).await;
                }
            }
        }
    }

    async fn try_to_open(&self) -> Tried {
        if !matches!(&*self.state(), State::Sealed) || self.settings.seals.is_held() {
            return Tried::Nothing;
        }
        let keeping = Keeping::of(self);
        let by = match keeping.situation().await {
            Ok(Situation::Kept { by, .. }) => by,
            Ok(Situation::New | Situation::Shares(_)) => return Tried::Nothing,
            Ok(other) => return Tried::Stuck(in_words(&other)),
            Err(fault) => return Tried::Failed(fault),
        };
        let names: Vec<_> = by.iter().map(|(stanza, _)| stanza.name.as_str()).collect();
        tracing::debug!(seals = names.join(", "), "asking for the root key");
        let opened = match keeping.open_any(&by).await {
            Ok(root) => self.open_with(root).await,
            Err(fault) => Err(fault),
        };
        match opened {
            Ok(()) => Tried::Nothing,
            Err(fault) => Tried::Failed(fault),
        }
    }
}

/// Why a server does not open by itself, and what to do.
fn in_words(situation: &Situation) -> String {
    match situation {
        Situation::ToKeepers(_) => "a seal is configured, but key shares protect this storage: hand them in with `coffer operator unseal -migrate` to move to the seal, or remove the stanza".to_owned(),
        Situation::ToShares { .. } => "the seal is disabled in the configuration: hand in recovery keys with `coffer operator unseal -migrate` to make them the unseal keys, or enable the seal".to_owned(),
        Situation::ToOthers { .. } => "another seal is configured and the one in use is disabled: hand in recovery keys with `coffer operator unseal -migrate` to move to it".to_owned(),
        Situation::Lost { kept_by, .. } => format!(
            "no configured seal has a copy of the root key; there are copies of: {}. Add that stanza `seal` with the same name, or unseal with break-glass shares if there are any (`coffer operator unseal -break-glass`)",
            names(kept_by)
        ),
        Situation::New | Situation::Shares(_) | Situation::Kept { .. } => String::new(),
    }
}

/// Growing waits with some chance in them, so that many servers do not ask at the same moments; and what was said last.
#[derive(Default)]
struct Waits {
    last: Duration,
    said: String,
    since_said: Duration,
}

impl Waits {
    fn next(&mut self, kernel: &Kernel) -> Duration {
        let grown = (self.last * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        self.last = grown;
        let half = grown / 2;
        let millis = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
        let chance = kernel.barrier.random().uniform(millis.max(1));
        let wait = half + Duration::from_millis(chance);
        self.since_said += wait;
        wait
    }

    fn say(&mut self, what: &str, say: impl FnOnce(&str)) {
        if self.said == what && self.since_said < REMINDER {
            return;
        }
        what.clone_into(&mut self.said);
        self.since_said = Duration::ZERO;
        say(what);
    }
}
