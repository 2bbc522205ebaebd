//! One listener's way from an HTTP request to its answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use coffer_crypto::Zeroizing;
use coffer_engine::{Body as Reply, Fault, Upload};
use coffer_kernel::{Kernel, Refusal, Request, Response};
use coffer_wire::{JsonBounds, Verb};
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use hyper::body::Body;
use tokio_util::task::TaskTracker;

use super::aws::{self, Door};
use super::cors::Admitted;
use super::doors::{Doors, Shown};
use super::events::{Asked, Connected, Granted};
use super::headers::AddedHeaders;
use super::outgoing::Outgoing;
use super::peer::Peer;
use super::redact::Redaction;
use super::request::Wanted;
use super::response::Answer;
use super::watch::{Watch, Watched};
use super::{address, body, certificate, ui};
use crate::config::{Binding, Config, ForwardedFor, Listener};

/// What a listener's requests have in common.
pub(crate) struct Edge {
    kernel: Arc<Kernel>,
    running: TaskTracker,
    max_body_bytes: u64,
    json: JsonBounds,
    room: body::Room,
    max_read_time: Option<Duration>,
    max_request_duration: Duration,
    forwarded_for: Option<ForwardedFor>,
    doors: Doors,
    aws: Door,
    redaction: Redaction,
    added: AddedHeaders,
    watch: Watch,
    has_dashboard: bool,
}

impl Edge {
    /// The edge of one listener; `running` tracks the handlers at work.
    pub(crate) fn new(
        kernel: Arc<Kernel>,
        running: TaskTracker,
        listener: &Listener,
        config: &Config,
        watch: Watch,
    ) -> Self {
        let forwarded_for = match &listener.binding {
            Binding::Tcp { forwarded_for, .. } => forwarded_for.clone(),
            Binding::Unix(_) => None,
        };
        Self {
            kernel,
            running,
            max_body_bytes: listener.max_request_size_bytes.unwrap_or(u64::MAX),
            json: listener.json,
            room: body::Room::new(listener.max_request_size_bytes.unwrap_or(u64::MAX)),
            max_read_time: listener.timeouts.read,
            max_request_duration: listener.max_request_duration,
            forwarded_for,
            doors: Doors::new(listener),
            aws: Door::new(listener.aws_kms.as_deref()),
            redaction: Redaction::new(listener),
            added: AddedHeaders::new(listener, config),
            watch,
            has_dashboard: config.ui && !listener.metrics_only,
        }
    }

