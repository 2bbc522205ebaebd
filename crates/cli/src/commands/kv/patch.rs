use clap::{Args, ValueEnum};
use coffer_client::{Client, Error, Kv2Options, Secret};
use serde_json::{Map, Value};

use super::mount::{Place, Target};
use super::print_version;
use super::put::cas;
use crate::commands::write::print_written;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;

/// Write a new version that differs from the latest in some values
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Change one value:
      coffer kv patch -mount=secret app password=new
  Remove one:
      coffer kv patch -remove-data=old secret/app
  With a token that may read and write but not patch:
      coffer kv patch -method=rw secret/app password=new")]
pub(crate) struct Patch {
    #[command(flatten)]
    target: Target,
    /// The values: key=value, key=@file, key=-, @file.json, or -
    #[arg(value_name = "KEY=VALUE")]
    data: Vec<String>,
    /// Write only if this is the current version
    #[arg(long, value_name = "VERSION", allow_hyphen_values = true)]
    cas: Option<i64>,
    /// How to do it; without it, patch first and read and write if that is not allowed
    #[arg(long, value_name = "METHOD")]
    method: Option<Way>,
    /// Remove this value, repeatable
    #[arg(long, value_name = "KEY")]
    remove_data: Vec<String>,
    #[command(flatten)]
    field: Field,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    /// One request that the server merges
    Patch,
    /// Read, merge here, write if nobody else wrote meanwhile
    Rw,
}

impl Patch {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let data = self.changes(cx)?;
        let client = cx.client()?;
        let place = self.target.resolve(cx, &client).await?;
        if !place.versioned {
            return Err(Failure {
                code: 2,
                text: format!(
                    "{}/ keeps no versions (key-value version 1), so there is nothing to patch",
                    place.mount
                ),
            });
        }
        let answer = match self.method {
            Some(Way::Patch) => self.patch(&client, &place, &data).await,
            Some(Way::Rw) => return self.read_write(cx, &client, &place, data).await,
            None => match self.patch(&client, &place, &data).await {
                Err(Error::Api {
                    status: 403 | 405, ..
                }) => return self.read_write(cx, &client, &place, data).await,
                answer => answer,
            },
        };
        let path = place.path("data");
        self.printed(
            cx,
            answer.or_failed(format!("writing data to {path}"))?,
            &path,
        )
    }

    /// What to change; `null` stands for a value to remove (RFC 7396).
    fn changes(&self, cx: &Context) -> Result<Map<String, Value>, Failure> {
        if self.data.is_empty() && self.remove_data.is_empty() {
            return Err(Failure::local(
                "there is nothing to change; give key=value, @file.json, - or -remove-data=key",
            ));
        }
        let mut data = input::data(&self.data, &cx.ui)?;
        for key in &self.remove_data {
            data.insert(key.clone(), Value::Null);
        }
        Ok(data)
    }

    async fn patch(
        &self,
        client: &Client,
        place: &Place,
        data: &Map<String, Value>,
    ) -> Result<Option<Secret>, Error> {
        client
            .kv2(&place.mount)
            .patch(&place.name, data, Kv2Options { cas: cas(self.cas) })
            .await
    }

    async fn read_write(
        &self,
        cx: &Context,
        client: &Client,
        place: &Place,
        data: Map<String, Value>,
    ) -> Outcome {
        let path = place.path("data");
        let kv = client.kv2(&place.mount);
        let present = kv
            .get(&place.name, None)
            .await
            .or_failed(format!("reading {path}"))?;
        let present = present.and_then(|secret| secret.data).unwrap_or_default();
        let version = present.pointer("/metadata/version").and_then(Value::as_u64);
        let Some(Value::Object(mut values)) = present.get("data").cloned() else {
            return Err(Failure::nothing_at(&path));
        };
        values.extend(data);
        // Only the top level: nested nulls are the user's own.
        values.retain(|_, value| !value.is_null());
        let options = Kv2Options {
            cas: cas(self.cas).or(version),
        };
        let answer = kv
            .put_with(&place.name, &values, options)
            .await
            .or_failed(format!("writing data to {path}"))?;
        self.printed(cx, answer, &path)
    }

    fn printed(&self, cx: &Context, answer: Option<Secret>, path: &str) -> Outcome {
        match answer {
            Some(secret) => print_version(cx, &secret, path, self.field.name()),
            None => print_written(cx, None, path, None),
        }
    }
}
