//! What ends after a while and is got anew: credentials, tokens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coffer_barrier::WrapError;
use coffer_wire::Timestamp;
use tokio::sync::Mutex;

/// How long before its end a thing is got anew.
const MARGIN: Duration = Duration::from_secs(300);

/// A thing that is kept until shortly before its end. Whoever finds it gone gets it anew while the others wait.
#[derive(Debug)]
pub(crate) struct Fresh<T> {
    kept: Mutex<Option<Lasting<T>>>,
}

/// A thing and when it ends, if it does.
#[derive(Clone, Debug)]
pub(crate) struct Lasting<T> {
    pub(crate) value: T,
    pub(crate) until: Option<Timestamp>,
}

impl<T> Default for Fresh<T> {
    fn default() -> Self {
        Self {
            kept: Mutex::new(None),
        }
    }
}

impl<T: Clone> Fresh<T> {
    /// The thing, got by `get` if it is not there. Near its end it is still good while a new one is not to be had.
    pub(crate) async fn get(
        &self,
        get: impl AsyncFnOnce() -> Result<Lasting<T>, WrapError>,
    ) -> Result<T, WrapError> {
        let mut kept = self.kept.lock().await;
        let now = now();
        if let Some(kept) = kept.as_ref().filter(|kept| kept.is_good(now, MARGIN)) {
            return Ok(kept.value.clone());
        }
        match get().await {
            Ok(new) => {
                let value = new.value.clone();
                *kept = Some(new);
                Ok(value)
            }
            Err(error) => match kept
                .as_ref()
                .filter(|kept| kept.is_good(now, Duration::ZERO))
            {
                Some(kept) => Ok(kept.value.clone()),
                None => Err(error),
            },
        }
    }

    /// Forgets it: whom it was shown did not take it.
    pub(crate) async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}

impl<T> Lasting<T> {
    fn is_good(&self, now: Timestamp, margin: Duration) -> bool {
        self.until.is_none_or(|until| now.plus(margin) < until)
    }
}

/// The time of the machine.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::EPOCH.plus(since.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasting(value: u8, secs: u64) -> Lasting<u8> {
        let until = Some(now().plus(Duration::from_secs(secs)));
        Lasting { value, until }
    }

    fn gone() -> Result<Lasting<u8>, WrapError> {
        Err(WrapError::Unreachable("gone".into()))
    }

    #[tokio::test]
    async fn it_is_kept_renewed_in_time_and_used_to_its_end() {
        let fresh = Fresh::default();
        assert_eq!(fresh.get(async || Ok(lasting(1, 3600))).await, Ok(1));
        assert_eq!(fresh.get(async || Ok(lasting(2, 3600))).await, Ok(1));
        fresh.forget().await;
        assert_eq!(fresh.get(async || Ok(lasting(3, 200))).await, Ok(3));
        assert_eq!(fresh.get(async || gone()).await, Ok(3));
        assert_eq!(fresh.get(async || Ok(lasting(4, 0))).await, Ok(4));
        assert!(fresh.get(async || gone()).await.is_err());
        let endless = Lasting {
            value: 5,
            until: None,
        };
        assert_eq!(fresh.get(async || Ok(endless)).await, Ok(5));
        assert_eq!(fresh.get(async || gone()).await, Ok(5));
    }
}
