//! From text, HCL or JSON, to rules.

use std::sync::Arc;
use std::time::Duration;

use coffer_hcl::{Block, Body, Error as Syntax, Item, Position, Value};
use coffer_wire::{Timestamp, Ttl};
use serde_json::Value as Json;

use super::template::check_braces;
use super::{Capabilities, Grant, Parameters, Pattern, Rule, control};
use crate::events::Pattern as EventPattern;

/// Most paths in one policy.
pub const MAX_PATHS_PER_POLICY: usize = 16_384;

/// Longest path in a policy, in bytes.
pub const MAX_PATH_BYTES: usize = 4_096;

/// What may stand in a policy.
const TOP_KEYS: [&str; 2] = ["name", "path"];

/// Which events `subscribe` is about.
const EVENT_TYPES: &str = "subscribe_event_types";

/// What may stand in a path.
const PATH_KEYS: [&str; 12] = [
    "comment",
    "policy",
    "capabilities",
    "allowed_parameters",
    "denied_parameters",
    "required_parameters",
    "min_wrapping_ttl",
    "max_wrapping_ttl",
    "pagination_limit",
    "subscribe_event_types",
    "control_group",
    "expiration",
];

/// What the reference knows besides. Each of them protects something; to accept it without doing so would leave a
/// secret less protected than its policy says.
const REFUSED_KEYS: [&str; 2] = ["mfa_methods", "list_scan_response_keys_filter_path"];

/// Reads a policy's rules in the order they were written.
pub(crate) fn parse(text: &str) -> Result<Vec<Rule>, Syntax> {
    let mut body = coffer_hcl::parse(text)?;
    known_keys(&body, &TOP_KEYS, "a policy")?;
    // A name in the text has no effect: a policy is called what it is stored as.
    body.take_str("name")?;
    let blocks = body.take_blocks("path", 1)?;
    if let Some(block) = blocks.get(MAX_PATHS_PER_POLICY) {
        return Err(Syntax::new(
            block.position,
            "one path too many",
            format!("at most {MAX_PATHS_PER_POLICY} paths"),
            "split the policy into several, or use * and +",
        ));
    }
    blocks.into_iter().map(rule).collect()
}

fn rule(block: Block) -> Result<Rule, Syntax> {
    let at = block.position;
    let path = block.labels.first().map(AsRef::as_ref).unwrap_or_default();
    let pattern = pattern(path, at)?;
    let mut body = block.body;
    known_keys(&body, &PATH_KEYS, &format!("path {path:?}"))?;
    body.take_str("comment")?;
    let capabilities = capabilities(&mut body)?;
    let grant = Grant {
        event_types: event_types(&mut body, capabilities)?,
        capabilities,
        allowed: parameters(&mut body, "allowed_parameters")?,
        denied: parameters(&mut body, "denied_parameters")?,
        required: strings(&mut body, "required_parameters")?
            .into_iter()
            .map(|(name, _)| name.to_lowercase())
            .collect(),
        min_wrap: duration(&mut body, "min_wrapping_ttl")?,
        max_wrap: duration(&mut body, "max_wrapping_ttl")?,
        page_limit: body
            .take_i64("pagination_limit")?
            .filter(|limit| *limit > 0),
        control: control::read(&mut body)?.map(Arc::new),
    };
    if let (Some(min), Some(max)) = (grant.min_wrap, grant.max_wrap)
        && max < min
    {
        return Err(Syntax::new(
            at,
            format!("max_wrapping_ttl is less than min_wrapping_ttl in path {path:?}"),
            "a minimum that is not above the maximum",
            "exchange them or remove one",
        ));
    }
    Ok(Rule {
        pattern,
        grant,
        expires: expiration(&mut body)?,
        line: at.line,
        template: None,
    })
}

fn pattern(path: &str, at: Position) -> Result<Pattern, Syntax> {
    if path.len() > MAX_PATH_BYTES {
        return Err(Syntax::new(
            at,
            format!("a path of {} bytes", path.len()),
            format!("at most {MAX_PATH_BYTES} bytes"),
            "shorten it with * or +",
        ));
    }
    check_braces(path, at)?;
    if path.contains("+*") {
        return Err(Syntax::new(
            at,
            format!("`+*` in path {path:?}"),
            "`+` as a whole segment and `*` at the end",
            "write `+/*`, or `*` alone",
        ));
    }
    Ok(Pattern::read(path))
}

/// `capabilities` together with the old word `policy`.
fn capabilities(body: &mut Body) -> Result<Capabilities, Syntax> {
    let mut all = Capabilities::NONE;
    for (name, at) in strings(body, "capabilities")? {
        all = all.merged(capability(&name, at)?);
    }
    let at = body
        .items
        .iter()
        .find(|item| item.key == "policy")
        .map_or(Position::START, |item| item.position);
    let read = Capabilities::READ | Capabilities::LIST;
    let write = read | Capabilities::CREATE | Capabilities::UPDATE | Capabilities::DELETE;
    let old = match body.take_str("policy")?.as_deref() {
        None | Some("") => Capabilities::NONE,
        Some("deny") => Capabilities::DENY,
        Some("read") => read,
        Some("write") => write,
        Some("sudo") => write | Capabilities::SUDO,
        Some(other) => {
            let words = ["deny", "read", "write", "sudo"];
            return Err(unknown(at, "policy", other, words.into_iter()));
        }
    };
    Ok(all.merged(old))
}

