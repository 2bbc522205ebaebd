use std::collections::BTreeMap;

use coffer_kernel::mounts::UserLockout;

use super::Error;
use super::stanza::Stanza;

/// `user_lockout "all" { … }` and `user_lockout "userpass" { … }`: when names are locked out after wrong passwords, by
/// the type of the auth method.
pub(super) fn read(root: &mut Stanza) -> Result<BTreeMap<String, UserLockout>, Error> {
    let mut all = BTreeMap::new();
    for mut stanza in root.blocks("user_lockout", 1)? {
        let kind = stanza.label(0).to_lowercase();
        let threshold = stanza.integer("lockout_threshold")?.unwrap_or_default();
        let threshold = u64::try_from(threshold).map_err(|_| {
            stanza.error(
                "has a `lockout_threshold` below 0",
                "a number from 0",
                "write a number, or leave it out for 5",
            )
        })?;
        let lockout = UserLockout {
            threshold,
            duration: stanza.duration("lockout_duration")?.unwrap_or_default(),
            counter_reset: stanza
                .duration("lockout_counter_reset")?
                .unwrap_or_default(),
            disabled: stanza.flag("disable_lockout")?.unwrap_or(false),
        };
        stanza.finish()?;
        all.insert(kind, lockout);
    }
    Ok(all)
}
