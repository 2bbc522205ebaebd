use clap::Args;
use coffer_client::sys::{Attempt, RootAttempt};
use coffer_client::{Client, Token};
use coffer_crypto::Random;

use super::{otp, pgp, unseal_key};
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Format, columns, print, print_field};

/// Make a new root token out of enough unseal keys
///
/// The token comes out encoded with a one-time password, so that whoever gives the last key does not see it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Begin; a one-time password is shown:
      coffer operator generate-root -init
  Each holder of a key gives it:
      coffer operator generate-root -nonce=...
  Decode what the last one is shown:
      coffer operator generate-root -decode=... -otp=...")]
pub(crate) struct GenerateRoot {
    /// The unseal key, or - for standard input; asked for when left out
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
    /// Make a one-time password and do nothing else
    #[arg(long, conflicts_with_all = ["init", "cancel", "status", "decode"])]
    generate_otp: bool,
    /// Take the one-time password off this encoded token
    #[arg(long, value_name = "TOKEN", requires = "otp")]
    decode: Option<String>,
    /// The one-time password (- for standard input)
    #[arg(long, value_name = "PASSWORD")]
    otp: Option<String>,
    /// File of the public PGP key to encrypt the token to, in place of a one-time password
    #[arg(long, value_name = "FILE", conflicts_with = "otp")]
    pgp_key: Option<String>,
    /// Which attempt the key is for
    #[arg(long, value_name = "NONCE")]
    nonce: Option<String>,
}

impl GenerateRoot {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        if let Some(encoded) = &self.decode {
            return self.decoded(cx, encoded);
        }
        if self.generate_otp {
            let length = client
                .sys()
                .root_status()
                .await
                .or_failed("asking for the password's length")?
                .otp_length;
            let otp = otp::generate(length, &Random::system());
            return print_field(cx, &otp.expose().into());
        }
        if self.cancel {
            client
                .sys()
                .root_cancel(self.nonce.as_deref().unwrap_or_default())
                .await
                .or_failed("canceling the attempt")?;
            cx.ui
                .line("Success! Root token generation canceled (if it was started)");
            return Ok(());
        }
        let attempt = match (self.init, self.status) {
            (true, _) => self.begin(cx, &client).await?,
            (_, true) => client
                .sys()
                .root_status()
                .await
                .or_failed("reading the attempt's status")?,
            _ => self.give_key(cx, &client).await?,
        };
        print(cx, &attempt, || table(&attempt))
    }

    fn decoded(&self, cx: &Context, encoded: &str) -> Outcome {
        let token = otp::decode(encoded, &self.password(cx)?)?;
        match cx.format {
            Format::Table => cx.ui.print(token.expose()),
            _ => print(cx, &serde_json::json!({ "token": token }), String::new)?,
        }
        Ok(())
    }

    fn password(&self, cx: &Context) -> Result<Token, Failure> {
        match self.otp.as_deref() {
            Some("-") => Ok(Token::new(cx.ui.stdin()?.to_string())),
            other => Ok(Token::from(other.unwrap_or_default())),
        }
    }

    async fn begin(&self, cx: &Context, client: &Client) -> Result<RootAttempt, Failure> {
        let pgp_key = self
            .pgp_key
            .as_deref()
            .map(pgp::key)
            .transpose()?
            .unwrap_or_default();
        let otp = self.password(cx)?;
        let attempt = client
            .sys()
            .root_init(otp.expose(), &pgp_key)
            .await
            .or_failed("beginning the attempt")?;
        if !attempt.otp.is_empty() {
            cx.ui.warn("Keep the one-time password (OTP): without it the new root token cannot be decoded.");
        }
        Ok(attempt)
    }

    async fn give_key(&self, cx: &Context, client: &Client) -> Result<RootAttempt, Failure> {
        let nonce = match &self.nonce {
            Some(nonce) => nonce.clone(),
            None => {
                let attempt = client
                    .sys()
                    .root_status()
                    .await
                    .or_failed("reading the attempt's status")?;
                if !attempt.started {
                    return Err(Failure::local(
                        "no attempt is under way; begin one with -init",
                    ));
                }
                cx.ui.warn(&format!(
                    "The key goes to the attempt with nonce {}",
                    attempt.nonce
                ));
                attempt.nonce
            }
        };
        let key = unseal_key(cx, self.key.as_deref())?;
        client
            .sys()
            .root_update(&Attempt { key, nonce })
            .await
            .or_failed("giving the key")
    }
}

/// Rows without a heading, as the reference prints them.
fn table(attempt: &RootAttempt) -> String {
    let mut rows = vec![
        ["Nonce".to_owned(), attempt.nonce.clone()],
        ["Started".to_owned(), attempt.started.to_string()],
        [
            "Progress".to_owned(),
            format!("{}/{}", attempt.progress, attempt.required),
        ],
        ["Complete".to_owned(), attempt.complete.to_string()],
    ];
    let encoded = [&attempt.encoded_token, &attempt.encoded_root_token]
        .into_iter()
        .find(|token| !token.is_empty());
    let further = [
        ("PGP Fingerprint", attempt.pgp_fingerprint.clone()),
        ("Encoded Token", encoded.cloned().unwrap_or_default()),
        ("OTP", attempt.otp.expose().to_owned()),
        (
            "OTP Length",
            Some(attempt.otp_length)
                .filter(|length| *length > 0)
                .map(|l| l.to_string())
                .unwrap_or_default(),
        ),
    ];
    rows.extend(
        further
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| [name.to_owned(), text]),
    );
    let table = columns(["", ""], &rows);
    table.lines().skip(2).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_shown_without_a_heading() {
        let attempt = RootAttempt {
            nonce: "n".to_owned(),
            started: true,
            progress: 2,
            required: 2,
            complete: true,
            encoded_token: "abc".to_owned(),
            ..RootAttempt::default()
        };
        let wanted = "\
Nonce            n
Started          true
Progress         2/2
Complete         true
Encoded Token    abc";
        assert_eq!(table(&attempt), wanted);
    }
}
