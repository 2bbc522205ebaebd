use std::str::FromStr;

use clap::ValueEnum;

use crate::failure::Failure;

/// How to print an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for people
    Table,
    /// JSON, the whole answer
    Json,
    /// YAML, the whole answer
    #[value(alias = "yml")]
    Yaml,
    /// JSON for reading
    Pretty,
    /// The server's bytes as they came (`read` only)
    Raw,
}

impl FromStr for Format {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        ValueEnum::from_str(text, true).map_err(|_| {
            Failure::local(format!(
                "the format \"{text}\" is none of table, json, yaml, pretty, raw"
            ))
        })
    }
}
