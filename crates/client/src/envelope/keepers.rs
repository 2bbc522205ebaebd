use super::aws::AwsKms;
use super::keeper::Fresh;
use super::{
    Context, DataKey, Envelope, KeeperError, Keys, MasterKey, Recipient, aws, kms, transit,
};
use crate::Client;

/// Those who can wrap and unwrap data keys: a server of Coffer, Vault or OpenBao, and AWS KMS as the environment says.
pub struct Keepers<'a> {
    client: &'a Client,
    aws: AwsKms,
}

impl<'a> Keepers<'a> {
    /// By this client, whose namespace mounts are relative to.
    #[must_use]
    pub fn new(client: &'a Client) -> Self {
        Self {
            client,
            aws: AwsKms::from_environment(),
        }
    }

    /// A fresh data key, made by the first master key and wrapped by each of them.
    ///
    /// # Errors
    /// [`KeeperError`] of the first that refuses.
    pub async fn begin(
        &self,
        keys: &[MasterKey],
        context: Context,
    ) -> Result<(DataKey, Keys), KeeperError> {
        let (first, others) = keys.split_first().ok_or(KeeperError::NoMasterKey)?;
        let (data_key, recipient) = self.fresh(first, &context).await?;
        let mut recipients = vec![recipient];
        for other in others {
            recipients.push(self.wrap(other, &context, &data_key).await?);
        }
        Ok((
            data_key,
            Keys {
                context,
                recipients,
            },
        ))
    }

    /// The data key, by the first recipient whose keeper unwraps it. It is the one that the envelope commits itself to: what a
    /// keeper unwraps beside it is of another object.
    ///
    /// # Errors
    /// [`KeeperError::NoRecipient`] with what each of them said.
    pub async fn unwrap(&self, envelope: &Envelope) -> Result<DataKey, KeeperError> {
        let keys = &envelope.keys;
        let mut reasons = Vec::new();
        for recipient in &keys.recipients {
            match self.unwrap_one(recipient, &keys.context).await {
                Ok(key) if envelope.is_opened_by(&key) => return Ok(key),
                Ok(_) => reasons.push((named(recipient), KeeperError::OtherObject)),
                Err(why) => reasons.push((named(recipient), why)),
            }
        }
        match reasons.is_empty() {
            true => Err(KeeperError::NoMasterKey),
            false => Err(KeeperError::NoRecipient(reasons)),
        }
    }

    /// The data key wrapped anew for every recipient, by the present versions of their keys. The keepers do it among
    /// themselves: the data key does not come here.
    ///
    /// # Errors
    /// [`KeeperError`] of the first that refuses; then nothing is changed.
    pub async fn rewrap(&self, keys: &Keys) -> Result<Keys, KeeperError> {
        let mut recipients = Vec::new();
        for recipient in &keys.recipients {
            recipients.push(self.rewrap_one(recipient, &keys.context).await?);
        }
        Ok(Keys {
            context: keys.context.clone(),
            recipients,
        })
    }

    /// The recipient of a data key that is at hand.
    ///
    /// # Errors
    /// [`KeeperError`].
    pub async fn wrap(
        &self,
        by: &MasterKey,
        context: &Context,
        data_key: &DataKey,
    ) -> Result<Recipient, KeeperError> {
        match by {
            MasterKey::Kms { mount, key } => {
                kms::wrap(self.client, mount, key, context, data_key).await
            }
            MasterKey::Transit { mount, key } => {
                transit::wrap(self.client, mount, key, data_key).await
            }
            MasterKey::Aws { key } => self.aws.wrap(key, context, data_key).await,
        }
    }

    async fn fresh(&self, by: &MasterKey, context: &Context) -> Result<Fresh, KeeperError> {
        match by {
            MasterKey::Kms { mount, key } => kms::fresh(self.client, mount, key, context).await,
            MasterKey::Transit { mount, key } => transit::fresh(self.client, mount, key).await,
            MasterKey::Aws { key } => self.aws.fresh(key, context).await,
        }
    }

    async fn unwrap_one(&self, of: &Recipient, context: &Context) -> Result<DataKey, KeeperError> {
        self.refuse_elsewhere(of).await?;
        match of.keeper.as_str() {
            kms::WORD => kms::unwrap(self.client, of, context).await,
            transit::WORD => transit::unwrap(self.client, of).await,
            aws::WORD => self.aws.unwrap(of, context).await,
            other => Err(KeeperError::UnknownKeeper(other.to_owned())),
        }
    }

    async fn rewrap_one(
        &self,
        of: &Recipient,
        context: &Context,
    ) -> Result<Recipient, KeeperError> {
        self.refuse_elsewhere(of).await?;
        match of.keeper.as_str() {
            kms::WORD => kms::rewrap(self.client, of, context, None).await,
            transit::WORD => transit::rewrap(self.client, of).await,
            aws::WORD => self.aws.rewrap(of, context).await,
            other => Err(KeeperError::UnknownKeeper(other.to_owned())),
        }
    }

    /// Where to ask stands in the file, and who wrote that may wish for a request elsewhere, by the rights of who opens it. So
    /// the server says first that an engine of that kind is there.
    async fn refuse_elsewhere(&self, of: &Recipient) -> Result<(), KeeperError> {
        if of.keeper != kms::WORD && of.keeper != transit::WORD {
            return Ok(());
        }
        let elsewhere = || KeeperError::Elsewhere(named(of));
        if !is_mount(&of.mount) || !is_word(&of.key) {
            return Err(elsewhere());
        }
        let found = self.client.sys().mount_of(&of.mount).await?;
        let there = found.path.trim_end_matches('/') == of.mount && found.r#type == of.keeper;
        there.then_some(()).ok_or_else(elsewhere)
    }
}

/// Names that mean the same in a path as anywhere else.
fn is_mount(text: &str) -> bool {
    text.split('/').all(is_word)
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    !text.is_empty() && text.chars().all(plain) && !text.chars().all(|c| c == '.')
}

/// A recipient in an error.
fn named(of: &Recipient) -> String {
    let key = match of.alias.is_empty() {
        true => &of.key,
        false => &of.alias,
    };
    let text = match of.mount.is_empty() {
        true => format!("{} {key}", of.keeper),
        false => format!("{} {key} at {}/", of.keeper, of.mount),
    };
    // It comes from a file that anybody may have written.
    text.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_files_are_plain() {
        for mount in ["kms", "team/kms", "a.b-c_d/e"] {
            assert!(is_mount(mount), "{mount}");
        }
        for mount in [
            "", "/kms", "kms/", "a//b", "../sys", "a/..", "a?b", "a#b", "a%2fb", "a b", "ä", "a\\b",
        ] {
            assert!(!is_mount(mount), "{mount}");
        }
        assert!(is_word("0b5d3c1e-1111") && !is_word("a/b") && !is_word("..") && !is_word(""));
    }
}
