//! `config/{name}`: how a database is reached, and which roles may use it.

use coffer_crypto::Secret;
use coffer_engine::{
    Ctx, Empty, Fault, Handle, Replies, Reply, Routes, Stored, WithWarnings, path,
};
use coffer_wire::{CommaList, Flag, Int, Text, parse_duration};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

use super::Database;
use super::driver;
use super::events::{self, CONFIG_DELETE, CONFIG_WRITE, RESET};
use super::postgres::{leads_elsewhere, masked};
use super::statements::Statements;
use super::username::UsernameTemplate;
use coffer_engine::keys::Keys;
use coffer_engine::keys::page;
use coffer_engine::plaintext;

pub(super) fn routes() -> Routes<Database> {
    Routes::new([
        path("config", "The configured databases.").list::<ListConnections>(),
        path(
            "config/{name}",
            "How one database is reached, and which roles may use it.",
        )
        .read::<ReadConnection>()
        .write::<WriteConnection>()
        .tells(CONFIG_WRITE)
        .delete::<DeleteConnection>()
        .tells(CONFIG_DELETE),
        path(
            "reset/{name}",
            "Closes the connections to a database and connects anew.",
        )
        .write::<ResetConnection>(),
    ])
}

/// Where a configuration is kept.
pub(super) fn place(name: &str) -> String {
    format!("config/{name}")
}

/// A stored configuration.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Connection {
    /// Another one after each write.
    pub revision: String,
    /// Which kind of database.
    pub plugin_name: String,
    /// Kept for clients that set it; there is one version.
    pub plugin_version: String,
    /// Names or globs of the roles that may use it.
    pub allowed_roles: Vec<String>,
    /// How the admin's password is changed; the database's own way if empty.
    pub root_rotation_statements: Vec<String>,
    /// The policy of generated passwords; the default if empty.
    pub password_policy: String,
    /// What the driver needs.
    pub settings: Settings,
}

/// What a driver needs.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Settings {
    /// The connection string, which may hold a password.
    #[serde(serialize_with = "plaintext::text")]
    pub connection_url: Secret<String>,
    /// The admin user.
    pub username: String,
    /// Its password.
    #[serde(serialize_with = "plaintext::text")]
    pub password: Secret<String>,
    /// The password of a rotation that has begun: the database has this one or the other.
    #[serde(serialize_with = "plaintext::maybe")]
    pub pending_password: Option<Secret<String>>,
    /// Most connections at the same time.
    pub max_open_connections: Option<i64>,
    /// Most connections kept idle.
    pub max_idle_connections: Option<i64>,
    /// The age after which a connection is not used again, as it was written.
    pub max_connection_lifetime: Option<String>,
    /// How user names are made.
    pub username_template: Option<String>,
    /// `password`, or `scram-sha-256` to send hashes only.
    pub password_authentication: String,
    /// The CA to trust, in PEM.
    pub tls_ca: String,
    /// Our certificate, in PEM.
    pub tls_certificate: String,
    /// Its key, in PEM.
    #[serde(serialize_with = "plaintext::text")]
    pub private_key: Secret<String>,
    /// Whether name and password are escaped for the connection string already.
    pub disable_escaping: bool,
}

impl Stored for Connection {}

impl Settings {
    /// The age after which a connection is not used again; zero for no limit.
    pub(super) fn max_lifetime(&self) -> Result<Duration, String> {
        let written = self.max_connection_lifetime.as_deref().unwrap_or_default();
        parse_duration(written).map_err(|e| format!("invalid max_connection_lifetime: {e}"))
    }

    /// The template of user names that is in force.
    pub(super) fn template(&self) -> Result<UsernameTemplate, String> {
        let written = self.username_template.as_deref().filter(|t| !t.is_empty());
        UsernameTemplate::parse(written.unwrap_or(super::username::DEFAULT))
            .map_err(|error| format!("unable to initialize username template: {error}"))
    }
}

