//! A server for tests: gives prepared answers in turn and remembers what it was asked.

use std::sync::{Arc, Mutex, Once};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Client;

pub(crate) struct Responder {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Responder {
    /// Starts with answers of a status (with further header lines after it, if any) and a body.
    pub(crate) async fn start<S: ToString>(answers: impl IntoIterator<Item = (S, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<(String, String)> = answers
            .into_iter()
            .map(|(status, body)| (status.to_string(), body))
            .collect();
        let log = seen.clone();
        tokio::spawn(async move {
            for (status, body) in answers {
                let (stream, _) = listener.accept().await.unwrap();
                answer(stream, &status, &body, &log).await;
            }
        });
        Self { address, seen }
    }

    /// A client of it without time limits, so that paused time only passes in waits of the code under test.
    pub(crate) fn client(&self) -> Client {
        install_tls();
        let builder = Client::builder()
            .address(&self.address)
            .timeout(None)
            .token(Some("tok".into()));
        builder.build().unwrap()
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

pub(crate) fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .unwrap()
    });
}

async fn answer(mut stream: TcpStream, status: &str, body: &str, log: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&request) {
        let count = stream.read(&mut chunk).await.unwrap();
        if count == 0 {
            break;
        }
        request.extend_from_slice(&chunk[..count]);
        // A TLS handshake is answered in plain HTTP, as a server without TLS does.
        if request[0] == 0x16 {
            break;
        }
    }
    log.lock()
        .unwrap()
        .push(String::from_utf8_lossy(&request).into_owned());
    let (code, headers) = status.split_once(' ').unwrap_or((status, ""));
    let headers = if headers.is_empty() {
        String::new()
    } else {
        format!("{headers}\r\n")
    };
    let head = format!(
        "HTTP/1.1 {code} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")
                .map(|n| n.trim().parse().unwrap())
        })
        .unwrap_or(0usize);
    body.len() >= length
}
