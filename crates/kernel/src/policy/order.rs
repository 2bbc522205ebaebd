//! In which order names of policies are listed.

use std::cmp::Ordering;

/// The order of two names: those of a folder by the alphabet, then the folders within it, the last one first, as the
/// reference lists them.
pub(super) fn by_folder(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    loop {
        match (one.split_once('/'), other.split_once('/')) {
            (None, None) => return one.cmp(other),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some((folder, rest)), Some((its_folder, its_rest))) => {
                if folder != its_folder {
                    return its_folder.cmp(folder);
                }
                (one, other) = (rest, its_rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::by_folder;

    #[test]
    fn names_come_before_folders() {
        let mut names = vec![
            "a/a/x", "a/b", "z", "c/1", "a", "a/c/d", "b/y", "default", "a/z",
        ];
        names.sort_unstable_by(|one, other| by_folder(one, other));
        let expected = [
            "a", "default", "z", "c/1", "b/y", "a/b", "a/z", "a/c/d", "a/a/x",
        ];
        assert_eq!(names, expected);
    }
}