impl Connection {
    /// Whether the role of that name may use it. `*` at the ends of an entry stands for anything.
    pub(super) fn allows(&self, role: &str) -> bool {
        self.allowed_roles.iter().any(|glob| matches(glob, role))
    }
}

fn matches(glob: &str, name: &str) -> bool {
    match (glob.strip_prefix('*'), glob.strip_suffix('*')) {
        _ if glob == "*" => true,
        (Some(_), Some(_)) => name.contains(glob.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => glob == name,
    }
}

/// Makes a password that the database has accepted the current one.
pub(super) async fn adopt_password(
    cx: &Ctx,
    name: &str,
    password: &Secret<String>,
) -> Result<Connection, Fault> {
    let revision = cx.random.base62(20);
    cx.view
        .update(&place(name), |old: Option<Connection>| {
            let mut stored = old.ok_or_else(|| {
                Fault::Conflict(format!("the configuration {name:?} was deleted meanwhile"))
            })?;
            let settings = &mut stored.settings;
            let ours = settings.pending_password.as_ref() == Some(password);
            if ours || settings.password == *password {
                settings.password = password.clone();
                settings.pending_password = None;
            } else {
                // Another rotation overtook this one: whoever logs in next finds out which password is good.
                settings.pending_password = Some(password.clone());
            }
            stored.revision = revision.clone();
            Ok::<_, Fault>((Some(stored.clone()), stored))
        })
        .await
}

/// Lists the configured databases.
#[derive(Deserialize, JsonSchema)]
struct ListConnections {
    /// Names after this one only.
    #[serde(default)]
    after: String,
    /// How many names at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Database> for ListConnections {
    type Reply = Keys;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, "config/", &self.after, self.limit).await
    }
}

/// Reads a configuration, without its secrets.
#[derive(Deserialize, JsonSchema)]
struct ReadConnection {
    /// Name of the configuration.
    name: String,
}

/// A configuration without its secrets.
#[derive(Serialize, JsonSchema)]
struct ConnectionView {
    /// Names or globs of the roles that may use it.
    allowed_roles: Vec<String>,
    /// What was set for the driver.
    connection_details: Map<String, Value>,
    /// The policy of generated passwords.
    password_policy: String,
    /// Which kind of database.
    plugin_name: String,
    /// Always the built-in one.
    plugin_version: String,
    /// How the admin's password is changed.
    root_credentials_rotate_statements: Vec<String>,
}

impl Handle<Database> for ReadConnection {
    type Reply = ConnectionView;

    async fn handle(self, _: &Database, cx: &Ctx) -> Result<ConnectionView, Fault> {
        let stored: Connection = cx
            .view
            .get(&place(&self.name))
            .await?
            .ok_or(Fault::NotFound)?;
        Ok(ConnectionView {
            connection_details: details(&stored.settings),
            allowed_roles: stored.allowed_roles,
            password_policy: stored.password_policy,
            plugin_name: stored.plugin_name,
            plugin_version: stored.plugin_version,
            root_credentials_rotate_statements: stored.root_rotation_statements,
        })
    }
}

