//! Folding full paths into the children of a folder, the same way for every ordered backend.

use crate::Error;

/// How many keys of one folder are stepped over before seeking past it: a step costs about a tenth
/// of a seek, and most folders are small.
const STEPS_BEFORE_SEEK: usize = 4;

/// The children of `prefix` after the child name `after`, at most `limit`, in byte order.
///
/// `open(from)` gives all keys from `from` (inclusive) on, in byte order. It is called again to
/// jump over a folder, so a folder costs the same however much it holds.
pub(crate) fn children<I>(
    prefix: &str,
    after: Option<&str>,
    limit: usize,
    mut open: impl FnMut(&[u8]) -> Result<I, Error>,
) -> Result<Vec<String>, Error>
where
    I: Iterator<Item = Result<Vec<u8>, Error>>,
{
    let mut found = Vec::new();
    if limit == 0 {
        return Ok(found);
    }
    let mut keys = open(&start(prefix, after))?;
    let mut steps = 0;
    while let Some(key) = keys.next().transpose()? {
        let Some(rest) = key.strip_prefix(prefix.as_bytes()) else {
            break;
        };
        let child = child_of(rest)?;
        if found.last() == Some(&child) {
            steps += 1;
            if steps == STEPS_BEFORE_SEEK {
                keys = open(&past_folder(prefix, &child))?;
            }
            continue;
        }
        if found.len() == limit {
            break;
        }
        steps = 0;
        found.push(child);
    }
    Ok(found)
}

/// The first key that can belong to a child after `after`.
fn start(prefix: &str, after: Option<&str>) -> Vec<u8> {
    match after {
        None => prefix.as_bytes().to_vec(),
        // A folder's keys all come under one child name, so they are left behind together.
        Some(name) => match name.split_once('/') {
            Some((folder, _)) => past_folder(prefix, &format!("{folder}/")),
            // No path holds NUL, so this is the least key above `name` itself.
            None => [prefix.as_bytes(), name.as_bytes(), b"\0"].concat(),
        },
    }
}

/// The first key behind everything in `folder` (which ends in '/'): '0' is the byte after '/'.
fn past_folder(prefix: &str, folder: &str) -> Vec<u8> {
    let name = folder.strip_suffix('/').unwrap_or(folder);
    [prefix.as_bytes(), name.as_bytes(), b"0"].concat()
}

fn child_of(rest: &[u8]) -> Result<String, Error> {
    let end = rest
        .iter()
        .position(|b| *b == b'/')
        .map_or(rest.len(), |slash| slash + 1);
    text(rest.get(..end).unwrap_or(rest))
}

/// A stored key as text. Only UTF-8 is ever written, so anything else is damage.
pub(crate) fn text(key: &[u8]) -> Result<String, Error> {
    match std::str::from_utf8(key) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(Error::Damaged {
            what: "a stored path is not UTF-8".to_owned(),
            next: "restore the store from a backup",
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::collections::BTreeSet;

    use super::*;

    fn listed(keys: &[&str], prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
        let keys: BTreeSet<Vec<u8>> = keys.iter().map(|k| k.as_bytes().to_vec()).collect();
        children(prefix, after, limit, |from| {
            let from = from.to_vec();
            Ok(keys.range(from..).map(|k| Ok(k.clone())))
        })
        .unwrap()
    }

    #[test]
    fn keys_and_folders_of_one_name_stand_apart() {
        let keys = ["a", "a-b", "a/x", "a/y", "a0", "b/1/2"];
        assert_eq!(listed(&keys, "", None, 10), ["a", "a-b", "a/", "a0", "b/"]);
        assert_eq!(listed(&keys, "", Some("a"), 10), ["a-b", "a/", "a0", "b/"]);
        assert_eq!(listed(&keys, "", Some("a/"), 10), ["a0", "b/"]);
        assert_eq!(listed(&keys, "", Some("a/x"), 10), ["a0", "b/"]);
        assert_eq!(listed(&keys, "b/", None, 10), ["1/"]);
        assert_eq!(listed(&keys, "", None, 3), ["a", "a-b", "a/"]);
        assert_eq!(listed(&keys, "", None, 0), Vec::<String>::new());
    }

    #[test]
    fn a_full_folder_is_jumped_over() {
        let keys: BTreeSet<Vec<u8>> = (0..10_000)
            .map(|n| format!("full/{n:05}").into_bytes())
            .chain([b"last".to_vec()])
            .collect();
        let looked_at = Cell::new(0);
        let found = children("", None, 10, |from| {
            let from = from.to_vec();
            Ok(keys.range(from..).map(|k| {
                looked_at.set(looked_at.get() + 1);
                Ok(k.clone())
            }))
        })
        .unwrap();
        assert_eq!(found, ["full/", "last"]);
        assert!(looked_at.get() < 10, "looked at {} keys", looked_at.get());
    }
}
