use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::{Error, Request, Response};

/// How many times a request is repeated by default.
pub(crate) const DEFAULT_RETRIES: u32 = 2;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(30);

/// How long to wait before asking again; `None` when the outcome is final.
///
/// A request that surely was not carried out (no connection, 412, 429) is repeated whatever it is. One whose fate is
/// unknown (502, 503, 504, a broken connection) only if it is idempotent.
pub(crate) fn wait_before_retry(
    attempt: u32,
    max_retries: u32,
    request: &Request,
    outcome: &Result<Response, Error>,
) -> Option<Duration> {
    if attempt >= max_retries || !request.retries || !worth_repeating(request, outcome) {
        return None;
    }
    let asked = outcome
        .as_ref()
        .ok()
        .and_then(Response::retry_after)
        .map(|wait| wait.min(LONGEST_RETRY_AFTER));
    Some(asked.unwrap_or_else(|| backoff(attempt, unit_random())))
}

fn worth_repeating(request: &Request, outcome: &Result<Response, Error>) -> bool {
    match outcome {
        Ok(response) => match response.status() {
            412 | 429 => true,
            503 if response.says_sealed() => false,
            502..=504 => request.method.is_idempotent(),
            _ => false,
        },
        Err(Error::Connect { .. }) => true,
        Err(Error::Broken { .. }) => request.method.is_idempotent(),
        Err(_) => false,
    }
}

/// Doubles from a quarter of a second to eight seconds.
pub(crate) fn backoff(attempt: u32, random: f64) -> Duration {
    backoff_up_to(LONGEST_WAIT, attempt, random)
}

/// Doubles from a quarter of a second to `longest`; the wait is anywhere in the upper half, so that clients which failed
/// together do not come back together.
pub(crate) fn backoff_up_to(longest: Duration, attempt: u32, random: f64) -> Duration {
    let full = FIRST_WAIT
        .saturating_mul(2u32.saturating_pow(attempt))
        .min(longest);
    full.mul_f64(0.5 + random / 2.0)
}

/// A number in `0.0..1.0` for spreading load; nothing depends on it being unguessable.
pub(crate) fn unit_random() -> f64 {
    let bits = RandomState::new().hash_one(0u8);
    f64::from(u32::try_from(bits >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_bounded_and_spread() {
        assert_eq!(backoff(0, 0.0), Duration::from_millis(125));
        assert_eq!(backoff(0, 1.0), Duration::from_millis(250));
        assert_eq!(backoff(2, 1.0), Duration::from_secs(1));
        assert_eq!(backoff(40, 1.0), LONGEST_WAIT);
        assert!(
            (0..100)
                .map(|_| unit_random())
                .all(|random| (0.0..1.0).contains(&random))
        );
        assert_ne!(unit_random(), unit_random());
    }
}
