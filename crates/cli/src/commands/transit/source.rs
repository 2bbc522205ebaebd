//! Where bytes come from: the word itself, `@FILE`, or `-` for standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use clap::Args;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The most bytes of one input: a request of 32 MiB holds them in base64 and what stands around them.
const MAX_INPUT_BYTES: u64 = 23 * 1024 * 1024;

/// The most bytes of a text of the server's: what it makes of the largest input is in base64 already.
const MAX_TEXT_BYTES: u64 = 32 * 1024 * 1024;
/// The longest lines, which share a request with others: of bytes, and of what the server makes of such.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;
const MAX_TEXT_LINE_BYTES: u64 = 24 * 1024 * 1024;

/// What is encrypted can be decrypted: base64 makes four bytes of three, and some stand around them.
const _: () = assert!(
    MAX_TEXT_BYTES > MAX_INPUT_BYTES * 4 / 3 + 1024
        && MAX_TEXT_LINE_BYTES > MAX_LINE_BYTES * 4 / 3 + 1024
);

const TOO_LARGE: &str = "it is larger than 23 MiB, the most that one request takes; encrypt it with `coffer envelope encrypt`, \
                         or sign a digest of it with -prehashed";

/// What a command works on.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// The input: @FILE, - for standard input, or the text itself, which others on this machine can see and the shell
    /// remembers
    #[arg(value_name = "INPUT")]
    input: Option<String>,
    /// Take the input from this file, whatever its name begins with
    #[arg(long, value_name = "FILE", conflicts_with = "input")]
    file: Option<String>,
}

impl Input {
    /// The bytes as they are: no line end is cut off.
    pub(super) fn bytes(&self, words: &mut Words) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.read(words, MAX_INPUT_BYTES)
    }

    fn read(&self, words: &mut Words, most: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match (&self.input, &self.file) {
            (Some(word), _) => words.read(word, most),
            (None, Some(file)) => words.file(file, most),
            (None, None) => Err(Failure::local(
                "there is no input; give @FILE, - for standard input, or the text itself",
            )),
        }
    }

    /// The same where it is text that travels in lines, like a ciphertext: blanks around it mean nothing.
    pub(super) fn text(&self, words: &mut Words) -> Result<String, Failure> {
        trimmed(&self.read(words, MAX_TEXT_BYTES)?)
    }
}

/// Reads what words stand for. Standard input can be read once.
#[derive(Debug, Default)]
pub(super) struct Words {
    stdin_taken: bool,
}

impl Words {
    /// The bytes that a word stands for; `\@x` is the text `@x`.
    pub(super) fn bytes(&mut self, word: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.read(word, MAX_INPUT_BYTES)
    }

    fn read(&mut self, word: &str, most: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if word == "-" {
            return self.stdin(most);
        }
        match (word.strip_prefix('@'), word.strip_prefix("\\@")) {
            (Some(file), _) => self.file(file, most),
            (_, Some(rest)) => Ok(format!("@{rest}").into_bytes().into()),
            _ => Ok(word.as_bytes().to_vec().into()),
        }
    }

    /// The text that a word stands for, without blanks around it.
    pub(super) fn text(&mut self, word: &str) -> Result<String, Failure> {
        trimmed(&self.read(word, MAX_TEXT_BYTES)?)
    }

    /// A whole file; `-` is standard input here, too.
    fn file(&mut self, path: &str, most: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        if path == "-" {
            return self.stdin(most);
        }
        File::open(path)
            .map_err(|error| error.to_string())
            .and_then(|file| whole(file, most))
            .map_err(|reason| Failure::local(format!("cannot read {path}: {reason}")))
    }

    /// Standard input is for one thing.
    pub(super) fn take_stdin(&mut self) -> Result<(), Failure> {
        match std::mem::replace(&mut self.stdin_taken, true) {
            false => Ok(()),
            true => Err(Failure::local(
                "two things are to come from standard input, which can be read once; put one of them into a file",
            )),
        }
    }

