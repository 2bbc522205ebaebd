use clap::Args;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::{key_values, print};

/// Show the last line of an audit device's chain
///
/// Kept somewhere else, it proves later that a log is complete up to there: `audit verify -head=HEAD FILE`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer audit chain file\n  coffer audit chain -key file")]
pub(crate) struct Chain {
    /// The device's name
    #[arg(value_name = "PATH")]
    path: String,
    /// Show the key that proves each line, instead; who has it could forge lines
    #[arg(long)]
    key: bool,
}

impl Chain {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let client = cx.client()?;
        if self.key {
            let key = client.sys().audit_chain_key(&self.path).await;
            let key = key.or_failed("reading the chain's key")?;
            return print(cx, &key, || key.key.clone());
        }
        let chain = client.sys().audit_chain(&self.path).await;
        let chain = chain.or_failed("reading the chain")?;
        print(cx, &chain, || {
            let head = chain.head.clone().unwrap_or_default();
            key_values(&[
                ["id".to_owned(), chain.id.clone()],
                ["head".to_owned(), head],
            ])
        })
    }
}
