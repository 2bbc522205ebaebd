//! `users/{username}`: who there is.

use coffer_crypto::{Secret, password};
use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path};
use coffer_wire::{CommaList, Int, Text, Ttl};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Userpass;
use crate::names;
use crate::token_fields::{OldInput, TokenFields, TokenInput, TokenView};

/// Where users are kept.
pub(super) const FOLDER: &str = "user/";

pub(super) fn routes() -> Routes<Userpass> {
    Routes::new([
        path("users", "The users.").list::<ListUsers>(),
        path(
            "users/{username}",
            "A user: a password, and what their tokens are like.",
        )
        .caseless()
        .exists::<ReadUser>()
        .read::<ReadUser>()
        .write::<WriteUser>()
        .tells("userpass/user-write")
        .delete::<DeleteUser>()
        .tells("userpass/user-delete"),
        path("users/{username}/password", "The password of a user.")
            .caseless()
            .write::<WritePassword>()
            .tells("userpass/password-write"),
        path(
            "users/{username}/policies",
            "The policies of a user's tokens.",
        )
        .caseless()
        .write::<WritePolicies>()
        .tells("userpass/user-write"),
    ])
}

/// A stored user.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct User {
    /// The hash of the password, with its kind and cost.
    pub(super) hash: String,
    /// What their tokens are like.
    pub(super) token: TokenFields,
}

impl Stored for User {
    const MAX_BYTES: usize = 64 * 1024;
}

impl User {
    /// The user of that name in any spelling, if there is one.
    pub(super) async fn find(cx: &Ctx, name: &str) -> Result<Option<Self>, Fault> {
        if !is_name(name) {
            return Ok(None);
        }
        Ok(cx.view.get(&place(name)).await?)
    }
}

/// Where a user is kept; `name` is one ([`is_name`]).
pub(super) fn place(name: &str) -> String {
    format!("{FOLDER}{}", names::normal(name))
}

/// Letters, digits, `_`, and inside `-`, `.` and `@`.
pub(super) fn is_name(name: &str) -> bool {
    names::is_name(name, &['-', '.', '@'])
}

/// Lists the users.
#[derive(Deserialize, JsonSchema)]
struct ListUsers {
    /// Names after this one only.
    #[serde(default)]
    after: String,
    /// How many names at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Userpass> for ListUsers {
    type Reply = Keys;

    async fn handle(self, _: &Userpass, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows a user, without the password.
#[derive(Deserialize, JsonSchema)]
struct ReadUser {
    /// Name of the user.
    username: String,
}

impl Exists<Userpass> for ReadUser {
    async fn exists(self, _: &Userpass, cx: &Ctx) -> Result<bool, Fault> {
        Ok(User::find(cx, &self.username).await?.is_some())
    }
}

impl Handle<Userpass> for ReadUser {
    type Reply = TokenView;

    async fn handle(self, _: &Userpass, cx: &Ctx) -> Result<TokenView, Fault> {
        let user = User::find(cx, &self.username).await?;
        Ok(user.ok_or(Fault::NotFound)?.token.view())
    }
}

/// Makes or changes a user; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteUser {
    /// Name of the user: letters, digits, `_`, and inside `-`, `.` and `@`.
    username: String,
    /// The password, of 72 bytes at most.
    #[serde(default)]
    password: Text,
    /// Instead of a password, its bcrypt hash; one of our own takes its place at the next login.
    #[serde(default)]
    password_hash: Text,
    #[serde(flatten)]
    token: TokenInput,
    /// The old name of `token_policies`.
    #[serde(default)]
    policies: Option<CommaList>,
    /// The old name of `token_ttl`.
    #[serde(default)]
    ttl: Option<Ttl>,
    /// The old name of `token_max_ttl`.
    #[serde(default)]
    max_ttl: Option<Ttl>,
    /// The old name of `token_bound_cidrs`.
    #[serde(default)]
    bound_cidrs: Option<CommaList>,
}

impl Handle<Userpass> for WriteUser {
    type Reply = Empty;

