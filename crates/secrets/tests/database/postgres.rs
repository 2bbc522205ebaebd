//! A private PostgreSQL for one test: its own folder, a free port of the loopback, gone with the value.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// The superuser.
pub const ADMIN: &str = "coffer_admin";
/// Its password.
pub const PASSWORD: &str = "adm'in {{password}}";

/// How often another port is tried when somebody was faster.
const PORT_TRIES: usize = 5;

pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    owner: Option<(u32, u32)>,
    pub port: u16,
}

impl Postgres {
    /// A server without TLS.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// A server with more settings, one a line.
    pub fn start_with(settings: &str) -> Self {
        let mut server = Self::created(settings);
        server.start_somewhere();
        server
    }

    /// A server that takes nothing but TLS.
    pub fn start_with_tls(certificate_pem: &str, key_pem: &str) -> Self {
        let mut server =
            Self::created("ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\n");
        server.put("server.crt", certificate_pem);
        server.put("server.key", key_pem);
        server.put(
            "pg_hba.conf",
            "hostssl all all 127.0.0.1/32 scram-sha-256\n",
        );
        server.start_somewhere();
        server
    }

    /// What `config/` wants.
    pub fn config(&self) -> Value {
        json!({
            "plugin_name": "postgresql-database-plugin",
            "connection_url": self.url("127.0.0.1", "sslmode=disable"),
            "username": ADMIN,
            "password": PASSWORD,
            "allowed_roles": "*",
        })
    }

    pub fn url(&self, host: &str, query: &str) -> String {
        format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@{host}:{}/postgres?{query}",
            self.port
        )
    }

    /// Logs in, or says why not.
    pub async fn login(&self, user: &str, password: &str) -> Result<Client, String> {
        self.login_to("postgres", user, password).await
    }

    pub async fn login_to(
        &self,
        database: &str,
        user: &str,
        password: &str,
    ) -> Result<Client, String> {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).dbname(database);
        config.user(user).password(password);
        match config.connect(NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                Ok(client)
            }
            Err(error) => match error.as_db_error() {
                Some(refusal) => Err(refusal.message().to_owned()),
                None => panic!("the server is not there: {error}"),
            },
        }
    }

    /// The first column of what `sql` answers to the superuser.
    pub async fn sql(&self, sql: &str) -> Vec<String> {
        let client = self.login(ADMIN, PASSWORD).await.unwrap();
        query(&client, sql).await.unwrap()
    }

    pub async fn has_role(&self, name: &str) -> bool {
        let name = name.replace('\'', "''");
        let sql = format!("SELECT 1 FROM pg_roles WHERE rolname = '{name}'");
        !self.sql(&sql).await.is_empty()
    }

    /// Stops it at once, as a crash would.
    pub fn stop(&self) {
        assert!(
            self.control(&["stop", "-m", "immediate"]),
            "PostgreSQL does not stop"
        );
    }

    /// Starts it again where it was.
    pub fn start_again(&self) {
        assert!(
            self.run(),
            "PostgreSQL does not start again on port {}",
            self.port
        );
    }

    fn created(settings: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("coffer-postgres-")
            .tempdir()
            .unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let server = Self {
            programs: programs(),
            owner: owner(),
            folder,
            port: 0,
        };
        fs::create_dir(server.data()).unwrap();
        server.hand_over(&server.data(), 0o700);
        let password = server.folder.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        server.hand_over(&password, 0o600);
        let done = server
            .command("initdb")
            .arg("-D")
            .arg(server.data())
            .args([
                "--username",
                ADMIN,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(password)
            .output()
            .unwrap();
        assert!(
            done.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        let conf = server.data().join("postgresql.conf");
        let written = fs::read_to_string(&conf).unwrap();
        let ours = "fsync = off\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 50\n";
        fs::write(&conf, format!("{written}\n{ours}{settings}\n")).unwrap();
        server
    }

    fn start_somewhere(&mut self) {
        for _ in 0..PORT_TRIES {
            self.port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            if self.run() {
                return;
            }
        }
        panic!(
            "PostgreSQL does not start: {}",
            fs::read_to_string(self.log()).unwrap_or_default()
        );
    }

    fn run(&self) -> bool {
        let port = format!("-c port={}", self.port);
        let log = self.log();
        let log = log.to_str().unwrap();
        self.control(&["start", "-w", "-t", "60", "-o", &port, "-l", log])
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data()).args(arguments);
        // The server inherits these, and a pipe would keep the test runner waiting for it.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().unwrap().success()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir("/").stdin(Stdio::null());
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        fs::write(&path, text).unwrap();
        self.hand_over(&path, 0o600);
    }

    fn hand_over(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        if let Some((uid, gid)) = self.owner {
            chown(path, Some(uid), Some(gid)).unwrap();
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.data().join("log.txt")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.control(&["stop", "-m", "immediate"]);
    }
}

/// The first column of what `sql` answers.
pub async fn query(client: &Client, sql: &str) -> Result<Vec<String>, String> {
    let rows = client
        .simple_query(sql)
        .await
        .map_err(|error| match error.as_db_error() {
            Some(refusal) => refusal.message().to_owned(),
            None => error.to_string(),
        })?;
    let first = |row: SimpleQueryMessage| match row {
        SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(first).collect())
}

/// Where PostgreSQL's programs are: in Debian's place, or in the PATH.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path).filter(|folder| folder.join("pg_ctl").exists()));
    found
        .into_iter()
        .rev()
        .find(|folder| folder.join("initdb").exists())
        .expect("these tests need PostgreSQL: install Debian's package `postgresql` (no cluster of its own is needed)")
}

/// PostgreSQL refuses to run as root, so root hands over to another user.
fn owner() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let ours = fs::metadata("/proc/self").unwrap().uid();
    if ours != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let line = users
            .lines()
            .find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(|field| field.parse().unwrap());
        Some((numbers.next()?, numbers.next()?))
    };
    Some(
        find("postgres")
            .or_else(|| find("nobody"))
            .expect("a user to run PostgreSQL as"),
    )
}
