//! Requests in clear to servers of this machine, one connection each: what the tests send by in place of the server's client.

use coffer_crypto::Zeroizing;
use coffer_engine::outbound::{Method, Outbound, Request, Response};
use coffer_engine::{Answer, Fault};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Clone, Copy, Default)]
pub struct PlainHttp;

impl Outbound for PlainHttp {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        Box::pin(async move {
            let limit = request.timeout;
            let failed =
                |error: std::io::Error| Fault::upstream(format!("no connection: {}", error.kind()));
            let answer = tokio::time::timeout(limit, exchange(request)).await;
            answer
                .map_err(|_| Fault::upstream("no answer in time"))?
                .map_err(failed)
        })
    }
}

async fn exchange(request: Request) -> std::io::Result<Response> {
    let rest = request
        .url
        .strip_prefix("http://")
        .expect("tests ask in clear");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
    };
    let mut head = format!("{method} /{path} HTTP/1.1\r\nconnection: close\r\n");
    if !request.headers.iter().any(|(name, _)| name == "host") {
        head += &format!("host: {host}\r\n");
    }
    for (name, value) in &request.headers {
        head += &format!("{name}: {}\r\n", **value);
    }
    head += &format!("content-length: {}\r\n\r\n", request.body.len());
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&request.body).await?;
    let mut answer = Vec::new();
    stream.take(1 << 22).read_to_end(&mut answer).await?;
    let end = answer
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .expect("an answer has a head");
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_off(end + 4);
    let body = match head.contains("transfer-encoding: chunked") {
        true => joined(&body),
        false => body,
    };
    Ok(Response {
        status,
        media_type: String::new(),
        body: Zeroizing::new(body),
    })
}

/// The chunks of a body in a row.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = chunks.windows(2).position(|part| part == b"\r\n").unwrap();
        let length =
            usize::from_str_radix(std::str::from_utf8(&chunks[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&chunks[end + 2..end + 2 + length]);
        chunks = &chunks[end + 2 + length + 2..];
    }
}
