//! Proofs that the security steps of a request happened, in their order.
//!
//! A handler runs only through [`Recorded::run`]. A [`Recorded`] is made only from a [`Granted`], by
//! recording it; a [`Granted`] only by [`authorize`]. Skipping a step does not compile.

use std::borrow::Cow;
use std::sync::Arc;

use coffer_barrier::View;
use coffer_engine::{Caller, Ctx, Fault, Flags, Reply, RequestInfo};
use coffer_wire::{Timestamp, Verb};

use crate::authority::Authority;
use crate::control;
use crate::leases::Desk;
use crate::mounts::{Found, Mount};
use crate::open::Open;
use crate::policy::{Controlled, Question, Verdict};
use crate::request::Request;
use crate::tokens::TokenRecord;

/// A request with what is known about it before anything was decided.
pub struct Asked {
    /// The request.
    pub request: Request,
    /// The time it came.
    pub now: Timestamp,
    /// The mount its path belongs to, if any.
    pub mount: Option<Arc<Mount>>,
    /// The endpoint, or why there is none; told only to those whom policy lets ask.
    pub found: Result<Found, Fault>,
    /// Why its namespace can not be looked into now, if so: it is sealed.
    pub closed: Option<Fault>,
    /// The record of its token, where it brought a living one.
    pub token: Option<TokenRecord>,
    /// Whom the token speaks for.
    pub caller: Option<Arc<Caller>>,
    /// The role that a login is for, where a quota goes by it.
    pub role: Option<String>,
    /// Whether the write makes something new, once that is known.
    pub creates: bool,
    /// The policies that let the request go on, where audit wants to know.
    pub granted_by: Vec<String>,
    /// What others must authorize before it is done.
    pub control: Controlled,
}

/// Proof that policy allowed the request inside.
pub struct Granted {
    asked: Box<Asked>,
    mount: Arc<Mount>,
    found: Found,
    cx: Ctx,
    desk: Arc<Desk>,
}

/// Proof that the granted request inside was recorded.
pub struct Recorded(Granted);

/// A handler ran; what is left is to settle.
pub struct Ran {
    /// The request.
    pub asked: Box<Asked>,
    /// The mount that answered.
    pub mount: Arc<Mount>,
    /// Its desk, with the intents that are left.
    pub desk: Arc<Desk>,
    /// What the handler answered.
    pub answer: Result<Reply, Fault>,
}

/// A request that was refused, for the record.
pub struct Refused {
    /// The request.
    pub asked: Box<Asked>,
    /// Why.
    pub fault: Fault,
}

impl Asked {
    /// Who may come to the endpoint.
    pub fn flags(&self) -> Flags {
        self.found
            .as_ref()
            .map(|found| found.flags)
            .unwrap_or_default()
    }
}

/// Asks policy. Everything that is refused looks alike to a stranger: unknown paths, too.
pub async fn authorize(open: &Open, mut asked: Box<Asked>) -> Result<Granted, Refused> {
    let _timed = open.settings.meters.core.check_token.timed();
    let flags = asked.flags();
    if let Some(fault) = asked.closed.take() {
        return Err(Refused { asked, fault });
    }
    if !flags.while_locked
        && let Err(fault) = open.space.refuse_if_locked()
    {
        return Err(Refused { asked, fault });
    }
    if !flags.unauthenticated
        && let Err(fault) = admitted(open, &mut asked).await
    {
        return Err(Refused { asked, fault });
    }
    let (Some(mount), Ok(found)) = (asked.mount.clone(), asked.found.as_ref().cloned()) else {
        let fault = std::mem::replace(&mut asked.found, Err(Fault::UnsupportedPath))
            .err()
            .unwrap_or(Fault::UnsupportedPath);
        return Err(Refused { asked, fault });
    };
    let Some((cx, desk)) = context(open, &asked, &mount) else {
        let fault = Fault::Denied;
        return Err(Refused { asked, fault });
    };
    if flags.unauthenticated {
        return Ok(Granted {
            asked,
            mount,
            found,
            cx,
            desk,
        });
    }
    match allowed(open, &mut asked, &mount, &found, &cx, &mut Trail::default()).await {
        Ok(()) => Ok(Granted {
            asked,
            mount,
            found,
            cx,
            desk,
        }),
        Err(fault) => Err(Refused { asked, fault }),
    }
}

