//! What a directory may answer.
//!
//! The library that speaks LDAP takes whatever comes: it keeps answers of any length, follows nesting of any depth, and panics on
//! answers of another shape than it expects. So nothing reaches it that was not looked at here: one answer of the kind that was
//! asked for, of the exact shape of RFC 4511, with lengths and numbers of parts that have bounds: an empty value has two bytes on
//! the wire and some hundred in memory.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::groups::GROUPS_MAX;

/// Longest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// All that a directory may say in one conversation, in bytes.
const CONVERSATION_BYTES_MAX: usize = 4 << 20;
/// Most elements of one message: four for each of the most groups that somebody may have.
const MESSAGE_ELEMENTS_MAX: usize = 4 * GROUPS_MAX;
/// Most elements of one conversation. An answer of one group in a page, or in a search, of its own has about twenty.
const CONVERSATION_ELEMENTS_MAX: usize = 24 * GROUPS_MAX;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const ENUMERATED: u8 = 0x0a;
const BOOLEAN: u8 = 0x01;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const BIND: u8 = 0x60;
const BIND_DONE: u8 = 0x61;
const SEARCH: u8 = 0x63;
const ENTRY: u8 = 0x64;
const SEARCH_DONE: u8 = 0x65;
const REFERENCE: u8 = 0x73;
const EXTENDED: u8 = 0x77;
const EXTENDED_DONE: u8 = 0x78;
const CONTROLS: u8 = 0xa0;
const REFERRAL: u8 = 0xa3;
const PAGES: &[u8] = b"1.2.840.113556.1.4.319";

/// The request that is to be answered: the message's number, and what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    number: u32,
    operation: u8,
}

/// Carries messages between the library (`near`) and the directory (`far`) until one of them ends it; says why.
pub(super) async fn carry(
    near: impl AsyncRead + AsyncWrite + Send,
    far: impl AsyncRead + AsyncWrite + Send,
) -> String {
    let (mut from_near, mut to_near) = tokio::io::split(near);
    let (mut from_far, mut to_far) = tokio::io::split(far);
    let latest = AtomicU64::new(0);
    let asks = async {
        loop {
            let frame = frame(&mut from_near).await?;
            if let Some(asked) = asked(&frame) {
                latest.store(asked.packed(), Ordering::SeqCst);
            }
            to_far.write_all(&frame).await?;
            to_far.flush().await?;
        }
    };
    let answers = async {
        let mut said = Said::default();
        loop {
            let frame = frame(&mut from_far).await?;
            check(&frame, Asked::unpacked(latest.load(Ordering::SeqCst))).map_err(odd)?;
            said.and(&frame).map_err(odd)?;
            to_near.write_all(&frame).await?;
        }
    };
    let ended: Result<(), io::Error> =
        tokio::select! { ended = asks => ended, ended = answers => ended };
    match ended {
        Ok(()) => "the conversation ended".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the directory hung up".to_owned()
        }
        Err(error) => error.to_string(),
    }
}

/// Asks for TLS on a connection, and goes on only if the directory agrees (RFC 4511 section 4.14).
pub(super) async fn start_tls(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> io::Result<()> {
    const OID: &[u8] = b"1.3.6.1.4.1.1466.20037";
    let mut request = vec![SEQUENCE, 29, INTEGER, 1, 1, EXTENDED, 24, 0x80, 22];
    request.extend_from_slice(OID);
    stream.write_all(&request).await?;
    stream.flush().await?;
    let frame = frame(stream).await?;
    let asked = Asked {
        number: 1,
        operation: EXTENDED,
    };
    check(&frame, asked).map_err(odd)?;
    match result_code(&frame) {
        Some(0) => Ok(()),
        _ => Err(odd("the directory does not take StartTLS")),
    }
}

/// How much a directory said so far.
#[derive(Default)]
struct Said {
    bytes: usize,
    elements: usize,
}

impl Said {
    /// Counts a message of a right shape; refuses what is too much.
    fn and(&mut self, frame: &[u8]) -> Result<(), &'static str> {
        let elements = elements(frame);
        self.bytes = self.bytes.saturating_add(frame.len());
        self.elements = self.elements.saturating_add(elements);
        let is_much = elements > MESSAGE_ELEMENTS_MAX
            || self.bytes > CONVERSATION_BYTES_MAX
            || self.elements > CONVERSATION_ELEMENTS_MAX;
        match is_much {
            true => Err("the directory says too much"),
            false => Ok(()),
        }
    }
}

