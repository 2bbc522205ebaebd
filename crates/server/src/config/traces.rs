use std::path::PathBuf;

use coffer_hcl::Value;

use super::stanza::Stanza;
use super::{Error, Place};

/// Where requests are traced to, by OTLP over HTTP: `traces { otlp_endpoint = "https://collector:4318" }`. Our own
/// stanza; what it leaves open, the environment's `OTEL_…` variables say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traces {
    /// The collector's URL, to which `/v1/traces` is added; `None` leaves it to the environment.
    pub endpoint: Option<String>,
    /// Headers for the collector, among them what it wants as authorization.
    pub headers: Vec<(String, String)>,
    /// A file with the certificates of the collector's authority, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The share of requests without a trace of their own that is traced, 0 to 1.
    pub sample_ratio: Option<f64>,
    /// What the server is called in traces.
    pub service_name: Option<String>,
    /// Whether spans hold the paths of requests, which name secrets; their patterns are there anyway.
    pub full_paths: bool,
    /// Where the stanza stands.
    pub place: Option<Place>,
}

pub(super) fn read(root: &mut Stanza) -> Result<Traces, Error> {
    let mut traces = Traces::default();
    for mut stanza in root.blocks("traces", 0)? {
        update(&mut traces, &mut stanza)?;
        traces.place = Some(stanza.place());
        stanza.finish()?;
    }
    Ok(traces)
}

fn update(traces: &mut Traces, stanza: &mut Stanza) -> Result<(), Error> {
    let url = |value: &Value| {
        let url = url::Url::parse(value.as_text()?).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.to_string())
    };
    if let Some(endpoint) = stanza.value("otlp_endpoint", "an http or https URL", url)? {
        traces.endpoint = Some(endpoint);
    }
    if let Some(headers) = stanza.list("headers", "a list of \"name=value\"", pair)? {
        traces.headers = headers;
    }
    if let Some(file) = stanza.path("ca_file")? {
        traces.ca_file = Some(file);
    }
    let ratio = |value: &Value| {
        let ratio: f64 = value.as_text()?.parse().ok()?;
        (0.0..=1.0).contains(&ratio).then_some(ratio)
    };
    if let Some(ratio) = stanza.value("sample_ratio", "a number from 0 to 1", ratio)? {
        traces.sample_ratio = Some(ratio);
    }
    if let Some(name) = stanza.plain_text("service_name")? {
        traces.service_name = Some(name);
    }
    if let Some(full) = stanza.flag("full_paths")? {
        traces.full_paths = full;
    }
    Ok(())
}

fn pair(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    http::HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    http::HeaderValue::from_str(value.trim()).ok()?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}
