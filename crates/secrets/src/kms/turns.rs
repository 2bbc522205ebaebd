//! Slow work (making RSA keys, and using their private halves) where nothing else waits for it, a few pieces at a time.

use std::sync::LazyLock;
use std::time::Duration;

use coffer_crypto::pair::{KeyPair, PairKind};
use coffer_engine::Fault;
use tokio::sync::Semaphore;

use super::exception::Exception;

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many requests of one mount wait for keys to be made, or make them.
const MAKING: usize = 64;
/// How many requests of one mount wait for keys to be used, or use them.
const USING: usize = 4_096;

/// Keys that are made at the same time, of all mounts: half of the cores.
static MAKERS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(cores().div_ceil(2)));

/// The slow work of one mount.
pub(super) struct Turns {
    making: Queue,
    using: Queue,
}

/// Who waits, and who works.
struct Queue {
    places: Semaphore,
    /// Of one mount no more at once than there are cores, so that mounts take turns.
    here: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            making: Queue::new(MAKING),
            using: Queue::new(USING),
        }
    }
}

impl Turns {
    /// A new key pair.
    pub(super) async fn generate(&self, kind: PairKind) -> Result<KeyPair, Fault> {
        if !kind.is_rsa() {
            return Ok(KeyPair::generate(kind)?);
        }
        let made = self.making.run(async move {
            let _turn = MAKERS.acquire().await.map_err(Fault::internal)?;
            aside(move || KeyPair::generate(kind)).await
        });
        Ok(made.await??)
    }

    /// Does `work` with a private key; aside, where that is `slow`.
    pub(super) async fn using<R: Send + 'static>(
        &self,
        slow: bool,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Fault> {
        match slow {
            true => self.using.run(aside(work)).await,
            false => Ok(work()),
        }
    }
}

impl Queue {
    fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            here: Semaphore::new(cores()),
        }
    }

    async fn run<R>(&self, work: impl Future<Output = Result<R, Fault>>) -> Result<R, Fault> {
        let _place = self.places.try_acquire().map_err(|_| too_many())?;
        let turn = tokio::time::timeout(PATIENCE, self.here.acquire()).await;
        let _turn = turn.map_err(|_| too_many())?.map_err(Fault::internal)?;
        work.await
    }
}

/// Runs `work` on a thread of its own.
async fn aside<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Fault::internal)
}

fn too_many() -> Fault {
    Exception::Throttling.because("too many requests need slow work; try again in a moment")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
