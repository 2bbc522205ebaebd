use super::Subscription;
use crate::{Client, Method, Request};

/// Calls about events.
#[derive(Clone, Copy)]
pub struct Events<'a> {
    client: &'a Client,
}

/// Which events are wanted.
#[derive(Clone)]
#[must_use]
pub struct Subscribe {
    client: Client,
    pattern: String,
    namespaces: Vec<String>,
    filter: Option<String>,
    since: Option<String>,
}

impl<'a> Events<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Events whose kind fits `pattern`, in which `*` stands for any text: `kv-v2/data-write`, `kv*`, `*`.
    pub fn subscribe(&self, pattern: impl Into<String>) -> Subscribe {
        Subscribe {
            client: self.client.clone(),
            pattern: pattern.into(),
            namespaces: Vec::new(),
            filter: None,
            since: None,
        }
    }
}

impl Subscribe {
    /// Events of namespaces below the client's own, too; `*` stands for any text.
    pub fn namespaces<T: Into<String>>(mut self, patterns: impl IntoIterator<Item = T>) -> Self {
        self.namespaces.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Only events for which an expression holds, for example `data_path == "secret/data/app"`.
    pub fn filter(mut self, expression: impl Into<String>) -> Self {
        self.filter = Some(expression.into());
        self
    }

    /// Begins after the event with this id, instead of now.
    pub fn since(mut self, id: impl Into<String>) -> Self {
        self.since = Some(id.into());
        self
    }

    /// The stream. Nothing is sent before its first event is waited for.
    #[must_use]
    pub fn start(mut self) -> Subscription {
        let since = self.since.take();
        Subscription::new(self, since)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// What asks for the events after a position.
    pub(super) fn request(&self, since: Option<&str>) -> Request {
        let mut request = Request::new(
            Method::Get,
            format!("sys/events/subscribe/{}", self.pattern),
        )
        .accept("text/event-stream")
        .query("json", "true");
        for namespace in &self.namespaces {
            request = request.query("namespaces", namespace);
        }
        if let Some(filter) = &self.filter {
            request = request.query("filter", filter);
        }
        match since {
            Some(id) => request.query("since", id),
            None => request,
        }
    }
}
