use clap::Args;
use coffer_client::sys::{self, InitAnswer};
use coffer_client::{Client, Token};
use serde::Serialize;

use super::pgp;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Format, print, structured};

/// Make a new server's keys and its first root token; done once in its life
///
/// The keys are printed this one time and kept nowhere. Give each to another person.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Five keys, three of which unseal:
      coffer operator init
  One key, for a try:
      coffer operator init -key-shares=1 -key-threshold=1
  Where a seal is configured that opens the server, with shares for the day when it is gone:
      coffer operator init -recovery-shares=5 -recovery-threshold=3 -break-glass-shares=5 -break-glass-threshold=3
  For a script:
      coffer operator init -format=json > keys.json
  Whether it was done already (exit code 0) or not (2):
      coffer operator init -status")]
pub(crate) struct Init {
    /// How many keys [default: 5]
    #[arg(short = 'n', long, value_name = "COUNT")]
    key_shares: Option<u32>,
    /// How many of them unseal [default: 3]
    #[arg(short = 't', long, value_name = "COUNT")]
    key_threshold: Option<u32>,
    /// Files of public PGP keys to encrypt the keys to, one each
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    pgp_keys: Vec<String>,
    /// File of the public PGP key to encrypt the root token to
    #[arg(long, value_name = "FILE")]
    root_token_pgp_key: Option<String>,
    /// How many recovery keys, where another system unseals [default: 5]
    #[arg(long, value_name = "COUNT")]
    recovery_shares: Option<u32>,
    /// How many recovery keys suffice [default: 3]
    #[arg(long, value_name = "COUNT")]
    recovery_threshold: Option<u32>,
    /// Files of public PGP keys to encrypt the recovery keys to, one each
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    recovery_pgp_keys: Vec<String>,
    /// How many break-glass shares, which open the server when its seals are gone; none unless given
    #[arg(long, value_name = "COUNT", requires = "break_glass_threshold")]
    break_glass_shares: Option<u32>,
    /// How many break-glass shares suffice
    #[arg(long, value_name = "COUNT", requires = "break_glass_shares")]
    break_glass_threshold: Option<u32>,
    /// Files of public PGP keys to encrypt the break-glass shares to, one each
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    break_glass_pgp_keys: Vec<String>,
    /// Only say whether it was done
    #[arg(long)]
    status: bool,
}

impl Init {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        if self.status {
            return status(cx, &client).await;
        }
        let how = self.request(&client).await?;
        let answer = client.sys().init(&how).await.or_failed("initializing")?;
        let view = View::new(&answer, &how);
        match cx.format {
            Format::Table => cx.ui.line(&view.text()),
            other => cx.ui.line(&structured(other, &view)?),
        }
        Ok(())
    }

    async fn request(&self, client: &Client) -> Result<sys::Init, Failure> {
        let recovers = client
            .sys()
            .seal_status()
            .await
            .or_failed("initializing")?
            .recovery_seal;
        let mut how = sys::Init {
            pgp_keys: pgp::keys(&self.pgp_keys)?,
            root_token_pgp_key: self
                .root_token_pgp_key
                .as_deref()
                .map(pgp::key)
                .transpose()?
                .unwrap_or_default(),
            recovery_pgp_keys: pgp::keys(&self.recovery_pgp_keys)?,
            ..sys::Init::default()
        };
        if recovers {
            // Another system holds the key that unseals; what people hold are recovery keys.
            how.recovery_shares = Some(self.recovery_shares.unwrap_or(5));
            how.recovery_threshold = Some(self.recovery_threshold.unwrap_or(3));
            how.break_glass_shares = self.break_glass_shares;
            how.break_glass_threshold = self.break_glass_threshold;
            how.break_glass_pgp_keys = pgp::keys(&self.break_glass_pgp_keys)?;
        } else {
            how.secret_shares = self.key_shares.unwrap_or(5);
            how.secret_threshold = self.key_threshold.unwrap_or(3);
        }
        Ok(how)
    }
}