impl Granted {
    /// Records the request; refused when no audit device can.
    pub async fn record(self, open: &Open) -> Result<Recorded, Refused> {
        match crate::record::request(open, &self.asked, None).await {
            Ok(()) => Ok(Recorded(self)),
            Err(fault) => Err(Refused {
                asked: self.asked,
                fault,
            }),
        }
    }
}

impl Recorded {
    /// The only door to a handler.
    pub async fn run(self, open: &Open) -> Ran {
        let Granted {
            mut asked,
            mount,
            found,
            cx,
            desk,
        } = self.0;
        let answer = if let Some(answer) = control::hold(open, &asked).await {
            answer // Others must authorize it first, or again.
        } else if asked.request.help {
            crate::help::of_path(
                &mount,
                mount.tail(asked.request.path.as_str()),
                &found,
                &open.settings.version,
            )
        } else {
            let input = crate::record::kept_input(open, &mut asked.request);
            let _timed = mount.meters.timed(asked.request.verb, asked.creates);
            mount.call(open, &found, &cx, input).await
        };
        Ran {
            asked,
            mount,
            desk,
            answer,
        }
    }
}

/// The token is there, lives, and comes from where it may; its use is spent. Whoever policy does not
/// let ask is not told whether there is such a path.
async fn admitted(open: &Open, asked: &mut Asked) -> Result<(), Fault> {
    let record = asked.token.clone().ok_or(Fault::Denied)?;
    if !record.may_come_from(asked.request.client.map(|client| client.ip())) {
        return Err(Fault::Denied);
    }
    asked.token = Some(open.tokens.spend_use(record).await?);
    match asked.found {
        Ok(_) => Ok(()),
        Err(_) if asked.request.help => Ok(()), // Help is for everyone who has a token.
        Err(_) => {
            let authority = authority_of(open, asked).await?;
            let verdict = policy_says(&authority, asked, false, false, &mut Trail::default());
            note(open, asked, verdict.ok_or(Fault::Denied)?);
            Ok(())
        }
    }
}

/// What policy was asked about a request, in that order, for who wants to know why. It keeps nothing unless told to.
#[derive(Debug, Default)]
pub(crate) struct Trail(Option<Vec<Step>>);

/// One question that policy decided.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// The path as policy was asked about it.
    pub path: String,
    /// Whether a write was supposed to make something new.
    pub creates: bool,
    /// Whether the route needs `sudo`.
    pub sudo_path: bool,
    /// Whether names were compared in any letters.
    pub folded: bool,
    /// Whether it was allowed.
    pub allowed: bool,
}

impl Trail {
    fn note(&mut self, question: &Question<'_>, verdict: &Verdict<'_>) {
        if let Some(steps) = &mut self.0 {
            steps.push(Step {
                path: question.path.to_owned(),
                creates: question.creates,
                sudo_path: question.sudo_path,
                folded: false,
                allowed: verdict.allowed,
            });
        }
    }

    /// The question before was one about names in any letters.
    fn folded(&mut self) {
        if let Some(step) = self.0.as_mut().and_then(|steps| steps.last_mut()) {
            step.folded = true;
        }
    }

    /// The question before turned out not to be the one that decides.
    fn again(&mut self) {
        if let Some(steps) = &mut self.0 {
            steps.pop();
        }
    }
}

/// Decides about a request that nobody made, exactly as [`authorize`] would, and answers what policy was asked.
pub(crate) async fn consider(open: &Open, asked: &mut Asked) -> (Vec<Step>, Result<(), Fault>) {
    let mut trail = Trail(Some(Vec::new()));
    let outcome = match (asked.mount.clone(), asked.found.as_ref().cloned()) {
        (Some(mount), Ok(found)) => match context(open, asked, &mount) {
            Some((cx, _)) => allowed(open, asked, &mount, &found, &cx, &mut trail).await,
            None => Err(Fault::Denied),
        },
        _ => match authority_of(open, asked).await {
            Ok(authority) => policy_says(&authority, asked, false, false, &mut trail)
                .map(drop)
                .ok_or(Fault::Denied),
            Err(fault) => Err(fault),
        },
    };
    (trail.0.unwrap_or_default(), outcome)
}

