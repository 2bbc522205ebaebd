//! `login/{username}`: the way in.

use std::collections::BTreeMap;

use coffer_crypto::{Secret, password};
use coffer_engine::{Ctx, Fault, Handle, Login, Routes, Session, Stay, path};
use coffer_wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Userpass;
use super::user::{User, place};
use crate::names;

pub(super) fn routes() -> Routes<Userpass> {
    Routes::new([path("login/{username}", "Logs in with a password.")
        .caseless()
        .unauthenticated()
        .write::<LogIn>()])
    .sessions::<Entered>()
}

/// A login of some time ago.
#[derive(Serialize, Deserialize)]
struct Entered {
    username: String,
    /// The policies of the user at that time.
    policies: Vec<String>,
}

/// Logs in with a name and a password.
#[derive(Deserialize, JsonSchema)]
struct LogIn {
    /// Name of the user.
    username: String,
    /// The password.
    #[serde(default)]
    password: Text,
}

impl Handle<Userpass> for LogIn {
    type Reply = Box<Login>;

    async fn handle(self, engine: &Userpass, cx: &Ctx) -> Result<Box<Login>, Fault> {
        let password = Secret::new(self.password.0);
        if password.expose().is_empty() {
            return Err(Fault::invalid("missing password"));
        }
        let name = names::normal(&self.username);
        cx.attempt(&name).await?;
        let user = User::find(cx, &name).await?;
        let hash = user.as_ref().map(|user| user.hash.clone());
        let right = engine.queue.verify(&password, hash).await?;
        let user = user.filter(|_| right).ok_or_else(wrong)?;
        user.token.check_address(cx.request.client)?;
        if password::is_foreign(&user.hash) {
            rehash(engine, cx, &name, &user.hash, password).await?;
        }
        accepted(cx, name, &user)
    }
}

/// The token goes on as the user is now; not under other policies, and not without a user.
impl Session<Userpass> for Entered {
    async fn renew(self, _: &Userpass, cx: &Ctx) -> Result<Stay, Fault> {
        let user = User::find(cx, &self.username).await?;
        let user = user.ok_or_else(|| Fault::invalid("the user is gone, not renewing"))?;
        match user.token.policies == self.policies {
            true => Ok(user.token.stay()),
            false => Err(Fault::invalid("policies have changed, not renewing")),
        }
    }
}

fn accepted(cx: &Ctx, username: String, user: &User) -> Result<Box<Login>, Fault> {
    let alias = user.token.alias(username.clone(), BTreeMap::new());
    let entered = Entered {
        username: username.clone(),
        policies: user.token.policies.clone(),
    };
    let login = Login {
        display_name: username.clone(),
        metadata: BTreeMap::from([("username".to_owned(), username)]),
        alias: Some(alias),
        ..user.token.login(cx.request.client)
    };
    login.with_session(&entered).map(Box::new)
}

/// Puts a hash of our own in the place of one from elsewhere, unless the password was changed meanwhile.
async fn rehash(
    engine: &Userpass,
    cx: &Ctx,
    name: &str,
    old: &str,
    password: Secret<String>,
) -> Result<(), Fault> {
    let new = engine.queue.hash(cx, password).await?;
    let decide = |user: Option<User>| {
        let user = user.map(|user| match user.hash == old {
            true => User {
                hash: new.clone(),
                ..user
            },
            false => user,
        });
        Ok::<_, Fault>((user, ()))
    };
    cx.view.update(&place(name), decide).await
}

/// The same words for a wrong password and for nobody.
fn wrong() -> Fault {
    Fault::invalid("invalid username or password")
}
