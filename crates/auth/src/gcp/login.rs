//! `login`: the way in.

use std::collections::BTreeMap;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_crypto::jose::Compact;
use coffer_crypto::sign::Algorithm;
use coffer_engine::{Ctx, Fault, Handle, Login, Role as LoginRole, Routes, Session, Stay, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Gcp;
use super::config::Config;
use super::google::Google;
use super::identity::{Hearsay, Identity, Instance};
use super::role::{Kind, Machines, Role};
use crate::issuer::{Claims, Leeways, Source, Unverified};
use crate::names;

/// The longest token that is looked at, in bytes.
const MAX_TOKEN_BYTES: usize = 16 << 10;

pub(super) fn routes() -> Routes<Gcp> {
    Routes::new([
        path("login", "Logs in with a token that Google stands behind.")
            .unauthenticated()
            .role::<LogIn>()
            .write::<LogIn>(),
    ])
    .sessions::<Entered>()
}

/// A login of some time ago.
#[derive(Serialize, Deserialize)]
struct Entered {
    role: String,
    /// What names the role for ever: one that was made anew under the same name is another.
    role_id: String,
    who: Identity,
}

/// Logs in with a token of a service account, or of a machine.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// The role.
    #[serde(default)]
    role: Text,
    /// The token: signed by the service account, for the audience `vault/ROLE`, or a machine's own.
    #[serde(default)]
    jwt: Text,
}

impl LoginRole<Gcp> for LogIn {
    async fn role(self, _: &Gcp, cx: &Ctx) -> Result<Option<String>, Fault> {
        let found = Role::find(cx, &self.role.0).await?;
        Ok(found.map(|_| names::normal(&self.role.0)))
    }
}

impl Handle<Gcp> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, engine: &Gcp, cx: &Ctx) -> Result<Box<Login>, Fault> {
        let token = Secret::new(self.jwt.0);
        if self.role.0.is_empty() {
            return Err(Fault::invalid("role is required"));
        }
        if token.expose().is_empty() {
            return Err(Fault::invalid("jwt is required"));
        }
        let role = Role::find(cx, &self.role.0).await?;
        let role =
            role.ok_or_else(|| Fault::Invalid(format!("role {:?} not found", self.role.0)))?;
        role.token.check_address(cx.request.client)?;
        let config = Config::read(cx).await?;
        let google = Google {
            cx,
            engine,
            config: &config,
        };
        let name = names::normal(&self.role.0);
        let shown = google.shown(&name, &role, token.expose()).await?;
        let who = google.completed(&role, shown).await?;
        google.admit(&role, &who).await?;
        google.login(name, &role, who).await
    }
}

/// The token goes on as the role is now, while it is still for whoever logged in.
impl Session<Gcp> for Entered {
    async fn renew(self, engine: &Gcp, cx: &Ctx) -> Result<Stay, Fault> {
        let role = Role::find(cx, &self.role).await?;
        let role = role.filter(|role| role.id == self.role_id).ok_or_else(|| {
            Fault::Invalid(format!("role {} does not exist during renewal", self.role))
        })?;
        let config = Config::read(cx).await?;
        let google = Google {
            cx,
            engine,
            config: &config,
        };
        let who = google.completed(&role, self.who).await?;
        google.admit(&role, &who).await?;
        Ok(Stay {
            group_aliases: Some(google.group_aliases(&role, &who).await?),
            ..role.token.stay()
        })
    }
}

