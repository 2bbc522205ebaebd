use clap::Args;
use coffer_crypto::pair;

use super::target::{Target, bytes};
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::output::{Format, print_secret};

/// Show the public half of a master key, in PEM
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms public-key -key=alias/releases > releases.pem")]
pub(crate) struct PublicKey {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl PublicKey {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.target.part("public-key");
        let answer = cx.client()?.read(&path, &[]).await;
        let answer = answer.or_failed(format!("reading {path}"))?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        let whole = self.field.name().is_some() || cx.format != Format::Table;
        if whole || answer.wrap_info.is_some() {
            return print_secret(cx, &answer, self.field.name());
        }
        let public = pair::PublicKey::from_spki(&bytes(&answer, "public_key")?);
        let public = public.map_err(|_| Failure::local("the server's public key is unreadable"))?;
        cx.ui.line(&public.to_pem());
        Ok(())
    }
}
