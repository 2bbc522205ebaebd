//! Sending spans in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Settings, Span, document};
use crate::error::Error;

/// How many spans one request to the collector holds, and how long the first of them waits for others.
const BATCH_SPANS_MAX: usize = 512;
const BATCH_WAIT: Duration = Duration::from_secs(5);
/// How long one request to the collector may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a batch is tried, and how long to wait before the second try.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long what is left may take when the server stops.
const LAST_BATCH: Duration = Duration::from_secs(3);

/// The way to the collector.
pub(super) struct Exporter {
    http: reqwest::Client,
    url: String,
    resource: Vec<(String, String)>,
}

/// Why a batch was not taken.
enum Refusal {
    /// It may be taken later.
    Later(String),
    /// It never will.
    Never(String),
}

impl Exporter {
    /// An exporter as configured; none where there is no collector.
    pub(super) fn new(settings: &Settings) -> Result<Option<Self>, Error> {
        let Some(url) = settings.url.clone() else {
            return Ok(None);
        };
        let bad = |why: String| Error::Traces(why);
        let parsed = url::Url::parse(&url).map_err(|error| bad(format!("{url:?}: {error}")))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(bad(format!("{url:?} is neither an http nor an https URL")));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let name = name.map_err(|_| bad("a header's name has unusual characters".into()))?;
            let value = HeaderValue::from_str(value);
            let mut value =
                value.map_err(|_| bad(format!("the value of {name} cannot be sent")))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        let mut http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        if let Some(file) = &settings.ca_file {
            let shown = file.display();
            let pem = std::fs::read(file).map_err(|error| bad(format!("{shown}: {error}")))?;
            let authorities = reqwest::Certificate::from_pem_bundle(&pem);
            let authorities = authorities.map_err(|error| bad(format!("{shown}: {error}")))?;
            http = http.tls_certs_merge(authorities);
        }
        let http = http.build().map_err(|error| bad(error.to_string()))?;
        Ok(Some(Self {
            http,
            url,
            resource: settings.resource.clone(),
        }))
    }

    /// Sends what comes until the server stops, and then what is left.
    pub(super) async fn run(
        self,
        mut spans: mpsc::Receiver<Span>,
        dropped: Arc<AtomicU64>,
        stop: CancellationToken,
    ) {
        let mut batch = Vec::new();
        loop {
            let more = tokio::select! {
                () = stop.cancelled() => false,
                more = fill(&mut spans, &mut batch) => more,
            };
            if !more {
                break;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.deliver(&batch) => batch.clear(),
            }
            let lost = dropped.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!(
                    lost,
                    "spans were dropped because the collector of traces is too slow"
                );
            }
        }
        while let Ok(span) = spans.try_recv() {
            batch.push(span);
        }
        if !batch.is_empty() {
            let _ = tokio::time::timeout(LAST_BATCH, self.send(&batch)).await;
        }
    }

    /// Sends a batch, several times if need be; gives it up after that.
    async fn deliver(&self, batch: &[Span]) {
        let mut wait = FIRST_WAIT;
        for attempt in 1..=TRIES {
            match self.send(batch).await {
                Ok(()) => return,
                Err(Refusal::Later(_)) if attempt < TRIES => {
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
                Err(Refusal::Later(error) | Refusal::Never(error)) => {
                    let spans = batch.len();
                    tracing::warn!(error, spans, "traces could not be sent to their collector");
                    return;
                }
            }
        }
    }

    async fn send(&self, batch: &[Span]) -> Result<(), Refusal> {
        let body = document::of(&self.resource, batch).to_string();
        let sent = self
            .http
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .send()
            .await;
        let answer = sent.map_err(|error| Refusal::Later(error.without_url().to_string()))?;
        let status = answer.status();
        match status.as_u16() {
            200..=299 => Ok(()),
            429 | 502..=504 => Err(Refusal::Later(status.to_string())),
            _ => Err(Refusal::Never(status.to_string())),
        }
    }
}

/// Fills a batch; false once no more can come.
async fn fill(spans: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) -> bool {
    if spans.recv_many(batch, BATCH_SPANS_MAX).await == 0 {
        return false;
    }
    let until = Instant::now() + BATCH_WAIT;
    while batch.len() < BATCH_SPANS_MAX {
        let room = BATCH_SPANS_MAX - batch.len();
        match timeout_at(until, spans.recv_many(batch, room)).await {
            Ok(0) | Err(_) => return true,
            Ok(_) => {}
        }
    }
    true
}