async fn allowed(
    open: &Open,
    asked: &mut Asked,
    mount: &Mount,
    found: &Found,
    cx: &Ctx,
    trail: &mut Trail,
) -> Result<(), Fault> {
    if mount.per_token()
        && asked
            .token
            .as_ref()
            .is_none_or(|token| token.accessor.is_empty())
    {
        return Err(Fault::invalid(
            "cubbyhole operations are only supported by service tokens",
        ));
    }
    if asked.request.help {
        return Ok(()); // Help is for everyone who has a token.
    }
    let authority = authority_of(open, asked).await?;
    let sudo_path = found.flags.sudo;
    let mut verdict = policy_says(&authority, asked, sudo_path, false, trail);
    if found.tells_existence {
        let creating = policy_says(&authority, asked, sudo_path, true, trail);
        if verdict.is_none() && creating.is_none() {
            return Err(Fault::Denied); // Who may do neither does not learn what is there.
        }
        asked.creates = !mount.exists(open, found, cx).await?;
        if asked.creates {
            verdict = creating;
        }
    }
    note(open, asked, verdict.ok_or(Fault::Denied)?);
    Ok(())
}

/// What the token may do here.
async fn authority_of(open: &Open, asked: &Asked) -> Result<Authority, Fault> {
    let _timed = open.settings.meters.core.fetch_acl_and_token.timed();
    let caller = asked.caller.as_ref().ok_or(Fault::Denied)?;
    Authority::of(open, caller, asked.now).await
}

/// The verdict of the policies, if they let the request go on.
fn policy_says<'a>(
    authority: &'a Authority,
    asked: &Asked,
    sudo_path: bool,
    creates: bool,
    trail: &mut Trail,
) -> Option<Ruling<'a>> {
    let found = asked.found.as_ref().ok();
    let path = asked_path(&asked.request, found);
    let spelt = slashed_if_list(asked.request.verb, asked.request.path.as_str().into());
    let mut question = Question {
        path: &path,
        verb: asked.request.verb,
        creates,
        body: &asked.request.body,
        wrap_ttl: asked.request.wrap_ttl,
        sudo_path,
    };
    let mut verdict = authority.decide(&question);
    trail.note(&question, &verdict);
    let caseless = found.is_some_and(|found| found.flags.caseless);
    if !verdict.is_decided() && caseless {
        question.path = &spelt; // A rule may name it as it is spelt here.
        verdict = authority.decide(&question);
        trail.again();
        trail.note(&question, &verdict);
    }
    if !verdict.allowed {
        return None;
    }
    let mut control = verdict.controlled();
    if caseless {
        let folded = authority.decide_folded(&question);
        trail.note(&question, &folded);
        trail.folded();
        if !folded.allowed {
            return None; // A rule that names it in other letters says no.
        }
        control = control.and(folded.controlled());
        verdict.page_limit = [verdict.page_limit, folded.page_limit]
            .into_iter()
            .flatten()
            .min();
    }
    let without_slash = controlled_without_slash(authority, question, trail)?;
    Some(Ruling {
        verdict,
        control: control.and(without_slash),
    })
}

/// That policy lets a request go on, and on which terms.
struct Ruling<'a> {
    verdict: Verdict<'a>,
    control: Controlled,
}

/// Keeps what a verdict says beyond yes.
fn note(open: &Open, asked: &mut Asked, ruling: Ruling<'_>) {
    let Ruling { verdict, control } = ruling;
    asked.control = control;
    if let Some(limit) = verdict.page_limit {
        limit_page(&mut asked.request, limit);
    }
    if open.audit.records() {
        asked.granted_by = verdict.granted_by().map(str::to_owned).collect();
    }
}

/// The path that policy is asked about: lists are asked with a trailing slash, names that are compared
/// in lower case and without blanks around them are asked about as they are compared.
pub(crate) fn asked_path<'a>(request: &'a Request, found: Option<&Found>) -> Cow<'a, str> {
    slashed_if_list(request.verb, compared(request.path.as_str(), found))
}

/// A path with its names as they are compared, wherever in it they stand.
pub(crate) fn compared<'a>(path: &'a str, found: Option<&Found>) -> Cow<'a, str> {
    let Some(found) = found.filter(|found| found.flags.caseless) else {
        return Cow::Borrowed(path);
    };
    let bare = path.trim_end_matches('/');
    let asked = found.tail(str::to_owned);
    let Some(mount) = bare.strip_suffix(asked.trim_end_matches('/')) else {
        return Cow::Borrowed(path);
    };
    let normal = found.tail(|name| name.trim().to_lowercase());
    let slash = match path.ends_with('/') && !normal.ends_with('/') {
        true => "/",
        false => "",
    };
    Cow::Owned(format!("{mount}{normal}{slash}"))
}

