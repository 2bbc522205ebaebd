//! What the rules look at: the crates with their dependencies, and the files that belong to the project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// The workspace as it lies on the disk.
#[derive(Default)]
pub struct Workspace {
    /// Its members, `xtask` and the test crates among them.
    pub crates: Vec<Member>,
    /// Every file that git keeps or would keep, in order.
    pub files: Vec<File>,
    /// Names of the packages in `Cargo.lock`.
    pub locked: BTreeSet<String>,
    /// Names of the packages that are really built for this machine; the lock file also names some that never are.
    pub built: BTreeSet<String>,
}

/// A crate of the workspace.
#[derive(Deserialize)]
pub struct Member {
    /// Its package name.
    pub name: String,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
    /// Where its manifest is.
    pub manifest_path: PathBuf,
    /// The manifest's text.
    #[serde(skip)]
    pub manifest: String,
}

/// One line of a manifest's dependencies.
#[derive(Deserialize)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// `dev`, `build` or none for an ordinary one.
    pub kind: Option<String>,
}

/// A file of the project.
pub struct File {
    /// Its path below the root, with forward slashes.
    pub path: String,
    /// Its text; none for what is not UTF-8.
    pub text: Option<String>,
}

impl Workspace {
    /// Asks cargo and git.
    pub fn read() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or("xtask must lie directly below the workspace")?;
        Ok(Self {
            crates: crates(root)?,
            files: files(root)?,
            locked: locked(&read(&root.join("Cargo.lock"))?),
            built: built(root)?,
        })
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files
            .iter()
            .find(|file| file.path == path)?
            .text
            .as_deref()
    }

    /// The files whose names end so.
    pub fn ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = &'a File> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(ending))
    }
}

impl Member {
    /// The short name of a product crate: `wire` for `coffer-wire`. None for crates that only test, measure or check.
    pub fn room(&self) -> Option<&str> {
        room(&self.name)
    }

    /// What it needs when it runs or is built; what only its tests need is left out.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        let shipped = |dependency: &&Dependency| dependency.kind.as_deref() != Some("dev");
        self.dependencies
            .iter()
            .filter(shipped)
            .map(|dependency| dependency.name.as_str())
    }
}

/// The short name of a product crate.
pub fn room(package: &str) -> Option<&str> {
    package
        .strip_prefix("coffer-")
        .filter(|name| !matches!(*name, "tests" | "benches"))
}

fn crates(root: &Path) -> Result<Vec<Member>, String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Member>,
    }
    let told = output(
        root,
        &cargo(),
        &["metadata", "--no-deps", "--format-version", "1"],
    )?;
    let metadata: Metadata = serde_json::from_str(&told)
        .map_err(|e| format!("cargo metadata answered something else: {e}"))?;
    let with_text = |member: Member| {
        let manifest = read(&member.manifest_path)?;
        Ok(Member { manifest, ..member })
    };
    metadata.packages.into_iter().map(with_text).collect()
}

/// Files that are not committed yet count, too: a rule that only speaks after the commit comes late.
fn files(root: &Path) -> Result<Vec<File>, String> {
    let told = output(
        root,
        "git",
        &[
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ],
    )?;
    let paths: BTreeSet<&str> = told.split('\0').filter(|path| !path.is_empty()).collect();
    let on_disk = paths.into_iter().filter_map(|path| {
        let bytes = std::fs::read(root.join(path)).ok()?; // deleted, but not yet for git
        Some(File {
            path: path.to_owned(),
            text: String::from_utf8(bytes).ok(),
        })
    });
    Ok(on_disk.collect())
}

fn locked(lock: &str) -> BTreeSet<String> {
    let names = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.map(str::to_owned).collect()
}

fn built(root: &Path) -> Result<BTreeSet<String>, String> {
    let told = output(
        root,
        &cargo(),
        &[
            "tree",
            "--workspace",
            "--prefix",
            "none",
            "--edges",
            "normal,build",
            "--format",
            "{p}",
        ],
    )?;
    Ok(told
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect())
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn output(root: &Path, program: &str, words: &[&str]) -> Result<String, String> {
    let said = |what: &str| format!("`{program} {}` {what}", words.join(" "));
    let ran = Command::new(program)
        .args(words)
        .current_dir(root)
        .output()
        .map_err(|e| said(&format!("did not start: {e}; is it installed?")))?;
    if !ran.status.success() {
        return Err(said(&format!(
            "failed: {}",
            String::from_utf8_lossy(&ran.stderr).trim()
        )));
    }
    String::from_utf8(ran.stdout).map_err(|_| said("answered bytes that are not UTF-8"))
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

#[cfg(test)]
pub mod made_up {
    //! Small workspaces for the tests of the rules.

    use super::{Dependency, File, Member, Workspace};

    /// A crate with ordinary dependencies.
    pub fn member(name: &str, needs: &[&str]) -> Member {
        let dependency = |name: &&str| Dependency {
            name: (*name).to_owned(),
            kind: None,
        };
        Member {
            name: name.to_owned(),
            dependencies: needs.iter().map(dependency).collect(),
            manifest_path: format!("{name}/Cargo.toml").into(),
            manifest: "[lints]\nworkspace = true\n".to_owned(),
        }
    }

    /// A workspace of these crates, without files.
    pub fn of(crates: Vec<Member>) -> Workspace {
        Workspace {
            crates,
            ..Workspace::default()
        }
    }

    /// A workspace of one file.
    pub fn with_file(path: &str, text: &str) -> Workspace {
        let file = File {
            path: path.to_owned(),
            text: Some(text.to_owned()),
        };
        Workspace {
            files: vec![file],
            ..Workspace::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_the_lock_file_are_found() {
        let names =
            locked("[[package]]\nname = \"a-b\"\nversion = \"1\"\ndependencies = [\n \"c\",\n]\n");
        assert_eq!(names, BTreeSet::from(["a-b".to_owned()]));
    }

    #[test]
    fn needs_leave_out_what_only_tests_use() {
        let mut member = made_up::member("coffer-wire", &["serde"]);
        member.dependencies.push(Dependency {
            name: "tempfile".into(),
            kind: Some("dev".into()),
        });
        assert_eq!(member.needs().collect::<Vec<_>>(), ["serde"]);
        assert_eq!(member.room(), Some("wire"));
        assert_eq!(room("coffer-tests"), None);
        assert_eq!(room("xtask"), None);
    }
}
