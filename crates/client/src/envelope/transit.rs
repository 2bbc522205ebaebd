//! The transit engine as a keeper: Coffer's, Vault's or OpenBao's.
//!
//! It knows no pairs to authenticate; the envelope itself binds the context to its payload.

use serde_json::{Map, Value, json};

use super::keeper::{Fresh, data_key, sent, text};
use super::kms::ask;
use super::{DataKey, KeeperError, Recipient};
use crate::Client;

/// The word for it in envelopes.
pub(super) const WORD: &str = "transit";
const WHO: &str = "the transit engine";

pub(super) async fn fresh(client: &Client, mount: &str, key: &str) -> Result<Fresh, KeeperError> {
    let path = format!("{mount}/datakey/plaintext/{key}");
    let data = ask(client, &path, &json!({ "bits": 256 })).await?;
    let plain = data_key(data.get("plaintext"), WHO)?;
    Ok((plain, recipient(client, mount, key, &data)?))
}

pub(super) async fn wrap(
    client: &Client,
    mount: &str,
    key: &str,
    plain: &DataKey,
) -> Result<Recipient, KeeperError> {
    let body = json!({ "plaintext": sent(plain).as_str() });
    let data = ask(client, &format!("{mount}/encrypt/{key}"), &body).await?;
    recipient(client, mount, key, &data)
}

pub(super) async fn unwrap(client: &Client, of: &Recipient) -> Result<DataKey, KeeperError> {
    let body = json!({ "ciphertext": of.wrapped });
    let data = ask(client, &format!("{}/decrypt/{}", of.mount, of.key), &body).await?;
    data_key(data.get("plaintext"), WHO)
}

/// Has the data key wrapped anew by the present version of its key; it does not leave the server.
pub(super) async fn rewrap(client: &Client, of: &Recipient) -> Result<Recipient, KeeperError> {
    let body = json!({ "ciphertext": of.wrapped });
    let data = ask(client, &format!("{}/rewrap/{}", of.mount, of.key), &body).await?;
    recipient(client, &of.mount, &of.key, &data)
}

fn recipient(
    client: &Client,
    mount: &str,
    key: &str,
    data: &Map<String, Value>,
) -> Result<Recipient, KeeperError> {
    Ok(Recipient {
        keeper: WORD.into(),
        mount: mount.to_owned(),
        namespace: client.namespace().trim_matches('/').to_owned(),
        key: key.to_owned(),
        wrapped: text(data.get("ciphertext"), WHO)?,
        ..Recipient::default()
    })
}
