use serde::{Deserialize, Serialize};

use crate::Error;

/// The most bytes of one recipient's fields together.
const BYTES_MAX: usize = 16 << 10;

/// Who can unwrap the data key, and what they need for it. Nothing of it is secret to who has the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// What kind of keeper: `kms` and `transit` of Coffer, `aws-kms`. Others may define more.
    pub keeper: String,
    /// The mount of the engine in Coffer, without a trailing slash; empty elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mount: String,
    /// The namespace in Coffer; empty for the root and elsewhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The master key, by the name that does not change: an id, a name, an ARN.
    pub key: String,
    /// The name that whoever encrypted used for it, for people; empty where it is the same.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// The wrapped data key in the keeper's own form.
    pub wrapped: String,
}

impl Recipient {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let fields = [
            &self.keeper,
            &self.mount,
            &self.namespace,
            &self.key,
            &self.alias,
            &self.wrapped,
        ];
        match fields.iter().map(|field| field.len()).sum::<usize>() <= BYTES_MAX {
            true => Ok(()),
            false => Err(Error::TooMuch {
                what: "a recipient of that many bytes",
                most: BYTES_MAX,
            }),
        }
    }
}
