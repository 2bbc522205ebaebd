//! What many subscribers to events cost: the server's memory, and how long after its request an event arrives.
//!
//! `cargo run --release -p coffer-benches --bin events -- --server target/release/coffer`
//!
//! Each subscriber follows one of the mounts that are written to by turns, so an event goes to `subscribers / mounts` of them. Lag
//! is counted from the moment the write was sent, so it holds the write, too. Driver and server share the machine.

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::{interval, sleep};

type Failure = Box<dyn std::error::Error>;

const TOKEN: &str = "root";
/// What comes before the number of an event in its JSON.
const PATH: &str = "\"path\":\"m";

#[derive(Parser)]
struct Options {
    /// The binary.
    #[arg(long)]
    server: PathBuf,
    /// How many follow events.
    #[arg(long, default_value_t = 1000)]
    subscribers: usize,
    /// Events a second.
    #[arg(long, default_value_t = 2000)]
    rate: u64,
    /// How many mounts they are spread over.
    #[arg(long, default_value_t = 100)]
    mounts: usize,
    /// For how long.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Where the server listens.
    #[arg(long, default_value_t = 18_243)]
    port: u16,
}

/// What is counted.
#[derive(Default)]
struct Tally {
    sent: RefCell<Vec<Instant>>,
    lags: RefCell<Vec<Duration>>,
    open: RefCell<usize>,
}

/// A server that ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

// One thread: the driver must leave the other cores to the server it measures.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let options = Rc::new(Options::parse());
    LocalSet::new().run_until(measure(options)).await
}

async fn measure(options: Rc<Options>) -> Result<(), Failure> {
    let server = start(&options)?;
    let mut connection = reached(options.port).await?;
    for mount in 0..options.mounts {
        let body = "{\"type\":\"kv\",\"options\":{\"version\":\"1\"}}";
        ask(
            &mut connection,
            "POST",
            &format!("sys/mounts/m{mount}"),
            body,
        )
        .await?;
    }
    let tally = Rc::new(Tally::default());
    let empty = memory(&server)?;
    for number in 0..options.subscribers {
        let (options, tally) = (Rc::clone(&options), Rc::clone(&tally));
        tokio::task::spawn_local(async move {
            if let Err(failure) = follow(&options, number, &tally).await {
                eprintln!("subscriber {number}: {failure}");
            }
        });
    }
    while *tally.open.borrow() < options.subscribers {
        sleep(Duration::from_millis(50)).await;
    }
    let idle = memory(&server)?;
    let mut writers = Vec::new();
    let begun = Instant::now();
    for writer in 0..4 {
        let (options, tally) = (Rc::clone(&options), Rc::clone(&tally));
        writers.push(tokio::task::spawn_local(async move {
            write(&options, writer, &tally)
                .await
                .map_err(|failure| failure.to_string())
        }));
    }
    let mut peak = idle;
    while begun.elapsed() < Duration::from_secs(options.seconds) {
        sleep(Duration::from_millis(250)).await;
        peak = peak.max(memory(&server)?);
    }
    for writer in writers {
        writer.await??;
    }
    let took = begun.elapsed();
    sleep(Duration::from_secs(2)).await;
    report(
        &options,
        &tally,
        took,
        [empty, idle, peak.max(memory(&server)?)],
    );
    drop(server);
    Ok(())
}

fn start(options: &Options) -> Result<Server, Failure> {
    let child = Command::new(&options.server)
        .args(["server", "-dev", "-dev-no-store-token"])
        .arg(format!("-dev-root-token-id={TOKEN}"))
        .arg(format!("-dev-listen-address=127.0.0.1:{}", options.port))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Server(child))
}

