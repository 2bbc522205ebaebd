//! Connection strings: `postgresql://…` and `key=value …`, with `{{username}}` and `{{password}}` in them.
//!
//! The string is taken apart *before* the placeholders are filled, so no character of a name or password can change
//! its meaning. What would open files on this server (`sslrootcert`, `passfile`, `service` …) is refused.

use std::time::Duration;

use coffer_crypto::Secret;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, TargetSessionAttrs};

use crate::database::connection::Settings;

/// Longest connection string, in bytes.
const MAX_URL_BYTES: usize = 8 * 1024;
/// How long one attempt to connect may take if the string says nothing, in seconds.
const CONNECT_TIMEOUT_SECS: u64 = 10;
/// The longest that a connection string may ask for, in seconds.
const MAX_CONNECT_TIMEOUT_SECS: u64 = 30;

/// How much TLS is wanted, by libpq's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only if the server insists.
    Allow,
    /// TLS if the server has it; nothing is verified.
    Prefer,
    /// TLS; verified only if a CA is configured.
    Require,
    /// TLS with a certificate of a known CA.
    VerifyCa,
    /// The same, and the certificate must be for this host.
    VerifyFull,
}

/// A connection string that was understood.
pub(super) struct Address {
    /// Ready to connect, except for TLS.
    pub config: Config,
    /// How much TLS is wanted.
    pub mode: SslMode,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
}

/// Understands the connection string of these settings. The error names no value.
pub(super) fn parse(settings: &Settings) -> Result<Address, String> {
    let url = settings.connection_url.expose();
    if url.is_empty() {
        return Err("connection_url cannot be empty".into());
    }
    if url.len() > MAX_URL_BYTES {
        return Err(format!(
            "connection_url is longer than {MAX_URL_BYTES} bytes"
        ));
    }
    // With disable_escaping the operator has escaped name and password for the string already.
    let (text, values) = match settings.disable_escaping {
        true => (filled(url, settings), Values::None),
        false => (settings.connection_url.clone(), Values::Of(settings)),
    };
    let pairs = pairs(text.expose(), values)
        .map_err(|what| format!("cannot parse connection url: {what}"))?;
    let mut address = Address {
        config: Config::new(),
        mode: SslMode::Prefer,
        connect_timeout: Duration::from_secs(CONNECT_TIMEOUT_SECS),
    };
    address.config.application_name("coffer");
    let mut options = String::new();
    for (key, value) in &pairs {
        address
            .set(key, value.expose(), &mut options)
            .map_err(|what| format!("cannot parse connection url: {what}"))?;
    }
    if !options.is_empty() {
        address.config.options(options);
    }
    Ok(address)
}

/// The connection string with a password that is written in it replaced by `xxxxx`.
pub(in crate::database) fn masked(url: &str) -> (String, bool) {
    let Ok(pairs) = pairs(url, Values::Empty) else {
        return (url.to_owned(), false);
    };
    let written = pairs
        .iter()
        .filter(|(key, _)| key == "password")
        .map(|(_, value)| value.expose())
        .find(|value| !value.is_empty());
    let Some(password) = written else {
        return (url.to_owned(), false);
    };
    // In the string it may be escaped: then its place in the user part is what is replaced.
    let userinfo = url
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, authority(rest).rsplit_once('@')?.0, rest)))
        .and_then(|(scheme, user, rest)| Some((scheme, user.split_once(':')?.0, user, rest)));
    if let Some((scheme, name, user, rest)) = userinfo {
        let tail = rest.get(user.len()..).unwrap_or_default();
        return (format!("{scheme}://{name}:xxxxx{tail}"), true);
    }
    match url.contains(password.as_str()) {
        true => (url.replace(password.as_str(), "xxxxx"), true),
        // Escaped in a way that can not be found again: then nothing is shown.
        false => ("xxxxx".into(), true),
    }
}

type Pairs = Vec<(String, Secret<String>)>;

/// What placeholders stand for. They are looked for in the string as it is written, never in what escapes in it
/// or values bring about.
#[derive(Clone, Copy)]
enum Values<'a> {
    Of(&'a Settings),
    /// Nothing.
    Empty,
    /// Themselves.
    None,
}

