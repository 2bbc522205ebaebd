use clap::Args;

/// The flag for one field alone.
#[derive(Debug, Args)]
pub(crate) struct Field {
    /// Print only this field, without a line end, for use in scripts
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub(crate) field: Option<String>,
}

impl Field {
    /// Its name, if given.
    pub(crate) fn name(&self) -> Option<&str> {
        self.field.as_deref()
    }
}
