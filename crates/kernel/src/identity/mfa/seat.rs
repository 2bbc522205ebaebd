//! Somebody's place with one method: the secret that their device shares with the server, and what was tried with it.
//!
//! One record holds both, so that looking at a code and spending it are one step: of many who send a code at once one is
//! let in, a code that was used stays used after a restart, and so does a lock-out. A code that is older than one that
//! was used is used up with it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::Stored;
use coffer_crypto::constant_time_eq;
use coffer_crypto::otp::one_time_password;
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Mfa;
use super::method::{Method, Terms};
use crate::identity::kept::Kept;

/// The shortest time that too many wrong codes lock somebody out.
const FIRST_LOCK: Duration = Duration::from_secs(30);
/// The longest one: each lock in a row is twice as long as the one before.
const LONGEST_LOCK: Duration = Duration::from_secs(60 * 60);

/// A seat, as stored under `seat/<entity>/<method>`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Seat {
    /// The secret; none if nobody took the seat yet, or it was taken away.
    secret: Option<Shared>,
    /// The period of the code that was used last: only those after it are good.
    used: Option<u64>,
    /// Wrong codes since the last right one or the last lock.
    wrong: u32,
    /// Until when no code is looked at.
    locked_until: Timestamp,
    /// Locks in a row.
    locks: u32,
}

/// A secret that a device shares with the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Shared {
    /// The secret, in base64.
    key: Kept,
    terms: Terms,
}

/// What comes of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right, and used up.
    Right,
    /// It is wrong, used up, or there is no secret: which of these is not told.
    Wrong,
    /// Too many were wrong: none is looked at for so long.
    Locked(Duration),
}

impl Stored for Seat {
    const MAX_BYTES: usize = 16 * 1024;
}

impl Seat {
    /// Judges a code and takes note of that.
    pub fn judge(&mut self, code: &str, max_attempts: u32, now: Timestamp) -> Verdict {
        if now < self.locked_until {
            return Verdict::Locked(self.locked_until.since(now));
        }
        let right = self
            .secret
            .as_ref()
            .and_then(|shared| shared.period_of(code, self.used, now));
        match right {
            Some(period) => {
                self.used = Some(period);
                (self.wrong, self.locks) = (0, 0);
                Verdict::Right
            }
            None => {
                self.wrong = self.wrong.saturating_add(1);
                if self.wrong >= max_attempts.max(1) {
                    let long = 2u32.saturating_pow(self.locks.min(16));
                    let lock = FIRST_LOCK.saturating_mul(long).min(LONGEST_LOCK);
                    self.locked_until = now.plus(lock);
                    self.locks = self.locks.saturating_add(1);
                    self.wrong = 0;
                }
                Verdict::Wrong
            }
        }
    }
}

impl Shared {
    /// The period whose code this is, among those that may be used yet. All are looked at, whichever it is.
    fn period_of(&self, code: &str, used: Option<u64>, now: Timestamp) -> Option<u64> {
        let key = Zeroizing::new(STANDARD.decode(self.key.expose()).ok()?);
        let terms = &self.terms;
        let current = now.secs() / terms.period.as_secs().max(1);
        let first = current.saturating_sub(terms.skew);
        let mut found = None;
        for period in first..=current.saturating_add(terms.skew) {
            let right = one_time_password(&key, terms.hash.hash(), period, terms.digits);
            let equal = constant_time_eq(right.as_bytes(), code.as_bytes());
            if equal && used.is_none_or(|used| period > used) {
                found = Some(period);
            }
        }
        found
    }
}

impl Mfa {
    /// Gives an entity a secret; refused where it has one. A lock-out stays.
    pub async fn take_seat(
        &self,
        entity: &str,
        method: &Method,
        key: &[u8],
    ) -> Result<bool, Fault> {
        let key = Kept::new(STANDARD.encode(key));
        let take = |seat: Option<Seat>| {
            let mut seat = seat.unwrap_or_default();
            let free = seat.secret.is_none();
            if free {
                seat.used = None;
                seat.secret = Some(Shared {
                    key: key.clone(),
                    terms: method.terms.clone(),
                });
            }
            Ok::<_, Fault>((Some(seat), free))
        };
        self.view.update(&place(entity, &method.id), take).await
    }

    /// Gives an entity's seat to another entity that has no secret of its own.
    pub(super) async fn move_seat(&self, from: &str, to: &str, method: &str) -> Result<(), Fault> {
        let Some(seat) = self.view.get::<Seat>(&place(from, method)).await? else {
            return Ok(());
        };
        let take = |own: Option<Seat>| {
            let taken = own.filter(|own| own.secret.is_some());
            Ok::<_, Fault>((Some(taken.unwrap_or_else(|| seat.clone())), ()))
        };
        self.view.update(&place(to, method), take).await
    }

