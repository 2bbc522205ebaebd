//! The straight line of a request.

use std::sync::Arc;

use coffer_engine::{Fault, Miss};
use coffer_wire::Wiped;

use crate::core::Core;
use crate::grant::{Asked, Refused, authorize};
use crate::kernel::Kernel;
use crate::leases::settle::settle;
use crate::lifecycle::doorstep;
use crate::mounts::Mount;
use crate::namespaces::{NamespacePath, Space, id_of};
use crate::open::Open;
use crate::policy::Controlled;
use crate::quotas::{Allowance, admit};
use crate::request::{Refusal, Request, Response};
use crate::tokens::TokenRecord;
use crate::{activity, help, observe, record, tokens};

impl Kernel {
    /// Answers a request. Run it in a task of its own: a client that hangs up must not stop it half-way.
    pub async fn handle(&self, request: Request) -> Result<Response, Refusal> {
        let request_id = request.id.clone();
        let mut allowance = None;
        let answer = self.straight_line(request, &mut allowance).await;
        let answer = self.replace_if_asked(&request_id, answer).await;
        self.seal_if_asked().await;
        match answer {
            Ok(response) => Ok(Response {
                allowance,
                ..response
            }),
            Err(fault) => Err(Refusal {
                request_id,
                fault,
                allowance,
            }),
        }
    }

    async fn straight_line(
        &self,
        request: Request,
        allowance: &mut Option<Allowance>,
    ) -> Result<Response, Fault> {
        if let Some(answer) = doorstep::answer(self, &request, allowance).await {
            return answer; //                                                 what needs no open barrier
        }
        let core = self.core()?; //                                      1    sealed and standby answer here
        line(&core, request, allowance).await
    }
}

/// A request that another one makes: it goes the same line, but for the doorstep, and nothing of any length passes.
pub(crate) async fn inner(core: &Arc<Core>, request: Request) -> Result<Response, Fault> {
    line(core, request, &mut None).await
}

/// From the place to the answer.
async fn line(
    core: &Arc<Core>,
    request: Request,
    allowance: &mut Option<Allowance>,
) -> Result<Response, Fault> {
    let (open, mut asked) = find(core, request).await?; //          2    namespace, mount, route and its flags
    let _timed = core
        .settings
        .meters
        .core
        .request(asked.flags().unauthenticated);
    if let Err(fault) = admit::stranger(&open, &mut asked, allowance).await {
        return turn_away(&open, asked, fault).await; //                   whoever asks too often learns no more
    }
    let asked = match identify(&open, asked).await {
        Ok(asked) => asked, //                                       3    whose token is it
        Err(refused) => return refuse(&open, refused).await,
    };
    if let Err(fault) = admit::known(&open, &asked, allowance) {
        return turn_away(&open, asked, fault).await;
    }
    let (open, asked) = go_home(open, asked).await?;
    observe::note(&open, &asked);
    let granted = match authorize(&open, asked).await {
        Ok(granted) => granted, //                                   4    policy
        Err(refused) => return refuse(&open, refused).await,
    };
    let recorded = match granted.record(&open).await {
        Ok(recorded) => recorded, //                                 5    audit, fails closed
        Err(refused) => return unrecorded(&open, refused).await,
    };
    let ran = recorded.run(&open).await; //                          6    the only door to a handler
    activity::note(&open, &ran.asked);
    let settled = settle(&open, ran).await; //                       7    lease, token, wrapping
    record::answer(&open, settled).await //                          8    audit again, fails closed
}

