//! A request of the protocol as an ordinary one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::sigv4::{ALGORITHM, Presented, Received};
use coffer_kernel::{Request, tokens};
use coffer_wire::{ApiPath, JsonBounds, Wiped, header, parse_object};
use http::header::HOST;
use http::request::Parts;
use serde_json::{Map, Value};

use super::super::peer::Peer;
use super::super::request::{namespace, plain_headers};
use super::door::{Place, target};
use super::exception::Exception;
use super::members::{CONTEXTS, fields};
use super::name::{alias_segment, key_of_blob, key_segment};
use super::operation::{Operation, Part, absent, find};

/// What stands in front of the names of operations.
const SERVICE_TARGET: &str = "TrentService.";
/// The service that signatures must be for.
const SERVICE: &str = "kms";
/// The engine that answers.
const ENGINE: &str = "kms";
/// Comes with keys that AWS's token service gave out.
const SESSION: &str = "x-amz-security-token";
/// The field with the name of a key that stays a field where it is no part of the path.
const NAMED_KEYS: [&str; 2] = ["key_id", "target_key_id"];
/// Members that ask for what is not here, and why. Where they are false or empty they ask for nothing.
const REFUSED: [(&str, &str); 5] = [
    (
        "policy",
        "Policy: who may use a key is decided by the server's policies, not by a policy of the key",
    ),
    (
        "custom_key_store_id",
        "CustomKeyStoreId: there are no custom key stores",
    ),
    ("xks_key_id", "XksKeyId: there are no external key stores"),
    ("multi_region", "MultiRegion: there are no regions"),
    (
        "recipient",
        "Recipient: answers are not encrypted for attested enclaves",
    ),
];
/// Members that say nothing here: there are no grants, and no policy of a key that could lock somebody out.
const WITHOUT_MEANING: [&str; 2] = ["grant_tokens", "bypass_policy_lockout_safety_check"];

/// A request whose signature can be read and whose operation is known, and the ordinary request that it is.
pub(in crate::http) struct Signed {
    /// What is asked for.
    pub(in crate::http) operation: &'static Operation,
    /// What the kernel is asked.
    pub(in crate::http) request: Request,
}

impl Signed {
    /// Reads a request.
    pub(in crate::http) fn read(
        place: &Place,
        id: String,
        head: &Parts,
        body: &[u8],
        peer: Peer,
        bounds: &JsonBounds,
    ) -> Result<Self, Exception> {
        let (presented, namespace) = signature(head, body)?;
        let operation = wanted(target(head))?;
        let invalid = |error: String| Exception::new("SerializationException", error);
        bounds
            .check(body)
            .map_err(|passed| invalid(passed.to_string()))?;
        let mut members = parse_object(body)
            .map_err(|_| invalid("the body is no JSON object that can be read".to_owned()))?;
        let mut fields = Wiped(fields(members.take()));
        refuse_other_contexts(&fields.0)?;
        refuse_unknown(&fields.0)?;
        let path = path(operation, place, &mut fields.0)?;
        for name in WITHOUT_MEANING {
            fields.0.remove(name);
        }
        name_keys(&mut fields.0)?;
        let fixed = operation.fixed.iter();
        fields
            .0
            .extend(fixed.map(|(name, on)| ((*name).to_owned(), Value::Bool(*on))));
        let mut headers = plain_headers(&head.headers);
        headers.insert("authorization".to_owned(), vec![ALGORITHM.to_owned()]);
        let signed = tokens::Signed {
            presented,
            engine: ENGINE,
        };
        Ok(Self {
            operation,
            request: Request {
                namespace,
                signed: Some(Arc::new(signed)),
                body: fields,
                client: peer.address,
                certificates: peer.certificates,
                trusted_serial: peer.trusted_serial,
                headers,
                ..Request::internal(id, operation.verb, path)
            },
        })
    }
}

/// The signature, and the namespace that a header names.
fn signature(head: &Parts, body: &[u8]) -> Result<(Presented, String), Exception> {
    let host = head
        .uri
        .authority()
        .filter(|_| !head.headers.contains_key(HOST));
    let host = host.map(|host| (HOST.as_str(), host.as_str().as_bytes()));
    let fields = head.headers.iter();
    let headers: Vec<(&str, &[u8])> = fields
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .chain(host) // HTTP/2 has it in front of the fields.
        .collect();
    let presented = Presented::read(&Received {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        body,
    })?;
    if presented.service() != SERVICE {
        let text = format!("Credential should be scoped to correct service: '{SERVICE}'.");
        return Err(Exception::new("InvalidSignatureException", text));
    }
    if head.headers.contains_key(SESSION) {
        return Err(Exception::new(
            "UnrecognizedClientException",
            "access keys of this server have no session token; leave AWS_SESSION_TOKEN out",
        ));
    }
    let namespace = namespace(&head.headers)
        .map_err(|text| Exception::new("InvalidSignatureException", text))?;
    if !namespace.is_empty() && !presented.signs(header::NAMESPACE) {
        let text = "X-Vault-Namespace must be a 'SignedHeader'; or name the namespace in the path";
        return Err(Exception::new("InvalidSignatureException", text));
    }
    Ok((presented, namespace.to_owned()))
}

