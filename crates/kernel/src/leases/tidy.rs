//! Removing index entries whose lease is gone.

use coffer_engine::Fault;

use super::waiting::waits;
use crate::core::Core;

/// How many entries are read at once.
const PAGE: usize = 1_000;

/// Removes the token index's entries of leases that are not there any more, and answers how many.
/// Records are written together with their entries, so there are such only after damage.
pub async fn tidy(core: &Core) -> Result<usize, Fault> {
    let mut removed = 0;
    let mut after: Option<String> = None;
    loop {
        let page = core.leases.token_entries(after.as_deref(), PAGE).await?;
        let Some((accessor, id)) = page.last().cloned() else {
            return Ok(removed);
        };
        after = Some(format!("{accessor}/{id}"));
        for (accessor, id) in page {
            if !waits(core, &id) && core.leases.get(&id).await?.is_none() {
                core.leases.detach(&id, &accessor).await?;
                removed += 1;
            }
        }
    }
}
