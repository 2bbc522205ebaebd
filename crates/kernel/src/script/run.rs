//! Running a script, request by request.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;

use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Fault, Nesting};
use coffer_wire::{ApiPath, PathFault, Wiped};
use serde_json::{Map, Value};

use super::budget::{Budget, nested};
use super::convert::{Kind, text};
use super::expression::{Dialect, Expression, Reference, Source};
use super::history::History;
use super::input::accept;
use super::parse::Script;
use super::step::{Block, Operation, Step};
use super::template::{Part, Template};
use crate::core::Core;
use crate::pipeline;
use crate::request::{Request, Response};
use crate::sys;

/// Largest file that a script reads, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// On whose behalf a script runs.
pub(crate) struct Errand<'a> {
    /// The server.
    pub core: &'a Arc<Core>,
    /// Which kind of script it is.
    pub dialect: Dialect,
    /// The id of the request that runs it; its requests' ids begin so.
    pub id: String,
    /// The path of the namespace it runs in.
    pub namespace: String,
    /// Whose rights its requests have, where they name no other token.
    pub token: Option<Arc<Secret<String>>>,
    /// Where who runs it is.
    pub client: Option<SocketAddr>,
    /// The runs that this one is part of.
    pub nesting: Nesting,
}

/// How a run ended.
pub(crate) struct Ended {
    /// What was asked and answered.
    pub history: History,
    /// The output, none if there is none; or why it broke off.
    pub outcome: Result<Option<Value>, Fault>,
}

/// Runs all requests in their order. The first that fails, and may not, ends it.
pub(crate) async fn run(script: &Script, given: &Map<String, Value>, errand: &Errand<'_>) -> Ended {
    let mut running = Running {
        errand,
        input: Wiped::default(),
        history: History::default(),
        budget: Budget::default(),
    };
    let outcome = running.all(script, given).await;
    Ended {
        history: running.history,
        outcome,
    }
}

struct Running<'a> {
    errand: &'a Errand<'a>,
    input: Wiped<Map<String, Value>>,
    history: History,
    budget: Budget,
}

