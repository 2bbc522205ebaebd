//! The rules, one file each. A rule answers what is wrong and what to do about it; nothing means it is kept.

mod arrows;
mod code_map;
mod documents;
mod files;
mod foreign;
mod lints;
mod places;
mod unfinished;

use crate::workspace::Workspace;

/// A rule over the whole workspace.
pub type Rule = fn(&Workspace) -> Vec<String>;

/// All of them.
pub const ALL: &[(&str, Rule)] = &[
    ("crates depend on each other only downwards", arrows::check),
    (
        "only crypto names a cipher, only server and client name HTTP",
        foreign::rooms,
    ),
    (
        "no OpenSSL, no native-tls, no second crypto library",
        foreign::banned,
    ),
    ("every crate takes the workspace's lints", lints::check),
    ("files are named after what they hold", files::names),
    ("files are short enough to read", files::lengths),
    (
        "nothing is unfinished, no test is ignored",
        unfinished::check,
    ),
    ("no file tells where it was written", places::check),
    ("docs/architecture.md names every crate", code_map::check),
    ("what documents name is there", documents::places),
    (
        "docs/storage-format.md names what the kernel keeps",
        documents::records,
    ),
    (
        "the tests that docs/threats.md names are there",
        documents::proofs,
    ),
];
