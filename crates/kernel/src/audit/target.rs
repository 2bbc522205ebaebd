//! The options that say where a device's lines go.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use coffer_engine::Fault;
use coffer_wire::parse_duration;

use super::http::HttpTarget;
use super::socket::Address;
use super::syslog::Header;

/// The permissions of a new file unless others are asked for.
const MODE_DEFAULT: u32 = 0o600;
/// How long a socket may take for each step unless the device says otherwise.
const SOCKET_TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);
/// How long a post may take unless the device says otherwise.
const HTTP_TIMEOUT_DEFAULT: Duration = Duration::from_secs(5);
/// The longest that a device may take: requests wait for it.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);
/// The longest address, in bytes.
const ADDRESS_BYTES_MAX: usize = 4_096;
/// The longest tag, in bytes.
const TAG_BYTES_MAX: usize = 256;
/// How many headers a post may have, and how many bytes all of them.
const HEADERS_MAX: usize = 64;
const HEADERS_BYTES_MAX: usize = 16 << 10;
/// How long the certificates of a device may be together, in bytes.
const CA_BYTES_MAX: usize = 256 << 10;
/// The facility and the tag of messages to syslog unless the device names others.
const FACILITY_DEFAULT: &str = "AUTH";
const TAG_DEFAULT: &str = "vault";

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A file, appended to, with these permissions; none to leave those of an existing file as they are.
    File { path: PathBuf, mode: Option<u32> },
    /// The server's standard output.
    Stdout,
    /// Nowhere. Counts as recorded.
    Discard,
    /// A socket. Connecting and each write may take `timeout`.
    Socket { address: Address, timeout: Duration },
    /// The machine's syslog.
    Syslog(Header),
    /// An HTTP server.
    Http(HttpTarget),
}

impl Target {
    /// Reads what a device of this type must be told.
    pub fn read(kind: &str, given: &BTreeMap<String, String>) -> Result<Self, Fault> {
        match kind {
            "file" => read_file(given),
            "socket" => read_socket(given),
            "syslog" => read_syslog(given),
            "http" => read_http(given),
            _ => Err(Fault::invalid(format!(
                "the audit device type {kind:?} is not known; this server has \"file\", \"socket\", \"syslog\" and \"http\""
            ))),
        }
    }

    /// How long one line may take it, by its own rules.
    pub fn timeout(&self) -> Option<Duration> {
        match self {
            Self::Socket { timeout, .. } => Some(*timeout),
            Self::Http(target) => Some(target.timeout),
            Self::File { .. } | Self::Stdout | Self::Discard | Self::Syslog(_) => None,
        }
    }
}

fn read_file(given: &BTreeMap<String, String>) -> Result<Target, Fault> {
    // `path` is the name that older configurations use.
    let path = given.get("file_path").or_else(|| given.get("path"));
    let mode = read_mode(given)?;
    match path.map(|path| path.trim()) {
        None | Some("") => Err(Fault::invalid(
            "file_path is required: the file to append to, or stdout, or discard",
        )),
        Some("stdout") => Ok(Target::Stdout),
        Some("discard") => Ok(Target::Discard),
        Some(path) => Ok(Target::File {
            path: path.into(),
            mode,
        }),
    }
}

/// Octal digits. A log is never executable, and zero leaves an existing file's permissions alone.
fn read_mode(given: &BTreeMap<String, String>) -> Result<Option<u32>, Fault> {
    let Some(text) = given.get("mode").filter(|text| !text.is_empty()) else {
        return Ok(Some(MODE_DEFAULT));
    };
    match u32::from_str_radix(text, 8) {
        Ok(0) => Ok(None),
        Ok(mode) if mode <= 0o777 => Ok(Some(mode & 0o666)),
        _ => Err(Fault::invalid(format!(
            "mode {text:?} is not a file mode; write octal digits, for example \"0600\""
        ))),
    }
}

fn read_socket(given: &BTreeMap<String, String>) -> Result<Target, Fault> {
    let address = required(given, "address", "host:port, or the path of a Unix socket")?;
    let address = match given.get("socket_type").map(String::as_str) {
        None | Some("" | "tcp") => Address::Tcp(with_port(address)?),
        Some("udp") => Address::Udp(with_port(address)?),
        Some("unix") => Address::Unix(address.into()),
        Some("unixgram") => Address::UnixDatagram(address.into()),
        Some(other) => {
            return Err(Fault::invalid(format!(
                "socket_type {other:?} is not known; write \"tcp\", \"udp\", \"unix\" or \"unixgram\""
            )));
        }
    };
    let timeout = read_timeout(given, SOCKET_TIMEOUT_DEFAULT)?;
    Ok(Target::Socket { address, timeout })
}

