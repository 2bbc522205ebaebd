//! What the operating system says about this process, under the names that all exporters use.

use std::fs;
use std::sync::Arc;

use coffer_metrics::{Gauge, Registry};

/// Clock ticks a second in `/proc`: fixed for user space on Linux, whatever the kernel's own rate.
const TICKS_PER_SEC: f64 = 100.0;
/// Memory pages in `/proc/self/stat` are counted in kB elsewhere: `status` is read for sizes instead.
const KIB: f64 = 1_024.0;

/// Gauges that are read when somebody looks.
#[derive(Debug)]
pub(super) struct Process {
    cpu_seconds: Arc<Gauge>,
    open_fds: Arc<Gauge>,
    max_fds: Arc<Gauge>,
    resident: Arc<Gauge>,
    size: Arc<Gauge>,
    threads: Arc<Gauge>,
    start: Arc<Gauge>,
    sys_bytes: Arc<Gauge>,
    tasks: Arc<Gauge>,
}

impl Process {
    pub(super) fn new(registry: &Registry) -> Self {
        let bare = |name, help| registry.bare_gauge(name, help);
        Self {
            cpu_seconds: bare(
                "process.cpu_seconds_total",
                "User and system CPU time, in seconds.",
            ),
            open_fds: bare("process.open_fds", "Open file descriptors."),
            max_fds: bare(
                "process.max_fds",
                "The most file descriptors that may be open.",
            ),
            resident: bare(
                "process.resident_memory_bytes",
                "Resident memory, in bytes.",
            ),
            size: bare("process.virtual_memory_bytes", "Virtual memory, in bytes."),
            threads: bare("process.threads", "Threads."),
            start: bare(
                "process.start_time_seconds",
                "When the process began, in seconds since 1970.",
            ),
            sys_bytes: registry.gauge(
                "runtime.sys_bytes",
                "Memory that the process has from the system, in bytes.",
            ),
            tasks: registry.gauge(
                "runtime.num_goroutines",
                "Tasks of the runtime that are alive.",
            ),
        }
    }

    /// Reads everything; what can not be read is not shown.
    pub(super) fn refresh(&self) {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kib = |name: &str| number(&status, name).map(|kib| kib * KIB);
        set(&self.resident, kib("VmRSS:"));
        set(&self.sys_bytes, kib("VmRSS:"));
        set(&self.size, kib("VmSize:"));
        set(&self.threads, number(&status, "Threads:"));
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        set(&self.max_fds, number(&limits, "Max open files"));
        let fds = fs::read_dir("/proc/self/fd").map(Iterator::count);
        // The directory that is being read is one of them.
        set(
            &self.open_fds,
            fds.ok().map(|fds| whole(fds.saturating_sub(1))),
        );
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        set(&self.cpu_seconds, cpu_seconds(&stat));
        set(&self.start, start(&stat));
        let tasks = tokio::runtime::Handle::try_current();
        let tasks = tasks.map(|runtime| whole(runtime.metrics().num_alive_tasks()));
        set(&self.tasks, tasks.ok());
    }
}

fn set(gauge: &Gauge, value: Option<f64>) {
    match value {
        Some(value) => gauge.set(value),
        None => gauge.forget(),
    }
}

fn whole(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

/// The first number after a name at the start of a line.
fn number(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The fields of `/proc/self/stat` after the command, which is in brackets and may hold anything.
fn field(stat: &str, at: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(at)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 11)? + field(stat, 12)?) / TICKS_PER_SEC)
}

fn start(stat: &str) -> Option<f64> {
    let system = fs::read_to_string("/proc/stat").ok()?;
    Some(number(&system, "btime")? + field(stat, 19)? / TICKS_PER_SEC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_after_any_command() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 150 250 13 14 15 16 17 18 900 20";
        assert_eq!(cpu_seconds(stat), Some(4.0));
        assert_eq!(field(stat, 19), Some(900.0));
        assert_eq!((cpu_seconds(""), field("x", 1)), (None, None));
    }

    #[test]
    fn this_process_has_memory_and_descriptors() {
        let process = Process::new(&Registry::default());
        process.refresh();
        assert!(process.resident.get().unwrap() > 1e6);
        assert!(process.open_fds.get().unwrap() >= 3.0);
        assert!(process.start.get().unwrap() > 1.6e9);
    }
}
