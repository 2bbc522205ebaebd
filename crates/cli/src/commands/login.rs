mod aws;
mod gcp;
mod kubernetes;
mod listener;
mod oidc;

use clap::Args;
use coffer_client::{Client, Secret, Token, variable_in_use};
use serde_json::{Map, Value};

use super::second_factor;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::{Format, print_secret};
use crate::token_file;

/// Log in: with a token, or by an auth method
///
/// The token is kept for later commands in ~/.vault-token, readable by you alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  With a token, asked for without showing it:
      coffer login
  With name and password (the password is asked for):
      coffer login -method=userpass username=alice
  With the password that a directory knows:
      coffer login -method=ldap username=alice
  A machine, with the method mounted elsewhere:
      coffer login -method=approle -path=machines role_id=... secret_id=@secret-id
  A job whose platform has signed a token for it:
      coffer login -method=jwt role=deploy jwt=@token
  A person, with a browser and the organisation's provider:
      coffer login -method=oidc role=engineer
      coffer login -method=oidc role=engineer port=8400 skip_browser=true
  A machine in AWS, with the key of its environment:
      coffer login -method=aws role=web header_value=vault.example.com
  A pod, by the token of its service account:
      coffer login -method=kubernetes role=web
  A machine of Google Cloud, and a service account by its key:
      coffer login -method=gcp role=vm
      coffer login -method=gcp role=web credentials=@key.json
  A machine with a TLS certificate:
      coffer login -method=cert -client-cert=web.pem -client-key=web.key name=web
  With a second factor that is asked for, and with one given at once:
      coffer login -method=userpass username=alice
      coffer login -mfa=METHOD-ID:CODE -method=userpass username=alice password=-
  Only the token, for a script:
      coffer login -token-only -method=userpass username=alice password=-")]
pub(crate) struct Login {
    /// The token (- for standard input), or key=value as the method wants
    #[arg(value_name = "TOKEN | KEY=VALUE")]
    words: Vec<String>,
    /// Auth method: token, userpass, ldap, approle, jwt, oidc, kubernetes, aws, gcp, cert
    #[arg(long, value_name = "NAME", default_value = "token")]
    method: String,
    /// Where the method is mounted, if not at its name
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Do not keep the token
    #[arg(long)]
    no_store: bool,
    /// Do not print the token
    #[arg(long)]
    no_print: bool,
    /// Print the token alone and keep nothing
    #[arg(long)]
    token_only: bool,
    #[command(flatten)]
    field: Field,
}

