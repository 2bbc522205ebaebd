use clap::Args;

use super::body::Body;
use super::source::Words;
use crate::failure::Failure;

/// For what a key is derived.
#[derive(Debug, Args)]
pub(super) struct Derivation {
    /// For keys that are derived: for whom or what, as text, @FILE or -; the same is needed again later
    #[arg(long, value_name = "CONTEXT")]
    context: Option<String>,
}

impl Derivation {
    pub(super) fn body(&self, words: &mut Words) -> Result<Body, Failure> {
        field(Body::default(), "context", self.context.as_deref(), words)
    }
}

/// What a ciphertext is bound to.
#[derive(Debug, Args)]
pub(super) struct Binding {
    #[command(flatten)]
    derivation: Derivation,
    /// What the ciphertext belongs to, as text, @FILE or -; not hidden, not in the ciphertext, and needed again to decrypt
    #[arg(long, value_name = "DATA")]
    associated_data: Option<String>,
}

impl Binding {
    pub(super) fn body(&self, words: &mut Words) -> Result<Body, Failure> {
        let body = self.derivation.body(words)?;
        field(
            body,
            "associated_data",
            self.associated_data.as_deref(),
            words,
        )
    }
}

fn field(body: Body, name: &str, word: Option<&str>, words: &mut Words) -> Result<Body, Failure> {
    match word {
        None => Ok(body),
        Some(word) => Ok(body.bytes(name, &words.bytes(word)?)),
    }
}
