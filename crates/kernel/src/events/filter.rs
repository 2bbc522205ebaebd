//! Expressions that choose events, in the language of [`crate::filter`].

use std::borrow::Cow;

use super::published::Published;
use crate::filter::{Expression, Held, Slashed, parse};

/// What stands before the name of something in the metadata.
const METADATA: &str = "metadata.";
/// The longest name of something in the metadata.
const NAME_BYTES_MAX: usize = 64;

/// Which events a subscriber wants, by what they are about.
#[derive(Clone, Debug)]
pub(super) struct Filter(Expression<Field>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    EventType,
    Namespace,
    SourcePluginMount,
    Metadata(String),
}

impl Filter {
    /// Reads a filter; the error says at which column what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let expression = parse(text, field).map_err(|wrong| format!("filter, {wrong}"))?;
        Ok(Self(expression.with_slashes(&|field| match field {
            Field::Namespace => Some(Slashed::Namespace),
            Field::SourcePluginMount => Some(Slashed::Mount),
            Field::EventType | Field::Metadata(_) => None,
        })))
    }

    /// Whether an event is chosen.
    pub fn takes(&self, event: &Published) -> bool {
        self.0.holds(&|field: &Field| {
            Held::Text(Cow::Borrowed(match field {
                Field::EventType => event.kind(),
                Field::Namespace => event.namespace(),
                Field::SourcePluginMount => event.mount_path(),
                Field::Metadata(name) => event.said(name).unwrap_or_default(),
            }))
        })
    }
}

fn field(name: &str) -> Result<Field, String> {
    let name = name.trim_start_matches('/');
    Ok(match name {
        "event_type" => Field::EventType,
        "namespace" => Field::Namespace,
        "source_plugin_mount" => Field::SourcePluginMount,
        "operation" | "path" | "data_path" => Field::Metadata(name.to_owned()),
        _ => match name.strip_prefix(METADATA) {
            Some(name) if !name.is_empty() && name.len() <= NAME_BYTES_MAX => {
                Field::Metadata(name.to_owned())
            }
            _ => {
                return Err(format!(
                    "{name:?} can not be asked about; event_type, namespace, operation, path, data_path, source_plugin_mount and metadata.NAME can"
                ));
            }
        },
    })
}
