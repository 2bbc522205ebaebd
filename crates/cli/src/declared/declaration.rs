use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::kind::Kind;

/// Names one thing of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Id {
    pub(crate) kind: Kind,
    /// The namespace it is in, with a slash at the end; empty for the one that the command is run in.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) namespace: String,
    /// Its name or path.
    pub(crate) name: String,
}

/// One thing that shall be there.
#[derive(Debug)]
pub(crate) struct Declaration {
    pub(crate) id: Id,
    /// Its fields as the API takes them. Fields that are not named are left as they are.
    pub(crate) fields: Map<String, Value>,
    /// Fields that hold a value from the environment or a file.
    pub(crate) secrets: BTreeSet<String>,
    /// Fields that the server takes and does not show.
    pub(crate) write_only: BTreeSet<String>,
    /// What has to be there first, as `kind name`.
    pub(crate) depends_on: Vec<String>,
    /// Who comes from auth methods as this entity or group.
    pub(crate) aliases: Vec<Alias>,
    /// The file and line.
    pub(crate) place: String,
}

/// Somebody's name in an auth method.
#[derive(Debug)]
pub(crate) struct Alias {
    /// The auth method's path, with a slash at the end, without `auth/`.
    pub(crate) auth: String,
    pub(crate) name: String,
    pub(crate) custom_metadata: Map<String, Value>,
}

/// What is to be removed on demand where no file declares it.
#[derive(Debug)]
pub(crate) struct Owned {
    pub(crate) kind: Kind,
    pub(crate) namespace: String,
    /// Names, `*` for anything.
    pub(crate) pattern: String,
}

/// All that a directory says.
#[derive(Debug, Default)]
pub(crate) struct Declared {
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) owned: Vec<Owned>,
}

impl Id {
    /// The name in one spelling, so that two declarations of one thing are found.
    pub(super) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        let bare = name.trim().trim_matches('/');
        let name = match kind {
            Kind::Auth => format!("{}/", bare.strip_prefix("auth/").unwrap_or(bare)),
            kind if kind.is_mount_point() => format!("{bare}/"),
            // The server compares these without regard to case.
            kind if kind.is_text() => bare.to_lowercase(),
            _ => bare.to_owned(),
        };
        Self {
            kind,
            namespace: namespace.to_owned(),
            name,
        }
    }

    /// The path by which it is read and written.
    pub(super) fn path(&self) -> String {
        let name = self.name.trim_end_matches('/');
        format!("{}{}{name}", self.namespace, self.kind.folder())
    }

    /// The paths below which everything is there only with this: what hangs on a mount or a namespace.
    pub(super) fn realm(&self) -> Option<String> {
        match self.kind {
            Kind::Namespace => Some(format!("{}{}/", self.namespace, self.name)),
            Kind::Mount => Some(format!("{}{}", self.namespace, self.name)),
            Kind::Auth => Some(format!("{}auth/{}", self.namespace, self.name)),
            _ => None,
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.kind, self.namespace, self.name)
    }
}

impl Declaration {
    /// As a sentence about a problem begins.
    pub(super) fn said(&self) -> String {
        format!("{}: {}", self.place, self.id)
    }

    /// A text of an error without the secrets of this declaration, which a server might repeat.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let mut texts = Vec::new();
        for field in &self.secrets {
            collect_texts(self.fields.get(field), &mut texts);
        }
        texts
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| {
                text.replace(secret, "(secret)")
            })
    }
}

fn collect_texts<'a>(value: Option<&'a Value>, texts: &mut Vec<&'a str>) {
    match value {
        Some(Value::String(text)) => texts.push(text),
        Some(Value::Array(values)) => {
            values
                .iter()
                .for_each(|value| collect_texts(Some(value), texts));
        }
        Some(Value::Object(fields)) => {
            fields
                .values()
                .for_each(|value| collect_texts(Some(value), texts));
        }
        _ => {}
    }
}