impl Asked {
    fn packed(self) -> u64 {
        u64::from(self.number) << 8 | u64::from(self.operation)
    }

    fn unpacked(packed: u64) -> Self {
        let [operation, ..] = packed.to_le_bytes();
        Self {
            number: u32::try_from(packed >> 8).unwrap_or_default(),
            operation,
        }
    }
}

/// The next whole message. Nothing behind it is read.
async fn frame(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut frame = Zeroizing::new(vec![0; 2]);
    from.read_exact(&mut frame).await?;
    let (kind, first) = (
        frame.first().copied(),
        frame.get(1).copied().unwrap_or_default(),
    );
    if kind != Some(SEQUENCE) {
        return Err(odd("this is not LDAP"));
    }
    let length = match first {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let mut bytes = vec![0; usize::from(long & 0x7f)];
            from.read_exact(&mut bytes).await?;
            frame.extend_from_slice(&bytes);
            number(&bytes)
        }
        _ => return Err(odd("a length that LDAP does not have")),
    };
    if length > MESSAGE_BYTES_MAX {
        return Err(odd("a message is too long"));
    }
    // As it comes: what was only announced takes no memory.
    let head = frame.len();
    let read = from.take(length as u64).read_to_end(&mut frame).await?;
    match read == length && frame.len() == head + length {
        true => Ok(frame),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// What a message asks for that has answers.
fn asked(frame: &[u8]) -> Option<Asked> {
    let (_, content, _) = element(frame)?;
    let (_, id, rest) = element(content)?;
    let (operation, ..) = element(rest)?;
    let answered = matches!(operation, BIND | SEARCH | EXTENDED);
    let number = u32::try_from(number(id)).ok()?;
    answered.then_some(Asked { number, operation })
}

fn result_code(frame: &[u8]) -> Option<usize> {
    let (_, content, _) = element(frame)?;
    let (_, _, rest) = element(content)?;
    let (_, result, _) = element(rest)?;
    let (_, code, _) = element(result)?;
    Some(number(code))
}

/// Refuses what is not an answer to `asked`.
fn check(frame: &[u8], asked: Asked) -> Result<(), &'static str> {
    let shape = || "an answer of a shape that LDAP does not have";
    let (SEQUENCE, content, []) = element(frame).ok_or_else(shape)? else {
        return Err(shape());
    };
    let (INTEGER, id, rest) = element(content).ok_or_else(shape)? else {
        return Err(shape());
    };
    if id.is_empty() || id.len() > 4 || number(id) != asked.number as usize {
        return Err("an answer to nothing that was asked");
    }
    let (kind, answer, controls) = element(rest).ok_or_else(shape)?;
    let is_right = match (asked.operation, kind) {
        (BIND, BIND_DONE) | (SEARCH, SEARCH_DONE) | (EXTENDED, EXTENDED_DONE) => is_result(answer),
        (SEARCH, ENTRY) => is_entry(answer),
        (SEARCH, REFERENCE) => all(answer, |kind, value| kind == OCTETS && is_text(value)),
        _ => return Err("an answer to another question"),
    };
    match is_right && are_controls(controls) {
        true => Ok(()),
        false => Err(shape()),
    }
}

/// `LDAPResult`, and what else the ends of binds and of extended operations have.
fn is_result(answer: &[u8]) -> bool {
    let mut at = 0;
    let is_right = all(answer, |kind, value| {
        at += 1;
        match (at, kind) {
            (1, ENUMERATED) => matches!(value, [0..=0x7f] | [0..=0x7f, _]),
            (2 | 3, OCTETS) => is_text(value),
            (4.., REFERRAL) => all(value, |kind, value| kind == OCTETS && is_text(value)),
            (4.., 0x87 | 0x8b) => true,
            (4.., 0x8a) => is_text(value),
            _ => false,
        }
    });
    is_right && at >= 3
}

