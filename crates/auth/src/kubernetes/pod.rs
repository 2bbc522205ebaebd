//! What a pod is given by its cluster: where this server runs in one, it can ask by these.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use coffer_crypto::Zeroizing;

/// Where a cluster puts it.
const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// The most that is read of a file, in bytes.
const MAX_BYTES: u64 = 256 << 10;

/// The files of a pod. They are read each time: the cluster changes them now and then.
pub(super) struct Pod {
    folder: PathBuf,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            folder: PathBuf::from(FOLDER),
        }
    }
}

impl Pod {
    /// The token of the pod's own service account; none where this server runs in no pod.
    pub(super) async fn token(&self) -> Result<Option<Zeroizing<String>>, Unreadable> {
        let path = self.folder.join("token");
        let text = match read(path.clone()).await {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Unreadable { path, error }),
        };
        let token = Zeroizing::new(text.trim().to_owned());
        Ok(Some(token).filter(|token| !token.is_empty()))
    }

    /// The certificates of the cluster, in PEM.
    pub(super) async fn ca(&self) -> Result<String, Unreadable> {
        let path = self.folder.join("ca.crt");
        match read(path.clone()).await {
            Ok(text) => Ok(text.to_string()),
            Err(error) => Err(Unreadable { path, error }),
        }
    }
}

/// A file that can not be read.
#[derive(Debug)]
pub(super) struct Unreadable {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can not be read: {}", self.path.display(), self.error)
    }
}

/// The file as a text, read aside: a disk may be slow.
async fn read(path: PathBuf) -> io::Result<Zeroizing<String>> {
    let work = move || {
        let mut text = Zeroizing::new(String::with_capacity(4096));
        let mut file = File::open(path)?.take(MAX_BYTES);
        file.read_to_string(&mut text)?;
        Ok(text)
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_that_change_are_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let pod = Pod {
            folder: folder.path().to_owned(),
        };
        assert!(pod.token().await.unwrap().is_none());
        let missing = pod.ca().await.unwrap_err().to_string();
        assert!(missing.contains("ca.crt"), "{missing}");
        for word in ["first", "second"] {
            std::fs::write(folder.path().join("token"), format!("{word}\n")).unwrap();
            std::fs::write(folder.path().join("ca.crt"), word).unwrap();
            assert_eq!(pod.token().await.unwrap().unwrap().as_str(), word);
            assert_eq!(pod.ca().await.unwrap(), word);
        }
        std::fs::write(folder.path().join("token"), "").unwrap();
        assert!(pod.token().await.unwrap().is_none(), "an empty one is none");
    }
}
