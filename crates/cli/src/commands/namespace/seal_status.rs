use clap::Args;
use coffer_client::{Method, Request, Response};
use serde_json::Value;

use super::Target;
use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::output::{cell, key_values, no_field, print, print_field};

/// Show whether a namespace is sealed, and how far unsealing it is
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer namespace seal-status team
  coffer namespace seal-status -field=sealed team")]
pub(crate) struct SealStatus {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl SealStatus {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = format!("{}/seal-status", self.target.at());
        let answer = cx.client()?.send(Request::new(Method::Get, path)).await;
        let status = answer.and_then(status).or_failed("reading seal status")?;
        match self.field.name() {
            None => print_seal(cx, &status),
            Some(name) => match status.get(name) {
                Some(value) => print_field(cx, value),
                None => Err(no_field(name)),
            },
        }
    }
}

/// The state of a seal, which servers answer with an envelope around it or without one.
pub(super) fn status(answer: Response) -> Result<Value, coffer_client::Error> {
    let whole: Value = answer.ok()?.json()?;
    Ok(match whole.get("data") {
        Some(data) if data.is_object() => data.clone(),
        _ => whole,
    })
}

/// Prints the state of a namespace's seal.
pub(super) fn print_seal(cx: &Context, status: &Value) -> Outcome {
    let status = status.get("seal_status").unwrap_or(status);
    let of = |name: &str| status.get(name).map(cell).unwrap_or_default();
    let mut rows = vec![
        row("Seal Type", of("type")),
        row("Initialized", of("initialized")),
        row("Sealed", of("sealed")),
        row("Total Shares", of("n")),
        row("Threshold", of("t")),
    ];
    if status.get("sealed") == Some(&Value::Bool(true)) {
        rows.push(row(
            "Unseal Progress",
            format!("{}/{}", of("progress"), of("t")),
        ));
        rows.push(row("Unseal Nonce", of("nonce")));
    }
    print(cx, status, || key_values(&rows))
}

fn row(name: &str, value: String) -> [String; 2] {
    [name.to_owned(), value]
}
