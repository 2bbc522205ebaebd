use std::fs::File;
use std::io::{self, Read};

use crate::failure::Failure;

/// What is read: a file, or standard input for `-`.
pub(super) struct Source {
    pub(super) name: String,
    /// Its length, where that is known before it is read.
    pub(super) length: Option<u64>,
    from: From,
}

enum From {
    File(File),
    Stdin(io::Stdin),
}

impl Source {
    pub(super) fn open(path: &str) -> Result<Self, Failure> {
        if path == "-" {
            return Ok(Self {
                name: "standard input".to_owned(),
                length: None,
                from: From::Stdin(io::stdin()),
            });
        }
        let refused = |error: io::Error| Failure::local(format!("cannot read {path}: {error}"));
        let file = File::open(path).map_err(refused)?;
        let facts = file.metadata().map_err(refused)?;
        if facts.is_dir() {
            return Err(Failure::local(format!(
                "{path} is a folder; make one file of it first, for example by tar"
            )));
        }
        Ok(Self {
            name: path.to_owned(),
            length: facts.is_file().then_some(facts.len()),
            from: From::File(file),
        })
    }

    pub(super) fn is_stdin(&self) -> bool {
        matches!(self.from, From::Stdin(_))
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.from {
            From::File(file) => file.read(out),
            From::Stdin(stdin) => stdin.read(out),
        }
    }
}
