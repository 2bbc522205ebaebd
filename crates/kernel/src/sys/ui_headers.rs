//! `sys/config/ui/headers`: headers of the user interface's answers.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::Flag;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::open::Open;

/// Headers that every answer of the user interface has; operators may give them other values.
const SECURE_BY_DEFAULT: [&str; 1] = ["content-security-policy"];
/// How headers of this API begin.
const OURS: &str = "x-vault-";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "config/ui/headers",
            "The headers that answers of the user interface get.",
        )
        .sudo()
        .list::<List>(),
        path(
            "config/ui/headers/{header}",
            "One header that answers of the user interface get.",
        )
        .sudo()
        .read::<Read>()
        .write::<Write>()
        .delete::<Delete>(),
    ])
}

/// Lists the headers that answers of the user interface get.
#[derive(Deserialize, JsonSchema)]
struct List {}

impl Handle<Open> for List {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let names = open.ui_headers.all().into_keys();
        super::keys(names.map(|name| canonical(&name)).collect())
    }
}

/// Shows one header that answers of the user interface get.
#[derive(Deserialize, JsonSchema)]
struct Read {
    /// Its name.
    header: String,
    /// Shows all its values, not only the first.
    #[serde(default)]
    multivalue: Flag,
}

impl Handle<Open> for Read {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let values = open.ui_headers.get(&self.header).ok_or(Fault::NotFound)?;
        Reply::data(&match self.multivalue.0 {
            true => json!({ "values": values }),
            false => json!({ "value": values.first() }),
        })
    }
}

/// Gives answers of the user interface a header.
#[derive(Deserialize, JsonSchema)]
struct Write {
    /// Its name.
    header: String,
    /// Its values.
    #[serde(default)]
    values: Values,
    /// Says that there may be several values, which there may be anyway.
    #[serde(default, rename = "multivalue")]
    _multivalue: Flag,
}

/// Texts, or one text with whatever is in it: values of headers hold commas.
#[derive(Default, JsonSchema)]
#[schemars(inline)]
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let texts = match Value::deserialize(from)? {
            Value::Null => Vec::new(),
            Value::Array(texts) => texts,
            one => vec![one],
        };
        let text = |value| serde_json::from_value::<coffer_wire::Text>(value).map(|text| text.0);
        let texts = texts.into_iter().map(text).collect::<Result<_, _>>();
        texts.map(Self).map_err(serde::de::Error::custom)
    }
}

impl Handle<Open> for Write {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let name = self.header.to_lowercase();
        if self.values.0.is_empty() {
            return Err(Fault::invalid("header and values must be specified"));
        }
        if name.starts_with(OURS) {
            return Err(Fault::invalid("X-Vault headers cannot be set"));
        }
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !name.bytes().all(token) {
            return Err(Fault::Invalid(format!(
                "{:?} is not a name that a header can have",
                self.header
            )));
        }
        let sendable = |value: &String| value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !self.values.0.iter().all(sendable) {
            return Err(Fault::invalid(
                "values of headers have printable ASCII characters",
            ));
        }
        open.ui_headers.set(&name, Some(self.values.0)).await?;
        // The reference answers with an envelope here, which an empty answer would not have.
        let reply = Reply::data(&Value::Null)?;
        Ok(match SECURE_BY_DEFAULT.contains(&name.as_str()) {
            true => reply.warn(format!(
                "overriding default {} which is secure by default, proceed with caution",
                canonical(&name)
            )),
            false => reply,
        })
    }
}

/// Takes a header away from answers of the user interface.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// Its name.
    header: String,
}

impl Handle<Open> for Delete {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        open.ui_headers.set(&self.header, None).await?;
        Ok(Empty)
    }
}

/// A header's name as it is mostly written: each word with a capital.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}
