use clap::{Args, ValueEnum};
use coffer_client::Token;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Revoke a token with its children and all their leases
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A token and what came of it:
      coffer token revoke hvs.CAES...
  By its accessor:
      coffer token revoke -accessor 9793c9b3...
  One's own:
      coffer token revoke -self
  The token alone; its children live on:
      coffer token revoke -mode=orphan hvs.CAES...")]
pub(crate) struct Revoke {
    /// The token, or its accessor with -accessor
    #[arg(value_name = "TOKEN | ACCESSOR")]
    token: Option<String>,
    /// The word is an accessor
    #[arg(long)]
    accessor: bool,
    /// The token in use
    #[arg(long = "self", conflicts_with_all = ["token", "accessor", "mode"])]
    own: bool,
    /// What else to revoke than the token with its children
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// The token alone
    Orphan,
    /// Everything ever issued below a path, given in place of the token
    Path,
}

impl Revoke {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let tokens = client.tokens();
        let revoked = match (self.token, self.accessor, self.mode) {
            (None, ..) if self.own => tokens.revoke_self().await,
            (None, ..) => {
                return Err(Failure::local(
                    "say which token to revoke, or -self for the one in use",
                ));
            }
            (Some(accessor), true, None) => tokens.revoke_accessor(&accessor).await,
            (Some(_), true, Some(_)) => {
                return Err(Failure::local("-accessor does not go together with -mode"));
            }
            (Some(path), false, Some(Mode::Path)) => {
                client
                    .sys()
                    .revoke_prefix(&path, coffer_client::sys::RevokePrefix::Queued)
                    .await
            }
            (Some(token), false, Some(Mode::Orphan)) => {
                tokens.revoke_orphan(&Token::from(token)).await
            }
            (Some(token), false, None) => tokens.revoke(&Token::from(token)).await,
        };
        revoked.or_failed("revoking token")?;
        cx.ui.line("Success! Revoked token (if it existed)");
        Ok(())
    }
}
