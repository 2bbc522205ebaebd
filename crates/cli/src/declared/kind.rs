use std::fmt;

use serde::{Serialize, Serializer};

/// A kind of thing that can be declared. Their order here is the order in which they are made: what others need comes
/// first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Namespace,
    Audit,
    Policy,
    PasswordPolicy,
    Mount,
    Auth,
    Quota,
    Resource,
    TokenRole,
    Entity,
    Group,
}

impl Kind {
    pub(super) const ALL: [Self; 11] = [
        Self::Namespace,
        Self::Audit,
        Self::Policy,
        Self::PasswordPolicy,
        Self::Mount,
        Self::Auth,
        Self::Quota,
        Self::Resource,
        Self::TokenRole,
        Self::Entity,
        Self::Group,
    ];

    /// The block's name.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Audit => "audit",
            Self::Policy => "policy",
            Self::PasswordPolicy => "password_policy",
            Self::Mount => "mount",
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::Resource => "resource",
            Self::TokenRole => "token_role",
            Self::Entity => "entity",
            Self::Group => "group",
        }
    }

    /// The API's folder in which things of this kind are read and written by name.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Namespace => "sys/namespaces/",
            Self::Audit => "sys/audit/",
            Self::Policy => "sys/policies/acl/",
            Self::PasswordPolicy => "sys/policies/password/",
            Self::Mount => "sys/mounts/",
            Self::Auth => "sys/auth/",
            Self::Quota => "sys/quotas/",
            Self::Resource => "",
            Self::TokenRole => "auth/token/roles/",
            Self::Entity => "identity/entity/name/",
            Self::Group => "identity/group/name/",
        }
    }

    /// Whether its name is a mount point, which ends in a slash.
    pub(super) fn is_mount_point(self) -> bool {
        matches!(self, Self::Mount | Self::Auth | Self::Audit)
    }

    /// Whether it is a text and nothing else.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Policy | Self::PasswordPolicy)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}