impl Google<'_> {
    /// Whom the token speaks of, once it is verified.
    async fn shown(&self, name: &str, role: &Role, token: &str) -> Result<Identity, Fault> {
        let short = Some(token).filter(|token| token.len() <= MAX_TOKEN_BYTES);
        let parsed = short.and_then(|token| Compact::parse(token).ok());
        let heard = parsed.and_then(|token| Hearsay::read(token.unverified()));
        let heard = heard.ok_or(Fault::Denied)?;
        if heard.is_googles() {
            let claims = self.verified(&self.own_keys()?, token).await;
            let claims = claims.map_err(|why| refusal(why, Fault::Upstream))?;
            self.refuse_claims(name, &claims)?;
            return of_google(role, &claims);
        }
        // Only now does something that a stranger has sent come to stand in an address.
        let account = heard.account().ok_or(Fault::Denied)?;
        let Kind::Iam { max_jwt_secs, .. } = role.kind else {
            return Err(Fault::Forbidden(
                "a role of the type gce wants the token of a machine".into(),
            ));
        };
        if !role.could_be_for(account) {
            return Err(Fault::Denied);
        }
        let claims = self.verified(&self.keys_of(account)?, token).await;
        let claims = claims.map_err(|why| refusal(why, Fault::Forbidden))?;
        self.refuse_claims(name, &claims)?;
        self.refuse_long_life(&claims, max_jwt_secs)?;
        match claims.subject.as_deref() == Some(account) {
            true => Ok(Identity::of_account(account)),
            false => Err(Fault::Denied),
        }
    }

    async fn verified(&self, source: &Source, token: &str) -> Result<Claims, Unverified> {
        let algorithms = &[Algorithm::Rs256];
        let issuers = &self.engine.issuers;
        issuers.verified(self.cx, source, algorithms, token).await
    }

    /// Refuses a token that is over, endless, or for another role.
    fn refuse_claims(&self, role: &str, claims: &Claims) -> Result<(), Fault> {
        let refuse = |word: &str| Err(Fault::Forbidden(word.to_owned()));
        if !claims.all.get("exp").is_some_and(Value::is_number) {
            return refuse("the token has no expiration time (exp)");
        }
        // A token need not say when it begins, and may live an hour.
        let leeways = Leeways {
            not_before: 3600,
            ..Leeways::default()
        };
        if let Err(why) = claims.check_times(self.cx.now, leeways) {
            return refuse(why);
        }
        let audience = |name: &String| {
            let name = name.strip_prefix("https://").unwrap_or(name);
            let name = name.strip_prefix("http://").unwrap_or(name);
            let of = name.strip_prefix("vault/");
            of.is_some_and(|of| names::normal(of) == role)
        };
        match claims.audience.iter().any(audience) {
            true => Ok(()),
            false => Err(Fault::Forbidden(format!(
                "the token is not for this role: its audience (aud) is to be vault/{role}"
            ))),
        }
    }

    fn refuse_long_life(&self, claims: &Claims, secs: u64) -> Result<(), Fault> {
        let latest = self.cx.now.plus(Duration::from_secs(secs)).nanos();
        let latest = Duration::from_nanos(latest).as_secs_f64();
        let end = claims.all.get("exp").and_then(Value::as_f64);
        match end.is_some_and(|end| end <= latest) {
            true => Ok(()),
            false => Err(Fault::Forbidden(format!(
                "role requires that service account JWTs expire within {secs} seconds"
            ))),
        }
    }

    /// The same with what Google knows besides, where a role or the configuration needs it, or where there are
    /// credentials to ask by: then an account that is gone or disabled is refused, too.
    async fn completed(&self, role: &Role, mut who: Identity) -> Result<Identity, Fault> {
        let of_account = matches!(role.kind, Kind::Iam { .. });
        let lacks_id =
            who.unique_id.is_empty() && (self.config.alias_by_account || role.names_ids());
        let wants_project = of_account && (role.groups || !role.projects.is_empty());
        let lacks_project = who.project.is_empty() && wants_project;
        let lacks = who.email.is_empty() || lacks_id || lacks_project;
        if !lacks && self.config.credentials.is_none() {
            return Ok(who);
        }
        let name = match who.unique_id.is_empty() {
            true => who.email.clone(),
            false => who.unique_id.clone(),
        };
        let found = self.account(&name).await?;
        let found = found.filter(|found| {
            let same = |known: &String, told: &String| known.is_empty() || known == told;
            same(&who.email, &found.email) && same(&who.unique_id, &found.unique_id)
        });
        let refuse = |word: &str| Fault::Forbidden(word.to_owned());
        let found = found.ok_or_else(|| refuse("there is no such service account"))?;
        if found.disabled {
            return Err(refuse("the service account is disabled"));
        }
        who.email = found.email;
        who.unique_id = found.unique_id;
        who.project = found.project;
        Ok(who)
    }

    /// Refuses whom the role is not for.
    async fn admit(&self, role: &Role, who: &Identity) -> Result<(), Fault> {
        let refuse = |word: &str| Err(Fault::Forbidden(word.to_owned()));
        if !role.is_for(who) {
            return refuse("the service account is not authorized for the role");
        }
        let (project, machines) = match (&role.kind, &who.instance) {
            (Kind::Iam { .. }, _) => (&who.project, None),
            (Kind::Gce(of), Some(instance)) => (&instance.project, Some((of, instance))),
            (Kind::Gce(_), None) => return refuse("the role wants the token of a machine"),
        };
        if !role.projects.is_empty() && !role.projects.contains(project) {
            return refuse("the project is not authorized for the role");
        }
        match machines {
            Some((of, instance)) => self.admit_machine(of, instance).await,
            None => Ok(()),
        }
    }

    async fn admit_machine(&self, of: &Machines, instance: &Instance) -> Result<(), Fault> {
        let refuse = |word: &str| Err(Fault::Forbidden(word.to_owned()));
        let region = instance.region();
        if !of.zones.is_empty() {
            if !of.zones.contains(&instance.zone) {
                return refuse("the zone of the machine is not authorized for the role");
            }
        } else if !of.regions.is_empty() && !of.regions.iter().any(|name| name == region) {
            return refuse("the region of the machine is not authorized for the role");
        }
        let must_ask = !of.labels.is_empty() || !of.instance_groups.is_empty();
        if !must_ask && self.config.credentials.is_none() {
            return Ok(());
        }
        let machine = self.machine(instance).await?;
        let Some(machine) = machine.filter(|machine| machine.id == instance.id) else {
            return refuse("there is no such machine");
        };
        let has = |(key, value): (&String, &String)| machine.labels.get(key) == Some(value);
        if !of.labels.iter().all(has) {
            return refuse("the labels of the machine are not those that the role wants");
        }
        let place = match of.zones.is_empty() {
            true => ("regions", region),
            false => ("zones", instance.zone.as_str()),
        };
        for group in &of.instance_groups {
            if self
                .is_member(&machine, &instance.project, place, group)
                .await?
            {
                return Ok(());
            }
        }
        match of.instance_groups.is_empty() {
            true => Ok(()),
            false => refuse("the machine is in none of the groups that the role wants"),
        }
    }

    async fn group_aliases(&self, role: &Role, who: &Identity) -> Result<Vec<String>, Fault> {
        if !role.groups {
            return Ok(Vec::new());
        }
        let project = match (&role.kind, &who.instance) {
            (Kind::Gce(_), Some(instance)) => &instance.project,
            _ => &who.project,
        };
        self.groups(project).await
    }

    async fn login(&self, name: String, role: &Role, who: Identity) -> Result<Box<Login>, Fault> {
        let by_machine = matches!(role.kind, Kind::Gce(_));
        let all = told(&name, by_machine, &who);
        let machine = who.instance.as_ref().filter(|_| by_machine);
        let (metadata, alias, display) = match machine {
            Some(machine) => {
                let alias = match self.config.alias_by_instance {
                    true => machine.id.clone(),
                    false => role.id.clone(),
                };
                (
                    self.config.of_instances.of(all),
                    alias,
                    machine.name.clone(),
                )
            }
            None => {
                let alias = match self.config.alias_by_account {
                    true => who.unique_id.clone(),
                    false => role.id.clone(),
                };
                (self.config.of_accounts.of(all), alias, who.email.clone())
            }
        };
        if alias.is_empty() {
            return Err(Fault::Denied);
        }
        let login = Login {
            display_name: display,
            alias: Some(role.token.alias(alias, metadata.clone())),
            metadata,
            group_aliases: self.group_aliases(role, &who).await?,
            ..role.token.login(self.cx.request.client)
        };
        let entered = Entered {
            role: name,
            role_id: role.id.clone(),
            who,
        };
        login.with_session(&entered).map(Box::new)
    }
}

