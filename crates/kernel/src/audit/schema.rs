//! The schema of a line: Vault's keys in Vault's order, with its rules of what is left out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use coffer_wire::Timestamp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::entry::{GrantingPolicy, HeaderFacts, NamespaceFacts};
use super::hash::{Digest, Hasher, Object, Shown};

#[derive(Serialize)]
pub(super) struct Line<'a> {
    pub time: Timestamp,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub auth: AuthLine<'a>,
    pub request: RequestLine<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
}

#[derive(Default, Serialize)]
pub(super) struct AuthLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accessor: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub display_name: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub policies: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub token_policies: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub identity_policies: &'a [String],
    #[serde(skip_serializing_if = "is_false")]
    pub no_default_policy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_results: Option<PolicyLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<&'a BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub num_uses: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub remaining_uses: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub entity_id: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    pub entity_created: bool,
    pub token_type: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    pub token_ttl: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_issue_time: Option<Timestamp>,
}

#[derive(Serialize)]
pub(super) struct PolicyLine<'a> {
    pub allowed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub granting_policies: Vec<GrantingLine<'a>>,
}

#[derive(Serialize)]
pub(super) struct GrantingLine<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    namespace_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace_path: &'a str,
    #[serde(rename = "type", skip_serializing_if = "str::is_empty")]
    kind: &'a str,
}

#[derive(Serialize)]
pub(super) struct RequestLine<'a> {
    pub id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub client_id: &'a str,
    pub operation: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_point: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_accessor: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_running_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_class: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_token_accessor: Option<Shown<'a>>,
    pub namespace: NamespaceLine<'a>,
    pub path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Object<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_address: Option<IpAddr>,
    #[serde(skip_serializing_if = "is_port_zero")]
    pub remote_port: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub client_certificate_serial_number: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    pub wrap_ttl: u64,
    #[serde(skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers<'a>,
}

#[derive(Serialize)]
pub(super) struct NamespaceLine<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
}

#[derive(Serialize)]
pub(super) struct ResponseLine<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<AuthLine<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_point: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_accessor: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_running_plugin_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub mount_class: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretLine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Object<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap_info: Option<WrapLine<'a>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub redirect: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<&'a BTreeMap<String, Vec<String>>>,
}

#[derive(Serialize)]
pub(super) struct SecretLine<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub lease_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct WrapLine<'a> {
    pub ttl: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accessor: Option<Shown<'a>>,
    pub creation_time: Timestamp,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub creation_path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrapped_accessor: Option<Shown<'a>>,
}

/// The headers by name, each with its values.
pub(super) struct Headers<'a> {
    pub headers: &'a [HeaderFacts<'a>],
    pub hasher: &'a Hasher,
}

impl<'a> GrantingLine<'a> {
    pub fn of(policy: &GrantingPolicy<'a>) -> Self {
        Self {
            name: policy.name,
            namespace_id: policy.namespace.id,
            namespace_path: policy.namespace.path,
            kind: policy.kind,
        }
    }
}

impl<'a> NamespaceLine<'a> {
    pub fn of(namespace: NamespaceFacts<'a>) -> Self {
        let NamespaceFacts { id, path } = namespace;
        Self { id, path }
    }
}

impl Headers<'_> {
    fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }
}

impl Serialize for Headers<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.headers.len()))?;
        for header in self.headers {
            if header.hashed {
                let values = header.values.iter();
                let values = values.map(|value| self.hasher.hash(value.as_bytes()));
                map.serialize_entry(header.name, &values.collect::<Vec<Digest>>())?;
            } else {
                map.serialize_entry(header.name, header.values)?;
            }
        }
        map.end()
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_port_zero(port: &u16) -> bool {
    *port == 0
}
