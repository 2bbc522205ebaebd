use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::{cell, columns, print};

/// Show who has the most leases, the highest number first
///
/// In the namespace in use and in those within it. Needs sudo.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The ten tokens with the most:
      coffer lease owners
  The people and machines behind the tokens:
      coffer lease owners -by=entity -limit=50
  How they are spread over namespaces, for a program:
      coffer lease owners -by=namespace -format=json")]
pub(crate) struct Owners {
    /// Whom to count them by
    #[arg(long, value_name = "KIND", default_value = "token")]
    by: By,
    /// At most so many owners
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    limit: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum By {
    /// The token that asked
    Token,
    /// The entity behind that token
    Entity,
    /// The namespace they are in
    Namespace,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Entity => "entity",
            Self::Namespace => "namespace",
        }
    }
}

impl Owners {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let limit = self.limit.to_string();
        let query = [("by", self.by.word()), ("limit", limit.as_str())];
        let answer = cx.client()?.read("sys/leases/owners", &query).await;
        let answer = answer.or_failed("counting leases")?;
        let owners = answer.and_then(|secret| secret.data?.get("owners").cloned());
        let owners = owners.unwrap_or(Value::Array(Vec::new()));
        let each: Vec<&Value> = owners.as_array().into_iter().flatten().collect();
        print(cx, &owners, || match self.by {
            By::Token => columns(
                ["Leases", "Accessor", "Display Name", "Entity", "Namespace"],
                &rows(
                    &each,
                    ["accessor", "display_name", "entity_id", "namespace"],
                    |[a, b, c, d], count| [count, a, b, c, d],
                ),
            ),
            By::Entity => columns(
                ["Leases", "Entity", "Name", "Namespace"],
                &rows(
                    &each,
                    ["entity_id", "entity_name", "namespace"],
                    |[a, b, c], count| [count, a, b, c],
                ),
            ),
            By::Namespace => columns(
                ["Leases", "Namespace"],
                &rows(&each, ["namespace"], |[a], count| [count, a]),
            ),
        })
    }
}

fn rows<const N: usize, const M: usize>(
    owners: &[&Value],
    fields: [&str; N],
    row: impl Fn([String; N], String) -> [String; M],
) -> Vec<[String; M]> {
    let one = |owner: &&Value| {
        let is_above = owner.get("from_above") == Some(&Value::Bool(true));
        let cells = fields.map(|field| match (owner.get(field), field) {
            (Some(Value::String(path)), "namespace") if path.is_empty() => "root".to_owned(),
            (Some(value), _) => cell(value),
            (None, "accessor" | "entity_id") if is_above => "(of a namespace above)".to_owned(),
            (None, _) => String::new(),
        });
        row(cells, owner.get("leases").map(cell).unwrap_or_default())
    };
    owners.iter().map(one).collect()
}
