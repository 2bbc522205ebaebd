//! What is logged, and who reads it, changed while the server runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_engine::Fault;
use coffer_kernel::observe::{Level, Lines, LogFormat, Logs};
use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

use super::areas::AREAS;
use super::tap::{Reader, Tap};

/// Puts a filter in the place of the one in force.
pub(super) type Apply = Box<dyn Fn(Targets) -> Result<(), String> + Send + Sync>;

/// The levels in force and the readers.
pub(super) struct Control {
    levels: Mutex<Levels>,
    log: Apply,
    reads: Arc<Reads>,
}

/// What each area logs: what is configured, but for areas that were set apart.
#[derive(Clone)]
struct Levels {
    configured: Level,
    set: BTreeMap<&'static str, Level>,
}

/// The readers, and the filter before them.
struct Reads {
    tap: Arc<Tap>,
    apply: Apply,
}

/// A reader until it is dropped.
struct Reading {
    reads: Arc<Reads>,
    reader: Arc<Reader>,
}

impl Control {
    /// The control of a log that has this level in force.
    pub(super) fn new(configured: Level, log: Apply, tap: Arc<Tap>, readers: Apply) -> Self {
        Self {
            levels: Mutex::new(Levels {
                configured,
                set: BTreeMap::new(),
            }),
            log,
            reads: Arc::new(Reads {
                tap,
                apply: readers,
            }),
        }
    }

    /// Another level is configured now; what was set apart is forgotten.
    pub(super) fn configure(&self, configured: Level) {
        let changed = self.change(|levels| {
            levels.configured = configured;
            levels.set.clear();
        });
        if let Err(error) = changed {
            tracing::warn!(%error, "the log level could not be changed");
        }
    }

    fn change(&self, change: impl FnOnce(&mut Levels)) -> Result<(), String> {
        let mut levels = self.levels.lock();
        let mut new = levels.clone();
        change(&mut new);
        (self.log)(new.targets())?;
        *levels = new;
        Ok(())
    }
}

impl Logs for Control {
    fn loggers(&self) -> BTreeMap<String, Level> {
        let levels = self.levels.lock();
        let areas = AREAS.iter();
        areas
            .map(|(name, _)| ((*name).to_owned(), levels.of(name)))
            .collect()
    }

    fn set(&self, logger: Option<&str>, level: Option<Level>) -> Result<(), Fault> {
        let named = logger.map(|wanted| {
            let known = AREAS.iter().find(|(name, _)| *name == wanted);
            known
                .map(|(name, _)| *name)
                .ok_or_else(|| Fault::invalid(format_args!("logger {wanted:?} not found")))
        });
        let named = named.transpose()?;
        let areas = AREAS.iter().map(|(name, _)| *name);
        let meant = areas.filter(|name| named.is_none_or(|named| named == *name));
        let changed = self.change(|levels| {
            for name in meant {
                match level {
                    Some(level) => drop(levels.set.insert(name, level)),
                    None => drop(levels.set.remove(name)),
                }
            }
        });
        changed.map_err(Fault::internal)
    }

    fn subscribe(&self, level: Level, format: LogFormat) -> Result<Lines, Fault> {
        let (reader, lines) = self.reads.tap.add(level, format)?;
        let reading = Reading {
            reads: Arc::clone(&self.reads),
            reader,
        };
        self.reads.refresh();
        Ok(Lines::new(lines, reading))
    }
}

impl Levels {
    fn of(&self, area: &str) -> Level {
        self.set.get(area).copied().unwrap_or(self.configured)
    }

    fn targets(&self) -> Targets {
        let ours = AREAS
            .iter()
            .map(|(name, target)| (*target, filter(self.of(name))));
        libraries(filter(self.configured))
            .with_target("coffer", filter(self.configured))
            .with_targets(ours)
    }
}

impl Reads {
    /// Lets through what somebody reads, and nothing while nobody does.
    fn refresh(&self) {
        let targets = match self.tap.level() {
            Some(level) => libraries(filter(level)).with_target("coffer", filter(level)),
            None => Targets::new(),
        };
        // A filter that is gone has no readers either.
        let _ = (self.apply)(targets);
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.reads.tap.remove(&self.reader);
        self.reads.refresh();
    }
}

/// The lines of libraries only where they warn: nobody knows what they quote below that.
fn libraries(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::WARN))
}

fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Trace => LevelFilter::TRACE,
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, Registry, reload};

    use super::super::tap::Tapping;
    use super::*;

    fn control() -> (
        Control,
        impl tracing::Subscriber + Send + Sync,
        Arc<AtomicUsize>,
    ) {
        let tap = Arc::<Tap>::default();
        let (filter, handle) = reload::Layer::<_, Registry>::new(Targets::new());
        let registry =
            tracing_subscriber::registry().with(Tapping(Arc::clone(&tap)).with_filter(filter));
        let applied = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&applied);
        let log: Apply = Box::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        let readers: Apply =
            Box::new(move |targets| handle.reload(targets).map_err(|e| e.to_string()));
        (
            Control::new(Level::Info, log, tap, readers),
            registry,
            applied,
        )
    }

    #[test]
    fn levels_are_set_and_put_back() {
        let (control, _, applied) = control();
        control.set(Some("expiration"), Some(Level::Debug)).unwrap();
        let levels = control.loggers();
        assert_eq!(
            (levels["expiration"], levels["core"]),
            (Level::Debug, Level::Info)
        );
        control.set(None, Some(Level::Error)).unwrap();
        assert!(
            control
                .loggers()
                .values()
                .all(|level| *level == Level::Error)
        );
        control.set(Some("core"), None).unwrap();
        assert_eq!(control.loggers()["core"], Level::Info);
        control.configure(Level::Warn);
        assert!(
            control
                .loggers()
                .values()
                .all(|level| *level == Level::Warn)
        );
        assert!(matches!(
            control.set(Some("nope"), None),
            Err(Fault::Invalid(_))
        ));
        assert_eq!(applied.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_reader_gets_what_the_log_leaves_out_until_it_goes() {
        let (control, registry, _) = control();
        let _guard = tracing::subscriber::set_default(registry);
        assert!(!tracing::enabled!(target: "coffer_kernel", tracing::Level::DEBUG));
        let mut lines = control
            .subscribe(Level::Debug, LogFormat::Standard)
            .unwrap();
        tracing::debug!(target: "coffer_kernel::leases", "seen");
        tracing::debug!(target: "hyper", "of a library");
        tracing::trace!(target: "coffer_kernel", "too little");
        let line = String::from_utf8(lines.next().await.unwrap()).unwrap();
        assert!(line.ends_with("[DEBUG] expiration: seen\n"), "{line}");
        drop(lines);
        assert!(!tracing::enabled!(target: "coffer_kernel", tracing::Level::DEBUG));
    }
}