impl<'a> Values<'a> {
    /// The value for the placeholder at the start of `text`, and the placeholder's length in bytes.
    fn at(self, text: &str) -> Option<(&'a str, usize)> {
        let is_name = text.starts_with("{{username}}");
        if !is_name && !text.starts_with("{{password}}") {
            return None;
        }
        let value = match self {
            Self::Of(settings) if is_name => settings.username.as_str(),
            Self::Of(settings) => settings.password.expose().as_str(),
            Self::Empty => "",
            Self::None => return None,
        };
        Some((value, "{{username}}".len()))
    }

    /// Room for `text` with its values, so that it never moves and leaves copies behind.
    fn room(self, text: &str) -> usize {
        let longest = match self {
            Self::Of(settings) => settings
                .username
                .len()
                .max(settings.password.expose().len()),
            Self::Empty | Self::None => 0,
        };
        text.len() + text.matches("{{").count() * longest
    }
}

fn filled(text: &str, settings: &Settings) -> Secret<String> {
    let values = Values::Of(settings);
    let mut out = Secret::new(String::with_capacity(values.room(text)));
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let plain = || (rest.get(..c.len_utf8()).unwrap_or_default(), c.len_utf8());
        let (value, length) = values.at(rest).unwrap_or_else(plain);
        out.expose_mut().push_str(value);
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

fn pairs(text: &str, values: Values<'_>) -> Result<Pairs, String> {
    let rest = ["postgresql://", "postgres://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(rest) => url_pairs(rest, values),
        None if text.contains("://") && !text.contains('=') => {
            Err("the scheme must be postgresql:// or postgres://".into())
        }
        None => keyword_pairs(text, values),
    }
}

fn authority(rest: &str) -> &str {
    // Placeholders and passwords may hold anything but these, as in every URL.
    rest.split(['/', '?']).next().unwrap_or(rest)
}

fn url_pairs(rest: &str, values: Values<'_>) -> Result<Pairs, String> {
    let authority = authority(rest);
    let after = rest.get(authority.len()..).unwrap_or_default();
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (user, hosts),
        None => ("", authority),
    };
    let mut pairs = Vec::new();
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut add = |key: &str, encoded: &str| {
        if !encoded.is_empty() {
            pairs.push((key.to_owned(), decoded(encoded, values)?));
        }
        Ok::<_, String>(())
    };
    add("user", name)?;
    add("password", password)?;
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = host_and_port(host)?;
        names.push(name);
        ports.push(port);
    }
    add("host", &names.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        add("port", &ports.join(","))?;
    }
    add("dbname", path.trim_start_matches('/'))?;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter
            .split_once('=')
            .ok_or("a parameter after ? has no value")?;
        add(decoded(key, Values::None)?.expose(), value)?;
    }
    Ok(pairs)
}

fn host_and_port(host: &str) -> Result<(&str, &str), String> {
    if let Some(inner) = host.strip_prefix('[') {
        let (name, rest) = inner
            .split_once(']')
            .ok_or("an IPv6 address is not closed by ]")?;
        return Ok((name, rest.strip_prefix(':').unwrap_or_default()));
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

fn keyword_pairs(text: &str, values: Values<'_>) -> Result<Pairs, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or("invalid keyword/value")?;
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err("invalid keyword/value".into());
        }
        let (value, after) = keyword_value(after.trim_start(), values)?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    match pairs.is_empty() {
        true => Err("invalid keyword/value".into()),
        false => Ok(pairs),
    }
}

/// One value, in single quotes or up to a blank; a backslash takes the next character as it is.
fn keyword_value<'t>(
    text: &'t str,
    values: Values<'_>,
) -> Result<(Secret<String>, &'t str), String> {
    let quoted = text.strip_prefix('\'');
    let body = quoted.unwrap_or(text);
    let mut value = Secret::new(String::with_capacity(values.room(body)));
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        if let Some((filled, length)) = body.get(at..).and_then(|rest| values.at(rest)) {
            value.expose_mut().push_str(filled);
            chars.nth(length - 2);
            continue;
        }
        match c {
            '\\' => match chars.next() {
                Some((_, escaped)) => value.expose_mut().push(escaped),
                None => return Err("the string ends in a backslash".into()),
            },
            '\'' if quoted.is_some() => {
                return Ok((value, body.get(at + 1..).unwrap_or_default()));
            }
            c if c.is_whitespace() && quoted.is_none() => {
                return Ok((value, body.get(at..).unwrap_or_default()));
            }
            c => value.expose_mut().push(c),
        }
    }
    match quoted {
        Some(_) => Err("a value in quotes is not closed".into()),
        None => Ok((value, "")),
    }
}

