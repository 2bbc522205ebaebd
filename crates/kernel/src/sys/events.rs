//! `sys/events/subscribe`: what happens, as it happens.

use std::sync::Arc;
use std::time::Duration;

use coffer_engine::{Ctx, Fault, Feed, Handle, Pieces, Routes, Streamed, path};
use coffer_wire::{CommaList, Flag, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::core::Core;
use crate::events::{Asks, Cut, Subscription, Wish};
use crate::open::Open;

/// How long a subscriber may take to read what is sent.
const SENDING_MAX: Duration = Duration::from_secs(60);
/// How often it is told how far a subscription has come that has nothing to tell: who was away goes on from there.
const BETWEEN_POSITIONS: Duration = Duration::from_secs(10);
/// The media type of events that are sent piece by piece; edges that frame them otherwise say so.
const MEDIA_TYPE: &str = "application/x-ndjson";
const EVENT_STREAM: &str = "text/event-stream";

pub(super) fn routes() -> Routes<Open> {
    Routes::new([path(
        "events/subscribe/{event_type*}",
        "What happens, as it happens.",
    )
    .read::<Subscribe>()])
}

/// Sends events as they happen, each as CloudEvents in JSON, over a WebSocket or as Server-Sent Events.
///
/// Shown are those events on whose `data_path` (else `path`) the token holds `subscribe`. The stream ends when the token
/// does, when it may not read this path any more, or when the server is sealed.
#[derive(Deserialize, JsonSchema)]
struct Subscribe {
    /// The kinds of events, for example `kv-v2/data-write`; `*` stands for any text.
    event_type: String,
    /// JSON is the only form there is; over a WebSocket it has to be asked for, because others have another default.
    #[serde(default)]
    json: Option<Flag>,
    /// Which namespaces besides the one of the request, as seen from there; `*` stands for any text.
    #[serde(default)]
    namespaces: CommaList,
    /// An expression that events must meet, over `event_type`, `namespace`, `operation`, `path`, `data_path`,
    /// `source_plugin_mount` and `metadata.NAME`.
    #[serde(default)]
    filter: Text,
    /// The `id` of the last event that is known: what came after it is sent first. `oldest` for all that is kept.
    #[serde(default)]
    since: Text,
}

impl Handle<Open> for Subscribe {
    type Reply = Streamed;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Streamed, Fault> {
        self.refuse_forms(cx)?;
        let asks = Asks {
            token: cx.token.clone().ok_or(Fault::Denied)?,
            caller: cx.caller.clone().ok_or(Fault::Denied)?,
            client: cx.request.client,
        };
        let wish = Wish {
            pattern: self.event_type,
            namespaces: self.namespaces.0,
            filter: self.filter.0,
            since: self.since.0,
        };
        let subscription = Subscription::open(open, asks, &wish).await?;
        let (feed, pieces) = Pieces::new();
        tokio::spawn(follow(Arc::clone(open), subscription, feed));
        Ok(Streamed {
            media_type: Some(MEDIA_TYPE),
            attachment: false,
            pieces: pieces.endless(),
        })
    }
}

impl Subscribe {
    /// Refuses who would wait for an end that never comes, or for a form that there is not.
    fn refuse_forms(&self, cx: &Ctx) -> Result<(), Fault> {
        let header = |name: &str| cx.request.headers.get(name).map_or("", String::as_str);
        let upgrade = header("upgrade").eq_ignore_ascii_case("websocket");
        if !upgrade && !header("accept").contains(EVENT_STREAM) {
            return Err(Fault::invalid(
                "events come over a WebSocket (with `?json=true`), or as Server-Sent Events (with the header `Accept: text/event-stream`); `coffer events subscribe` shows them",
            ));
        }
        match self.json.map_or(!upgrade, |json| json.0) {
            true => Ok(()),
            false => Err(Fault::invalid(
                "events are sent as JSON alone: add `?json=true`",
            )),
        }
    }
}

/// Sends events until nobody reads them, or may read them, any more. How the sending ends says why. A piece that is the
/// bare id of an event says how far the subscription has come.
async fn follow(core: Arc<Core>, mut subscription: Subscription, feed: Feed) {
    let mut told = None;
    let cut = loop {
        let next = match told {
            None => Ok(None),
            Some(_) => tokio::select! {
                () = feed.unread() => return,
                next = subscription.next() => next.transpose(),
                () = tokio::time::sleep(BETWEEN_POSITIONS) => Ok(None),
            },
        };
        let bytes = match next {
            Ok(Some(event)) => {
                told = Some(event.id);
                event.json.as_bytes().to_vec()
            }
            Ok(None) => {
                let position = subscription.position();
                if told.replace(position) == Some(position) {
                    continue;
                }
                position.to_string().into_bytes()
            }
            Err(cut) => break cut,
        };
        match tokio::time::timeout(SENDING_MAX, feed.send(bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                core.settings.meters.events.cut(Cut::TooSlow.reason());
                break Cut::TooSlow;
            }
        }
    };
    drop((subscription, core));
    // Who does not read any more does not wait for the reason either.
    let _ = tokio::time::timeout(SENDING_MAX, feed.fail(cut.fault())).await;
}
