//! Sign-ins that are under way.
//!
//! They are in memory: a few minutes old at most, so many at most, and each is good for one answer. Anybody may begin one,
//! so the oldest makes room when there are too many.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use coffer_crypto::{Secret, constant_time_eq};
use coffer_engine::Ctx;
use coffer_wire::Timestamp;
use parking_lot::Mutex;

use crate::issuer::Claims;

/// How long somebody may take to sign in.
pub(super) const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// How many may be under way at a mount.
const FLOWS_MAX: usize = 4_096;
/// The longest word of a program, and the longest answer of a provider, in bytes.
pub(super) const MAX_WORD_BYTES: usize = 256;
pub(super) const MAX_ANSWER_BYTES: usize = 16 * 1024;

/// The sign-ins of a mount, by their states.
#[derive(Default)]
pub(super) struct Flows(Mutex<Book>);

#[derive(Default)]
struct Book {
    flows: BTreeMap<String, Flow>,
    /// Counts those that were begun, to find the oldest.
    begun: u64,
    by_age: BTreeMap<u64, String>,
}

/// A sign-in that is under way.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Names it; the provider hands it back.
    pub(super) state: String,
    /// The role that was asked for.
    pub(super) role: String,
    /// Where the person comes back to, as the provider was told.
    pub(super) redirect_uri: String,
    /// What the provider's token must hold.
    pub(super) nonce: Secret<String>,
    /// What proves to the provider that who has the code is who sent the person (RFC 7636).
    pub(super) verifier: Secret<String>,
    /// What the program that began must say again.
    pub(super) client_nonce: Secret<String>,
    /// Where it began.
    pub(super) client: Option<IpAddr>,
    /// How far it is.
    pub(super) stage: Stage,
    ends: Timestamp,
    number: u64,
}

/// How far a sign-in is.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// The provider has not answered.
    Begun,
    /// The provider has answered the browser, and the program that began shall finish.
    Answered(Answered),
    /// The provider has answered, and whoever is at the browser shall say that it was they who began: this word proves
    /// that they saw the question.
    Asking(Answered, Secret<String>),
    /// The provider's answer is being looked at.
    Busy,
    /// It is done, and the program that began may log in by these claims.
    Done(Box<Claims>),
    /// A person types a code elsewhere, and the provider is asked whether they have.
    Device(Device),
}

/// What the provider answered.
#[derive(Clone, Debug)]
pub(super) enum Answered {
    /// A code to be changed for tokens.
    Code(Secret<String>),
    /// A token.
    Token(Secret<String>),
}

/// A device that waits for a person.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// What the provider knows it by.
    pub(super) code: Secret<String>,
    /// How long to wait between two questions.
    pub(super) interval: Duration,
    /// When the next question may come.
    pub(super) next: Timestamp,
}

/// What becomes of a sign-in after somebody came about it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// It goes on.
    Stays,
    /// It is over.
    Ends,
}

impl Flow {
    /// A new one.
    pub(super) fn begin(
        cx: &Ctx,
        role: String,
        redirect_uri: String,
        client_nonce: String,
    ) -> Self {
        Self {
            state: format!("st_{}", cx.random.base62(24)),
            role,
            redirect_uri,
            nonce: Secret::new(format!("n_{}", cx.random.base62(24))),
            verifier: Secret::new(cx.random.base62(64)),
            client_nonce: Secret::new(client_nonce),
            client: cx.request.client,
            stage: Stage::Begun,
            ends: cx.now.plus(LIFETIME),
            number: 0,
        }
    }

    /// Whether it was begun with this word; any word is right for one that was begun without.
    pub(super) fn knows(&self, client_nonce: &str) -> bool {
        let own = self.client_nonce.expose();
        own.is_empty() || constant_time_eq(own.as_bytes(), client_nonce.as_bytes())
    }
}