/// What was set, with the names and in the form it was set.
fn details(settings: &Settings) -> Map<String, Value> {
    let (url, _) = masked(settings.connection_url.expose());
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    let all = [
        ("connection_url", Some(json!(url))),
        ("username", text(&settings.username)),
        (
            "max_open_connections",
            settings.max_open_connections.map(|n| json!(n)),
        ),
        (
            "max_idle_connections",
            settings.max_idle_connections.map(|n| json!(n)),
        ),
        (
            "max_connection_lifetime",
            settings.max_connection_lifetime.as_ref().map(|t| json!(t)),
        ),
        (
            "username_template",
            settings.username_template.as_ref().map(|t| json!(t)),
        ),
        (
            "password_authentication",
            text(&settings.password_authentication),
        ),
        ("tls_ca", text(&settings.tls_ca)),
        ("tls_certificate", text(&settings.tls_certificate)),
        (
            "disable_escaping",
            settings.disable_escaping.then_some(json!(true)),
        ),
    ];
    let set = all.into_iter();
    set.filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

/// Configures a database, or changes the given fields of a configuration.
#[derive(Deserialize, JsonSchema)]
struct WriteConnection {
    /// Name of the configuration.
    name: String,
    /// Kind of database: `postgresql-database-plugin`.
    plugin_name: Option<Text>,
    /// Accepted for compatibility; drivers are built in.
    plugin_version: Option<Text>,
    /// Whether to log in before it is stored; true if not said.
    verify_connection: Option<Flag>,
    /// Names of the roles that may use it; `*` at the ends of a name stands for anything.
    allowed_roles: Option<CommaList>,
    /// Statements that change the admin's password, with {{username}} and {{password}}.
    root_rotation_statements: Option<Statements>,
    /// Policy of generated passwords (`sys/policies/password`).
    password_policy: Option<Text>,
    /// How to reach it: `postgresql://{{username}}:{{password}}@host:5432/database?sslmode=verify-full`, or `key=value` pairs.
    #[schemars(with = "Option<String>")]
    connection_url: Option<Secret<String>>,
    /// The admin user.
    username: Option<Text>,
    /// The admin user's password; never returned.
    #[schemars(with = "Option<String>")]
    password: Option<Secret<String>>,
    /// Most connections at the same time; 4 if not said.
    max_open_connections: Option<Int>,
    /// Most connections kept idle; as many as may be open if zero, none if negative.
    max_idle_connections: Option<Int>,
    /// Age after which a connection is not used again; no limit if zero.
    max_connection_lifetime: Option<Text>,
    /// Template of user names.
    username_template: Option<Text>,
    /// `password`, or `scram-sha-256` to send hashed passwords in statements.
    password_authentication: Option<Text>,
    /// CA certificates to trust, in PEM.
    tls_ca: Option<Text>,
    /// Client certificate, in PEM.
    tls_certificate: Option<Text>,
    /// Key of the client certificate, in PEM; never returned.
    #[schemars(with = "Option<String>")]
    private_key: Option<Secret<String>>,
    /// Puts name and password into the connection string as they are.
    disable_escaping: Option<Flag>,
}

impl Handle<Database> for WriteConnection {
    type Reply = Reply;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Reply, Fault> {
        let (old, seen) = cx.view.get_seen::<Connection>(&place(&self.name)).await?;
        if old.is_none()
            && self
                .plugin_name
                .as_ref()
                .is_none_or(|name| name.0.is_empty())
        {
            return Err(Fault::invalid("empty plugin name"));
        }
        let verify = self.verify_connection.is_none_or(|flag| flag.0);
        let name = self.name.clone();
        let gives_password = self.password.is_some();
        let old = old.unwrap_or_default();
        let mut stored = self.over(old.clone());
        if !gives_password {
            keep_at_home(&old.settings, &stored.settings)?;
        }
        stored.revision = cx.random.base62(20);
        prove(&stored, verify)
            .await
            .map_err(|text| Fault::Invalid(format!("error creating database object: {text}")))?;

        // What was proved is what is stored: a rotation in between is not overwritten with an old password.
        let changes = cx.view.changes().expect(&cx.view, &place(&name), seen);
        let changes = changes.put(&cx.view, &place(&name), &stored)?;
        changes.commit().await?;
        engine.connections.forget(&name);

        let (_, holds_password) = masked(stored.settings.connection_url.expose());
        let warning = "Password found in connection_url, use a templated url to enable root rotation and prevent read access to password information.";
        WithWarnings(
            Empty,
            holds_password
                .then(|| warning.to_owned())
                .into_iter()
                .collect(),
        )
        .reply()
    }
}

impl WriteConnection {
    /// The given fields over those that were there.
    fn over(self, mut stored: Connection) -> Connection {
        fn set<T>(field: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *field = given;
            }
        }
        let text = |given: Option<Text>| given.map(|text| text.0);
        set(
            &mut stored.plugin_name,
            text(self.plugin_name).filter(|name| !name.is_empty()),
        );
        set(&mut stored.plugin_version, text(self.plugin_version));
        set(
            &mut stored.allowed_roles,
            self.allowed_roles.map(|list| list.0),
        );
        set(
            &mut stored.root_rotation_statements,
            self.root_rotation_statements.map(|list| list.0),
        );
        set(&mut stored.password_policy, text(self.password_policy));
        let settings = &mut stored.settings;
        set(&mut settings.connection_url, self.connection_url);
        set(&mut settings.username, text(self.username));
        if let Some(password) = self.password {
            settings.password = password;
            settings.pending_password = None;
        }
        let number = |given: Option<Int>| given.map(|number| Some(number.0));
        set(
            &mut settings.max_open_connections,
            number(self.max_open_connections),
        );
        set(
            &mut settings.max_idle_connections,
            number(self.max_idle_connections),
        );
        set(
            &mut settings.max_connection_lifetime,
            text(self.max_connection_lifetime).map(Some),
        );
        set(
            &mut settings.username_template,
            text(self.username_template).map(Some),
        );
        set(
            &mut settings.password_authentication,
            text(self.password_authentication),
        );
        set(&mut settings.tls_ca, text(self.tls_ca));
        set(&mut settings.tls_certificate, text(self.tls_certificate));
        set(&mut settings.private_key, self.private_key);
        set(
            &mut settings.disable_escaping,
            self.disable_escaping.map(|flag| flag.0),
        );
        stored
    }
}

