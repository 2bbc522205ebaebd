use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Show how to log in by a method
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  By the method's name, or by the path it is mounted at:\n      coffer auth help userpass\n      coffer auth help machines/"
)]
pub(crate) struct Help {
    /// Name of a method, or path of a mounted one
    #[arg(value_name = "TYPE | PATH")]
    method: String,
}

impl Help {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let name = self.method.trim_matches('/');
        if let Some(text) = usage(name) {
            cx.ui.line(&text);
            return Ok(());
        }
        let mounts = cx
            .client()?
            .sys()
            .auths()
            .await
            .or_failed("listing auth methods")?;
        let kind = mounts
            .get(&format!("{name}/"))
            .map(|mount| mount.r#type.as_str());
        match kind.and_then(usage) {
            Some(text) => cx.ui.line(&text),
            None => {
                let hint = kind.map_or(
                    "`coffer auth list` shows what is mounted",
                    |_| "`coffer path-help auth/PATH` shows what it takes",
                );
                return Err(Failure::local(format!(
                    "there is no help on {name} here; {hint}"
                )));
            }
        }
        Ok(())
    }
}

/// How to log in by a method this program knows.
fn usage(method: &str) -> Option<String> {
    let (fields, note): (&[(&str, &str)], &str) = match method {
        "token" => (
            &[("token", "the token; asked for when left out")],
            "A token you have already.",
        ),
        "userpass" | "ldap" | "radius" | "okta" => (
            &[
                (
                    "username",
                    "who logs in; your system's user name when left out",
                ),
                ("password", "asked for when left out"),
            ],
            "A name and a password.",
        ),
        "approle" => (
            &[("role_id", "which role"), ("secret_id", "its secret")],
            "A machine with a role and a secret of its own.",
        ),
        "jwt" => (
            &[
                ("role", "which role; the mount's default when left out"),
                ("jwt", "the signed token, best as jwt=@FILE"),
            ],
            "A token that a platform has signed for a job.",
        ),
        "oidc" => (
            &[
                ("role", "which role; the mount's default when left out"),
                (
                    "port",
                    "where the browser comes back to; 8250 when left out",
                ),
                ("skip_browser", "true to be shown the address alone"),
            ],
            "A person, with a browser and the organisation's provider.",
        ),
        "aws" => (
            &[
                ("role", "which role"),
                (
                    "header_value",
                    "which server is meant, where it wants to be named",
                ),
                ("region", "whose STS is meant; us-east-1 when left out"),
                ("aws_access_key_id", "the environment's when left out"),
                ("aws_secret_access_key", "the environment's when left out"),
            ],
            "A principal of AWS, by a request that its key signs.",
        ),
        "gcp" => (
            &[
                ("role", "which role"),
                ("jwt", "the signed token; the machine's own when left out"),
                (
                    "credentials",
                    "a service account's key, as credentials=@FILE",
                ),
            ],
            "A service account or machine of Google Cloud.",
        ),
        "kubernetes" => (
            &[
                ("role", "which role"),
                (
                    "jwt",
                    "the service account's token; the pod's own when left out",
                ),
            ],
            "A pod with its service account.",
        ),
        "cert" => (
            &[(
                "name",
                "which configured certificate; any that fits when left out",
            )],
            "A client certificate, given with -client-cert and -client-key.",
        ),
        _ => return None,
    };
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, about)| format!("  {name:<width$}  {about}"))
        .collect();
    let example = match method {
        "token" => "coffer login".to_owned(),
        _ => format!(
            "coffer login -method={method} {}=...",
            fields.first().map_or("", |(name, _)| name)
        ),
    };
    Some(format!(
        "{note}\n\nUsage: {example}\n\nFields:\n{}\n\n  mount   where the method is mounted, if not at {method}/ (also -path)",
        lines.join("\n")
    ))
}
