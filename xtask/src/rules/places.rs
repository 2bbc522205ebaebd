//! Paths that exist on one machine only: what works there alone works for nobody else.

use crate::workspace::{File, Workspace};

/// Where people's own files lie, in two halves so that this file keeps its own rule.
const PLACES: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/Us", "ers/"),
];

pub fn check(workspace: &Workspace) -> Vec<String> {
    workspace.files.iter().flat_map(in_file).collect()
}

fn in_file(file: &File) -> Vec<String> {
    let Some(text) = &file.text else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for place in PLACES
            .iter()
            .map(|(first, second)| format!("{first}{second}"))
        {
            if line
                .match_indices(&place)
                .any(|(at, _)| begins_a_path(line, at))
            {
                findings.push(format!("{}:{number}: names a place on one machine ({place}): use a relative path or a variable", file.path));
            }
        }
    }
    findings
}

/// Behind a name it is the middle of a path of the API, such as one below `sys`.
fn begins_a_path(line: &str, at: usize) -> bool {
    let before = line.get(..at).and_then(|start| start.chars().next_back());
    !before.is_some_and(|c| c.is_alphanumeric() || "_-.}~*/".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::with_file;

    #[test]
    fn machine_paths_are_found_and_api_paths_are_not() {
        let home = format!("cat \"{}{}somebody/x\"", "/ho", "me/");
        assert_eq!(check(&with_file("a.sh", &home)).len(), 1);
        let api = format!(
            "sys/rotate{}{}init and $HOME{}{}",
            "/ro", "ot/", "/wo", "rk/"
        );
        assert!(check(&with_file("a.md", &api)).is_empty(), "{api}");
    }
}
