//! `login`: the way in.

use std::collections::BTreeMap;

use coffer_engine::{Ctx, Fault, Handle, Login, Role as LoginRole, Routes, Session, Stay, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Aws;
use super::caller::{Caller, Kept};
use super::client::Client;
use super::headers::Headers;
use super::identity::{AliasBy, Identity};
use super::instance;
use super::role::Role;
use super::signed::{Brought, Signed};
use crate::names;

/// How long a name of a role may be; longer ones are looked for nowhere.
const ROLE_BYTES_MAX: usize = 256;

pub(super) fn routes() -> Routes<Aws> {
    Routes::new([path(
        "login",
        "Logs in with a request for GetCallerIdentity that is signed by a key of AWS.",
    )
    .unauthenticated()
    .role::<LogIn>()
    .write::<LogIn>()])
    .sessions::<Entered>()
}

/// A login of some time ago.
#[derive(Serialize, Deserialize)]
struct Entered {
    role_name: String,
    /// What names the role for ever: one that was made anew under the same name is another.
    role: String,
    caller: Kept,
    /// Their name with its path, where it had to be known.
    full_name: Option<String>,
    /// Whether they came as an instance.
    inferred: bool,
}

/// Logs in with a request that is signed by a key of AWS; it is sent to AWS, which says whose key that is.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// The role; where nothing is said, the one that is called like the user or role of AWS.
    #[serde(default)]
    role: Text,
    /// How the request was signed to be made: POST.
    #[serde(default)]
    iam_http_request_method: Text,
    /// Base64 of its address, for example of https://sts.amazonaws.com/.
    #[serde(default)]
    iam_request_url: Text,
    /// Base64 of its body, Action=GetCallerIdentity&Version=2011-06-15.
    #[serde(default)]
    iam_request_body: Text,
    /// Its header fields: a JSON object of texts or of lists with one text, or the base64 of such an object.
    #[serde(default)]
    iam_request_headers: Headers,
    /// Not supported: a document of an instance.
    #[serde(default)]
    identity: Text,
    /// Not supported: the signature of such a document.
    #[serde(default)]
    signature: Text,
    /// Not supported: both in one.
    #[serde(default)]
    pkcs7: Text,
    /// Only of meaning with such documents.
    #[serde(default, rename = "nonce")]
    _nonce: Text,
}

impl LoginRole<Aws> for LogIn {
    async fn role(self, _: &Aws, cx: &Ctx) -> Result<Option<String>, Fault> {
        let name = names::normal(&self.role.0);
        let found = Role::find(cx, &name).await?;
        Ok(found.map(|_| name))
    }
}

impl Handle<Aws> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, engine: &Aws, cx: &Ctx) -> Result<Box<Login>, Fault> {
        self.refuse_unsupported()?;
        let client = Client::current(cx).await?;
        let brought = Brought {
            method: &self.iam_http_request_method.0,
            url: &self.iam_request_url.0,
            body: &self.iam_request_body.0,
            headers: &self.iam_request_headers,
        };
        let signed = Signed::read(&brought, &client).map_err(Fault::Invalid)?;
        let caller = Caller::of(cx, &client, &signed).await?;
        let name = match self.role.0.as_str() {
            "" => caller.principal.friendly_name(),
            name => name,
        };
        let name = names::normal(name);
        let role = Role::find(cx, &name).await?;
        let role = role.ok_or_else(|| wrong(&caller))?;
        let mut full = None;
        let admitted = admit(engine, cx, &client, &caller, &role, &mut full).await?;
        let admitted = admitted.ok_or_else(|| wrong(&caller))?;
        role.token.check_address(cx.request.client)?;
        accepted(cx, name, &role, &caller, full, admitted).await
    }
}

impl LogIn {
    fn refuse_unsupported(&self) -> Result<(), Fault> {
        let documents = [&self.identity, &self.signature, &self.pkcs7];
        if documents.iter().any(|text| !text.0.is_empty()) {
            return Err(Fault::invalid(
                "logins by a document of an instance (identity and signature, or pkcs7: the auth type ec2) are not supported; sign a request for GetCallerIdentity instead",
            ));
        }
        match self.role.0.len() > ROLE_BYTES_MAX {
            true => Err(Fault::invalid("the name of the role is too long")),
            false => Ok(()),
        }
    }
}

