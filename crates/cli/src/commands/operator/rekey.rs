use clap::{Args, ValueEnum};
use coffer_client::Client;
use coffer_client::sys::{Attempt, Keys, NewShares, RekeyAnswer, RekeyState};

use super::{pgp, unseal_key};
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Format, key_values, print, print_secret, structured};

/// Make new unseal keys, recovery keys or break-glass shares
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Begin, for five new keys of which three unseal:
      coffer operator rekey -init -key-shares=5 -key-threshold=3
  Each holder of a present key gives it:
      coffer operator rekey -nonce=...
  Where seals open the server: recovery keys, and shares that open it without its seals:
      coffer operator rekey -init -target=recovery -key-shares=5 -key-threshold=3
      coffer operator rekey -init -target=break-glass -key-shares=5 -key-threshold=3 -verify
  Holders of the new ones give them back, after which they hold:
      coffer operator rekey -target=break-glass -verify -nonce=...
  Give up:
      coffer operator rekey -cancel -nonce=...")]
pub(crate) struct Rekey {
    /// The present key, or - for standard input; asked for when left out
    #[arg(value_name = "KEY")]
    key: Option<String>,
    /// Begin an attempt
    #[arg(long)]
    init: bool,
    /// Show how far the attempt is
    #[arg(long, conflicts_with_all = ["init", "cancel"])]
    status: bool,
    /// Give the attempt up
    #[arg(long, conflicts_with = "init")]
    cancel: bool,
    /// With -init: the new keys hold only once they were given back. Else: give a new key back
    #[arg(long)]
    verify: bool,
    /// How many new keys [default: 5]
    #[arg(short = 'n', long, value_name = "COUNT")]
    key_shares: Option<u32>,
    /// How many of them unseal [default: 3]
    #[arg(short = 't', long, value_name = "COUNT")]
    key_threshold: Option<u32>,
    /// Which attempt the key is for
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
    /// Files of public PGP keys to encrypt the new keys to, one each
    #[arg(long, value_name = "FILES", value_delimiter = ',')]
    pgp_keys: Vec<String>,
    /// Let the server keep a copy of the encrypted keys
    #[arg(long, requires = "pgp_keys")]
    backup: bool,
    /// Show the encrypted keys of which the server keeps a copy
    #[arg(long, conflicts_with_all = ["init", "status", "cancel", "backup_delete"])]
    backup_retrieve: bool,
    /// Delete that copy
    #[arg(long, conflicts_with_all = ["init", "status", "cancel"])]
    backup_delete: bool,
    /// Which keys to change
    #[arg(long, value_name = "KIND", default_value = "barrier")]
    target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// The unseal keys
    Barrier,
    /// The recovery keys, where another system unseals
    #[value(alias = "hsm")]
    Recovery,
    /// The break-glass shares, which open the server without its seals; recovery keys allow it
    BreakGlass,
}

impl Target {
    fn keys(self) -> Keys {
        match self {
            Self::Barrier => Keys::Unseal,
            Self::Recovery => Keys::Recovery,
            Self::BreakGlass => Keys::BreakGlass,
        }
    }

    /// What the further commands of an attempt need to say, too.
    fn said(self) -> &'static str {
        match self {
            Self::Barrier => "",
            Self::Recovery => " -target=recovery",
            Self::BreakGlass => " -target=break-glass",
        }
    }
}

