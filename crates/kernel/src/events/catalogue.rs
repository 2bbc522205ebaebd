//! The kinds of events that the kernel publishes, in one place. Those of engines are named where they are made; all are in
//! `docs/events.md`.

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// When there is one.
    pub about: &'static str,
}

macro_rules! kinds {
    ($($(#[doc = $about:literal])+ $constant:ident = $name:literal;)+) => {
        $($(#[doc = $about])+ pub const $constant: &str = $name;)+

        /// All of them.
        pub const ALL: &[Kind] = &[$(Kind { name: $name, about: concat!($($about),+) }),+];
    };
}

kinds! {
    /// Some events of an earlier moment may be missing: whoever keeps copies reads them again.
    EVENTS_GAP = "sys/events-gap";
    /// The server was unsealed.
    UNSEAL = "sys/unseal";
    /// The server is being sealed.
    SEAL = "sys/seal";
    /// The encryption key was rotated: what is written from now on is encrypted by a new one.
    ROTATE = "sys/rotate";
    /// The unseal keys, the recovery keys or the root key were changed.
    REKEY = "sys/rekey";
    /// A lease was issued.
    LEASE_CREATE = "lease/create";
    /// A lease was extended.
    LEASE_RENEW = "lease/renew";
    /// A lease was ended before its time.
    LEASE_REVOKE = "lease/revoke";
    /// A lease has ended because its time was over.
    LEASE_EXPIRE = "lease/expire";
    /// A lease could not be revoked; it is tried again.
    LEASE_REVOKE_FAIL = "lease/revoke-fail";
    /// A lease could not be revoked so often that an operator should look at it; it is tried again.
    LEASE_IRREVOCABLE = "lease/irrevocable";
    /// A token was made; for tokens of logins there is also `auth/login`.
    TOKEN_CREATE = "token/create";
    /// A token was extended.
    TOKEN_RENEW = "token/renew";
    /// A token was ended before its time.
    TOKEN_REVOKE = "token/revoke";
    /// A token has ended because its time was over.
    TOKEN_EXPIRE = "token/expire";
    /// Somebody logged in.
    AUTH_LOGIN = "auth/login";
    /// A policy was written.
    POLICY_WRITE = "policy/write";
    /// A policy was deleted.
    POLICY_DELETE = "policy/delete";
    /// A password policy was written.
    PASSWORD_POLICY_WRITE = "password-policy/write";
    /// A password policy was deleted.
    PASSWORD_POLICY_DELETE = "password-policy/delete";
    /// A secrets engine or an auth method was mounted.
    MOUNT_ENABLE = "mount/enable";
    /// A secrets engine or an auth method was unmounted.
    MOUNT_DISABLE = "mount/disable";
    /// A mount was tuned.
    MOUNT_TUNE = "mount/tune";
    /// A mount was moved to another path.
    MOUNT_MOVE = "mount/move";
    /// An audit device was enabled.
    AUDIT_ENABLE = "audit/enable";
    /// An audit device was disabled.
    AUDIT_DISABLE = "audit/disable";
    /// An entity was made or changed.
    ENTITY_WRITE = "identity/entity-write";
    /// An entity was deleted.
    ENTITY_DELETE = "identity/entity-delete";
    /// Entities were made one.
    ENTITY_MERGE = "identity/entity-merge";
    /// A group was made or changed.
    GROUP_WRITE = "identity/group-write";
    /// A group was deleted.
    GROUP_DELETE = "identity/group-delete";
    /// The alias of an entity was made or changed.
    ENTITY_ALIAS_WRITE = "identity/entity-alias-write";
    /// The alias of an entity was deleted.
    ENTITY_ALIAS_DELETE = "identity/entity-alias-delete";
    /// The alias of a group was made or changed.
    GROUP_ALIAS_WRITE = "identity/group-alias-write";
    /// The alias of a group was deleted.
    GROUP_ALIAS_DELETE = "identity/group-alias-delete";
    /// A namespace was made.
    NAMESPACE_CREATE = "namespace/create";
    /// What is noted about a namespace was changed.
    NAMESPACE_UPDATE = "namespace/update";
    /// A namespace is being deleted.
    NAMESPACE_DELETE = "namespace/delete";
    /// A namespace was locked.
    NAMESPACE_LOCK = "namespace/lock";
    /// A namespace was unlocked.
    NAMESPACE_UNLOCK = "namespace/unlock";
    /// A namespace with a seal of its own was sealed.
    NAMESPACE_SEAL = "namespace/seal";
    /// A namespace with a seal of its own was unsealed.
    NAMESPACE_UNSEAL = "namespace/unseal";
    /// A quota was made or changed.
    QUOTA_WRITE = "quota/write";
    /// A quota was deleted.
    QUOTA_DELETE = "quota/delete";
}

/// Whether an event of this kind can change what somebody may do.
pub(super) fn changes_rights(kind: &str) -> bool {
    let areas = ["policy/", "identity/", "namespace/"];
    areas.iter().any(|area| kind.starts_with(area)) || [TOKEN_REVOKE, TOKEN_EXPIRE].contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_an_area_a_word_and_a_line() {
        for (at, kind) in ALL.iter().enumerate() {
            let (area, word) = kind.name.split_once('/').unwrap();
            assert!(!area.is_empty() && !word.is_empty() && !kind.about.is_empty());
            assert!(ALL.iter().skip(at + 1).all(|other| other.name != kind.name));
        }
    }

    #[test]
    fn the_documentation_has_every_kind() {
        let page = include_str!("../../../../docs/events.md");
        for kind in ALL {
            assert!(page.contains(&format!("`{}`", kind.name)), "{}", kind.name);
        }
    }
}
