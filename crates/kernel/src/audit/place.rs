//! What devices may reach, and opening a file there.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::http::HttpOutlet;
use super::syslog;

/// What the operator lets devices that are enabled over the API do, and what they reach the world by.
#[derive(Clone)]
pub struct Allow {
    path: Arc<dyn Fn(&Path) -> bool + Send + Sync>,
    prefix: bool,
    http: Option<Arc<dyn HttpOutlet>>,
    syslog: Vec<PathBuf>,
}

/// The permissions of a file in the moment it is made.
const MODE_NEW: u32 = 0o600;

impl Allow {
    /// Files and sockets for which `path` says yes. It is asked at each opening, with the absolute path that
    /// remains when symbolic links are followed, so that a link can not lead astray. Prefixes and HTTP
    /// are refused; syslog is where it usually is.
    pub fn paths(path: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        Self {
            path: Arc::new(path),
            prefix: false,
            http: None,
            syslog: syslog::PATHS.iter().map(PathBuf::from).collect(),
        }
    }

    /// Lets devices have a `prefix` (`allow_audit_log_prefixing`). Who may choose both file and
    /// prefix can make files that other programs run.
    pub fn with_prefixes(self, prefix: bool) -> Self {
        Self { prefix, ..self }
    }

    /// Lets devices post lines by this client.
    pub fn with_http(self, http: Arc<dyn HttpOutlet>) -> Self {
        Self {
            http: Some(http),
            ..self
        }
    }

    /// Looks for syslog at these paths.
    pub fn with_syslog(self, syslog: Vec<PathBuf>) -> Self {
        Self { syslog, ..self }
    }

    pub(super) fn prefixes(&self) -> bool {
        self.prefix
    }

    pub(super) fn http(&self) -> Option<&Arc<dyn HttpOutlet>> {
        self.http.as_ref()
    }

    pub(super) fn syslog(&self) -> Vec<PathBuf> {
        self.syslog.clone()
    }

    /// Whether a device may send to the socket at `path`.
    pub(super) fn socket(&self, path: &Path) -> Result<(), String> {
        let path = resolved(path)?;
        match (self.path)(&path) {
            true => Ok(()),
            false => Err(format!(
                "the configuration does not allow audit to {}; choose another address",
                path.display()
            )),
        }
    }

    /// Opens a file to append to, making it if its folder is there. `mode` is set on regular files,
    /// also on one that exists; none leaves that as it is.
    pub(super) fn open(&self, path: &Path, mode: Option<u32>) -> Result<File, String> {
        let path = resolved(path)?;
        if !(self.path)(&path) {
            return Err(format!(
                "the configuration does not allow an audit file at {}; choose another file_path",
                path.display()
            ));
        }
        let cannot = |error| format!("can not open {}: {error}", path.display());
        let open = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(MODE_NEW)
            .open(&path);
        let file = open.map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if let Some(mode) = mode
            && metadata.is_file()
            && metadata.permissions().mode() & 0o777 != mode
        {
            file.set_permissions(Permissions::from_mode(mode))
                .map_err(|error| format!("can not set the mode of {}: {error}", path.display()))?;
        }
        Ok(file)
    }
}

impl<F: Fn(&Path) -> bool + Send + Sync + 'static> From<F> for Allow {
    fn from(path: F) -> Self {
        Self::paths(path)
    }
}

impl fmt::Debug for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Allow(…, prefix: {})", self.prefix)
    }
}

/// The absolute path without links. The folder must be there, the file need not.
fn resolved(path: &Path) -> Result<PathBuf, String> {
    let cannot = |error| format!("can not open {}: {error}", path.display());
    match fs::symlink_metadata(path) {
        Ok(_) => return fs::canonicalize(path).map_err(cannot),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(error)),
    }
    let Some(name) = path.file_name() else {
        return Err(format!("{} is not the path of a file", path.display()));
    };
    let folder = match path.parent() {
        None => Path::new("."),
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
    };
    match fs::canonicalize(folder) {
        Ok(folder) => Ok(folder.join(name)),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
            "the folder {} does not exist; create it so that the server can write there",
            folder.display()
        )),
        Err(error) => Err(cannot(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_private_unless_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let any = Allow::paths(|_| true);
        any.open(&path, Some(0o600)).unwrap();
        assert_eq!(mode(&path), 0o600);
        any.open(&path, Some(0o640)).unwrap();
        assert_eq!(mode(&path), 0o640);
        any.open(&path, None).unwrap();
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    fn the_folder_must_be_there_and_a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let any = Allow::paths(|_| true);
        let missing = any.open(&folder.path().join("no/a.log"), None).unwrap_err();
        assert!(missing.contains("does not exist"), "{missing}");
        assert!(any.open(folder.path(), None).is_err());
        assert!(any.open(Path::new("/"), None).is_err());
    }

    #[test]
    fn links_and_dots_do_not_lead_where_it_is_forbidden() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for name in ["data", "logs"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        fs::write(root.join("data/store"), "").unwrap();
        symlink(root.join("data"), root.join("logs/folder")).unwrap();
        symlink(root.join("data/store"), root.join("logs/file")).unwrap();
        symlink(root.join("data/new"), root.join("logs/dangling")).unwrap();
        let data = root.join("data");
        let outside = Allow::paths(move |path| !path.starts_with(&data));
        for name in [
            "data/x",
            "logs/folder/x",
            "logs/file",
            "logs/dangling",
            "logs/../data/x",
        ] {
            assert!(outside.open(&root.join(name), None).is_err(), "{name}");
        }
        assert!(!root.join("data/x").exists() && !root.join("data/new").exists());
        outside.open(&root.join("logs/x"), None).unwrap();
    }
}
