//! The head of an HTTP request and its body as the kernel's request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::{Secret, Zeroizing};
use coffer_kernel::Request;
use coffer_wire::{
    ApiPath, JsonBounds, PathFault, Verb, Wiped, header, is_parsers_word, parse_duration,
    parse_object,
};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::doors::METRICS;
use super::peer::Peer;
use super::response::Answer;

/// The only path that answers HEAD: load balancers probe with it.
const HEALTH: &str = "sys/health";
/// Query parameters that say what is wanted and are no data.
const WORDS: [&str; 3] = ["list", "scan", "help"];
/// Most fields of a form or query: each takes many times its text in memory.
const MAX_FIELDS: usize = 100_000;

/// A request whose head was read and found in order.
#[derive(Debug)]
pub(super) struct Wanted {
    verb: Verb,
    help: bool,
    path: ApiPath,
    token: Option<Arc<Secret<String>>>,
    namespace: String,
    wrap_ttl: Option<Duration>,
    /// Fields of the query, for verbs that have no body.
    query: Option<Map<String, Value>>,
    is_form: bool,
}

impl Wanted {
    /// Reads a request's head; the error is the answer.
    pub(super) fn read(head: &Parts) -> Result<Self, Answer> {
        let query = head.uri.query().unwrap_or_default();
        let help = head.method == Method::GET && is_on(query, "help");
        let path = path(head, help)?;
        let verb = verb(&head.method, query, path.as_str())?;
        if matches!(verb, Verb::Write | Verb::Patch) && path.as_str().ends_with('/') {
            return Err(refuse("cannot write to a path ending in '/'"));
        }
        if verb == Verb::Patch {
            is_merge_patch(&head.headers)?;
        }
        let only_body = matches!(verb, Verb::Write | Verb::Patch);
        let mut query = (!only_body).then(|| fields(query.as_bytes())).transpose()?;
        if let Some(query) = query.as_mut().filter(|_| path.as_str() == METRICS) {
            format_of_metrics(query, &head.headers);
        }
        Ok(Self {
            verb,
            help,
            path,
            token: token(&head.headers),
            namespace: namespace(&head.headers).map_err(refuse)?.to_owned(),
            wrap_ttl: wrap_ttl(&head.headers)?,
            query,
            is_form: media_type(&head.headers) == Some("application/x-www-form-urlencoded"),
        })
    }

    /// Whether the body matters. Some deletions are told more than the path says (a nonce).
    pub(super) fn has_body(&self) -> bool {
        matches!(self.verb, Verb::Write | Verb::Patch | Verb::Delete)
    }

    /// What is asked about.
    pub(super) fn path(&self) -> &str {
        self.path.as_str()
    }

    /// Whether it is asked of the root namespace.
    pub(super) fn is_of_root(&self) -> bool {
        matches!(self.namespace.as_str(), "" | "root")
    }

    /// A field of the query that is one text.
    pub(super) fn queried(&self, name: &str) -> &str {
        let field = self.query.as_ref().and_then(|query| query.get(name));
        field.and_then(Value::as_str).unwrap_or_default()
    }

    /// The verb.
    pub(super) fn verb(&self) -> Verb {
        self.verb
    }

    /// Completes the request.
    pub(super) fn into_request(
        self,
        id: String,
        headers: &HeaderMap,
        body: &Zeroizing<Vec<u8>>,
        peer: Peer,
        bounds: &JsonBounds,
    ) -> Result<Request, Answer> {
        let mut sent = match (self.has_body(), self.is_form && !is_json_object(body)) {
            (false, _) => Wiped::default(),
            (true, true) => Wiped(fields(body)?),
            (true, false) => {
                bounds
                    .check(body)
                    .map_err(|passed| refuse(&passed.to_string()))?;
                parse_object(body).map_err(|error| refuse(&unparsable(&error)))?
            }
        };
        let body = match self.query {
            Some(mut query) => {
                query.extend(sent.take());
                Wiped(query)
            }
            None => sent,
        };
        Ok(Request {
            help: self.help,
            namespace: self.namespace,
            token: self.token,
            body,
            client: peer.address,
            certificates: peer.certificates,
            trusted_serial: peer.trusted_serial,
            headers: plain_headers(headers),
            wrap_ttl: self.wrap_ttl,
            ..Request::internal(id, self.verb, self.path)
        })
    }
}