fn wanted(target: &str) -> Result<&'static Operation, Exception> {
    let unknown = || Exception::new("UnknownOperationException", "there is no such operation");
    let name = target.strip_prefix(SERVICE_TARGET).ok_or_else(unknown)?;
    match (find(name), absent(name)) {
        (Some(operation), _) => Ok(operation),
        (None, Some(why)) => Err(Exception::unsupported(format!("{name}: {why}"))),
        (None, None) => Err(unknown()),
    }
}

fn refuse_unknown(fields: &Map<String, Value>) -> Result<(), Exception> {
    let asks = |name: &str| match fields.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    match REFUSED.iter().find(|(name, _)| asks(name)) {
        Some((_, why)) => Err(Exception::unsupported(*why)),
        None => Ok(()),
    }
}

/// Refuses encryption contexts that are no maps of strings to strings, as the protocol has them.
fn refuse_other_contexts(fields: &Map<String, Value>) -> Result<(), Exception> {
    for name in CONTEXTS {
        let fits = match fields.get(name) {
            None => true,
            Some(Value::Object(context)) => context.values().all(Value::is_string),
            Some(_) => false,
        };
        if !fits {
            let text = "an encryption context must be an object whose values are strings";
            return Err(Exception::new("SerializationException", text));
        }
    }
    Ok(())
}

/// The path of an operation; the members that it names are no fields any more.
fn path(
    operation: &Operation,
    place: &Place,
    fields: &mut Map<String, Value>,
) -> Result<ApiPath, Exception> {
    let mut path = place.mount.clone();
    for (at, part) in operation.path.iter().enumerate() {
        if at > 0 {
            path.push('/');
        }
        path.push_str(&match part {
            Part::Word(word) => (*word).to_owned(),
            Part::Key(member) => {
                let name = taken(fields, member)?.ok_or_else(|| missing(member))?;
                key_segment(&name)?
            }
            Part::KeyOrBlob(member) => match taken(fields, member)? {
                Some(name) => key_segment(&name)?,
                None => key_in(fields, member)?,
            },
            Part::Alias(member) => {
                let name = taken(fields, member)?.ok_or_else(|| missing(member))?;
                alias_segment(&name)?
            }
        });
    }
    // Its end is ours; what stands in front is the client's.
    ApiPath::parse(&path).map_err(|_| {
        let text = "the path of the mount is not one that this server has";
        Exception::new("UnknownOperationException", text)
    })
}

/// A member that is part of the path.
fn taken(fields: &mut Map<String, Value>, member: &str) -> Result<Option<String>, Exception> {
    let field = super::members::field(member);
    match fields.remove(&field) {
        None => Ok(None),
        Some(Value::String(name)) => Ok(Some(name)),
        Some(_) => {
            let text = format!("{member} must be a string");
            Err(Exception::new("SerializationException", text))
        }
    }
}

/// The key that the ciphertext names.
fn key_in(fields: &Map<String, Value>, member: &str) -> Result<String, Exception> {
    let blob = fields.get("ciphertext_blob").and_then(Value::as_str);
    let blob = blob.ok_or_else(|| missing("CiphertextBlob"))?;
    // Only its beginning matters here, and must be bytes; the engine reads the whole.
    let begin = blob.trim_ascii().get(..24).unwrap_or_default();
    let key = STANDARD
        .decode(begin)
        .ok()
        .and_then(|begin| key_of_blob(&begin));
    key.ok_or_else(|| {
        let text = format!("the ciphertext names no key of this server; it is damaged, or {member} must say the key");
        Exception::new("InvalidCiphertextException", text)
    })
}

/// Keys that are named beside the path are named as the plain paths name them.
fn name_keys(fields: &mut Map<String, Value>) -> Result<(), Exception> {
    for name in NAMED_KEYS {
        if let Some(Value::String(key)) = fields.get_mut(name) {
            *key = key_segment(key)?;
        }
    }
    Ok(())
}

fn missing(member: &str) -> Exception {
    let text = format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must not be null"
    );
    Exception::new("ValidationException", text)
}