async fn status(cx: &Context, client: &Client) -> Outcome {
    let done = client
        .sys()
        .is_initialized()
        .await
        .or_failed("checking whether it is initialized")?;
    print(cx, &serde_json::json!({ "Initialized": done }), || {
        if done {
            "The server is initialized"
        } else {
            "The server is not initialized"
        }
        .to_owned()
    })?;
    if done {
        Ok(())
    } else {
        Err(Failure::silent(2))
    }
}

/// The new keys, in the names the reference prints.
#[derive(Serialize)]
struct View<'a> {
    unseal_keys_b64: Option<&'a [Token]>,
    unseal_keys_hex: Option<&'a [Token]>,
    unseal_shares: u32,
    unseal_threshold: u32,
    recovery_keys_b64: Option<&'a [Token]>,
    recovery_keys_hex: Option<&'a [Token]>,
    recovery_keys_shares: u32,
    recovery_keys_threshold: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    break_glass_keys_b64: Option<&'a [Token]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    break_glass_keys_hex: Option<&'a [Token]>,
    root_token: &'a Token,
}

impl<'a> View<'a> {
    fn new(answer: &'a InitAnswer, how: &sys::Init) -> Self {
        Self {
            unseal_keys_b64: some(&answer.keys_base64),
            unseal_keys_hex: some(&answer.keys),
            unseal_shares: how.secret_shares,
            unseal_threshold: how.secret_threshold,
            recovery_keys_b64: some(&answer.recovery_keys_base64),
            recovery_keys_hex: some(&answer.recovery_keys),
            recovery_keys_shares: how.recovery_shares.unwrap_or(0),
            recovery_keys_threshold: how.recovery_threshold.unwrap_or(0),
            break_glass_keys_b64: some(&answer.break_glass_keys_base64),
            break_glass_keys_hex: some(&answer.break_glass_keys),
            root_token: &answer.root_token,
        }
    }

    fn text(&self) -> String {
        let mut text = numbered("Unseal Key", self.unseal_keys_b64.unwrap_or_default());
        text.push_str(&numbered(
            "Recovery Key",
            self.recovery_keys_b64.unwrap_or_default(),
        ));
        text.push_str(&numbered(
            "Break-Glass Share",
            self.break_glass_keys_b64.unwrap_or_default(),
        ));
        text.push_str(&match self.root_token.expose() {
            "" => "\nNo root token: the server set itself up by its configuration, and revoked it.\n\n".to_owned(),
            token => format!("\nInitial Root Token: {token}\n\n"),
        });
        text.push_str(&match self.unseal_keys_b64.is_none() {
            true => "The server's seals open it after every start. These keys are shown this once. Keep each with another person: recovery\n\
                     keys make a new root token and move the server to another seal, and open nothing alone; break-glass shares\n\
                     open it without its seals."
                .to_owned(),
            false => format!(
                "These keys are shown this once and kept nowhere. Keep each with another person: after every start or\n\
                 seal, {} of the {} are needed to unseal (`coffer operator unseal`). Without enough of them the data is lost.",
                self.unseal_threshold, self.unseal_shares
            ),
        });
        text
    }
}

/// Keys there are none of are printed as `null`.
fn some(keys: &[Token]) -> Option<&[Token]> {
    (!keys.is_empty()).then_some(keys)
}

fn numbered(what: &str, keys: &[Token]) -> String {
    keys.iter()
        .enumerate()
        .map(|(index, key)| format!("{what} {}: {}\n", index + 1, key.expose()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_find_keys_and_token_where_they_look() {
        let answer = InitAnswer {
            keys: vec!["aa".into()],
            keys_base64: vec!["qg==".into()],
            root_token: "hvs.root".into(),
            ..InitAnswer::default()
        };
        let how = sys::Init {
            secret_shares: 1,
            secret_threshold: 1,
            ..sys::Init::default()
        };
        let view = View::new(&answer, &how);
        assert!(
            view.text()
                .starts_with("Unseal Key 1: qg==\n\nInitial Root Token: hvs.root\n\n"),
            "{}",
            view.text()
        );
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(json["unseal_keys_b64"][0], "qg==");
        assert_eq!(json["unseal_threshold"], 1);
    }
}