/// Finds the namespace, and in it the endpoint. A namespace that is not there has no mounts; who may ask is told
/// so later, and everybody of one that is sealed.
pub(crate) async fn find(
    core: &Arc<Core>,
    mut request: Request,
) -> Result<(Open, Box<Asked>), Fault> {
    let (space, closed) = match namespace_of(core, &mut request).await {
        Ok(space) => (space, None),
        Err(sealed @ Fault::Unavailable(_)) => {
            name_closed(core, &mut request);
            (None, Some(sealed))
        }
        Err(other) => return Err(other),
    };
    let open = match &space {
        Some(space) => Open::new(core, Arc::clone(space)),
        None => core.root(),
    };
    let mut asked = Box::new(Asked {
        now: open.clock.now(),
        request,
        mount: None,
        found: Err(Fault::UnsupportedPath),
        closed,
        token: None,
        caller: None,
        role: None,
        creates: false,
        granted_by: Vec::new(),
        control: Controlled::default(),
    });
    match space {
        Some(_) => locate(&open, &mut asked),
        None => {
            let text = format!("namespace {:?} not found", asked.request.namespace);
            asked.found = Err(Fault::Missing(text));
        }
    }
    Ok((open, asked))
}

/// The namespace that the header names and, below that, the path: a path goes on in a namespace where no mount is.
/// None where the header names none that is there. The request then holds the rest of the path.
async fn namespace_of(core: &Core, request: &mut Request) -> Result<Option<Arc<Space>>, Fault> {
    let named = match NamespacePath::parse(&request.namespace) {
        Some(path) => core.namespaces.at(&path).await?,
        None => None,
    };
    let Some(named) = named else {
        return Ok(None);
    };
    let (space, rest) = core
        .namespaces
        .descend(named, request.path.as_str())
        .await?;
    if rest.len() < request.path.as_str().len() {
        request.path = request.path.tail(rest.len());
    }
    Ok(Some(space).filter(|space| !space.record().tainted))
}

/// Lets a request into a sealed namespace name it, so that it is recorded as one there, whether a header said so or the path.
fn name_closed(core: &Core, request: &mut Request) {
    let named = NamespacePath::parse(&request.namespace).unwrap_or_default();
    let whole = format!("{}{}", named.as_str(), request.path.as_str());
    let sealed = core.namespaces.seals.closed_at(&whole);
    let path = sealed.as_ref().map_or("", |seal| seal.path.as_str());
    request.namespace = match path.len() > named.as_str().len() {
        true => path.to_owned(),
        false => named.as_str().to_owned(),
    };
    let rest = whole.len().saturating_sub(request.namespace.len());
    if rest < request.path.as_str().len() {
        request.path = request.path.tail(rest);
    }
}

/// Finds the mount and the endpoint in the namespace at hand.
fn locate(open: &Open, asked: &mut Asked) {
    let request = &asked.request;
    let path = request.path.as_str();
    let mount = open.space.mounts.at(path);
    asked.mount = mount.filter(|mount| !mount.record.tainted && !mount.moving);
    asked.found = match &asked.mount {
        None => Err(Fault::Missing(format!(
            "no handler for route {path:?}. route entry not found."
        ))),
        Some(mount) if request.help => help::find(mount, mount.tail(path)),
        Some(mount) => mount
            .find(request.verb, mount.tail(path))
            .map_err(|miss| match miss {
                Miss::Path => Fault::UnsupportedPath,
                Miss::Verb => Fault::UnsupportedVerb,
            }),
    };
    let protocol = request.signed.as_ref().map(|signed| signed.engine);
    let of_protocol = |mount: &Arc<Mount>| protocol.is_none_or(|of| mount.record.engine() == of);
    if !asked.mount.as_ref().is_none_or(of_protocol) {
        asked.found = Err(Fault::UnsupportedPath); // Another engine's paths mean something else.
    }
    if asked.flags().streamed && asked.request.nesting.is_within() {
        let text = "a body or an answer of any length can not be part of another request";
        asked.found = Err(Fault::invalid(text));
    }
    if !open.space.is_root() && asked.flags().root_only {
        asked.found = Err(Fault::invalid("operation only available in root namespace"));
    }
}

