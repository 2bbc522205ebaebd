//! Records that are used once and end soon: codes of the OpenID provider, logins that wait for a second factor.
//!
//! Each belongs to somebody, and nobody has more than a few: the oldest makes room for a new one. So their number is
//! bounded by that of entities, however fast they are asked for. Below the view:
//!
//! | path | holds |
//! |---|---|
//! | `at/<key>` | the record |
//! | `of/<owner>/<16 hex digits of milliseconds>-<key>` | what somebody has, in the order of their ends |
//! | `due/<16 hex digits of milliseconds>-<key>` | what ends when |

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use coffer_barrier::{Changes, Error, Seen, Stored, View};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::due::Mark;

/// The longest key that is looked for.
const MAX_KEY_BYTES: usize = 64;
/// How many records [`Brief::tidy`] takes away in one step.
const TIDIED_AT_ONCE: usize = 256;
/// How often an attempt is made when others change the same somebody's records.
const TRIES: usize = 50;

/// Records that are used once and end soon.
pub struct Brief<T> {
    view: View,
    life: Duration,
    each: usize,
    /// Whether there may be records: an idle server has nothing to tidy and does not look.
    waiting: AtomicBool,
    of: PhantomData<fn() -> T>,
}

/// A record with whose it is and when it ends.
#[derive(Serialize, Deserialize)]
#[serde(bound = "T: Serialize + DeserializeOwned")]
struct Slip<T> {
    owner: String,
    ends: Timestamp,
    what: T,
}

impl<T: Stored> Stored for Slip<T> {
    const MAX_BYTES: usize = T::MAX_BYTES;
}

impl<T: Stored> Brief<T> {
    /// In a view that holds nothing else: each lives so long, and nobody has more than `each`.
    pub fn new(view: View, life: Duration, each: usize) -> Self {
        Self {
            view,
            life,
            each,
            waiting: AtomicBool::new(true),
            of: PhantomData,
        }
    }

    /// Keeps a record, durably. The oldest of its owner make room.
    pub async fn put(&self, key: &str, owner: &str, what: T, now: Timestamp) -> Result<(), Fault> {
        let ends = now.plus(self.life);
        let slip = Slip {
            owner: owner.to_owned(),
            ends,
            what,
        };
        for _ in 0..TRIES {
            let had = self.view.list_all(&of(owner, "")).await?;
            let crowded = (had.len() + 1).saturating_sub(self.each);
            let mut changes = self.view.changes();
            for (at, name) in had.iter().enumerate() {
                if at < crowded || ended(name, now) {
                    changes = self.removed(changes, owner, name);
                }
            }
            let name = name(ends, key);
            let changes = changes
                .put(&self.view, &at(key), &slip)?
                .expect(&self.view, &at(key), Seen::NOTHING)
                .put(&self.view, &of(owner, &name), &Mark)?
                .put(&self.view, &due(&name), &Mark)?;
            let done = changes.commit().await;
            self.waiting.store(true, Ordering::SeqCst); // After it: whoever tidies meanwhile may not have seen it.
            match done {
                Err(Error::Conflict) => {}
                other => return Ok(other?),
            }
        }
        Err(Error::Conflict.into())
    }

    /// A living record; it stays.
    pub async fn look(&self, key: &str, now: Timestamp) -> Result<Option<T>, Fault> {
        if !is_key(key) {
            return Ok(None);
        }
        let slip: Option<Slip<T>> = self.view.get(&at(key)).await?;
        Ok(slip.filter(|slip| slip.ends > now).map(|slip| slip.what))
    }

    /// A living record, which is gone from then on, durably: of many who ask at once, one gets it.
    pub async fn take(&self, key: &str, now: Timestamp) -> Result<Option<T>, Fault> {
        if !is_key(key) {
            return Ok(None);
        }
        let (slip, seen) = self.view.get_seen::<Slip<T>>(&at(key)).await?;
        let Some(slip) = slip else {
            return Ok(None);
        };
        let changes = self.view.changes().expect(&self.view, &at(key), seen);
        let changes = self.removed(changes, &slip.owner, &name(slip.ends, key));
        match changes.commit().await {
            Ok(()) => Ok((slip.ends > now).then_some(slip.what)),
            Err(Error::Conflict) => Ok(None), // A record never changes: somebody took it.
            Err(other) => Err(other.into()),
        }
    }

    /// Takes away all that somebody has.
    pub async fn forget(&self, owner: &str) -> Result<(), Fault> {
        let had = self.view.list_all(&of(owner, "")).await?;
        let removed = |changes, name: &String| self.removed(changes, owner, name);
        Ok(had
            .iter()
            .fold(self.view.changes(), removed)
            .commit()
            .await?)
    }

    /// Takes away what has ended.
    pub async fn tidy(&self, now: Timestamp) -> Result<(), Fault> {
        if !self.waiting.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        loop {
            let page = self.view.list("due/", None, TIDIED_AT_ONCE).await?;
            if !page.is_empty() {
                self.waiting.store(true, Ordering::SeqCst);
            }
            let over: Vec<_> = page.iter().filter(|name| ended(name, now)).collect();
            if over.is_empty() {
                return Ok(());
            }
            let mut changes = self.view.changes();
            for name in &over {
                let key = key_of(name);
                let slip: Option<Slip<T>> = self.view.get(&at(key)).await?;
                let owner = slip.map(|slip| slip.owner).unwrap_or_default();
                changes = self.removed(changes, &owner, name);
            }
            changes.commit().await?;
            if over.len() < TIDIED_AT_ONCE {
                return Ok(());
            }
        }
    }

