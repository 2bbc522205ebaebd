use clap::Args;
use coffer_client::Token;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::input;
use crate::output::{cell, columns, key_values, print};

/// Say whether somebody may do something, and which rule of which policy decides that
///
/// About one's own token everybody may ask whom policy lets come here, about others who has sudo. The exit code tells
/// a script: 0 allowed, 2 refused.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  The token in use:
      coffer policy explain secret/data/app read
  Another one (- for standard input), or one whose accessor is known:
      coffer policy explain hvs.CAES... secret/data/app update
      coffer policy explain -accessor=2bXYZ... secret/data/app update
  What somebody may do by their own policies and those of their groups:
      coffer policy explain -entity=7d2e3179-... secret/data/app delete
  With the parameters that the request would have:
      coffer policy explain -data=ttl=5h database/creds/app read")]
pub(crate) struct Explain {
    /// The path; before it the token (- for standard input), unless it is the one in use
    #[arg(value_name = "[TOKEN] PATH")]
    first: String,
    /// read, list, scan, write, create, update, patch or delete
    #[arg(value_name = "VERB")]
    second: String,
    #[arg(hide = true)]
    third: Option<String>,
    /// The accessor of the token
    #[arg(long, value_name = "ACCESSOR", conflicts_with = "entity")]
    accessor: Option<String>,
    /// The id of an entity in place of a token
    #[arg(long, value_name = "ID")]
    entity: Option<String>,
    /// A parameter of the request, repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    data: Vec<String>,
}

impl Explain {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let question = self.question(cx)?;
        let answer = cx.client()?.write("sys/policies/explain", &question).await;
        let answer = answer.or_failed("asking for the reason")?;
        let told = answer.and_then(|secret| secret.data).unwrap_or_default();
        print(cx, &told, || table(&told))?;
        match told.get("allowed") {
            Some(Value::Bool(true)) => Ok(()),
            _ => Err(Failure::silent(2)),
        }
    }

    fn question(&self, cx: &Context) -> Result<Map<String, Value>, Failure> {
        let (token, path, verb) = match &self.third {
            None => (None, &self.first, &self.second),
            Some(verb) => (Some(&self.first), &self.second, verb),
        };
        if token.is_some() && (self.accessor.is_some() || self.entity.is_some()) {
            return Err(Failure::local("give one of a token, -accessor and -entity"));
        }
        let mut question = Map::new();
        let token = match token.map(String::as_str) {
            Some("-") => Some(Token::new(cx.ui.stdin()?.to_string())),
            given => given.map(Token::from),
        };
        if let Some(token) = token {
            question.insert("token".to_owned(), token.expose().into());
        }
        for (name, value) in [("accessor", &self.accessor), ("entity", &self.entity)] {
            if let Some(value) = value {
                question.insert(name.to_owned(), value.clone().into());
            }
        }
        let path = path.trim_start_matches('/');
        let path = path.strip_prefix("v1/").unwrap_or(path);
        question.insert("path".to_owned(), path.into());
        question.insert("verb".to_owned(), verb.clone().into());
        let data = input::data(&self.data, &cx.ui)?;
        if !data.is_empty() {
            question.insert("data".to_owned(), data.into());
        }
        if let Some(ttl) = &cx.global.wrap_ttl {
            question.insert("wrap_ttl".to_owned(), ttl.clone().into());
        }
        Ok(question)
    }
}

fn table(told: &Value) -> String {
    let of = |name: &str| told.get(name).map(cell).unwrap_or_default();
    let mut rows = vec![
        row("allowed", of("allowed")),
        row("reason", of("reason")),
        row("path", of("path")),
        row("namespace", named_namespace(&of("namespace"))),
        row("operation", of("operation")),
    ];
    for name in ["needed", "asked_about"] {
        if told
            .get(name)
            .is_some_and(|value| Some(value) != told.get("path"))
        {
            rows.push(row(name, of(name)));
        }
    }
    if let Some(subject) = told.get("subject").and_then(Value::as_object) {
        for name in ["display_name", "accessor", "entity_id", "policies"] {
            let value = subject.get(name).map(cell).unwrap_or_default();
            if !value.is_empty() {
                rows.push(row(name, value));
            }
        }
    }
    let mut text = key_values(&rows);
    let rules = rules(told);
    if !rules.is_empty() {
        text.push_str("\n\n");
        text.push_str(&columns(
            ["Rule", "Capabilities", "Policy", "Decides"],
            &rules,
        ));
    }
    for note in told
        .get("notes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        text.push_str("\n\nNote: ");
        text.push_str(&cell(note));
    }
    text
}

fn named_namespace(path: &str) -> String {
    match path {
        "" => "root".to_owned(),
        path => path.to_owned(),
    }
}

/// The rule that decides, then the others that match.
fn rules(told: &Value) -> Vec<[String; 4]> {
    let decides = told.get("decided_by").filter(|rule| rule.is_object());
    let others = told.get("other_rules").and_then(Value::as_array);
    let decides = decides.map(|rule| rule_row(rule, "yes".to_owned()));
    let others = others.into_iter().flatten().map(|rule| {
        let why = rule.get("does_not_decide_because").map(cell);
        rule_row(rule, format!("no: {}", why.unwrap_or_default()))
    });
    decides.into_iter().chain(others).collect()
}

fn rule_row(rule: &Value, decides: String) -> [String; 4] {
    let sources = rule.get("policies").and_then(Value::as_array);
    let sources: Vec<String> = sources
        .into_iter()
        .flatten()
        .map(|source| {
            let of = |name: &str| source.get(name).map(cell).unwrap_or_default();
            format!("{}:{}", of("name"), of("line"))
        })
        .collect();
    [
        rule.get("path").map(cell).unwrap_or_default(),
        rule.get("capabilities").map(cell).unwrap_or_default(),
        sources.join(" "),
        decides,
    ]
}

fn row(name: &str, value: String) -> [String; 2] {
    [name.to_owned(), value]
}
