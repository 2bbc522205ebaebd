//! An auth method that believes whatever it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_engine::{Alias, Ctx, Engine, Fault, Handle, Login, MountInfo, Routes, TokenKind, path};
use coffer_wire::{CommaList, Flag, Int, KvPairs, Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;

pub struct Passport;

impl Engine for Passport {
    const NAME: &'static str = "passport";
    const HELP: &'static str = "Logs everybody in.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("login", "Logs somebody in.")
            .unauthenticated()
            .write::<Enter>()])
    }
}

#[derive(Deserialize, JsonSchema)]
struct Enter {
    /// Without a name there is no alias.
    #[serde(default)]
    name: Text,
    #[serde(default)]
    groups: CommaList,
    #[serde(default)]
    metadata: KvPairs,
    #[serde(default)]
    policies: CommaList,
    #[serde(default)]
    ttl: Ttl,
    #[serde(default)]
    batch: Flag,
    /// `right`, or it is wrong; where there is one, failures are counted. `broken` is nobody's fault.
    #[serde(default)]
    password: Option<Text>,
    /// Waits so many milliseconds before the password is looked at.
    #[serde(default)]
    slowly: Int,
}

impl Handle<Passport> for Enter {
    type Reply = Box<Login>;

    async fn handle(self, _: &Passport, cx: &Ctx) -> Result<Box<Login>, Fault> {
        if let Some(password) = &self.password {
            cx.attempt(&self.name.0).await?;
            let slowly = u64::try_from(self.slowly.0).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(slowly)).await;
            match password.0.as_str() {
                "right" => {}
                "broken" => return Err(Fault::upstream("the directory is down")),
                _ => return Err(Fault::invalid("invalid username or password")),
            }
        }
        let metadata: BTreeMap<String, String> = self.metadata.0;
        let alias = Alias {
            name: self.name.0.clone(),
            metadata,
        };
        Ok(Box::new(Login {
            policies: self.policies.0,
            display_name: self.name.0.clone(),
            alias: (!self.name.0.is_empty()).then_some(alias),
            group_aliases: self.groups.0,
            ttl: self.ttl.0,
            kind: if self.batch.0 {
                TokenKind::Batch
            } else {
                TokenKind::Service
            },
            renewable: true,
            ..Login::default()
        }))
    }
}