    /// Takes an entity's secret away, and with it what was tried: an operator may let somebody start anew.
    pub async fn free_seat(&self, entity: &str, method: &str) -> Result<(), Fault> {
        Ok(self.view.delete(&place(entity, method)).await?)
    }

    /// Takes all secrets of a method away. There may be many.
    pub async fn free_seats(&self, method: &str) -> Result<(), Fault> {
        for entity in self.view.list_all("seat/").await? {
            let entity = entity.trim_end_matches('/');
            self.view.delete(&place(entity, method)).await?;
        }
        Ok(())
    }

    /// Judges a code, durably: what comes of it is noted before anybody is told.
    pub async fn judge(
        &self,
        entity: &str,
        method: &Method,
        code: &str,
        now: Timestamp,
    ) -> Result<Verdict, Fault> {
        let judge = |seat: Option<Seat>| {
            let mut seat = seat.unwrap_or_default();
            let verdict = seat.judge(code, method.max_attempts, now);
            Ok::<_, Fault>((Some(seat), verdict))
        };
        self.view.update(&place(entity, &method.id), judge).await
    }
}

/// The folder of an entity's seats.
pub fn folder(entity: &str) -> String {
    format!("seat/{entity}/")
}

fn place(entity: &str, method: &str) -> String {
    format!("{}{method}", folder(entity))
}

#[cfg(test)]
mod tests {
    use super::super::method::HashName;
    use super::*;

    const KEY: &[u8] = b"12345678901234567890";

    fn seat(skew: u64) -> Seat {
        let terms = Terms {
            hash: HashName::Sha1,
            digits: 8,
            period: Duration::from_secs(30),
            skew,
        };
        Seat {
            secret: Some(Shared {
                key: Kept::new(STANDARD.encode(KEY)),
                terms,
            }),
            ..Seat::default()
        }
    }

    fn code(period: u64) -> String {
        one_time_password(KEY, HashName::Sha1.hash(), period, 8).to_string()
    }

    fn at(period: u64) -> Timestamp {
        Timestamp::from_secs(period * 30 + 7)
    }

    #[test]
    fn a_code_is_good_once_and_so_are_those_before_it() {
        let mut seat = seat(1);
        assert_eq!(seat.judge(&code(100), 9, at(100)), Verdict::Right);
        for used in [100, 99] {
            assert_eq!(seat.judge(&code(used), 9, at(100)), Verdict::Wrong);
        }
        assert_eq!(seat.judge(&code(101), 9, at(100)), Verdict::Right);
        assert_eq!(seat.judge(&code(101), 9, at(101)), Verdict::Wrong);
        assert_eq!(seat.judge(&code(102), 9, at(102)), Verdict::Right);
        // Also when the server's clock is set back.
        assert_eq!(seat.judge(&code(50), 9, at(50)), Verdict::Wrong);
    }

    #[test]
    fn the_clock_may_be_off_by_the_skew_and_no_more() {
        for (skew, good, bad) in [
            (1, [99, 100, 101], [98, 102]),
            (0, [100, 100, 100], [99, 101]),
        ] {
            for period in good {
                assert_eq!(seat(skew).judge(&code(period), 9, at(100)), Verdict::Right);
            }
            for period in bad {
                assert_eq!(seat(skew).judge(&code(period), 9, at(100)), Verdict::Wrong);
            }
        }
        assert_eq!(seat(1).judge(&code(0), 9, at(0)), Verdict::Right);
    }

    #[test]
    fn too_many_wrong_codes_lock_out_and_each_lock_is_longer() {
        let mut seat = seat(1);
        let mut now = at(100);
        let mut lock = 30;
        for _ in 0..10 {
            for _ in 0..3 {
                assert_eq!(seat.judge("00000000", 3, now), Verdict::Wrong);
            }
            let right = code(now.secs() / 30);
            let locked = Verdict::Locked(Duration::from_secs(lock));
            assert_eq!(seat.judge(&right, 3, now), locked);
            now = now.plus(Duration::from_secs(lock));
            lock = (lock * 2).min(3600);
        }
        assert_eq!(seat.judge(&code(now.secs() / 30), 3, now), Verdict::Right);
        assert_eq!((seat.wrong, seat.locks), (0, 0));
    }

    #[test]
    fn an_empty_seat_looks_like_a_taken_one() {
        let mut empty = Seat::default();
        let mut taken = seat(1);
        for _ in 0..7 {
            assert_eq!(
                empty.judge("00000000", 3, at(100)),
                taken.judge("00000000", 3, at(100))
            );
        }
    }

    #[test]
    fn what_is_no_code_is_wrong() {
        for odd in ["", " ", "1234567", &format!(" {}", code(100)), "passcode"] {
            assert_eq!(seat(1).judge(odd, 9, at(100)), Verdict::Wrong, "{odd:?}");
        }
    }
}
