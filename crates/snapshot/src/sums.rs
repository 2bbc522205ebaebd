//! The digests of a snapshot's members.

/// The text of `SHA256SUMS`, as `sha256sum -c` reads it.
pub(crate) fn text(meta: [u8; 32], state: [u8; 32]) -> String {
    format!(
        "{}  {}\n{}  {}\n",
        hex::encode(meta),
        crate::tar::META,
        hex::encode(state),
        crate::tar::STATE
    )
}
