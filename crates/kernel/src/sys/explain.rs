//! `sys/policies/explain`: whether somebody may do something and why, decided by the very code that enforces it.

use std::sync::Arc;

use coffer_crypto::Secret;
use coffer_engine::{Caller, Ctx, Fault, Handle, Reply, Routes, path};
use coffer_wire::{ApiPath, PathFault, Text, Ttl, Verb, Wiped};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::authority::Authority;
use crate::grant::{self, Asked, Step};
use crate::open::Open;
use crate::pipeline;
use crate::policy::{Considered, Explanation, Grant, Parameters, Question};
use crate::request::Request;
use crate::tokens::{self, TokenRecord};

/// How many of the rules that match, but do not decide, one answer shows.
const MAX_SHOWN_RULES: usize = 50;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path(
        "policies/explain",
        "Whether a token or an entity may do something, and why.",
    )
    .write::<Explain>()])
}

/// Says whether somebody may do something, which rule decides that, and what would have to be otherwise. About
/// oneself everybody may ask whom policy lets come here; about others only who has `sudo` here.
#[derive(Deserialize, JsonSchema)]
struct Explain {
    /// The token; the asking one if neither this nor an accessor or an entity is given.
    #[serde(default)]
    #[schemars(with = "String")]
    token: Option<Secret<String>>,
    /// The accessor of the token.
    #[serde(default)]
    accessor: Text,
    /// The id of an entity: what its tokens may do by its own policies and those of its groups.
    #[serde(default)]
    entity: Text,
    /// The path, without `/v1/`, seen from the namespace that is asked.
    #[serde(default)]
    path: Text,
    /// `read`, `list`, `scan`, `write`, `create`, `update`, `patch`, `delete`, or an HTTP method.
    #[serde(default)]
    verb: Text,
    /// Another name of `verb`.
    #[serde(default)]
    operation: Text,
    /// The parameters of the request.
    #[serde(default)]
    #[schemars(with = "Map<String, Value>")]
    data: Wiped<Map<String, Value>>,
    /// For how long the answer is to be wrapped.
    #[serde(default)]
    wrap_ttl: Ttl,
}

impl Handle<Open> for Explain {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let word = match self.verb.0.is_empty() {
            true => &self.operation.0,
            false => &self.verb.0,
        };
        let (verb, creates) = verb(word)?;
        let path = ApiPath::parse(&self.path.0).map_err(|fault| match fault {
            PathFault::Redirect(clean) => Fault::Invalid(format!(
                "requests have that path in the form {clean:?}; give it so"
            )),
            PathFault::Refused(why) => Fault::invalid(why),
        })?;
        if path.as_str().is_empty() {
            return Err(Fault::invalid("path must be given"));
        }
        let subject = self.subject(open, cx).await?;
        let mut request = Request::internal(cx.request.id.clone(), verb, path);
        request.namespace.clone_from(&open.space.path);
        request.body = self.data;
        request.wrap_ttl = Some(self.wrap_ttl.0).filter(|ttl| !ttl.is_zero());
        explain(open, subject, request, creates).await
    }
}

/// Whom it is about.
struct Subject {
    caller: Caller,
    token: Option<TokenRecord>,
    /// Why it may do nothing at all.
    barred: Option<&'static str>,
}

