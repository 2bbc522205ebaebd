//! What audit is told about requests and answers.

use std::net::SocketAddr;

use coffer_engine::{Class, Fault};
use coffer_wire::Verb;
use serde_json::{Map, Value};

use crate::audit::{
    GrantingPolicy, MountFacts, NamespaceFacts, PolicyResults, RequestFacts, ResponseFacts,
    TokenFacts,
};
use crate::grant::Asked;
use crate::leases::{self, settle::Settled};
use crate::mounts::Mount;
use crate::namespaces::Space;
use crate::open::Open;
use crate::request::{Request, Response};
use crate::settings::BUILT_IN_VERSION;

/// Records a request, with the fault if it was refused.
pub async fn request(open: &Open, asked: &Asked, fault: Option<&Fault>) -> Result<(), Fault> {
    if !open.audit.records() {
        return Ok(());
    }
    let granting: Vec<_> = asked.granted_by.iter().map(granting_policy).collect();
    let headers = open.audited_headers.of(&asked.request.headers);
    let told = RequestFacts {
        headers: &headers,
        ..facts(open, asked, &granting, fault)
    };
    open.audit.record_request(&told).await
}

/// Records the answer, then lets it go.
pub async fn answer(open: &Open, settled: Settled) -> Result<Response, Fault> {
    let Settled {
        asked,
        answer,
        issued,
    } = settled;
    let recorded = record_answer(open, &asked, &answer).await;
    if let (Err(_), Some(lease)) = (&recorded, issued) {
        leases::end_soon(open, &lease).await?; // Nobody gets the secret, so it does not stay.
    }
    recorded.and(answer)
}

async fn record_answer(
    open: &Open,
    asked: &Asked,
    answer: &Result<Response, Fault>,
) -> Result<(), Fault> {
    crate::tokens::end_if_spent(open, asked).await?;
    if open.audit.records() {
        let granting: Vec<_> = asked.granted_by.iter().map(granting_policy).collect();
        let headers = open.audited_headers.of(&asked.request.headers);
        let request = RequestFacts {
            headers: &headers,
            ..facts(open, asked, &granting, None)
        };
        open.audit
            .record_response(&request, &answered(open, asked, answer))
            .await?;
    }
    Ok(())
}

/// Records the answer of a request that was refused.
pub async fn refusal(open: &Open, asked: &Asked, fault: &Fault) -> Result<(), Fault> {
    if !open.audit.records() {
        return Ok(());
    }
    let answer = ResponseFacts {
        time: open.clock.now(),
        fault: Some(fault),
        ..ResponseFacts::default()
    };
    let headers = open.audited_headers.of(&asked.request.headers);
    let told = RequestFacts {
        headers: &headers,
        ..facts(open, asked, &[], Some(fault))
    };
    open.audit.record_response(&told, &answer).await
}

/// The body for the handler. Where audit wants to write it down again with the answer, a copy stays.
pub fn kept_input(open: &Open, request: &mut Request) -> Map<String, Value> {
    if open.audit.records() {
        request.body.0.clone()
    } else {
        request.body.take()
    }
}

fn facts<'a>(
    open: &'a Open,
    asked: &'a Asked,
    granting: &'a [GrantingPolicy<'a>],
    refusal: Option<&'a Fault>,
) -> RequestFacts<'a> {
    let request = &asked.request;
    RequestFacts {
        id: &request.id,
        time: asked.now,
        client_id: "",
        operation: operation(asked),
        namespace: match &asked.closed {
            Some(_) => NamespaceFacts {
                id: "",
                path: &request.namespace,
            },
            None => namespace(&open.space),
        },
        path: request.path.as_str(),
        mount: asked.mount.as_deref().map(mount),
        data: (!request.body.is_empty()).then_some(&request.body.0),
        remote_address: request.client.as_ref().map(SocketAddr::ip),
        remote_port: request.client.as_ref().map_or(0, SocketAddr::port),
        client_certificate_serial_number: request.trusted_serial.as_deref().unwrap_or_default(),
        wrap_ttl: request.wrap_ttl.unwrap_or_default(),
        headers: &[],
        client_token: request.token.as_deref(),
        token: token(asked),
        policy_results: (!granting.is_empty()).then_some(PolicyResults {
            allowed: true,
            granting,
        }),
        refusal,
    }
}

fn operation(asked: &Asked) -> &'static str {
    match asked.request.verb {
        _ if asked.request.help => "help",
        Verb::Write if asked.creates => "create",
        verb => verb.word(),
    }
}

fn mount(mount: &Mount) -> MountFacts<'_> {
    let record = &mount.record;
    MountFacts {
        point: &record.path,
        kind: &record.kind,
        accessor: &record.accessor,
        class: if record.class() == Class::Auth {
            "auth"
        } else {
            "secret"
        },
        running_version: BUILT_IN_VERSION,
        plain_request_keys: &record.tuning.audit_non_hmac_request_keys,
        plain_response_keys: &record.tuning.audit_non_hmac_response_keys,
    }
}

fn token(asked: &Asked) -> Option<TokenFacts<'_>> {
    let (record, caller) = (asked.token.as_ref()?, asked.caller.as_ref()?);
    let uses = |left: i64| u64::try_from(left).unwrap_or_default();
    Some(TokenFacts {
        no_default_policy: false,
        token_policies: &record.policies,
        num_uses: uses(record.num_uses),
        remaining_uses: uses(record.num_uses),
        ttl: std::time::Duration::from_secs(record.creation_ttl_secs),
        issued: Some(record.created),
        ..TokenFacts::of(caller)
    })
}

fn namespace(space: &Space) -> NamespaceFacts<'_> {
    match space.is_root() {
        true => NamespaceFacts::ROOT,
        false => NamespaceFacts {
            id: &space.id,
            path: &space.path,
        },
    }
}

fn granting_policy(name: &String) -> GrantingPolicy<'_> {
    GrantingPolicy {
        name,
        namespace: NamespaceFacts::ROOT,
        kind: "acl",
    }
}

fn answered<'a>(
    open: &Open,
    asked: &'a Asked,
    answer: &'a Result<Response, Fault>,
) -> ResponseFacts<'a> {
    let time = open.clock.now();
    match answer {
        Ok(response) => ResponseFacts {
            time,
            body: response.wrap_info.is_none().then_some(&response.body),
            status: response.status.unwrap_or(200),
            auth: response.auth.as_deref(),
            display_name: asked
                .caller
                .as_ref()
                .map(|caller| caller.display_name.as_str())
                .unwrap_or_default(),
            lease_id: (!response.lease_id.is_empty()).then_some(response.lease_id.as_str()),
            wrap_info: response.wrap_info.as_ref(),
            warnings: &response.warnings,
            ..ResponseFacts::default()
        },
        Err(Fault::Gone(reply)) => ResponseFacts {
            time,
            body: Some(&reply.body),
            status: 404,
            warnings: &reply.warnings,
            ..ResponseFacts::default()
        },
        Err(fault) => ResponseFacts {
            time,
            fault: Some(fault),
            ..ResponseFacts::default()
        },
    }
}
