//! `config/sts/{account_id}`: the role by which an account is asked that is not our own.

use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Aws;
use super::arn::{Kind, Principal, is_account};

const FOLDER: &str = "config/sts/";

pub(super) fn routes() -> Routes<Aws> {
    Routes::new([
        path(
            "config/sts",
            "The accounts that are asked by a role of theirs.",
        )
        .list::<ListAccounts>(),
        path(
            "config/sts/{account_id}",
            "The role that is assumed to ask in an account.",
        )
        .exists::<ReadAccount>()
        .read::<ReadAccount>()
        .write::<WriteAccount>()
        .tells("aws/account-write")
        .delete::<DeleteAccount>()
        .tells("aws/account-delete"),
    ])
}

/// How an account is asked.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(super) struct Account {
    /// What that role wants to hear, if anything.
    pub(super) external_id: String,
    /// The role to assume.
    pub(super) sts_role: String,
}

impl Stored for Account {
    const MAX_BYTES: usize = 16 * 1024;
}

impl Account {
    pub(super) async fn find(cx: &Ctx, account: &str) -> Result<Option<Self>, Fault> {
        if !is_account(account) {
            return Ok(None);
        }
        Ok(cx.view.get(&place(account)).await?)
    }
}

fn place(account: &str) -> String {
    format!("{FOLDER}{account}")
}

/// Lists the accounts.
#[derive(Deserialize, JsonSchema)]
struct ListAccounts {
    /// Accounts after this one only.
    #[serde(default)]
    after: String,
    /// How many at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Aws> for ListAccounts {
    type Reply = Keys;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows how an account is asked.
#[derive(Deserialize, JsonSchema)]
struct ReadAccount {
    /// Number of the account.
    account_id: String,
}

impl Exists<Aws> for ReadAccount {
    async fn exists(self, _: &Aws, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Account::find(cx, &self.account_id).await?.is_some())
    }
}

impl Handle<Aws> for ReadAccount {
    type Reply = Account;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Account, Fault> {
        Account::find(cx, &self.account_id)
            .await?
            .ok_or(Fault::NotFound)
    }
}

/// Says how an account is asked; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteAccount {
    /// Number of the account, of twelve digits.
    account_id: String,
    /// The role to assume, as arn:aws:iam::ACCOUNT:role/NAME. It has to trust us.
    #[serde(default)]
    sts_role: Option<Text>,
    /// What that role wants to hear from us.
    #[serde(default)]
    external_id: Option<Text>,
}

impl Handle<Aws> for WriteAccount {
    type Reply = Empty;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Empty, Fault> {
        if !is_account(&self.account_id) {
            return Err(Fault::invalid("account_id is to be of twelve digits"));
        }
        let decide = |kept: Option<Account>| {
            let role = self.sts_role.as_ref().map(|text| text.0.clone());
            let id = self.external_id.as_ref().map(|text| text.0.clone());
            let kept_role = kept.as_ref().map(|kept| kept.sts_role.clone());
            let role = role.or(kept_role).filter(|role| !role.is_empty());
            let role = role.ok_or_else(|| Fault::invalid("sts_role is required"))?;
            let kept_id = kept.map(|kept| kept.external_id).unwrap_or_default();
            let account = Account {
                external_id: external_id(id.unwrap_or(kept_id))?,
                sts_role: role_arn(role)?,
            };
            Ok::<_, Fault>((Some(account), ()))
        };
        cx.view.update(&place(&self.account_id), decide).await?;
        Ok(Empty)
    }
}

/// Forgets how an account is asked; our own key is then used for it.
#[derive(Deserialize, JsonSchema)]
struct DeleteAccount {
    /// Number of the account.
    account_id: String,
}

impl Handle<Aws> for DeleteAccount {
    type Reply = Empty;

    async fn handle(self, _: &Aws, cx: &Ctx) -> Result<Empty, Fault> {
        if is_account(&self.account_id) {
            cx.view.delete(&place(&self.account_id)).await?;
        }
        Ok(Empty)
    }
}

fn role_arn(text: String) -> Result<String, Fault> {
    let principal = Principal::parse(&text);
    match principal.map(|principal| principal.kind) {
        Some(Kind::Role { .. }) => Ok(text),
        _ => Err(Fault::invalid(
            "sts_role is to be like \"arn:aws:iam::123456789012:role/NAME\"",
        )),
    }
}

/// As STS takes it.
fn external_id(text: String) -> Result<String, Fault> {
    let sign = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
    let fine =
        text.is_empty() || (text.len() >= 2 && text.len() <= 1_224 && text.chars().all(sign));
    match fine {
        true => Ok(text),
        false => Err(Fault::invalid(
            "external_id is to be of 2 to 1224 letters, digits and signs out of \"_+=,.@:/-\"",
        )),
    }
}
