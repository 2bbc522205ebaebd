//! `login`: the way in.

use std::collections::BTreeMap;

use coffer_crypto::Secret;
use coffer_crypto::sign::Algorithm;
use coffer_engine::{
    Ctx, Fault, Handle, Login, Role as LoginRole, Routes, Session, Stay, path, plaintext,
};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kubernetes;
use super::cluster::Cluster;
use super::config::Config;
use super::role::Role;
use super::service_account::{Claims, MAX_TOKEN_BYTES, ServiceAccount};
use crate::issuer::Unverified;
use crate::names;

pub(super) fn routes() -> Routes<Kubernetes> {
    Routes::new([
        path("login", "Logs in with the token of a service account.")
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
    /// What was shown: whether it is still good can be asked with it alone.
    #[serde(serialize_with = "plaintext::text")]
    token: Secret<String>,
}

/// Logs in with the token of a service account.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// The role.
    #[serde(default)]
    role: Text,
    /// The token of the service account, as a pod has it.
    #[serde(default)]
    jwt: Text,
}

impl LoginRole<Kubernetes> for LogIn {
    async fn role(self, _: &Kubernetes, cx: &Ctx) -> Result<Option<String>, Fault> {
        let found = Role::find(cx, &self.role.0).await?;
        Ok(found.map(|_| names::normal(&self.role.0)))
    }
}

impl Handle<Kubernetes> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, engine: &Kubernetes, cx: &Ctx) -> Result<Box<Login>, Fault> {
        let token = Secret::new(self.jwt.0);
        if self.role.0.is_empty() {
            return Err(Fault::invalid("missing role"));
        }
        if token.expose().is_empty() {
            return Err(Fault::invalid("missing jwt"));
        }
        let role = Role::find(cx, &self.role.0).await?;
        let role =
            role.ok_or_else(|| Fault::Invalid(format!("invalid role name {:?}", self.role.0)))?;
        role.token.check_address(cx.request.client)?;
        let admitted = Admitted::by(engine, cx, &role, token.expose()).await?;
        admitted.login(cx, names::normal(&self.role.0), &role, token)
    }
}

/// The token goes on as the role is now, while it is still for the account, and the account's own token still good.
impl Session<Kubernetes> for Entered {
    async fn renew(self, engine: &Kubernetes, cx: &Ctx) -> Result<Stay, Fault> {
        let role = Role::find(cx, &self.role).await?;
        let role = role.ok_or_else(|| {
            Fault::Invalid(format!("role {} does not exist during renewal", self.role))
        })?;
        Admitted::by(engine, cx, &role, self.token.expose()).await?;
        Ok(role.token.stay())
    }
}

/// A service account that a role is for.
struct Admitted {
    account: ServiceAccount,
    /// The secret that its token is kept in; empty for those that are made for pods.
    secret_name: String,
}

impl Admitted {
    /// Who has shown this token. Whatever is said of the role is said after somebody has vouched for it.
    async fn by(engine: &Kubernetes, cx: &Ctx, role: &Role, token: &str) -> Result<Self, Fault> {
        let config = Config::find(cx).await?.ok_or_else(|| {
            Fault::invalid("could not load backend configuration: write the path config first")
        })?;
        let claims = heard(cx, &config, role, token)?;
        let account = claims.account().ok_or(Fault::Denied)?;
        let cluster = Cluster::of(&config, &engine.pod).await?;
        verify(engine, cx, &config, &cluster, token).await?;
        if config.without_review {
            refuse_unreviewed(role, &claims)?;
        } else {
            let wanted = match role.audience.is_empty() {
                true => claims.audiences().to_vec(),
                false => vec![role.audience.clone()],
            };
            let vouched = cluster.review(cx, token, &wanted).await?;
            if vouched != account {
                return Err(Fault::Denied);
            }
        }
        refuse_account(cx, role, &cluster, &account).await?;
        Ok(Self {
            account,
            secret_name: claims.secret_name(),
        })
    }

