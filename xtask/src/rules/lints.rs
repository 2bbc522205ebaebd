//! Every crate takes the lints of the workspace, or they protect nothing.

use crate::workspace::Workspace;

pub fn check(workspace: &Workspace) -> Vec<String> {
    let without = workspace
        .crates
        .iter()
        .filter(|member| !takes_lints(&member.manifest));
    without
        .map(|member| format!("{} has its own lints or none: add `[lints]` with `workspace = true` to its Cargo.toml", member.name))
        .collect()
}

fn takes_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim);
    lines.any(|line| line == "[lints]")
        && lines
            .take_while(|line| !line.starts_with('['))
            .any(|line| line.replace(' ', "") == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_and_its_line_are_needed() {
        assert!(takes_lints(
            "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"
        ));
        assert!(takes_lints("[lints]\nworkspace=true"));
        assert!(!takes_lints("[package]\nlicense.workspace = true\n"));
        assert!(!takes_lints("[lints]\n[features]\nworkspace = true\n"));
        assert!(!takes_lints("[lints.rust]\nworkspace = true\n"));
    }
}
