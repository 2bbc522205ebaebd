use clap::Args;

use super::show::done;
use crate::commands::transit::asking::write;
use crate::commands::transit::body::Body;
use crate::commands::transit::place::Target;
use crate::commands::transit::source::Words;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Keep certificates of a key beside it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  What an authority made of `coffer transit keys csr release`:
      coffer transit keys set-certificate release @chain.pem
  And read it again:
      coffer transit export -type=certificate-chain release")]
pub(crate) struct SetCertificate {
    #[command(flatten)]
    target: Target,
    /// The certificates in PEM, the key's own first: @FILE or -
    #[arg(value_name = "CHAIN")]
    chain: String,
    /// They belong to this version and not to the latest
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    #[command(flatten)]
    field: Field,
}

impl SetCertificate {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let path = format!("{}/set-certificate", place.key());
        let body = Body::default()
            .with(
                "certificate_chain",
                Some(Words::default().text(&self.chain)?),
            )
            .with("version", self.version);
        let doing = format!("setting certificates of {}", place.key());
        let answer = write(cx, &path, &body, &doing).await?;
        let what = format!("Set certificates of: {}", place.key());
        done(cx, answer, self.field.name(), &what)
    }
}
