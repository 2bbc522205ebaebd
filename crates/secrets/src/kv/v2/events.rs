//! What version 2 tells about changes, in the reference's words.

use std::collections::BTreeSet;

use coffer_engine::Event;

use super::secret::Secret;

/// The settings of the mount were written.
pub(super) const CONFIG_WRITE: &str = "kv-v2/config-write";
/// A new version was written.
pub(super) const DATA_WRITE: &str = "kv-v2/data-write";
/// A new version was made of the latest by a patch.
pub(super) const DATA_PATCH: &str = "kv-v2/data-patch";
/// The latest version was deleted.
pub(super) const DATA_DELETE: &str = "kv-v2/data-delete";
/// Chosen versions were deleted.
pub(super) const DELETE: &str = "kv-v2/delete";
/// The deletion of chosen versions was taken back.
pub(super) const UNDELETE: &str = "kv-v2/undelete";
/// Chosen versions were destroyed.
pub(super) const DESTROY: &str = "kv-v2/destroy";
/// A secret's settings were written.
pub(super) const METADATA_WRITE: &str = "kv-v2/metadata-write";
/// A secret's settings were changed by a patch.
pub(super) const METADATA_PATCH: &str = "kv-v2/metadata-patch";
/// A secret was removed with all its versions.
pub(super) const METADATA_DELETE: &str = "kv-v2/metadata-delete";

impl Secret {
    /// `kind` happened to this secret, asked for at `path`; with the numbers of its versions as they are now.
    pub(super) fn event(&self, kind: &'static str, path: String) -> Event {
        Event::new(kind, path)
            .with("modified", true)
            .with("current_version", self.current)
            .with("oldest_version", self.oldest)
    }
}

/// Numbers of versions, as events list them: `[1,2]`.
pub(super) fn listed(versions: &BTreeSet<u64>) -> String {
    let numbers: Vec<String> = versions.iter().map(u64::to_string).collect();
    format!("[{}]", numbers.join(","))
}
