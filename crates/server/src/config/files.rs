//! From paths to parsed documents.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use coffer_hcl::{Body, MAX_INPUT_BYTES};

use super::stanza::Stanza;
use super::{Error, Place};

/// Most configuration files that one directory may hold.
const MAX_FILES_A_DIRECTORY: usize = 256;

/// Reads every file and every directory's files, in order.
pub(super) fn open(paths: &[PathBuf]) -> Result<Stanza, Error> {
    let mut parts = Vec::new();
    for path in paths {
        let files = if path.is_dir() {
            list(path)?
        } else {
            vec![path.clone()]
        };
        for file in files {
            parts.push((Arc::from(file.as_path()), parse(&file)?));
        }
    }
    Ok(Stanza::root(parts))
}

/// A directory's configuration files in lexical order.
fn list(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source| Error::Unreadable {
        path: directory.to_owned(),
        source,
    };
    let unusable = |problem: String| Error::Unusable {
        path: directory.to_owned(),
        problem,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_config = path
            .extension()
            .is_some_and(|extension| extension == "hcl" || extension == "json");
        if is_config && path.is_file() {
            files.push(path);
        }
        if files.len() > MAX_FILES_A_DIRECTORY {
            let limit = format!("holds more than {MAX_FILES_A_DIRECTORY} files; put them together");
            return Err(unusable(limit));
        }
    }
    if files.is_empty() {
        return Err(unusable(
            "holds no *.hcl or *.json file; name the file itself, or add one".to_owned(),
        ));
    }
    files.sort();
    Ok(files)
}

fn parse(path: &Path) -> Result<Body, Error> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_INPUT_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
    read.map_err(|source| Error::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes).map_err(|_| Error::Unusable {
        path: path.to_owned(),
        problem: format!("is not UTF-8 text of at most {MAX_INPUT_BYTES} bytes; save it as such"),
    })?;
    coffer_hcl::parse(&text).map_err(|error| at(Arc::from(path), error))
}

/// A parser's error with its file.
pub(super) fn at(file: Arc<Path>, error: coffer_hcl::Error) -> Error {
    let coffer_hcl::Error {
        position,
        found,
        expected,
        advice,
    } = error;
    Error::At {
        place: Place { file, position },
        found,
        expected,
        advice,
    }
}
