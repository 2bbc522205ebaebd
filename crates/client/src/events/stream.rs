use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};

use super::message::{Arrived, Reader};
use super::{Event, Subscribe};
use crate::retry::{backoff, unit_random};
use crate::{Download, Error};

/// A server that says nothing for so long, not even that it lives, is gone.
const SILENCE: Duration = Duration::from_secs(50);
/// The server's word that it was not stopped in order, so that events may be missing.
const GAP: &str = "sys/events-gap";
/// The last message of a stream.
const END: &str = "end";

/// A stream of events that goes on across broken connections and restarts of the server: each event is delivered once,
/// in order, and what could not be delivered is told.
pub struct Subscription {
    wish: Subscribe,
    /// The position of the last event that arrived whole.
    since: Option<String>,
    /// The position of the last event that was delivered.
    delivered: Option<String>,
    answer: Option<Download>,
    reader: Reader,
    arrived: VecDeque<Delivery>,
    /// Until when not to try again.
    pause: Option<Instant>,
    failures: u32,
    /// Whether the server ever granted it.
    was_open: bool,
}

/// What comes out of a [`Subscription`].
#[derive(Debug)]
pub enum Delivery {
    /// Something happened.
    Event(Box<Event>),
    /// Something may have happened that is not told any more: whoever keeps copies should read them again.
    Lost {
        /// Why.
        reason: String,
    },
    /// The connection is lost; it is made again by itself, and goes on behind the last event.
    Broken {
        /// Why.
        reason: String,
        /// When it is tried again.
        wait: Duration,
    },
}

/// What the server says at the end.
#[derive(Deserialize)]
struct Ending {
    #[serde(default)]
    reason: String,
    since: Option<String>,
}

impl Subscription {
    pub(super) fn new(wish: Subscribe, since: Option<String>) -> Self {
        Self {
            wish,
            delivered: since.clone(),
            since,
            answer: None,
            reader: Reader::default(),
            arrived: VecDeque::new(),
            pause: None,
            failures: 0,
            was_open: false,
        }
    }

    /// Where to go on: the id of the last event that was delivered, or where the stream began. Give it to
    /// [`Subscribe::since`] to go on in another process.
    #[must_use]
    pub fn position(&self) -> Option<&str> {
        self.delivered.as_deref()
    }

    /// Waits for what happens next. Dropping the future loses nothing.
    ///
    /// # Errors
    /// What trying again does not mend: the server refuses the subscription, or could not be reached for the first time.
    pub async fn next(&mut self) -> Result<Delivery, Error> {
        loop {
            if let Some(delivery) = self.arrived.pop_front() {
                if let Delivery::Event(event) = &delivery {
                    self.delivered = Some(event.id.clone());
                }
                return Ok(delivery);
            }
            self.delivered.clone_from(&self.since);
            if let Some(pause) = self.pause {
                sleep_until(pause).await;
                self.pause = None;
            }
            match &mut self.answer {
                Some(answer) => {
                    let chunk = timeout(SILENCE, answer.chunk()).await;
                    match chunk {
                        Ok(Ok(Some(piece))) => self.receive(&piece),
                        Ok(Ok(None)) => self.broken("the server ended the connection"),
                        Ok(Err(error)) => self.broken(&error.to_string()),
                        Err(_) => self.broken("the server does not say anything any more"),
                    }
                }
                None => self.open().await?,
            }
        }
    }