fn is_entry(answer: &[u8]) -> bool {
    let Some((OCTETS, name, rest)) = element(answer) else {
        return false;
    };
    let Some((SEQUENCE, attributes, [])) = element(rest) else {
        return false;
    };
    is_text(name)
        && all(attributes, |kind, attribute| {
            kind == SEQUENCE && is_attribute(attribute)
        })
}

fn is_attribute(attribute: &[u8]) -> bool {
    let Some((OCTETS, name, rest)) = element(attribute) else {
        return false;
    };
    let Some((SET, values, [])) = element(rest) else {
        return false;
    };
    is_text(name) && all(values, |kind, _| kind == OCTETS)
}

fn are_controls(controls: &[u8]) -> bool {
    match element(controls) {
        None => controls.is_empty(),
        Some((CONTROLS, controls, [])) => all(controls, |kind, control| {
            kind == SEQUENCE && is_control(control)
        }),
        Some(_) => false,
    }
}

fn is_control(control: &[u8]) -> bool {
    let Some((OCTETS, oid, mut rest)) = element(control) else {
        return false;
    };
    if let Some((BOOLEAN, [_], after)) = element(rest) {
        rest = after;
    }
    let value = match element(rest) {
        None if rest.is_empty() => None,
        Some((OCTETS, value, [])) => Some(value),
        _ => return false,
    };
    is_text(oid) && (oid != PAGES || value.is_some_and(is_page))
}

/// `realSearchControlValue` of RFC 2696.
fn is_page(value: &[u8]) -> bool {
    let Some((SEQUENCE, value, [])) = element(value) else {
        return false;
    };
    let Some((INTEGER, size, rest)) = element(value) else {
        return false;
    };
    size.len() <= 4 && matches!(element(rest), Some((OCTETS, _, [])))
}

/// How many elements a message has, those within elements included.
fn elements(frame: &[u8]) -> usize {
    const CONSTRUCTED: u8 = 0x20;
    let mut number = 0;
    let mut rest = frame;
    while let Some((kind, content, after)) = element(rest) {
        number += 1;
        let whole = content.len() + after.len();
        rest = match kind & CONSTRUCTED {
            0 => after,
            // What is within, and what comes behind it.
            _ => rest.get(rest.len() - whole..).unwrap_or_default(),
        };
    }
    number
}

/// Whether all elements one behind the other are right, and nothing else is there.
fn all(mut rest: &[u8], mut is_right: impl FnMut(u8, &[u8]) -> bool) -> bool {
    while !rest.is_empty() {
        let Some((kind, value, after)) = element(rest) else {
            return false;
        };
        if !is_right(kind, value) {
            return false;
        }
        rest = after;
    }
    true
}

