//! The file a login keeps its token in: `~/.vault-token` (or the one the variable
//! `COFFER_TOKEN_PATH` names), shared with the other clients of this API.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use coffer_client::{Token, variable};

/// The token kept by the last login, if any.
pub(crate) fn read() -> Option<Token> {
    read_from(&path()?)
}

/// Keeps a token for later commands.
pub(crate) fn store(token: &Token) -> Result<PathBuf, String> {
    let path =
        path().ok_or("the HOME variable is not set, so there is no place to keep the token")?;
    store_in(&path, token).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(path)
}

fn path() -> Option<PathBuf> {
    if let Some(path) = variable("TOKEN_PATH") {
        return Some(path.into());
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
    Some(Path::new(&home).join(".vault-token"))
}

fn read_from(path: &Path) -> Option<Token> {
    let token = Token::new(fs::read_to_string(path).ok()?);
    (!token.is_empty()).then_some(token)
}

/// Writes beside and renames over: a reader never sees half a token, and the file is never readable by others, not even
/// for a moment.
fn store_in(path: &Path, token: &Token) -> std::io::Result<()> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(token.expose().as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_owner_reads_it_and_the_old_one_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".vault-token");
        fs::write(&path, "old\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(read_from(&path).unwrap().expose(), "old");
        store_in(&path, &Token::from("new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(read_from(&directory.path().join("none")).is_none());
    }
}
