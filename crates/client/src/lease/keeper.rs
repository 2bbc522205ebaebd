//! The keeper's own task: one loop that owns all state, and calls to the server that run beside it.

mod asking;
mod retired;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::lessor::Lessor;
use super::{Credential, LeaseNews};
use crate::term::Term;
use crate::{Error, Secret};
use asking::Asking;
use retired::Retired;

pub(super) type Tell = Box<dyn Fn(&LeaseNews<'_>) + Send + Sync>;

/// A renewal that gives no more than this part of the first TTL was cut by the maximum: further ones would not move the end,
/// and the next time that one would be due, another credential is taken in place of it.
const PART_OF_A_WHOLE: f64 = 0.9;
/// Where it gives no more than this, another is taken at once.
const PART_WORTH_KEEPING: f64 = 0.5;
/// After so many renewals that failed in passing, taking another is tried as well: it may be the lease that ails.
const FAILURES_UNTIL_ANOTHER: u32 = 2;
/// How many former credentials may be in use. The oldest is handed back under its users when there are more.
const RETIRED_MAX: usize = 16;
/// How long handing back is tried when all is over.
const CLOSING: Duration = Duration::from_secs(5);
/// What a loop without anything to wait for waits.
const NEVER: Duration = Duration::from_secs(24 * 3600);

/// What reaches a keeper from its user.
pub(super) struct Ears {
    /// Leases of which somebody says that they have ended.
    pub(super) reported: mpsc::Receiver<String>,
    /// Whether all is over.
    pub(super) stopped: watch::Receiver<bool>,
}

pub(super) struct Keeper<L> {
    lessor: Arc<L>,
    tell: Tell,
    out: watch::Sender<Option<Credential>>,
    calls: JoinSet<Answer>,
    asking: Asking,
    current: Option<Tenure>,
    retired: Retired,
    closing: Option<Instant>,
}

/// The time of the current credential.
struct Tenure {
    credential: Credential,
    term: Term,
    renewing: bool,
    /// Somebody has said that it is no longer good.
    reported: bool,
}

/// The answer to a call, and when that was made.
struct Answer {
    asked: Instant,
    what: What,
}

enum What {
    Issued(Result<Secret, Error>),
    Renewed(String, Result<Secret, Error>),
    TakenBack(String, Result<(), Error>),
}

impl<L: Lessor> Keeper<L> {
    pub(super) fn new(lessor: Arc<L>, tell: Tell, out: watch::Sender<Option<Credential>>) -> Self {
        Self {
            lessor,
            tell,
            out,
            calls: JoinSet::new(),
            asking: Asking::now(),
            current: None,
            retired: Retired::new(),
            closing: None,
        }
    }

    /// Keeps until it is told to stop, or nobody is left who could tell.
    pub(super) async fn run(mut self, mut ears: Ears) {
        while !self.is_done() {
            self.begin_what_is_due();
            let next = self.next_due();
            tokio::select! {
                biased;
                Some(answer) = self.calls.join_next() => match answer {
                    Ok(answer) => self.answered(answer),
                    Err(_) => self.forget_calls(),
                },
                lease_id = self.retired.next_unused() => self.retired.hand_back(&lease_id),
                Some(lease_id) = ears.reported.recv() => self.reported(&lease_id),
                _ = ears.stopped.changed(), if self.closing.is_none() => self.close(),
                () = sleep_until(next) => {}
            }
        }
        for lease_id in self.retired.leases() {
            self.say(&LeaseNews::NotHandedBack {
                lease_id: &lease_id,
                error: None,
            });
        }
    }

    fn is_done(&self) -> bool {
        let all_back = self.retired.is_empty() && !self.asking.is_underway();
        let in_vain = |deadline: Instant| deadline <= Instant::now();
        self.closing
            .is_some_and(|deadline| all_back || in_vain(deadline))
    }

    fn begin_what_is_due(&mut self) {
        self.look_at_current();
        if self.asking.begin() {
            self.call(|lessor| async move { What::Issued(lessor.issue().await) });
        }
        for lease_id in self.retired.over() {
            self.say(&LeaseNews::Ended {
                lease_id: &lease_id,
            });
        }
        for lease_id in self.retired.begin() {
            self.call(|lessor| async move {
                let taken = lessor.take_back(&lease_id).await;
                What::TakenBack(lease_id, taken)
            });
        }
    }

    /// Renews the current credential when it is due, or asks for another where that does not help.
    fn look_at_current(&mut self) {
        let Some(tenure) = self.current.as_mut().filter(|tenure| tenure.is_due()) else {
            return;
        };
        if tenure.term.is_over() || !tenure.term.is_renewable() {
            tenure.term.give_up();
            self.asking.begin_by(Instant::now());
            return;
        }
        tenure.renewing = true;
        let lease_id = tenure.credential.lease_id().to_owned();
        self.call(|lessor| async move {
            let renewed = lessor.renew(&lease_id).await;
            What::Renewed(lease_id, renewed)
        });
    }

    /// The next moment at which something is to be begun.
    fn next_due(&self) -> Instant {
        let now = Instant::now();
        let wanted = self.asking.is_wanted();
        let tenure = self
            .current
            .as_ref()
            .and_then(|tenure| tenure.next_due(wanted));
        [self.asking.due(), tenure, self.retired.due(), self.closing]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + NEVER)
    }

    fn call<F>(&mut self, call: impl FnOnce(Arc<L>) -> F)
    where
        F: Future<Output = What> + Send + 'static,
    {
        let asked = Instant::now();
        let call = call(Arc::clone(&self.lessor));
        self.calls.spawn(async move {
            let what = call.await;
            Answer { asked, what }
        });
    }

    fn answered(&mut self, Answer { asked, what }: Answer) {
        match what {
            What::Issued(Ok(secret)) => self.issued(asked, secret),
            What::Issued(Err(error)) => {
                let again_in = self.asking.failed();
                self.say(&LeaseNews::NotTaken {
                    error: &error,
                    again_in,
                });
            }
            What::Renewed(lease_id, renewed) => self.renewed(asked, &lease_id, renewed),
            What::TakenBack(lease_id, Ok(())) => {
                self.retired.remove(&lease_id);
                self.say(&LeaseNews::HandedBack {
                    lease_id: &lease_id,
                });
            }
            What::TakenBack(lease_id, Err(error)) if error.is_refusal() => {
                self.retired.remove(&lease_id);
                self.say(&LeaseNews::NotHandedBack {
                    lease_id: &lease_id,
                    error: Some(&error),
                });
            }
            What::TakenBack(lease_id, Err(_)) => self.retired.try_again(&lease_id),
        }
    }

    /// A credential has come: it takes the place of the one before, which goes once nobody uses it.
    fn issued(&mut self, asked: Instant, secret: Secret) {
        let term = Term::new(asked, secret.lease_duration, secret.renewable);
        self.asking.succeeded(term.ttl());
        if self.closing.is_some() {
            self.retired.add(&secret.lease_id, term.ends());
            self.retired.hand_back(&secret.lease_id);
            return;
        }
        let credential = Credential::new(secret, &term, self.retired.ear());
        let tenure = Tenure {
            credential: credential.clone(),
            term,
            renewing: false,
            reported: false,
        };
        let before = self.current.replace(tenure);
        self.out.send_replace(Some(credential.clone()));
        self.say(&LeaseNews::Taken {
            credential: &credential,
        });
        self.retire(before);
    }

    fn renewed(&mut self, asked: Instant, lease_id: &str, renewed: Result<Secret, Error>) {
        let here = |tenure: &&mut Tenure| tenure.credential.lease_id() == lease_id;
        let Some(tenure) = self.current.as_mut().filter(here) else {
            return; // replaced while the call was under way
        };
        tenure.renewing = false;
        let credential = tenure.credential.clone();
        match renewed {
            Ok(secret) => {
                let (ttl_secs, renewable) = (secret.lease_duration, secret.renewable);
                tenure.term.renewed(asked, ttl_secs, renewable);
                credential.renewed(&tenure.term);
                if tenure.term.is_cut_below(PART_OF_A_WHOLE) {
                    tenure.term.give_up();
                }
                let is_enough = !tenure.term.is_cut_below(PART_WORTH_KEEPING);
                self.asking.is_well();
                self.say(&LeaseNews::Renewed {
                    credential: &credential,
                });
                if !is_enough {
                    self.asking.begin_by(Instant::now());
                }
            }
            Err(error) => {
                tenure.term.failed(&error);
                let is_final = !tenure.term.is_renewable();
                let is_ailing = tenure.term.failures() >= FAILURES_UNTIL_ANOTHER;
                self.say(&LeaseNews::NotRenewed {
                    credential: &credential,
                    error: &error,
                    is_final,
                });
                if is_final || is_ailing {
                    self.asking.begin_by(Instant::now());
                }
            }
        }
    }

    /// Somebody says that a lease has ended before its time.
    fn reported(&mut self, lease_id: &str) {
        let here = |tenure: &&mut Tenure| tenure.credential.lease_id() == lease_id;
        if let Some(tenure) = self.current.as_mut().filter(here)
            && !tenure.reported
        {
            tenure.reported = true;
            tenure.term.give_up();
            self.asking.refused();
        }
    }

    fn retire(&mut self, tenure: Option<Tenure>) {
        if let Some(tenure) = tenure {
            let lease_id = tenure.credential.lease_id();
            self.retired.add(lease_id, tenure.term.ends());
        }
        if self.retired.len() > RETIRED_MAX {
            self.retired.hand_back_oldest();
        }
    }

    fn close(&mut self) {
        self.closing = Some(Instant::now() + CLOSING);
        self.asking.stop();
        let current = self.current.take();
        self.retire(current);
        self.out.send_replace(None);
        self.retired.hand_back_all();
    }

    /// A call ended without an answer, by a panic in what the user gave: none is waited for, and all may be made again.
    fn forget_calls(&mut self) {
        if let Some(tenure) = &mut self.current {
            tenure.renewing = false;
        }
        if self.asking.is_underway() {
            self.asking.failed();
        }
        self.retired.forget_calls();
    }

    fn say(&self, news: &LeaseNews<'_>) {
        (self.tell)(news);
    }
}

impl Tenure {
    fn is_due(&self) -> bool {
        !self.renewing && (self.term.due() <= Instant::now() || self.term.is_over())
    }

    /// When to look at it again. `wanted`: another is being asked for, so that its end need not be looked for.
    fn next_due(&self, wanted: bool) -> Option<Instant> {
        let helps = self.term.is_renewable() && !self.term.is_over();
        let due = self.term.due().min(self.term.ends());
        (!self.renewing && (helps || !wanted)).then_some(due)
    }
}