impl Login {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        let secret = match self.method.trim_matches('/') {
            "token" => self.by_token(cx, &client).await?,
            method => self.by_method(cx, &client, method).await?,
        };
        let secret = self.unwrapped(&client, secret).await?;
        let secret = second_factor::asked(cx, &client, secret).await?;
        let Some(auth) = secret.auth.as_ref() else {
            return match (&secret.wrap_info, self.token_only) {
                (Some(wrap), true) => {
                    cx.ui.print(wrap.token.expose());
                    Ok(())
                }
                _ => print_secret(cx, &secret, self.field.name()),
            };
        };
        if self.token_only {
            cx.ui.print(auth.client_token.expose());
            return Ok(());
        }
        self.keep(cx, &auth.client_token)?;
        self.show(cx, &secret)
    }

    /// A wrapped answer is unwrapped to keep its token, unless it is to be passed on as it is.
    async fn unwrapped(&self, client: &Client, secret: Secret) -> Result<Secret, Failure> {
        let Some(wrap) = secret
            .wrap_info
            .as_ref()
            .filter(|_| !self.token_only && !self.no_store)
        else {
            return Ok(secret);
        };
        let answer = client.with_token(None).unwrap(Some(&wrap.token)).await;
        let answer = answer.or_failed("unwrapping the token")?;
        answer.ok_or_else(|| Failure {
            code: 2,
            text: "the wrapped answer is empty".to_owned(),
        })
    }

    /// Checks a token by looking it up, and shows it as a login would.
    async fn by_token(&self, cx: &Context, client: &Client) -> Result<Secret, Failure> {
        let token = self.token(cx)?;
        let looked_up = client
            .with_token(Some(token.clone()))
            .tokens()
            .lookup_self()
            .await;
        let looked_up = looked_up.or_failed("authenticating")?;
        let data = looked_up.data.clone().unwrap_or_default();
        let fields = serde_json::json!({
            "client_token": token,
            "accessor": data.get("accessor"),
            "policies": data.get("policies"),
            "token_policies": data.get("policies"),
            "identity_policies": data.get("identity_policies"),
            "metadata": data.get("meta"),
            "lease_duration": data.get("ttl").cloned().unwrap_or(Value::from(0)),
            "renewable": data.get("renewable").cloned().unwrap_or(Value::from(false)),
            "entity_id": data.get("entity_id").and_then(Value::as_str).unwrap_or_default(),
            "orphan": data.get("orphan").cloned().unwrap_or(Value::from(false)),
        });
        let auth = without_nulls(fields);
        let auth = serde_json::from_value(auth).map_err(|_| Failure {
            code: 2,
            text: "the answer about the token is not understood".to_owned(),
        })?;
        Ok(Secret {
            auth: Some(auth),
            data: None,
            ..looked_up
        })
    }

    fn token(&self, cx: &Context) -> Result<Token, Failure> {
        let text = match self.words.as_slice() {
            [] => cx.ui.ask_hidden(
                "Token",
                "Give it as a word, or - to read it from standard input.",
            )?,
            [word] if word == "-" => cx.ui.stdin()?.to_string(),
            [word] => word.strip_prefix("token=").unwrap_or(word).to_owned(),
            _ => {
                return Err(Failure::local(
                    "one token is enough; for another way to log in name it with -method",
                ));
            }
        };
        let token = Token::from(text);
        if token.is_empty() {
            return Err(Failure::local("the token is empty"));
        }
        Ok(token)
    }

    async fn by_method(
        &self,
        cx: &Context,
        client: &Client,
        method: &str,
    ) -> Result<Secret, Failure> {
        let mut fields = input::data(&self.words, &cx.ui)?;
        let mount = fields
            .remove("mount")
            .and_then(|mount| mount.as_str().map(str::to_owned));
        let mount = self
            .path
            .clone()
            .or(mount)
            .unwrap_or_else(|| method.to_owned());
        if method == "oidc" {
            return oidc::log_in(cx, client, mount.trim_matches('/'), fields).await;
        }
        let mut path = format!("auth/{}/login", mount.trim_matches('/'));
        match method {
            "userpass" | "ldap" | "radius" | "okta" => {
                path = format!("{path}/{}", username(&mut fields)?);
                if !fields.contains_key("password") {
                    let password = cx
                        .ui
                        .ask_hidden("Password", "Give it as password=- and on standard input.")?;
                    fields.insert("password".to_owned(), password.into());
                }
            }
            "approle" => machine(cx, &mut fields)?,
            "cert" => refuse_without_certificate(cx)?,
            "jwt" if !fields.contains_key("jwt") => {
                let jwt = cx.ui.ask_hidden("Signed token", "Give it as jwt=@FILE.")?;
                fields.insert("jwt".to_owned(), jwt.into());
            }
            "aws" => aws::sign(&mut fields)?,
            "kubernetes" => kubernetes::complete(&mut fields)?,
            "gcp" => gcp::complete(&mut fields).await?,
            _ => {}
        }
        // No old token may stand in the way of getting a new one.
        let answer = client
            .with_token(None)
            .write(&path, &fields)
            .await
            .or_failed("authenticating")?;
        answer.filter(|secret| secret.auth.is_some() || secret.wrap_info.is_some()).ok_or_else(|| Failure {
            code: 2,
            text: format!("{path} answered no token; is {method} an auth method to log in by? `coffer auth list` shows all"),
        })
    }

    fn keep(&self, cx: &Context, token: &Token) -> Outcome {
        if self.no_store {
            return Ok(());
        }
        token_file::store(token).map_err(|reason| {
            Failure::local(format!("logged in, but the token cannot be kept: {reason}. Log in with -no-store and set COFFER_TOKEN."))
        })?;
        if let Some(variable) = variable_in_use("TOKEN") {
            cx.ui.warn(&format!(
                "WARNING! The variable {variable} is set and wins over the token just kept; unset it to use that.\n"
            ));
        }
        Ok(())
    }

    fn show(&self, cx: &Context, secret: &Secret) -> Outcome {
        if self.no_print {
            return Ok(());
        }
        if self.field.name().is_none() && cx.format == Format::Table {
            match self.no_store {
                true => cx.ui.line("Success! You are logged in. The token was not kept: pass it on yourself (COFFER_TOKEN).\n\n"),
                false => cx.ui.line("Success! You are logged in, and the token is kept for the commands that follow.\n\n"),
            }
        }
        print_secret(cx, secret, self.field.name())
    }
}

/// What a machine shows is asked for where a person sits; a role may need no secret id.
fn machine(cx: &Context, fields: &mut Map<String, Value>) -> Result<(), Failure> {
    if !fields.contains_key("role_id") {
        let id = cx.ui.ask_hidden("Role ID", "Give it as role_id=ID.")?;
        fields.insert("role_id".to_owned(), id.into());
    }
    if !fields.contains_key("secret_id") && cx.ui.is_interactive() {
        let question = "Secret ID, empty if the role needs none";
        let id = cx.ui.ask_hidden(question, "Give it as secret_id=@FILE.")?;
        if !id.is_empty() {
            fields.insert("secret_id".to_owned(), id.into());
        }
    }
    Ok(())
}

/// Who shows no certificate is told here what is missing; an agent has its own to show.
fn refuse_without_certificate(cx: &Context) -> Outcome {
    let flags = &cx.global;
    let shows = flags.client_cert.is_some() || variable_in_use("CLIENT_CERT").is_some();
    let asks_agent = flags.agent_address.is_some() || variable_in_use("AGENT_ADDR").is_some();
    match shows || asks_agent {
        true => Ok(()),
        false => Err(Failure::local(
            "say which certificate to show: -client-cert=FILE and -client-key=FILE (or COFFER_CLIENT_CERT and COFFER_CLIENT_KEY)",
        )),
    }
}

fn username(fields: &mut Map<String, Value>) -> Result<String, Failure> {
    match fields.remove("username") {
        Some(Value::String(name)) if !name.is_empty() => Ok(name),
        Some(_) => Err(Failure::local("the name is to be a text that is not empty")),
        None => match std::env::var("USER").ok().filter(|name| !name.is_empty()) {
            Some(name) => Ok(name),
            None => Err(Failure::local("say who logs in: username=NAME")),
        },
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect(),
        other => other,
    }
}
