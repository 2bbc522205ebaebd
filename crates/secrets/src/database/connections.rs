//! The drivers that are alive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coffer_engine::{Ctx, Fault};

use super::connection::{self, Connection};
use super::driver::{self, Driver};
use super::events::{self, ROOT_ROTATE};

/// One driver per configuration, made when it is first needed.
///
/// The truth is the stored configuration: it is read at each use, and a driver that was made from an older revision of
/// it is replaced. So nothing here can be stale, whichever node wrote.
#[derive(Default)]
pub(super) struct Connections {
    live: Mutex<HashMap<String, Live>>,
}

struct Live {
    revision: String,
    driver: Arc<dyn Driver>,
}

impl Connections {
    /// The configuration of that name and its driver.
    pub(super) async fn get(
        &self,
        cx: &Ctx,
        name: &str,
    ) -> Result<(Connection, Arc<dyn Driver>), Fault> {
        let stored: Option<Connection> = cx.view.get(&connection::place(name)).await?;
        let stored = stored.ok_or_else(|| unknown(name))?;
        if stored.settings.pending_password.is_some()
            && let Some(resolved) = self.resolve(cx, name, &stored).await?
        {
            return Ok(resolved);
        }
        let driver = self.driver(name, &stored)?;
        Ok((stored, driver))
    }

    /// Closes the connections of that name as soon as nobody uses them.
    pub(super) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    fn driver(&self, name: &str, stored: &Connection) -> Result<Arc<dyn Driver>, Fault> {
        let alive = self
            .lock()
            .get(name)
            .and_then(|live| (live.revision == stored.revision).then(|| Arc::clone(&live.driver)));
        if let Some(driver) = alive {
            return Ok(driver);
        }
        let driver = driver::open(&stored.plugin_name, &stored.settings).map_err(Fault::Invalid)?;
        let live = Live {
            revision: stored.revision.clone(),
            driver: Arc::clone(&driver),
        };
        self.lock().insert(name.to_owned(), live);
        Ok(driver)
    }

    /// A rotation of the admin's password whose end nobody saw: if the database takes the new password, the rotation
    /// is finished; else (none) the old one is still good.
    async fn resolve(
        &self,
        cx: &Ctx,
        name: &str,
        stored: &Connection,
    ) -> Result<Option<(Connection, Arc<dyn Driver>)>, Fault> {
        let Some(pending) = stored.settings.pending_password.clone() else {
            return Ok(None);
        };
        let mut settings = stored.settings.clone();
        settings.password = pending.clone();
        let trial = driver::open(&stored.plugin_name, &settings).map_err(Fault::Invalid)?;
        if trial.verify().await.is_err() {
            return Ok(None);
        }
        let stored = connection::adopt_password(cx, name, &pending).await?;
        // Whatever becomes of the request that found out.
        cx.emit(events::changed(ROOT_ROTATE, "rotate-root", name).regardless());
        let driver = self.driver(name, &stored)?;
        Ok(Some((stored, driver)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Live>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(name: &str) -> Fault {
    Fault::Invalid(format!(
        "failed to find entry for connection with name: {name:?}"
    ))
}
