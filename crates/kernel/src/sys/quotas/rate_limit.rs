//! `sys/quotas/rate-limit`: how fast clients may ask.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Decimal, Flag, Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{keys, told, wish};
use crate::events::catalogue;
use crate::open::Open;
use crate::quotas::{GroupBy, Kind, Limit, Rate, Shown};

/// The interval of a rate where none is said.
const DEFAULT_INTERVAL_SECS: u64 = 1;
/// Above this a number with a fraction is none.
const MAX_EXACT: f64 = 9e15;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("quotas/rate-limit", "Lists the rate limits.").list::<ListRates>(),
        path("quotas/rate-limit/{name}", "How fast a client may ask.")
            .read::<ReadRate>()
            .write::<WriteRate>()
            .delete::<DeleteRate>(),
    ])
}

/// Lists the rate limits.
#[derive(Deserialize, JsonSchema)]
struct ListRates {}

impl Handle<Open> for ListRates {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        keys(open.quotas.names(Kind::Rate))
    }
}

/// Shows a rate limit.
#[derive(Deserialize, JsonSchema)]
struct ReadRate {
    /// The name of the quota.
    name: String,
}

impl Handle<Open> for ReadRate {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let found = open.quotas.read(open, Kind::Rate, &self.name).await?;
        shown(&found.ok_or(Fault::NotFound)?)
    }
}

/// Removes a rate limit.
#[derive(Deserialize, JsonSchema)]
struct DeleteRate {
    /// The name of the quota.
    name: String,
}

impl Handle<Open> for DeleteRate {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.quotas.delete(Kind::Rate, &self.name).await?;
        told(open, catalogue::QUOTA_DELETE, "rate-limit", &self.name);
        Ok(Empty)
    }
}

/// Sets how fast a client may ask; what is not given is reset.
#[derive(Deserialize, JsonSchema)]
struct WriteRate {
    /// The name of the quota.
    name: String,
    /// Its kind, which the path says.
    #[serde(default, rename = "type")]
    _type: Text,
    /// The mount, the path below it (a `*` at the end for all that begin so) or the namespace; empty for everything.
    #[serde(default)]
    path: Text,
    /// The role whose logins it is for; `path` is then an auth mount.
    #[serde(default)]
    role: Text,
    /// Requests in an interval.
    #[serde(default)]
    rate: Decimal,
    /// How long an interval is; 1 s if not given.
    #[serde(default)]
    interval: Ttl,
    /// How long a client that asked too often is refused; for the rest of the interval if not given.
    #[serde(default)]
    block_interval: Ttl,
    /// Namespaces within share it where they have none. True if it is for everything, else false.
    #[serde(default)]
    inheritable: Option<Flag>,
    /// Who counts as one client: `ip`, `none` (all together), `entity_then_ip` or `entity_then_none`.
    #[serde(default)]
    group_by: Text,
    /// As `rate`, for requests without an entity where `group_by` goes by entities.
    #[serde(default)]
    secondary_rate: Decimal,
}

impl Handle<Open> for WriteRate {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let rate = self.rate()?;
        let wish = wish(
            self.name,
            self.path,
            self.role,
            self.inheritable,
            Limit::Rate(rate),
        )?;
        let name = wish.name.clone();
        open.quotas.put(open, wish).await?;
        told(open, catalogue::QUOTA_WRITE, "rate-limit", &name);
        Ok(Empty)
    }
}

impl WriteRate {
    fn rate(&self) -> Result<Rate, Fault> {
        let (rate, secondary_rate) = (self.rate.0, self.secondary_rate.0);
        if !(rate.is_finite() && rate > 0.0) {
            return Err(Fault::invalid("'rate' is invalid"));
        }
        let group_by = match self.group_by.0.as_str() {
            "" => GroupBy::Ip,
            word => GroupBy::named(word).ok_or_else(|| {
                Fault::invalid(
                    "'group_by' is invalid: one of ip, none, entity_then_ip, entity_then_none",
                )
            })?,
        };
        let odd = !secondary_rate.is_finite() || secondary_rate < 0.0;
        if odd || secondary_rate > 0.0 && !group_by.needs_entity() {
            return Err(Fault::invalid(
                "'secondary_rate' is invalid: it is a positive number, for a 'group_by' that goes by entities",
            ));
        }
        Ok(Rate {
            rate,
            interval_secs: self.interval.0.as_secs().max(DEFAULT_INTERVAL_SECS),
            block_secs: self.block_interval.0.as_secs(),
            group_by,
            secondary_rate,
        })
    }
}

fn shown(found: &Shown) -> Result<Reply, Fault> {
    let Limit::Rate(rate) = &found.quota.limit else {
        return Err(Fault::NotFound);
    };
    let mut more = json!({
        "rate": number(rate.rate),
        "interval": rate.interval_secs,
        "block_interval": rate.block_secs,
    });
    if let Some(more) = more
        .as_object_mut()
        .filter(|_| rate.group_by != GroupBy::Ip)
    {
        more.insert("group_by".into(), rate.group_by.word().into());
        more.insert("secondary_rate".into(), number(rate.secondary_rate));
    }
    super::shown(found, more)
}

/// Whole numbers without a fraction, as the reference writes them.
fn number(rate: f64) -> Value {
    match rate.fract() == 0.0 && rate < MAX_EXACT {
        true => json!(rate as u64),
        false => json!(rate),
    }
}