impl Explain {
    async fn subject(&self, open: &Open, cx: &Ctx) -> Result<Subject, Fault> {
        let own = cx.token.as_deref().ok_or(Fault::Denied)?;
        let given = [
            self.token.is_some(),
            !self.accessor.0.is_empty(),
            !self.entity.0.is_empty(),
        ];
        if given.iter().filter(|given| **given).count() > 1 {
            return Err(Fault::invalid("give one of token, accessor and entity"));
        }
        let asking = open
            .tokens
            .by_token(own.expose())
            .await?
            .ok_or(Fault::Denied)?;
        let record = match &self.token {
            Some(token) => open.tokens.by_token(token.expose()).await?,
            None if !self.accessor.0.is_empty() => {
                open.tokens.by_accessor(&self.accessor.0).await?
            }
            None => Some(asking.clone()),
        };
        let is_self = self.entity.0.is_empty() && record.as_ref() == Some(&asking);
        if !is_self {
            refuse_without_sudo(open, cx).await?;
        }
        if !self.entity.0.is_empty() {
            return of_entity(open, &self.entity.0).await;
        }
        let record = record.filter(|record| record.is_alive(cx.now) || is_self);
        let record = record.ok_or_else(no_such_token)?;
        let reached = is_self
            || open
                .within(&format!(".{}", record.namespace))
                .await?
                .is_some();
        match reached {
            true => of_token(open, record).await,
            false => Err(no_such_token()),
        }
    }
}

fn no_such_token() -> Fault {
    Fault::invalid("there is no such token in this namespace, or it has ended")
}

async fn refuse_without_sudo(open: &Open, cx: &Ctx) -> Result<(), Fault> {
    let caller = cx.caller.as_ref().ok_or(Fault::Denied)?;
    let authority = Authority::of(open, caller, cx.now).await?;
    let verdict = authority.decide(&Question {
        path: &cx.request.path,
        verb: Verb::Write,
        creates: false,
        body: &Map::new(),
        wrap_ttl: None,
        sudo_path: true,
    });
    match verdict.sudo {
        true => Ok(()),
        false => Err(Fault::Forbidden(
            "to ask about others, your token needs the capability sudo at this path; about itself it may ask without".into(),
        )),
    }
}

async fn of_token(open: &Open, record: TokenRecord) -> Result<Subject, Fault> {
    let standing = open.standing_of(&record.namespace, &record.entity_id).await;
    let (standing, barred) = match standing {
        Ok(standing) => (standing, None),
        Err(Fault::Denied) => (
            None,
            Some("the entity behind the token is disabled or gone"),
        ),
        Err(other) => return Err(other),
    };
    Ok(Subject {
        caller: tokens::caller(&record, standing.as_deref()),
        token: Some(record),
        barred,
    })
}

async fn of_entity(open: &Open, id: &str) -> Result<Subject, Fault> {
    let namespace = &open.space.id;
    let standing = match open.standing_of(namespace, id).await {
        Ok(standing) => standing.ok_or(Fault::Denied),
        Err(other) => Err(other),
    };
    let standing = standing.map_err(|fault| match fault {
        Fault::Denied => {
            Fault::invalid("there is no such entity in this namespace, or it is disabled")
        }
        other => other,
    })?;
    let policies = standing.policies.clone();
    let caller = Caller {
        display_name: standing.entity.name.clone(),
        entity_id: standing.entity.id.clone(),
        identity_policies: policies.clone(),
        policies,
        namespace: namespace.clone(),
        ..Caller::default()
    };
    Ok(Subject {
        caller,
        token: None,
        barred: None,
    })
}

