//! `operator`: what keeps a server running: keys, seal, cluster.

mod diagnose;
mod generate_root;
mod init;
mod key_status;
mod members;
mod otp;
pub(crate) mod pgp;
mod raft;
mod rekey;
mod rotate;
mod seal;
mod seal_migrate;
mod seals;
mod snapshot;
mod step_down;
mod unseal;
mod validate_config;

use clap::Subcommand;
use coffer_client::Token;

use crate::context::Context;
use crate::failure::{Failure, Outcome};

/// For operators: init, unseal, seal, keys, snapshots, diagnosis
#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    Init(init::Init),
    Unseal(unseal::Unseal),
    Seal(seal::Seal),
    #[command(subcommand)]
    Seals(seals::Seals),
    SealMigrate(seal_migrate::SealMigrate),
    #[command(visible_alias = "rotate-keys")]
    Rekey(rekey::Rekey),
    Rotate(rotate::Rotate),
    KeyStatus(key_status::KeyStatus),
    GenerateRoot(generate_root::GenerateRoot),
    StepDown(step_down::StepDown),
    Members(members::Members),
    ValidateConfig(validate_config::ValidateConfig),
    Diagnose(diagnose::Diagnose),
    #[command(subcommand)]
    Snapshot(snapshot::Snapshot),
    #[command(subcommand)]
    Raft(raft::Raft),
}

impl Operator {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        match self {
            Self::Init(init) => init.run(cx).await,
            Self::Unseal(unseal) => unseal.run(cx).await,
            Self::Seal(seal) => seal.run(cx).await,
            Self::Seals(seals) => seals.run(cx).await,
            Self::SealMigrate(migrate) => migrate.run(cx).await,
            Self::Rekey(rekey) => rekey.run(cx).await,
            Self::Rotate(rotate) => rotate.run(cx).await,
            Self::KeyStatus(key_status) => key_status.run(cx).await,
            Self::GenerateRoot(generate_root) => generate_root.run(cx).await,
            Self::StepDown(step_down) => step_down.run(cx).await,
            Self::Members(members) => members.run(cx).await,
            Self::ValidateConfig(validate) => validate.run(cx),
            Self::Diagnose(diagnose) => diagnose.run(cx).await,
            Self::Snapshot(snapshot) => snapshot.run(cx).await,
            Self::Raft(raft) => raft.run(cx).await,
        }
    }
}

/// An unseal key: the word given, standard input for `-`, else asked for without showing it.
pub(crate) fn unseal_key(cx: &Context, word: Option<&str>) -> Result<Token, Failure> {
    let key = match word {
        Some("-") => Token::new(cx.ui.stdin()?.to_string()),
        Some(word) => Token::from(word),
        None => Token::new(cx.ui.ask_hidden(
            "Unseal Key",
            "Give it as a word, or - to read it from standard input.",
        )?),
    };
    if key.is_empty() {
        return Err(Failure::local("the unseal key is empty"));
    }
    Ok(key)
}
