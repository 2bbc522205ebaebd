//! `login/{username}`: the way in.

use std::collections::{BTreeMap, BTreeSet};

use coffer_crypto::Secret;
use coffer_engine::{Body, Ctx, Fault, Handle, Login, Reply, Routes, Session, Stay, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::conversation::{ask, refused};
use super::group::Group;
use super::person::{Found, Wish};
use super::user::User;
use super::{Ldap, name};

/// Longest password, in bytes. Directories hang up on requests that are long enough, which would be no wrong password.
const PASSWORD_BYTES_MAX: usize = 4 * 1024;

pub(super) fn routes() -> Routes<Ldap> {
    Routes::new([path(
        "login/{username*}",
        "Logs in with the name and password that the directory knows.",
    )
    .caseless()
    .unauthenticated()
    .write::<LogIn>()])
    .sessions::<Entered>()
}

/// A login of some time ago. The password is not kept.
#[derive(Serialize, Deserialize)]
struct Entered {
    username: String,
    /// The alias of that time.
    alias: String,
    /// The policies of that time.
    policies: Vec<String>,
}

/// Logs in with a name and a password.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// Name of the user, as the directory knows it.
    username: String,
    /// The password.
    #[serde(default)]
    password: Text,
}

/// Groups and policies of somebody, those of this mount included.
struct Rights {
    policies: Vec<String>,
    groups: Vec<String>,
}

impl Handle<Ldap> for LogIn {
    type Reply = Reply;

    async fn handle(self, engine: &Ldap, cx: &Ctx) -> Result<Reply, Fault> {
        let password = Secret::new(self.password.0);
        // A directory says yes to an empty password, whoever it is for (RFC 4513 section 5.1.2).
        if password.expose().is_empty() {
            return Err(Fault::invalid(
                "password cannot be of zero length when passwordless binds are being denied",
            ));
        }
        let config = Config::load(cx).await?;
        config.token.check_address(cx.request.client)?;
        cx.attempt(&name::folded(&self.username)).await?;
        let is_long = password.expose().len() > PASSWORD_BYTES_MAX;
        if is_long || !name::is_possible(&self.username) {
            return Err(refused());
        }
        let wish = Wish {
            typed: self.username.trim(),
            password: Some(&password),
        };
        let found = ask(engine, &config, &wish).await?;
        let rights = Rights::of(cx, &config, &found).await?;
        accepted(cx, &config, wish.typed, found, rights)
    }
}

/// The token goes on as long as the directory has the user, under the same name, and their policies are the same.
impl Session<Ldap> for Entered {
    async fn renew(self, engine: &Ldap, cx: &Ctx) -> Result<Stay, Fault> {
        let config = Config::load(cx).await?;
        let wish = Wish {
            typed: &self.username,
            password: None,
        };
        let found = ask(engine, &config, &wish).await;
        let found = found.map_err(|fault| match fault {
            Fault::Invalid(_) => {
                Fault::invalid("the directory does not show the user any more, not renewing")
            }
            other => other,
        })?;
        let rights = Rights::of(cx, &config, &found).await?;
        if found.alias != self.alias {
            return Err(Fault::invalid(
                "the user name is somebody else's now, not renewing",
            ));
        }
        if rights.policies != self.policies {
            return Err(Fault::invalid("policies have changed, not renewing"));
        }
        Ok(Stay {
            group_aliases: Some(rights.groups),
            ..config.token.stay()
        })
    }
}

impl Rights {
    async fn of(cx: &Ctx, config: &Config, found: &Found) -> Result<Self, Fault> {
        let user = User::find(cx, config, &found.name).await?;
        let user = user.unwrap_or_default();
        let mut groups: BTreeSet<String> = found.groups.iter().cloned().collect();
        groups.extend(user.groups);
        let mut policies: BTreeSet<String> = config.token.policies.iter().cloned().collect();
        policies.extend(user.policies);
        for name in &groups {
            if let Some(group) = Group::find(cx, config, name).await? {
                policies.extend(group.policies);
            }
        }
        Ok(Self {
            policies: policies.into_iter().collect(),
            groups: groups.into_iter().collect(),
        })
    }
}

fn accepted(
    cx: &Ctx,
    config: &Config,
    typed: &str,
    found: Found,
    rights: Rights,
) -> Result<Reply, Fault> {
    let username = name::normal(&found.name, config.case_sensitive_names);
    let entered = Entered {
        username: typed.to_owned(),
        alias: found.alias.clone(),
        policies: rights.policies.clone(),
    };
    let known = BTreeMap::from([("name".to_owned(), username.clone())]);
    let alias = config.token.alias(found.alias, known);
    let login = Login {
        display_name: username.clone(),
        metadata: BTreeMap::from([("username".to_owned(), username)]),
        alias: Some(alias),
        group_aliases: rights.groups,
        policies: rights.policies,
        ..config.token.login(cx.request.client)
    };
    let mut reply = Reply {
        body: Body::Json(Body::json(&serde_json::json!({}))?),
        login: Some(Box::new(login.with_session(&entered)?)),
        ..Reply::default()
    };
    if found.groups.is_empty() {
        let said = format!(
            "no LDAP groups found in groupDN {:?}; only policies from locally-defined groups available",
            config.groupdn
        );
        reply = reply.warn(said);
    }
    Ok(reply)
}
