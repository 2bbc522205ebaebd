//! `sys/quotas`: how fast clients may ask, how many leases and tokens there may be.

mod lease_count;
mod rate_limit;
mod token_count;

use coffer_engine::{Ctx, Empty, Event, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Flag, Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::keys;
use crate::open::Open;
use crate::quotas::{Config, Limit, Shown, Wish};

/// Longest name of a quota, in bytes.
const MAX_NAME_BYTES: usize = 512;
/// Longest path of a quota and longest exempt path, in bytes.
const MAX_PATH_BYTES: usize = 4_096;

pub(super) fn routes() -> Routes<Open> {
    Routes::merge([
        Routes::new([path("quotas/config", "What holds for all rate limits.")
            .read::<ReadConfig>()
            .write::<WriteConfig>()]),
        rate_limit::routes(),
        lease_count::routes(),
        token_count::routes(),
    ])
    .root_only()
}

/// Shows what holds for all rate limits.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

impl Handle<Open> for ReadConfig {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let config = open.quotas.config();
        let mut shown = json!({
            "enable_rate_limit_audit_logging": config.audit_refusals,
            "enable_rate_limit_response_headers": config.response_headers,
            "rate_limit_exempt_paths": config.exempt,
        });
        if let Some(shown) = shown
            .as_object_mut()
            .filter(|_| !config.absolutely_exempt.is_empty())
        {
            let paths = json!(config.absolutely_exempt);
            shown.insert("absolute_rate_limit_exempt_paths".into(), paths);
        }
        Reply::data(&shown)
    }
}

/// Sets what holds for all rate limits; what is not given is reset.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// Audit records the requests that a rate limit refuses.
    #[serde(default)]
    enable_rate_limit_audit_logging: Flag,
    /// Answers tell what is left to the client.
    #[serde(default)]
    enable_rate_limit_response_headers: Flag,
    /// Beginnings of paths, below their namespaces or from the root, that no rate limit holds for.
    #[serde(default)]
    rate_limit_exempt_paths: CommaList,
    /// Beginnings of paths from the root that no rate limit holds for.
    #[serde(default)]
    absolute_rate_limit_exempt_paths: CommaList,
}

impl Handle<Open> for WriteConfig {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        let config = Config {
            audit_refusals: self.enable_rate_limit_audit_logging.0,
            response_headers: self.enable_rate_limit_response_headers.0,
            exempt: self.rate_limit_exempt_paths.0,
            absolutely_exempt: self.absolute_rate_limit_exempt_paths.0,
        };
        let lists = config.exempt.iter().chain(&config.absolutely_exempt);
        lists.into_iter().try_for_each(|path| short_enough(path))?;
        open.quotas.configure(config).await?;
        Ok(Empty)
    }
}

/// Tells that a quota is another one now.
fn told(open: &Open, kind: &'static str, sort: &str, name: &str) {
    let event = Event::new(kind, format!("sys/quotas/{sort}/{name}"));
    open.tell(event.with("name", name).with("type", sort));
}

fn positive(number: Int, field: &str) -> Result<u64, Fault> {
    let number = u64::try_from(number.0).ok().filter(|number| *number > 0);
    number
        .ok_or_else(|| Fault::Invalid(format!("'{field}' is invalid: give a whole number above 0")))
}

fn wish(
    name: String,
    path: Text,
    role: Text,
    inheritable: Option<Flag>,
    limit: Limit,
) -> Result<Wish, Fault> {
    if name.len() > MAX_NAME_BYTES {
        return Err(Fault::Invalid(format!(
            "the name has {} bytes, at most {MAX_NAME_BYTES} are allowed",
            name.len()
        )));
    }
    let ends_well = |end: Option<char>| end.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let (first, last) = (name.chars().next(), name.chars().next_back());
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !(ends_well(first) && ends_well(last) && name.chars().all(inner)) {
        return Err(Fault::UnsupportedPath); // As the reference answers to what can be no name.
    }
    short_enough(&path.0)?;
    short_enough(&role.0)?;
    Ok(Wish {
        name,
        path: path.0,
        role: role.0,
        inheritable: inheritable.map(|flag| flag.0),
        limit,
    })
}

fn short_enough(path: &str) -> Result<(), Fault> {
    match path.len() {
        size if size > MAX_PATH_BYTES => Err(Fault::Invalid(format!(
            "a path of {size} bytes; at most {MAX_PATH_BYTES} are allowed"
        ))),
        _ => Ok(()),
    }
}

/// What all kinds of quotas are shown with.
fn shown(found: &Shown, more: Value) -> Result<Reply, Fault> {
    let quota = &found.quota;
    let mut shown = Map::from_iter([
        ("type".to_owned(), quota.kind().word().into()),
        ("name".to_owned(), quota.name.clone().into()),
        ("path".to_owned(), found.path.clone().into()),
        ("role".to_owned(), found.role.clone().into()),
        ("inheritable".to_owned(), quota.inheritable.into()),
    ]);
    if let Value::Object(more) = more {
        shown.extend(more);
    }
    Reply::data(&shown)
}
