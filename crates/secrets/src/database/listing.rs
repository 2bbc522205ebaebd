//! Pages of names.

use coffer_engine::{Ctx, Fault};
use coffer_wire::Int;

use crate::keys::Keys;

/// The names in `folder` after `after`; at most `limit`, all if that is not over zero.
pub(super) async fn page(cx: &Ctx, folder: &str, after: &str, limit: Int) -> Result<Keys, Fault> {
    let after = Some(after).filter(|after| !after.is_empty());
    let limit = usize::try_from(limit.0).unwrap_or(0);
    let limit = if limit == 0 { usize::MAX } else { limit };
    Keys::list(&cx.view, folder, after, limit).await?.found()
}