impl Rekey {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let of = self.target.keys();
        if self.cancel {
            let nonce = self.nonce.as_deref().unwrap_or_default();
            client
                .sys()
                .rekey_cancel(of, nonce)
                .await
                .or_failed("canceling the rekey")?;
            cx.ui.line("Success! Canceled rekeying (if it was started)");
            return Ok(());
        }
        if self.status {
            let state = client
                .sys()
                .rekey_status(of)
                .await
                .or_failed("reading the rekey's status")?;
            return print(cx, &state, || key_values(&rows(&state)));
        }
        if self.backup_retrieve || self.backup_delete {
            return self.copies(cx, &client, of).await;
        }
        if self.init {
            return self.begin(cx, &client, of).await;
        }
        self.give_key(cx, &client, of).await
    }

    async fn begin(&self, cx: &Context, client: &Client, of: Keys) -> Outcome {
        let shares = NewShares {
            secret_shares: self.key_shares.unwrap_or(5),
            secret_threshold: self.key_threshold.unwrap_or(3),
            pgp_keys: pgp::keys(&self.pgp_keys)?,
            backup: self.backup,
            require_verification: self.verify,
        };
        let state = client
            .sys()
            .rekey_init(of, &shares)
            .await
            .or_failed("beginning the rekey")?;
        if self.pgp_keys.is_empty() && !self.verify && state.n > 0 && !state.complete {
            cx.ui.warn(
                "WARNING! The new keys are shown once, and the present ones end with that. If the output is lost, the\n\
                 data is lost: -verify asks for the new keys back first, -pgp-keys with -backup keeps an encrypted copy.\n",
            );
        }
        if state.complete {
            // Nobody held a recovery key, so they were made at once.
            let answer = RekeyAnswer {
                nonce: state.nonce,
                complete: true,
                keys: state.keys,
                keys_base64: state.keys_base64,
                pgp_fingerprints: state.pgp_fingerprints,
                backup: state.backup,
                verification_required: state.verification_required,
                verification_nonce: state.verification_nonce,
            };
            return self.show(cx, &answer);
        }
        print(cx, &state, || key_values(&rows(&state)))
    }

    async fn give_key(&self, cx: &Context, client: &Client, of: Keys) -> Outcome {
        let nonce = match &self.nonce {
            Some(nonce) => nonce.clone(),
            None => self.present_nonce(cx, client, of).await?,
        };
        let attempt = Attempt {
            key: unseal_key(cx, self.key.as_deref())?,
            nonce,
        };
        let sys = client.sys();
        let answer = match self.verify {
            true => sys.rekey_verify(of, &attempt).await,
            false => sys.rekey_update(of, &attempt).await,
        };
        let answer = answer.or_failed("giving the key")?;
        if !answer.complete {
            let state = sys
                .rekey_status(of)
                .await
                .or_failed("reading the rekey's status")?;
            return print(cx, &state, || key_values(&rows(&state)));
        }
        self.show(cx, &answer)
    }

    fn show(&self, cx: &Context, answer: &RekeyAnswer) -> Outcome {
        match cx.format {
            Format::Table if answer.keys_base64.is_empty() && !self.verify => {
                cx.ui
                    .line("Success! A new root key is in use; nobody's keys change.");
            }
            Format::Table => cx.ui.line(&new_keys(answer, self.target)),
            other => cx.ui.line(&structured(other, answer)?),
        }
        Ok(())
    }

    /// Shows or deletes the copies that `-backup` left.
    async fn copies(&self, cx: &Context, client: &Client, of: Keys) -> Outcome {
        let path = match of {
            Keys::Recovery => "sys/rotate/recovery/backup",
            Keys::Unseal | Keys::BreakGlass => "sys/rotate/root/backup",
        };
        if self.backup_delete {
            let deleted = client.delete(path, &[]).await;
            deleted.or_failed("deleting the copies of the keys")?;
            cx.ui
                .line("Success! Deleted the copies of the keys (if there were any)");
            return Ok(());
        }
        let answer = client.read(path, &[]).await;
        let answer = answer.or_failed("reading the copies of the keys")?;
        let secret = answer.ok_or_else(|| Failure {
            code: 2,
            text: "Backed-up keys not found".to_owned(),
        })?;
        print_secret(cx, &secret, None)
    }

    async fn present_nonce(
        &self,
        cx: &Context,
        client: &Client,
        of: Keys,
    ) -> Result<String, Failure> {
        let state = client
            .sys()
            .rekey_status(of)
            .await
            .or_failed("reading the rekey's status")?;
        if !state.started {
            return Err(Failure::local(
                "no rekey is under way; begin one with -init",
            ));
        }
        let nonce = if self.verify {
            state.verification_nonce
        } else {
            state.nonce
        };
        cx.ui
            .warn(&format!("The key goes to the attempt with nonce {nonce}"));
        Ok(nonce)
    }
}

fn rows(state: &RekeyState) -> Vec<[String; 2]> {
    let mut rows = vec![
        ("Nonce", state.nonce.clone()),
        ("Started", state.started.to_string()),
    ];
    if state.started {
        rows.extend([
            ("Progress", format!("{}/{}", state.progress, state.required)),
            ("New Shares", state.n.to_string()),
            ("New Threshold", state.t.to_string()),
            (
                "Verification Required",
                state.verification_required.to_string(),
            ),
        ]);
        if !state.verification_nonce.is_empty() {
            rows.push(("Verification Nonce", state.verification_nonce.clone()));
        }
    }
    if !state.pgp_fingerprints.is_empty() {
        rows.push(("PGP Fingerprints", state.pgp_fingerprints.join(" ")));
        rows.push(("Backup", state.backup.to_string()));
    }
    rows.into_iter()
        .map(|(name, text)| [name.to_owned(), text])
        .collect()
}

fn new_keys(answer: &RekeyAnswer, target: Target) -> String {
    if answer.keys_base64.is_empty() {
        return "Success! The new keys were given back and hold from now on.".to_owned();
    }
    let keys: String = answer
        .keys_base64
        .iter()
        .enumerate()
        .map(|(index, key)| format!("Key {}: {}\n", index + 1, key.expose()))
        .collect();
    let what_next = match answer.verification_required {
        true => format!(
            "The present keys hold until the new ones were given back:\n\
             coffer operator rekey{} -verify -nonce={}\n\nVerification Nonce: {}",
            target.said(),
            answer.verification_nonce,
            answer.verification_nonce
        ),
        false => "These keys are shown this once and replace the former ones. Keep each with another person.".to_owned(),
    };
    format!("\n{keys}\nOperation nonce: {}\n\n{what_next}", answer.nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_keys_are_numbered() {
        let answer = RekeyAnswer {
            nonce: "n".to_owned(),
            complete: true,
            keys_base64: vec!["a".into(), "b".into()],
            ..RekeyAnswer::default()
        };
        let text = new_keys(&answer, Target::Barrier);
        assert!(text.starts_with("\nKey 1: a\nKey 2: b\n\nOperation nonce: n\n\n"));
    }

    #[test]
    fn what_is_next_names_the_keys_it_is_about() {
        let answer = RekeyAnswer {
            complete: true,
            keys_base64: vec!["a".into()],
            verification_required: true,
            verification_nonce: "v".to_owned(),
            ..RekeyAnswer::default()
        };
        for (target, command) in [
            (Target::Barrier, "rekey -verify -nonce=v"),
            (Target::Recovery, "rekey -target=recovery -verify -nonce=v"),
            (
                Target::BreakGlass,
                "rekey -target=break-glass -verify -nonce=v",
            ),
        ] {
            let text = new_keys(&answer, target);
            assert!(text.contains(command), "{text}");
        }
    }
}
