use clap::{Args, Subcommand};

use super::super::list::print_list;
use super::wish::Wish;
use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::output::print_secret;

/// Access keys for AWS's clients: create, list, look up, revoke
#[derive(Debug, Subcommand)]
pub(crate) enum AccessKey {
    Create(Box<Create>),
    List(List),
    Lookup(Lookup),
    Revoke(Revoke),
}

impl AccessKey {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Create(create) => create.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Lookup(lookup) => lookup.run(cx).await,
            Self::Revoke(revoke) => revoke.run(cx).await,
        }
    }
}

/// Create an access key; its secret is shown once
///
/// It stands for a token, a child of the one in use, and ends with it. Where a client can run a command, `coffer kms credentials`
/// needs no access key that lies in a file.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  For an application, for a month:
      coffer kms access-key create -policy=app -ttl=720h
  Into the file that AWS's clients read:
      coffer kms access-key create -policy=app -field=secret_access_key")]
pub(crate) struct Create {
    #[command(flatten)]
    wish: Wish,
    #[command(flatten)]
    field: Field,
}

impl Create {
    async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let wish = self.wish.into_request();
        let made = client.access_keys().create(&wish).await;
        let made = made.or_failed("creating access key")?;
        print_secret(cx, &made, self.field.name())
    }
}

/// List the access keys of the namespace
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Their ids:
      coffer kms access-key list
  With what they may do and when they end:
      coffer kms access-key list -detailed -format=json")]
pub(crate) struct List {
    /// Show what each is: its token's accessor, policies and end
    #[arg(long)]
    detailed: bool,
}

impl List {
    async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let listed = client.access_keys().list().await;
        let listed = listed.or_failed("listing access keys")?;
        print_list(cx, listed, "auth/token/access-keys", self.detailed)
    }
}

/// Show an access key: the token that it stands for, and never its secret
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
      coffer kms access-key lookup CKIAJ3X2...")]
pub(crate) struct Lookup {
    /// The id of the access key
    #[arg(value_name = "ACCESS KEY ID")]
    id: String,
    #[command(flatten)]
    field: Field,
}

impl Lookup {
    async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let shown = client.access_keys().lookup(&self.id).await;
        print_secret(
            cx,
            &shown.or_failed("looking up access key")?,
            self.field.name(),
        )
    }
}

/// Revoke an access key
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
      coffer kms access-key revoke CKIAJ3X2...")]
pub(crate) struct Revoke {
    /// The id of the access key
    #[arg(value_name = "ACCESS KEY ID")]
    id: String,
}

impl Revoke {
    async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let revoked = client.access_keys().revoke(&self.id).await;
        revoked.or_failed("revoking access key")?;
        cx.ui.line("Success! Revoked access key (if it existed)");
        Ok(())
    }
}
