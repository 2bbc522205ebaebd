//! An auth method that believes whatever it is told, and at renewal what was written about somebody meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_engine::{
    Alias, Ctx, Empty, Engine, Fault, Handle, Login, MountInfo, Routes, Session, Stay, Stored,
    TokenKind, path,
};
use coffer_wire::{CommaList, Flag, Int, KvPairs, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub struct Passport;

impl Engine for Passport {
    const NAME: &'static str = "passport";
    const HELP: &'static str = "Logs everybody in.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([
            path("login", "Logs somebody in.")
                .unauthenticated()
                .write::<Enter>(),
            path("people/{name}", "What is known of somebody now.").write::<Tell>(),
        ])
        .sessions::<Visit>()
    }
}

/// What is known of somebody now; what is not told stays as it was at the login.
#[derive(Deserialize, JsonSchema)]
struct Tell {
    #[serde(default)]
    name: String,
    #[serde(default)]
    groups: Option<CommaList>,
    #[serde(default)]
    metadata: Option<KvPairs>,
    #[serde(default)]
    ttl: Option<Ttl>,
    #[serde(default)]
    max_ttl: Option<Ttl>,
    #[serde(default)]
    period: Option<Ttl>,
    #[serde(default)]
    gone: Flag,
}

/// What is kept of [`Tell`].
#[derive(Default, Deserialize, Serialize)]
struct Person {
    groups: Option<Vec<String>>,
    metadata: Option<BTreeMap<String, String>>,
    ttl: Option<Duration>,
    max_ttl: Option<Duration>,
    period: Option<Duration>,
    gone: bool,
}

impl Stored for Person {}

impl Handle<Passport> for Tell {
    type Reply = Empty;

    async fn handle(self, _: &Passport, cx: &Ctx) -> Result<Empty, Fault> {
        let person = Person {
            groups: self.groups.map(|groups| groups.0),
            metadata: self.metadata.map(|pairs| pairs.0),
            ttl: self.ttl.map(|ttl| ttl.0),
            max_ttl: self.max_ttl.map(|ttl| ttl.0),
            period: self.period.map(|ttl| ttl.0),
            gone: self.gone.0,
        };
        cx.view.put(&self.name, &person).await?;
        Ok(Empty)
    }
}

/// A login, as it is kept.
#[derive(Serialize, Deserialize)]
struct Visit {
    name: String,
}

impl Session<Passport> for Visit {
    async fn renew(self, _: &Passport, cx: &Ctx) -> Result<Stay, Fault> {
        let person: Person = cx.view.get(&self.name).await?.unwrap_or_default();
        if person.gone {
            return Err(Fault::invalid("they are gone"));
        }
        Ok(Stay {
            group_aliases: person.groups,
            alias_metadata: person.metadata,
            ttl: person.ttl,
            max_ttl: person.max_ttl,
            period: person.period,
        })
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
    #[serde(default)]
    share: Ttl,
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
        let visit = Visit {
            name: self.name.0.clone(),
        };
        let login = Login {
            policies: self.policies.0,
            display_name: self.name.0.clone(),
            alias: (!self.name.0.is_empty()).then_some(alias),
            group_aliases: self.groups.0,
            ttl: self.ttl.0,
            kind: self.batch.0.then_some(TokenKind::Batch),
            renewable: true,
            coalesce_window: self.share.0,
            ..Login::default()
        };
        Ok(Box::new(login.with_session(&visit)?))
    }
}
