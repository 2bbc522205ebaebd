//! `approle`: machines that hold a role id and a secret id.
//!
//! Records: `role/<name>` a role; `id/<mac of the role id>` the name of its role; `secret/<role>/<mac of the secret id>` a
//! secret id and `accessor/<role>/<accessor>` where it is, `<role>` being what names the role for ever, so that a role
//! that is made anew knows nothing of the old one's; `gone/<role>` a role whose secret ids are still to be removed. Paths
//! are readable in the storage, so ids stand in them as codes made with the mount's own key, at `salt`.

mod fields;
mod login;
mod role;
mod role_id;
mod salt;
mod secret_id;
mod secret_ids;
mod tidy;

use std::time::Duration;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};

use salt::Salt;

/// The approle method.
pub struct AppRole {
    salt: Salt,
}

impl Engine for AppRole {
    const NAME: &'static str = "approle";
    const HELP: &'static str = "Logs machines in by a role id and a secret id.";
    const LOCKS_OUT: bool = true;
    const TICK: Option<Duration> = Some(Duration::from_secs(60));

    fn new(_: &MountInfo) -> Self {
        Self {
            salt: Salt::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            login::routes(),
            role::routes(),
            role_id::routes(),
            fields::routes(),
            secret_ids::routes(),
            tidy::routes(),
        ])
    }

    async fn begin(&self, cx: &Ctx, _: Option<&str>) -> Result<(), Fault> {
        Salt::make(cx).await
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        coffer_engine::keys::count(&cx.view, role::FOLDER)
            .await
            .map(Some)
    }

    async fn tick(&self, cx: &Ctx) -> Result<(), Fault> {
        tidy::tick(cx).await
    }
}
