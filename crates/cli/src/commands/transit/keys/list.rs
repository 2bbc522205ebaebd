use clap::Args;

use crate::commands::list::print_list;
use crate::commands::transit::asking::refused;
use crate::commands::transit::place::Mount;
use crate::context::Context;
use crate::failure::Outcome;

/// List the names of keys
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  All:
      coffer transit keys list
  Of another mount, the second hundred:
      coffer transit keys list -mount=team/transit -after=NAME -limit=100")]
pub(crate) struct List {
    #[command(flatten)]
    mount: Mount,
    /// Begin after this name
    #[arg(long, value_name = "NAME")]
    after: Option<String>,
    /// At most so many names
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
}

impl List {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = format!("{}/keys", self.mount.path()?);
        let limit = self.limit.map(|limit| limit.to_string());
        let mut query = Vec::new();
        query.extend(self.after.as_deref().map(|after| ("after", after)));
        query.extend(limit.as_deref().map(|limit| ("limit", limit)));
        let answer = cx.client()?.list(&path, &query).await;
        let answer = answer.map_err(|error| refused("listing keys", &error))?;
        print_list(cx, answer, &path, false)
    }
}
