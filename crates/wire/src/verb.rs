//! What a request wants done.

use std::fmt;

/// The operation a request asks for, after the HTTP method and `list=true` have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// GET.
    Read,
    /// LIST, or GET with `list=true`.
    List,
    /// SCAN, or GET with `scan=true`: a recursive list.
    Scan,
    /// PUT or POST; whether it creates or updates is decided by the endpoint's existence check.
    Write,
    /// PATCH with a JSON merge patch (RFC 7396).
    Patch,
    /// DELETE.
    Delete,
}

impl Verb {
    /// Every verb, in the order help and documents show them.
    pub const ALL: [Self; 6] = [
        Self::Read,
        Self::List,
        Self::Scan,
        Self::Write,
        Self::Patch,
        Self::Delete,
    ];

    /// The word audit lines use for this verb; a write is `create` or `update` there.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::List => "list",
            Self::Scan => "scan",
            Self::Write => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
