use clap::Args;
use serde_json::{Map, json};

use crate::context::Context;
use crate::failure::{Outcome, While};

/// Make a mount of version 1 keep versions
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer kv enable-versioning secret")]
pub(crate) struct EnableVersioning {
    /// Where the engine is mounted
    #[arg(value_name = "MOUNT")]
    mount: String,
}

impl EnableVersioning {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mount = self.mount.trim_matches('/');
        let settings = Map::from_iter([("options".to_owned(), json!({ "version": "2" }))]);
        cx.client()?
            .sys()
            .tune_mount(mount, &settings)
            .await
            .or_failed(format!("tuning {mount}/"))?;
        cx.ui
            .line(&format!("Success! Tuned the secrets engine at: {mount}/"));
        Ok(())
    }
}