async fn reached(port: u16) -> Result<TcpStream, Failure> {
    for _ in 0..200 {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await {
            stream.set_nodelay(true)?;
            return Ok(stream);
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err("the server does not listen".into())
}

/// One request over a connection that stays open; its answer must be a success without chunks.
async fn ask(stream: &mut TcpStream, method: &str, path: &str, body: &str) -> Result<(), Failure> {
    let length = body.len();
    let request = format!(
        "{method} /v1/{path} HTTP/1.1\r\nhost: l\r\nx-vault-token: {TOKEN}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err("the server hung up".into());
        }
    }
    match answer.starts_with(b"HTTP/1.1 204") {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&answer).into_owned().into()),
    }
}

async fn follow(options: &Options, number: usize, tally: &Tally) -> Result<(), Failure> {
    let mut stream = reached(options.port).await?;
    let filter = format!(
        "source_plugin_mount%20%3D%3D%20%22m{}%2F%22",
        number % options.mounts.max(1)
    );
    let request = format!(
        "GET /v1/sys/events/subscribe/kv*?filter={filter} HTTP/1.1\r\nhost: l\r\naccept: text/event-stream\r\nx-vault-token: {TOKEN}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut received = Vec::with_capacity(32 * 1024);
    let mut is_open = false;
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Err("the server ended the stream".into());
        }
        let now = Instant::now();
        if !is_open && received.windows(6).any(|text| text == b"retry:") {
            *tally.open.borrow_mut() += 1;
            is_open = true;
        }
        // Whole lines only; the rest waits for what comes.
        let Some(end) = received.iter().rposition(|byte| *byte == b'\n') else {
            continue;
        };
        let whole: Vec<u8> = received.drain(..=end).collect();
        let text = String::from_utf8_lossy(&whole);
        for (at, _) in text.match_indices(PATH) {
            let rest = text.get(at + PATH.len()..).unwrap_or_default();
            let seq = rest
                .split_once('/')
                .and_then(|(_, rest)| rest.split('"').next()?.parse::<usize>().ok());
            if let Some(sent) = seq.and_then(|seq| tally.sent.borrow().get(seq).copied()) {
                tally.lags.borrow_mut().push(now - sent);
            }
        }
    }
}

/// Every fourth event.
async fn write(options: &Options, writer: u64, tally: &Tally) -> Result<(), Failure> {
    let mut stream = reached(options.port).await?;
    let mut tick = interval(Duration::from_secs(4).div_f64(options.rate.max(1) as f64));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    for _ in (writer..options.rate * options.seconds).step_by(4) {
        tick.tick().await;
        let seq = tally.sent.borrow().len();
        tally.sent.borrow_mut().push(Instant::now());
        let path = format!("m{}/{seq}", seq % options.mounts.max(1));
        ask(&mut stream, "PUT", &path, "{\"v\":\"x\"}").await?;
    }
    Ok(())
}

/// In MiB.
fn memory(server: &Server) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.0.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or_default();
    Ok(kib.parse::<f64>()? / 1024.0)
}

fn report(options: &Options, tally: &Tally, took: Duration, [empty, idle, peak]: [f64; 3]) {
    let mut lags = tally.lags.borrow_mut();
    lags.sort();
    let sent = tally.sent.borrow().len();
    let at = |part: f64| {
        let index = (lags.len() as f64 * part) as usize;
        let lag = lags.get(index.min(lags.len().saturating_sub(1)));
        lag.map_or(f64::NAN, Duration::as_secs_f64) * 1000.0
    };
    let each = options.subscribers / options.mounts.max(1);
    println!(
        "| subscribers | events/s | deliveries/s | missing | memory: none / idle / peak, MiB | lag p50 / p90 / p99 / max, ms |"
    );
    println!("|---|---|---|---|---|---|");
    println!(
        "| {} | {:.0} | {:.0} | {} | {empty:.0} / {idle:.0} / {peak:.0} | {:.1} / {:.1} / {:.1} / {:.1} |",
        options.subscribers,
        sent as f64 / took.as_secs_f64(),
        lags.len() as f64 / took.as_secs_f64(),
        (sent * each).saturating_sub(lags.len()),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
    );
}