/// The kinds of events that `subscribe` is about: all, where the rule does not say.
fn event_types(body: &mut Body, held: Capabilities) -> Result<Vec<String>, Syntax> {
    let written = strings(body, EVENT_TYPES)?;
    for (text, at) in &written {
        if let Err(what) = EventPattern::read(text) {
            return Err(Syntax::new(
                *at,
                format!("a text in `{EVENT_TYPES}` {what}"),
                "event types, with `*` for any text",
                format!("write `{EVENT_TYPES} = [\"kv*\"]`"),
            ));
        }
    }
    Ok(
        match (held.grants(Capabilities::SUBSCRIBE), written.is_empty()) {
            (false, _) => Vec::new(),
            (true, true) => vec!["*".to_owned()],
            (true, false) => written.into_iter().map(|(text, _)| text).collect(),
        },
    )
}

/// The capability of that name.
pub(super) fn capability(name: &str, at: Position) -> Result<Capabilities, Syntax> {
    Capabilities::named(name).ok_or_else(|| unknown(at, "capability", name, Capabilities::known()))
}

fn parameters(body: &mut Body, key: &str) -> Result<Parameters, Syntax> {
    let mut parameters = Parameters::default();
    for block in body.take_blocks(key, 0)? {
        for item in block.body.items {
            let Value::List(values) = &item.value else {
                return Err(wants_list(&item, key));
            };
            let values = values.iter().map(json).collect::<Option<Vec<_>>>();
            parameters.add(&item.key, values.ok_or_else(|| wants_list(&item, key))?);
        }
    }
    Ok(parameters)
}

fn wants_list(item: &Item, key: &str) -> Syntax {
    Syntax::new(
        item.position,
        format!("{:?} in {key} is {}", item.key, item.value.kind()),
        "a list of values",
        format!(
            "write `{:?} = [\"value\"]`, or `[]` for every value",
            item.key
        ),
    )
}

/// The value as a request would carry it; none if it holds a number that JSON can not.
fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::String(text) => Json::String(text.clone()),
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Number(text) => match value.as_i64() {
            Some(whole) => Json::from(whole),
            None => serde_json::from_str(text).ok()?,
        },
        Value::List(values) => Json::Array(values.iter().map(json).collect::<Option<_>>()?),
        Value::Object(body) => {
            let members = body.items.iter();
            let members = members.map(|item| Some((item.key.clone(), json(&item.value)?)));
            Json::Object(members.collect::<Option<_>>()?)
        }
    })
}

/// A list of texts with the places of their lists. A lone text is refused, as the reference does.
pub(super) fn strings(body: &mut Body, key: &str) -> Result<Vec<(String, Position)>, Syntax> {
    let mut all = Vec::new();
    for item in body.take(key) {
        let mismatch = |found: &Value| {
            Syntax::new(
                item.position,
                format!("{} in `{key}`", found.kind()),
                "a list of strings",
                format!("write `{key} = [\"…\"]`"),
            )
        };
        let Value::List(values) = &item.value else {
            return Err(mismatch(&item.value));
        };
        for value in values {
            let text = value.as_text().ok_or_else(|| mismatch(value))?;
            all.push((text.to_owned(), item.position));
        }
    }
    Ok(all)
}

/// A duration; zero is none.
pub(super) fn duration(body: &mut Body, key: &str) -> Result<Option<Duration>, Syntax> {
    let Some(item) = body.take(key).pop() else {
        return Ok(None);
    };
    let ttl = json(&item.value).and_then(|value| serde_json::from_value::<Ttl>(value).ok());
    let ttl = ttl.ok_or_else(|| {
        Syntax::new(
            item.position,
            format!("`{key}` is not a duration"),
            "seconds or a number with a unit",
            format!("write `{key} = \"90s\"`"),
        )
    })?;
    Ok(Some(ttl.0).filter(|duration| !duration.is_zero()))
}

fn expiration(body: &mut Body) -> Result<Option<Timestamp>, Syntax> {
    let Some(item) = body.take("expiration").pop() else {
        return Ok(None);
    };
    let text = item.value.as_text().unwrap_or_default();
    if text.is_empty() && matches!(item.value, Value::String(_)) {
        return Ok(None);
    }
    let seconds = text.parse().ok().map(Timestamp::from_secs);
    let time = seconds.or_else(|| Timestamp::parse(text));
    let wrong = || {
        Syntax::new(
            item.position,
            "`expiration` is not a time",
            "RFC 3339 or seconds since 1970",
            "write `expiration = \"2030-01-31T12:00:00Z\"`",
        )
    };
    time.map(Some).ok_or_else(wrong)
}

/// Refuses keys that are not known, in exactly this spelling.
fn known_keys(body: &Body, known: &[&'static str], place: &str) -> Result<(), Syntax> {
    for item in &body.items {
        let key = item.key.as_str();
        if place != "a policy" && REFUSED_KEYS.contains(&key) {
            return Err(Syntax::new(
                item.position,
                format!("`{key}` in {place} is not supported"),
                "a rule whose every condition is enforced",
                "remove it, or protect the path by another rule",
            ));
        }
        if !known.contains(&key) {
            let what = format!("key in {place}:");
            return Err(unknown(item.position, &what, key, known.iter().copied()));
        }
    }
    Ok(())
}

fn unknown(
    at: Position,
    what: &str,
    word: &str,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Syntax {
    let advice = match coffer_hcl::nearest(word, known.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "correct or remove it".to_owned(),
    };
    let list = known.collect::<Vec<_>>().join(", ");
    Syntax::new(
        at,
        format!("unknown {what} {word:?}"),
        format!("one of {list}"),
        advice,
    )
}
