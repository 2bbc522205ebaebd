//! Asking keepers, within bounds, and what they keep.

use std::sync::Arc;
use std::time::Duration;

use coffer_barrier::{Barrier, RootCopy, WrapError, Wrapped};
use coffer_crypto::{Aes256Key, Zeroizing, constant_time_eq};
use coffer_engine::Fault;

use super::stanza::SealStanza;
use crate::clock::Clock;
use crate::kernel::Kernel;
use crate::open::Open;
use crate::settings::Settings;

/// How long a keeper may take for one answer; longer than each of them allows itself.
const ANSWER: Duration = Duration::from_secs(35);
/// How many random bytes a probe wraps.
const PROBE_BYTES: usize = 32;

/// What is needed to ask keepers, of an open server or a sealed one.
#[derive(Clone, Copy)]
pub(crate) struct Keeping<'a> {
    pub(super) settings: &'a Settings,
    pub(super) barrier: &'a Barrier,
    clock: &'a Clock,
}

impl<'a> Keeping<'a> {
    pub(crate) fn of(kernel: &'a Kernel) -> Self {
        Self {
            settings: &kernel.settings,
            barrier: &kernel.barrier,
            clock: &kernel.clock,
        }
    }

    pub(crate) fn of_open(open: &'a Open) -> Self {
        Self {
            settings: &open.settings,
            barrier: &open.barrier,
            clock: &open.clock,
        }
    }

    /// The same keepers for another barrier.
    pub(crate) fn over(self, barrier: &'a Barrier) -> Self {
        Self { barrier, ..self }
    }

    /// A copy of `root` by this seal, which was opened once.
    pub(crate) async fn copy(
        &self,
        stanza: &SealStanza,
        root: &Aes256Key,
    ) -> Result<RootCopy, Fault> {
        let key = Aes256Key::generate(self.barrier.random())?;
        let wrapped = self.wrap(stanza, key.expose_bytes()).await;
        let wrapped = wrapped.map_err(|error| told(stanza, &error))?;
        let named = (stanza.name.as_str(), stanza.kind());
        let at = self.barrier.at();
        let copy = RootCopy::new(named, (&key, wrapped), root, at, self.barrier.random())?;
        let again = self.open(stanza, &copy).await?;
        match constant_time_eq(again.expose_bytes(), root.expose_bytes()) {
            true => Ok(copy),
            false => Err(told(stanza, &not_its_own())),
        }
    }

    /// The root key, of a seal's copy.
    pub(crate) async fn open(
        &self,
        stanza: &SealStanza,
        copy: &RootCopy,
    ) -> Result<Aes256Key, Fault> {
        let key = self.unwrap(stanza, &copy.wrapped).await;
        let key = key.map_err(|error| told(stanza, &error))?;
        copy.open(self.barrier.at(), &key).map_err(|_| {
            let error = not_its_own();
            self.note(stanza, &Err::<(), _>(error.clone()));
            told(stanza, &error)
        })
    }

    /// The root key of the store, by the first of these seals that gives it.
    pub(crate) async fn open_any(
        &self,
        by: &[(Arc<SealStanza>, RootCopy)],
    ) -> Result<Aes256Key, Fault> {
        let mut why = Vec::new();
        for (stanza, copy) in by {
            match self.open(stanza, copy).await {
                Ok(root) if self.barrier.opens_with(&root).await? => return Ok(root),
                Ok(_) => why.push(format!(
                    "seal {:?}: what it gives does not open the storage; its copy is of another root key",
                    stanza.name
                )),
                Err(fault) => why.push(fault.to_string()),
            }
        }
        Err(Fault::Unavailable(match why.is_empty() {
            true => "no seal is configured that has a copy of the root key".to_owned(),
            false => why.join("; "),
        }))
    }

    /// Whether a keeper gives back what it wrapped.
    pub(crate) async fn probe(&self, stanza: &SealStanza) -> Result<(), Fault> {
        let bytes = self.barrier.random().secret_bytes::<PROBE_BYTES>();
        let wrapped = self.wrap(stanza, bytes.expose()).await;
        let wrapped = wrapped.map_err(|error| told(stanza, &error))?;
        let again = self.unwrap(stanza, &wrapped).await;
        let again = again.map_err(|error| told(stanza, &error))?;
        if constant_time_eq(&again, bytes.expose()) {
            return Ok(());
        }
        let error = WrapError::Garbled("it gives back other bytes than it wrapped".to_owned());
        self.note(stanza, &Err::<(), _>(error.clone()));
        Err(told(stanza, &error))
    }

    async fn wrap(&self, stanza: &SealStanza, bytes: &[u8]) -> Result<Wrapped, WrapError> {
        let meters = &self.settings.meters.seals;
        let answer = {
            let _timed = meters.encrypt.timed();
            tokio::time::timeout(ANSWER, stanza.keeper.wrap(bytes)).await
        };
        let answer = answer.unwrap_or_else(|_| Err(too_slow()));
        if answer.is_err() {
            meters.encrypt_error.one();
        }
        self.note(stanza, &answer);
        answer
    }

    async fn unwrap(
        &self,
        stanza: &SealStanza,
        wrapped: &Wrapped,
    ) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let meters = &self.settings.meters.seals;
        let answer = {
            let _timed = meters.decrypt.timed();
            tokio::time::timeout(ANSWER, stanza.keeper.unwrap(wrapped)).await
        };
        let answer = answer.unwrap_or_else(|_| Err(too_slow()));
        if answer.is_err() {
            meters.decrypt_error.one();
        }
        self.note(stanza, &answer);
        answer
    }

    fn note<T>(&self, stanza: &SealStanza, answer: &Result<T, WrapError>) {
        let said = answer.as_ref().err().map(ToString::to_string);
        let outcome = said.as_deref().map_or(Ok(()), Err);
        self.settings.seals.note(stanza, outcome, self.clock.now());
    }
}

fn too_slow() -> WrapError {
    WrapError::Unreachable(format!("no answer within {} seconds", ANSWER.as_secs()))
}

fn not_its_own() -> WrapError {
    WrapError::Garbled("what it unwrapped is not what it was given".to_owned())
}

/// What operators are told.
fn told(stanza: &SealStanza, error: &WrapError) -> Fault {
    let what = match error {
        WrapError::Unreachable(_) => "is not reached",
        WrapError::Refused(_) => "refuses",
        WrapError::Garbled(_) => "answers what makes no sense",
    };
    Fault::Unavailable(format!("seal {:?} {what}: {error}", stanza.name))
}
