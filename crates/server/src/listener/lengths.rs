//! Watching request heads for two lengths at once.
//!
//! A request with both Content-Length and Transfer-Encoding is how requests are smuggled past a proxy
//! (RFC 9112, section 6.1). The HTTP library drops one of the two before anybody can ask, so the bytes are watched
//! on their way in.

/// The longest start of a line that matters: `transfer-encoding:`, `content-length: 18446744073709551615`.
const LINE_BYTES: usize = 48;

/// Follows the requests of one connection.
#[derive(Debug)]
pub(super) struct Lengths {
    line: [u8; LINE_BYTES],
    used: usize,
    length: Option<u64>,
    is_chunked: bool,
    /// Bytes of a body that are still to come.
    body: u64,
    /// Set after a chunked request, which is the last of its connection.
    is_over: bool,
}

impl Default for Lengths {
    fn default() -> Self {
        Self {
            line: [0; LINE_BYTES],
            used: 0,
            length: None,
            is_chunked: false,
            body: 0,
            is_over: false,
        }
    }
}

impl Lengths {
    /// Looks at the next bytes; true if a head among them has both lengths.
    pub(super) fn see(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() && !self.is_over {
            if self.body > 0 {
                let taken = bytes
                    .len()
                    .min(usize::try_from(self.body).unwrap_or(usize::MAX));
                self.body -= u64::try_from(taken).unwrap_or_default();
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (line, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            self.extend(line);
            let Some(rest) = rest.get(1..) else {
                return false;
            };
            bytes = rest;
            if self.end_line() {
                return true;
            }
        }
        false
    }

    fn extend(&mut self, part: &[u8]) {
        let room = self.line.iter_mut().skip(self.used);
        for (to, from) in room.zip(part) {
            *to = from.to_ascii_lowercase();
        }
        self.used = LINE_BYTES.min(self.used + part.len());
    }

    /// Reads a whole line; true at the end of a head with both lengths.
    fn end_line(&mut self) -> bool {
        let line = self.line.get(..self.used).unwrap_or_default();
        let line = line.trim_ascii_end();
        if let Some(value) = line.strip_prefix(b"content-length:") {
            let value = std::str::from_utf8(value.trim_ascii()).ok();
            // What is no number is refused by the parser behind us.
            self.length = Some(value.and_then(|value| value.parse().ok()).unwrap_or(0));
        }
        self.is_chunked |= line.starts_with(b"transfer-encoding:");
        let is_end = line.is_empty();
        self.used = 0;
        if !is_end {
            return false;
        }
        let length = self.length.take();
        self.is_over = self.is_chunked;
        self.body = length.unwrap_or(0);
        self.is_chunked && length.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sees the text in pieces of every size.
    fn both(text: &str) -> bool {
        let results: Vec<bool> = (1..=text.len())
            .map(|size| {
                let mut lengths = Lengths::default();
                text.as_bytes().chunks(size).any(|piece| lengths.see(piece))
            })
            .collect();
        assert!(
            results.iter().all(|found| *found == results[0]),
            "{text:?} {results:?}"
        );
        results[0]
    }

    #[test]
    fn either_order_is_found() {
        assert!(both(
            "PUT /a HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ));
        assert!(both(
            "PUT /a HTTP/1.1\ntransfer-encoding:chunked\nx: y\nCONTENT-LENGTH:4\n\n"
        ));
    }

    #[test]
    fn one_length_is_fine_and_bodies_are_not_heads() {
        let two = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
        let length = two.len();
        assert!(!both(&format!(
            "PUT /a HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{two}"
        )));
        assert!(!both(
            "PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        ));
        assert!(!both("GET /content-length: HTTP/1.1\r\n\r\n"));
    }

    #[test]
    fn a_later_request_is_watched_too() {
        let first = "PUT /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET /b HTTP/1.1\r\n\r\n";
        assert!(both(&format!(
            "{first}PUT /c HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: x\r\n\r\n"
        )));
    }
}
