//! What is said about files that were checked.

use serde::Serialize;

use super::link::Place;

/// How many problems are told one by one; all are counted.
pub(super) const PROBLEMS_MAX: usize = 100;
/// How many notes are kept.
pub(super) const NOTES_MAX: usize = 100;

/// The outcome of a check.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Nothing was found that must not be.
    pub intact: bool,
    /// Lines in all files.
    pub lines: u64,
    /// Lines that belong to a chain.
    pub linked: u64,
    /// The chains, each of one device.
    pub chains: Vec<ChainReport>,
    /// What must not be, in the order it was found; the first hundred.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problems_total: u64,
    /// What is worth knowing and no sign of tampering.
    pub notes: Vec<String>,
}

/// One chain in the files.
#[derive(Clone, Debug, Serialize)]
pub struct ChainReport {
    /// Whose it is.
    pub id: String,
    /// Its lines.
    pub lines: u64,
    /// How often the device began to write.
    pub runs: u64,
    /// Lines that the device itself says it could not record.
    pub lost: u64,
    /// Where it begins in these files.
    pub first: Place,
    /// Where it ends in these files.
    pub last: Place,
    /// Its last line, to compare with later.
    pub head: String,
    /// The code of each line was checked with the chain's key.
    pub proved: bool,
}

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// In which file.
    pub file: String,
    /// In which line, from 1; 0 for what is wrong with all of it.
    pub line: u64,
    /// Of which kind it is.
    pub kind: ProblemKind,
    /// What is wrong, for people.
    pub text: String,
}

/// Kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A line is not as it was written.
    Altered,
    /// Lines are gone.
    Missing,
    /// A line stands in another place than it was written to.
    Order,
    /// A line that the device did not write.
    Foreign,
    /// The known head is not there.
    Head,
    /// A line whose key was not given, where others' were.
    Unproved,
}

impl Report {
    pub(super) fn note(&mut self, text: String) {
        if self.notes.len() < NOTES_MAX {
            self.notes.push(text);
        }
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}
