use std::path::PathBuf;
use std::time::Duration;

use coffer_hcl::Value;
use coffer_wire::{ApiPath, JsonBounds};

use super::forwarded::{self, ForwardedFor};
use super::headers::{self, ResponseHeaders};
use super::stanza::Stanza;
use super::tls::{self, Tls};
use super::{Error, Place, Warning, address, ignored};

/// Largest request body when nothing is set, in bytes: 32 MiB, as Vault.
pub const DEFAULT_MAX_REQUEST_SIZE_BYTES: u64 = 32 * 1024 * 1024;

/// A place where requests are accepted, and under which conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Listener {
    /// Where it binds.
    pub binding: Binding,
    /// Largest request body in bytes; `None` means that it is not limited.
    pub max_request_size_bytes: Option<u64>,
    /// What JSON bodies may hold.
    pub json: JsonBounds,
    /// How long one request may take.
    pub max_request_duration: Duration,
    /// How long a client may take.
    pub timeouts: Timeouts,
    /// Whether `sys/metrics` answers without a token here.
    pub unauthenticated_metrics_access: bool,
    /// Whether `sys/in-flight-req` answers without a token here.
    pub unauthenticated_in_flight_access: bool,
    /// Whether `sys/metrics` is all that answers here.
    pub metrics_only: bool,
    /// Whether `sys/metrics` does not answer here.
    pub disallow_metrics: bool,
    /// Whether the rekey endpoints that need no token are closed here.
    pub disable_unauthed_rekey_endpoints: bool,
    /// Whether the generate-root endpoints that need no token are closed here.
    pub disable_unauthed_generate_root_endpoints: bool,
    /// Whether answers without a token hide addresses.
    pub redact_addresses: bool,
    /// Whether answers without a token hide the cluster's name.
    pub redact_cluster_name: bool,
    /// Whether answers without a token hide the version.
    pub redact_version: bool,
    /// The mount that answers requests in AWS's protocol at the root of the listener, with its namespace's path in front.
    pub aws_kms: Option<String>,
    /// Headers that answers get.
    pub response_headers: Vec<ResponseHeaders>,
    /// Where the stanza stands.
    pub place: Place,
}

/// What a listener binds to.
#[derive(Clone, Debug, PartialEq)]
pub enum Binding {
    /// An address and port.
    Tcp {
        /// `host:port`; an IPv6 host is in brackets.
        address: String,
        /// `None` if TLS is disabled.
        tls: Option<Tls>,
        /// Which proxies are believed about client addresses.
        forwarded_for: Option<ForwardedFor>,
    },
    /// A socket of the file system.
    Unix(Socket),
}

/// A socket of the file system and who may use it.
#[derive(Clone, Debug, PartialEq)]
pub struct Socket {
    /// Its path.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: Option<u32>,
    /// Its owner, a name or number.
    pub user: Option<String>,
    /// Its group, a name or number.
    pub group: Option<String>,
}

/// How long a client may take. Defaults are Vault's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the request's head: 10 s.
    pub read_header: Duration,
    /// For the whole request: 30 s; `None` means no limit.
    pub read: Option<Duration>,
    /// For taking the answer; `None`, the default, means no limit.
    pub write: Option<Duration>,
    /// Between two requests: 5 min.
    pub idle: Duration,
}