fn with_port(address: String) -> Result<String, Fault> {
    let port = address
        .rsplit_once(':')
        .map(|(host, port)| (host.is_empty(), port.parse::<u16>()));
    match port {
        Some((false, Ok(1..))) => Ok(address),
        _ => Err(Fault::invalid(format!(
            "address {address:?} does not name a host and a port; write it as host:port"
        ))),
    }
}

fn read_syslog(given: &BTreeMap<String, String>) -> Result<Target, Fault> {
    let facility = given
        .get("facility")
        .map_or(FACILITY_DEFAULT, String::as_str);
    let tag = given.get("tag").map_or(TAG_DEFAULT, String::as_str);
    if tag.is_empty() || tag.len() > TAG_BYTES_MAX || tag.chars().any(char::is_control) {
        return Err(Fault::invalid(format!(
            "tag has 1 to {TAG_BYTES_MAX} bytes and no control characters"
        )));
    }
    let header = Header::of(facility, tag).ok_or_else(|| {
        Fault::invalid(format!(
            "facility {facility:?} is not known to syslog; write \"AUTH\", \"LOCAL0\" to \"LOCAL7\", or another of its names"
        ))
    })?;
    Ok(Target::Syslog(header))
}

fn read_http(given: &BTreeMap<String, String>) -> Result<Target, Fault> {
    let uri = required(
        given,
        "uri",
        "where each line is posted, for example https://logs.example.org/audit",
    )?;
    // The reference takes these for a file to read or a variable to look up on the server.
    if !(uri.starts_with("http://") || uri.starts_with("https://")) {
        return Err(Fault::invalid(format!(
            "uri {uri:?} begins neither with http:// nor with https://"
        )));
    }
    Ok(Target::Http(HttpTarget {
        uri,
        headers: read_headers(given)?,
        timeout: read_timeout(given, HTTP_TIMEOUT_DEFAULT)?,
        ca_pem: read_ca(given)?,
    }))
}

fn read_headers(given: &BTreeMap<String, String>) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let Some(text) = given.get("headers").filter(|text| !text.trim().is_empty()) else {
        return Ok(BTreeMap::new());
    };
    let shape = || {
        Fault::invalid(
            "headers is no JSON object of lists of texts; write, for example, {\"Authorization\": [\"Bearer …\"]}",
        )
    };
    if text.len() > HEADERS_BYTES_MAX {
        return Err(Fault::invalid(format!(
            "headers is longer than {HEADERS_BYTES_MAX} bytes; shorten it"
        )));
    }
    // What does not fit is not repeated: it may be a credential.
    let headers: BTreeMap<String, Vec<String>> = serde_json::from_str(text).map_err(|_| shape())?;
    if headers.len() > HEADERS_MAX {
        return Err(Fault::invalid(format!(
            "headers has more than {HEADERS_MAX} entries; remove some"
        )));
    }
    Ok(headers)
}

fn read_ca(given: &BTreeMap<String, String>) -> Result<Option<String>, Fault> {
    let pem = given.get("ca_pem").filter(|text| !text.trim().is_empty());
    match pem {
        Some(pem) if pem.len() > CA_BYTES_MAX => Err(Fault::invalid(format!(
            "ca_pem is longer than {CA_BYTES_MAX} bytes; leave out what is not needed"
        ))),
        pem => Ok(pem.cloned()),
    }
}

fn read_timeout(given: &BTreeMap<String, String>, default: Duration) -> Result<Duration, Fault> {
    let Some(text) = given.get("write_timeout") else {
        return Ok(default);
    };
    let timeout =
        parse_duration(text).map_err(|error| Fault::invalid(format!("write_timeout: {error}")))?;
    if timeout.is_zero() || timeout > TIMEOUT_MAX {
        return Err(Fault::invalid(format!(
            "write_timeout {text:?} is not above zero and at most {TIMEOUT_MAX:?}"
        )));
    }
    Ok(timeout)
}