    fn removed(&self, changes: Changes, owner: &str, name: &str) -> Changes {
        changes
            .delete(&self.view, &at(key_of(name)))
            .delete(&self.view, &of(owner, name))
            .delete(&self.view, &due(name))
    }
}

fn at(key: &str) -> String {
    format!("at/{key}")
}

fn of(owner: &str, name: &str) -> String {
    format!("of/{owner}/{name}")
}

fn due(name: &str) -> String {
    format!("due/{name}")
}

/// How an entry of the indexes is called.
fn name(ends: Timestamp, key: &str) -> String {
    format!("{:016x}-{key}", ends.millis())
}

fn key_of(name: &str) -> &str {
    name.split_once('-').map_or("", |(_, key)| key)
}

fn ended(name: &str, now: Timestamp) -> bool {
    let millis = name
        .split_once('-')
        .and_then(|(millis, _)| u64::from_str_radix(millis, 16).ok());
    millis.is_none_or(|millis| millis <= now.millis())
}

fn is_key(text: &str) -> bool {
    let ours = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= MAX_KEY_BYTES && text.bytes().all(ours)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use coffer_barrier::Barrier;
    use coffer_crypto::{Aes256Key, Random};
    use coffer_storage::{Batch, Memory};

    use super::*;

    const START: Timestamp = Timestamp::EPOCH;

    async fn brief() -> Brief<Mark> {
        let random = Random::system();
        let barrier = Arc::new(Barrier::new(Arc::new(Memory::new()), random.clone()));
        let root = Aes256Key::generate(&random).unwrap();
        barrier.initialise(&root, 0, Batch::new()).await.unwrap();
        barrier.unseal(root).await.unwrap();
        Brief::new(
            barrier.view("sys/mfa/pending/"),
            Duration::from_secs(300),
            3,
        )
    }

    async fn left(brief: &Brief<Mark>) -> usize {
        let mut count = 0;
        let mut pages = brief.view.path_pages("");
        while let Some(page) = pages.next().await.unwrap() {
            count += page.len();
        }
        count
    }

    #[tokio::test]
    async fn a_record_is_taken_once_and_leaves_nothing_behind() {
        let brief = brief().await;
        brief.put("k", "me", Mark, START).await.unwrap();
        assert!(brief.look("k", START).await.unwrap().is_some());
        let (one, other) = tokio::join!(brief.take("k", START), brief.take("k", START));
        assert!(one.unwrap().is_some() != other.unwrap().is_some());
        assert_eq!(left(&brief).await, 0);
    }

    #[tokio::test]
    async fn it_ends_with_its_time() {
        let brief = brief().await;
        brief.put("k", "me", Mark, START).await.unwrap();
        let end = START.plus(Duration::from_secs(300));
        assert!(brief.look("k", end).await.unwrap().is_none());
        assert!(brief.take("k", end).await.unwrap().is_none());
        assert_eq!(left(&brief).await, 0);
    }

    #[tokio::test]
    async fn nobody_has_more_than_a_few_and_the_oldest_make_room() {
        let brief = brief().await;
        for number in 0..10u64 {
            let now = START.plus(Duration::from_secs(number));
            let key = format!("k{number}");
            brief.put(&key, "me", Mark, now).await.unwrap();
            brief
                .put(&format!("you-{key}"), "you", Mark, now)
                .await
                .unwrap();
        }
        assert_eq!(left(&brief).await, 2 * 3 * 3);
        assert!(brief.look("k6", START).await.unwrap().is_none());
        for key in ["k7", "k8", "k9", "you-k7"] {
            assert!(brief.look(key, START).await.unwrap().is_some(), "{key}");
        }
        brief.forget("me").await.unwrap();
        assert_eq!(left(&brief).await, 3 * 3);
    }

    #[tokio::test]
    async fn what_has_ended_is_tidied_whoever_it_belongs_to() {
        let brief = brief().await;
        for number in 0..600u64 {
            let key = format!("k{number}");
            brief.put(&key, &key, Mark, START).await.unwrap();
        }
        let later = START.plus(Duration::from_secs(200));
        brief.put("young", "me", Mark, later).await.unwrap();
        brief.tidy(later).await.unwrap();
        assert_eq!(left(&brief).await, 601 * 3);
        brief
            .tidy(START.plus(Duration::from_secs(301)))
            .await
            .unwrap();
        assert_eq!(left(&brief).await, 3);
    }

    #[tokio::test]
    async fn odd_keys_are_never_looked_for() {
        let brief = brief().await;
        for key in ["", "a/b", "K", "k\0", &"k".repeat(65)] {
            assert!(brief.look(key, START).await.unwrap().is_none());
            assert!(brief.take(key, START).await.unwrap().is_none());
        }
    }
}
