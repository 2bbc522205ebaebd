//! Those who read the log over `sys/monitor`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use coffer_engine::Fault;
use coffer_kernel::observe::{Level, LogFormat};
use tokio::sync::mpsc;
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::line::Line;

/// How many may read at once.
const READERS_MAX: usize = 16;
/// How many lines wait for a reader that is slow.
const WAITING_LINES_MAX: usize = 512;
/// The longest line that is sent, in bytes.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// The readers. Lines are handed to them without waiting: one that is slow loses lines, never time of others.
#[derive(Default)]
pub(super) struct Tap {
    readers: ArcSwap<Vec<Arc<Reader>>>,
}

/// One reader's end here.
pub(super) struct Reader {
    level: Level,
    format: LogFormat,
    lines: mpsc::Sender<Vec<u8>>,
    lost: AtomicU64,
}

/// Hands every event to the tap.
pub(super) struct Tapping(pub(super) Arc<Tap>);

impl Tap {
    /// One more reader; refused where there are too many.
    pub(super) fn add(
        &self,
        level: Level,
        format: LogFormat,
    ) -> Result<(Arc<Reader>, mpsc::Receiver<Vec<u8>>), Fault> {
        let (lines, received) = mpsc::channel(WAITING_LINES_MAX);
        let reader = Arc::new(Reader {
            level,
            format,
            lines,
            lost: AtomicU64::new(0),
        });
        self.readers.rcu(|readers| {
            let mut readers = Vec::clone(readers);
            if readers.len() < READERS_MAX {
                readers.push(Arc::clone(&reader));
            }
            readers
        });
        let taken = self.readers.load();
        if !taken.iter().any(|known| Arc::ptr_eq(known, &reader)) {
            return Err(Fault::TooMany(format!(
                "{READERS_MAX} clients read the log already, which is the limit; end one of them first"
            )));
        }
        Ok((reader, received))
    }

    /// One reader fewer.
    pub(super) fn remove(&self, reader: &Arc<Reader>) {
        self.readers.rcu(|readers| {
            let others = readers.iter().filter(|known| !Arc::ptr_eq(known, reader));
            others.cloned().collect::<Vec<_>>()
        });
    }

    /// The least severe level that anybody reads.
    pub(super) fn level(&self) -> Option<Level> {
        self.readers.load().iter().map(|reader| reader.level).min()
    }

    fn hand_out(&self, level: Level, event: &Event<'_>) {
        let readers = self.readers.load();
        let mut interested = readers
            .iter()
            .filter(|reader| level >= reader.level)
            .peekable();
        if interested.peek().is_none() {
            return;
        }
        let line = Line::of(event);
        for reader in interested {
            reader.give(&line);
        }
    }
}

impl Reader {
    /// Gives a line if there is room, and before it tells about lines that were lost.
    fn give(&self, line: &Line) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let note = match self.format {
                LogFormat::Standard => {
                    format!("… {lost} lines were lost: this reader is too slow\n")
                }
                LogFormat::Json => format!(
                    "{{\"@level\":\"warn\",\"@message\":\"lines were lost: this reader is too slow\",\"lost\":{lost}}}\n"
                ),
            };
            if self.lines.try_send(note.into_bytes()).is_err() {
                self.lost.fetch_add(lost + 1, Ordering::Relaxed);
                return;
            }
        }
        let mut text = line.written(self.format);
        if text.len() > LINE_BYTES_MAX {
            text = cut(text);
        }
        if self.lines.try_send(text).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn cut(text: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(text).unwrap_or_default();
    let end = text.floor_char_boundary(LINE_BYTES_MAX);
    format!("{}…\n", text.get(..end).unwrap_or_default()).into_bytes()
}

impl<S: Subscriber> Layer<S> for Tapping {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level = match *event.metadata().level() {
            tracing::Level::TRACE => Level::Trace,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::INFO => Level::Info,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::ERROR => Level::Error,
        };
        self.0.hand_out(level, event);
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    fn read(lines: &mut mpsc::Receiver<Vec<u8>>) -> Vec<String> {
        let mut all = Vec::new();
        while let Ok(line) = lines.try_recv() {
            all.push(String::from_utf8(line).unwrap());
        }
        all
    }

    #[test]
    fn readers_get_what_they_asked_for() {
        let tap = Arc::<Tap>::default();
        let logged = tracing_subscriber::registry().with(Tapping(Arc::clone(&tap)));
        let (quiet, mut warnings) = tap.add(Level::Warn, LogFormat::Standard).unwrap();
        let (_, mut all) = tap.add(Level::Trace, LogFormat::Json).unwrap();
        assert_eq!(tap.level(), Some(Level::Trace));
        tracing::subscriber::with_default(logged, || {
            tracing::debug!(lease = "x", "one");
            tracing::warn!("two");
            tap.remove(&quiet);
            tracing::error!("three");
        });
        let warnings = read(&mut warnings);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("[WARN]  log: two") || warnings[0].contains(": two"));
        assert_eq!(read(&mut all).len(), 3);
    }

    #[test]
    fn a_slow_reader_loses_lines_and_is_told() {
        let tap = Arc::<Tap>::default();
        let logged = tracing_subscriber::registry().with(Tapping(Arc::clone(&tap)));
        let (_, mut lines) = tap.add(Level::Info, LogFormat::Standard).unwrap();
        tracing::subscriber::with_default(logged, || {
            for _ in 0..WAITING_LINES_MAX + 7 {
                tracing::info!("line");
            }
            assert_eq!(read(&mut lines).len(), WAITING_LINES_MAX);
            tracing::info!("{}", "long ".repeat(LINE_BYTES_MAX));
        });
        let later = read(&mut lines);
        assert_eq!(later[0], "… 7 lines were lost: this reader is too slow\n");
        assert!(later[1].len() < LINE_BYTES_MAX + 16 && later[1].ends_with("…\n"));
    }

    #[test]
    fn there_is_room_for_so_many() {
        let tap = Tap::default();
        let readers: Vec<_> = (0..READERS_MAX)
            .map(|_| tap.add(Level::Info, LogFormat::Json).unwrap())
            .collect();
        assert!(matches!(
            tap.add(Level::Info, LogFormat::Json),
            Err(Fault::TooMany(_))
        ));
        tap.remove(&readers[0].0);
        assert!(tap.add(Level::Info, LogFormat::Json).is_ok());
    }
}
