//! `kms`: master keys that stay in the server, and what is done with them.

mod access_key;
mod alias;
mod create;
mod credentials;
mod data_key;
mod data_key_pair;
mod delete_material;
mod encrypt;
mod import;
mod import_parameters;
mod life;
mod list;
mod mac;
mod output_flags;
mod public_key;
mod random;
mod refusal;
mod rotation;
mod sign;
mod tag;
mod target;
mod update;
mod wish;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Outcome;

/// Master keys: make, manage and use them; access keys for AWS's clients
#[derive(Debug, Subcommand)]
pub(crate) enum Kms {
    Create(create::Create),
    List(list::List),
    Describe(create::Describe),
    Update(update::Update),
    Enable(life::Enable),
    Disable(life::Disable),
    ScheduleDeletion(life::ScheduleDeletion),
    CancelDeletion(life::CancelDeletion),
    Rotate(rotation::Rotate),
    Rotation(rotation::Rotation),
    Rotations(rotation::Rotations),
    #[command(subcommand)]
    Alias(alias::Alias),
    Tag(tag::Tag),
    Encrypt(encrypt::Encrypt),
    Decrypt(encrypt::Decrypt),
    ReEncrypt(encrypt::ReEncrypt),
    DataKey(data_key::DataKey),
    DataKeyPair(data_key_pair::DataKeyPair),
    Sign(sign::Sign),
    Verify(sign::Verify),
    Mac(mac::Mac),
    PublicKey(public_key::PublicKey),
    Random(random::Random),
    Import(import::Import),
    ImportParameters(import_parameters::ImportParameters),
    DeleteMaterial(delete_material::DeleteMaterial),
    #[command(subcommand)]
    AccessKey(access_key::AccessKey),
    Credentials(credentials::Credentials),
}

impl Kms {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Create(create) => create.run(cx).await,
            Self::List(list) => list.run(cx).await,
            Self::Describe(describe) => describe.run(cx).await,
            Self::Update(update) => update.run(cx).await,
            Self::Enable(enable) => enable.run(cx).await,
            Self::Disable(disable) => disable.run(cx).await,
            Self::ScheduleDeletion(schedule) => schedule.run(cx).await,
            Self::CancelDeletion(cancel) => cancel.run(cx).await,
            Self::Rotate(rotate) => rotate.run(cx).await,
            Self::Rotation(rotation) => rotation.run(cx).await,
            Self::Rotations(rotations) => rotations.run(cx).await,
            Self::Alias(alias) => alias.run(cx).await,
            Self::Tag(tag) => tag.run(cx).await,
            Self::Encrypt(encrypt) => encrypt.run(cx).await,
            Self::Decrypt(decrypt) => decrypt.run(cx).await,
            Self::ReEncrypt(re_encrypt) => re_encrypt.run(cx).await,
            Self::DataKey(data_key) => data_key.run(cx).await,
            Self::DataKeyPair(pair) => pair.run(cx).await,
            Self::Sign(sign) => sign.run(cx).await,
            Self::Verify(verify) => verify.run(cx).await,
            Self::Mac(mac) => mac.run(cx).await,
            Self::PublicKey(public_key) => public_key.run(cx).await,
            Self::Random(random) => random.run(cx).await,
            Self::Import(import) => import.run(cx).await,
            Self::ImportParameters(parameters) => parameters.run(cx).await,
            Self::DeleteMaterial(delete) => delete.run(cx).await,
            Self::AccessKey(access_key) => access_key.run(cx).await,
            Self::Credentials(credentials) => credentials.run(cx).await,
        }
    }
}
