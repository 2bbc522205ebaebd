//! Tokens as quotas count them.

use coffer_barrier::Changes;
use coffer_engine::Fault;

use super::record::TokenRecord;
use super::store::{Tokens, by_id};
use crate::quotas::{Placed, Step};

impl Tokens {
    /// Lets a token be counted by the quota and for the holder that `placed` says; unless it says nothing.
    pub async fn recount(
        &self,
        accessor: &str,
        placed: impl Fn(&TokenRecord) -> Option<(String, String)> + Send,
    ) -> Result<(), Fault> {
        let path = by_id(accessor);
        loop {
            let (record, seen) = self.view.get_seen::<TokenRecord>(&path).await?;
            let Some(mut record) = record else {
                return Ok(());
            };
            let Some((quota, holder)) = placed(&record) else {
                return Ok(());
            };
            let mut step = self.counts.step();
            let mut changes = self.view.changes().expect(&self.view, &path, seen);
            if quota != record.quota {
                changes = step.lease_goes(changes, &record.quota).await?;
                changes = some(step.lease_comes(changes, &quota, u64::MAX).await?)?;
                record.quota = quota;
            }
            if holder != record.holder {
                changes = step.token_goes(changes, &record.holder).await?;
                changes = some(step.token_comes(changes, &holder, u64::MAX).await?)?;
                record.holder = holder;
            }
            if changes.is_empty() {
                return Ok(());
            }
            let outcome = changes.put(&self.view, &path, &record)?.commit().await;
            step.settle(&outcome);
            match outcome {
                Err(coffer_barrier::Error::Conflict) => {}
                done => return Ok(done?),
            }
        }
    }
}

/// A new token counted by its quotas, if they have room for it.
pub(super) async fn counted(
    changes: Changes,
    step: &mut Step<'_>,
    record: &TokenRecord,
    placed: &Placed,
) -> Result<Changes, Fault> {
    let leases = step.lease_comes(changes, &record.quota, placed.most_leases());
    let changes = leases.await?;
    let changes = changes.ok_or_else(|| Placed::no_more_leases(&record.path))?;
    let tokens = step.token_comes(changes, &record.holder, placed.most_tokens());
    tokens.await?.ok_or_else(|| placed.no_more_tokens())
}

fn some(changes: Option<Changes>) -> Result<Changes, Fault> {
    changes.ok_or_else(|| Fault::internal("a count is at its end"))
}
