//! Telling about requests: in the log, in the list of those in flight, in traces.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use coffer_kernel::Kernel;
use coffer_kernel::observe::{Flight, Noted, Running};
use http::StatusCode;
use http::request::Parts;

use super::outgoing::Outgoing;
use super::response::Answer;
use crate::config::LogLevel;
use crate::traces::{Begun, Tracer};

/// Where a listener's requests are told about.
#[derive(Clone, Default)]
pub(crate) struct Watch {
    /// Where they are traced to, if anywhere.
    pub(crate) tracer: Option<Arc<Tracer>>,
    /// The level at which they are logged, if the configuration names one.
    pub(crate) level: Option<LogLevel>,
}

/// A request from its head to its answer.
pub(super) struct Watched {
    watch: Watch,
    running: Arc<Running>,
    began: Instant,
    traced: Option<Begun>,
}

impl Watch {
    /// A request has come.
    pub(super) fn begin(
        &self,
        kernel: &Kernel,
        id: &str,
        head: &Parts,
        client: Option<SocketAddr>,
    ) -> Watched {
        let now = kernel.clock.now();
        let (method, path) = (head.method.as_str(), head.uri.path());
        let flight = Flight::new(id.to_owned(), now, client, method, path);
        let tracer = self.tracer.as_ref();
        Watched {
            traced: tracer.and_then(|tracer| tracer.begin(&head.headers, now)),
            running: Arc::new(kernel.settings.in_flight.enter(flight)),
            began: Instant::now(),
            watch: self.clone(),
        }
    }
}

impl Watched {
    /// What is in flight as long as somebody holds this.
    pub(super) fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running)
    }

    /// Where others note what they find out about it.
    pub(super) fn flight(&self) -> Arc<Flight> {
        Arc::clone(&self.running.flight)
    }

    /// It is answered; pieces of a body that are still to come keep it in flight.
    pub(super) fn end(self, mut answer: Answer) -> Answer {
        self.log(answer.status);
        if let (Some(tracer), Some(begun)) = (&self.watch.tracer, self.traced) {
            let (status, took) = (answer.status.as_u16(), self.began.elapsed());
            tracer.end(begun, &self.running.flight, status, took);
        }
        if let Outgoing::Stream(pieces) = answer.body {
            answer.body = Outgoing::Stream(pieces.holding(self.running));
        }
        answer
    }

    /// Without a level of their own they are told to whoever looks for a fault.
    fn log(&self, status: StatusCode) {
        let done = Completed(self, status);
        match self.watch.level {
            Some(LogLevel::Trace) => tracing::trace!("{done}"),
            None | Some(LogLevel::Debug) => tracing::debug!("{done}"),
            Some(LogLevel::Info) => tracing::info!("{done}"),
            Some(LogLevel::Warn) => tracing::warn!("{done}"),
            Some(LogLevel::Error) => tracing::error!("{done}"),
        }
    }
}

/// An answered request in one line, as the reference logs it.
struct Completed<'a>(&'a Watched, StatusCode);

impl fmt::Display for Completed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(watched, status) = self;
        let flight = &watched.running.flight;
        let client_id = flight.noted().map(Noted::client_id).unwrap_or_default();
        let client = flight.client.map(|client| client.to_string());
        write!(
            f,
            "completed_request: start_time={} duration={}us client_id={client_id:?} client_address={} status_code={} request_path={} request_method={}",
            flight.began.whole_seconds(),
            watched.began.elapsed().as_micros(),
            client.unwrap_or_default(),
            status.as_u16(),
            flight.path,
            flight.method,
        )
    }
}