/// Kind, content and rest of the element at the start (X.690, with the lengths that RFC 4511 allows).
fn element(text: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[kind, first], rest) = text.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(short), rest),
        long @ 0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (number(bytes), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((kind, content, rest))
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

fn is_text(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok()
}

fn odd(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUND: Asked = Asked {
        number: 1,
        operation: BIND,
    };
    const SOUGHT: Asked = Asked {
        number: 2,
        operation: SEARCH,
    };

    fn wrapped(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[kind, 0x84], &length[..], content].concat()
    }

    fn message(number: u8, operation: &[u8]) -> Vec<u8> {
        wrapped(SEQUENCE, &[&[INTEGER, 1, number], operation].concat())
    }

    #[test]
    fn right_answers_pass() {
        let done = message(
            1,
            &wrapped(BIND_DONE, &[ENUMERATED, 1, 49, OCTETS, 0, OCTETS, 1, b'x']),
        );
        assert_eq!(check(&done, BOUND), Ok(()));
        assert_eq!(result_code(&done), Some(49));
        let attribute = [
            wrapped(OCTETS, b"uid"),
            wrapped(SET, &wrapped(OCTETS, b"\xff\xfe")),
        ]
        .concat();
        let entry = [
            wrapped(OCTETS, b"uid=a"),
            wrapped(SEQUENCE, &wrapped(SEQUENCE, &attribute)),
        ]
        .concat();
        assert_eq!(check(&message(2, &wrapped(ENTRY, &entry)), SOUGHT), Ok(()));
        assert_eq!(elements(&message(2, &wrapped(ENTRY, &entry))), 9);
        assert_eq!(Asked::unpacked(SOUGHT.packed()), SOUGHT);
    }

    #[test]
    fn other_answers_do_not() {
        let ok = [ENUMERATED, 1, 0, OCTETS, 0, OCTETS, 0];
        assert!(
            check(&message(7, &wrapped(BIND_DONE, &ok)), BOUND).is_err(),
            "another number"
        );
        assert!(
            check(&message(2, &wrapped(BIND_DONE, &ok)), SOUGHT).is_err(),
            "another operation"
        );
        assert!(
            check(&message(1, &wrapped(BIND_DONE, &ok[..3])), BOUND).is_err(),
            "half a result"
        );
        let wide = [ENUMERATED, 8, 0, 0, 0, 1, 0, 0, 0, 0, OCTETS, 0, OCTETS, 0];
        assert!(
            check(&message(1, &wrapped(BIND_DONE, &wide)), BOUND).is_err(),
            "a code that wraps around to success"
        );
        let endless = [0x30, 0x80, INTEGER, 1, 1];
        assert!(check(&endless, BOUND).is_err(), "no length");
        let mut nested = vec![];
        for _ in 0..2000 {
            nested = wrapped(SEQUENCE, &nested);
        }
        assert!(
            check(&message(2, &wrapped(ENTRY, &nested)), SOUGHT).is_err(),
            "nested"
        );
    }

    #[tokio::test]
    async fn long_messages_are_refused_unread() {
        let head = [SEQUENCE, 0x84, 0x7f, 0xff, 0xff, 0xff];
        assert_eq!(
            frame(&mut &head[..]).await.unwrap_err().to_string(),
            "a message is too long"
        );
        let half = [SEQUENCE, 0x82, 0x10, 0, 1];
        assert_eq!(
            frame(&mut &half[..]).await.unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[tokio::test]
    async fn tls_starts_only_if_the_directory_agrees() {
        for (code, fine) in [(0, true), (2, false), (52, false)] {
            let (mut here, mut there) = tokio::io::duplex(200);
            let answer = message(
                1,
                &wrapped(EXTENDED_DONE, &[ENUMERATED, 1, code, OCTETS, 0, OCTETS, 0]),
            );
            there.write_all(&answer).await.unwrap();
            assert_eq!(start_tls(&mut here).await.is_ok(), fine, "{code}");
        }
    }

    proptest! {
        /// What passes never makes the library panic; most of it is right answers with a byte or two changed.
        #[test]
        fn what_passes_is_understood(at in 0..90_usize, byte: u8, at_too in 0..90_usize, byte_too: u8) {
            let attribute = [wrapped(OCTETS, b"uid"), wrapped(SET, &wrapped(OCTETS, b"ann"))].concat();
            let entry = [wrapped(OCTETS, b"uid=a"), wrapped(SEQUENCE, &wrapped(SEQUENCE, &attribute))].concat();
            let mut answer = message(2, &wrapped(ENTRY, &entry));
            for (at, byte) in [(at, byte), (at_too, byte_too)] {
                if let Some(place) = answer.get_mut(at) {
                    *place = byte;
                }
            }
            if check(&answer, SOUGHT).is_ok() {
                let (_, content, _) = element(&answer).unwrap();
                let (_, _, rest) = element(content).unwrap();
                let (kind, entry, _) = element(rest).unwrap();
                if kind == ENTRY {
                    let tag = ldap3::asn1::parse_tag(&wrapped(kind, entry)).unwrap().1;
                    let _ = ldap3::SearchEntry::construct(ldap3::ResultEntry::new(tag));
                }
            }
        }
    }
}
