//! Several checks and writes that happen together.

use crate::{Error, MAX_BATCH_BYTES, MAX_BATCH_WRITES, MAX_PAGE, MAX_PATH_BYTES, MAX_VALUE_BYTES};

/// Writes that happen as a whole, provided that every check holds at that moment.
///
/// Checks see the state before the batch. Of two writes to one path the later one counts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    checks: Vec<Check>,
    writes: Vec<Write>,
    generation: Option<u64>,
}

/// What must be stored at a path for the batch to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Full path.
    pub path: String,
    /// Exactly these bytes, or nothing at all.
    pub value: Option<Vec<u8>>,
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Full path.
    pub path: String,
    /// The new value, or `None` to remove it.
    pub value: Option<Vec<u8>>,
}

impl Batch {
    /// A batch that does nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value at `path`.
    #[must_use]
    pub fn put(mut self, path: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.writes.push(Write {
            path: path.into(),
            value: Some(value.into()),
        });
        self
    }

    /// Removes the value at `path`, if there is one.
    #[must_use]
    pub fn delete(mut self, path: impl Into<String>) -> Self {
        self.writes.push(Write {
            path: path.into(),
            value: None,
        });
        self
    }

    /// Lets the batch happen only if `path` holds exactly `value`, or nothing for `None`.
    #[must_use]
    pub fn expect(mut self, path: impl Into<String>, value: Option<Vec<u8>>) -> Self {
        self.checks.push(Check {
            path: path.into(),
            value,
        });
        self
    }

    /// Lets the batch happen only as long as everything was replaced just so often
    /// ([`Store::generation`](crate::Store::generation)).
    #[must_use]
    pub fn only_in(mut self, generation: u64) -> Self {
        self.generation = Some(generation);
        self
    }

    /// The generation outside which the batch must not happen, if there is one.
    pub fn generation(&self) -> Option<u64> {
        self.generation
    }

    /// Adds everything that `other` checks and writes, after what is already here.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.checks.extend(other.checks);
        self.writes.extend(other.writes);
        self.generation = self.generation.or(other.generation);
        self
    }

    /// The checks, in the order they were added.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The writes, in the order they were added.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// How many writes there are.
    pub fn len(&self) -> usize {
        self.writes.len()
    }

    /// Whether there is nothing to write (there may be checks).
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Splits the batch into what a backend needs.
    pub fn into_parts(self) -> (Vec<Check>, Vec<Write>) {
        (self.checks, self.writes)
    }

    /// Bytes of all paths and values, checks included.
    pub fn bytes(&self) -> usize {
        let size = |path: &String, value: &Option<Vec<u8>>| {
            path.len() + value.as_ref().map_or(0, Vec::len)
        };
        let checks: usize = self.checks.iter().map(|c| size(&c.path, &c.value)).sum();
        let writes: usize = self.writes.iter().map(|w| size(&w.path, &w.value)).sum();
        checks + writes
    }

    /// Refuses wrong paths and what is over the limits. Every backend calls this first, so that
    /// what one store takes all of them take.
    pub fn validate(&self) -> Result<(), Error> {
        at_most("writes in a batch", self.writes.len(), MAX_BATCH_WRITES)?;
        at_most("checks in a batch", self.checks.len(), MAX_BATCH_WRITES)?;
        for (path, value) in self
            .checks
            .iter()
            .map(|c| (&c.path, &c.value))
            .chain(self.writes.iter().map(|w| (&w.path, &w.value)))
        {
            valid_path(path)?;
            at_most(
                "bytes of a value",
                value.as_ref().map_or(0, Vec::len),
                MAX_VALUE_BYTES,
            )?;
        }
        at_most("bytes of a batch", self.bytes(), MAX_BATCH_BYTES)
    }
}

/// Refuses what no store takes.
pub(crate) fn valid_entry(path: &str, value: &[u8]) -> Result<(), Error> {
    valid_path(path)?;
    at_most("bytes of a value", value.len(), MAX_VALUE_BYTES)
}

/// Refuses a path that no store takes.
pub(crate) fn valid_path(path: &str) -> Result<(), Error> {
    at_most("bytes of a path", path.len(), MAX_PATH_BYTES)?;
    // Byte-wise and in one pass: this runs for every key of every write.
    let mut previous = b'/';
    for &byte in path.as_bytes() {
        if byte == 0 || (byte == b'/' && previous == b'/') {
            return Err(Error::Invalid {
                what: "a path must not hold NUL, empty segments or a slash at its start",
            });
        }
        previous = byte;
    }
    if previous == b'/' {
        return Err(Error::Invalid {
            what: "a path must not be empty or end in a slash",
        });
    }
    Ok(())
}

/// Refuses what no `list` takes.
pub(crate) fn valid_list(prefix: &str, limit: usize) -> Result<(), Error> {
    match prefix.strip_suffix('/') {
        Some(folder) => valid_path(folder)?,
        None if prefix.is_empty() => {}
        None => {
            return Err(Error::Invalid {
                what: "the prefix of a list must be empty or end in a slash",
            });
        }
    }
    at_most("entries of a page", limit, MAX_PAGE)
}

/// Refuses what no `scan` takes.
pub(crate) fn valid_scan(prefix: &str, limit: usize) -> Result<(), Error> {
    at_most("bytes of a path", prefix.len(), MAX_PATH_BYTES)?;
    at_most("entries of a page", limit, MAX_PAGE)
}

fn at_most(what: &'static str, size: usize, limit: usize) -> Result<(), Error> {
    if size > limit {
        return Err(Error::TooLarge { what, size, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_no_store_takes() {
        for path in ["", "/", "/a", "a/", "a//b", "a\0b", "//"] {
            assert!(valid_path(path).is_err(), "{path:?} was taken");
        }
        for path in ["a", "a/b", ".", "a/../b", "ä/ü", " ", "a b/c"] {
            assert!(valid_path(path).is_ok(), "{path:?} was refused");
        }
        assert!(valid_path(&"x".repeat(MAX_PATH_BYTES)).is_ok());
        assert!(valid_path(&"x".repeat(MAX_PATH_BYTES + 1)).is_err());
    }

    #[test]
    fn list_prefixes_are_folders() {
        assert!(valid_list("", 1).is_ok());
        assert!(valid_list("a/", MAX_PAGE).is_ok());
        assert!(valid_list("a", 1).is_err());
        assert!(valid_list("/", 1).is_err());
        assert!(valid_list("", MAX_PAGE + 1).is_err());
    }
}