/// Finds the token's record and whom it speaks for. On paths that need no token, one that is not ours is as good as
/// none, and so is one whose entity is disabled or gone. What is signed is refused where the signature is not right.
async fn identify(open: &Open, asked: Box<Asked>) -> Result<Box<Asked>, Refused> {
    if let Some(signed) = &asked.request.signed {
        let signer = tokens::signer(open, signed, asked.now).await;
        return match signer {
            Ok(record) => speak_for(open, asked, record).await,
            Err(fault) => Err(Refused { asked, fault }),
        };
    }
    let Some(token) = &asked.request.token else {
        return Ok(asked);
    };
    let readable = open.namespaces.seals.refuse_closed(id_of(token.expose()));
    let record = match readable {
        Ok(()) => open.tokens.by_token(token.expose()).await,
        Err(_) if asked.flags().unauthenticated => return Ok(asked),
        Err(sealed) => Err(sealed),
    };
    let record = match record {
        Ok(record) => record,
        Err(fault) => return Err(Refused { asked, fault }),
    };
    match record.filter(|record| record.is_alive(asked.now)) {
        Some(record) => speak_for(open, asked, record).await,
        None => Ok(asked),
    }
}

/// The request is that of a living token, and of whom it speaks for.
async fn speak_for(
    open: &Open,
    mut asked: Box<Asked>,
    record: TokenRecord,
) -> Result<Box<Asked>, Refused> {
    let standing = open.standing_of(&record.namespace, &record.entity_id).await;
    match standing {
        Ok(standing) => {
            asked.caller = Some(Arc::new(tokens::caller(&record, standing.as_deref())));
            asked.token = Some(record);
            Ok(asked)
        }
        Err(Fault::Denied) if asked.flags().unauthenticated => Ok(asked),
        Err(fault) => {
            asked.caller = Some(Arc::new(tokens::caller(&record, None)));
            asked.token = Some(record);
            Err(Refused { asked, fault })
        }
    }
}

/// What is about the token itself is answered in the token's namespace, wherever it was asked.
pub(crate) async fn go_home(
    open: Open,
    mut asked: Box<Asked>,
) -> Result<(Open, Box<Asked>), Fault> {
    let elsewhere = match &asked.token {
        Some(token) if asked.flags().at_home => token.namespace != open.space.id,
        _ => false,
    };
    if !elsewhere {
        return Ok((open, asked));
    }
    let id = asked.token.as_ref().map(|token| token.namespace.as_str());
    let home = open.namespaces.by_id(id.unwrap_or_default()).await?;
    let home = home.filter(|home| !home.record().tainted);
    let home = Open::new(&open, home.ok_or(Fault::Denied)?);
    locate(&home, &mut asked);
    Ok((home, asked))
}

/// A request over its rate costs no use of a token. It is recorded where the configuration of quotas wants that,
/// without what it brought: nobody looked at it.
async fn turn_away(open: &Open, mut asked: Box<Asked>, fault: Fault) -> Result<Response, Fault> {
    if open.quotas.config().audit_refusals {
        asked.request.body = Wiped::default();
        (asked.request.token, asked.token, asked.mount) = (None, None, None);
        record::request(open, &asked, Some(&fault)).await?;
    }
    Err(fault)
}

/// Refusals are recorded, too; the last use of a token is its end, whatever came of it.
async fn refuse(open: &Open, refused: Refused) -> Result<Response, Fault> {
    let Refused { asked, fault } = refused;
    let recorded = record::request(open, &asked, Some(&fault)).await;
    tokens::end_if_spent(open, &asked).await?;
    recorded?;
    record::refusal(open, &asked, &fault).await?;
    Err(fault)
}

/// A request that audit could not record is not run, but its use of the token is spent all the same.
async fn unrecorded(open: &Open, refused: Refused) -> Result<Response, Fault> {
    tokens::end_if_spent(open, &refused.asked).await?;
    Err(refused.fault)
}
