//! A minimal HTTP/1.1 client connection. It is kept alive and does as little as possible, because its own CPU time
//! is taken from the server that is measured.

use std::fmt::Write as _;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One kept-alive connection to 127.0.0.1.
pub struct Connection {
    port: u16,
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Status and body of an answer.
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body, chunks put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// The text under a JSON key, found without parsing: `"key":"text"`.
    pub fn text_of(&self, key: &str) -> Option<String> {
        let body = std::str::from_utf8(&self.body).ok()?;
        let (_, rest) = body.split_once(&format!("\"{key}\":\""))?;
        rest.split_once('"').map(|(text, _)| text.to_owned())
    }
}

impl Connection {
    /// Connects to `port` on loopback.
    pub async fn open(port: u16) -> Result<Self, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            port,
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends one request and reads its answer whole.
    pub async fn call(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: &str,
    ) -> Result<Answer, Failure> {
        let mut request = String::with_capacity(256 + body.len());
        write!(
            request,
            "{method} /v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n",
            self.port
        )?;
        if !token.is_empty() {
            write!(request, "X-Vault-Token: {token}\r\n")?;
        }
        if body.is_empty() && method == "GET" {
            request.push_str("\r\n");
        } else {
            write!(
                request,
                "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )?;
        }
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Answer, Failure> {
        let head_end = self.fill_until(0, b"\r\n\r\n").await?;
        let head = std::str::from_utf8(self.buffer.get(..head_end).unwrap_or_default())?
            .to_ascii_lowercase();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .ok_or("answer without a status")?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .map(|text| text.trim().parse::<usize>());
        let chunked = head
            .lines()
            .any(|line| line.starts_with("transfer-encoding:") && line.contains("chunked"));
        let (body, used) = match length {
            _ if chunked => self.chunks(head_end).await?,
            Some(length) => self.sized(head_end, length?).await?,
            None => (Vec::new(), head_end),
        };
        self.buffer.drain(..used);
        Ok(Answer { status, body })
    }

    async fn sized(&mut self, start: usize, length: usize) -> Result<(Vec<u8>, usize), Failure> {
        self.fill_to(start + length).await?;
        Ok((
            self.buffer
                .get(start..start + length)
                .unwrap_or_default()
                .to_vec(),
            start + length,
        ))
    }

    async fn chunks(&mut self, start: usize) -> Result<(Vec<u8>, usize), Failure> {
        let mut body = Vec::new();
        let mut at = start;
        loop {
            let line_end = self.fill_until(at, b"\r\n").await?;
            let line = std::str::from_utf8(self.buffer.get(at..line_end).unwrap_or_default())?;
            let size = usize::from_str_radix(line.trim(), 16)?;
            self.fill_to(line_end + size + 2).await?;
            body.extend_from_slice(
                self.buffer
                    .get(line_end..line_end + size)
                    .unwrap_or_default(),
            );
            at = line_end + size + 2;
            if size == 0 {
                return Ok((body, at));
            }
        }
    }

    /// Reads until `mark` appears at or after `from`; the place behind it.
    async fn fill_until(&mut self, from: usize, mark: &[u8]) -> Result<usize, Failure> {
        loop {
            let seen = self.buffer.get(from..).unwrap_or_default();
            if let Some(place) = seen.windows(mark.len()).position(|window| window == mark) {
                return Ok(from + place + mark.len());
            }
            self.fill_more().await?;
        }
    }

    async fn fill_to(&mut self, length: usize) -> Result<(), Failure> {
        while self.buffer.len() < length {
            self.fill_more().await?;
        }
        Ok(())
    }

    async fn fill_more(&mut self) -> Result<(), Failure> {
        if self.buffer.len() > BODY_BYTES_MAX {
            return Err("answer too large".into());
        }
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }
}
