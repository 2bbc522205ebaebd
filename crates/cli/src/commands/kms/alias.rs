use clap::{Args, Subcommand};
use serde_json::Map;

use super::create::alias_path;
use super::list::{cells, items};
use super::refusal::Explained;
use super::target::{Mount, done, segment, write};
use crate::context::Context;
use crate::failure::Outcome;
use crate::output::{columns, print};

/// Names that stand for master keys
#[derive(Debug, Subcommand)]
pub(crate) enum Alias {
    Create(Create),
    Update(Update),
    Delete(Delete),
    List(List),
}

/// Give a master key a name
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms alias create -key=1234abcd-12ab-34cd-56ef-1234567890ab alias/app")]
pub(crate) struct Create {
    #[command(flatten)]
    said: Said,
}

/// Let a name stand for another master key of the same kind
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms alias update -key=1234abcd-12ab-34cd-56ef-1234567890ab alias/app")]
pub(crate) struct Update {
    #[command(flatten)]
    said: Said,
}

#[derive(Debug, Args)]
struct Said {
    /// The name, like alias/app
    #[arg(value_name = "ALIAS")]
    alias: String,
    /// The id of the key that it shall stand for
    #[arg(long, value_name = "ID")]
    key: String,
    #[command(flatten)]
    mount: Mount,
}

/// Delete a name; the master key stays
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms alias delete alias/app")]
pub(crate) struct Delete {
    /// The name, like alias/app
    #[arg(value_name = "ALIAS")]
    alias: String,
    #[command(flatten)]
    mount: Mount,
}

/// List the names
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms alias list
  coffer kms alias list -key=1234abcd-12ab-34cd-56ef-1234567890ab")]
pub(crate) struct List {
    /// Those of this key only
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    mount: Mount,
}

impl Alias {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Create(create) => create.said.put(cx, "create_only").await,
            Self::Update(update) => update.said.put(cx, "update_only").await,
            Self::Delete(delete) => delete.run(cx).await,
            Self::List(list) => list.run(cx).await,
        }
    }
}

impl Said {
    async fn put(&self, cx: &Context, only: &str) -> Outcome {
        let body = Map::from_iter([
            ("target_key_id".to_owned(), self.key.as_str().into()),
            (only.to_owned(), true.into()),
        ]);
        let path = self.mount.path(&alias_path(&self.alias)?);
        let answer = write(cx, &path, &body, &format!("writing {}", self.alias)).await?;
        let said = format!("Success! {} stands for {}", self.alias, self.key);
        done(cx, answer, &said)
    }
}

impl Delete {
    async fn run(&self, cx: &Context) -> Outcome {
        let path = self.mount.path(&alias_path(&self.alias)?);
        let answer = cx.client()?.delete(&path, &[]).await;
        let answer = answer.or_failed(format!("deleting {}", self.alias))?;
        done(cx, answer, &format!("Success! deleted {}", self.alias))
    }
}

impl List {
    async fn run(&self, cx: &Context) -> Outcome {
        let key = self.key.as_deref().map(segment);
        let query: Vec<(&str, &str)> = key.iter().map(|key| ("key_id", key.as_str())).collect();
        let client = cx.client()?;
        let all = items(&client, &self.mount.path("aliases"), &query, "aliases").await?;
        let rows: Vec<[String; 2]> = all
            .iter()
            .map(|item| cells(item, ["alias_name", "target_key_id"]))
            .collect();
        print(cx, &all, || columns(["Alias", "Key"], &rows))
    }
}
