use clap::Args;
use serde_json::{Map, Value};

use super::list::cells;
use super::refusal::Explained;
use super::target::{Target, done, write, write_once};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::output::{columns, print, print_secret};

/// Rotate a master key: at once, or by the calendar
///
/// What is encrypted from then on is by new material; the old decrypts on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Now:
      coffer kms rotate -key=alias/app
  From now on every 90 days, and no more:
      coffer kms rotate -key=alias/app -every=90
      coffer kms rotate -key=alias/app -never")]
pub(crate) struct Rotate {
    #[command(flatten)]
    target: Target,
    /// By the calendar, every so many days: 90 to 2560
    #[arg(long, value_name = "DAYS")]
    every: Option<u32>,
    /// By the calendar no more
    #[arg(long, conflicts_with = "every")]
    never: bool,
}

impl Rotate {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = self.target.name();
        let doing = format!("rotating {name}");
        if self.every.is_none() && !self.never {
            let path = self.target.part("rotate");
            let answer = write_once(cx, &path, &Map::new(), &doing).await?;
            return done(cx, answer, &format!("Success! rotated {name}"));
        }
        let mut body = Map::from_iter([("enabled".to_owned(), self.every.is_some().into())]);
        let days = self.every.map(Value::from);
        body.extend(days.map(|days| ("rotation_period_in_days".to_owned(), days)));
        let answer = write(cx, &self.target.part("rotation"), &body, &doing).await?;
        let said = match self.every {
            Some(days) => format!("Success! {name} is rotated every {days} days"),
            None => format!("Success! {name} is rotated no more"),
        };
        done(cx, answer, &said)
    }
}

/// Show whether and when a master key is rotated by the calendar
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms rotation -key=alias/app
  coffer kms rotation -key=alias/app -field=next_rotation_date")]
pub(crate) struct Rotation {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl Rotation {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.target.part("rotation");
        let answer = cx.client()?.read(&path, &[]).await;
        let answer = answer.or_failed(format!("reading {path}"))?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        print_secret(cx, &answer, self.field.name())
    }
}

/// List the versions of a master key's material
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms rotations -key=alias/app")]
pub(crate) struct Rotations {
    #[command(flatten)]
    target: Target,
}

const FIELDS: [&str; 4] = [
    "key_material_id",
    "key_material_state",
    "rotation_type",
    "rotation_date",
];

impl Rotations {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let path = self.target.part("rotations");
        let query = [
            ("include_key_material", "ALL_KEY_MATERIAL"),
            ("limit", "1000"),
        ];
        let answer = client.read(&path, &query).await;
        let answer = answer.or_failed(format!("reading {path}"))?;
        let data = answer.and_then(|secret| secret.data).unwrap_or_default();
        let all = data.get("rotations").cloned().unwrap_or_default();
        let items = all.as_array().cloned().unwrap_or_default();
        let rows: Vec<[String; 4]> = items.iter().map(|item| cells(item, FIELDS)).collect();
        print(cx, &all, || {
            columns(["Material", "State", "Rotation", "Date"], &rows)
        })
    }
}
