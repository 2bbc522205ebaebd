use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::ui::read_file;

/// Write a policy
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  From a file:
      coffer policy write app app.hcl
  From standard input:
      echo 'path \"secret/data/app\" { capabilities = [\"read\"] }' | coffer policy write app -")]
pub(crate) struct Write {
    /// The policy's name
    #[arg(value_name = "NAME")]
    name: String,
    /// File with its rules (HCL or JSON), or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
}

impl Write {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let text = match self.file.as_str() {
            "-" => cx.ui.stdin()?,
            file => read_file(file)?,
        };
        if text.trim().is_empty() {
            return Err(Failure::local(
                "the policy is empty; a policy without rules grants nothing",
            ));
        }
        // One name in every spelling: the server compares without regard to case.
        let name = self.name.trim().to_lowercase();
        cx.client()?
            .sys()
            .write_policy(&name, &text)
            .await
            .or_failed("uploading policy")?;
        cx.ui.line(&format!("Success! Uploaded policy: {name}"));
        Ok(())
    }
}
