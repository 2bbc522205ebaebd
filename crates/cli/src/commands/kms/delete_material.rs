use clap::Args;

use super::refusal::Explained;
use super::target::{Target, done};
use crate::context::Context;
use crate::failure::Outcome;

/// Delete imported material at once; only the same can be imported again
///
/// Until then the key can not be used.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms delete-material -key=alias/app")]
pub(crate) struct DeleteMaterial {
    #[command(flatten)]
    target: Target,
    /// Only this material of a symmetric key, as `coffer kms rotations` shows it [default: the current one]
    #[arg(long, value_name = "ID")]
    material: Option<String>,
}

impl DeleteMaterial {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = self.target.name();
        let path = self.target.part("material");
        let which = self.material.as_deref();
        let query: Vec<(&str, &str)> = which.iter().map(|id| ("key_material_id", *id)).collect();
        let answer = cx.client()?.delete(&path, &query).await;
        let answer = answer.or_failed(format!("deleting material of {name}"))?;
        let said = format!(
            "Success! deleted material of {name}; `coffer kms import` brings the same again"
        );
        done(cx, answer, &said)
    }
}
