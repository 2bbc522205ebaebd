use std::env;
use std::net::SocketAddr;
use std::path::PathBuf;

const LISTEN: &str = "127.0.0.1:0";
const ROLE: &str = "database/creds/app-role";
const SECRET: &str = "secret/app/config";
const POSTGRES_PORT: &str = "5432";

/// What the environment says. Nothing of it is secret: the token is in a file, the password is Coffer's business.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `COFFER_TOKEN_FILE`: where the token is; read again when it has ended.
    pub token_file: PathBuf,
    /// `SERVICE_LISTEN`: where the page is served; port 0 for any free one.
    pub listen: SocketAddr,
    /// `SERVICE_ADDRESS_FILE`: a file that gets the page's address once it is served.
    pub address_file: Option<PathBuf>,
    /// `SERVICE_ROLE`: where the database credential comes from.
    pub role: String,
    /// `SERVICE_SECRET`: the KV secret that is watched, as `MOUNT/PATH`.
    pub secret: SecretPath,
    /// `PGHOST`, `PGPORT`, `PGDATABASE`: the database.
    pub database: DatabasePlace,
}

/// A secret of a KV engine, version 2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretPath {
    /// The engine's mount.
    pub mount: String,
    /// The path below it.
    pub path: String,
}

/// Where the database is.
#[derive(Clone, Debug)]
pub struct DatabasePlace {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its name.
    pub name: String,
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, String> {
        Self::from_lookup(&|name| env::var(name).ok())
    }

    fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let found = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let text = |name: &str, other: &str| found(name).unwrap_or_else(|| other.to_owned());
        let needed = |name: &str| found(name).ok_or_else(|| format!("{name} is not set"));
        let listen = text("SERVICE_LISTEN", LISTEN);
        let listen: SocketAddr = listen
            .parse()
            .map_err(|_| format!("SERVICE_LISTEN is {listen:?} but must be like 127.0.0.1:8300"))?;
        if !listen.ip().is_loopback() {
            return Err(format!(
                "SERVICE_LISTEN is {listen}: the page has no TLS and no login, so it stays on loopback"
            ));
        }
        let port = text("PGPORT", POSTGRES_PORT);
        Ok(Self {
            token_file: needed("COFFER_TOKEN_FILE")?.into(),
            listen,
            address_file: found("SERVICE_ADDRESS_FILE").map(PathBuf::from),
            role: text("SERVICE_ROLE", ROLE),
            secret: SecretPath::parse(&text("SERVICE_SECRET", SECRET))?,
            database: DatabasePlace {
                host: text("PGHOST", "127.0.0.1"),
                port: port
                    .parse()
                    .map_err(|_| format!("PGPORT is {port:?} but must be a port"))?,
                name: needed("PGDATABASE")?,
            },
        })
    }
}

impl SecretPath {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_matches('/');
        let (mount, path) = text.split_once('/').ok_or_else(|| {
            format!("SERVICE_SECRET is {text:?} but must be a mount and a path, like {SECRET}")
        })?;
        Ok(Self {
            mount: mount.to_owned(),
            path: path.to_owned(),
        })
    }
}

impl std::fmt::Display for SecretPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.mount, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Settings, String> {
        let least = [("COFFER_TOKEN_FILE", "/t"), ("PGDATABASE", "shop")];
        Settings::from_lookup(&|name| {
            let mut all = pairs.iter().chain(&least);
            all.find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn little_has_to_be_said() {
        let settings = from(&[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:0");
        assert_eq!(settings.secret.to_string(), "secret/app/config");
        assert_eq!(settings.secret.path, "app/config");
        assert_eq!(settings.database.port, 5432);
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (name, value) in [
            ("SERVICE_LISTEN", "8300"),
            ("SERVICE_LISTEN", "0.0.0.0:8300"),
            ("PGPORT", "many"),
            ("SERVICE_SECRET", "secret"),
            ("PGDATABASE", ""),
        ] {
            let problem = from(&[(name, value)]).unwrap_err();
            assert!(problem.contains(name), "{problem}");
        }
    }
}