impl Running<'_> {
    async fn all(
        &mut self,
        script: &Script,
        given: &Map<String, Value>,
    ) -> Result<Option<Value>, Fault> {
        self.input = Wiped(accept(&script.fields, given)?);
        for block in &script.blocks {
            for step in &block.steps {
                let done = self.one(block, step).await;
                done.map_err(|fault| told(fault, self.errand.dialect, block, step))?;
            }
        }
        let Some(output) = &script.output else {
            return Ok(None);
        };
        let output = self.value(output, 0).await;
        match output.map_err(|text| Fault::invalid(format!("in the output: {text}")))? {
            Value::Object(fields) => Ok(Some(Value::Object(fields))),
            _ => Err(Fault::invalid("in the output: `data` is no map")),
        }
    }

    async fn one(&mut self, block: &Block, step: &Step) -> Result<(), Fault> {
        if !self.flag(step.when.as_ref(), true).await? {
            return Ok(());
        }
        let request = self.request(block, step).await?;
        self.history.asked(block, step, &request);
        self.errand.nesting.spend()?;
        let answer = Box::pin(pipeline::inner(self.errand.core, request)).await;
        if self.errand.dialect == Dialect::Initialize {
            sys::finish_moves(self.errand.core).await; // Nobody else does, before the server is open.
        }
        match answer {
            Ok(response) => self.answered(block, step, Some(&response)),
            Err(Fault::NotFound) => self.answered(block, step, None),
            Err(Fault::Gone(reply)) => {
                let told = Response {
                    body: reply.body,
                    warnings: reply.warnings,
                    ..Response::default()
                };
                self.answered(block, step, Some(&told))
            }
            Err(fault) if self.flag(step.allow_failure.as_ref(), false).await? => {
                let class = class(&fault);
                tracing::warn!(block = block.name, request = step.name, place = %step.place, class, "a request failed, and may");
                self.answered(block, step, None)
            }
            Err(fault) if self.errand.dialect == Dialect::Initialize => Err(hidden(&fault)),
            Err(fault) => Err(fault),
        }
    }

    fn answered(
        &mut self,
        block: &Block,
        step: &Step,
        response: Option<&Response>,
    ) -> Result<(), Fault> {
        self.history
            .answered(&mut self.budget, block, step, response)
    }

    async fn request(&mut self, block: &Block, step: &Step) -> Result<Request, Fault> {
        let path = self.text(&step.path, "path").await?;
        let path = ApiPath::parse(path.trim_start_matches('/')).map_err(|fault| match fault {
            PathFault::Redirect(_) => Fault::invalid("relative paths not supported"),
            PathFault::Refused(text) => Fault::invalid(text),
        })?;
        let token = match &step.token {
            Some(token) => Some(self.text(token, "token").await?).filter(|token| !token.is_empty()),
            None => None,
        };
        let token = match (&step.token, token) {
            (None, _) => self.errand.token.clone(),
            (Some(_), token) => token.map(|token| Arc::new(Secret::new(token))),
        };
        let id = format!("{}.{}.{}", self.errand.id, block.name, step.name);
        Ok(Request {
            help: step.operation == Operation::Help,
            namespace: self.namespace(step).await?,
            token,
            body: Wiped(self.fields(step.data.as_ref(), "data").await?),
            headers: self.headers(step).await?,
            client: self.errand.client,
            nesting: self.errand.nesting.deeper()?,
            ..Request::internal(id, step.operation.verb(), path)
        })
    }

    /// Below the namespace at hand, never above it.
    async fn namespace(&mut self, step: &Step) -> Result<String, Fault> {
        let here = self.errand.namespace.as_str();
        match &step.namespace {
            None => Ok(here.to_owned()),
            Some(below) => {
                let below = self.text(below, "namespace").await?;
                Ok(format!("{here}{}", below.trim_matches('/')))
            }
        }
    }

    async fn headers(&mut self, step: &Step) -> Result<BTreeMap<String, Vec<String>>, Fault> {
        let fields = self.fields(step.headers.as_ref(), "headers").await?;
        let one = |(name, value): (String, Value)| match Kind::Texts.of(value) {
            Some(Value::Array(values)) => {
                let values = values.iter().filter_map(text).collect();
                Ok((name.to_lowercase(), values))
            }
            _ => Err(Fault::invalid("`headers` must be texts")),
        };
        fields.into_iter().map(one).collect()
    }

    async fn fields(
        &mut self,
        value: Option<&Expression>,
        key: &str,
    ) -> Result<Map<String, Value>, Fault> {
        let Some(value) = value else {
            return Ok(Map::new());
        };
        match self.of(value, key).await? {
            Value::Object(fields) => Ok(fields),
            Value::Null => Ok(Map::new()),
            _ => Err(Fault::invalid(format!("`{key}` is no map"))),
        }
    }

    async fn flag(&mut self, value: Option<&Expression>, otherwise: bool) -> Result<bool, Fault> {
        let Some(value) = value else {
            return Ok(otherwise);
        };
        let value = self.of(value, "a condition").await?;
        match Kind::Flag.of(value) {
            Some(Value::Bool(flag)) => Ok(flag),
            _ => Err(Fault::invalid("a condition is neither true nor false")),
        }
    }

    async fn text(&mut self, value: &Expression, key: &str) -> Result<String, Fault> {
        let value = self.of(value, key).await?;
        text(&value).ok_or_else(|| Fault::invalid(format!("`{key}` is no text")))
    }

    async fn of(&mut self, value: &Expression, key: &str) -> Result<Value, Fault> {
        let value = self.value(value, 0).await;
        value.map_err(|text| Fault::invalid(format!("`{key}`: {text}")))
    }

    /// The value, below `depth` others, or what is wrong with it: in words without any value. It is paid for before it
    /// is made.
    async fn value(&mut self, expression: &Expression, depth: usize) -> Result<Value, String> {
        Ok(match expression {
            Expression::Literal(value) => self.copied(value, depth)?,
            Expression::List(values) => {
                nested(depth)?;
                self.budget.node(false)?;
                let mut list = Vec::with_capacity(values.len());
                for value in values {
                    list.push(Box::pin(self.value(value, depth + 1)).await?);
                }
                Value::Array(list)
            }
            Expression::Map(fields) => {
                nested(depth)?;
                self.budget.node(true)?;
                let mut map = Map::new();
                for (name, value) in fields {
                    self.budget.text(name.len())?;
                    map.insert(name.clone(), Box::pin(self.value(value, depth + 1)).await?);
                }
                Value::Object(map)
            }
            Expression::Taken(source, kind, at) => {
                let value = self.taken(source, depth).await;
                let value = value.map_err(|text| format!("line {}: {text}", at.line))?;
                let wrong = || format!("line {}: what was found is not {}", at.line, kind.shown());
                kind.of(value).ok_or_else(wrong)?
            }
        })
    }

    async fn taken(&mut self, source: &Source, depth: usize) -> Result<Value, String> {
        let value = match source {
            Source::Variable { name, required } => variable(name, *required)?,
            Source::File { path } => file(path.clone()).await?,
            Source::Template(template) => return self.rendered(template).map(Value::String),
            Source::Input { field } => {
                let given = self.input.get(field).unwrap_or(&Value::Null);
                self.budget.copy(given, depth)?;
                return Ok(given.clone());
            }
            Source::Request(reference) => {
                let found = found(&self.history.requests, reference)?;
                self.budget.copy(found, depth)?;
                return Ok(found.clone());
            }
            Source::Response(reference) => {
                let found = found(&self.history.responses, reference)?;
                self.budget.copy(found, depth)?;
                return Ok(found.clone());
            }
        };
        self.budget.copy(&value, depth)?;
        Ok(value)
    }

    fn copied(&mut self, value: &Value, depth: usize) -> Result<Value, String> {
        self.budget.copy(value, depth)?;
        Ok(value.clone())
    }

    fn rendered(&mut self, template: &Template) -> Result<String, String> {
        let mut whole = String::new();
        for part in &template.0 {
            match part {
                Part::Text(text) => {
                    self.budget.text(text.len())?;
                    whole.push_str(text);
                }
                Part::Value(names) => {
                    let (root, names) = names.split_first().ok_or("an empty name")?;
                    let all = match root.as_str() {
                        "input" => &self.input,
                        "requests" => &self.history.requests,
                        _ => &self.history.responses,
                    };
                    let value = select(all, names)?;
                    self.budget.copy(value, 0)?;
                    let text = text(value).ok_or_else(|| {
                        format!("what is at {root}.{} is no text", names.join("."))
                    })?;
                    whole.push_str(&text);
                }
            }
        }
        Ok(whole)
    }
}