/// Refuses to send a stored password to another place than the one it was given for: who may change a
/// configuration, and does not know the password, must not learn it that way.
fn keep_at_home(old: &Settings, new: &Settings) -> Result<(), Fault> {
    let stored = !old.password.expose().is_empty() || old.pending_password.is_some();
    if stored && leads_elsewhere(old, new) {
        return Err(Fault::invalid(
            "connection_url names another host or port than before, and the stored password is not sent there; give password, too",
        ));
    }
    Ok(())
}

/// Refuses a configuration that can not work, by logging in if that is wanted.
async fn prove(stored: &Connection, verify: bool) -> Result<(), String> {
    stored.settings.template()?;
    let driver = driver::open(&stored.plugin_name, &stored.settings)?;
    if !verify {
        return Ok(());
    }
    let verified = driver.verify().await;
    verified.map_err(|error| format!("error verifying connection: {error}"))
}

/// Forgets a configuration. Users that were made with it stay until their leases can be revoked with it again.
#[derive(Deserialize, JsonSchema)]
struct DeleteConnection {
    /// Name of the configuration.
    name: String,
}

impl Handle<Database> for DeleteConnection {
    type Reply = Empty;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        cx.view.delete(&place(&self.name)).await?;
        engine.connections.forget(&self.name);
        Ok(Empty)
    }
}

/// Closes the connections to a database; the next request connects anew.
#[derive(Deserialize, JsonSchema)]
struct ResetConnection {
    /// Name of the configuration.
    name: String,
}

impl Handle<Database> for ResetConnection {
    type Reply = Empty;

    async fn handle(self, engine: &Database, cx: &Ctx) -> Result<Empty, Fault> {
        engine.connections.forget(&self.name);
        engine.connections.get(cx, &self.name).await?;
        cx.emit(events::unchanged(RESET, "reset", &self.name));
        Ok(Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_have_stars_at_their_ends() {
        for (glob, name, expected) in [
            ("*", "anything", true),
            ("app", "app", true),
            ("app", "app2", false),
            ("app*", "app2", true),
            ("*app", "my-app", true),
            ("*app*", "my-app-2", true),
            ("app*", "my-app", false),
            ("", "app", false),
        ] {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
    }
}
