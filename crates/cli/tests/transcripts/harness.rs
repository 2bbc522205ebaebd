use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

/// One prepared answer: method and path with query, status, body.
pub type Answer = (&'static str, u16, &'static str);

/// A server that gives prepared answers and remembers what was written to it.
pub struct Server {
    pub address: String,
    writes: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answers: &'static [Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let writes = Arc::new(Mutex::new(Vec::new()));
        let log = writes.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), answers, &log);
            }
        });
        Self { address, writes }
    }

    /// Every request that was not a plain read, with its body.
    pub fn writes(&self) -> Vec<String> {
        self.writes.lock().unwrap().clone()
    }
}

fn answer(stream: TcpStream, answers: &[Answer], log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let request = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    if !request.starts_with("GET ") {
        log.lock()
            .unwrap()
            .push(format!("{request} {}", String::from_utf8(body).unwrap()));
    }
    let found = answers.iter().find(|(asked, ..)| *asked == request);
    let (status, body) = found.map_or((404, r#"{"errors":[]}"#), |(_, status, body)| {
        (*status, *body)
    });
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

/// A user's home, where commands are run.
pub struct Home {
    directory: TempDir,
    address: String,
    token: Option<&'static str>,
}

impl Home {
    pub fn new(address: &str) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            address: address.to_owned(),
            token: Some("hvs.test"),
        }
    }

    pub fn without_token(address: &str) -> Self {
        Self {
            token: None,
            ..Self::new(address)
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs one line and tells all that came of it.
    pub fn run(&self, line: &str) -> String {
        self.run_binary(Path::new(env!("CARGO_BIN_EXE_coffer")), "coffer", line)
    }

    /// Runs several, one after the other.
    pub fn run_all(&self, lines: &[&str]) -> String {
        lines
            .iter()
            .map(|line| self.run(line))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Runs the binary under another name.
    pub fn run_as(&self, name: &str, line: &str) -> String {
        let link = self.path().join(name);
        if !link.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_coffer"), &link).unwrap();
        }
        self.run_binary(&link, name, line)
    }

    fn run_binary(&self, binary: &Path, name: &str, line: &str) -> String {
        let mut command = Command::new(binary);
        command
            .args(line.split_whitespace())
            .env_clear()
            .current_dir(self.path())
            .env("HOME", self.path())
            .env("COFFER_ADDR", &self.address);
        command.env("COFFER_MAX_RETRIES", "0").stdin(Stdio::null());
        if let Some(token) = self.token {
            command.env("COFFER_TOKEN", token);
        }
        let output = command.output().unwrap();
        let mut text = format!(
            "$ {name} {line}\n{}",
            String::from_utf8(output.stdout).unwrap()
        );
        if !text.ends_with('\n') {
            text.push_str("(no line end)\n");
        }
        let said = String::from_utf8(output.stderr).unwrap();
        if !said.is_empty() {
            write!(text, "[stderr]\n{said}").unwrap();
        }
        writeln!(text, "[exit {}]", output.status.code().unwrap()).unwrap();
        text.replace(&self.address, "http://SERVER")
    }
}
