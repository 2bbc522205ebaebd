//! Spans of requests, sent to a collector by OTLP over HTTP in its JSON form. Off unless it is configured, and then a
//! request costs the making of one small value; nothing waits for the collector.
//!
//! A span tells method, mount, route pattern and status. It holds no body, no token and, unless that is asked for, no
//! path: paths name secrets.

mod context;
mod document;
mod export;
mod settings;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use coffer_crypto::Random;
use coffer_kernel::observe::Flight;
use coffer_wire::Timestamp;
use http::HeaderMap;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::context::Context;
use self::export::Exporter;
pub(crate) use self::settings::Settings;
use crate::error::Error;

/// How many spans wait to be sent; more are dropped.
const WAITING_SPANS_MAX: usize = 2_048;

/// Where requests are traced to.
pub(crate) struct Tracer {
    random: Random,
    ratio: f64,
    full_paths: bool,
    spans: mpsc::Sender<Span>,
    dropped: Arc<AtomicU64>,
}

/// A request that is being traced.
pub(crate) struct Begun {
    context: Context,
    began: Timestamp,
}

/// A request that was answered.
pub(crate) struct Span {
    context: Context,
    began: Timestamp,
    took: Duration,
    method: String,
    status: u16,
    route: String,
    path: Option<String>,
    mount: String,
    mount_type: String,
    namespace: String,
    request_id: String,
    client: String,
}

impl Tracer {
    /// A tracer as configured, with the task that sends; none where nothing is configured.
    pub(crate) fn start(
        settings: &Settings,
        random: Random,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Option<Self>, Error> {
        let Some(exporter) = Exporter::new(settings)? else {
            return Ok(None);
        };
        let (spans, waiting) = mpsc::channel(WAITING_SPANS_MAX);
        let dropped = Arc::<AtomicU64>::default();
        tasks.spawn(exporter.run(waiting, Arc::clone(&dropped), stop));
        Ok(Some(Self {
            random,
            ratio: settings.ratio,
            full_paths: settings.full_paths,
            spans,
            dropped,
        }))
    }

    /// Begins to trace a request, if it is one of those that are traced.
    pub(crate) fn begin(&self, headers: &HeaderMap, now: Timestamp) -> Option<Begun> {
        let context = Context::of(headers, &self.random, self.ratio)?;
        Some(Begun {
            context,
            began: now,
        })
    }

    /// Hands a span over to be sent; one for which there is no room is dropped.
    pub(crate) fn end(&self, begun: Begun, flight: &Flight, status: u16, took: Duration) {
        let span = Span::of(begun, flight, status, took, self.full_paths);
        if self.spans.try_send(span).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Span {
    fn of(begun: Begun, flight: &Flight, status: u16, took: Duration, full_paths: bool) -> Self {
        let noted = flight.noted().cloned().unwrap_or_default();
        let route = match noted.mount() {
            "" => String::new(),
            mount => format!("/v1/{mount}{}", noted.route),
        };
        Self {
            context: begun.context,
            began: begun.began,
            took,
            method: flight.method.clone(),
            status,
            route,
            path: full_paths.then(|| flight.path.clone()),
            mount: noted.mount().to_owned(),
            mount_type: noted.mount_type().to_owned(),
            namespace: noted.namespace.clone(),
            request_id: flight.id.clone(),
            client: flight
                .client
                .map(|client| client.ip().to_string())
                .unwrap_or_default(),
        }
    }
}
