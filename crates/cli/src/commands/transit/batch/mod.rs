//! Many items in few requests: from lines or JSON lines, in the same order, each with its own result or error.

mod item;
mod kind;
mod report;

use clap::Args;
use coffer_client::{Client, Method, Request, Response};
use serde_json::{Map, Value};

use super::asking::refused;
use super::body::Body;
use super::source::{Lines, Words};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use item::Item;
pub(super) use kind::Kind;
use report::Report;

/// Servers bound how many texts one request holds (OpenBao: 1,000); each field of an item is two.
const MAX_TEXTS: usize = 900;
/// A request takes no further line once so many bytes are in it, so memory does not grow with the file; with the longest
/// line after them it is still one that servers take.
const MAX_ROUND_BYTES: u64 = 4 * 1024 * 1024;

/// Several items at once.
#[derive(Debug, Args)]
#[command(next_help_heading = "Many at once")]
pub(super) struct BatchFlags {
    /// One item a line, from @FILE or - for standard input; results have the same order, and failed items are empty lines
    #[arg(long, value_name = "SOURCE", conflicts_with_all = ["input", "file"])]
    batch: Option<String>,
    /// The lines are JSON objects, and so are the results; see below
    #[arg(long, requires = "batch")]
    json_lines: bool,
}

/// What is done to all of them.
pub(super) struct Job<'a> {
    pub(super) kind: &'static Kind,
    /// The path of the operation.
    pub(super) path: String,
    /// What is attempted, for error texts.
    pub(super) doing: String,
    /// Fields of the request around them.
    pub(super) common: &'a Body,
    /// Fields of each of them, where it says nothing else.
    pub(super) each: &'a Body,
}

impl BatchFlags {
    /// Where the items come from, if there are several.
    pub(super) fn source(&self, words: &mut Words) -> Result<Option<&str>, Failure> {
        if self.batch.as_deref() == Some("-") {
            words.take_stdin()?;
        }
        Ok(self.batch.as_deref())
    }

    /// Does all of them.
    pub(super) async fn run(&self, cx: &Context, source: &str, job: &Job<'_>) -> Outcome {
        if cx.global.wrap_ttl.is_some() {
            return Err(Failure::local(
                "a batch is answered in pieces, which can not be wrapped; leave out -wrap-ttl",
            ));
        }
        if job.kind.proof.is_some() && !self.json_lines {
            return Err(Failure::local(
                "each item has two parts here, so lines have to be JSON objects; add -json-lines",
            ));
        }
        let mut lines = Lines::open(source, job.kind.takes_bytes)?;
        let client = cx.client()?;
        let mut report = Report::new(cx, job, self.json_lines);
        loop {
            let round = self.round(&mut lines, job);
            let round = round.map_err(|failure| report.interrupted(failure))?;
            if round.is_empty() {
                return report.finish();
            }
            let results = results(&client, job, &round).await;
            let results = results.map_err(|failure| report.interrupted(failure))?;
            for (item, result) in round.iter().zip(results) {
                report.add(item, result)?;
            }
        }
    }

    /// As many items as go into one request.
    fn round(&self, lines: &mut Lines, job: &Job<'_>) -> Result<Vec<Item>, Failure> {
        let (mut round, mut bytes, mut texts) = (Vec::new(), 0, 0);
        while bytes < MAX_ROUND_BYTES && texts < MAX_TEXTS {
            let Some(line) = lines.next()? else {
                break;
            };
            bytes += line.bytes.len() as u64;
            let item = match self.json_lines {
                true if line.bytes.iter().all(u8::is_ascii_whitespace) => continue,
                true => Item::of_json(&line, job),
                false => Item::of_line(&line, job),
            };
            texts += item.texts();
            round.push(item);
        }
        Ok(round)
    }
}

/// The result of each item: the server's, or why it was not sent.
///
/// Servers want a context in all items of a request or in none, so these are two requests.
async fn results(
    client: &Client,
    job: &Job<'_>,
    round: &[Item],
) -> Result<Vec<Map<String, Value>>, Failure> {
    let sent = |with: bool| -> Vec<Value> {
        let items = round.iter().filter_map(|item| item.fields.as_ref().ok());
        let items = items.filter(|fields| fields.contains_key("context") == with);
        items.map(|fields| fields.clone().into()).collect()
    };
    let mut with = ask(client, job, sent(true)).await?.into_iter();
    let mut without = ask(client, job, sent(false)).await?.into_iter();
    let results = round.iter().map(|item| match &item.fields {
        Ok(fields) if fields.contains_key("context") => with.next().unwrap_or_default(),
        Ok(_) => without.next().unwrap_or_default(),
        Err(reason) => Map::from_iter([("error".to_owned(), reason.clone().into())]),
    });
    Ok(results.collect())
}

/// Sends one request. Items that failed make its status one of failure, with all the results nevertheless.
async fn ask(
    client: &Client,
    job: &Job<'_>,
    items: Vec<Value>,
) -> Result<Vec<Map<String, Value>>, Failure> {
    let count = items.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let body = job.common.clone().with("batch_input", Some(items));
    let failed = |error| refused(&job.doing, &error);
    let request = Request::new(Method::Put, &job.path).json(body.fields());
    let response = client.send(request.map_err(failed)?).await;
    let response = response.map_err(failed)?;
    let results = batch_results(&response);
    if let Some(results) = results.filter(|results| results.len() == count) {
        return Ok(results);
    }
    response.ok().map_err(failed)?;
    Err(Failure {
        code: 2,
        text: format!(
            "Error {}: the server did not answer each of the items",
            job.doing
        ),
    })
}

fn batch_results(response: &Response) -> Option<Vec<Map<String, Value>>> {
    let mut body: Value = serde_json::from_slice(response.body()).ok()?;
    let results = body.pointer_mut("/data/batch_results")?.take();
    serde_json::from_value(results).ok()
}