/// The token goes on as the role is now, if that still means whoever logged in; not without a role.
impl Session<Aws> for Entered {
    async fn renew(self, engine: &Aws, cx: &Ctx) -> Result<Stay, Fault> {
        let role = Role::find(cx, &self.role_name).await?;
        let role = role.filter(|role| role.key == self.role).ok_or_else(|| {
            Fault::Invalid(format!(
                "role {:?} does not exist during renewal",
                self.role_name
            ))
        })?;
        let caller = self.caller.caller()?;
        let mut full = self.full_name;
        let client = Client::current(cx).await?;
        // Whoever came as no instance can not become one by the name of their session.
        let inferring = role.inferred_region.is_some();
        let still = match inferring && !self.inferred {
            true => None,
            false => admit(engine, cx, &client, &caller, &role, &mut full).await?,
        };
        still.ok_or_else(|| {
            Fault::Invalid(format!(
                "the principal of the login does not belong to the role {:?} any more",
                self.role_name
            ))
        })?;
        Ok(role.token.stay())
    }
}

/// Who may come, and as what.
struct Admitted {
    instance: Option<String>,
}

/// Whether a role means somebody. `full` is their name with the path, once that is known.
async fn admit(
    engine: &Aws,
    cx: &Ctx,
    client: &Client,
    caller: &Caller,
    role: &Role,
    full: &mut Option<String>,
) -> Result<Option<Admitted>, Fault> {
    let bound = &role.principals;
    if !bound.is_empty() && !bound.admit(engine, cx, client, caller, full).await? {
        return Ok(None);
    }
    let Some(region) = &role.inferred_region else {
        return Ok(Some(Admitted { instance: None }));
    };
    let wanted = (&role.bounds, region.as_str());
    let found = instance::inferred(engine, cx, client, caller, wanted).await?;
    Ok(found.map(|id| Admitted { instance: Some(id) }))
}

async fn accepted(
    cx: &Ctx,
    name: String,
    role: &Role,
    caller: &Caller,
    full_name: Option<String>,
    admitted: Admitted,
) -> Result<Box<Login>, Fault> {
    let identity = Identity::current(cx).await?;
    let notes = identity.notes(known(role, caller, &admitted));
    let called = match identity.iam_alias {
        AliasBy::RoleId => role.key.clone(),
        AliasBy::UniqueId => caller.unique_id.clone(),
        AliasBy::CanonicalArn => caller.principal.canonical(),
        AliasBy::FullArn => caller.principal.to_string(),
    };
    let alias = role.token.alias(called, notes.clone());
    let entered = Entered {
        role_name: name,
        role: role.key.clone(),
        caller: caller.keep(),
        full_name,
        inferred: admitted.instance.is_some(),
    };
    let mut metadata = notes;
    metadata.insert("role_id".to_owned(), role.key.clone());
    let login = Login {
        display_name: caller.principal.friendly_name().to_owned(),
        metadata,
        alias: Some(alias),
        ..role.token.login(cx.request.client)
    };
    login.with_session(&entered).map(Box::new)
}

/// All that can be noted about a login.
fn known(role: &Role, caller: &Caller, admitted: &Admitted) -> BTreeMap<String, String> {
    let principal = &caller.principal;
    let mut all = BTreeMap::from([
        ("account_id".to_owned(), principal.account.clone()),
        ("auth_type".to_owned(), "iam".to_owned()),
        ("canonical_arn".to_owned(), principal.canonical()),
        ("client_arn".to_owned(), principal.to_string()),
        ("client_user_id".to_owned(), caller.unique_id.clone()),
    ]);
    if let (Some(id), Some(region)) = (&admitted.instance, &role.inferred_region) {
        all.insert("inferred_aws_region".to_owned(), region.clone());
        all.insert("inferred_entity_id".to_owned(), id.clone());
        all.insert("inferred_entity_type".to_owned(), "ec2_instance".to_owned());
    }
    all
}

/// The same words for a role that is not there and one that means others: nobody learns here which roles there are.
fn wrong(caller: &Caller) -> Fault {
    Fault::Invalid(format!(
        "IAM Principal {:?} does not belong to the role, or there is no such role",
        caller.principal.to_string()
    ))
}