fn decoded(text: &str, values: Values<'_>) -> Result<Secret<String>, String> {
    let mut bytes = Secret::new(Vec::with_capacity(values.room(text)));
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        if let Some((value, length)) = text.get(at..).and_then(|rest| values.at(rest)) {
            bytes.expose_mut().extend(value.as_bytes());
            at += length;
        } else if byte == b'%' {
            let digits = text.get(at + 1..at + 3).filter(|d| !d.starts_with('+'));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes
                .expose_mut()
                .push(byte.ok_or("a percent escape is broken")?);
            at += 3;
        } else {
            bytes.expose_mut().push(byte);
            at += 1;
        }
    }
    String::from_utf8(std::mem::take(bytes.expose_mut()))
        .map(Secret::new)
        .map_err(|_| "an escaped value is not UTF-8".into())
}

impl Address {
    fn set(&mut self, key: &str, value: &str, options: &mut String) -> Result<(), String> {
        let config = &mut self.config;
        match key {
            "user" => {
                config.user(value);
            }
            "password" => {
                config.password(value);
            }
            "dbname" | "database" => {
                config.dbname(value);
            }
            "host" => value.split(',').for_each(|host| {
                config.host(host);
            }),
            "port" => {
                for port in value.split(',') {
                    let port = if port.is_empty() {
                        Ok(5432)
                    } else {
                        port.parse()
                    };
                    config.port(port.map_err(|_| "invalid port")?);
                }
            }
            "sslmode" => self.mode = ssl_mode(value)?,
            "application_name" | "fallback_application_name" => {
                config.application_name(value);
            }
            "connect_timeout" => {
                let secs: u64 = value
                    .parse()
                    .map_err(|_| "connect_timeout is not a number of seconds")?;
                let secs = if secs == 0 {
                    CONNECT_TIMEOUT_SECS
                } else {
                    secs
                };
                self.connect_timeout = Duration::from_secs(secs.min(MAX_CONNECT_TIMEOUT_SECS));
            }
            "target_session_attrs" => {
                config.target_session_attrs(session_attrs(value)?);
            }
            "load_balance_hosts" if value == "random" => {
                config.load_balance_hosts(LoadBalanceHosts::Random);
            }
            "load_balance_hosts" => {}
            "channel_binding" => {
                config.channel_binding(channel_binding(value)?);
            }
            "options" => options.push_str(&format!(" {value}")),
            "sslrootcert" | "sslcert" | "sslkey" | "sslcrl" | "sslcrldir" | "sslpassword" => {
                return Err(format!(
                    "{key} would read a file of the server; give the PEM text in tls_ca, tls_certificate and private_key"
                ));
            }
            "passfile" | "service" | "servicefile" | "krbsrvname" | "krbspn" | "gssencmode" => {
                return Err(format!("{key} is not supported"));
            }
            // As with other drivers, whatever else there is becomes a setting of the session.
            setting
                if setting
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.') =>
            {
                let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
                options.push_str(&format!(" -c {setting}={value}"));
            }
            _ => return Err("a parameter's name is not one".into()),
        }
        Ok(())
    }
}

fn ssl_mode(value: &str) -> Result<SslMode, String> {
    Ok(match value {
        "disable" => SslMode::Disable,
        "allow" => SslMode::Allow,
        "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        _ => {
            return Err(
                "sslmode must be disable, allow, prefer, require, verify-ca or verify-full".into(),
            );
        }
    })
}

fn session_attrs(value: &str) -> Result<TargetSessionAttrs, String> {
    match value {
        "any" => Ok(TargetSessionAttrs::Any),
        "read-write" | "primary" => Ok(TargetSessionAttrs::ReadWrite),
        "read-only" | "standby" => Ok(TargetSessionAttrs::ReadOnly),
        _ => Err("target_session_attrs must be any, read-write or read-only".into()),
    }
}