fn found<'a>(all: &'a Map<String, Value>, reference: &Reference) -> Result<&'a Value, String> {
    let Reference {
        block,
        step,
        selector,
    } = reference;
    let names = [block, step].into_iter().chain(selector).cloned();
    select(all, &names.collect::<Vec<_>>())
}

fn select<'a>(all: &'a Map<String, Value>, names: &[String]) -> Result<&'a Value, String> {
    let (first, rest) = names.split_first().ok_or("an empty name")?;
    let missing = |name: &str| format!("there is no {name:?} in what is referred to");
    let mut value = all.get(first).ok_or_else(|| missing(first))?;
    for name in rest {
        value = match value {
            Value::Object(fields) => fields.get(name),
            Value::Array(values) => name.parse::<usize>().ok().and_then(|at| values.get(at)),
            _ => None,
        }
        .ok_or_else(|| missing(name))?;
    }
    Ok(value)
}

fn variable(name: &str, required: bool) -> Result<Value, String> {
    match std::env::var(name) {
        Ok(value) => Ok(value.into()),
        Err(std::env::VarError::NotPresent) if !required => Ok(Value::Null),
        Err(std::env::VarError::NotPresent) => Err(format!("the variable {name} is not set")),
        Err(std::env::VarError::NotUnicode(_)) => Err(format!("the variable {name} is not UTF-8")),
    }
}

async fn file(path: String) -> Result<Value, String> {
    let shown = path.clone();
    let read = move || {
        let mut text = Zeroizing::new(String::new());
        let file = std::fs::File::open(path)?;
        let read = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
        Ok::<_, std::io::Error>((text, read))
    };
    let read = tokio::task::spawn_blocking(read).await;
    match read.map_err(|error| error.to_string())? {
        Ok((_, bytes)) if bytes as u64 > MAX_FILE_BYTES => Err(format!(
            "the file {shown} has more than {MAX_FILE_BYTES} bytes"
        )),
        Ok((text, _)) => Ok(text.as_str().into()),
        Err(error) => Err(format!("the file {shown} can not be read: {error}")),
    }
}

/// What may be said of a fault to the log, and to the stranger who initialises: its words can quote a value that came
/// from the environment or a file.
fn hidden(fault: &Fault) -> Fault {
    Fault::Invalid(format!(
        "{}; its words may quote a value and are not shown: look at the path, the data and the rights of this request, at whether an earlier one made what it needs, and at what it needs outside",
        class(fault)
    ))
}

fn class(fault: &Fault) -> &'static str {
    match fault {
        Fault::Invalid(_) => "an invalid request (400)",
        Fault::Denied | Fault::Forbidden(_) => "permission denied (403)",
        Fault::NotFound | Fault::Gone(_) | Fault::Missing(_) | Fault::UnsupportedPath => {
            "nothing is there (404)"
        }
        Fault::Expired(_) => "something that is gone for good (410)",
        Fault::UnsupportedVerb => "an unsupported operation (405)",
        Fault::Conflict(_) => "a conflict with another request (409)",
        Fault::TooLarge(_) => "too large (413)",
        Fault::TooMany(_) => "too many requests (429)",
        Fault::Upstream(_) => "an outside system refused or failed (502)",
        Fault::Unavailable(_) | Fault::Sealed => "not available now (503)",
        _ => "an internal error (500)",
    }
}

/// The fault with the name and the place of the request. Whose fault it was stays the same.
fn told(fault: Fault, dialect: Dialect, block: &Block, step: &Step) -> Fault {
    let text = format!(
        "{} {:?}, request {:?} ({}): {fault}",
        dialect.word(),
        block.name,
        step.name,
        step.place
    );
    match fault {
        Fault::Denied | Fault::Forbidden(_) => Fault::Forbidden(text),
        Fault::UnsupportedPath | Fault::Missing(_) => Fault::Missing(text),
        Fault::Invalid(_) | Fault::UnsupportedVerb | Fault::NotFound | Fault::Gone(_) => {
            Fault::Invalid(text)
        }
        Fault::Conflict(_) => Fault::Conflict(text),
        Fault::TooLarge(_) => Fault::TooLarge(text),
        Fault::TooMany(_) => Fault::TooMany(text),
        Fault::Unavailable(_) => Fault::Unavailable(text),
        Fault::Upstream(_) => Fault::Upstream(text),
        other => other,
    }
}