    async fn handle(self, engine: &Userpass, cx: &Ctx) -> Result<Empty, Fault> {
        if !is_name(&self.username) {
            return Err(Fault::UnsupportedPath);
        }
        let hash = new_hash(engine, cx, self.password, self.password_hash).await?;
        let old = OldInput {
            policies: self.policies,
            ttl: self.ttl,
            max_ttl: self.max_ttl,
            bound_cidrs: self.bound_cidrs,
            ..OldInput::default()
        };
        let decide = |kept: Option<User>| {
            let mut user = match (kept, &hash) {
                (Some(user), None) => user,
                (kept, Some(hash)) => User {
                    hash: hash.clone(),
                    ..kept.unwrap_or_default()
                },
                (None, None) => return Err(no_password()),
            };
            user.token.apply(&self.token, &old)?;
            Ok((Some(user), ()))
        };
        cx.view.update(&place(&self.username), decide).await?;
        Ok(Empty)
    }
}

/// Removes a user. Tokens of their logins live on until they end.
#[derive(Deserialize, JsonSchema)]
struct DeleteUser {
    /// Name of the user.
    username: String,
}

impl Handle<Userpass> for DeleteUser {
    type Reply = Empty;

    async fn handle(self, _: &Userpass, cx: &Ctx) -> Result<Empty, Fault> {
        if is_name(&self.username) {
            cx.view.delete(&place(&self.username)).await?;
        }
        Ok(Empty)
    }
}

/// Changes the password of a user.
#[derive(Deserialize, JsonSchema)]
struct WritePassword {
    /// Name of the user.
    username: String,
    /// The new password, of 72 bytes at most.
    #[serde(default)]
    password: Text,
    /// Instead of a password, its bcrypt hash.
    #[serde(default)]
    password_hash: Text,
}

impl Handle<Userpass> for WritePassword {
    type Reply = Empty;

    async fn handle(self, engine: &Userpass, cx: &Ctx) -> Result<Empty, Fault> {
        let hash = new_hash(engine, cx, self.password, self.password_hash).await?;
        let hash = hash.ok_or_else(no_password)?;
        let change = |user: &mut User| {
            user.hash.clone_from(&hash);
            Ok(())
        };
        changed(cx, &self.username, change).await
    }
}

/// Changes the policies of a user's tokens.
#[derive(Deserialize, JsonSchema)]
struct WritePolicies {
    /// Name of the user.
    username: String,
    /// Policies of the tokens.
    #[serde(default)]
    token_policies: Option<CommaList>,
    /// The old name of `token_policies`.
    #[serde(default)]
    policies: Option<CommaList>,
}

impl Handle<Userpass> for WritePolicies {
    type Reply = Empty;

    async fn handle(self, _: &Userpass, cx: &Ctx) -> Result<Empty, Fault> {
        let new = TokenInput {
            token_policies: self.token_policies,
            ..TokenInput::default()
        };
        let old = OldInput {
            policies: self.policies,
            ..OldInput::default()
        };
        changed(cx, &self.username, |user| user.token.apply(&new, &old)).await
    }
}

/// Changes a user who is there.
async fn changed(
    cx: &Ctx,
    name: &str,
    change: impl Fn(&mut User) -> Result<(), Fault> + Send + Sync,
) -> Result<Empty, Fault> {
    let nobody = || Fault::invalid("username does not exist");
    if !is_name(name) {
        return Err(nobody());
    }
    let decide = |user: Option<User>| {
        let mut user = user.ok_or_else(nobody)?;
        change(&mut user)?;
        Ok::<_, Fault>((Some(user), ()))
    };
    cx.view.update(&place(name), decide).await?;
    Ok(Empty)
}

/// The hash to keep, where a password or a hash of one is given.
async fn new_hash(
    engine: &Userpass,
    cx: &Ctx,
    password: Text,
    hash: Text,
) -> Result<Option<String>, Fault> {
    match (password.0.is_empty(), hash.0.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Err(Fault::invalid(
            "only one of password or password_hash may be provided",
        )),
        (true, false) if password::is_bcrypt(&hash.0) => Ok(Some(hash.0)),
        (true, false) => Err(Fault::invalid(
            "password_hash is not a valid bcrypt hash with a cost from 4 to 14",
        )),
        (false, true) if password.0.len() > password::MAX_PASSWORD_BYTES => {
            Err(Fault::Invalid(format!(
                "the password is longer than {} bytes",
                password::MAX_PASSWORD_BYTES
            )))
        }
        (false, true) => {
            let password = Secret::new(password.0);
            engine.queue.hash(cx, password).await.map(Some)
        }
    }
}

fn no_password() -> Fault {
    Fault::invalid("must provide either password or password_hash")
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names() {
        for name in ["a", "Alice", "a.b@c", "_x", "1", "a-b"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a b", "a/b", "ä", "a\0", "\u{212a}"] {
            assert!(!is_name(name), "{name:?}");
        }
    }
}