impl Flows {
    /// Remembers a new sign-in.
    pub(super) fn put(&self, now: Timestamp, mut flow: Flow) {
        let mut book = self.0.lock();
        book.begun += 1;
        flow.number = book.begun;
        while let Some((number, state)) = book.oldest() {
            let has_ended = book.flows.get(&state).is_none_or(|flow| flow.ends <= now);
            if !has_ended && book.flows.len() < FLOWS_MAX {
                break;
            }
            book.remove(number, &state);
        }
        book.by_age.insert(flow.number, flow.state.clone());
        book.flows.insert(flow.state.clone(), flow);
    }

    /// Looks at the sign-in of that state, and changes it, in one step; none where it is unknown or has ended.
    pub(super) fn visit<R>(
        &self,
        now: Timestamp,
        state: &str,
        visit: impl FnOnce(&mut Flow) -> (Fate, R),
    ) -> Option<R> {
        let mut book = self.0.lock();
        let flow = book.flows.get_mut(state)?;
        let number = flow.number;
        let (fate, result) = match now < flow.ends {
            true => {
                let (fate, result) = visit(flow);
                (fate, Some(result))
            }
            false => (Fate::Ends, None),
        };
        if matches!(fate, Fate::Ends) {
            book.remove(number, state);
        }
        result
    }

    /// Ends a sign-in.
    pub(super) fn end(&self, state: &str) {
        let mut book = self.0.lock();
        if let Some(number) = book.flows.get(state).map(|flow| flow.number) {
            book.remove(number, state);
        }
    }
}

impl Book {
    fn remove(&mut self, number: u64, state: &str) {
        self.by_age.remove(&number);
        self.flows.remove(state);
    }

    fn oldest(&self) -> Option<(u64, String)> {
        let (number, state) = self.by_age.first_key_value()?;
        Some((*number, state.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(state: &str, ends: u64) -> Flow {
        Flow {
            state: state.to_owned(),
            role: "r".to_owned(),
            redirect_uri: String::new(),
            nonce: Secret::default(),
            verifier: Secret::default(),
            client_nonce: Secret::default(),
            client: None,
            stage: Stage::Begun,
            ends: Timestamp::from_secs(ends),
            number: 0,
        }
    }

    fn is_there(flows: &Flows, now: u64, state: &str) -> bool {
        let now = Timestamp::from_secs(now);
        flows.visit(now, state, |_| (Fate::Stays, ())).is_some()
    }

    #[test]
    fn each_is_good_once_and_for_a_while() {
        let flows = Flows::default();
        flows.put(Timestamp::EPOCH, flow("a", 10));
        flows.put(Timestamp::EPOCH, flow("b", 10));
        assert!(is_there(&flows, 9, "a") && !is_there(&flows, 9, "A"));
        let taken = flows.visit(Timestamp::EPOCH, "a", |_| (Fate::Ends, 7));
        assert_eq!(taken, Some(7));
        assert!(!is_there(&flows, 9, "a") && is_there(&flows, 9, "b"));
        assert!(!is_there(&flows, 10, "b"));
        assert!(flows.0.lock().flows.is_empty() && flows.0.lock().by_age.is_empty());
    }

    #[test]
    fn the_oldest_makes_room() {
        let flows = Flows::default();
        for at in 0..FLOWS_MAX + 10 {
            flows.put(Timestamp::EPOCH, flow(&at.to_string(), 10));
        }
        assert_eq!(flows.0.lock().flows.len(), FLOWS_MAX);
        assert!(!is_there(&flows, 1, "9") && is_there(&flows, 1, "10"));
        flows.put(Timestamp::from_secs(11), flow("new", 20));
        assert_eq!(
            flows.0.lock().flows.len(),
            1,
            "those that have ended are forgotten"
        );
        assert_eq!(flows.0.lock().by_age.len(), 1);
    }

    #[test]
    fn words_of_programs() {
        let mut one = flow("a", 1);
        assert!(one.knows("") && one.knows("x"));
        one.client_nonce = Secret::new("x".to_owned());
        assert!(one.knows("x") && !one.knows("") && !one.knows("xx"));
    }
}
