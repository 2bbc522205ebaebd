//! The smallest auth method: whoever says a name is let in, by a role if one is named.

use std::time::Duration;

use coffer_engine::{Ctx, Engine, Fault, Handle, Login, MountInfo, Role, Routes, TokenKind, path};
use schemars::JsonSchema;
use serde::Deserialize;

/// Lets everybody in.
pub struct Gate;

/// As [`Gate`], and knows no roles.
pub struct PlainGate;

impl Engine for Gate {
    const NAME: &'static str = "gate";
    const HELP: &'static str = "Lets everybody in.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("login", "Lets somebody in.")
            .unauthenticated()
            .write::<LogIn>()
            .role::<LogIn>()])
    }
}

impl Engine for PlainGate {
    const NAME: &'static str = "plain";
    const HELP: &'static str = "Lets everybody in.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("login", "Lets somebody in.")
            .unauthenticated()
            .write::<LogIn>()])
    }
}

/// Lets somebody in.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// The name.
    name: String,
    /// The role.
    #[serde(default)]
    role: String,
    /// Asks for a batch token.
    #[serde(default)]
    batch: bool,
    /// How long the token lives, in seconds.
    #[serde(default)]
    secs: u64,
}

impl<E: Send + Sync> Handle<E> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, _: &E, _: &Ctx) -> Result<Box<Login>, Fault> {
        if self.name == "nobody" {
            return Err(Fault::Denied);
        }
        Ok(Box::new(Login {
            policies: vec!["default".into()],
            display_name: self.name,
            ttl: Duration::from_secs(self.secs),
            kind: self.batch.then_some(TokenKind::Batch),
            renewable: true,
            ..Login::default()
        }))
    }
}

impl<E: Send + Sync> Role<E> for LogIn {
    async fn role(self, _: &E, _: &Ctx) -> Result<Option<String>, Fault> {
        Ok(Some(self.role).filter(|role| !role.is_empty()))
    }
}
