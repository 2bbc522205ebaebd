use clap::Args;
use coffer_client::{Method, Request};

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::{Format, print_secret};

/// Read whatever is at a path: a secret, a fresh credential, a configuration
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A short-lived database login:
      coffer read database/creds/app-role
  One field, for a script:
      coffer read -field=password database/creds/app-role
  With parameters of the query:
      coffer read secret/data/app version=2")]
pub(crate) struct Read {
    /// What to read
    #[arg(value_name = "PATH")]
    path: String,
    /// Parameters of the query
    #[arg(value_name = "KEY=VALUE")]
    parameters: Vec<String>,
    #[command(flatten)]
    field: Field,
}

impl Read {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let mut request = Request::new(Method::Get, &self.path).wrappable();
        for (name, value) in input::data(&self.parameters, &cx.ui)? {
            let values = value.as_array().cloned().unwrap_or_else(|| vec![value]);
            for value in values {
                request = request.query(&name, crate::output::cell(&value));
            }
        }
        let doing = format!("reading {}", self.path);
        let response = cx.client()?.send(request).await.or_failed(&doing)?;
        if cx.format == Format::Raw && self.field.name().is_none() {
            let response = response.ok().or_failed(&doing)?;
            cx.ui.line(&String::from_utf8_lossy(response.body()));
            return Ok(());
        }
        let secret = response
            .secret()
            .or_failed(&doing)?
            .ok_or_else(|| Failure::nothing_at(&self.path))?;
        print_secret(cx, &secret, self.field.name())
    }
}
