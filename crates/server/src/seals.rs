//! Keepers of the configured seals.

use std::sync::Arc;

use coffer_engine::outbound::Outbound;
use coffer_kernel::seals::SealStanza;

use crate::config::Seal;
use crate::error::Error;

/// Builds the keeper of each seal. Nobody is asked yet.
pub(crate) fn keepers(
    seals: &[Seal],
    outbound: &Arc<dyn Outbound>,
) -> Result<Vec<SealStanza>, Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let keeper = |seal: &Seal| {
        let outbound = Arc::clone(outbound);
        let built = coffer_seals::build(&seal.kind, &seal.options, &environment, outbound);
        built.map_err(|error| Error::Seal {
            place: seal.place.clone(),
            what: error.to_string(),
        })
    };
    seals
        .iter()
        .map(|seal| {
            Ok(SealStanza {
                keeper: keeper(seal)?,
                name: seal.name.clone(),
                priority: seal.priority,
                disabled: seal.disabled,
            })
        })
        .collect()
}