    async fn open(&mut self) -> Result<(), Error> {
        let request = self.wish.request(self.since.as_deref());
        match self.wish.client().download(&request).await {
            Ok(answer) => {
                self.answer = Some(answer);
                self.reader = Reader::default();
                self.was_open = true;
                Ok(())
            }
            Err(error) if self.is_passed(&error) => {
                self.since = None;
                self.arrived.push_back(Delivery::Lost {
                    reason: words(&error),
                });
                Ok(())
            }
            Err(error) if self.was_open && passes(&error) => {
                self.broken(&words(&error));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the server has no events any more that follow the position.
    fn is_passed(&self, error: &Error) -> bool {
        let Error::Api { status, errors, .. } = error else {
            return false;
        };
        self.since.is_some() && is_about_position(*status, errors)
    }

    fn receive(&mut self, piece: &[u8]) {
        let mut reader = std::mem::take(&mut self.reader);
        let mut all = Vec::new();
        let taken = reader.take(piece, |arrived| all.push(arrived));
        self.reader = reader;
        for arrived in all {
            self.arrive(arrived);
            if self.answer.is_none() {
                return;
            }
        }
        if taken.is_err() {
            self.broken("the server sent a message that is too long");
        }
    }

    fn arrive(&mut self, arrived: Arrived) {
        match arrived {
            Arrived::Beat => self.failures = 0,
            Arrived::Position(id) => self.since = Some(id),
            Arrived::Message { kind, data, .. } if kind == END => {
                let ending: Option<Ending> = serde_json::from_str(&data).ok();
                let (reason, since) = ending
                    .map(|one| (one.reason, one.since))
                    .unwrap_or_default();
                self.since = since.or(self.since.take());
                self.broken(&reason);
            }
            Arrived::Message { data, id, .. } => match Event::read(data) {
                Ok(event) => {
                    self.failures = 0;
                    self.since = id.or(Some(event.id.clone()));
                    if event.kind == GAP {
                        self.arrived.push_back(Delivery::Lost {
                            reason: "the server was not stopped in order; events of its last moments may be missing".to_owned(),
                        });
                    }
                    self.arrived.push_back(Delivery::Event(Box::new(event)));
                }
                Err(_) => self.broken("the server sent something that is no event"),
            },
        }
    }

    /// The connection is lost, and is made again after a while.
    fn broken(&mut self, reason: &str) {
        self.answer = None;
        let wait = backoff(self.failures, unit_random());
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(Instant::now() + wait);
        self.arrived.push_back(Delivery::Broken {
            reason: reason.to_owned(),
            wait,
        });
    }
}

/// Whether an error may be none after a while.
fn passes(error: &Error) -> bool {
    match error {
        Error::Api { status, .. } => matches!(status, 412 | 429 | 500 | 502..=504),
        Error::Sealed { .. }
        | Error::Connect { .. }
        | Error::Timeout { .. }
        | Error::Broken { .. } => true,
        _ => false,
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::Api { errors, .. } if !errors.is_empty() => errors.join("; "),
        other => other.to_string(),
    }
}

fn is_about_position(status: u16, errors: &[String]) -> bool {
    let of_another_log = |text: &String| text.contains("`since`") && text.contains("another log");
    status == 410 || status == 400 && errors.iter().any(of_another_log)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responder::Responder;

    fn event(id: &str) -> String {
        let json = format!(
            r#"{{"id":"{id}","data":{{"event":{{"metadata":{{"path":"p"}}}},"event_type":"a/b"}}}}"#
        );
        format!("id: {id}\nevent: a/b\ndata: {json}\n\n")
    }

    fn shown(delivery: &Delivery) -> String {
        match delivery {
            Delivery::Event(event) => event.id.clone(),
            Delivery::Lost { .. } => "lost".to_owned(),
            Delivery::Broken { .. } => "broken".to_owned(),
        }
    }

    async fn all(stream: &mut Subscription) -> (Vec<String>, Error) {
        let mut all = Vec::new();
        loop {
            match stream.next().await {
                Ok(delivery) => all.push(shown(&delivery)),
                Err(error) => return (all, error),
            }
        }
    }

    const REFUSED: &str = r#"{"errors":["permission denied"]}"#;

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_behind_the_last_whole_event() {
        let begin = "retry: 2000\nid: p0\n\n";
        let responder = Responder::start([
            (
                200,
                format!("{begin}{}{}id: 3\ndata: {{\"id\":", event("1"), event("2")),
            ),
            (503, r#"{"errors":["busy"]}"#.to_owned()),
            (
                200,
                format!(
                    "{begin}{}",
                    "event: end\ndata: {\"reason\":\"the server stops\",\"since\":\"9\"}\n\n"
                ),
            ),
            (403, REFUSED.to_owned()),
        ])
        .await;
        let client = responder.client();
        let wish = client
            .events()
            .subscribe("kv-v2/*")
            .namespaces(["a/", "b*"])
            .filter("path == x");
        let (delivered, error) = all(&mut wish.start()).await;
        assert_eq!(delivered, ["1", "2", "broken", "broken", "broken"]);
        assert_eq!(error.status(), Some(403));
        let since: Vec<_> = responder
            .requests()
            .iter()
            .map(|request| {
                assert!(request.contains("accept: text/event-stream"), "{request}");
                assert!(request.starts_with("GET /v1/sys/events/subscribe/kv-v2/*?json=true&namespaces=a%2F&namespaces=b*&filter=path+%3D%3D+x"));
                let line = request.lines().next().unwrap().split_once("since=");
                line.map(|(_, id)| id.trim_end_matches(" HTTP/1.1").to_owned())
            })
            .collect();
        assert_eq!(
            since,
            [None, Some("2".into()), Some("2".into()), Some("9".into())]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_lost_is_told() {
        let gap = event("5").replace("a/b", GAP);
        let responder = Responder::start([
            (410, r#"{"errors":["these events are gone"]}"#.to_owned()),
            (200, gap),
            (403, REFUSED.to_owned()),
        ])
        .await;
        let mut stream = responder
            .client()
            .events()
            .subscribe("*")
            .since("1")
            .start();
        let (delivered, _) = all(&mut stream).await;
        assert_eq!(delivered, ["lost", "lost", "5", "broken"]);
        assert!(!responder.requests()[1].contains("since="));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_final_and_so_is_a_server_that_was_never_there() {
        let refused = |status: u16, text: &str| vec![(status, text.to_owned())];
        for (answers, status) in [
            (refused(403, REFUSED), 403),
            (refused(400, r#"{"errors":["`since` is no id"]}"#), 400),
            (refused(503, r#"{"errors":["Vault is sealed"]}"#), 503),
        ] {
            let responder = Responder::start(answers).await;
            let mut stream = responder
                .client()
                .events()
                .subscribe("*")
                .since("1")
                .start();
            assert_eq!(stream.next().await.unwrap_err().status(), Some(status));
        }
    }
}
