//! A small engine whose secrets end: tickets, kept in its own storage as if it were outside.

use std::time::Duration;

use coffer_engine::{
    Ctx, Empty, Engine, Fault, Handle, Lease, Leased, MountInfo, Renewal, Reply, Routes, Stored,
    path,
};
use coffer_wire::{Flag, Timestamp, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub struct Tickets;

impl Engine for Tickets {
    const NAME: &'static str = "tickets";
    const HELP: &'static str = "Grants tickets that end.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([
            path("issue/{name}", "Grants a ticket.")
                .read::<Issue>()
                .write::<Issue>(),
            path("live", "The tickets that are not undone.").list::<Live>(),
            path("config", "Lets revocations fail.").write::<Config>(),
        ])
        .leases::<Ticket>()
    }
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
struct Config {
    refuse: Flag,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    refuse: bool,
}

impl Stored for Kept {}

impl Handle<Tickets> for Config {
    type Reply = Empty;

    async fn handle(self, _: &Tickets, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view
            .put(
                "config",
                &Kept {
                    refuse: self.refuse.0,
                },
            )
            .await?;
        Ok(Empty)
    }
}

#[derive(Deserialize, JsonSchema)]
struct Live {}

impl Handle<Tickets> for Live {
    type Reply = Reply;

    async fn handle(self, _: &Tickets, cx: &Ctx) -> Result<Reply, Fault> {
        Reply::data(&json!({ "keys": cx.view.list_all("live/").await? }))
    }
}

#[derive(Deserialize, JsonSchema)]
struct Issue {
    name: String,
    #[serde(default)]
    ttl: Ttl,
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    name: String,
}

#[derive(Serialize, Deserialize)]
struct Ticket {
    name: String,
}

impl Stored for Ticket {}

impl Handle<Tickets> for Issue {
    type Reply = Leased<Shown>;

    async fn handle(self, _: &Tickets, cx: &Ctx) -> Result<Leased<Shown>, Fault> {
        let ticket = Ticket {
            name: self.name.clone(),
        };
        let intent = cx.intend(&ticket).await?;
        cx.view.put(&format!("live/{}", self.name), &ticket).await?;
        Ok(Leased::new(
            intent,
            Shown { name: self.name },
            self.ttl.0,
            Duration::ZERO,
        ))
    }
}

impl Lease<Tickets> for Ticket {
    const KIND: &'static str = "ticket";

    fn target(&self) -> String {
        "office".into()
    }

    async fn renew(&self, _: &Tickets, _: &Ctx, ask: &Renewal) -> Result<Timestamp, Fault> {
        Ok(ask.until(Duration::ZERO, Duration::ZERO))
    }

    async fn revoke(&self, _: &Tickets, cx: &Ctx) -> Result<(), Fault> {
        if cx
            .view
            .get::<Kept>("config")
            .await?
            .unwrap_or_default()
            .refuse
        {
            return Err(Fault::upstream("the office is closed"));
        }
        Ok(cx.view.delete(&format!("live/{}", self.name)).await?)
    }
}
