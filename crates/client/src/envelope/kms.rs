//! Coffer's KMS engine as a keeper.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::keeper::{Fresh, data_key, sent, text};
use super::{Context, DataKey, KeeperError, Recipient};
use crate::Client;

/// The word for it in envelopes.
pub(super) const WORD: &str = "kms";
const WHO: &str = "the KMS engine";

pub(super) async fn fresh(
    client: &Client,
    mount: &str,
    key: &str,
    context: &Context,
) -> Result<Fresh, KeeperError> {
    let body = json!({ "key_spec": "AES_256", "encryption_context": context.pairs() });
    let data = ask(client, &format!("{mount}/data-key/{}", segment(key)), &body).await?;
    let plain = data_key(data.get("plaintext"), WHO)?;
    Ok((plain, recipient(client, mount, key, &data)?))
}

pub(super) async fn wrap(
    client: &Client,
    mount: &str,
    key: &str,
    context: &Context,
    plain: &DataKey,
) -> Result<Recipient, KeeperError> {
    let plain = sent(plain);
    let body = json!({ "plaintext": plain.as_str(), "encryption_context": context.pairs() });
    let data = ask(client, &format!("{mount}/encrypt/{}", segment(key)), &body).await?;
    recipient(client, mount, key, &data)
}

pub(super) async fn unwrap(
    client: &Client,
    of: &Recipient,
    context: &Context,
) -> Result<DataKey, KeeperError> {
    let body = json!({ "ciphertext_blob": of.wrapped, "encryption_context": context.pairs() });
    let path = format!("{}/decrypt/{}", of.mount, segment(&of.key));
    let data = ask(client, &path, &body).await?;
    data_key(data.get("plaintext"), WHO)
}

/// Has the data key wrapped anew, by the present version of its key or by another key; it does not leave the server.
pub(super) async fn rewrap(
    client: &Client,
    of: &Recipient,
    context: &Context,
    to: Option<&str>,
) -> Result<Recipient, KeeperError> {
    let body = json!({
        "ciphertext_blob": of.wrapped,
        "source_encryption_context": context.pairs(),
        "destination_encryption_context": context.pairs(),
    });
    let key = to.unwrap_or(&of.key);
    let path = format!(
        "{}/re-encrypt/{}/{}",
        of.mount,
        segment(&of.key),
        segment(key)
    );
    let data = ask(client, &path, &body).await?;
    let made = recipient(client, &of.mount, key, &data)?;
    Ok(match to {
        Some(_) => made,
        None => Recipient {
            alias: of.alias.clone(),
            ..made
        },
    })
}

/// How a key is named in a path: the id, or `alias:NAME` with `:` for every slash.
fn segment(key: &str) -> String {
    key.replace('/', ":")
}

fn recipient(
    client: &Client,
    mount: &str,
    asked: &str,
    data: &Map<String, Value>,
) -> Result<Recipient, KeeperError> {
    let key = text(data.get("key_id"), WHO)?;
    Ok(Recipient {
        keeper: WORD.into(),
        mount: mount.to_owned(),
        namespace: client.namespace().trim_matches('/').to_owned(),
        alias: if key == asked {
            String::new()
        } else {
            asked.to_owned()
        },
        key,
        wrapped: text(data.get("ciphertext_blob"), WHO)?,
    })
}

pub(super) async fn ask(
    client: &Client,
    path: &str,
    body: &impl Serialize,
) -> Result<Map<String, Value>, KeeperError> {
    let answer = client.write(path, body).await?;
    match answer.and_then(|answer| answer.data) {
        Some(Value::Object(data)) => Ok(data),
        _ => Err(KeeperError::NoDataKey("the server")),
    }
}
