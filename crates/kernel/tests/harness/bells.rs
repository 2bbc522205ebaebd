//! An engine that tells when somebody rings.

use coffer_engine::{Ctx, Empty, Engine, Event, Fault, Handle, MountInfo, Routes, path};
use coffer_wire::{Flag, Text};
use schemars::JsonSchema;
use serde::Deserialize;

pub struct Bells;

impl Engine for Bells {
    const NAME: &'static str = "bells";
    const HELP: &'static str = "Tells when somebody rings.";

    fn new(_: &MountInfo) -> Self {
        Self
    }

    fn routes() -> Routes<Self> {
        Routes::new([path("ring/{name}", "Rings a bell.").write::<Ring>()])
    }
}

/// Rings a bell.
#[derive(Deserialize, JsonSchema)]
struct Ring {
    name: String,
    /// Fails after it has told.
    #[serde(default)]
    fail: Flag,
    /// Tells although it fails.
    #[serde(default)]
    regardless: Flag,
    /// Tells how.
    #[serde(default)]
    how: Option<Text>,
    /// How often.
    #[serde(default)]
    times: Option<u32>,
}

impl Handle<Bells> for Ring {
    type Reply = Empty;

    async fn handle(self, _: &Bells, cx: &Ctx) -> Result<Empty, Fault> {
        for time in 0..self.times.unwrap_or(1) {
            let path = format!("ring/{}", self.name);
            let mut event = Event::new("bells/ring", path.clone())
                .modified(path)
                .with("time", time);
            if let Some(how) = &self.how {
                event = event.with("how", &how.0);
            }
            if self.regardless.0 {
                event = event.regardless();
            }
            cx.emit(event);
        }
        match self.fail.0 {
            true => Err(Fault::invalid("the bell has a crack")),
            false => Ok(Empty),
        }
    }
}
