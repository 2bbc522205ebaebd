//! A keeper of root keys in memory, which a test can send away or make talk nonsense; and servers that it opens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coffer_barrier::{Kept, WrapError, Wrapped, Wrapper};
use coffer_crypto::{Aes256Key, Random, Zeroizing};
use coffer_kernel::seals::{SealBook, SealStanza};
use coffer_kernel::{Clock, Kernel, Settings, State};
use coffer_storage::Store;
use coffer_wire::{Timestamp, Verb};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Answer, Harness};

/// How a keeper behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    Away,
    /// Never answers.
    Hanging,
    Refusing,
    /// Gives other bytes than it was given.
    Garbling,
}

/// A keeper with versions of a key.
pub struct Keeper {
    kind: &'static str,
    keys: Mutex<Vec<Arc<Aes256Key>>>,
    mood: Mutex<Mood>,
    asked: AtomicU64,
}

impl Keeper {
    pub fn new(kind: &'static str) -> Arc<Self> {
        let keeper = Self {
            kind,
            keys: Mutex::default(),
            mood: Mutex::new(Mood::Well),
            asked: AtomicU64::new(0),
        };
        keeper.rotate();
        Arc::new(keeper)
    }

    /// A new version of its key.
    pub fn rotate(&self) {
        let key = Aes256Key::generate(&Random::system()).unwrap();
        self.keys.lock().push(Arc::new(key));
    }

    pub fn is(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }

    /// How often it was asked.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    /// Its seal as a configuration names it.
    pub fn stanza(self: &Arc<Self>, name: &str, priority: u32) -> SealStanza {
        SealStanza {
            name: name.to_owned(),
            priority,
            disabled: false,
            keeper: Arc::clone(self) as Arc<dyn Wrapper>,
        }
    }

    /// The same, disabled.
    pub fn disabled(self: &Arc<Self>, name: &str) -> SealStanza {
        SealStanza {
            disabled: true,
            ..self.stanza(name, 1)
        }
    }

    async fn answer(&self, bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mood = *self.mood.lock();
        match mood {
            Mood::Well => Ok(bytes),
            Mood::Away => Err(WrapError::Unreachable("nobody is there".into())),
            Mood::Refusing => Err(WrapError::Refused("the key is disabled".into())),
            Mood::Garbling => Ok(Zeroizing::new(vec![7; bytes.len()])),
            Mood::Hanging => std::future::pending().await,
        }
    }
}

impl Wrapper for Keeper {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn wrap<'a>(&'a self, plaintext: &'a [u8]) -> Kept<'a, Wrapped> {
        Box::pin(async move {
            let keys = self.keys.lock().clone();
            let sealed = keys.last().unwrap().seal(&Random::system(), b"", plaintext);
            let sealed = self.answer(Zeroizing::new(sealed.unwrap())).await?;
            Ok(Wrapped {
                key_id: format!("v{}", keys.len()),
                ciphertext: sealed.to_vec(),
            })
        })
    }

    fn unwrap<'a>(&'a self, wrapped: &'a Wrapped) -> Kept<'a, Zeroizing<Vec<u8>>> {
        Box::pin(async move {
            let keys = self.keys.lock().clone();
            let opened = keys
                .iter()
                .find_map(|key| key.open(b"", &wrapped.ciphertext).ok());
            match opened {
                Some(bytes) => self.answer(bytes).await,
                None => Err(WrapError::Refused("the ciphertext is not its own".into())),
            }
        })
    }
}

/// A server whose seals a test made, with its work beside requests. Without tokens until it is initialised.
pub struct Sealed {
    pub server: Harness,
    _stop: DropGuard,
}

impl Sealed {
    /// Starts one over what is stored.
    pub async fn start(store: Arc<dyn Store>, seals: Vec<SealStanza>) -> Self {
        let settings = Settings {
            seals: SealBook::new(seals),
            raw_storage_endpoint: true,
            ..Settings::new(Vec::new())
        };
        let clock = Clock::manual(Timestamp::from_secs(1_800_000_000));
        let made = Kernel::new(settings, store, Random::system(), clock.clone());
        let kernel = made.await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&kernel).keep_seals(stop.clone()));
        let server = Harness {
            kernel,
            clock,
            root: String::new(),
            key: String::new(),
        };
        Self {
            server,
            _stop: stop.drop_guard(),
        }
    }

    /// As [`Sealed::start`], with a root token of before, once it is open.
    pub async fn opened(store: Arc<dyn Store>, seals: Vec<SealStanza>, root: &str) -> Self {
        let mut sealed = Self::start(store, seals).await;
        root.clone_into(&mut sealed.server.root);
        assert!(sealed.opens_within(120).await);
        sealed
    }

    /// Initialises it; answers what it was answered.
    pub async fn init(&mut self, how: Value) -> Value {
        let made = self.put("sys/init", how).await;
        assert_eq!(made.status, 200, "{made:?}");
        let made = made.data().clone();
        made["root_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.server.root);
        made
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.server.write(path, "", body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.server.read(path, "").await
    }

    /// With the root token.
    pub async fn by_root(&self, verb: Verb, path: &str, body: Value) -> Answer {
        let root = self.server.root.clone();
        self.server.request(verb, path, &root, body).await
    }

    pub fn is_open(&self) -> bool {
        matches!(&*self.server.kernel.state(), State::Active(_))
    }

    /// Whether it is open within so many seconds. Only with paused time.
    pub async fn opens_within(&self, secs: u64) -> bool {
        for _ in 0..secs * 4 {
            if self.is_open() {
                return true;
            }
            self.server.clock.advance(Duration::from_millis(250));
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        self.is_open()
    }

    /// Hands keys in until they are all or it is open; the last answer.
    pub async fn unseal(&self, keys: &[String], how: Value) -> Answer {
        let mut last = None;
        for key in keys {
            let mut body = how.clone();
            body["key"] = json!(key);
            last = Some(self.put("sys/unseal", body).await);
        }
        last.unwrap()
    }

    /// Seals it as an operator does.
    pub async fn seal(&self) {
        let sealed = self.by_root(Verb::Write, "sys/seal", Value::Null).await;
        assert_eq!(sealed.status, 204, "{sealed:?}");
        assert!(!self.is_open());
    }
}

/// A list of texts.
pub fn texts(of: &Value) -> Vec<String> {
    super::texts(of)
}
