use clap::Args;
use coffer_client::{Client, Method, Request, Response, Secret};
use serde_json::{Value, json};

use super::{Target, print_namespace};
use crate::commands::operator::pgp;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::Format;
use crate::ui::read_file;

/// Make a namespace
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Below the root, and below that one:
      coffer namespace create team
      coffer namespace create -namespace=team app
  With notes:
      coffer namespace create -custom-metadata=owner=alice team
  With unseal keys of its own, which are shown once:
      coffer namespace create -key-shares=5 -key-threshold=3 team
  With the seal that a file describes:
      coffer namespace create -seal=seal.hcl team")]
pub(crate) struct Create {
    #[command(flatten)]
    target: Target,
    /// A note about it, repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::pair)]
    custom_metadata: Vec<(String, String)>,
    /// Seal it by itself, with so many unseal keys
    #[arg(short = 'n', long, value_name = "COUNT", help_heading = "Seal")]
    key_shares: Option<u32>,
    /// How many of them unseal
    #[arg(short = 't', long, value_name = "COUNT", help_heading = "Seal")]
    key_threshold: Option<u32>,
    /// Files of public PGP keys to encrypt the unseal keys to, one each
    #[arg(
        long,
        value_name = "FILES",
        value_delimiter = ',',
        requires = "key_shares",
        help_heading = "Seal"
    )]
    pgp_keys: Vec<String>,
    /// File with one seal stanza (- for standard input)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_shares", "key_threshold", "pgp_keys"], help_heading = "Seal")]
    seal: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Create {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let notes: serde_json::Map<String, Value> = self
            .custom_metadata
            .iter()
            .map(|(key, value)| (key.clone(), value.clone().into()))
            .collect();
        let mut body = json!({ "custom_metadata": notes });
        let seal = self.seal(cx)?;
        let wants_seal = seal.is_some();
        if let (Some(seal), Some(fields)) = (seal, body.as_object_mut()) {
            fields.insert("seal".to_owned(), seal.into());
        }
        let client = cx.client()?;
        let answer = client.write(&self.target.at(), &body).await;
        let answer = answer.or_failed("creating namespace")?;
        let has_keys = answer.as_ref().is_some_and(has_keys);
        self.show(cx, answer)?;
        match wants_seal && !has_keys {
            true => self.refuse_without_seal(&client).await,
            false => Ok(()),
        }
    }

    fn show(&self, cx: &Context, answer: Option<Secret>) -> Outcome {
        match answer {
            Some(secret) if cx.format == Format::Table && self.field.name().is_none() => {
                print_namespace(cx, Some(without_keys(cx, secret)), None)
            }
            answer => print_namespace(cx, answer, self.field.name()),
        }
    }

    /// A server that knows no seals of namespaces makes one without, and so does each where it was there before.
    async fn refuse_without_seal(&self, client: &Client) -> Outcome {
        let path = format!("{}/seal-status", self.target.at());
        let status = client.send(Request::new(Method::Get, path)).await;
        match status.and_then(Response::ok) {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure {
                code: 2,
                text: format!(
                    "The namespace {}/ is there, but it has no seal of its own: the server did not take it, or the namespace was there before.",
                    self.target.path()
                ),
            }),
        }
    }

    /// The seal stanza that the server wants, if it is to have a seal of its own.
    fn seal(&self, cx: &Context) -> Result<Option<String>, Failure> {
        if let Some(file) = &self.seal {
            let text = match file.as_str() {
                "-" => cx.ui.stdin()?,
                file => read_file(file)?,
            };
            return Ok(Some(text.to_string()));
        }
        if self.key_shares.is_none() && self.key_threshold.is_none() {
            return Ok(None);
        }
        let keys = pgp::keys(&self.pgp_keys)?;
        Ok(Some(stanza(
            self.key_shares.unwrap_or_default(),
            self.key_threshold.unwrap_or_default(),
            &keys,
        )))
    }
}

fn has_keys(secret: &Secret) -> bool {
    let data = secret.data.as_ref();
    data.is_some_and(|data| data.get("key_shares").is_some_and(Value::is_array))
}

fn stanza(shares: u32, threshold: u32, pgp_keys: &[String]) -> String {
    // Base64 needs no escapes.
    let keys: Vec<String> = pgp_keys.iter().map(|key| format!("\"{key}\"")).collect();
    let keys = match keys.as_slice() {
        [] => String::new(),
        keys => format!("  pgp_keys = [{}]\n", keys.join(", ")),
    };
    format!("seal \"shamir\" {{\n  shares = {shares}\n  threshold = {threshold}\n{keys}}}")
}

/// Shows the unseal keys, and answers the namespace without them.
fn without_keys(cx: &Context, mut secret: Secret) -> Secret {
    let Some(data) = secret.data.as_mut().and_then(Value::as_object_mut) else {
        return secret;
    };
    let (Some(Value::Array(keys)), threshold) =
        (data.remove("key_shares"), data.remove("key_threshold"))
    else {
        return secret;
    };
    for (index, key) in keys.iter().enumerate() {
        let key = key.as_str().unwrap_or_default();
        cx.ui.line(&format!("Unseal Key {}: {key}", index + 1));
    }
    cx.ui.line(&format!(
        "\nThe keys are shown this once. Keep each with another person: once the namespace is sealed, {} of {} open it,\n\
         and without them its data is lost.\n\n",
        threshold.unwrap_or_default(),
        keys.len(),
    ));
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stanza_is_one_that_configurations_have() {
        assert_eq!(
            stanza(3, 2, &[]),
            "seal \"shamir\" {\n  shares = 3\n  threshold = 2\n}"
        );
        let keys = ["YQ==".to_owned(), "Yg==".to_owned()];
        assert!(stanza(2, 2, &keys).contains("pgp_keys = [\"YQ==\", \"Yg==\"]"));
        assert!(coffer_hcl::parse(&stanza(2, 2, &keys)).is_ok());
    }
}
