//! Hashing passwords where nothing else waits for it.

use std::sync::LazyLock;
use std::time::Duration;

use coffer_crypto::{Random, Secret, password};
use coffer_engine::{Ctx, Fault};
use tokio::sync::Semaphore;

/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hashes at the same time: half of the cores, so that a storm of logins leaves the others to everybody else.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(at_once()));

/// The queue of one mount. Only as many of it as can be hashed at once wait among those of other mounts, so that
/// mounts take turns, and a storm at one does not hold up the others.
pub(super) struct Queue(Semaphore);

impl Default for Queue {
    fn default() -> Self {
        Self(Semaphore::new(at_once()))
    }
}

impl Queue {
    /// A new hash of a password.
    pub(super) async fn hash(&self, cx: &Ctx, password: Secret<String>) -> Result<String, Fault> {
        let random: Random = cx.random.clone();
        let made = self.aside(move || password::hash(password.expose().as_bytes(), &random));
        Ok(made.await??)
    }

    /// Whether a hash is that of the password; without one, no, after as long.
    pub(super) async fn verify(
        &self,
        password: &Secret<String>,
        hash: Option<String>,
    ) -> Result<bool, Fault> {
        let password = Secret::new(password.expose().clone());
        self.aside(move || password::verify(password.expose().as_bytes(), hash.as_deref()))
            .await
    }

    async fn aside<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Fault> {
        let turn = async {
            let here = self.0.acquire().await.map_err(Fault::internal)?;
            let there = TURNS.acquire().await.map_err(Fault::internal)?;
            Ok::<_, Fault>((here, there))
        };
        let turn = tokio::time::timeout(PATIENCE, turn).await;
        let _turn = turn.map_err(|_| {
            let text = "too many passwords are being checked; try again in a moment";
            Fault::Unavailable(text.into())
        })??;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Fault::internal)
    }
}

fn at_once() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).max(1)
}
