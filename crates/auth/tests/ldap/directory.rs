//! A directory that answers what a test wants, well or badly.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const BIND_DONE: u8 = 0x61;
pub(crate) const ENTRY: u8 = 0x64;
pub(crate) const SEARCH_DONE: u8 = 0x65;
const EXTENDED_DONE: u8 = 0x78;

/// What somebody asks the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    Bind {
        name: String,
        password: String,
    },
    Search {
        base: String,
        scope: u8,
        filter: Vec<u8>,
    },
    Extended,
}

/// What it answers.
pub(crate) enum Answer {
    /// These operations, under the number of the question.
    Say(Vec<Vec<u8>>),
    /// The same, and then it hangs up.
    Last(Vec<Vec<u8>>),
    /// These bytes, whatever they are.
    Raw(Vec<u8>),
    /// Nothing at all.
    Silence,
    HangUp,
}

/// A directory on a free port; it ends with the test.
pub(crate) struct Directory {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Question>>>,
}

impl Directory {
    pub(crate) async fn new(answer: impl Fn(&Question) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ldap://{}", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<Question>>> = Arc::default();
        let (answer, told) = (Arc::new(answer), Arc::clone(&heard));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, told) = (Arc::clone(&answer), Arc::clone(&told));
                tokio::spawn(async move { converse(stream, &*answer, &told).await });
            }
        });
        Self { url, heard }
    }

    /// What it was asked so far.
    pub(crate) fn heard(&self) -> Vec<Question> {
        self.heard.lock().unwrap().clone()
    }
}

async fn converse(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Question) -> Answer + Send + Sync),
    heard: &Mutex<Vec<Question>>,
) {
    while let Some((number, question)) = question(&mut stream).await {
        heard.lock().unwrap().push(question.clone());
        let answer = answer(&question);
        let is_last = matches!(answer, Answer::Last(_));
        let bytes = match answer {
            Answer::Say(operations) | Answer::Last(operations) => operations
                .iter()
                .flat_map(|one| message(number, one))
                .collect(),
            Answer::Raw(bytes) => bytes,
            Answer::Silence => std::future::pending().await,
            Answer::HangUp => return,
        };
        if stream.write_all(&bytes).await.is_err() || is_last {
            return;
        }
    }
}

async fn question(stream: &mut TcpStream) -> Option<(u8, Question)> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).await.ok()?;
    let mut length = usize::from(head[1]);
    if length >= 0x80 {
        let mut more = vec![0; length & 0x7f];
        stream.read_exact(&mut more).await.ok()?;
        length = more
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await.ok()?;
    let (_, number, rest) = element(&content);
    let (operation, parts, _) = element(rest);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let question = match operation {
        0x60 => {
            let (_, _, rest) = element(parts);
            let (_, name, rest) = element(rest);
            let (_, password, _) = element(rest);
            Question::Bind {
                name: text(name),
                password: text(password),
            }
        }
        0x63 => {
            let (_, base, rest) = element(parts);
            let (_, scope, mut rest) = element(rest);
            for _ in 0..4 {
                rest = element(rest).2;
            }
            let filter = rest[..rest.len() - element_end(rest)].to_vec();
            Question::Search {
                base: text(base),
                scope: scope[0],
                filter,
            }
        }
        0x77 => Question::Extended,
        _ => return None,
    };
    Some((*number.last()?, question))
}

/// How many bytes come behind the first element.
fn element_end(text: &[u8]) -> usize {
    element(text).2.len()
}

fn element(text: &[u8]) -> (u8, &[u8], &[u8]) {
    let mut length = usize::from(text[1]);
    let mut at = 2;
    if length >= 0x80 {
        let more = length & 0x7f;
        length = text[2..2 + more]
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        at += more;
    }
    (text[0], &text[at..at + length], &text[at + length..])
}

pub(crate) fn message(number: u8, operation: &[u8]) -> Vec<u8> {
    wrapped(0x30, &[&[2, 1, number], operation].concat())
}

pub(crate) fn wrapped(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[kind, 0x84], &length[..], content].concat()
}

/// The end of an operation, with this code.
pub(crate) fn done(kind: u8, code: u8) -> Vec<u8> {
    wrapped(kind, &[10, 1, code, 4, 0, 4, 0])
}

/// The end of an operation, with this code and a referral.
pub(crate) fn referred(kind: u8, code: u8) -> Vec<u8> {
    let referral = wrapped(0xa3, &wrapped(4, b"ldap://elsewhere.example"));
    wrapped(kind, &[&[10, 1, code, 4, 0, 4, 0], &referral[..]].concat())
}

pub(crate) fn entry(dn: &str, attributes: &[(&str, &[&[u8]])]) -> Vec<u8> {
    let mut all = Vec::new();
    for (name, values) in attributes {
        let values: Vec<u8> = values.iter().flat_map(|value| wrapped(4, value)).collect();
        all.extend(wrapped(
            0x30,
            &[wrapped(4, name.as_bytes()), wrapped(0x31, &values)].concat(),
        ));
    }
    wrapped(
        ENTRY,
        &[wrapped(4, dn.as_bytes()), wrapped(0x30, &all)].concat(),
    )
}

/// The answer to a bind.
pub(crate) fn bound(code: u8) -> Answer {
    Answer::Say(vec![done(BIND_DONE, code)])
}

/// The answer to a search.
pub(crate) fn found(entries: Vec<Vec<u8>>) -> Answer {
    Answer::Say([entries, vec![done(SEARCH_DONE, 0)]].concat())
}

/// The answer to a search that fails.
pub(crate) fn failed(code: u8) -> Answer {
    Answer::Say(vec![done(SEARCH_DONE, code)])
}

/// The answer to StartTLS.
pub(crate) fn extended(code: u8) -> Answer {
    Answer::Say(vec![done(EXTENDED_DONE, code)])
}
