//! A mount's memory of keys.
//!
//! A set of keys is good for [`FRESH`]. After that the next login asks anew, and waits a moment for the answer; when
//! none comes, the old set goes on until it is [`OLDEST`]. A token that no known key has signed makes the provider asked
//! at once, for its key may be new, but only [`BURST`] times in a row and then every [`BETWEEN`]: a flood of forged
//! tokens is no flood at the provider. Whoever finds an answer on its way waits for that one, and a login whose key is
//! known waits for none.

use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::jose::Compact;
use coffer_crypto::sign::Algorithm;
use coffer_engine::Ctx;
use coffer_wire::Timestamp;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::source::Found;
use super::{Claims, Facts, Source, Unreadable};

/// How long keys are good without asking again.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// How long keys are used whose provider does not answer.
const OLDEST: Duration = Duration::from_secs(60 * 60);
/// How long a login with a known key waits for a fresh set.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a token that no known key has signed waits for newer keys.
const NEWS: Duration = Duration::from_secs(5);
/// How long after a failure nobody with a known key waits at all.
const BACKOFF: Duration = Duration::from_secs(30);
/// How often a provider is asked because of tokens that no known key has signed.
const BETWEEN: Duration = Duration::from_secs(5);
/// How often it may be asked in a row.
const BURST: u32 = 4;
/// How many sources one mount remembers.
const SOURCES_MAX: usize = 256;
/// How many sources of which no keys have come yet may be asked in a row by one mount; one more each [`BETWEEN`].
const STRANGERS_BURST: u32 = 32;

/// The keys that a mount knows, by where they come from.
#[derive(Default)]
pub(crate) struct Issuers {
    /// The one that was asked for last at the end.
    pub(super) known: Mutex<Vec<Arc<Issuer>>>,
    /// When sources that nobody knows yet may be asked.
    strangers: Arc<Mutex<Pace>>,
}

/// Why a token was not verified.
#[derive(Clone, Debug)]
pub(crate) enum Unverified {
    /// It is no token, or of an algorithm that is not allowed, or no key has signed it: nobody learns which.
    Signature,
    /// There are no keys to verify it by.
    Keys(Unreadable),
    /// The signature is good, but the content is not what it should be.
    Malformed(&'static str),
}

pub(super) struct Issuer {
    source: Source,
    state: Mutex<State>,
    /// One at a time asks.
    turn: Arc<Semaphore>,
    /// That of all sources of the mount of which no keys have come yet.
    strangers: Arc<Mutex<Pace>>,
}

/// How often something may be done.
#[derive(Default)]
struct Pace {
    /// When it would have been done last if it were done evenly.
    evenly: Timestamp,
}

#[derive(Default)]
struct State {
    known: Option<Arc<Known>>,
    /// How often it was asked.
    tries: u64,
    /// When it was asked for the last time, and what went wrong, if anything did.
    last: Option<(Timestamp, Option<Unreadable>)>,
    pace: Pace,
}

struct Known {
    found: Found,
    since: Timestamp,
}

impl Issuers {
    /// What a token says that was signed by a key of the source with one of the `algorithms`.
    pub(crate) async fn verified(
        &self,
        cx: &Ctx,
        source: &Source,
        algorithms: &[Algorithm],
        token: &str,
    ) -> Result<Claims, Unverified> {
        let token = Compact::parse(token).map_err(|_| Unverified::Signature)?;
        let algorithm = token.header().algorithm;
        if !algorithms.contains(&algorithm) || !Algorithm::PUBLIC.contains(&algorithm) {
            return Err(Unverified::Signature);
        }
        let issuer = self.issuer(source);
        let known = issuer.known(cx, source).await.map_err(Unverified::Keys)?;
        if let Ok(payload) = known.found.keys.verify(&token) {
            return Claims::parse(payload, algorithm).map_err(Unverified::Malformed);
        }
        let newer = issuer.newer(cx, source, &known).await;
        let newer = newer.ok_or(Unverified::Signature)?;
        let payload = newer.found.keys.verify(&token);
        let payload = payload.map_err(|_| Unverified::Signature)?;
        Claims::parse(payload, algorithm).map_err(Unverified::Malformed)
    }

    /// What the issuer says of itself; nothing where the source is none that says something.
    pub(crate) async fn facts(
        &self,
        cx: &Ctx,
        source: &Source,
    ) -> Result<Option<Facts>, Unreadable> {
        let known = self.issuer(source).known(cx, source).await?;
        Ok(known.found.facts.clone())
    }

    /// Reads the source now, for whoever configures it.
    pub(crate) async fn check(&self, cx: &Ctx, source: &Source) -> Result<(), Unreadable> {
        let issuer = self.issuer(source);
        let turn = issuer.take_turn().await?;
        issuer.ask(cx, source, turn).await
    }

