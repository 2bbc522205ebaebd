//! Keeping the token alive.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use coffer_barrier::WrapError;
use coffer_crypto::{Random, Secret, constant_time_eq};
use serde::Deserialize;

use super::{Envelope, Server};
use crate::exchange::unlike;

/// Of its life, after how much a token is renewed, in hundredths; less by up to [`JITTER`] hundredths.
const RENEW_AFTER: u32 = 70;
const JITTER: u32 = 10;
/// Between two looks at a token that has ended, or that nothing is known of.
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// Between two attempts at least.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// What is known of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
struct State {
    /// How long it has still to live, in seconds; zero if it does not end.
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

/// Of a token that nothing is done about.
const ENDLESS: State = State {
    ttl: 0,
    renewable: false,
};

#[derive(Deserialize)]
struct Renewed {
    auth: Granted,
}

#[derive(Deserialize)]
struct Granted {
    lease_duration: u64,
    #[serde(default)]
    renewable: bool,
}

/// Sees to it that somebody looks after the token for as long as the server is asked.
pub(super) fn begin(server: &Arc<Server>) {
    if !server.is_renewed.swap(true, Ordering::SeqCst) {
        tokio::spawn(keep(Arc::downgrade(server)));
    }
}

async fn keep(server: Weak<Server>) {
    let random = Random::system();
    let (mut failures, mut next, mut seen) = (0, Next::LookUp, None);
    loop {
        let Some(held) = server.upgrade() else { return };
        if is_another(&held, &mut seen).await {
            next = Next::LookUp;
        }
        let state = match next {
            Next::LookUp => looked_up(&held).await,
            Next::Renew => renewed(&held).await,
            Next::LetAlone => Ok(ENDLESS),
        };
        drop(held);
        let pause = match state {
            Ok(state) if state.ttl == 0 || !state.renewable => {
                tell(&state);
                (failures, next) = (0, Next::LetAlone);
                PAUSE_MAX
            }
            Ok(state) => {
                (failures, next) = (0, Next::Renew);
                share(state.ttl, &random)
            }
            Err(error) => {
                failures += 1;
                tracing::warn!(%error, failures, "the token of the transit seal is not renewed");
                back_off(failures, &random)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// What is to be done about the token.
#[derive(Clone, Copy)]
enum Next {
    /// Nothing is known of it.
    LookUp,
    /// Its time has come.
    Renew,
    /// It has no end, or can not be renewed. Another one may be put into its file.
    LetAlone,
}

/// Whether the source gives another token than last time.
async fn is_another(server: &Server, seen: &mut Option<Secret<String>>) -> bool {
    let Ok(token) = server.token.fetch().await else {
        return false; // Whoever asks with it says why.
    };
    let is_another = match seen {
        None => true,
        Some(seen) => !constant_time_eq(seen.expose().as_bytes(), token.expose().as_bytes()),
    };
    *seen = Some(token);
    is_another
}

/// Says once that a token will end.
fn tell(state: &State) {
    if state.ttl > 0 {
        tracing::warn!(
            ttl_secs = state.ttl,
            "the token of the transit seal can not be renewed: it will end, and this server will not open by itself. Put another one in its place"
        );
    }
}

async fn looked_up(server: &Server) -> Result<State, WrapError> {
    let answer = server.get("auth/token/lookup-self").await?;
    match answer.status {
        200 => {
            let read: Envelope<State> = server.exchange.read(&answer.body)?;
            Ok(read.data)
        }
        // A token may be renewed without looking itself up.
        403 => renewed(server).await,
        status => Err(unlike(server.exchange.who, status)),
    }
}

async fn renewed(server: &Server) -> Result<State, WrapError> {
    let answer = server.post("auth/token/renew-self", b"{}").await?;
    match answer.status {
        200 => {
            let read: Renewed = server.exchange.read(&answer.body)?;
            Ok(State {
                ttl: read.auth.lease_duration,
                renewable: read.auth.renewable,
            })
        }
        403 => Err(server.exchange.refused(
            "the token is expired or revoked, or may not renew itself (auth/token/renew-self)",
        )),
        status => Err(unlike(server.exchange.who, status)),
    }
}

/// When a token of this life is renewed.
fn share(ttl: u64, random: &Random) -> Duration {
    let hundredths = RENEW_AFTER - jitter(random);
    let life = Duration::from_secs(ttl);
    let most = Duration::from_secs(u64::from(u32::MAX));
    (life.min(most) * hundredths / 100).max(PAUSE_MIN)
}

/// Twice as long each time, and never the same for two servers.
fn back_off(failures: u32, random: &Random) -> Duration {
    let doubled = PAUSE_MIN * 2_u32.saturating_pow(failures.min(16));
    doubled.min(PAUSE_MAX) * (100 - jitter(random)) / 100
}

/// Up to [`JITTER`] hundredths.
fn jitter(random: &Random) -> u32 {
    let [byte] = random.bytes::<1>();
    u32::from(byte) * JITTER / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_well_before_its_end() {
        let random = Random::seeded_for_tests(1);
        for _ in 0..500 {
            let pause = share(1_000, &random).as_secs();
            assert!((600..=700).contains(&pause), "{pause}");
            for failures in 1..100 {
                let pause = back_off(failures, &random);
                assert!(pause >= PAUSE_MIN && pause <= PAUSE_MAX);
            }
        }
        assert_eq!(share(1, &random), PAUSE_MIN);
        assert!(share(u64::MAX, &random) > Duration::from_secs(1 << 30));
    }
}
