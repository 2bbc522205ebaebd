//! The code map is of use only while it shows every room.

use crate::workspace::Workspace;

const MAP: &str = "docs/architecture.md";

pub fn check(workspace: &Workspace) -> Vec<String> {
    let Some(map) = workspace.text(MAP) else {
        return vec![format!(
            "{MAP} is missing: it is the first thing that a reader opens"
        )];
    };
    let rooms = workspace.crates.iter().filter_map(|member| member.room());
    rooms
        .map(folder)
        .filter(|folder| !map.contains(folder))
        .map(|folder| {
            format!(
                "{MAP} does not name {folder}: say there what it holds and what it knows nothing of"
            )
        })
        .collect()
}

/// Where a room is.
fn folder(room: &str) -> String {
    match room {
        "demo-service" => "demo/service".to_owned(),
        _ => format!("crates/{room}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up::{member, of, with_file};

    #[test]
    fn a_room_that_is_not_on_the_map_is_named() {
        let mut workspace = with_file(MAP, "## `crates/wire`\n");
        workspace.crates = vec![
            member("coffer-wire", &[]),
            member("coffer-crypto", &[]),
            member("xtask", &[]),
        ];
        let findings = check(&workspace);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].contains("crates/crypto"));
    }

    #[test]
    fn a_missing_map_is_named() {
        assert_eq!(check(&of(Vec::new())).len(), 1);
    }
}
