use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line is drawn anew.
const EVERY: Duration = Duration::from_millis(100);
const CELLS: u64 = 30;

/// A line on the terminal that says how far it is. Where nobody looks at it there is none.
pub(super) struct Progress {
    total: Option<u64>,
    done: u64,
    begun: Instant,
    drawn: Option<Instant>,
    visible: bool,
}

impl Progress {
    /// Of so many bytes, if that is known.
    pub(super) fn new(total: Option<u64>) -> Self {
        Self {
            total,
            done: 0,
            begun: Instant::now(),
            drawn: None,
            visible: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        let before = self.drawn.unwrap_or(self.begun);
        if self.visible && before.elapsed() >= EVERY {
            self.drawn = Some(Instant::now());
            self.draw();
        }
    }

    fn draw(&self) {
        let text = line(self.done, self.total, self.begun.elapsed());
        let mut out = std::io::stderr().lock();
        let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
    }
}

/// The line goes away when the work ends, however it ends.
impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn line(done: u64, total: Option<u64>, took: Duration) -> String {
    let speed = u128::from(done) * 1000 / took.as_millis().max(1);
    let speed = bytes(u64::try_from(speed).unwrap_or(u64::MAX));
    let Some(total) = total.filter(|total| *total > 0) else {
        return format!("{} {speed}/s", bytes(done));
    };
    let done = done.min(total);
    let part = |of: u64| u64::try_from(u128::from(done) * u128::from(of) / u128::from(total));
    let full = part(CELLS).unwrap_or_default();
    let bar: String = (0..CELLS)
        .map(|cell| if cell < full { '#' } else { '.' })
        .collect();
    let percent = part(100).unwrap_or_default();
    format!(
        "[{bar}] {percent:>3} % {} of {} {speed}/s",
        bytes(done),
        bytes(total)
    )
}

/// A count of bytes for people.
pub(super) fn bytes(count: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let step = (u64::BITS - 1 - count.max(1).leading_zeros()) / 10;
    let unit = units.get(step as usize).copied().unwrap_or_default();
    match step {
        0 => format!("{count} {unit}"),
        step => {
            let tenths = (u128::from(count) * 10) >> (10 * step);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_and_how_fast() {
        let second = Duration::from_secs(1);
        let half = line(512 << 20, Some(1 << 30), second);
        assert_eq!(
            half,
            "[###############...............]  50 % 512.0 MiB of 1.0 GiB 512.0 MiB/s"
        );
        assert_eq!(line(100, None, second), "100 B 100 B/s");
        assert!(line(0, Some(0), Duration::ZERO).starts_with("0 B"));
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(u64::MAX), "15.9 EiB");
    }
}
