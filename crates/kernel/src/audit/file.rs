//! Appending to a file, or to the server's standard output.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use super::chain::{Chain, Ending};
use super::place::Allow;
use super::writer::{Batch, Put, Sink, Stop};

/// A file that is appended to.
pub(super) struct FileSink {
    path: PathBuf,
    mode: Option<u32>,
    allow: Allow,
    file: Option<File>,
    /// The last write stopped within a line; the next one starts a new line.
    torn: bool,
}

/// The server's standard output.
pub(super) struct Stdout;

impl FileSink {
    /// Not open yet. `mode` is set on regular files; none leaves it as it is.
    pub fn new(path: PathBuf, mode: Option<u32>, allow: Allow) -> Self {
        Self {
            path,
            mode,
            allow,
            file: None,
            torn: false,
        }
    }
}

impl Sink for FileSink {
    fn ready(&mut self, chain: Option<&Chain>) -> Result<Option<Ending>, String> {
        if self.file.is_some() {
            return Ok(None);
        }
        let file = self.allow.open(&self.path, self.mode)?;
        let metadata = file.metadata();
        let metadata = metadata.map_err(|error| self.failed("look at", &error))?;
        // Pipes and terminals have no end to look at.
        let ending = match metadata.is_file() {
            true => self.ending(metadata.len(), chain),
            false => None,
        };
        self.torn = ending.is_some_and(|ending| ending.torn);
        self.file = Some(file);
        Ok(ending)
    }

    fn put(&mut self, batch: &Batch) -> Put {
        let Some(file) = &mut self.file else {
            return Put::stopped("it is not open".to_owned());
        };
        let before = usize::from(self.torn);
        let (mended, mut error) = append_all(file, if self.torn { b"\n" } else { b"" });
        let mut written = 0;
        if error.is_none() {
            (written, error) = append_all(file, batch.text());
        }
        let (recorded, whole) = batch.whole(written);
        let torn = written > whole;
        self.torn = torn || (written == 0 && mended < before);
        Put {
            recorded,
            stop: error.map(|error| Stop::Sink(self.failed("write to", &error))),
            torn,
        }
    }

    fn close(&mut self) {
        self.file = None;
        self.torn = false;
    }

    fn opens_at_once(&self) -> bool {
        true
    }

    fn file(&self) -> Option<File> {
        self.file.as_ref()?.try_clone().ok()
    }
}

impl FileSink {
    /// The server may be let append to a file and not read it; then the chain goes on from what is stored.
    fn ending(&self, length: u64, chain: Option<&Chain>) -> Option<Ending> {
        if length == 0 {
            return Some(Ending {
                empty: true,
                ..Ending::default()
            });
        }
        let mut file = File::open(&self.path).ok()?;
        Ending::of(&mut file, length, chain).ok()
    }

    fn failed(&self, what: &str, error: &io::Error) -> String {
        format!("can not {what} {}: {error}", self.path.display())
    }
}

impl Sink for Stdout {
    fn ready(&mut self, _: Option<&Chain>) -> Result<Option<Ending>, String> {
        Ok(None)
    }

    fn put(&mut self, batch: &Batch) -> Put {
        let mut out = io::stdout().lock();
        match out.write_all(batch.text()).and_then(|()| out.flush()) {
            Ok(()) => Put::all(batch),
            Err(error) => Put::stopped(format!("can not write to stdout: {error}")),
        }
    }

    fn close(&mut self) {}
}

/// How many bytes were appended, and what stopped it.
fn append_all(file: &mut File, mut bytes: &[u8]) -> (usize, Option<io::Error>) {
    let mut written = 0;
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return (written, Some(ErrorKind::WriteZero.into())),
            Ok(count) => {
                written += count;
                bytes = bytes.get(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn sink(path: &Path) -> FileSink {
        FileSink::new(path.to_owned(), None, Allow::paths(|_| true))
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        fs::write(&path, "{\"hal").unwrap();
        let mut sink = sink(&path);
        let ending = sink.ready(None).unwrap().unwrap();
        assert!(ending.torn && !ending.empty);
        let put = sink.put(&Batch::of(&[b"{}\n", b"{}\n"]));
        assert!(put.recorded == 2 && put.stop.is_none() && !put.torn);
        assert!(sink.ready(None).unwrap().is_none());
        assert_eq!(sink.put(&Batch::of(&[b"{}\n"])).recorded, 1);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"hal\n{}\n{}\n{}\n");
    }

    #[test]
    fn a_full_device_is_an_error_and_no_torn_line() {
        let mut sink = sink(Path::new("/dev/full"));
        assert!(sink.ready(None).unwrap().is_none());
        let put = sink.put(&Batch::of(&[b"{}\n"]));
        let Some(Stop::Sink(why)) = put.stop else {
            panic!("{put:?}")
        };
        assert!(why.contains("/dev/full") && put.recorded == 0);
        assert!(!put.torn && !sink.torn);
    }

    #[test]
    fn lines_are_counted_by_their_bytes() {
        let batch = Batch::of(&[b"ab\n", b"c\n", b"def\n"]);
        let counted: Vec<_> = (0..=9).map(|bytes| batch.whole(bytes)).collect();
        let expected = [
            (0, 0),
            (0, 0),
            (0, 0),
            (1, 3),
            (1, 3),
            (2, 5),
            (2, 5),
            (2, 5),
            (2, 5),
            (3, 9),
        ];
        assert_eq!(counted, expected);
        let lines: Vec<&[u8]> = batch.lines().collect();
        assert_eq!(lines, [&b"ab\n"[..], b"c\n", b"def\n"]);
    }
}
