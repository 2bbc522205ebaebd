//! Sockets of the file system.

use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::Path;

use tokio::net::UnixListener;

use crate::config::Socket;
use crate::error::Error;

/// Binds the socket and gives it its owner and permissions.
pub(super) fn bind(socket: &Socket) -> Result<UnixListener, Error> {
    let failed = |what: &str, error: std::io::Error| Error::Listen {
        address: socket.path.display().to_string(),
        what: format!("{what}: {error}"),
    };
    remove_leftover(&socket.path)
        .map_err(|error| failed("an old socket is in the way and can not be removed", error))?;
    let listener = UnixListener::bind(&socket.path)
        .map_err(|error| failed("can not bind; check the directory", error))?;
    if let Some(mode) = socket.mode {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&socket.path, mode)
            .map_err(|error| failed("can not set socket_mode", error))?;
    }
    let user = socket
        .user
        .as_deref()
        .map(|name| id("user", name, "/etc/passwd"))
        .transpose()?;
    let group = socket
        .group
        .as_deref()
        .map(|name| id("group", name, "/etc/group"))
        .transpose()?;
    if user.is_some() || group.is_some() {
        chown(&socket.path, user, group)
            .map_err(|error| failed("can not set socket_user and socket_group", error))?;
    }
    Ok(listener)
}

/// Removes the socket of a server that did not end properly. Anything but a socket, or one that answers, stays.
fn remove_leftover(path: &Path) -> std::io::Result<()> {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if found.file_type().is_socket() && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    Ok(())
}

/// A number as it is, or the number of a name in the system's table (`name:password:number:…`).
fn id(what: &str, name: &str, table: &str) -> Result<u32, Error> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let lines = std::fs::read_to_string(table).unwrap_or_default();
    let found = lines.lines().find_map(|line| {
        let mut columns = line.split(':');
        (columns.next() == Some(name))
            .then(|| columns.nth(1)?.parse().ok())
            .flatten()
    });
    found.ok_or_else(|| Error::Listen {
        address: format!("socket_{what}"),
        what: format!("there is no {what} {name:?} in {table}; give a number instead of a name"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(path: &Path) -> Socket {
        Socket {
            path: path.to_owned(),
            mode: Some(0o600),
            user: None,
            group: Some("0".into()),
        }
    }

    #[tokio::test]
    async fn leftovers_are_replaced_and_living_sockets_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let own_group =
            std::os::unix::fs::MetadataExt::gid(&std::fs::metadata(dir.path()).unwrap());
        let socket = Socket {
            group: Some(own_group.to_string()),
            ..socket(&path)
        };
        let first = bind(&socket).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(bind(&socket).is_err(), "another server is listening there");
        drop(first);
        bind(&socket).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "a file").unwrap();
        assert!(bind(&socket).is_err(), "a file is not ours to remove");
    }

    #[test]
    fn names_are_looked_up() {
        assert_eq!(id("user", "root", "/etc/passwd").unwrap(), 0);
        assert_eq!(id("user", "17", "/etc/passwd").unwrap(), 17);
        assert!(id("user", "no such person", "/etc/passwd").is_err());
    }
}
