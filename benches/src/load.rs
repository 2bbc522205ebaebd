//! Many connections sending as fast as they are answered.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::connection::{Answer, Connection};
use crate::process::Server;

/// One request of a load, made from its number.
#[derive(Clone)]
pub struct Request {
    /// HTTP method.
    pub method: &'static str,
    /// Path below `/v1/`.
    pub path: String,
    /// Token to send.
    pub token: String,
    /// JSON body, empty for none.
    pub body: String,
}

/// What a load came to.
#[derive(Clone, Copy, Default)]
pub struct Measured {
    /// Answers per second.
    pub per_second: f64,
    /// Median latency in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile of the latency in milliseconds.
    pub p99_ms: f64,
    /// CPU time of the server per request in microseconds.
    pub cpu_us: f64,
    /// Answers other than 2xx.
    pub failed: u32,
}

/// How much to send.
#[derive(Clone, Copy)]
pub struct Size {
    /// Connections at the same time.
    pub connections: u32,
    /// Requests in all.
    pub requests: u32,
    /// Time after which nothing new is sent.
    pub seconds_max: u64,
}

struct Shared<M, S> {
    make: M,
    see: RefCell<S>,
    next: Cell<u32>,
    failed: Cell<u32>,
    latencies_us: RefCell<Vec<u32>>,
    size: Size,
    begin: Instant,
}

/// Sends `make(0)`, `make(1)`, … over all connections; `see` gets each good answer.
pub async fn run<M, S>(server: &Server, size: Size, make: M, see: S) -> Result<Measured, Failure>
where
    M: Fn(u32) -> Request + 'static,
    S: FnMut(&Answer) + 'static,
{
    let mut connections = Vec::new();
    for _ in 0..size.connections.min(size.requests) {
        connections.push(Connection::open(server.port).await?);
    }
    let cpu_before = server.cpu_us()?;
    let latencies_us = RefCell::new(Vec::with_capacity(size.requests as usize));
    let shared = Rc::new(Shared {
        make,
        see: RefCell::new(see),
        next: Cell::new(0),
        failed: Cell::new(0),
        latencies_us,
        size,
        begin: Instant::now(),
    });
    let workers = connections
        .into_iter()
        .map(|connection| tokio::task::spawn_local(worker(Rc::clone(&shared), connection)));
    let workers: Vec<_> = workers.collect();
    for worker in workers {
        worker.await??;
    }
    let seconds = shared.begin.elapsed().as_secs_f64();
    let mut latencies = shared.latencies_us.take();
    latencies.sort_unstable();
    let count = latencies.len().max(1) as f64;
    let cpu_us = (server.cpu_us()? - cpu_before) as f64 / count;
    Ok(Measured {
        per_second: count / seconds,
        p50_ms: percentile(&latencies, 50),
        p99_ms: percentile(&latencies, 99),
        cpu_us,
        failed: shared.failed.get(),
    })
}

async fn worker<M: Fn(u32) -> Request, S: FnMut(&Answer)>(
    shared: Rc<Shared<M, S>>,
    mut connection: Connection,
) -> Result<(), Failure> {
    loop {
        let number = shared.next.get();
        if number >= shared.size.requests
            || shared.begin.elapsed() > Duration::from_secs(shared.size.seconds_max)
        {
            return Ok(());
        }
        shared.next.set(number + 1);
        let request = (shared.make)(number);
        let sent = Instant::now();
        let answer = connection
            .call(request.method, &request.path, &request.token, &request.body)
            .await?;
        shared
            .latencies_us
            .borrow_mut()
            .push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        if (200..300).contains(&answer.status) {
            (shared.see.borrow_mut())(&answer);
        } else {
            if shared.failed.get() == 0 {
                eprintln!(
                    "  {} {}: {} {}",
                    request.method,
                    request.path,
                    answer.status,
                    String::from_utf8_lossy(&answer.body).trim()
                );
            }
            shared.failed.set(shared.failed.get() + 1);
        }
    }
}

fn percentile(sorted_us: &[u32], percent: usize) -> f64 {
    let place = sorted_us.len().saturating_sub(1) * percent / 100;
    f64::from(sorted_us.get(place).copied().unwrap_or_default()) / 1e3
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn percentiles_of_few_and_of_many() {
        assert_eq!(percentile(&[], 99), 0.0);
        assert_eq!(percentile(&[7_000], 50), 7.0);
        let many: Vec<u32> = (0..=100).map(|ms| ms * 1_000).collect();
        assert_eq!(percentile(&many, 50), 50.0);
        assert_eq!(percentile(&many, 99), 99.0);
    }
}
