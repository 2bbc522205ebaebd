use std::fs;
use std::path::Path;

use clap::Args;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::ui::read_file;

/// Lay a policy file out in the usual way
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer policy fmt app.hcl")]
pub(crate) struct Fmt {
    /// The file; it is replaced
    #[arg(value_name = "FILE")]
    file: String,
}

impl Fmt {
    pub(crate) fn run(self, cx: &Context) -> Outcome {
        let file = self.file;
        let text = read_file(&file)?;
        let formatted = coffer_hcl::format(&text).map_err(|error| {
            Failure::local(format!(
                "{file} cannot be formatted, it does not parse: {error}"
            ))
        })?;
        replace(Path::new(&file), &formatted)
            .map_err(|error| Failure::local(format!("cannot write {file}: {error}")))?;
        cx.ui.line(&format!("Success! Formatted policy: {file}"));
        Ok(())
    }
}

/// Writes beside and renames over, so that a full disk cannot leave half a policy.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    let target = fs::canonicalize(file)?;
    let beside = target.with_extension(format!("{}.new", std::process::id()));
    let written = fs::write(&beside, text)
        .and_then(|()| fs::set_permissions(&beside, fs::metadata(&target)?.permissions()))
        .and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
