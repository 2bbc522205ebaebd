use clap::Args;

use crate::commands::transit::asking::ask;
use crate::commands::transit::body::Body;
use crate::commands::transit::place::Target;
use crate::commands::transit::printing::print_value;
use crate::commands::transit::source::Words;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;

/// Make a certificate signing request that a key signs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  With the names of another request:
      coffer transit keys csr release @template.csr > release.csr
  Without any:
      coffer transit keys csr release")]
pub(crate) struct Csr {
    #[command(flatten)]
    target: Target,
    /// A request in PEM that has the names and extensions: @FILE or -
    #[arg(value_name = "TEMPLATE")]
    template: Option<String>,
    /// Sign with this version and not the latest
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,
    #[command(flatten)]
    field: Field,
}

impl Csr {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let path = format!("{}/csr", place.key());
        let template = self.template.map(|word| Words::default().text(&word));
        let body = Body::default()
            .with("csr", template.transpose()?)
            .with("version", self.version);
        let doing = format!("making a request with {}", place.key());
        let answer = ask(cx, &path, &body, &doing).await?;
        print_value(cx, &answer, "csr", self.field.name())
    }
}