fn refuse(text: &str) -> Answer {
    Answer::error(StatusCode::BAD_REQUEST, text)
}

fn path(head: &Parts, help: bool) -> Result<ApiPath, Answer> {
    let raw = head.uri.path();
    let Some(below) = raw.strip_prefix("/v1/") else {
        return Err(Answer::silent(StatusCode::NOT_FOUND));
    };
    let moved = |to: &str| {
        let query = head
            .uri
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        Answer::redirect(&format!("/v1/{to}{query}"))
    };
    if below == "sys" && !help {
        return Err(moved("sys/"));
    }
    ApiPath::parse(below).map_err(|fault| match fault {
        PathFault::Redirect(clean) => moved(&clean),
        PathFault::Refused(why) => refuse(why),
    })
}

fn verb(method: &Method, query: &str, path: &str) -> Result<Verb, Answer> {
    Ok(match method.as_str() {
        "GET" if is_on(query, "list") => Verb::List,
        "GET" if is_on(query, "scan") => Verb::Scan,
        "GET" => Verb::Read,
        "HEAD" if path == HEALTH => Verb::Read,
        "LIST" => Verb::List,
        "SCAN" => Verb::Scan,
        "PUT" | "POST" => Verb::Write,
        "PATCH" => Verb::Patch,
        "DELETE" => Verb::Delete,
        _ => return Err(Answer::silent(StatusCode::METHOD_NOT_ALLOWED)),
    })
}

/// Whether the query holds `name` with a word for yes, as Go reads booleans.
fn is_on(query: &str, name: &str) -> bool {
    // Most requests have no query; of the others, only those that hold the word are decoded.
    query.contains(name)
        && form_urlencoded::parse(query.as_bytes()).any(|(key, value)| {
            key == name && matches!(&*value, "1" | "t" | "T" | "true" | "True" | "TRUE")
        })
}

