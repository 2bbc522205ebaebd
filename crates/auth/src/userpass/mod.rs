//! `userpass`: names and passwords that are kept here.

mod hashing;
mod login;
mod user;

use hashing::Queue;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};

/// The userpass method.
pub struct Userpass {
    queue: Queue,
}

impl Engine for Userpass {
    const NAME: &'static str = "userpass";
    const HELP: &'static str = "Logs people in by a name and a password that are kept here.";
    const LOCKS_OUT: bool = true;

    fn new(_: &MountInfo) -> Self {
        Self {
            queue: Queue::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([login::routes(), user::routes()])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        coffer_engine::keys::count(&cx.view, user::FOLDER)
            .await
            .map(Some)
    }
}
