//! A directory of declarations.
//!
//! | what | is |
//! |---|---|
//! | `*.hcl`, `*.json` | blocks |
//! | `policies/NAME.hcl` or `.json` | the text of the policy NAME |
//! | `password-policies/NAME.hcl` | the text of the password policy NAME |
//! | `namespaces/NAME/` | the same for the namespace NAME, which is declared by being there |
//!
//! Other files and folders are of no interest: secrets, notes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::blocks::{Source, policy};
use super::declaration::{Declared, Id};
use super::kind::Kind;
use crate::failure::Failure;
use crate::ui::read_file;

/// Deepest nesting of namespaces' folders.
const MAX_DEPTH: usize = 16;

/// Reads a directory.
pub(crate) fn read(folder: &str) -> Result<Declared, Failure> {
    let mut declared = Declared::default();
    let path = Path::new(folder);
    if !path.is_dir() {
        return Err(Failure::local(format!("{folder} is no directory")));
    }
    read_folder(path, "", 0, &mut declared)?;
    refuse_doubles(&declared)?;
    if declared.declarations.is_empty() && declared.owned.is_empty() {
        return Err(Failure::local(format!(
            "{folder} declares nothing: no block in its *.hcl and *.json files, no file in policies/"
        )));
    }
    Ok(declared)
}

fn read_folder(
    folder: &Path,
    namespace: &str,
    depth: usize,
    into: &mut Declared,
) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        let text = format!("{}: namespaces are nested too deep", folder.display());
        return Err(Failure::local(text));
    }
    for path in entries(folder)? {
        if path.is_file() && is_document(&path) {
            let name = path.display().to_string();
            let source = Source {
                name: &name,
                folder,
            };
            source.read(&read_file(&name)?, namespace, into)?;
        }
    }
    for (name, kind) in [
        ("policies", Kind::Policy),
        ("password-policies", Kind::PasswordPolicy),
    ] {
        let files = entries(&folder.join(name))?;
        for path in files.iter().filter(|path| is_document(path)) {
            let place = path.display().to_string();
            let text = read_file(&place)?.to_string();
            let found = policy(kind, namespace, &stem(path), &place, text);
            into.declarations.push(found);
        }
    }
    for path in entries(&folder.join("namespaces"))? {
        if path.is_dir() {
            namespace_folder(&path, namespace, depth, into)?;
        }
    }
    Ok(())
}

/// A namespace is declared by its folder, unless a block says more about it.
fn namespace_folder(
    path: &Path,
    namespace: &str,
    depth: usize,
    into: &mut Declared,
) -> Result<(), Failure> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let id = Id::new(Kind::Namespace, namespace, &name);
    let inside = format!("{namespace}{}/", id.name);
    read_folder(path, &inside, depth + 1, into)?;
    if !into.declarations.iter().any(|known| known.id == id) {
        let mut made = policy(
            Kind::Namespace,
            namespace,
            &name,
            &path.display().to_string(),
            String::new(),
        );
        made.fields.clear();
        into.declarations.push(made);
    }
    Ok(())
}

/// What is in a directory, by name; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::local(format!("cannot read {}: {error}", folder.display()))
    };
    let found = match std::fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = Vec::new();
    for entry in found {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Files that editors leave behind begin with a dot, or end in something else.
fn is_document(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let ending = path.extension().and_then(|ending| ending.to_str());
    !hidden && matches!(ending, Some("hcl" | "json"))
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn refuse_doubles(declared: &Declared) -> Result<(), Failure> {
    let mut seen: BTreeMap<&Id, &str> = BTreeMap::new();
    for one in &declared.declarations {
        if let Some(first) = seen.insert(&one.id, &one.place) {
            return Err(Failure::local(format!(
                "{} is declared twice: {first} and {}",
                one.id, one.place
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn read_files(files: &[(&str, &str)]) -> Result<Declared, String> {
        let folder = folder(files);
        let shown = folder.path().display().to_string();
        read(&shown).map_err(|failure| failure.text.replace(&shown, "DIR"))
    }

    fn ids(declared: &Declared) -> Vec<String> {
        let mut ids: Vec<_> = declared
            .declarations
            .iter()
            .map(|one| one.id.to_string())
            .collect();
        ids.sort();
        ids
    }

    #[test]
    fn blocks_and_folders_say_the_same() {
        let hcl = "mount \"secret\" { type = \"kv\" options = { version = \"2\" } }\nauth \"auth/userpass/\" { type = \"userpass\" }\npolicy \"App\" { file = \"texts/app.hcl\" }\nnamespace \"a\" { custom_metadata = { x = \"y\" } policy \"p\" { text = \"q\" } namespace \"b\" {} }";
        let declared = read_files(&[
            ("one.hcl", hcl),
            (
                "two.json",
                r#"{"resource": {"database/roles/r": {"db_name": "pg"}}}"#,
            ),
            ("texts/app.hcl", "path \"a\" {}"),
            ("policies/other.hcl", "path \"b\" {}"),
            ("password-policies/strong.hcl", "length = 20"),
            ("namespaces/a/policies/q.json", "{}"),
            ("namespaces/c/x.hcl", "mount \"m\" { type = \"kv\" }"),
            ("notes.txt", "not read"),
            (".hidden.hcl", "garbage ("),
        ])
        .unwrap();
        assert_eq!(
            ids(&declared),
            [
                "auth userpass/",
                "mount c/m/",
                "mount secret/",
                "namespace a",
                "namespace a/b",
                "namespace c",
                "password_policy strong",
                "policy a/p",
                "policy a/q",
                "policy app",
                "policy other",
                "resource database/roles/r",
            ]
        );
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (hcl, expected) in [
            (
                "mont \"a\" {}",
                "DIR/a.hcl: line 1, column 1: unknown block \"mont\"; did you mean mount?",
            ),
            ("policy \"a\" {}", "policy needs one of file and text"),
            ("policy \"a\" { file = \"none\" }", "none"),
            (
                "policy \"a\" { text = \"b\"\n other = 1 }",
                "line 2, column 2",
            ),
            (
                "entity \"a\" { alias \"userpass\" {} }",
                "alias needs the name",
            ),
            ("mount \"/\" {}", "mount has no name"),
            ("prune { resource = [\"*\"] }", "within a folder"),
            ("prune { other = [\"*\"] }", "not \"other\""),
            (
                "mount \"a\" {}\nmount \"a/\" {}",
                "mount a/ is declared twice",
            ),
            (
                "mount \"a\" { x = \"env:COFFER_NO_SUCH_VARIABLE\" }",
                "COFFER_NO_SUCH_VARIABLE",
            ),
            ("", "declares nothing"),
            ("mount = 1", "line 1"),
        ] {
            let said = read_files(&[("a.hcl", hcl)]).unwrap_err();
            assert!(said.contains(expected), "{hcl}: {said}");
        }
        assert!(read("/no/such/folder").is_err());
    }
}
