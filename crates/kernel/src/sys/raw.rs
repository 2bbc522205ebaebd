//! `sys/raw`: the records of the store as they are, for operators who repair it by hand. It is there only if the
//! configuration says `raw_storage_endpoint = true`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_barrier::Error;
use coffer_crypto::Zeroizing;
use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{Flag, Int, Text, Wiped};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::open::Open;

/// How many keys are read at once.
const PAGE: usize = 1_000;
/// The most keys that one answer lists; `after` goes on behind them.
const KEYS_MAX: usize = 100_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("raw", "What is stored at the top.")
            .sudo()
            .read::<ReadNothing>()
            .list::<ListTop>(),
        path("raw/{path*}", "What is stored at a path, decrypted.")
            .sudo()
            .read::<Read>()
            .list::<List>()
            .write::<Write>()
            .delete::<Delete>(),
    ])
}

/// Who did not ask for this in the configuration does not have it.
fn refuse_unless_wanted(open: &Open) -> Result<(), Fault> {
    match open.settings.raw_storage_endpoint {
        true => Ok(()),
        false => Err(Fault::UnsupportedPath),
    }
}

/// How values travel.
#[derive(Clone, Copy)]
enum Encoding {
    Text,
    Base64,
}

impl Encoding {
    fn named(name: &str) -> Result<Self, Fault> {
        match name {
            "" => Ok(Self::Text),
            "base64" => Ok(Self::Base64),
            _ => Err(Fault::Invalid(format!("invalid encoding {name:?}"))),
        }
    }
}

/// Finds nothing: there is no record without a path.
#[derive(Deserialize, JsonSchema)]
struct ReadNothing {}

impl Handle<Open> for ReadNothing {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        refuse_unless_wanted(open)?;
        Err(Fault::NotFound)
    }
}

/// Shows what is stored at a path, decrypted: a version byte and JSON, where this server wrote it.
#[derive(Deserialize, JsonSchema)]
struct Read {
    /// The path.
    path: String,
    /// `base64`, for what is not text.
    #[serde(default)]
    encoding: Text,
    /// Asks for decompression. Nothing is compressed here, so this changes nothing.
    #[serde(default, rename = "compressed")]
    _compressed: Option<Flag>,
}

impl Handle<Open> for Read {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        refuse_unless_wanted(open)?;
        let encoding = Encoding::named(&self.encoding.0)?;
        let bytes = match open.barrier.raw(&self.path).await {
            Ok(bytes) => bytes.ok_or(Fault::NotFound)?,
            // Whoever came to repair the store has to know.
            Err(error @ Error::Damaged { .. }) => return Err(Fault::invalid(error)),
            Err(other) => return Err(other.into()),
        };
        let value = Zeroizing::new(match encoding {
            Encoding::Base64 => STANDARD.encode(&bytes),
            Encoding::Text => std::str::from_utf8(&bytes)
                .map_err(|_| Fault::invalid("the value is not text; ask with encoding=base64"))?
                .to_owned(),
        });
        Reply::data(&json!({ "value": *value }))
    }
}

/// Keeps a value at a path, encrypted. A record that the server cannot read is damaged to it.
#[derive(Deserialize, JsonSchema)]
struct Write {
    /// The path.
    path: String,
    /// The value.
    #[serde(default)]
    #[schemars(with = "String")]
    value: Wiped<Value>,
    /// `base64`, for what is not text.
    #[serde(default)]
    encoding: Text,
    /// Asks for a compressed record, which this server does not have.
    #[serde(default)]
    compression_type: Text,
    /// Says whether the value may be compressed. Nothing is compressed here, so this changes nothing.
    #[serde(default, rename = "compressed")]
    _compressed: Option<Flag>,
}

impl Handle<Open> for Write {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        refuse_unless_wanted(open)?;
        let encoding = Encoding::named(&self.encoding.0)?;
        match self.compression_type.0.as_str() {
            "" | "none" => {}
            kind => {
                return Err(Fault::Invalid(format!(
                    "invalid compression type {kind:?}: records are not compressed here, so leave it out"
                )));
            }
        }
        let text = match &*self.value {
            Value::Null => Zeroizing::new(String::new()),
            Value::String(text) => Zeroizing::new(text.clone()),
            number @ Value::Number(_) => Zeroizing::new(number.to_string()),
            _ => return Err(Fault::invalid("value has to be a text")),
        };
        let bytes = Zeroizing::new(match encoding {
            Encoding::Text => text.as_bytes().to_vec(),
            Encoding::Base64 => STANDARD
                .decode(text.as_bytes())
                .map_err(|_| Fault::invalid("the value is not base64"))?,
        });
        tracing::warn!(path = self.path, "a record was written by hand");
        open.barrier.put_raw(&self.path, &bytes).await?;
        Ok(Empty)
    }
}

/// Removes what is stored at a path.
#[derive(Deserialize, JsonSchema)]
struct Delete {
    /// The path.
    path: String,
}

impl Handle<Open> for Delete {
    type Reply = Empty;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Empty, Fault> {
        refuse_unless_wanted(open)?;
        tracing::warn!(path = self.path, "a record was removed by hand");
        open.barrier.delete_raw(&self.path).await?;
        Ok(Empty)
    }
}

/// Which part of a list is wanted.
#[derive(Deserialize, JsonSchema)]
struct Page {
    /// Begins after this key.
    #[serde(default)]
    after: Text,
    /// Lists at most so many.
    #[serde(default)]
    limit: Int,
}

/// Lists what is stored at the top.
#[derive(Deserialize, JsonSchema)]
struct ListTop {
    /// Which part of it.
    #[serde(flatten)]
    page: Page,
}

/// Lists what is stored below a path.
#[derive(Deserialize, JsonSchema)]
struct List {
    /// The path.
    path: String,
    /// Which part of it.
    #[serde(flatten)]
    page: Page,
}

impl Handle<Open> for ListTop {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        self.page.of("", open).await
    }
}

impl Handle<Open> for List {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let folder = format!("{}/", self.path.trim_end_matches('/'));
        self.page.of(&folder, open).await
    }
}

impl Page {
    async fn of(&self, folder: &str, open: &Open) -> Result<Reply, Fault> {
        refuse_unless_wanted(open)?;
        let limit = usize::try_from(self.limit.0)
            .ok()
            .filter(|limit| *limit > 0);
        let limit = limit.unwrap_or(KEYS_MAX).min(KEYS_MAX);
        let all = open.barrier.view("");
        let mut keys: Vec<String> = Vec::new();
        while keys.len() < limit {
            let after = keys.last().unwrap_or(&self.after.0);
            let after = Some(after.as_str()).filter(|after| !after.is_empty());
            let page = all
                .list(folder, after, PAGE.min(limit - keys.len()))
                .await?;
            if page.is_empty() {
                break;
            }
            keys.extend(page);
        }
        super::keys(keys)
    }
}
