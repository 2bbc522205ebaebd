use clap::Args;
use coffer_crypto::pair;

use super::output_flags::OutputFlags;
use super::refusal::Explained;
use super::target::{Target, bytes};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::output::{Format, print_secret};

/// Show the public half of a master key, in PEM
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms public-key -key=alias/releases > releases.pem
  In DER:
      coffer kms public-key -key=alias/releases -der -output=releases.der")]
pub(crate) struct PublicKey {
    #[command(flatten)]
    target: Target,
    /// Write DER, the bytes that PEM stands for
    #[arg(long)]
    der: bool,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl PublicKey {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.target.part("public-key");
        let answer = cx.client()?.read(&path, &[]).await;
        let answer = answer.or_failed(format!("reading {path}"))?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        let programs = cx.format != Format::Table && !self.output.is_given();
        let whole = self.field.name().is_some() || programs;
        if whole || answer.wrap_info.is_some() {
            return print_secret(cx, &answer, self.field.name());
        }
        let der = bytes(&answer, "public_key")?;
        if self.der {
            return self.output.print_raw(cx, &answer, "public_key");
        }
        let public = pair::PublicKey::from_spki(&der);
        let public = public.map_err(|_| Failure::local("the server's public key is unreadable"))?;
        self.output.put(cx, public.to_pem().as_bytes()).map(drop)
    }
}
