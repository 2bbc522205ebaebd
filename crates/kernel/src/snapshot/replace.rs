//! Putting a restored snapshot in the place of the storage.

use coffer_barrier::Error;
use coffer_crypto::Aes256Key;
use coffer_engine::Fault;
use coffer_snapshot::Meta;
use coffer_storage::Replacement;

use crate::kernel::Kernel;
use crate::request::Response;

/// A snapshot that was received, verified and made durable beside the storage in use.
pub(crate) struct Prepared {
    /// The entries.
    pub(super) replacement: Box<dyn Replacement>,
    /// The root key, if the one of now opens the snapshot.
    pub(super) root: Option<Aes256Key>,
    /// What whoever restores has to know.
    pub(crate) remarks: Vec<String>,
    /// What the snapshot says about itself.
    pub(super) meta: Meta,
}

impl Kernel {
    /// Puts what the request restored in place, once its answer is recorded. Where that can not be, or the
    /// request failed, everything stays as it was.
    pub(crate) async fn replace_if_asked(
        &self,
        request_id: &str,
        answer: Result<Response, Fault>,
    ) -> Result<Response, Fault> {
        let Some(prepared) = self.signals().take_replacement(request_id) else {
            return answer;
        };
        let response = answer?;
        Box::pin(self.replace(prepared)).await?;
        Ok(response)
    }

    /// Everything that is known of the old entries is forgotten before the new ones are there. If the root
    /// key opens those, the server opens again by itself.
    async fn replace(&self, prepared: Prepared) -> Result<(), Fault> {
        let Prepared {
            replacement,
            root,
            meta,
            ..
        } = prepared;
        let old_root = self.close_for_replacement()?;
        let taken = replacement.take_place().await;
        self.initialised();
        if let Err(error) = taken {
            tracing::error!(%error, "a snapshot could not be put in place");
            self.open_with(old_root).await?;
            return Err(Error::from(error).into());
        }
        tracing::warn!(
            taken = meta.created,
            cluster = meta.cluster_name,
            entries = meta.entries,
            "everything was replaced by a snapshot"
        );
        if let Some(root) = root
            && let Err(fault) = self.open_with(root).await
        {
            tracing::error!(%fault, "the restored storage could not be opened; unseal the server");
        }
        self.look_at_seals().await;
        Ok(())
    }
}
