//! Subscriptions as a client has them.

use std::time::Duration;

use coffer_engine::{Body, Fault, Pieces};
use coffer_kernel::Request;
use coffer_wire::{ApiPath, Verb};
use serde_json::{Map, Value};

use super::Harness;

/// How long an event may be away.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream of events.
pub struct Stream(Pieces);

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// An event.
    Event(Value),
    /// The end.
    Cut(Fault),
    /// Nothing for a long time.
    Silence,
}

impl Harness {
    /// Subscribes to a pattern, with a query.
    pub async fn subscribe(
        &self,
        token: &str,
        pattern: &str,
        query: Value,
    ) -> Result<Stream, Fault> {
        self.subscribe_in("", token, pattern, query).await
    }

    /// As [`Harness::subscribe`], in a namespace.
    pub async fn subscribe_in(
        &self,
        namespace: &str,
        token: &str,
        pattern: &str,
        query: Value,
    ) -> Result<Stream, Fault> {
        let path = ApiPath::parse(&format!("sys/events/subscribe/{pattern}")).unwrap();
        let mut request = Request::internal("s".into(), Verb::Read, path);
        request.namespace = namespace.to_owned();
        request.token = Some(std::sync::Arc::new(coffer_crypto::Secret::new(
            token.to_owned(),
        )));
        let accept = vec!["text/event-stream".to_owned()];
        request.headers.insert("accept".to_owned(), accept);
        request.body.0 = match query {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        match self.kernel.handle(request).await {
            Ok(response) => match response.body {
                Body::Stream(stream) => Ok(Stream(stream.pieces)),
                other => panic!("not a stream: {other:?}"),
            },
            Err(refusal) => Err(refusal.fault),
        }
    }
}

impl Stream {
    /// The next event, or how it ends.
    pub async fn next(&mut self) -> Next {
        let next = async {
            loop {
                match self.0.next().await {
                    // How far it has come, which is no event.
                    Some(Ok(piece)) if !piece.starts_with(b"{") => {}
                    piece => return piece,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, next).await {
            Err(_) => Next::Silence,
            Ok(Some(Ok(piece))) => Next::Event(serde_json::from_slice(&piece).unwrap()),
            Ok(Some(Err(fault))) => Next::Cut(fault),
            Ok(None) => panic!("a stream of events ends with a reason"),
        }
    }

    /// The next event.
    pub async fn event(&mut self) -> Value {
        match self.next().await {
            Next::Event(event) => event,
            other => panic!("{other:?}"),
        }
    }

    /// What comes until nothing does for a long time.
    pub async fn events(&mut self) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            match self.next().await {
                Next::Event(event) => all.push(event),
                Next::Silence => return all,
                Next::Cut(fault) => panic!("{fault:?}"),
            }
        }
    }

    /// Why it ends.
    pub async fn cut(&mut self) -> Fault {
        loop {
            match self.next().await {
                Next::Event(_) => {}
                Next::Cut(fault) => return fault,
                Next::Silence => panic!("it does not end"),
            }
        }
    }
}

/// The kind of an event.
pub fn kind(event: &Value) -> &str {
    event["data"]["event_type"].as_str().unwrap()
}

/// Something of its metadata.
pub fn said<'a>(event: &'a Value, name: &str) -> &'a str {
    let said = &event["data"]["event"]["metadata"][name];
    said.as_str().unwrap_or_default()
}

/// Its id.
pub fn id(event: &Value) -> &str {
    event["id"].as_str().unwrap()
}
