//! What the parameters of a connection string mean.
//!
//! What would open files on this server (`sslrootcert`, `passfile`, `service` …) is refused.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, LoadBalanceHosts, TargetSessionAttrs};

use super::dsn::{Values, filled, pairs};
use crate::database::connection::Settings;

/// Longest connection string, in bytes.
const MAX_URL_BYTES: usize = 8 * 1024;
/// How long one attempt to connect may take if the string says nothing, in seconds.
const CONNECT_TIMEOUT_SECS: u64 = 10;
/// Where PostgreSQL listens if the string does not say.
const DEFAULT_PORT: u16 = 5432;
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

/// Whether the new settings lead to other hosts or ports. Those that are not understood lead nowhere.
pub(in crate::database) fn leads_elsewhere(old: &Settings, new: &Settings) -> bool {
    let place = |settings: &Settings| {
        let config = parse(settings).ok()?.config;
        let ports = match config.get_ports() {
            [] => vec![DEFAULT_PORT],
            ports => ports.to_vec(),
        };
        Some((config.get_hosts().to_vec(), ports))
    };
    place(new).is_some_and(|there| place(old) != Some(there))
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
                        Ok(DEFAULT_PORT)
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
}
