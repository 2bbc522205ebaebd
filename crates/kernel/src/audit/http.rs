//! Posting lines to an HTTP server. The kernel knows no HTTP: who starts it hands in what does.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::{WipingBuffer, Zeroizing};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::chain::{Chain, Mark};
use super::health::Health;
use super::queue::{Kept, Line, Order, Outcome};

/// How many lines may be on their way at once. With a chain it is one, so that they arrive in order.
const UNDER_WAY_MAX: usize = 16;

/// What can make senders: the HTTP client of the process.
pub trait HttpOutlet: Send + Sync {
    /// A sender to one address.
    ///
    /// # Errors
    /// What is wrong with the address or the headers.
    fn sender(&self, target: &HttpTarget) -> Result<Arc<dyn HttpSender>, String>;
}

/// Posts to one address.
pub trait HttpSender: Send + Sync {
    /// Posts a body. It counts as taken when the answer's status is 2xx.
    fn post(&self, body: Zeroizing<Vec<u8>>) -> Posting;
}

/// A post under way: done, or why not.
pub type Posting = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Where lines are posted, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpTarget {
    /// The address.
    pub uri: String,
    /// Headers that are sent with each line.
    pub headers: BTreeMap<String, Vec<String>>,
    /// How long one post may take.
    pub timeout: Duration,
    /// Certificates that the receiver's must come from, in PEM; none for those that the system trusts.
    pub ca_pem: Option<String>,
}

/// Starts the task that posts.
pub(super) fn start(
    queue: mpsc::Receiver<Order>,
    sender: Arc<dyn HttpSender>,
    chain: Option<Chain>,
    health: Arc<Health>,
) {
    health.set_head(chain.as_ref().and_then(Chain::head));
    let poster = Poster {
        sender,
        chain,
        health,
    };
    tokio::spawn(poster.work(queue));
}

struct Poster {
    sender: Arc<dyn HttpSender>,
    chain: Option<Chain>,
    health: Arc<Health>,
}

/// A line that was posted.
struct Posted {
    line: Line,
    mark: Option<Mark>,
    /// The line as it was posted, if anybody follows.
    told: Option<Vec<u8>>,
    outcome: Outcome,
}

impl Poster {
    async fn work(mut self, mut queue: mpsc::Receiver<Order>) {
        let most = if self.chain.is_some() {
            1
        } else {
            UNDER_WAY_MAX
        };
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(posted) = under_way.next(), if !under_way.is_empty() => {
                    self.health.busy(false);
                    self.done(posted);
                }
                order = queue.recv(), if under_way.len() < most => match order {
                    None => break,
                    Some(Order::Append(line)) => {
                        under_way.push(self.post(line));
                        if under_way.len() == most {
                            self.health.busy(true);
                        }
                    }
                    Some(Order::Reopen(done)) => {
                        // The asker may have gone.
                        let _ = done.send(Ok(()));
                    }
                    Some(Order::Keep(done)) => {
                        let head = self.chain.as_ref().and_then(Chain::head);
                        let _ = done.send(Kept { head, file: None });
                    }
                },
            }
        }
        while let Some(posted) = under_way.next().await {
            self.done(posted);
        }
    }

    fn post(&mut self, mut line: Line) -> impl Future<Output = Posted> + use<> {
        let untold = self.health.take_untold();
        let text = std::mem::take(&mut line.text);
        let (body, mark) = match &mut self.chain {
            None => (text, None),
            Some(chain) => {
                chain.lose(untold);
                let mut body = WipingBuffer::with_capacity(text.len() + 256);
                let mark = chain.link(&text, line.time, &mut body);
                (body.into_inner(), Some(mark))
            }
        };
        let told = self.health.tail.is_followed().then(|| body.to_vec());
        let posting = self.sender.post(body);
        async move {
            let outcome = posting.await;
            Posted {
                line,
                mark,
                told,
                outcome,
            }
        }
    }

    fn done(&mut self, posted: Posted) {
        let Posted {
            line,
            mark,
            told,
            outcome,
        } = posted;
        if let (Some(chain), Some(mark)) = (&mut self.chain, mark) {
            chain.tried(&[mark], usize::from(outcome.is_ok()), false);
            self.health.set_head(chain.head());
        }
        match &outcome {
            Ok(()) => {
                self.health.recorded(1);
                if let Some(told) = told {
                    self.health.tail.hand_out(&told);
                }
            }
            Err(why) => self.health.dropped(1, why, line.time),
        }
        line.finish(outcome);
    }
}
