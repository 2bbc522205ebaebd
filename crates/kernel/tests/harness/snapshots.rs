//! Snapshots, taken and given back.

use std::sync::Arc;

use coffer_engine::{Body, Upload};
use coffer_kernel::Request;
use coffer_wire::{ApiPath, Verb};
use serde_json::Value;

use super::{Answer, Harness};

const PATH: &str = "sys/storage/raft/snapshot";

/// A snapshot of a server.
pub async fn save(server: &Harness) -> Vec<u8> {
    let mut request = Request::internal("s".into(), Verb::Read, ApiPath::parse(PATH).unwrap());
    request.token = Some(Arc::new(coffer_crypto::Secret::new(server.root.clone())));
    let Body::Stream(mut stream) = server.kernel.handle(request).await.unwrap().body else {
        panic!("a snapshot is a stream");
    };
    assert_eq!(stream.media_type, Some("application/gzip"));
    let mut snapshot = Vec::new();
    while let Some(piece) = stream.pieces.next().await {
        snapshot.extend(piece.unwrap());
    }
    snapshot
}

/// Sends `body` if it is asked for; ends it properly only if it is `whole`.
pub async fn upload(server: &Harness, path: &str, token: &str, body: &[u8], whole: bool) -> Answer {
    let (upload, wanted) = Upload::new();
    let sent = async {
        let Some(feed) = wanted.feed().await else {
            return;
        };
        for piece in body.chunks(1000) {
            if feed.send(piece.to_vec()).await.is_err() {
                return;
            }
        }
        if whole {
            feed.end().await.ok();
        }
    };
    let asked = server.request_with(Verb::Write, path, token, Value::Null, |request| {
        request.upload = upload;
    });
    tokio::join!(asked, sent).0
}

/// Replaces what a server has by a snapshot.
pub async fn restore(server: &Harness, path: &str, snapshot: &[u8]) -> Answer {
    upload(server, path, &server.root, snapshot, true).await
}
