use clap::Args;
use coffer_client::AccessKeyCreate;

use crate::input;

/// What an access key is to be.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// Policy of the access key, repeatable; without one it has those of the token in use
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    policy: Vec<String>,
    /// How long it lives
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    pub(super) ttl: Option<String>,
    /// How long it lives at most, however often its token is renewed
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    explicit_max_ttl: Option<String>,
    /// How many requests it may sign; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    use_limit: u64,
    /// Let it outlive the token that creates it
    #[arg(long)]
    orphan: bool,
    /// Leave the policy `default` out
    #[arg(long)]
    no_default_policy: bool,
    /// A name for people
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// A note for the audit log, repeatable
    #[arg(long, value_name = "KEY=VALUE", value_parser = input::pair)]
    metadata: Vec<(String, String)>,
    /// Token role to create it by
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
}

impl Wish {
    pub(super) fn into_request(self) -> AccessKeyCreate {
        AccessKeyCreate {
            policies: self.policy,
            metadata: self.metadata.into_iter().collect(),
            ttl: self.ttl,
            explicit_max_ttl: self.explicit_max_ttl,
            no_default_policy: self.no_default_policy,
            display_name: self.display_name.unwrap_or_default(),
            num_uses: self.use_limit,
            orphan: self.orphan,
            role: self.role,
        }
    }
}
