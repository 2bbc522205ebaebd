//! How files are called, and how long they are.

use crate::workspace::Workspace;

/// Names that say nothing of what is inside, so that everything ends up there.
const NOT_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];
/// What can still be read at a sitting. Around 500 a file wants to be split already.
const FILE_LINES_MAX: usize = 700;
/// The same for black-box tests of a crate: cases that are read one by one.
const TEST_FILE_LINES_MAX: usize = 1_000;

pub fn names(workspace: &Workspace) -> Vec<String> {
    let nameless = workspace.ending(".rs").filter(|file| {
        file.path
            .trim_end_matches(".rs")
            .split('/')
            .any(|part| NOT_NAMES.contains(&part))
    });
    nameless
        .map(|file| {
            format!(
                "{}: call it after the one thing it holds, or move each part to where it is used",
                file.path
            )
        })
        .collect()
}

pub fn lengths(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for file in workspace.ending(".rs") {
        let lines = file.text.as_ref().map_or(0, |text| text.lines().count());
        let most = if file.path.contains("/tests/") {
            TEST_FILE_LINES_MAX
        } else {
            FILE_LINES_MAX
        };
        if lines > most {
            findings.push(format!(
                "{} has {lines} lines, {most} are the most: split it by its nouns",
                file.path
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::with_file;

    #[test]
    fn nameless_files_are_refused() {
        for path in [
            "crates/a/src/util.rs",
            "crates/a/src/common/mod.rs",
            "crates/a/tests/helpers.rs",
        ] {
            assert_eq!(names(&with_file(path, "")).len(), 1, "{path}");
        }
        assert!(names(&with_file("crates/a/src/utilisation.rs", "")).is_empty());
        assert!(names(&with_file("docs/common.md", "")).is_empty());
    }

    #[test]
    fn long_files_are_refused() {
        assert!(lengths(&with_file("a.rs", &"x\n".repeat(FILE_LINES_MAX))).is_empty());
        assert_eq!(
            lengths(&with_file("a.rs", &"x\n".repeat(FILE_LINES_MAX + 1))).len(),
            1
        );
        assert!(
            lengths(&with_file(
                "crates/a/tests/b.rs",
                &"x\n".repeat(TEST_FILE_LINES_MAX)
            ))
            .is_empty()
        );
        assert!(lengths(&with_file("a.md", &"x\n".repeat(FILE_LINES_MAX + 1))).is_empty());
    }
}
