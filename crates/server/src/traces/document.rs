//! Spans in OTLP's JSON form (ExportTraceServiceRequest).

use serde_json::{Value, json};

use super::Span;

/// OTLP's numbers for a server's span and for a failed one.
const KIND_SERVER: u8 = 2;
const STATUS_ERROR: u8 = 2;

/// One request of the exporter.
pub(super) fn of(resource: &[(String, String)], spans: &[Span]) -> Value {
    let resource: Vec<Value> = resource
        .iter()
        .map(|(name, value)| text(name, value))
        .collect();
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": resource },
        "scopeSpans": [{
            "scope": { "name": "coffer", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans,
        }],
    }] })
}

fn span(span: &Span) -> Value {
    let nanos = |nanos: u128| nanos.to_string();
    let began = u128::from(span.began.nanos());
    let name = match span.route.as_str() {
        "" => span.method.clone(),
        route => format!("{} {route}", span.method),
    };
    let mut shown = json!({
        "traceId": hex(&span.context.trace),
        "spanId": hex(&span.context.span),
        "name": name,
        "kind": KIND_SERVER,
        "startTimeUnixNano": nanos(began),
        "endTimeUnixNano": nanos(began + span.took.as_nanos()),
        "attributes": attributes(span),
        "status": if span.status >= 500 { json!({ "code": STATUS_ERROR }) } else { json!({}) },
    });
    if let (Some(parent), Some(fields)) = (&span.context.parent, shown.as_object_mut()) {
        fields.insert("parentSpanId".into(), hex(parent).into());
    }
    shown
}

fn attributes(span: &Span) -> Vec<Value> {
    let mut all = vec![
        text("http.request.method", &span.method),
        json!({ "key": "http.response.status_code", "value": { "intValue": span.status.to_string() } }),
    ];
    let texts = [
        ("http.route", Some(&span.route)),
        ("url.path", span.path.as_ref()),
        ("client.address", Some(&span.client)),
        ("coffer.mount", Some(&span.mount)),
        ("coffer.mount_type", Some(&span.mount_type)),
        ("coffer.namespace", Some(&span.namespace)),
        ("coffer.request_id", Some(&span.request_id)),
    ];
    let known = texts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?)));
    all.extend(known.map(|(name, value)| text(name, value)));
    all
}

fn text(name: &str, value: &str) -> Value {
    json!({ "key": name, "value": { "stringValue": value } })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coffer_wire::Timestamp;

    use super::super::context::Context;
    use super::*;

    fn span(path: Option<&str>) -> Span {
        Span {
            context: Context {
                trace: [1; 16],
                span: [2; 8],
                parent: Some([3; 8]),
            },
            began: Timestamp::from_secs(1_800_000_000),
            took: Duration::from_micros(1_500),
            method: "GET".into(),
            status: 503,
            route: "/v1/secret/data/{path*}".into(),
            path: path.map(str::to_owned),
            mount: "secret/".into(),
            mount_type: "kv".into(),
            namespace: "root".into(),
            request_id: "r-1".into(),
            client: String::new(),
        }
    }

    #[test]
    fn a_span_is_written_as_otlp_has_it() {
        let resource = [("service.name".to_owned(), "coffer".to_owned())];
        let document = of(&resource, &[span(None)]);
        let spans = &document["resourceSpans"][0]["scopeSpans"][0]["spans"];
        let written = &spans[0];
        assert_eq!(written["traceId"], "01".repeat(16));
        assert_eq!(written["parentSpanId"], "03".repeat(8));
        assert_eq!(written["name"], "GET /v1/secret/data/{path*}");
        assert_eq!(written["startTimeUnixNano"], "1800000000000000000");
        assert_eq!(written["endTimeUnixNano"], "1800000000001500000");
        assert_eq!(
            (&written["kind"], &written["status"]["code"]),
            (&json!(2), &json!(2))
        );
        let attributes = written["attributes"].to_string();
        assert!(attributes.contains("\"intValue\":\"503\""), "{attributes}");
        assert!(!attributes.contains("url.path") && !attributes.contains("client.address"));
    }

    #[test]
    fn a_path_is_there_only_where_it_is_asked_for() {
        let document = of(&[], &[span(Some("/v1/secret/data/payroll"))]);
        assert!(document.to_string().contains("payroll"));
    }
}
