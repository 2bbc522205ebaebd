//! The page and what it asks for: small, on loopback, without login, because nothing secret is in it.

mod live;
mod page;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::database::Database;
use crate::settings::Settings;
use crate::status::Status;

/// Connections at the same time.
const CONNECTIONS_MAX: usize = 200;
/// A request's head comes within this time.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long what is under way may take when the service stops.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// What a failed `accept` (too many open files) waits.
const BREATHER: Duration = Duration::from_millis(100);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What requests need.
#[derive(Clone)]
struct Shared {
    database: Arc<Database>,
    status: Arc<Status>,
    stopped: watch::Receiver<bool>,
    address: SocketAddr,
}

/// Takes the port, and says where that is.
pub async fn listen(settings: &Settings) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(settings.listen).await;
    let listener =
        listener.map_err(|error| format!("cannot listen at {}: {error}", settings.listen))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let url = format!("http://{address}/");
    if let Some(file) = &settings.address_file {
        std::fs::write(file, format!("{url}\n"))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    println!("the page is at {url}");
    Ok(listener)
}

/// Serves until it is told to stop, then lets what is under way finish.
pub async fn serve(
    listener: TcpListener,
    database: Arc<Database>,
    status: Arc<Status>,
    mut stopped: watch::Receiver<bool>,
) {
    let Ok(address) = listener.local_addr() else {
        return;
    };
    let shared = Shared {
        database,
        status: status.clone(),
        stopped: stopped.clone(),
        address,
    };
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => break,
            _ = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some((stream, slot)) = accepted else {
            sleep(BREATHER).await;
            continue;
        };
        let shared = shared.clone();
        connections.spawn(async move {
            connection(stream, shared).await;
            drop(slot);
        });
    }
    drop(listener);
    status.stopping();
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(STOP_WITHIN, all).await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, slot))
}

async fn connection(stream: TcpStream, shared: Shared) {
    let mut stopped = shared.stopped.clone();
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&request, &shared).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn answer(request: &Request<Incoming>, shared: &Shared) -> Response<Body> {
    if !is_for_us(request, shared.address) {
        return text(StatusCode::MISDIRECTED_REQUEST, "not this host\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/orders" => orders(shared).await,
        "/status.json" => json_body(StatusCode::OK, shared.status.json()),
        "/healthz" if shared.status.is_well() => text(StatusCode::OK, "ok\n"),
        "/healthz" => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "no query was answered lately\n",
        ),
        "/live" => live::stream(shared.status.watch(), shared.stopped.clone()),
        path => match page::file(path) {
            Some((media, content)) => page::with_policy(bytes(StatusCode::OK, media, content)),
            None => text(StatusCode::NOT_FOUND, "nothing here\n"),
        },
    }
}

/// A page of another host whose name was made to lead here (DNS rebinding) is not answered.
fn is_for_us(request: &Request<Incoming>, address: SocketAddr) -> bool {
    let host = request.headers().get(HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name == address.ip().to_string() || name == format!("[{}]", address.ip())
}

/// One live query, for whoever asks.
async fn orders(shared: &Shared) -> Response<Body> {
    match shared.database.orders().await {
        Ok(answered) => {
            let body = json!({ "user": answered.user, "orders": answered.orders });
            json_body(StatusCode::OK, body.to_string())
        }
        Err(problem) => {
            let body = json!({ "error": problem });
            json_body(StatusCode::SERVICE_UNAVAILABLE, body.to_string())
        }
    }
}

fn json_body(status: StatusCode, body: String) -> Response<Body> {
    bytes(status, "application/json", body.into())
}

fn text(status: StatusCode, words: &'static str) -> Response<Body> {
    bytes(
        status,
        "text/plain; charset=utf-8",
        Bytes::from_static(words.as_bytes()),
    )
}

fn bytes(status: StatusCode, media: &'static str, content: Bytes) -> Response<Body> {
    body(status, media, Full::new(content).boxed_unsync())
}

fn body(status: StatusCode, media: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        "x-content-type-options",
        HeaderValue::from_static("nosniff"),
    );
    response
}