fn channel_binding(value: &str) -> Result<ChannelBinding, String> {
    match value {
        "disable" => Ok(ChannelBinding::Disable),
        "prefer" => Ok(ChannelBinding::Prefer),
        "require" => Ok(ChannelBinding::Require),
        _ => Err("channel_binding must be disable, prefer or require".into()),
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    fn settings(url: &str) -> Settings {
        Settings {
            connection_url: url.into(),
            username: "ad:min@x".into(),
            password: "p@ss/w?o'rd %41\\".into(),
            ..Settings::default()
        }
    }

    #[test]
    fn values_can_not_change_the_string() {
        for url in [
            "postgresql://{{username}}:{{password}}@db.example:5433/app?sslmode=verify-full&connect_timeout=3",
            "postgres://{{username}}:{{password}}@db.example:5433/app?sslmode=verify-full&connect_timeout=3",
            "host=db.example port=5433 user={{username}} password='{{password}}' dbname=app sslmode=verify-full connect_timeout=3",
            "host = db.example port=5433 user={{username}} password={{password}} dbname = 'app' sslmode=verify-full connect_timeout=3",
        ] {
            let address = parse(&settings(url)).unwrap();
            let config = &address.config;
            assert_eq!(config.get_user(), Some("ad:min@x"), "{url}");
            assert_eq!(config.get_password(), Some(&b"p@ss/w?o'rd %41\\"[..]));
            assert_eq!(config.get_hosts(), [Host::Tcp("db.example".into())]);
            assert_eq!(config.get_ports(), [5433]);
            assert_eq!(config.get_dbname(), Some("app"));
            assert_eq!(address.mode, SslMode::VerifyFull);
            assert_eq!(address.connect_timeout, Duration::from_secs(3));
        }
    }

    #[test]
    fn escapes_hosts_and_settings() {
        let address = parse(&settings(
            "postgres://a%40b:p%2Fw@[::1]:1,h2/d%20b?search_path=x%20y&statement_timeout=5",
        ))
        .unwrap();
        assert_eq!(address.config.get_user(), Some("a@b"));
        assert_eq!(address.config.get_password(), Some(&b"p/w"[..]));
        assert_eq!(address.config.get_hosts().len(), 2);
        assert_eq!(address.config.get_ports(), [1, 5432]);
        assert_eq!(address.config.get_dbname(), Some("d b"));
        assert_eq!(
            address.config.get_options(),
            Some(" -c search_path=x\\ y -c statement_timeout=5")
        );
        let escaped = Settings {
            password: "p%2Fw".into(),
            disable_escaping: true,
            ..settings("postgres://u:{{password}}@h/d")
        };
        assert_eq!(
            parse(&escaped).unwrap().config.get_password(),
            Some(&b"p/w"[..])
        );
    }

    #[test]
    fn refuses_files_and_nonsense() {
        for (url, reason) in [
            ("", "cannot be empty"),
            ("::nonsense", "invalid keyword/value"),
            ("mysql://h/d", "scheme"),
            ("postgres://h/d?sslrootcert=/etc/passwd", "tls_ca"),
            ("host=h passfile=/etc/shadow", "not supported"),
            ("postgres://h:x/d", "invalid port"),
            ("postgres://h/d?sslmode=maybe", "sslmode"),
            ("postgres://%zz@h/d", "percent"),
            ("host='h", "not closed"),
        ] {
            let error = parse(&settings(url)).err().unwrap();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }

    #[test]
    fn passwords_in_the_string_are_masked() {
        for (url, shown) in [
            ("postgres://a:secret@h/d", "postgres://a:xxxxx@h/d"),
            ("postgres://a:s%20t@h/d?x=1", "postgres://a:xxxxx@h/d?x=1"),
            (
                "postgres://a:%7b%7bpassword%7D%7D@h/d",
                "postgres://a:xxxxx@h/d",
            ),
            ("host=h password=secret", "host=h password=xxxxx"),
            ("host=h password='sec\\'ret'", "xxxxx"),
            (
                "postgres://h/d?password=secret",
                "postgres://h/d?password=xxxxx",
            ),
        ] {
            assert_eq!(masked(url), (shown.to_owned(), true), "{url}");
        }
        let template = "postgres://{{username}}:{{password}}@h/d";
        assert_eq!(masked(template), (template.to_owned(), false));
    }
}