pub(super) fn read(
    root: &mut Stanza,
    request_duration: Duration,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Listener>, Error> {
    let stanzas = root.blocks("listener", 1)?;
    stanzas
        .into_iter()
        .map(|stanza| listener(stanza, request_duration, warnings))
        .collect()
}

/// Closes the operator endpoints that need no token on every listener, but for those that the top level's
/// `enable_unauthenticated_access` names (Vault 2). Without that key nothing changes.
pub(super) fn close(listeners: &mut [Listener], root: &mut Stanza) -> Result<(), Error> {
    let expected = "a list of \"rekey\" and \"generate-root\"";
    let Some(open) = root.list("enable_unauthenticated_access", expected, |name| {
        Some(name.to_owned())
    })?
    else {
        return Ok(());
    };
    let is_open = |name: &str| open.iter().any(|open| open == name);
    for listener in listeners {
        listener.disable_unauthed_rekey_endpoints |= !is_open("rekey");
        listener.disable_unauthed_generate_root_endpoints |= !is_open("generate-root");
    }
    Ok(())
}

fn listener(
    mut stanza: Stanza,
    request_duration: Duration,
    warnings: &mut Vec<Warning>,
) -> Result<Listener, Error> {
    let binding = match stanza.label(0) {
        "tcp" => tcp(&mut stanza, warnings)?,
        "unix" => unix(&mut stanza, warnings)?,
        _ => {
            return Err(stanza.error(
                "is of an unknown type",
                "`tcp` or `unix`",
                "correct the label",
            ));
        }
    };
    let max_request_duration = stanza
        .nonzero_duration("max_request_duration")?
        .unwrap_or(request_duration);
    let mut access = stanza
        .flag("unauthenticated_metrics_access")?
        .unwrap_or(false);
    for mut telemetry in stanza.blocks("telemetry", 0)? {
        access |= telemetry
            .flag("unauthenticated_metrics_access")?
            .unwrap_or(false);
        access &= !telemetry.flag("disallow_metrics")?.unwrap_or(false);
        telemetry.finish()?;
    }
    let unauthenticated_in_flight_access = in_flight_access(&mut stanza)?;
    let listener = Listener {
        binding,
        max_request_size_bytes: match stanza.integer("max_request_size")?.unwrap_or(0) {
            0 => Some(DEFAULT_MAX_REQUEST_SIZE_BYTES),
            size => u64::try_from(size).ok(),
        },
        json: json_bounds(&mut stanza)?,
        max_request_duration,
        timeouts: timeouts(&mut stanza)?,
        unauthenticated_metrics_access: access,
        unauthenticated_in_flight_access,
        metrics_only: on(&mut stanza, "metrics_only")?,
        disallow_metrics: on(&mut stanza, "disallow_metrics")?,
        disable_unauthed_rekey_endpoints: on(&mut stanza, "disable_unauthed_rekey_endpoints")?,
        disable_unauthed_generate_root_endpoints: on(
            &mut stanza,
            "disable_unauthed_generate_root_endpoints",
        )?,
        redact_addresses: on(&mut stanza, "redact_addresses")?,
        redact_cluster_name: on(&mut stanza, "redact_cluster_name")?,
        redact_version: on(&mut stanza, "redact_version")?,
        aws_kms: aws_kms(&mut stanza)?,
        response_headers: headers::read(&mut stanza)?,
        place: stanza.place(),
    };
    stanza.ignore(ignored::IN_LISTENER, warnings);
    stanza.finish()?;
    Ok(listener)
}

/// Zero and less bound nothing, as where nothing is said.
fn json_bounds(stanza: &mut Stanza) -> Result<JsonBounds, Error> {
    let mut bound = |key| {
        let most = stanza
            .integer(key)?
            .and_then(|most| usize::try_from(most).ok());
        Ok::<_, Error>(most.filter(|most| *most > 0))
    };
    Ok(JsonBounds {
        depth: bound("max_json_depth")?,
        texts: bound("max_request_json_strings")?,
        text_bytes: bound("max_json_string_value_length")?,
        fields: bound("max_json_object_entry_count")?,
        elements: bound("max_json_array_element_count")?,
        memory_bytes: bound("max_request_json_memory")?,
    })
}

/// The path of a mount, as it stands in requests.
fn aws_kms(stanza: &mut Stanza) -> Result<Option<String>, Error> {
    let expected = "the path of a kms mount, for example \"kms/\"";
    stanza.value("aws_kms", expected, |value| {
        let path = value.as_text()?.trim_matches('/');
        let parsed = ApiPath::parse(path).ok()?;
        (!path.is_empty() && parsed.as_str() == path).then(|| path.to_owned())
    })
}

/// Both names of the switch are in use.
fn in_flight_access(stanza: &mut Stanza) -> Result<bool, Error> {
    let mut access = false;
    for mut block in stanza.blocks("inflight_requests_logging", 0)? {
        access |= on(&mut block, "unauthenticated_in_flight_requests_access")?;
        access |= on(&mut block, "unauthenticated_in_flight_access")?;
        block.finish()?;
    }
    Ok(access)
}

fn on(stanza: &mut Stanza, key: &'static str) -> Result<bool, Error> {
    Ok(stanza.flag(key)?.unwrap_or(false))
}

fn tcp(stanza: &mut Stanza, warnings: &mut Vec<Warning>) -> Result<Binding, Error> {
    let expected = "host:port; address templates (`{{ … }}`) are not resolved";
    let address = stanza.value("address", expected, |value| {
        address::complete(value.as_text()?)
    })?;
    let binding = Binding::Tcp {
        address: address.unwrap_or_else(|| "127.0.0.1:8200".to_owned()),
        tls: tls::read(stanza, warnings)?,
        forwarded_for: forwarded::read(stanza, warnings)?,
    };
    stanza.ignore(ignored::IN_TCP, warnings);
    Ok(binding)
}

fn unix(stanza: &mut Stanza, warnings: &mut Vec<Warning>) -> Result<Binding, Error> {
    let socket = Socket {
        path: stanza
            .path("address")?
            .unwrap_or_else(|| PathBuf::from("/run/coffer.sock")),
        mode: stanza.value(
            "socket_mode",
            "permission bits in octal, as in \"0660\"",
            mode,
        )?,
        user: stanza.plain_text("socket_user")?,
        group: stanza.plain_text("socket_group")?,
    };
    stanza.ignore(ignored::IN_UNIX, warnings);
    Ok(Binding::Unix(socket))
}

/// Permission bits: always octal, with a leading zero or without.
fn mode(value: &Value) -> Option<u32> {
    let text = value.as_text()?;
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
}

fn timeouts(stanza: &mut Stanza) -> Result<Timeouts, Error> {
    let limit = |duration: Duration| Some(duration).filter(|duration| !duration.is_zero());
    let read_header = stanza
        .nonzero_duration("http_read_header_timeout")?
        .unwrap_or(Duration::from_secs(10));
    let read = limit(
        stanza
            .duration("http_read_timeout")?
            .unwrap_or(Duration::from_secs(30)),
    );
    let idle = stanza
        .duration("http_idle_timeout")?
        .unwrap_or(Duration::from_secs(300));
    Ok(Timeouts {
        read_header,
        read,
        write: stanza.duration("http_write_timeout")?.and_then(limit),
        // Zero falls back to the read timeout, then to that of the head.
        idle: limit(idle).or(read).unwrap_or(read_header),
    })
}
