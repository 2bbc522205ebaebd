//! What a key is at a moment, and what may be done with it then.
//!
//! Nothing here waits for background work: at its time a deletion, or the end of imported material, is true. The tick only
//! wipes what is gone.

use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::Serialize;

use super::exception::Exception;
use super::name::KeyId;
use super::record::{DAY, Key, Periodic, Rotated, RotationKind, Version};
use super::spec::{KeySpec, Origin};

/// The state of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub(super) enum KeyState {
    /// It can be used.
    Enabled,
    /// Somebody has turned it off.
    Disabled,
    /// It waits for its deletion.
    PendingDeletion,
    /// It lacks material that it once had, or has none yet.
    PendingImport,
}

impl Key {
    /// Whether its deletion is over.
    pub(super) fn is_gone(&self, now: Timestamp) -> bool {
        self.deletion.is_some_and(|at| at <= now)
    }

    /// Drops what has expired.
    pub(super) fn settle(&mut self, now: Timestamp) {
        let expired = |valid_to: Option<Timestamp>| valid_to.is_some_and(|at| at <= now);
        let (current, versions) = (self.current, &mut self.versions);
        versions.retain(|number, version| *number <= current || !expired(version.valid_to));
        for version in versions.values_mut() {
            if expired(version.valid_to) {
                version.material = None;
            }
        }
        self.wrappings.retain(|wrapping| wrapping.valid_to > now);
    }

    /// Its state; after [`Key::settle`].
    pub(super) fn state(&self) -> KeyState {
        match self {
            _ if self.deletion.is_some() => KeyState::PendingDeletion,
            _ if !self.is_complete() => KeyState::PendingImport,
            _ if self.disabled => KeyState::Disabled,
            _ => KeyState::Enabled,
        }
    }

    /// Whether all material that belongs to it for good is there.
    fn is_complete(&self) -> bool {
        let lasting = self.versions.range(..=self.current);
        self.current > 0
            && lasting
                .map(|(_, version)| version)
                .all(|v| v.material.is_some())
    }

    /// The version that waits for its rotation.
    pub(super) fn pending(&self) -> Option<u32> {
        let waiting = self.versions.keys().next_back();
        waiting
            .copied()
            .filter(|number| *number > self.current && self.current > 0)
    }

    /// Makes a version the current one.
    pub(super) fn rotate_to(&mut self, number: u32, now: Timestamp, how: RotationKind) {
        self.current = number;
        if let Some(version) = self.versions.get_mut(&number) {
            version.rotated = Some(Rotated { at: now, how });
        }
    }

    /// Adds a version after all others.
    pub(super) fn add(&mut self, version: Version) -> u32 {
        self.last = self.last.saturating_add(1);
        self.versions.insert(self.last, version);
        self.last
    }

    /// When something is to be done with it next.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let held = self.versions.values().filter(|v| v.material.is_some());
        let expiries = held.filter_map(|version| version.valid_to);
        let wrappings = self.wrappings.iter().map(|wrapping| wrapping.valid_to);
        expiries
            .chain(wrappings)
            .chain(self.deletion)
            .chain(self.next_rotation())
            .min()
    }

    /// When it is rotated by the calendar next: not while it is disabled or about to be deleted.
    pub(super) fn next_rotation(&self) -> Option<Timestamp> {
        let goes_on = self.state() == KeyState::Enabled;
        self.rotation
            .filter(|_| goes_on)
            .map(|rotation| rotation.next)
    }

    /// When something changes that a key in use has to know.
    pub(super) fn good_until(&self) -> Option<Timestamp> {
        let expiries = self
            .versions
            .values()
            .filter_map(|version| version.valid_to);
        expiries.chain(self.deletion).min()
    }

    /// Refuses a key that waits for its deletion.
    pub(super) fn refuse_pending_deletion(&self, id: KeyId) -> Result<(), Fault> {
        match self.deletion {
            Some(_) => Err(KeyState::PendingDeletion.refusal(id)),
            None => Ok(()),
        }
    }

    /// Refuses a key that can not be used at all.
    pub(super) fn refuse_unless_enabled(&self, id: KeyId) -> Result<(), Fault> {
        self.state().refuse_unless_enabled(id)
    }

    /// Refuses keys that have one material for ever.
    pub(super) fn refuse_unless_symmetric(&self, what: &str) -> Result<(), Fault> {
        match self.spec == KeySpec::Symmetric {
            true => Ok(()),
            false => Err(Exception::UnsupportedOperation.because(format!(
                "{what} is for symmetric encryption keys alone, and this one is {}",
                self.spec.name()
            ))),
        }
    }

    /// Refuses keys whose material is not imported.
    pub(super) fn refuse_unless_external(&self, id: KeyId) -> Result<(), Fault> {
        match self.origin {
            Origin::External => Ok(()),
            Origin::Here => Err(Exception::UnsupportedOperation.because(format!(
                "the material of key {id} is made here: its origin is not EXTERNAL"
            ))),
        }
    }
}

impl KeyState {
    /// See [`Key::refuse_unless_enabled`].
    pub(super) fn refuse_unless_enabled(self, id: KeyId) -> Result<(), Fault> {
        match self {
            Self::Enabled => Ok(()),
            other => Err(other.refusal(id)),
        }
    }

    fn refusal(self, id: KeyId) -> Fault {
        match self {
            Self::Enabled => Exception::InvalidState.because(format!("key {id} is enabled")),
            Self::Disabled => Exception::Disabled.because(format!("key {id} is disabled")),
            Self::PendingDeletion => {
                Exception::InvalidState.because(format!("key {id} is pending deletion"))
            }
            Self::PendingImport => {
                Exception::InvalidState.because(format!("key {id} is pending import"))
            }
        }
    }
}

impl Periodic {
    /// The schedule after a rotation at `now`: what was only late by a tick stays in step; what was missed because the
    /// key was disabled counts from now.
    pub(super) fn after(self, now: Timestamp) -> Self {
        let period = DAY.saturating_mul(u32::from(self.days));
        let from = match now.since(self.next) < DAY {
            true => self.next,
            false => now,
        };
        Self {
            next: from.plus(period),
            ..self
        }
    }
}