fn required(given: &BTreeMap<String, String>, name: &str, what: &str) -> Result<String, Fault> {
    match given.get(name).map(|text| text.trim()) {
        None | Some("") => Err(Fault::invalid(format!("{name} is required: {what}"))),
        Some(text) if text.len() > ADDRESS_BYTES_MAX => Err(Fault::invalid(format!(
            "{name} is longer than {ADDRESS_BYTES_MAX} bytes; shorten it"
        ))),
        Some(text) => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, given: &[(&str, &str)]) -> Result<Target, String> {
        let given = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Target::read(kind, &given).map_err(|fault| fault.to_string())
    }

    #[test]
    fn files() {
        let expected = Target::File {
            path: "/var/log/audit.log".into(),
            mode: Some(0o600),
        };
        for name in ["file_path", "path"] {
            assert_eq!(
                read("file", &[(name, "/var/log/audit.log")]),
                Ok(expected.clone())
            );
        }
        assert_eq!(read("file", &[("file_path", "stdout")]), Ok(Target::Stdout));
        assert_eq!(
            read("file", &[("file_path", "discard")]),
            Ok(Target::Discard)
        );
        let mode = |mode| match read("file", &[("file_path", "a"), ("mode", mode)]) {
            Ok(Target::File { mode, .. }) => mode,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            (mode("0755"), mode("0000"), mode("")),
            (Some(0o644), None, Some(0o600))
        );
    }

    #[test]
    fn sockets() {
        let socket = |more: &[(&str, &str)]| {
            let mut given = vec![("address", "127.0.0.1:514")];
            given.extend(more);
            read("socket", &given)
        };
        let expected = |address: Address, secs| {
            let timeout = Duration::from_secs(secs);
            Ok(Target::Socket { address, timeout })
        };
        let there = || "127.0.0.1:514".to_owned();
        assert_eq!(socket(&[]), expected(Address::Tcp(there()), 2));
        assert_eq!(
            socket(&[("socket_type", "udp"), ("write_timeout", "5")]),
            expected(Address::Udp(there()), 5)
        );
        assert_eq!(
            socket(&[("socket_type", "unix")]),
            expected(Address::Unix(there().into()), 2)
        );
        assert_eq!(
            socket(&[("socket_type", "unixgram")]),
            expected(Address::UnixDatagram(there().into()), 2)
        );
        assert!(read("socket", &[("address", "[::1]:9")]).is_ok());
    }

    #[test]
    fn syslog_and_http() {
        let Ok(Target::Syslog(header)) = read("syslog", &[]) else {
            panic!("no header")
        };
        assert_eq!((header.priority, header.tag.as_str()), (38, "vault"));
        let http = [("uri", "https://h/x"), ("headers", "{\"A\":[\"b\",\"c\"]}")];
        let Ok(Target::Http(target)) = read("http", &http) else {
            panic!("no target")
        };
        assert_eq!(
            (target.uri.as_str(), target.timeout),
            ("https://h/x", Duration::from_secs(5))
        );
        assert_eq!(target.headers["A"], ["b", "c"]);
    }

    #[test]
    fn mistakes_name_the_option_and_not_its_secrets() {
        for (kind, given, word) in [
            ("nosuch", &[][..], "type"),
            ("file", &[], "file_path"),
            ("file", &[("file_path", "")], "file_path"),
            ("file", &[("file_path", "a"), ("mode", "9z")], "mode"),
            ("file", &[("file_path", "a"), ("mode", "1777")], "mode"),
            ("socket", &[], "address is required"),
            ("socket", &[("address", "h")], "host:port"),
            ("socket", &[("address", ":1")], "host:port"),
            ("socket", &[("address", "h:0")], "host:port"),
            (
                "socket",
                &[("address", "h:1"), ("socket_type", "sctp")],
                "socket_type",
            ),
            (
                "socket",
                &[("address", "h:1"), ("write_timeout", "0")],
                "write_timeout",
            ),
            (
                "socket",
                &[("address", "h:1"), ("write_timeout", "-1s")],
                "write_timeout",
            ),
            (
                "socket",
                &[("address", "h:1"), ("write_timeout", "2h")],
                "write_timeout",
            ),
            ("syslog", &[("facility", "NOPE")], "facility"),
            ("syslog", &[("tag", "a\nb")], "tag"),
            ("http", &[], "uri is required"),
            ("http", &[("uri", "file:///etc/passwd")], "http://"),
            (
                "http",
                &[("uri", "http://h"), ("headers", "hunter2")],
                "headers",
            ),
            (
                "http",
                &[("uri", "http://h"), ("headers", "{\"a\":\"hunter2\"}")],
                "headers",
            ),
        ] {
            let text = read(kind, given).unwrap_err();
            assert!(text.contains(word) && !text.contains("hunter2"), "{text}");
        }
    }
}
