//! What a rule can grant, as small sets.

use std::fmt;
use std::ops::BitOr;

use coffer_wire::Verb;

/// A set of capabilities.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Nothing; answered as `deny`.
    pub const NONE: Self = Self(0);
    /// Refuses everything, whatever else is granted at the same path.
    pub const DENY: Self = Self(1);
    /// Write where nothing is yet.
    pub const CREATE: Self = Self(1 << 1);
    /// Read.
    pub const READ: Self = Self(1 << 2);
    /// Write over what is there, and everything else that is a PUT or POST.
    pub const UPDATE: Self = Self(1 << 3);
    /// Delete.
    pub const DELETE: Self = Self(1 << 4);
    /// List one level.
    pub const LIST: Self = Self(1 << 5);
    /// List all levels.
    pub const SCAN: Self = Self(1 << 6);
    /// Change in part.
    pub const PATCH: Self = Self(1 << 7);
    /// Use paths that need more than the plain capability.
    pub const SUDO: Self = Self(1 << 8);
    /// Be told what happens.
    pub const SUBSCRIBE: Self = Self(1 << 9);

    /// The names in the order in which they are shown.
    const NAMES: [(&'static str, Self); 10] = [
        ("create", Self::CREATE),
        ("delete", Self::DELETE),
        ("deny", Self::DENY),
        ("list", Self::LIST),
        ("patch", Self::PATCH),
        ("read", Self::READ),
        ("scan", Self::SCAN),
        ("subscribe", Self::SUBSCRIBE),
        ("sudo", Self::SUDO),
        ("update", Self::UPDATE),
    ];

    /// The capability of that name; names are in lower case.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, capability)| *capability)
    }

    /// Every name there is, in order.
    pub fn known() -> impl Iterator<Item = &'static str> + Clone {
        Self::NAMES.iter().map(|(name, _)| *name)
    }

    /// What a request of this kind needs.
    pub fn needed(verb: Verb, creates: bool) -> Self {
        match verb {
            Verb::Read => Self::READ,
            Verb::List => Self::LIST,
            Verb::Scan => Self::SCAN,
            Verb::Write if creates => Self::CREATE,
            Verb::Write => Self::UPDATE,
            Verb::Patch => Self::PATCH,
            Verb::Delete => Self::DELETE,
        }
    }

    /// Whether all of `other` is in this set, and this set does not deny.
    pub fn grants(self, other: Self) -> bool {
        !self.denies() && self.0 & other.0 == other.0
    }

    /// Whether the two have something in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether this set denies.
    pub fn denies(self) -> bool {
        self.0 & Self::DENY.0 != 0
    }

    /// Whether anything at all is granted.
    pub fn grants_something(self) -> bool {
        self.0 != 0 && !self.denies()
    }

    /// What both grant; nothing where one denies.
    pub fn common(self, other: Self) -> Self {
        match self.denies() || other.denies() {
            true => Self::NONE,
            false => Self(self.0 & other.0),
        }
    }

    /// Both sets together; `deny` in one leaves nothing else.
    pub fn merged(self, other: Self) -> Self {
        let both = self | other;
        if both.denies() { Self::DENY } else { both }
    }

    /// The names in alphabetical order as the API shows them; `["deny"]` where nothing is granted.
    pub fn names(self) -> Vec<&'static str> {
        if !self.grants_something() {
            return vec!["deny"];
        }
        let held = Self::NAMES.iter().filter(|(_, held)| self.grants(*held));
        held.map(|(name, _)| *name).collect()
    }
}

impl BitOr for Capabilities {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join("+"))
    }
}
