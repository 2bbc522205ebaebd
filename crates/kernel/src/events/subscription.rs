//! Reading events, each subscriber at their own pace.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use coffer_crypto::Secret;
use coffer_engine::{Caller, Fault};
use tokio_util::sync::CancellationToken;

use super::cut::Cut;
use super::id::EventId;
use super::published::Published;
use super::rights::Rights;
use super::ring::Look;
use super::seats::Seat;
use super::wish::{Since, Wanted, Wish};
use crate::core::Core;
use crate::open::Open;

/// Where subscriptions are asked for, below a namespace.
const PATH: &str = "sys/events/subscribe/";

/// Who subscribes.
#[derive(Clone, Debug)]
pub struct Asks {
    /// Their token, which is looked at again and again.
    pub token: Arc<Secret<String>>,
    /// Whom it speaks for.
    pub caller: Arc<Caller>,
    /// Where they come from.
    pub client: Option<IpAddr>,
}

/// A position in the log of events, and who reads from there on. It holds no events but a few that are about to be read.
pub struct Subscription {
    core: Arc<Core>,
    wanted: Wanted,
    rights: Rights,
    /// The number of the last event that was read or passed over.
    reached: u64,
    /// Events up to there that are wanted, if they may be seen.
    ready: VecDeque<Arc<Published>>,
    stop: CancellationToken,
    cut: bool,
    _seat: Seat,
}

impl Subscription {
    /// Subscribes somebody to what happens in the namespace at hand. Whoever calls this has decided that they may.
    ///
    /// # Errors
    /// If what is wanted can not be understood or there are too many subscribers; [`Fault::Expired`] if what follows
    /// [`Wish::since`] is not there any more.
    pub async fn open(open: &Open, asks: Asks, wish: &Wish) -> Result<Self, Fault> {
        let (wanted, since) = wish.read(&open.space)?;
        let seat = open.events.seat(&asks.caller)?;
        let reached = match since {
            Since::Now => open.events.last().number(),
            Since::Oldest => open.events.before_oldest().await?,
            Since::After(id) => open.events.after(id).await?,
        };
        Ok(Self {
            rights: Rights::new(open, asks, format!("{PATH}{}", wish.pattern)),
            core: Arc::clone(open),
            stop: open.stopping(),
            wanted,
            reached,
            ready: VecDeque::new(),
            cut: false,
            _seat: seat,
        })
    }

    /// Waits for the next event; none behind the [`Cut`] that ended it. Whoever stops waiting misses nothing.
    pub async fn next(&mut self) -> Option<Result<Arc<Published>, Cut>> {
        if self.cut {
            return None;
        }
        let next = self.wait().await;
        if let Err(cut) = &next {
            self.cut = true;
            self.core.settings.meters.events.cut(cut.reason());
        }
        Some(next)
    }

    /// The last event that was read or passed over, because it was not wanted or may not be seen: `since` this one goes on
    /// where the subscription is.
    pub fn position(&self) -> EventId {
        let before = self
            .ready
            .front()
            .map(|event| event.id.number().saturating_sub(1));
        self.core.events.id(before.unwrap_or(self.reached))
    }

    async fn wait(&mut self) -> Result<Arc<Published>, Cut> {
        loop {
            if self.stop.is_cancelled() {
                return Err(Cut::ServerSealed);
            }
            self.rights.look().await?;
            while let Some(event) = self.ready.front() {
                let seen = self.rights.show(event).await?;
                if let Some(event) = self.ready.pop_front().filter(|_| seen) {
                    return Ok(event);
                }
            }
            let events = Arc::clone(&self.core);
            let news = events.events.news();
            tokio::pin!(news);
            news.as_mut().enable(); // What comes from here on wakes it.
            match events.events.look(
                self.reached,
                |event| self.wanted.takes(event),
                &mut self.ready,
            ) {
                Look::Read(reached) => self.reached = reached,
                Look::Behind => self.read_from_storage().await?,
                Look::Nothing => {
                    tokio::select! {
                        () = news => {}
                        () = self.stop.cancelled() => {}
                        () = tokio::time::sleep_until(self.rights.look_due()) => {}
                    }
                }
            }
            // Whoever has much to pass over lets others go on, too.
            tokio::task::consume_budget().await;
        }
    }

    async fn read_from_storage(&mut self) -> Result<(), Cut> {
        let step = self
            .core
            .events
            .read_stored(self.reached, &self.wanted, &mut self.ready);
        self.reached = step.await?;
        Ok(())
    }
}
