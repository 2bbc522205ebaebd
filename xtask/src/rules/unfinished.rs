//! Code that only says it will do something, and tests that do not run.

use crate::workspace::Workspace;

/// What must not stand in a line, in two halves so that this file keeps its own rule, and what to do instead.
const MARKS: &[(&str, &str, &str)] = &[
    ("todo", "!(", "finish it, or answer a named error"),
    ("unimplemented", "!(", "finish it, or answer a named error"),
    (
        "#[ig",
        "nore",
        "a test that does not run shows nothing: mend it or delete it",
    ),
];

pub fn check(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for file in workspace.ending(".rs") {
        let Some(text) = &file.text else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or_default();
            for (first, second, instead) in MARKS {
                if code.contains(&format!("{first}{second}")) {
                    findings.push(format!(
                        "{}:{number}: {first}{second}: {instead}",
                        file.path
                    ));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::with_file;

    #[test]
    fn marks_are_found_in_code_and_not_in_comments() {
        let marked = format!(
            "fn a() {{ {}{}) }}\n#[ig{}]\n// {}{}\n",
            "todo", "!(", "nore", "todo", "!("
        );
        let findings = check(&with_file("a.rs", &marked));
        assert_eq!(findings.len(), 2);
        assert!(findings[1].starts_with("a.rs:2:"), "{}", findings[1]);
        assert!(check(&with_file("a.md", &marked)).is_empty());
    }
}
