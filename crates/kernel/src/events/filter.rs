//! Expressions that choose events, in the language of [`crate::filter`].

use std::borrow::Cow;

use super::published::Published;
use crate::filter::{Condition, Expression, Held, parse};

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
        Ok(Self(with_slashes(expression)))
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

/// Mounts and namespaces end in a slash; who leaves it out means the same. `root` is the namespace without a path.
fn with_slashes(expression: Expression<Field>) -> Expression<Field> {
    match expression {
        Expression::All(parts) => Expression::All(parts.into_iter().map(with_slashes).collect()),
        Expression::Any(parts) => Expression::Any(parts.into_iter().map(with_slashes).collect()),
        Expression::Not(part) => Expression::Not(Box::new(with_slashes(*part))),
        Expression::Field(field, Condition::Is(value)) => {
            let value = match (&field, value.trim_matches('/')) {
                (Field::Namespace, "" | "root") => String::new(),
                (Field::SourcePluginMount, "") => value,
                (Field::Namespace | Field::SourcePluginMount, path) => format!("{path}/"),
                _ => value,
            };
            Expression::Field(field, Condition::Is(value))
        }
        other => other,
    }
}
