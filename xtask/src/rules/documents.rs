//! Documents name places in the code; those that are gone mislead.

use std::collections::BTreeSet;

use crate::workspace::{File, Workspace};

/// Folders whose files documents name by their path from the root; `tests/` is also what crates call theirs.
const ROOTS: &[&str] = &["crates/", "xtask/", "docs/", "demo/", "benches/"];
/// The document that names what is stored.
const FORMAT: &str = "docs/storage-format.md";
/// Where the kernel's own records are made.
const KERNEL: &str = "crates/kernel/src/";
/// The document that names tests.
const THREATS: &str = "docs/threats.md";
/// Fewer underscores make a word of a protocol, not a test's sentence.
const TEST_UNDERSCORES_MIN: usize = 3;

/// Paths and links in documents lead somewhere.
pub fn places(workspace: &Workspace) -> Vec<String> {
    let known: BTreeSet<&str> = workspace
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let exists = |path: &str| {
        let path = path.trim_end_matches('/');
        known.contains(path)
            || known.range(path..).any(|file| {
                file.strip_prefix(path)
                    .is_some_and(|rest| rest.starts_with('/'))
            })
    };
    let mut findings = Vec::new();
    for document in workspace.ending(".md") {
        for path in named(document).filter(|path| !exists(path)) {
            findings.push(format!(
                "{} names {path}, which is not there (any more): name what took its place",
                document.path
            ));
        }
    }
    findings
}

/// Tests that the threats name as proof exist.
pub fn proofs(workspace: &Workspace) -> Vec<String> {
    let Some(threats) = workspace.text(THREATS) else {
        return vec![format!(
            "{THREATS} is missing: it says what is protected, and by which test"
        )];
    };
    let scripts = workspace
        .ending(".py")
        .filter_map(|file| file.text.as_deref());
    let tests: BTreeSet<&str> = workspace
        .ending(".rs")
        .filter_map(|file| file.text.as_deref())
        .flat_map(functions)
        .chain(scripts.flat_map(python_functions))
        .collect();
    let words = in_backticks(threats).filter(|word| {
        word.matches('_').count() >= TEST_UNDERSCORES_MIN
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    });
    words
        .filter(|word| !tests.contains(word))
        .map(|word| format!("{THREATS} names the test {word}, which is not there (any more): name the test that holds it now"))
        .collect()
}

/// Every prefix below which the kernel keeps records is in the document about what is stored.
pub fn records(workspace: &Workspace) -> Vec<String> {
    let Some(format) = workspace.text(FORMAT) else {
        return vec![format!(
            "{FORMAT} is missing: it says what is on the disk, byte by byte"
        )];
    };
    let code = workspace
        .ending(".rs")
        .filter(|file| file.path.starts_with(KERNEL) && !file.path.contains("/tests/"));
    let prefixes: BTreeSet<&str> = code
        .filter_map(|file| file.text.as_deref())
        .flat_map(|text| {
            let named = text.split("const VIEW: &str = \"").skip(1);
            let direct = text.split(".view(\"").skip(1);
            named
                .chain(direct)
                .filter_map(|rest| rest.split('"').next())
        })
        .collect();
    let missing = prefixes
        .into_iter()
        .filter(|prefix| !format.contains(&format!("`{prefix}")));
    missing.map(|prefix| format!("{FORMAT} does not say what is kept below {prefix}: add its records to the table of paths")).collect()
}

/// What a document names: paths in backticks that begin at a root, and targets of relative links.
fn named(document: &File) -> impl Iterator<Item = String> {
    let text = document.text.as_deref().unwrap_or_default();
    let folder = document
        .path
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    let quoted = in_backticks(text)
        .filter(|word| ROOTS.iter().any(|root| word.starts_with(root)) && is_plain(word));
    let links = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', '#']).next());
    let relative = links.filter(|link| !link.is_empty() && !link.contains("://") && is_plain(link));
    quoted
        .map(str::to_owned)
        .chain(relative.map(move |link| joined(folder, link)))
}

fn joined(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Patterns and placeholders name no file.
fn is_plain(word: &str) -> bool {
    !word.contains(['*', '{', '<', '…', ' ', ':']) && !word.contains("NAME")
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```")
        .step_by(2)
        .flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

/// The names of the functions of a Python file.
fn python_functions(text: &str) -> impl Iterator<Item = &str> {
    let named = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("def "));
    named.filter_map(|rest| rest.split('(').next())
}

fn functions(text: &str) -> impl Iterator<Item = &str> {
    text.split("fn ")
        .skip(1)
        .filter_map(|rest| rest.split(['(', '<', ' ']).next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::with_file;

    fn with_code(documents: &str, text: &str) -> Workspace {
        let mut workspace = with_file(documents, text);
        let code = with_file(
            "crates/a/src/lib.rs",
            "#[test]\nfn a_test_that_is_there() {}\n",
        );
        workspace.files.extend(code.files);
        workspace
            .files
            .sort_by(|one, other| one.path.cmp(&other.path));
        workspace
    }

    #[test]
    fn places_that_are_gone_are_named() {
        let text = "see `crates/a/src/lib.rs`, `crates/a/`, [x](../crates/a/src/lib.rs#y), [w](https://e.org/z), `crates/NAME/src`\n```\n`crates/no`\n```\n";
        assert_eq!(places(&with_code("docs/a.md", text)), Vec::<String>::new());
        let gone = places(&with_code(
            "docs/a.md",
            "see `crates/b/src/lib.rs` and [x](b.md)",
        ));
        assert_eq!(gone.len(), 2);
        assert!(
            gone[0].contains("crates/b/src/lib.rs") && gone[1].contains("docs/b.md"),
            "{gone:?}"
        );
    }

    #[test]
    fn records_that_are_not_described_are_named() {
        let mut workspace = with_file(FORMAT, "| `sys/token/id/<accessor>` | a token |");
        let code = with_file(
            "crates/kernel/src/a.rs",
            "barrier.view(\"sys/token/\"); barrier\n.view(\"sys/new/\"); const VIEW: &str = \"sys/x/\";",
        );
        workspace.files.extend(code.files);
        let findings = records(&workspace);
        assert_eq!(findings.len(), 2);
        assert!(findings[0].contains("sys/new/") && findings[1].contains("sys/x/"));
    }

    #[test]
    fn proofs_that_are_gone_are_named() {
        let findings = proofs(&with_code(
            THREATS,
            "`a_test_that_is_there`, `a_test_that_is_not`, `mfa_methods`, `crates/a`",
        ));
        assert_eq!(findings.len(), 1);
        assert!(findings[0].contains("a_test_that_is_not"));
    }
}
