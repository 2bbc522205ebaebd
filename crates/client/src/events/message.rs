//! Server-Sent Events as they arrive
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>).

/// Most bytes of a message.
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// What arrived as a whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    /// A message.
    Message {
        /// What it is.
        kind: String,
        /// What it says.
        data: String,
        /// The position behind it, if it says so.
        id: Option<String>,
    },
    /// A position without a message.
    Position(String),
    /// A sign of life.
    Beat,
}

/// A message is longer than any event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Puts together what arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    after_return: bool,
    kind: String,
    data: String,
    has_data: bool,
    id: Option<String>,
}

impl Reader {
    /// Takes a piece; what it completes goes to `out`.
    pub(super) fn take(
        &mut self,
        piece: &[u8],
        mut out: impl FnMut(Arrived),
    ) -> Result<(), TooLong> {
        for byte in piece {
            let after_return = std::mem::replace(&mut self.after_return, *byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    let line = std::mem::take(&mut self.line);
                    if let Some(arrived) = self.end_line(&String::from_utf8_lossy(&line)) {
                        out(arrived);
                    }
                }
                byte => {
                    if self.line.len() + self.data.len() >= MAX_MESSAGE_BYTES {
                        return Err(TooLong);
                    }
                    self.line.push(*byte);
                }
            }
        }
        Ok(())
    }

    fn end_line(&mut self, line: &str) -> Option<Arrived> {
        if line.is_empty() {
            return self.end_message();
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "" => return Some(Arrived::Beat),
            "event" => value.clone_into(&mut self.kind),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        None
    }

    fn end_message(&mut self) -> Option<Arrived> {
        let Self {
            kind,
            data,
            has_data,
            id,
            ..
        } = std::mem::take(self);
        if has_data {
            return Some(Arrived::Message { kind, data, id });
        }
        id.map(Arrived::Position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, size: usize) -> Vec<Arrived> {
        let mut reader = Reader::default();
        let mut all = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            reader.take(piece, |arrived| all.push(arrived)).unwrap();
        }
        all
    }

    #[test]
    fn messages_are_whole_however_they_arrive() {
        let text = "retry: 2000\nid: p0\n\n:\n\nid: 1\r\nevent: a/b\r\ndata: {\"ä\":1}\r\n\r\ndata:x\rdata: y\r\rdata: half";
        let message = |kind: &str, data: &str, id: Option<&str>| Arrived::Message {
            kind: kind.to_owned(),
            data: data.to_owned(),
            id: id.map(str::to_owned),
        };
        let wanted = [
            Arrived::Position("p0".to_owned()),
            Arrived::Beat,
            message("a/b", "{\"ä\":1}", Some("1")),
            message("", "x\ny", None),
        ];
        for size in 1..text.len() {
            assert_eq!(read(text, size), wanted, "{size}");
        }
    }

    #[test]
    fn nobody_fills_our_memory() {
        let mut reader = Reader::default();
        let endless = vec![b'x'; 64 * 1024];
        let taken = (0..32).try_for_each(|_| reader.take(&endless, |_| {}));
        assert_eq!(taken, Err(TooLong));
    }
}
