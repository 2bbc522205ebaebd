//! The table of paths that are answered before anybody asks whether the barrier is open.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use coffer_crypto::Secret;
use coffer_engine::{
    Answer, Ctx, Event, Fault, Found, Intent, Miss, MountInfo, Nesting, NewLease, Reply,
    RequestInfo, Routes, Services, Upload, outbound,
};

use coffer_wire::Verb;

use crate::kernel::{Kernel, State};
use crate::namespaces::NamespacePath;
use crate::quotas::{Allowance, admit};
use crate::request::{Request, Response};

/// Where the table is mounted.
const MOUNT: &str = "sys/";

static TABLE: LazyLock<Routes<Kernel>> = LazyLock::new(|| {
    Routes::merge([
        super::init::routes(),
        super::unseal::routes(),
        super::status::routes(),
    ])
});

/// Paths that answer here only while the server is not open.
static CLOSED: LazyLock<Routes<Kernel>> = LazyLock::new(super::unseal::closed_routes);

/// Answers the request if its path is one of the doorstep's.
pub(crate) async fn answer(
    kernel: &Kernel,
    request: &Request,
    allowance: &mut Option<Allowance>,
) -> Option<Result<Response, Fault>> {
    let tail = request.path.as_str().strip_prefix(MOUNT)?;
    if request.help {
        return None;
    }
    let closed = !matches!(&*kernel.state(), State::Active(_));
    let tables = [Some(&*TABLE), closed.then_some(&*CLOSED)];
    for table in tables.into_iter().flatten() {
        match table.find(request.verb, tail) {
            Ok(found) if found.flags.root_only && !names_root(request) => {
                let text = "operation only available in root namespace";
                return Some(Err(Fault::invalid(text)));
            }
            Ok(found) => {
                if let State::Active(core) = &*kernel.state()
                    && let Err(fault) = admit::at_the_door(core, request, allowance)
                {
                    return Some(Err(fault));
                }
                let cx = context(kernel, request);
                let reply = table
                    .call(kernel, &found, &cx, request.body.0.clone())
                    .await;
                return Some(reply.map(|reply| response(request, reply)));
            }
            Err(Miss::Verb) => return Some(Err(Fault::UnsupportedVerb)),
            Err(Miss::Path) => {}
        }
    }
    None
}

/// Whether the request's header names the root namespace, or none.
fn names_root(request: &Request) -> bool {
    let named = NamespacePath::parse(&request.namespace);
    named.is_some_and(|path| path.as_str().is_empty())
}

/// The path of the doorstep for a verb, for documents.
pub(crate) fn find(verb: Verb, tail: &str) -> Result<Found, Miss> {
    TABLE.find(verb, tail)
}

/// The doorstep's operations, for documents.
pub(crate) fn operations() -> Vec<coffer_engine::Operation> {
    coffer_engine::operations(&TABLE)
}

fn response(request: &Request, reply: Reply) -> Response {
    Response {
        request_id: request.id.clone(),
        status: reply.status,
        body: reply.body,
        warnings: reply.warnings,
        ..Response::default()
    }
}

fn context(kernel: &Kernel, request: &Request) -> Ctx {
    let info = RequestInfo {
        id: request.id.clone(),
        verb: request.verb,
        path: request.path.to_string(),
        client: request.client.map(|client| client.ip()),
        certificates: Arc::clone(&request.certificates),
        headers: BTreeMap::new(),
        nesting: Nesting::default(),
    };
    Ctx {
        view: kernel.barrier.view("core/"),
        now: kernel.clock.now(),
        random: kernel.barrier.random().clone(),
        request: Arc::new(info),
        caller: None,
        token: None,
        upload: Upload::default(),
        mount: Arc::new(MountInfo {
            path: MOUNT.to_owned(),
            ..MountInfo::default()
        }),
        services: Arc::new(NoServices),
    }
}

/// Nothing here issues leases or passwords.
struct NoServices;

impl Services for NoServices {
    fn intend<'a>(&'a self, _: &'a Ctx, _: NewLease) -> Answer<'a, Intent> {
        Box::pin(std::future::ready(Err(Fault::Sealed)))
    }

    fn attempt<'a>(&'a self, _: &'a Ctx, _: &'a str) -> Answer<'a, ()> {
        Box::pin(std::future::ready(Err(Fault::Sealed)))
    }

    fn password<'a>(&'a self, _: &'a str) -> Answer<'a, Secret<String>> {
        Box::pin(std::future::ready(Err(Fault::Sealed)))
    }

    fn fetch<'a>(&'a self, _: &'a Ctx, _: outbound::Request) -> Answer<'a, outbound::Response> {
        Box::pin(std::future::ready(Err(Fault::Sealed)))
    }

    fn emit(&self, _: &Ctx, _: Event) {}
}
