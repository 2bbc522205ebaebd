use clap::Args;
use serde_json::{Map, Value};

use super::refusal::Explained;
use super::target::{Mount, Target, object, segment, text, write, write_once};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::input;
use crate::output::print_secret;

/// Make a master key
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A key that encrypts, under a name:
      coffer kms create -alias=alias/app
  One that signs:
      coffer kms create -spec=ECC_NIST_P256 -usage=SIGN_VERIFY -alias=alias/releases
  One for material that is made elsewhere:
      coffer kms create -origin=EXTERNAL -description='from the ceremony of May'")]
pub(crate) struct Create {
    /// What it is made of: SYMMETRIC_DEFAULT, RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_NIST_EDWARDS25519, HMAC_224, HMAC_256, HMAC_384, HMAC_512, ML_DSA_44, ML_DSA_65, ML_DSA_87
    #[arg(long, value_name = "SPEC", default_value = "SYMMETRIC_DEFAULT")]
    spec: String,
    /// What it is for: ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC
    #[arg(long, value_name = "USAGE")]
    usage: Option<String>,
    /// AWS_KMS (made in the server) or EXTERNAL (imported later)
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// A note about it, no secret
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A tag, repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::pair)]
    tag: Vec<(String, String)>,
    /// Give it this alias, too
    #[arg(long, value_name = "ALIAS")]
    alias: Option<String>,
    #[command(flatten)]
    mount: Mount,
    #[command(flatten)]
    field: Field,
}

impl Create {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let alias = self.alias.as_deref().map(alias_path).transpose()?;
        let mut body = Map::from_iter([("key_spec".to_owned(), Value::from(self.spec))]);
        let texts = [
            ("key_usage", self.usage),
            ("origin", self.origin),
            ("description", self.description),
        ];
        for (name, value) in texts {
            body.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        if !self.tag.is_empty() {
            body.insert("tags".to_owned(), object(self.tag)?);
        }
        let path = self.mount.path("keys");
        let made = write_once(cx, &path, &body, "making a key").await?;
        let made = made.ok_or_else(|| Failure::nothing_at(&path))?;
        if let Some(alias) = alias {
            let id = text(&made, "key_id")?;
            let doing = format!("giving the new key {id} its alias");
            let body = Map::from_iter([
                ("target_key_id".to_owned(), id.into()),
                ("create_only".to_owned(), true.into()),
            ]);
            write(cx, &self.mount.path(&alias), &body, &doing).await?;
        }
        print_secret(cx, &made, self.field.name())
    }
}

/// The path of an alias.
pub(super) fn alias_path(alias: &str) -> Result<String, Failure> {
    match segment(alias).strip_prefix("alias:") {
        Some(name) if !name.is_empty() => Ok(format!("aliases/{name}")),
        _ => Err(Failure::local(
            "an alias begins with alias/, like alias/app",
        )),
    }
}

/// Show a master key, but never its material
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer kms describe -key=alias/app
  coffer kms describe -key=alias/app -field=key_state")]
pub(crate) struct Describe {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    field: Field,
}

impl Describe {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.target.part("");
        let answer = cx.client()?.read(&path, &[]).await;
        let answer = answer.or_failed(format!("reading {path}"))?;
        let answer = answer.ok_or_else(|| Failure::nothing_at(&path))?;
        print_secret(cx, &answer, self.field.name())
    }
}
