//! The straight line of a request.

use std::sync::Arc;

use coffer_engine::{Fault, Miss};

use crate::grant::{Asked, Refused, authorize};
use crate::kernel::Kernel;
use crate::leases::settle::settle;
use crate::lifecycle::doorstep;
use crate::open::Open;
use crate::request::{Refusal, Request, Response};
use crate::{help, record, tokens};

impl Kernel {
    /// Answers a request. Run it in a task of its own: a client that hangs up must not stop it half-way.
    pub async fn handle(&self, request: Request) -> Result<Response, Refusal> {
        let request_id = request.id.clone();
        let answer = self.straight_line(request).await;
        self.seal_if_asked();
        answer.map_err(|fault| Refusal { request_id, fault })
    }

    async fn straight_line(&self, request: Request) -> Result<Response, Fault> {
        if let Some(answer) = doorstep::answer(self, &request).await {
            return answer; //                                                 what needs no open barrier
        }
        let open = self.open()?; //                                      1    sealed and standby answer here
        let asked = find(&open, request); //                             2    mount, route and its flags
        let asked = match identify(&open, asked).await {
            Ok(asked) => asked, //                                       3    whose token is it
            Err(refused) => return refuse(&open, refused).await,
        };
        let granted = match authorize(&open, asked).await {
            Ok(granted) => granted, //                                   4    policy
            Err(refused) => return refuse(&open, refused).await,
        };
        let recorded = match granted.record(&open).await {
            Ok(recorded) => recorded, //                                 5    audit, fails closed
            Err(refused) => return unrecorded(&open, refused).await,
        };
        let ran = recorded.run(&open).await; //                          6    the only door to a handler
        let settled = settle(&open, ran).await; //                       7    lease, token, wrapping
        record::answer(&open, settled).await //                          8    audit again, fails closed
    }
}

/// Finds the endpoint. A namespace that is not there has no mounts; who may ask is told so later.
fn find(open: &Arc<Open>, request: Request) -> Box<Asked> {
    let path = request.path.as_str();
    let here = request.namespace.is_empty() || request.namespace == "root";
    let mount = open
        .mounts
        .at(path)
        .filter(|mount| here && !mount.record.tainted);
    let found = match &mount {
        None if !here => Err(Fault::Missing(format!(
            "namespace {:?} not found",
            request.namespace
        ))),
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
    Box::new(Asked {
        now: open.clock.now(),
        request,
        mount,
        found,
        token: None,
        caller: None,
        creates: false,
        granted_by: Vec::new(),
    })
}

/// Finds the token's record. On paths that need no token, one that is not ours is as good as none.
async fn identify(open: &Open, mut asked: Box<Asked>) -> Result<Box<Asked>, Refused> {
    let Some(token) = &asked.request.token else {
        return Ok(asked);
    };
    let record = match open.tokens.by_token(token.expose()).await {
        Ok(record) => record,
        Err(fault) => return Err(Refused { asked, fault }),
    };
    asked.token = record.filter(|record| record.is_alive(asked.now));
    asked.caller = asked
        .token
        .as_ref()
        .map(|record| Arc::new(tokens::caller(record)));
    Ok(asked)
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
