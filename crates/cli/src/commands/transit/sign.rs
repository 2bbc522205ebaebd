use clap::Args;

use super::asking::ask;
use super::batch::{BatchFlags, Job, Kind};
use super::binding::Derivation;
use super::place::Target;
use super::printing::{OutputFlags, member, print_value, unpacked};
use super::scheme::Scheme;
use super::source::{Input, Words};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::field::Field;
use crate::output::print_secret;

/// Sign with a key; prints the signature
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A file, and check it:
      coffer transit sign release @app.tar.gz > app.tar.gz.sig
      coffer transit verify -signature=@app.tar.gz.sig release @app.tar.gz
  A file of any size, by its digest:
      openssl dgst -sha256 -binary disk.img | coffer transit sign -prehashed -hash-algorithm=sha2-256 release -
  For another program to check, with the public key that `coffer transit export -type=public-key release` prints:
      coffer transit sign -output=app.sig release @app.tar.gz
      openssl dgst -sha256 -verify release.pem -signature app.sig app.tar.gz
  A text a line, and a signature a line:
      coffer transit sign -batch=@names.txt release
  Lines like {\"text\": \"a\", \"reference\": \"1\"}; what comes out, `verify -json-lines` takes:
      coffer transit sign -json-lines -batch=@items.jsonl release")]
pub(crate) struct Sign {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    derivation: Derivation,
    /// Sign with this version and not the latest
    #[arg(long, value_name = "VERSION")]
    key_version: Option<u64>,
    #[command(flatten)]
    scheme: Scheme,
    #[command(flatten)]
    batch: BatchFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    field: Field,
}

impl Sign {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let place = self.target.place()?;
        let doing = format!("signing with {}", place.key());
        let mut words = Words::default();
        let each = self.derivation.body(&mut words)?;
        let common = self.scheme.body();
        let common = common.with("key_version", self.key_version);
        if let Some(source) = self.batch.source(&mut words)? {
            self.output.refuse_for_many()?;
            let job = Job {
                kind: &Kind::SIGN,
                path: place.path("sign"),
                doing,
                common: &common,
                each: &each,
            };
            return self.batch.run(cx, source, &job).await;
        }
        let body = common.and(each);
        let body = body.bytes("input", &self.input.bytes(&mut words)?);
        let answer = ask(cx, &place.path("sign"), &body, &doing).await?;
        if !self.output.is_given() {
            return print_value(cx, &answer, "signature", self.field.name());
        }
        if answer.wrap_info.is_some() {
            return print_secret(cx, &answer, None);
        }
        cx.ui.warnings(&answer.warnings);
        let signature = member(&answer, "signature")?.as_str().and_then(bare);
        let signature = signature.ok_or_else(|| Failure {
            code: 2,
            text: "the server's answer is not understood: the signature is not base64".to_owned(),
        })?;
        self.output.write(cx, &signature)?;
        self.output.tell(cx);
        Ok(())
    }
}

/// The signature's own bytes: what stands after the version, in either alphabet.
fn bare(signature: &str) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let (_, packed) = signature.rsplit_once(':')?;
    unpacked(packed)
}
