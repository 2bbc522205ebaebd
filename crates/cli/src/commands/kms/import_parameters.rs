use clap::Args;

use super::import::parameters;
use super::target::Target;
use crate::context::Context;
use crate::failure::Outcome;
use crate::field::Field;
use crate::output::print_secret;

/// Get a public key to wrap material for, and the token that goes with it
///
/// For material that is wrapped elsewhere, by an HSM; `coffer kms import` does all of it at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Both last for a day:
      coffer kms import-parameters -key=alias/app -format=json > parameters.json
      jq -r .data.public_key parameters.json | base64 -d > wrapping.der
      jq -r .data.import_token parameters.json > token
  Wrap the material, as the algorithm says, and bring it:
      openssl pkeyutl -encrypt -in material.bin -out wrapped.bin -pubin -inkey wrapping.der -keyform DER \\
        -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256
      coffer kms import -key=alias/app -wrapped -import-token=token wrapped.bin")]
pub(crate) struct ImportParameters {
    #[command(flatten)]
    target: Target,
    /// RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, and for private keys RSA_AES_KEY_WRAP_SHA_256 or RSA_AES_KEY_WRAP_SHA_1
    #[arg(long, value_name = "NAME", default_value = "RSAES_OAEP_SHA_256")]
    wrapping_algorithm: String,
    /// RSA_2048, RSA_3072 or RSA_4096
    #[arg(long, value_name = "SPEC", default_value = "RSA_4096")]
    wrapping_key_spec: String,
    #[command(flatten)]
    field: Field,
}

impl ImportParameters {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let (algorithm, spec) = (&self.wrapping_algorithm, &self.wrapping_key_spec);
        let answer = parameters(cx, &self.target, algorithm, spec).await?;
        print_secret(cx, &answer, self.field.name())
    }
}