/// Lets the very request be decided, and shows each question that policy was asked.
async fn explain(
    open: &Open,
    subject: Subject,
    request: Request,
    creates: Option<bool>,
) -> Result<Reply, Fault> {
    let (there, mut asked) = pipeline::find(open, request).await?;
    asked.caller = Some(Arc::new(subject.caller));
    asked.token = subject.token;
    let (there, mut asked) = pipeline::go_home(there, asked).await?;
    let (steps, outcome) = match subject.barred {
        Some(_) => (Vec::new(), Err(Fault::Denied)),
        None => grant::consider(&there, &mut asked).await,
    };
    let creates = creates.unwrap_or(asked.creates);
    let tells = steps.iter().any(|step| step.creates);
    let of_it: Vec<&Step> = steps
        .iter()
        .filter(|step| step.creates == (tells && creates))
        .collect();
    let deciding = of_it.iter().find(|step| !step.allowed).or(of_it.first());
    let unauthenticated = asked.flags().unauthenticated;
    let allowed = unauthenticated || deciding.is_some_and(|step| step.allowed);
    let mut answer = Map::from_iter([
        ("allowed".to_owned(), allowed.into()),
        ("path".to_owned(), asked.request.path.to_string().into()),
        ("namespace".to_owned(), there.space.path.clone().into()),
        (
            "operation".to_owned(),
            word(asked.request.verb, tells && creates).into(),
        ),
        ("subject".to_owned(), shown_subject(&asked)),
        ("sudo_path".to_owned(), asked.flags().sudo.into()),
        (
            "notes".to_owned(),
            json!(notes(&there, &asked, tells, unauthenticated)),
        ),
    ]);
    match deciding {
        _ if unauthenticated => {
            answer.insert(
                "reason".into(),
                "this path needs no token, so no policy is asked".into(),
            );
        }
        Some(step) => {
            let caller = asked.caller.as_ref().ok_or(Fault::Denied)?;
            let authority = Authority::of(&there, caller, asked.now).await?;
            let question = Question {
                path: &step.path,
                verb: asked.request.verb,
                creates: step.creates,
                body: &asked.request.body,
                wrap_ttl: asked.request.wrap_ttl,
                sudo_path: step.sudo_path,
            };
            let explanation = match step.folded {
                true => authority.explain_folded(&question),
                false => authority.explain(&question),
            };
            answer.extend(shown(step, &explanation));
        }
        None => {
            let why = match (subject.barred, outcome) {
                (Some(why), _) => why.to_owned(),
                (None, Err(fault)) => fault.to_string(),
                (None, Ok(())) => "help is for everyone who has a token".to_owned(),
            };
            answer.insert("reason".into(), why.into());
        }
    }
    Reply::data(&answer)
}

fn shown(step: &Step, explanation: &Explanation) -> Map<String, Value> {
    let rule = explanation.decided_by.as_ref();
    let grant = rule.map(|rule| &rule.grant);
    let said = explanation
        .objections
        .iter()
        .map(|objection| objection.say(grant));
    let reason = match (explanation.root, explanation.allowed) {
        (true, _) => "the policy root allows everything".to_owned(),
        (false, true) => "the rule grants what is needed".to_owned(),
        (false, false) => said.collect::<Vec<_>>().join("; "),
    };
    let missing: Vec<Value> = explanation
        .objections
        .iter()
        .map(|objection| {
            json!({
                "kind": objection.kind(),
                "name": objection.name(),
                "text": objection.say(grant),
            })
        })
        .collect();
    let shown = explanation.others.iter().take(MAX_SHOWN_RULES);
    Map::from_iter([
        ("reason".to_owned(), reason.into()),
        ("asked_about".to_owned(), step.path.clone().into()),
        ("needed".to_owned(), json!(explanation.needed.names())),
        ("missing".to_owned(), missing.into()),
        (
            "decided_by".to_owned(),
            rule.map_or(Value::Null, shown_rule),
        ),
        ("other_rules".to_owned(), shown.map(shown_rule).collect()),
        (
            "other_rules_total".to_owned(),
            explanation.others.len().into(),
        ),
    ])
}

