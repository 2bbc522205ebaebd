//! Where a secret comes from.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use coffer_crypto::{Secret, Zeroizing};

/// How long a file with a secret may be, in bytes.
const FILE_BYTES_MAX: usize = 64 << 10;

/// A secret, or the file that it is read from each time.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// The secret itself.
    Text(Secret<String>),
    /// The file that it stands in.
    File(PathBuf),
}

impl Source {
    /// `env://NAME`, `file://PATH`, or the secret itself. Says what is wrong as the end of a sentence.
    pub(crate) fn read(
        text: String,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file://") {
            return match Path::new(path).is_absolute() {
                true => Ok(Self::File(path.into())),
                false => Err("needs an absolute path after file://".to_owned()),
            };
        }
        match text.strip_prefix("env://") {
            None => Ok(Self::Text(Secret::new(text))),
            Some(name) => match environment(name).filter(|value| !value.is_empty()) {
                Some(value) => Ok(Self::Text(Secret::new(value))),
                None => Err(format!("names the variable {name}, which is not set")),
            },
        }
    }

    /// The bytes as they are.
    pub(crate) fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, String> {
        match self {
            Self::Text(text) => Ok(Zeroizing::new(text.expose().as_bytes().to_vec())),
            Self::File(path) => file(path),
        }
    }

    /// The text, read where waiting for a disk holds up nobody.
    pub(crate) async fn fetch(&self) -> Result<Secret<String>, String> {
        let source = self.clone();
        match source {
            Self::Text(_) => source.text(),
            Self::File(_) => tokio::task::spawn_blocking(move || source.text())
                .await
                .map_err(|_| "is not read".to_owned())?,
        }
    }

    /// The text, without blanks around it.
    pub(crate) fn text(&self) -> Result<Secret<String>, String> {
        let bytes = self.bytes()?;
        let text = std::str::from_utf8(&bytes).map_err(|_| "is no text".to_owned())?;
        match text.trim() {
            "" => Err("is empty".to_owned()),
            text => Ok(Secret::from(text)),
        }
    }
}

/// The content of a file of a bounded length.
pub(crate) fn file(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let shown = path.display();
    let unreadable =
        |error: std::io::Error| format!("names {shown}, which is not readable: {error}");
    let opened = File::open(path).map_err(unreadable)?;
    // Made once and large enough, so that no copy is left behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX + 1));
    let most = u64::try_from(FILE_BYTES_MAX).unwrap_or(u64::MAX);
    opened
        .take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match bytes.len() > FILE_BYTES_MAX {
        true => Err(format!(
            "names {shown}, which is longer than {FILE_BYTES_MAX} bytes"
        )),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_itself_or_stands_where_it_says() {
        let environment = |name: &str| (name == "A").then(|| "from env".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, " one\n").unwrap();
        let read = |text: &str| Source::read(text.to_owned(), &environment);
        let text = |source: &Source| source.text().unwrap().expose().clone();
        assert_eq!(text(&read("plain").unwrap()), "plain");
        assert_eq!(text(&read("env://A").unwrap()), "from env");
        let file = read(&format!("file://{}", path.display())).unwrap();
        assert_eq!(text(&file), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(text(&file), "two");
        std::fs::write(&path, vec![b'x'; FILE_BYTES_MAX + 1]).unwrap();
        assert!(file.text().unwrap_err().contains("longer than"));
        std::fs::write(&path, "\n").unwrap();
        assert!(file.text().is_err());
        for wrong in ["env://B", "file://relative"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", read("hunter2").unwrap()).contains("hunter2"));
    }
}
