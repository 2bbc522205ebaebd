//! What is told about the rotation of a static role.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use coffer_engine::{Ctx, Event, Fault};

use super::Database;
use super::events::{
    ROTATE, ROTATE_FAIL, ROTATE_START, STATIC_CREDS_CREATE, STATIC_CREDS_CREATE_FAIL, changed,
    unchanged,
};

/// Why a password is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The role is new.
    First,
    /// Somebody wants it.
    Asked,
    /// Its time has come, or one that was begun is to be finished.
    Due,
}

impl Database {
    /// The static roles whose rotation by itself has failed since it last succeeded.
    pub(super) fn failing(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One rotation that is under way.
pub(super) struct Rotation<'a> {
    engine: &'a Database,
    cx: &'a Ctx,
    name: &'a str,
    occasion: Occasion,
}

impl<'a> Rotation<'a> {
    /// That of the static role of this name.
    pub(super) fn new(
        engine: &'a Database,
        cx: &'a Ctx,
        name: &'a str,
        occasion: Occasion,
    ) -> Self {
        Self {
            engine,
            cx,
            name,
            occasion,
        }
    }

    /// Tells that the database is about to hear of the new password.
    pub(super) fn started(&self) {
        let again = self.occasion == Occasion::Due && self.is_failing();
        if self.occasion != Occasion::First && !again {
            let event = unchanged(ROTATE_START, "rotate-role", self.name);
            self.cx.emit(self.with_occasion(event));
        }
    }

    /// Tells how it ended. One that is tried again and again by itself is told once to fail.
    pub(super) fn ended(&self, outcome: &Result<(), Fault>) {
        match outcome {
            Ok(()) => {
                self.set_failing(false);
                self.cx.emit(self.success());
            }
            Err(_) if self.occasion == Occasion::Due => {
                if !self.set_failing(true) {
                    self.cx.emit(self.failure());
                }
            }
            // What a client did wrong the client is told, and nobody else.
            Err(Fault::Upstream(_) | Fault::Unavailable(_)) => self.cx.emit(self.failure()),
            Err(_) => {}
        }
    }

    fn success(&self) -> Event {
        let (name, read_at) = (self.name, format!("static-creds/{}", self.name));
        match self.occasion {
            Occasion::First => changed(STATIC_CREDS_CREATE, "static-roles", name).modified(read_at),
            _ => self.with_occasion(changed(ROTATE, "rotate-role", name).modified(read_at)),
        }
    }

    fn failure(&self) -> Event {
        match self.occasion {
            Occasion::First => unchanged(STATIC_CREDS_CREATE_FAIL, "static-roles", self.name),
            _ => self.with_occasion(unchanged(ROTATE_FAIL, "rotate-role", self.name)),
        }
    }

    fn with_occasion(&self, event: Event) -> Event {
        event.with("automatic", self.occasion == Occasion::Due)
    }

    fn is_failing(&self) -> bool {
        self.engine.failing().contains(self.name)
    }

    /// Answers what it was before.
    fn set_failing(&self, now: bool) -> bool {
        let mut failing = self.engine.failing();
        match now {
            true => !failing.insert(self.name.to_owned()),
            false => failing.remove(self.name),
        }
    }
}
