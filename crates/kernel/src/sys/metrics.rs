//! `sys/metrics`, `sys/host-info`, `sys/in-flight-req`: how the server and its machine are doing.

use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::observe::{self, host};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("metrics", "What the server counts and measures.").read::<ReadMetrics>(),
        path("host-info", "The machine that the server runs on.").read::<ReadHost>(),
        path("in-flight-req", "The requests that are being answered.").read::<ListInFlight>(),
    ])
}

/// Shows what the server counts and measures.
#[derive(Deserialize, JsonSchema)]
struct ReadMetrics {
    /// `prometheus` for the form that Prometheus scrapes; JSON of the last ten seconds without it.
    #[serde(default)]
    format: Option<Text>,
}

impl Handle<Open> for ReadMetrics {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        observe::refresh(open);
        let format = self.format.map(|format| format.0).unwrap_or_default();
        open.settings.meters.scrape(&format, cx.now)
    }
}

/// Shows the machine that the server runs on: processors, memory, file systems.
#[derive(Deserialize, JsonSchema)]
struct ReadHost {}

impl Handle<Open> for ReadHost {
    type Reply = Reply;

    async fn handle(self, _: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let now = cx.now;
        let read = tokio::task::spawn_blocking(move || host::read(now));
        Reply::data(&read.await.map_err(Fault::internal)?)
    }
}

/// Shows the requests that are being answered, this one among them.
#[derive(Deserialize, JsonSchema)]
struct ListInFlight {}

impl Handle<Open> for ListInFlight {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        open.settings.in_flight.reply()
    }
}
