//! One server process: start, unseal, what the kernel says of its CPU time and memory, stop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::connection::{Answer, Connection};
use crate::options::Side;

// Linux reports process times in hundredths of a second on every architecture (USER_HZ).
const TICKS_PER_SECOND: u64 = 100;
const POLL: Duration = Duration::from_millis(1);
const START_SECONDS_MAX: u64 = 120;

/// A server with a data directory of its own, removed when dropped.
pub struct Server {
    binary: PathBuf,
    dir: PathBuf,
    child: Child,
    /// Port of the API on loopback.
    pub port: u16,
    key: String,
    /// Root token.
    pub root: String,
}

/// How long a start took, in milliseconds.
#[derive(Clone, Copy)]
pub struct StartTimes {
    /// From the start of the process to `sealed: false`.
    pub unsealed_ms: f64,
    /// From the start of the process to the first authenticated answer.
    pub serving_ms: f64,
}

impl Server {
    /// Starts a fresh server, initialises and unseals it.
    pub async fn fresh(side: &Side, parent: &Path) -> Result<Self, Failure> {
        let dir = parent.join(format!(
            "coffer-bench-{}-{}",
            std::process::id(),
            side.column
        ));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(dir.join("data"))?;
        let (port, cluster) = (free_port()?, free_port()?);
        fs::write(dir.join("server.hcl"), config(side, &dir, port, cluster))?;
        let child = spawn(Path::new(&side.binary), &dir)?;
        let mut server = Self {
            binary: PathBuf::from(&side.binary),
            dir,
            child,
            port,
            key: String::new(),
            root: String::new(),
        };
        server
            .wait_for("sys/seal-status", |answer| answer.status == 200)
            .await?;
        // A wrapper script would count in every later start: from here on its target is started.
        if let Ok(target) = fs::read_link(format!("/proc/{}/exe", server.child.id())) {
            server.binary = target;
        }
        let made = server
            .call(
                "PUT",
                "sys/init",
                "",
                &json!({"secret_shares": 1, "secret_threshold": 1}),
            )
            .await?;
        server.key = text(&made, "/keys/0")?;
        server.root = text(&made, "/root_token")?;
        server.unseal(Instant::now()).await?;
        Ok(server)
    }

    /// Stops the server by SIGTERM, starts it again and unseals it.
    pub async fn restart(&mut self) -> Result<StartTimes, Failure> {
        self.terminate()?;
        let begin = Instant::now();
        self.child = spawn(&self.binary, &self.dir)?;
        self.wait_for("sys/seal-status", |answer| answer.status == 200)
            .await?;
        self.unseal(begin).await
    }

    async fn unseal(&self, begin: Instant) -> Result<StartTimes, Failure> {
        self.call("PUT", "sys/unseal", "", &json!({"key": self.key}))
            .await?;
        self.wait_for("sys/seal-status", |answer| {
            answer
                .body
                .windows(14)
                .any(|part| part == b"\"sealed\":false")
        })
        .await?;
        let unsealed_ms = begin.elapsed().as_secs_f64() * 1e3;
        self.wait_for("auth/token/lookup-self", |answer| answer.status == 200)
            .await?;
        Ok(StartTimes {
            unsealed_ms,
            serving_ms: begin.elapsed().as_secs_f64() * 1e3,
        })
    }

    /// One request outside of any measurement; it must succeed.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Result<Value, Failure> {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let answer = Connection::open(self.port)
            .await?
            .call(method, path, token, &body)
            .await?;
        if !(200..300).contains(&answer.status) {
            return Err(format!(
                "{method} {path}: {} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            )
            .into());
        }
        if answer.body.is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_slice(&answer.body)?)
        }
    }

    async fn wait_for(&self, path: &str, good: impl Fn(&Answer) -> bool) -> Result<(), Failure> {
        let begin = Instant::now();
        while begin.elapsed().as_secs() < START_SECONDS_MAX {
            if let Ok(mut connection) = Connection::open(self.port).await
                && let Ok(answer) = connection.call("GET", path, &self.root, "").await
                && good(&answer)
            {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(format!(
            "{path} was not as expected within {START_SECONDS_MAX} s; the server's log is {}",
            self.dir.join("server.log").display()
        )
        .into())
    }

    /// CPU time the process has used so far, user and system, in microseconds.
    pub fn cpu_us(&self) -> Result<u64, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The second field is the program's name in brackets and may hold blanks.
        let after = stat.rsplit_once(')').ok_or("unreadable /proc stat")?.1;
        let ticks: u64 = after
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(ticks * 1_000_000 / TICKS_PER_SECOND)
    }

    /// Resident memory in KiB.
    pub fn resident_kib(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    fn terminate(&mut self) -> Result<(), Failure> {
        Command::new("kill")
            .arg(self.child.id().to_string())
            .status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.dir));
    }
}

fn spawn(binary: &Path, dir: &Path) -> Result<Child, Failure> {
    let log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("server.log"))?;
    let mut command = Command::new(binary);
    command
        .arg("server")
        .arg(format!("-config={}", dir.join("server.hcl").display()));
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    command
        .spawn()
        .map_err(|cause| format!("{} does not start: {cause}", binary.display()).into())
}

fn config(side: &Side, dir: &Path, port: u16, cluster: u16) -> String {
    let node = if side.storage == "raft" {
        "  node_id = \"one\"\n"
    } else {
        ""
    };
    format!(
        "storage \"{}\" {{\n  path = \"{}\"\n{node}}}\nlistener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_disable = true\n}}\n\
         api_addr = \"http://127.0.0.1:{port}\"\ncluster_addr = \"http://127.0.0.1:{cluster}\"\nlog_level = \"error\"\n",
        side.storage,
        dir.join("data").display(),
    )
}

fn free_port() -> Result<u16, Failure> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?
        .local_addr()?
        .port())
}

fn text(value: &Value, pointer: &str) -> Result<String, Failure> {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| format!("the answer has no {pointer}").into())
}
