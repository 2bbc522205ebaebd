use clap::Args;
use coffer_client::{Token, TokenCreate};

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::field::Field;
use crate::input;
use crate::output::print_secret;

/// Create a token
///
/// Without -policy it has the policies of the token that creates it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  For an application, an hour, renewable for a day:
      coffer token create -policy=app -ttl=1h -explicit-max-ttl=24h
  One that lives as long as it is renewed every ten minutes:
      coffer token create -policy=app -period=10m
  Handed over wrapped, so that only the receiver sees it:
      coffer token create -policy=app -wrap-ttl=5m
  For a script:
      coffer token create -field=token -policy=app -use-limit=1")]
pub(crate) struct Create {
    /// Policy of the token, repeatable
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    policy: Vec<String>,
    /// How long it lives unless renewed
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    ttl: Option<String>,
    /// How long it lives at most
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    explicit_max_ttl: Option<String>,
    /// Time each renewal gives a periodic token
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    period: Option<String>,
    /// How many requests it may make; 0 for no limit
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    use_limit: u64,
    /// Whether it can be renewed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    renewable: Option<bool>,
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
    /// The token itself, if it must be a chosen one
    #[arg(long, value_name = "TOKEN")]
    id: Option<String>,
    /// Token role to create it by
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// service or batch
    #[arg(long = "type", value_name = "KIND")]
    kind: Option<String>,
    /// Alias of the entity to tie it to (with a role)
    #[arg(long, value_name = "NAME")]
    entity_alias: Option<String>,
    #[command(flatten)]
    field: Field,
}

impl Create {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let what = TokenCreate {
            id: Token::from(self.id.unwrap_or_default()),
            policies: self.policy,
            metadata: self.metadata.into_iter().collect(),
            ttl: self.ttl,
            explicit_max_ttl: self.explicit_max_ttl,
            period: self.period,
            no_default_policy: self.no_default_policy,
            display_name: self.display_name.unwrap_or_default(),
            num_uses: self.use_limit,
            renewable: self.renewable,
            token_type: self.kind,
            entity_alias: self.entity_alias,
            orphan: self.orphan,
            role: self.role,
        };
        let secret = cx
            .client()?
            .tokens()
            .create(&what)
            .await
            .or_failed("creating token")?;
        print_secret(cx, &secret, self.field.name())
    }
}
