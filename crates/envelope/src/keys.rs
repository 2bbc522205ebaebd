use serde::{Deserialize, Serialize};

use crate::{Context, Error, Recipient};

/// The most recipients of one envelope.
const RECIPIENTS_MAX: usize = 64;

/// Who can unwrap the data key: each of them alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// What the object belongs to. It is bound to the ciphertext and never changes.
    #[serde(default)]
    pub context: Context,
    /// The recipients.
    pub recipients: Vec<Recipient>,
}

impl Keys {
    /// As they stand in a file.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        serde_json::to_vec(self).map_err(|_| Error::Keys)
    }

    /// Undoes [`Keys::encode`]. None for what is no keys.
    pub(crate) fn decode(text: &[u8]) -> Option<Self> {
        let keys: Self = serde_json::from_slice(text).ok()?;
        keys.check().ok().map(|()| keys)
    }

    fn check(&self) -> Result<(), Error> {
        if self.recipients.len() > RECIPIENTS_MAX {
            return Err(Error::TooMuch {
                what: "that many recipients",
                most: RECIPIENTS_MAX,
            });
        }
        self.context.check()?;
        self.recipients.iter().try_for_each(Recipient::check)
    }
}
