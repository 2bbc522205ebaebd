use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{Secret, Zeroizing};
use coffer_envelope::DataKey;
use serde_json::Value;

use super::Recipient;

/// Why a keeper of master keys did not help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeeperError {
    /// The server of Coffer, Vault or OpenBao refused or was not reached.
    #[error(transparent)]
    Server(#[from] crate::Error),
    /// AWS KMS refused or was not reached.
    #[error("AWS KMS: {0}")]
    Aws(String),
    /// It answered something that is no wrapped or unwrapped data key.
    #[error("{0} answered what is no data key")]
    NoDataKey(&'static str),
    /// An envelope without any recipient, or a wish for one.
    #[error("there is no master key: name at least one")]
    NoMasterKey,
    /// None of the recipients' keepers unwrapped the data key. One reason each.
    #[error("none of the recipients unwraps the data key:\n{}", told(.0))]
    NoRecipient(Vec<(String, KeeperError)>),
    /// What was unwrapped is no key of this envelope.
    #[error("it unwraps the key of another object, or head or context was altered")]
    OtherObject,
    /// The file names a place where no engine of that kind is.
    #[error("there is no such engine on this server: {0}")]
    Elsewhere(String),
    /// A recipient of a kind that this program does not know.
    #[error("this program does not know the keeper {0:?}: use a newer release")]
    UnknownKeeper(String),
}

fn told(reasons: &[(String, KeeperError)]) -> String {
    let lines = reasons.iter().map(|(who, why)| format!("* {who}: {why}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A fresh data key, and the note for who can unwrap it.
pub(super) type Fresh = (DataKey, Recipient);

/// 32 bytes from base64.
pub(super) fn data_key(text: Option<&Value>, who: &'static str) -> Result<DataKey, KeeperError> {
    let text = text.and_then(Value::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(text).map(Zeroizing::new);
    let bytes = bytes.map_err(|_| KeeperError::NoDataKey(who))?;
    let mut key = Secret::new([0; 32]);
    if bytes.len() != key.expose().len() {
        return Err(KeeperError::NoDataKey(who));
    }
    key.expose_mut().copy_from_slice(&bytes);
    Ok(key)
}

/// A text that is there and is not empty.
pub(super) fn text(value: Option<&Value>, who: &'static str) -> Result<String, KeeperError> {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    match text.is_empty() {
        true => Err(KeeperError::NoDataKey(who)),
        false => Ok(text.to_owned()),
    }
}

/// A data key as it is sent to be wrapped.
pub(super) fn sent(key: &DataKey) -> Zeroizing<String> {
    Zeroizing::new(STANDARD.encode(key.expose()))
}