    fn login(
        self,
        cx: &Ctx,
        name: String,
        role: &Role,
        token: Secret<String>,
    ) -> Result<Box<Login>, Fault> {
        let account = &self.account;
        let known = BTreeMap::from([
            ("service_account_name".to_owned(), account.name.clone()),
            (
                "service_account_namespace".to_owned(),
                account.namespace.clone(),
            ),
            ("service_account_secret_name".to_owned(), self.secret_name),
            ("service_account_uid".to_owned(), account.uid.clone()),
        ]);
        let mut metadata = known.clone();
        metadata.insert("role".to_owned(), name.clone());
        let alias = role.token.alias(role.alias.name_of(account), known);
        let login = Login {
            display_name: format!("{}-{}", account.namespace, account.name),
            metadata,
            alias: Some(alias),
            ..role.token.login(cx.request.client)
        };
        if role.token.is_batch() {
            // It is never renewed, and would have to carry all of the account's token.
            return Ok(Box::new(login));
        }
        login
            .with_session(&Entered { role: name, token })
            .map(Box::new)
    }
}

/// What a token says of itself, where that is not yet a reason to refuse it.
fn heard(cx: &Ctx, config: &Config, role: &Role, token: &str) -> Result<Claims, Fault> {
    let short = Some(token).filter(|token| token.len() <= MAX_TOKEN_BYTES);
    let claims = short.and_then(Claims::hearsay).ok_or(Fault::Denied)?;
    claims.refuse_time(cx.now)?;
    let checked = match config.any_issuer {
        true => Ok(()),
        false => claims.refuse_issuer(&config.issuer),
    };
    let checked = checked.and_then(|()| claims.refuse_audience(&role.audience));
    // Nobody has vouched for the token yet: what it should have said is for the log.
    checked.map_err(|why| {
        tracing::debug!(reason = %why, "a token is refused before it is reviewed");
        Fault::Denied
    })?;
    Ok(claims)
}

/// Refuses a token that none of the cluster's keys has signed, where these are known here.
async fn verify(
    engine: &Kubernetes,
    cx: &Ctx,
    config: &Config,
    cluster: &Cluster,
    token: &str,
) -> Result<(), Fault> {
    let Some(source) = cluster.keys(config)? else {
        return Ok(());
    };
    let algorithms = &Algorithm::PUBLIC;
    let verified = engine.issuers.verified(cx, &source, algorithms, token);
    match verified.await {
        Ok(_) => Ok(()),
        Err(Unverified::Keys(why)) => Err(Fault::Upstream(format!(
            "the keys of the cluster: {}",
            why.0
        ))),
        Err(Unverified::Signature | Unverified::Malformed(_)) => Err(Fault::Denied),
    }
}

/// What a review would have said, keys do not know: whom the token is for, and whether the account is still there.
fn refuse_unreviewed(role: &Role, claims: &Claims) -> Result<(), Fault> {
    let refuse = |word: &str| Err(Fault::Forbidden(word.to_owned()));
    if role.audience.is_empty() {
        return refuse("without a review of tokens a role has to name their audience");
    }
    if !claims.ends() {
        return refuse("without a review only tokens that end are taken");
    }
    Ok(())
}

async fn refuse_account(
    cx: &Ctx,
    role: &Role,
    cluster: &Cluster,
    account: &ServiceAccount,
) -> Result<(), Fault> {
    if !role.is_for(account) {
        let word = "service account name not authorized";
        return Err(Fault::Forbidden(word.into()));
    }
    let namespace = &account.namespace;
    let fine = role.is_within(namespace)
        || match role.selector()? {
            Some(selector) => {
                let labels = cluster.labels(cx, namespace).await?;
                labels.is_some_and(|labels| selector.selects(&labels))
            }
            None => false,
        };
    match fine {
        true => Ok(()),
        false => Err(Fault::Forbidden("namespace not authorized".into())),
    }
}