/// `curl -d` says that everything is a form; a body that opens a brace is JSON all the same.
fn is_json_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// Form or query parameters as fields; a repeated one is a list.
fn fields(encoded: &[u8]) -> Result<Map<String, Value>, Answer> {
    if encoded.iter().filter(|byte| **byte == b'&').count() >= MAX_FIELDS {
        return Err(refuse("too many fields (the limit is 100000)"));
    }
    let mut fields = Map::new();
    for (key, value) in form_urlencoded::parse(encoded) {
        if WORDS.contains(&&*key) {
            continue;
        }
        if is_parsers_word(&key) {
            return Err(refuse("a field has a reserved name; rename it"));
        }
        let value = Value::String(value.into_owned());
        match fields.get_mut(&*key) {
            None => drop(fields.insert(key.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Ok(fields)
}

/// Scrapers say by a header which form of metrics they want.
fn format_of_metrics(query: &mut Map<String, Value>, headers: &HeaderMap) {
    const FORMS: [&str; 2] = ["application/openmetrics-text", "prometheus/telemetry"];
    let accepted = headers.get_all(ACCEPT).into_iter();
    let mut accepted = accepted.filter_map(|value| value.to_str().ok());
    let wants = accepted.any(|value| FORMS.iter().any(|form| value.contains(form)));
    if wants && !query.contains_key("format") {
        query.insert("format".to_owned(), "prometheus".into());
    }
}

/// The token: `X-Vault-Token` wins, else a bearer's.
fn token(headers: &HeaderMap) -> Option<Arc<Secret<String>>> {
    let own = text(headers, header::TOKEN).filter(|token| !token.is_empty());
    own.or_else(|| bearer(headers))
        .map(|token| Arc::new(Secret::new(token.to_owned())))
}

/// The scheme's word is exactly `Bearer`, as the reference has it.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(AUTHORIZATION).into_iter();
    let mut tokens = all.filter_map(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    tokens
        .next()
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

/// The value of a header field, if it is plain text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The namespace that a header names; its name may have any letters. One that can not be read is refused: the request was
/// not meant for the root.
pub(super) fn namespace(headers: &HeaderMap) -> Result<&str, &'static str> {
    let Some(value) = headers.get(header::NAMESPACE) else {
        return Ok("");
    };
    std::str::from_utf8(value.as_bytes())
        .map(|name| name.trim_matches('/'))
        .map_err(|_| "X-Vault-Namespace is not UTF-8")
}

fn wrap_ttl(headers: &HeaderMap) -> Result<Option<Duration>, Answer> {
    let Some(value) = headers.get(header::WRAP_TTL) else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| refuse("X-Vault-Wrap-TTL is not plain text"))?;
    let parsed = parse_duration(text)
        .map_err(|error| refuse(&format!("error parsing X-Vault-Wrap-TTL header: {error}")))?;
    Ok(Some(parsed).filter(|ttl| !ttl.is_zero()))
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim()).filter(|name| !name.is_empty())
}

fn is_merge_patch(headers: &HeaderMap) -> Result<(), Answer> {
    let Some(name) = media_type(headers) else {
        return Err(refuse(
            "PATCH requires a Content-Type, which is missing; send application/merge-patch+json",
        ));
    };
    if name.eq_ignore_ascii_case(header::MERGE_PATCH) {
        return Ok(());
    }
    let text = format!(
        "PATCH requires Content-Type of {}, provided {name}",
        header::MERGE_PATCH
    );
    Err(Answer::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
}

/// What is wrong with a body, and where, without any of its content.
fn unparsable(error: &serde_json::Error) -> String {
    if error.line() == 0 {
        // No place in the text: one of our own bounds, in our own words.
        return format!("failed to parse JSON input: {error}");
    }
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it ends in the middle",
        serde_json::error::Category::Data => "it is not an object",
        _ => "it is not valid JSON",
    };
    format!(
        "failed to parse JSON input: {what} (line {} column {}); send one JSON object",
        error.line(),
        error.column()
    )
}

/// The headers for audit and engines, without the token. Of the header that brought it as a bearer's only the scheme
/// stays: some paths must know that it came so.
pub(super) fn plain_headers(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let own = text(headers, header::TOKEN).is_some_and(|token| !token.is_empty());
    let mut plain: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        let bearers = name == AUTHORIZATION && value.as_bytes().starts_with(b"Bearer ");
        if name == header::TOKEN || bearers && own {
            continue;
        }
        let value = match bearers {
            true => "Bearer".to_owned(),
            false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        match plain.get_mut(name.as_str()) {
            Some(values) => values.push(value),
            None => drop(plain.insert(name.as_str().to_owned(), vec![value])),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn head(line: &str, headers: &[(&str, &str)]) -> Parts {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = http::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Result<Request, (u16, String)> {
        let head = head(line, headers);
        let shown = |answer: Answer| {
            let place = answer
                .location
                .map(|place| place.to_str().unwrap().to_owned());
            (
                answer.status.as_u16(),
                place.unwrap_or_else(|| String::from_utf8(answer.body.whole().to_vec()).unwrap()),
            )
        };
        let wanted = Wanted::read(&head).map_err(shown)?;
        let body = Zeroizing::new(body.as_bytes().to_vec());
        wanted
            .into_request(
                "id".into(),
                &head.headers,
                &body,
                Peer::default(),
                &JsonBounds::default(),
            )
            .map_err(shown)
    }

    #[test]
    fn a_body_keeps_the_bounds_of_its_listener() {
        let bounds = JsonBounds {
            texts: Some(3),
            ..JsonBounds::default()
        };
        let status = |headers: &[(&str, &str)], body: &str| {
            let head = head("POST /v1/a/b", headers);
            let wanted = Wanted::read(&head).map_err(drop).unwrap();
            let body = Zeroizing::new(body.as_bytes().to_vec());
            let asked =
                wanted.into_request("id".into(), &head.headers, &body, Peer::default(), &bounds);
            asked.map_or_else(|answer| answer.status.as_u16(), |_| 200)
        };
        assert_eq!(status(&[], r#"{"a":["b","c"]}"#), 200);
        assert_eq!(status(&[], r#"{"a":["b","c","d"]}"#), 400);
    }

    #[test]
    fn methods_become_verbs() {
        for (line, verb) in [
            ("GET /v1/a/b", Verb::Read),
            ("GET /v1/a/b?list=true", Verb::List),
            ("GET /v1/a/b?list=True", Verb::List),
            ("GET /v1/a/b?list=1", Verb::List),
            ("GET /v1/a/b?list=no", Verb::Read),
            ("GET /v1/a/b?scan=true", Verb::Scan),
            ("LIST /v1/a/b/", Verb::List),
            ("SCAN /v1/a/b", Verb::Scan),
            ("PUT /v1/a/b", Verb::Write),
            ("POST /v1/a/b", Verb::Write),
            ("DELETE /v1/a/b/", Verb::Delete),
            ("HEAD /v1/sys/health", Verb::Read),
        ] {
            assert_eq!(request(line, &[], "").unwrap().verb, verb, "{line}");
        }
        for line in ["HEAD /v1/a/b", "BREW /v1/a/b", "OPTIONS /v1/a/b"] {
            assert_eq!(
                request(line, &[], "").unwrap_err(),
                (405, "{\"errors\":[]}".into()),
                "{line}"
            );
        }
        assert!(request("GET /v1/a?help=1", &[], "").unwrap().help);
    }

    #[test]
    fn fields_are_bounded_and_none_is_the_parsers_own() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let refused = |line: &str, body: &str| request(line, &form, body).unwrap_err().0;
        let word = "%24serde_json::private::RawValue=[[1]]";
        assert_eq!(refused("POST /v1/a", word), 400);
        let body = r#"{"a":{"$serde_json::private::RawValue":"1"}}"#;
        let (_, text) = request("POST /v1/a", &[], body).unwrap_err();
        assert!(text.contains("a field has a reserved name"), "{text}");
        assert_eq!(refused(&format!("GET /v1/a?{word}"), ""), 400);
        assert_eq!(refused("POST /v1/a", &"a&".repeat(100_000)), 400);
        assert!(request("POST /v1/a", &form, &"a&".repeat(1_000)).is_ok());
    }

    #[test]
    fn paths_are_made_clean_once() {
        assert_eq!(
            request("GET /v1/a/b%20c", &[], "").unwrap().path.as_str(),
            "a/b c"
        );
        for (line, to) in [
            ("GET /v1//secret/a", "/v1/secret/a"),
            ("GET /v1/secret//a?x=1", "/v1/secret/a?x=1"),
            ("POST /v1/secret/a/../b", "/v1/secret/b"),
            ("GET /v1/sys", "/v1/sys/"),
        ] {
            assert_eq!(
                request(line, &[], "").unwrap_err(),
                (307, to.into()),
                "{line}"
            );
        }
        for line in [
            "GET /v1/a/%2e%2e/b",
            "GET /v1/a%2fb",
            "GET /v1/a/%00",
            "POST /v1/a/b/",
        ] {
            assert_eq!(request(line, &[], "").unwrap_err().0, 400, "{line}");
        }
        for line in ["GET /", "GET /v1", "GET /v2/a", "GET /favicon.ico"] {
            assert_eq!(
                request(line, &[], "").unwrap_err(),
                (404, "{\"errors\":[]}".into()),
                "{line}"
            );
        }
    }

    #[test]
    fn queries_are_fields_of_reads_only() {
        let read = request(
            "GET /v1/a?version=2&x=1&x=b%26+c&x=3",
            &[],
            "{\"ignored\":1}",
        )
        .unwrap();
        assert_eq!(
            Value::Object(read.body.0.clone()),
            json!({"version": "2", "x": ["1", "b& c", "3"]})
        );
        let listed = request("GET /v1/a?list=true&after=k", &[], "").unwrap();
        assert_eq!(Value::Object(listed.body.0.clone()), json!({"after": "k"}));
        let written = request("POST /v1/a?x=1", &[], "{\"y\":2}").unwrap();
        assert_eq!(Value::Object(written.body.0.clone()), json!({"y": 2}));
    }

    #[test]
    fn scrapers_say_by_a_header_what_they_want() {
        let format = |line: &str, accept: &str| {
            let request = request(line, &[("accept", accept)], "").unwrap();
            request.body.get("format").cloned()
        };
        let scraper = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
        assert_eq!(
            format("GET /v1/sys/metrics", scraper),
            Some("prometheus".into())
        );
        assert_eq!(format("GET /v1/sys/metrics", "text/plain"), None);
        assert_eq!(
            format("GET /v1/sys/metrics?format=x", scraper),
            Some("x".into())
        );
        assert_eq!(format("GET /v1/secret/a", scraper), None);
    }

    #[test]
    fn bodies_are_objects() {
        for nothing in ["", "  ", "null"] {
            assert!(request("PUT /v1/a", &[], nothing).unwrap().body.is_empty());
        }
        for wrong in [
            "[1]",
            "\"sesame\"",
            "5",
            "{\"a\":",
            "{} sesame",
            "{\"sesame\":sesame}",
        ] {
            let (status, text) = request("PUT /v1/a", &[], wrong).unwrap_err();
            assert_eq!(status, 400, "{wrong}");
            assert!(
                text.contains("failed to parse JSON input") && !text.contains("sesame"),
                "{text}"
            );
        }
        let form = [("content-type", "application/x-www-form-urlencoded")];
        for body in ["ttl=5m", r#" {"ttl": "5m"}"#] {
            let sent = request("POST /v1/a", &form, body).unwrap();
            assert_eq!(Value::Object(sent.body.0.clone()), json!({"ttl": "5m"}));
        }
    }

    #[test]
    fn a_deletion_may_say_more_in_its_body() {
        let sent = request("DELETE /v1/a?versions=1&nonce=x", &[], r#"{"nonce": "n"}"#).unwrap();
        assert_eq!(
            Value::Object(sent.body.0.clone()),
            json!({"nonce": "n", "versions": "1"})
        );
        assert_eq!(request("DELETE /v1/a", &[], "{").unwrap_err().0, 400);
    }

    #[test]
    fn the_token_has_two_places() {
        let token = |headers: &[(&str, &str)]| {
            request("GET /v1/a", headers, "")
                .unwrap()
                .token
                .map(|token| token.expose().clone())
        };
        assert_eq!(
            token(&[("x-vault-token", "one"), ("authorization", "Bearer two")]).as_deref(),
            Some("one")
        );
        assert_eq!(
            token(&[("authorization", "Bearer two")]).as_deref(),
            Some("two")
        );
        assert_eq!(token(&[("authorization", "bearer two")]), None);
        assert_eq!(token(&[("x-vault-token", "")]), None);
        let sent = [
            ("x-vault-token", "one"),
            ("authorization", "Bearer two"),
            ("x-a", "b"),
            ("x-a", "c"),
        ];
        let headers = request("GET /v1/a", &sent, "").unwrap().headers;
        assert_eq!(
            headers,
            BTreeMap::from([("x-a".to_owned(), vec!["b".to_owned(), "c".to_owned()])])
        );
        let scheme = |value: &str| {
            let read = request("GET /v1/a", &[("authorization", value)], "").unwrap();
            read.headers.get("authorization").cloned()
        };
        assert_eq!(scheme("Bearer two"), Some(vec!["Bearer".to_owned()]));
        assert_eq!(scheme("Basic YTpi"), Some(vec!["Basic YTpi".to_owned()]));
    }

    #[test]
    fn patches_say_what_they_are() {
        let patch =
            |kind: &[(&str, &str)]| request("PATCH /v1/a", kind, "{}").map(|request| request.verb);
        assert_eq!(patch(&[]).unwrap_err().0, 400);
        assert_eq!(
            patch(&[("content-type", "application/json")])
                .unwrap_err()
                .0,
            415
        );
        assert_eq!(
            patch(&[(
                "content-type",
                "application/merge-patch+json; charset=utf-8"
            )])
            .unwrap(),
            Verb::Patch
        );
    }

    #[test]
    fn namespaces_have_any_letters_and_are_never_taken_for_the_root() {
        let named = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::NAMESPACE, HeaderValue::from_bytes(value).unwrap());
            namespace(&headers).map(str::to_owned)
        };
        assert_eq!(named("team/größe/".as_bytes()).as_deref(), Ok("team/größe"));
        assert_eq!(named(b"").as_deref(), Ok(""));
        assert!(named(b"team/gr\xf6\xdfe").is_err());
        assert_eq!(namespace(&HeaderMap::new()), Ok(""));
    }

    #[test]
    fn wrapping_and_namespaces() {
        let wrapped = request(
            "GET /v1/a",
            &[
                ("x-vault-wrap-ttl", "1.5h"),
                ("x-vault-namespace", "/team/a/"),
            ],
            "",
        )
        .unwrap();
        assert_eq!(
            (wrapped.wrap_ttl, wrapped.namespace.as_str()),
            (Some(Duration::from_secs(5400)), "team/a")
        );
        assert_eq!(
            request("GET /v1/a", &[("x-vault-wrap-ttl", "0")], "")
                .unwrap()
                .wrap_ttl,
            None
        );
        for wrong in ["soon", "-5s"] {
            let (status, text) =
                request("GET /v1/a", &[("x-vault-wrap-ttl", wrong)], "").unwrap_err();
            assert!(status == 400 && text.contains("X-Vault-Wrap-TTL"), "{text}");
        }
    }
}