    fn stdin(&mut self, most: u64) -> Result<Zeroizing<Vec<u8>>, Failure> {
        self.take_stdin()?;
        whole(io::stdin().lock(), most)
            .map_err(|reason| Failure::local(format!("cannot read standard input: {reason}")))
    }
}

fn whole(from: impl Read, most: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut from = from.take(most + 1);
    from.read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    match bytes.len() as u64 > most {
        true => Err(TOO_LARGE.to_owned()),
        false => Ok(bytes),
    }
}

fn trimmed(bytes: &[u8]) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Failure::local("this is to be text, as the server gave it, and holds other bytes")
    })?;
    Ok(text.trim().to_owned())
}

/// One line and its number, from 1.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

/// Lines of a file or of standard input, one by one.
pub(super) struct Lines {
    from: Box<dyn BufRead>,
    name: String,
    number: u64,
    /// The most bytes of a line.
    most: u64,
}

impl Lines {
    /// `@FILE` or `-`; a word alone would be a list of one and is most often a forgotten `@`.
    pub(super) fn open(word: &str, of_bytes: bool) -> Result<Self, Failure> {
        let (from, name): (Box<dyn BufRead>, _) = match (word, word.strip_prefix('@')) {
            ("-", _) => (Box::new(io::stdin().lock()), "standard input".to_owned()),
            (_, Some(path)) => {
                let file = File::open(path)
                    .map_err(|error| Failure::local(format!("cannot read {path}: {error}")))?;
                (Box::new(BufReader::new(file)), path.to_owned())
            }
            _ => {
                return Err(Failure::local(
                    "write -batch=@FILE, or -batch=- for standard input",
                ));
            }
        };
        Ok(Self {
            from,
            name,
            number: 0,
            most: match of_bytes {
                true => MAX_LINE_BYTES,
                false => MAX_TEXT_LINE_BYTES,
            },
        })
    }

    /// The next line, without its end.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Failure> {
        let mut line = Zeroizing::new(Vec::new());
        let mut from = (&mut self.from).take(self.most + 1);
        let count = from
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::local(format!("cannot read {}: {error}", self.name)))?;
        if count == 0 {
            return Ok(None);
        }
        self.number += 1;
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if count as u64 > self.most {
            return Err(Failure::local(format!(
                "line {} of {} is longer than {} MiB, the most in a batch; do that item alone",
                self.number,
                self.name,
                self.most >> 20
            )));
        }
        Ok(Some(Line {
            number: self.number,
            bytes: line,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_text_or_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        std::fs::write(&path, b"\0\xff\n").unwrap();
        let mut words = Words::default();
        let mut read = |word: &str| words.bytes(word).map(|bytes| bytes.to_vec());
        assert_eq!(read("text ").unwrap(), b"text ");
        assert_eq!(read(r"\@x").unwrap(), b"@x");
        assert_eq!(read(&format!("@{}", path.display())).unwrap(), b"\0\xff\n");
        assert!(read("@/nowhere/f").unwrap_err().text.contains("/nowhere/f"));
        assert_eq!(words.text(" vault:v1:x\n").unwrap(), "vault:v1:x");
        assert!(words.text(&format!("@{}", path.display())).is_err());
        words.stdin_taken = true;
        assert!(words.bytes("-").unwrap_err().text.contains("read once"));
    }

    #[test]
    fn lines_have_numbers_and_no_ends() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        std::fs::write(&path, b"a\r\n\n\xff").unwrap();
        let mut lines = Lines::open(&format!("@{}", path.display()), true).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push((line.number, line.bytes.to_vec()));
        }
        assert_eq!(
            all,
            [(1, b"a\r".to_vec()), (2, vec![]), (3, b"\xff".to_vec())]
        );
        assert!(Lines::open("f", true).is_err() && Lines::open("@/nowhere/f", true).is_err());
    }
}
