//! Hashing passwords where nothing else waits for it.

use std::sync::LazyLock;
use std::time::Duration;

use coffer_crypto::{Random, Secret, password};
use coffer_engine::{Ctx, Fault};
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);

/// Hashes at the same time: half of the cores, so that a storm of logins leaves the others to everybody else.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new((cores / 2).max(1))
});

/// A new hash of a password.
pub(super) async fn hash(cx: &Ctx, password: Secret<String>) -> Result<String, Fault> {
    let random: Random = cx.random.clone();
    let made = aside(move || password::hash(password.expose().as_bytes(), &random));
    Ok(made.await??)
}

/// Whether a hash is that of the password; without one, no, after as long.
pub(super) async fn verify(password: &Secret<String>, hash: Option<String>) -> Result<bool, Fault> {
    let password = Secret::new(password.expose().clone());
    aside(move || password::verify(password.expose().as_bytes(), hash.as_deref())).await
}

async fn aside<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, Fault> {
    let _turn = turn().await?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Fault::internal)
}

async fn turn() -> Result<SemaphorePermit<'static>, Fault> {
    let turn = tokio::time::timeout(PATIENCE, TURNS.acquire()).await;
    turn.map_err(|_| {
        Fault::Unavailable("too many passwords are being checked; try again in a moment".into())
    })?
    .map_err(Fault::internal)
}
