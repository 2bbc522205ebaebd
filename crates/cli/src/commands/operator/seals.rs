//! `operator seals`: who keeps the root key, while the server is open.

use clap::{Args, Subcommand};
use coffer_client::{Client, Secret};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{cell, columns, print};

/// The seals that open the server by itself: list, add, verify, remove, wrap anew
#[derive(Debug, Subcommand)]
pub(crate) enum Seals {
    List(List),
    Add(Add),
    Verify(Verify),
    Remove(Remove),
    Rewrap(Rewrap),
}

/// List the seals: which are configured, have a copy of the root key, and answer
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator seals list")]
pub(crate) struct List {}

/// Give a configured seal a copy of the root key, so that it opens the server, too
///
/// Write its stanza to the configuration first, and send SIGHUP to the server or restart it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator seals add transit")]
pub(crate) struct Add {
    /// The seal's name: what its stanza calls it, else its kind
    name: String,
}

/// See whether a seal would open the server now
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator seals verify transit")]
pub(crate) struct Verify {
    /// The seal's name
    name: String,
}

/// Take a seal's copy of the root key away; another seal must open the server
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator seals remove transit")]
pub(crate) struct Remove {
    /// The seal's name
    name: String,
}

/// Wrap the root key anew by the present keys of all seals, after they were rotated there
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator seals rewrap")]
pub(crate) struct Rewrap {}

impl Seals {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        match self {
            Self::List(_) => list(cx, &client).await,
            Self::Add(Add { name }) => {
                write(&client, &format!("sys/seals/{name}"), "adding the seal").await?;
                cx.ui.line(&format!(
                    "Success! The seal {name} opens the server from now on."
                ));
                Ok(())
            }
            Self::Verify(Verify { name }) => {
                let path = format!("sys/seals/{name}/verify");
                write(&client, &path, "verifying the seal").await?;
                cx.ui
                    .line(&format!("Success! The seal {name} would open the server."));
                Ok(())
            }
            Self::Remove(Remove { name }) => {
                let removed = client.delete(&format!("sys/seals/{name}"), &[]).await;
                let removed = removed.or_failed("removing the seal")?;
                cx.ui.line(&format!(
                    "Success! The seal {name} has no copy of the root key any more; take its stanza out of the configuration."
                ));
                warn(cx, removed.as_ref());
                Ok(())
            }
            Self::Rewrap(_) => {
                write(&client, "sys/sealwrap/rewrap", "wrapping the root key anew").await?;
                cx.ui
                    .line("Success! All seals have a new copy of the root key.");
                Ok(())
            }
        }
    }
}

async fn write(client: &Client, path: &str, doing: &str) -> Result<Option<Secret>, Failure> {
    client
        .write(path, &Value::Object(Map::new()))
        .await
        .or_failed(doing)
}

fn warn(cx: &Context, answer: Option<&Secret>) {
    if let Some(answer) = answer {
        cx.ui.warnings(&answer.warnings);
    }
}

async fn list(cx: &Context, client: &Client) -> Outcome {
    let answer = client.read("sys/seals", &[]).await;
    let answer = answer.or_failed("reading the seals")?;
    let data = answer.as_ref().and_then(|answer| answer.data.as_ref());
    let data = data.cloned().unwrap_or_default();
    print(cx, &data, || table(&data))
}

fn table(data: &Value) -> String {
    let seals = data.get("key_info").and_then(Value::as_object);
    let row = |(name, seal): (&String, &Value)| {
        let of = |field: &str| {
            let there = seal.get(field).filter(|value| !value.is_null());
            there.map_or_else(|| "-".to_owned(), cell)
        };
        let is = |field: &str| seal.get(field) == Some(&Value::Bool(true));
        let configured = match (is("configured"), is("disabled")) {
            (true, false) => "yes",
            (true, true) => "disabled",
            _ => "no",
        };
        let health = match is("healthy") {
            true if seal.get("last_asked").is_none_or(Value::is_null) => "not asked yet".to_owned(),
            true => "answers".to_owned(),
            false => of("last_error"),
        };
        let copy = if is("wrapped") { "yes" } else { "no" };
        [
            name.clone(),
            of("type"),
            configured.to_owned(),
            copy.to_owned(),
            of("key_id"),
            health,
        ]
    };
    let rows: Vec<_> = seals.into_iter().flatten().map(row).collect();
    let mut text = match rows.is_empty() {
        true => "No seals: key shares open the server.".to_owned(),
        false => columns(
            ["Name", "Type", "Configured", "Has Copy", "Key", "Keeper"],
            &rows,
        ),
    };
    if let Some(glass) = data.get("break_glass").filter(|glass| !glass.is_null()) {
        let of = |field: &str| glass.get(field).map(cell).unwrap_or_default();
        text.push_str(&format!(
            "\n\nBreak-glass shares: {}, {} of which open the server without its seals (made {})",
            of("shares"),
            of("threshold"),
            of("created_time")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_are_shown_with_what_is_wrong() {
        let data = serde_json::json!({
            "key_info": {
                "kms": { "type": "awskms", "configured": true, "disabled": false, "wrapped": true, "key_id": "k", "healthy": false, "last_error": "no answer" },
                "old": { "type": "transit", "configured": false, "wrapped": true, "key_id": "t", "healthy": true, "last_asked": null },
                "new": { "type": "static", "configured": true, "disabled": false, "wrapped": false, "key_id": null, "healthy": true, "last_asked": null },
            },
            "break_glass": { "shares": 5, "threshold": 3, "created_time": "2026-01-01T00:00:00Z" },
        });
        let text = table(&data);
        for line in ["no answer", "not asked yet", "Break-glass shares: 5, 3 of"] {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("<nil>"), "{text}");
        assert!(table(&Value::Null).contains("key shares"));
    }
}