    /// Answers one request. A client that hangs up drops this, never the handler behind it.
    pub(crate) async fn serve<B>(
        &self,
        peer: Peer,
        request: http::Request<B>,
    ) -> http::Response<Outgoing>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        let (head, body) = request.into_parts();
        let mut response = match self.dashboard(&head) {
            Some(response) => response,
            None => self.admitted(&peer, &head, body).await.into_http(),
        };
        if ui::concerns(head.uri.path())
            && let Ok(core) = self.kernel.core()
        {
            ui::decorate(&core.ui_headers, response.headers_mut());
        }
        let length = response.body().length();
        self.added.add(response.status(), response.headers_mut());
        if head.method == Method::HEAD {
            if let Some(length) = length {
                let length = HeaderValue::from(length);
                response.headers_mut().insert(CONTENT_LENGTH, length);
            }
            *response.body_mut() = Outgoing::EMPTY;
        }
        if head.headers.contains_key(TRANSFER_ENCODING) {
            end_connection(&mut response);
        }
        response
    }

    /// The dashboard's answer, where the request is for it.
    fn dashboard(&self, head: &Parts) -> Option<http::Response<Outgoing>> {
        let is_ours = self.has_dashboard && self.aws.place(head).is_none();
        is_ours.then(|| ui::answer(head)).flatten()
    }

    /// The answer to a request whose origin, where it names one, may come.
    async fn admitted<B>(&self, peer: &Peer, head: &Parts, body: B) -> Answer
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        match Admitted::look(&self.kernel, head) {
            Ok(None) => self.answered(peer, head, body, None).await,
            Ok(Some(page)) => {
                let mut answer = match page.preflight(head) {
                    Some(answer) => answer,
                    None => self.answered(peer, head, body, Some(&page)).await,
                };
                page.admit(&mut answer);
                answer
            }
            Err(answer) => answer,
        }
    }

    async fn answered<B>(
        &self,
        peer: &Peer,
        head: &Parts,
        body: B,
        page: Option<&Admitted>,
    ) -> Answer
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        let answer = self.answer(peer, head, body, page).await;
        answer.unwrap_or_else(|answer| answer)
    }

    /// Answers a request that has both Content-Length and Transfer-Encoding.
    pub(crate) fn refuse_two_lengths(&self) -> http::Response<Outgoing> {
        let text =
            "a request can not have both Content-Length and Transfer-Encoding; send one of them";
        let mut response = Answer::error(StatusCode::BAD_REQUEST, text).into_http();
        self.added.add(response.status(), response.headers_mut());
        end_connection(&mut response);
        response
    }

    async fn answer<B>(
        &self,
        peer: &Peer,
        head: &Parts,
        body: B,
        page: Option<&Admitted>,
    ) -> Result<Answer, Answer>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        let peer = self.client(peer, head)?;
        let id = self.kernel.barrier.random().uuid_v4();
        if let Some(place) = self.aws.place(head) {
            let watched = self.watch.begin(&self.kernel, &id, head, peer.address);
            let answer = self.answer_as_aws(&place, &id, head, body, peer, &watched);
            let answer = answer
                .await
                .unwrap_or_else(|exception| exception.answer(&id));
            return Ok(watched.end(answer));
        }
        let wanted = Wanted::read(head)?;
        if let Err(fault) = self.doors.pass(wanted.path()) {
            return Err(Answer::refused(Refusal::new(id, fault)));
        }
        let watched = self.watch.begin(&self.kernel, &id, head, peer.address);
        let shown = self.doors.shown(wanted.path());
        let shown = shown.filter(|_| wanted.is_of_root());
        let answer = match (shown, Asked::read(head, wanted.path(), page)) {
            (_, Err(answer)) => Err(answer),
            (_, Ok(Some(asked))) => {
                self.subscribe(&asked, wanted, id, head, peer, &watched)
                    .await
            }
            (Some(shown), _) => Ok(self.show(shown, &wanted, id)),
            (None, _) => self.ask(wanted, id, head, body, peer, &watched).await,
        };
        Ok(watched.end(answer.unwrap_or_else(|answer| answer)))
    }

    /// Answers a request in AWS's protocol.
    async fn answer_as_aws<B>(
        &self,
        place: &aws::Place,
        id: &str,
        head: &Parts,
        body: B,
        peer: Peer,
        watched: &Watched,
    ) -> Result<Answer, aws::Exception>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        let most = self.max_body_bytes.min(aws::MAX_BODY_BYTES);
        let received = body::read(body, most, self.max_read_time, &self.room).await?;
        let (id, bytes) = (id.to_owned(), &received.bytes);
        let signed = aws::Signed::read(place, id, head, bytes, peer, &self.json)?;
        if let Err(fault) = self.doors.pass(signed.request.path.as_str()) {
            return Ok(aws::answered(
                signed.operation,
                Err(Refusal::new(signed.request.id, fault)),
            ));
        }
        let time = self.max_request_duration;
        let answer = self.run(signed.request, time, watched).await;
        Ok(aws::answered(signed.operation, answer))
    }

    /// Answers what everyone may see here, whatever the server's state.
    fn show(&self, shown: Shown, wanted: &Wanted, request_id: String) -> Answer {
        let reply = match (shown, wanted.verb()) {
            (Shown::Metrics, Verb::Read) => self.kernel.scrape(wanted.queried("format")),
            (Shown::InFlight, Verb::Read) => self.kernel.settings.in_flight.reply(),
            _ => Err(Fault::UnsupportedVerb),
        };
        match reply {
            Ok(reply) => Answer::granted(Response {
                request_id,
                status: reply.status,
                body: reply.body,
                ..Response::default()
            }),
            Err(fault) => Answer::refused(Refusal::new(request_id, fault)),
        }
    }

    /// Asks the kernel.
    async fn ask<B>(
        &self,
        wanted: Wanted,
        id: String,
        head: &Parts,
        body: B,
        peer: Peer,
        watched: &Watched,
    ) -> Result<Answer, Answer>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        let redacted = self.redaction.concerns(wanted.path());
        if self.kernel.is_streamed(wanted.verb(), wanted.path()) {
            return self.stream(id, wanted, head, body, peer, watched).await;
        }
        let body::Received { bytes, room } = match wanted.has_body() {
            true => body::read(body, self.max_body_bytes, self.max_read_time, &self.room).await?,
            false => body::Received::default(),
        };
        let request = wanted.into_request(id, &head.headers, &bytes, peer, &self.json)?;
        drop(bytes);
        let answer = self.run(request, self.max_request_duration, watched).await;
        drop(room); // The fields of a body take more room than its bytes, until they are handled.
        Ok(match answer {
            Ok(mut response) => {
                if redacted {
                    self.redaction.apply(&mut response);
                }
                Answer::granted(response)
            }
            Err(refusal) => Answer::refused(refusal),
        })
    }

    /// Begins a stream of events, if the kernel grants it.
    async fn subscribe(
        &self,
        asked: &Asked,
        wanted: Wanted,
        id: String,
        head: &Parts,
        peer: Peer,
        watched: &Watched,
    ) -> Result<Answer, Answer> {
        let Some(connected) = head.extensions.get::<Connected>().cloned() else {
            return Err(Answer::silent(StatusCode::NOT_FOUND));
        };
        let mut request =
            wanted.into_request(id, &head.headers, &Zeroizing::default(), peer, &self.json)?;
        if let Some(since) = asked.since() {
            request.body.0.insert("since".to_owned(), since.into());
        }
        let answer = self.run(request, self.max_request_duration, watched).await;
        let mut response = answer.map_err(Answer::refused)?;
        match std::mem::take(&mut response.body) {
            Reply::Stream(streamed) => {
                let granted = Granted::new(streamed, connected);
                Ok(granted.answer(asked, head, watched))
            }
            body => Ok(Answer::granted(Response { body, ..response })),
        }
    }

    /// Answers a request whose body and answer may be of any length and take any time. Not a byte of the body
    /// is taken before the kernel wants it.
    async fn stream<B>(
        &self,
        id: String,
        wanted: Wanted,
        head: &Parts,
        body: B,
        peer: Peer,
        watched: &Watched,
    ) -> Result<Answer, Answer>
    where
        B: Body + Unpin,
        B::Data: Buf,
    {
        let (upload, asked_for) = Upload::new();
        let mut request =
            wanted.into_request(id, &head.headers, &Zeroizing::default(), peer, &self.json)?;
        // What has no body to send has nothing to wait for either.
        let upload = Some(upload).filter(|_| request.verb == Verb::Write);
        request.upload = upload.unwrap_or_default();
        let sent = async {
            match asked_for.feed().await {
                Some(feed) => body::pass_on(body, feed).await,
                // A client that waits for our word has not begun to send.
                None if head.headers.contains_key(EXPECT) => {}
                None => body::give_back(body).await,
            }
        };
        let (answer, ()) = tokio::join!(self.run(request, Duration::MAX, watched), sent);
        answer.map_or_else(
            |refusal| Err(Answer::refused(refusal)),
            |response| Ok(Answer::granted(response)),
        )
    }

    /// Who is behind the connection: its other end, or whom that speaks for.
    fn client(&self, peer: &Peer, head: &Parts) -> Result<Peer, Answer> {
        let (Some(address), Some(rules)) = (peer.address, &self.forwarded_for) else {
            return Ok(peer.clone());
        };
        let client = address::client(address, rules, &head.headers)
            .map_err(|text| Answer::error(StatusCode::BAD_REQUEST, text))?;
        let certificates = certificate::forwarded(address, rules, &head.headers)
            .map_err(|text| Answer::error(StatusCode::BAD_REQUEST, text))?;
        let own = peer.trusted_serial.clone();
        Ok(Peer {
            address: Some(client),
            // A proxy's own certificate is not its client's.
            trusted_serial: own.filter(|_| certificates.is_none()),
            certificates: certificates.unwrap_or_else(|| Arc::clone(&peer.certificates)),
        })
    }

    /// Runs the request in a task of its own, so that neither a client that hangs up nor the end of its time stops
    /// it half-way, and a fault of ours ends that task alone.
    async fn run(
        &self,
        mut request: Request,
        max_time: Duration,
        watched: &Watched,
    ) -> Result<Response, Refusal> {
        let request_id = request.id.clone();
        request.flight = Some(watched.flight());
        let (kernel, running) = (Arc::clone(&self.kernel), watched.running());
        let task = self.running.spawn(async move {
            let answer = kernel.handle(request).await;
            drop(running);
            answer
        });
        let fault = match tokio::time::timeout(max_time, task).await {
            Ok(Ok(answer)) => return answer,
            Ok(Err(error)) if error.is_panic() => {
                Fault::internal("the handler panicked, see above")
            }
            Ok(Err(_)) => Fault::Unavailable("the server is stopping".into()),
            Err(_) => Fault::Unavailable(format!(
                "the request took longer than {}; it goes on, so look at its outcome before you try again",
                coffer_wire::format_duration(max_time)
            )),
        };
        Err(Refusal::new(request_id, fault))
    }
}

/// A proxy that trusted another length than we did finds the connection ended, not a second request inside the
/// first one's body (RFC 9112, section 6.1).
fn end_connection(response: &mut http::Response<Outgoing>) {
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}