fn shown_rule(rule: &Considered) -> Value {
    let policies: Vec<Value> = rule
        .sources
        .iter()
        .map(|source| {
            let mut shown = json!({
                "name": source.policy,
                "line": source.line,
                "capabilities": source.capabilities.names(),
            });
            if let (Some(template), Some(shown)) = (&source.template, shown.as_object_mut()) {
                shown.insert("template".into(), json!(template));
            }
            shown
        })
        .collect();
    let mut shown = json!({
        "path": rule.pattern,
        "kind": rule.kind,
        "capabilities": rule.grant.capabilities.names(),
        "policies": policies,
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.extend(conditions(&rule.grant));
        if let Some(why) = rule.loses {
            shown.insert("does_not_decide_because".into(), why.into());
        }
    }
    shown
}

/// The conditions of a rule, under the words that policies have for them.
fn conditions(grant: &Grant) -> Map<String, Value> {
    let named = |parameters: &Parameters| -> Map<String, Value> {
        let each = parameters.iter();
        each.map(|(name, values)| (name.to_owned(), json!(values)))
            .collect()
    };
    let mut shown = Map::new();
    for (word, parameters) in [
        ("allowed_parameters", &grant.allowed),
        ("denied_parameters", &grant.denied),
    ] {
        if !parameters.is_empty() {
            shown.insert(word.into(), named(parameters).into());
        }
    }
    if !grant.required.is_empty() {
        shown.insert("required_parameters".into(), json!(grant.required));
    }
    for (word, bound) in [
        ("min_wrapping_ttl", grant.min_wrap),
        ("max_wrapping_ttl", grant.max_wrap),
    ] {
        if let Some(bound) = bound {
            shown.insert(word.into(), bound.as_secs().into());
        }
    }
    if let Some(limit) = grant.page_limit {
        shown.insert("pagination_limit".into(), limit.into());
    }
    if grant.event_types.iter().any(|kinds| kinds != "*") {
        shown.insert("subscribe_event_types".into(), json!(grant.event_types));
    }
    if let Some(control) = &grant.control {
        let factors = control.factors.iter();
        let names = factors.map(|(controlled, factor)| {
            json!({ "name": factor.name, "controlled_capabilities": controlled.names() })
        });
        shown.insert("control_group".into(), names.collect());
    }
    shown
}

fn shown_subject(asked: &Asked) -> Value {
    let Some(caller) = &asked.caller else {
        return Value::Null;
    };
    let token = asked.token.as_ref();
    json!({
        "accessor": caller.accessor,
        "display_name": caller.display_name,
        "entity_id": caller.entity_id,
        "token_policies": token.map(|token| token.policies.clone()).unwrap_or_default(),
        "identity_policies": caller.identity_policies,
        "policies": caller.policies,
    })
}

/// What besides policy matters for such a request.
fn notes(open: &Open, asked: &Asked, tells: bool, unauthenticated: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if let Err(fault) = &asked.found {
        notes.push(format!(
            "there is no such endpoint, which is told to those whom policy lets ask: {fault}"
        ));
    }
    if asked.request.verb == Verb::Write && !tells && !unauthenticated && asked.found.is_ok() {
        notes.push("writes to this path always ask for update, never for create".into());
    }
    if open.space.refuse_if_locked().is_err() && !asked.flags().while_locked {
        notes.push("the namespace is locked, so it answers nothing at the moment".into());
    }
    let token = asked.token.as_ref();
    if token.is_some_and(|token| !token.bound_cidrs.is_empty()) {
        notes.push("the token may be used from its bound addresses only".into());
    }
    if token.is_some_and(|token| token.num_uses != 0) {
        notes.push("the token has a limited number of uses".into());
    }
    notes
}

/// The verb of a word, and whether it says that something new is made.
fn verb(word: &str) -> Result<(Verb, Option<bool>), Fault> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "read" | "get" => (Verb::Read, None),
        "list" => (Verb::List, None),
        "scan" => (Verb::Scan, None),
        "write" | "put" | "post" => (Verb::Write, None),
        "create" => (Verb::Write, Some(true)),
        "update" => (Verb::Write, Some(false)),
        "patch" => (Verb::Patch, None),
        "delete" => (Verb::Delete, None),
        _ => {
            return Err(Fault::invalid(
                "verb must be read, list, scan, write, create, update, patch or delete",
            ));
        }
    })
}

fn word(verb: Verb, creates: bool) -> &'static str {
    match verb {
        Verb::Write if creates => "create",
        verb => verb.word(),
    }
}