fn slashed_if_list(verb: Verb, path: Cow<'_, str>) -> Cow<'_, str> {
    match verb {
        Verb::List | Verb::Scan if !path.ends_with('/') => Cow::Owned(format!("{path}/")),
        _ => path,
    }
}

/// `sys/mounts/one/` names the mount that `sys/mounts/one` names: unless it asks for a list, a path with
/// a trailing slash must be allowed in both spellings, so that the slash is no way around a rule. Answers on which terms.
fn controlled_without_slash(
    authority: &Authority,
    question: Question<'_>,
    trail: &mut Trail,
) -> Option<Controlled> {
    let lists = matches!(question.verb, Verb::List | Verb::Scan);
    let Some(path) = question.path.strip_suffix('/').filter(|_| !lists) else {
        return Some(Controlled::default());
    };
    let question = Question { path, ..question };
    let verdict = authority.decide(&question);
    trail.note(&question, &verdict);
    verdict.allowed.then(|| verdict.controlled())
}

/// A policy that bounds pages gives its bound to a list that names none.
fn limit_page(request: &mut Request, limit: i64) {
    let unnamed = |given: &serde_json::Value| {
        matches!(given.to_string().trim_matches('"'), "" | "0" | "null")
    };
    if matches!(request.verb, Verb::List | Verb::Scan)
        && request.body.get("limit").is_none_or(unnamed)
    {
        request.body.insert("limit".to_owned(), limit.into());
    }
}

/// The headers that the kernel's own handlers see: clients of the OpenID provider prove by the first who they are (the token
/// is never in it), the others say in which form somebody wants events.
const OWN_HEADERS: [&str; 3] = ["authorization", "accept", "upgrade"];

/// What the handler gets; none where it would be the storage of a token that may not come here.
fn context(open: &Open, asked: &Asked, mount: &Arc<Mount>) -> Option<(Ctx, Arc<Desk>)> {
    let request = &asked.request;
    let holder = asked
        .token
        .as_ref()
        .map(|token| token.lease_holder().to_owned())
        .unwrap_or_default();
    let view = if mount.per_token() {
        own_storage(open, asked)?
    } else {
        mount.view.clone()
    };
    let passed = mount.record.tuning.passthrough_request_headers.iter();
    let own = mount.is_kernels_own().then_some(OWN_HEADERS);
    let names = passed.map(String::as_str);
    let names = names.chain(own.into_iter().flatten());
    let headers = names.filter_map(|name| {
        let name = name.to_lowercase();
        let value = request.headers.get(&name)?.first()?.clone();
        Some((name, value))
    });
    let info = RequestInfo {
        id: request.id.clone(),
        verb: request.verb,
        path: request.path.to_string(),
        client: request.client.map(|client| client.ip()),
        certificates: Arc::clone(&request.certificates),
        headers: headers.collect(),
        nesting: request.nesting.clone(),
    };
    let desk = Arc::new(Desk::new(open, holder));
    let cx = Ctx {
        view,
        now: asked.now,
        random: open.random.clone(),
        request: Arc::new(info),
        caller: asked.caller.clone(),
        token: request.token.clone().filter(|_| mount.is_kernels_own()),
        upload: request.upload.clone(),
        mount: Arc::clone(&mount.info),
        services: Arc::clone(&desk) as Arc<dyn coffer_engine::Services>,
    };
    Some((cx, desk))
}

/// The role that a login is for, where its path can tell.
pub(crate) async fn role_of(open: &Open, asked: &Asked) -> Result<Option<String>, Fault> {
    let (Some(mount), Ok(found)) = (&asked.mount, &asked.found) else {
        return Ok(None);
    };
    match context(open, asked, mount) {
        Some((cx, _)) => {
            let role = mount.role(found, &cx, asked.request.body.0.clone()).await?;
            Ok(role.map(|role| role.to_lowercase()))
        }
        None => Ok(None),
    }
}

/// The storage of the token itself, which it also has where it visits a namespace within its own.
fn own_storage(open: &Open, asked: &Asked) -> Option<View> {
    let token = asked.token.as_ref()?;
    let home = open
        .space
        .line()
        .find(|space| space.id == token.namespace)?;
    home.own_storage(&token.accessor, &open.space)
}