/// Whom a verified token of Google's speaks of, where the role takes such tokens.
fn of_google(role: &Role, claims: &Claims) -> Result<Identity, Fault> {
    let who = Identity::of_google(claims).ok_or(Fault::Denied)?;
    match role.kind {
        Kind::Iam {
            by_machine: false, ..
        } => Err(Fault::Forbidden(
            "the role takes no token of a machine for its service account (allow_gce_inference)"
                .into(),
        )),
        _ => Ok(who),
    }
}

/// Everything that is known of somebody, by the names that can be chosen of.
fn told(role: &str, by_machine: bool, who: &Identity) -> BTreeMap<String, String> {
    let mut all = vec![
        ("role", role.to_owned()),
        ("service_account_email", who.email.clone()),
        ("service_account_id", who.unique_id.clone()),
    ];
    match &who.instance {
        Some(machine) if by_machine => all.extend([
            ("instance_creation_timestamp", machine.created.clone()),
            ("instance_id", machine.id.clone()),
            ("instance_name", machine.name.clone()),
            ("project_id", machine.project.clone()),
            ("project_number", machine.project_number.clone()),
            ("zone", machine.zone.clone()),
        ]),
        _ => all.push(("project_id", who.project.clone())),
    }
    let known = all.into_iter().filter(|(_, value)| !value.is_empty());
    known
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Why a token was not verified, in words; `unreadable` says whose fault it is that there are no keys.
fn refusal(why: Unverified, unreadable: impl Fn(String) -> Fault) -> Fault {
    match why {
        Unverified::Signature | Unverified::Malformed(_) => Fault::Denied,
        Unverified::Keys(why) => unreadable(format!("the keys that Google publishes: {}", why.0)),
    }
}