    fn issuer(&self, source: &Source) -> Arc<Issuer> {
        let mut known = self.known.lock();
        let at = known.iter().position(|issuer| issuer.source.is(source));
        let issuer = match at {
            Some(at) => known.remove(at),
            None => Arc::new(Issuer::new(source, &self.strangers)),
        };
        if known.len() >= SOURCES_MAX {
            // Whoever names sources that are none must not push out those that are.
            let empty = known
                .iter()
                .position(|issuer| issuer.state.lock().known.is_none());
            known.remove(empty.unwrap_or_default());
        }
        known.push(Arc::clone(&issuer));
        issuer
    }
}

impl Issuer {
    fn new(source: &Source, strangers: &Arc<Mutex<Pace>>) -> Self {
        Self {
            source: source.clone(),
            state: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
            strangers: Arc::clone(strangers),
        }
    }

    /// The keys to use now.
    async fn known(self: &Arc<Self>, cx: &Ctx, source: &Source) -> Result<Arc<Known>, Unreadable> {
        let Some((known, has_just_failed)) = self.usable(cx.now) else {
            self.asked(cx, source).await?;
            return self.latest();
        };
        let age = cx.now.since(known.since);
        if !source.changes() || age < FRESH || has_just_failed {
            return Ok(known);
        }
        let _ = tokio::time::timeout(PATIENCE, self.asked(cx, source)).await;
        self.latest()
    }

    /// A set that came after `known`, whoever asked for it, if one is to be had.
    async fn newer(
        self: &Arc<Self>,
        cx: &Ctx,
        source: &Source,
        known: &Arc<Known>,
    ) -> Option<Arc<Known>> {
        if source.changes() {
            let _ = tokio::time::timeout(NEWS, self.asked(cx, source)).await;
        }
        let latest = self.latest().ok()?;
        (!Arc::ptr_eq(&latest, known)).then_some(latest)
    }

    /// Asks the source, unless somebody has while this waited, or it was asked too often already.
    async fn asked(self: &Arc<Self>, cx: &Ctx, source: &Source) -> Result<(), Unreadable> {
        let before = self.state.lock().tries;
        let turn = self.take_turn().await?;
        {
            let mut state = self.state.lock();
            if state.tries != before || !self.may_ask(&mut state, cx.now) {
                let failed = state.last.as_ref().and_then(|(_, failed)| failed.clone());
                return failed.map_or(Ok(()), Err);
            }
        }
        self.ask(cx, source, turn).await
    }

    /// Asks the source. It goes on when whoever wanted it goes away: others wait for the same.
    async fn ask(
        self: &Arc<Self>,
        cx: &Ctx,
        source: &Source,
        turn: OwnedSemaphorePermit,
    ) -> Result<(), Unreadable> {
        let (this, cx, source) = (Arc::clone(self), cx.clone(), source.clone());
        let asking = tokio::spawn(async move {
            let found = source.read(&cx).await;
            let result = this.state.lock().note(cx.now, found);
            drop(turn);
            result
        });
        asking
            .await
            .map_err(|_| Unreadable("reading the keys failed".into()))?
    }

    /// Whether the source may be asked now; counts it if so.
    fn may_ask(&self, state: &mut State, now: Timestamp) -> bool {
        let is_known = state.known.is_some();
        state.pace.takes(now, BURST)
            && (is_known || self.strangers.lock().takes(now, STRANGERS_BURST))
    }

    async fn take_turn(&self) -> Result<OwnedSemaphorePermit, Unreadable> {
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        turn.map_err(|_| Unreadable("the mount ends".into()))
    }

    fn latest(&self) -> Result<Arc<Known>, Unreadable> {
        let state = self.state.lock();
        state.known.clone().ok_or_else(|| {
            let failed = state.last.as_ref().and_then(|(_, failed)| failed.clone());
            failed.unwrap_or_else(|| Unreadable("no keys".into()))
        })
    }

    /// The set that is known, if it is not too old, and whether its provider has just failed.
    fn usable(&self, now: Timestamp) -> Option<(Arc<Known>, bool)> {
        let mut state = self.state.lock();
        let is_old = |known: &Arc<Known>| now.since(known.since) >= OLDEST;
        if self.source.changes() && state.known.as_ref().is_some_and(is_old) {
            state.known = None;
        }
        let known = state.known.clone()?;
        let last = state.last.as_ref();
        let has_just_failed =
            last.is_some_and(|(at, failed)| failed.is_some() && now.since(*at) < BACKOFF);
        Some((known, has_just_failed))
    }
}

impl Pace {
    /// Whether it may be done now, `burst` times in a row at most; counts it if so.
    fn takes(&mut self, now: Timestamp, burst: u32) -> bool {
        let ahead = BETWEEN * (burst - 1);
        // A clock that was set back must not lock anybody out for long.
        let evenly = self.evenly.min(now.plus(ahead + BETWEEN)).max(now);
        if evenly.since(now) > ahead {
            return false;
        }
        self.evenly = evenly.plus(BETWEEN);
        true
    }
}

impl State {
    fn note(&mut self, now: Timestamp, found: Result<Found, Unreadable>) -> Result<(), Unreadable> {
        self.tries += 1;
        match found {
            Ok(found) => {
                self.known = Some(Arc::new(Known { found, since: now }));
                self.last = Some((now, None));
                Ok(())
            }
            Err(why) => {
                self.last = Some((now, Some(why.clone())));
                Err(why)
            }
        }
    }
}
