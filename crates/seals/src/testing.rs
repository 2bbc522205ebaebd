//! A world of the tests' own: what is asked is kept, what is answered is theirs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use coffer_barrier::{WrapError, Wrapped, Wrapper};
use coffer_crypto::Zeroizing;
use coffer_engine::outbound::{Outbound, Request, Response};
use coffer_engine::{Answer, Fault};
use serde_json::{Value, json};

use crate::{BuildError, build};

type Script = dyn Fn(&Request) -> Result<(u16, Vec<u8>), Fault> + Send + Sync;

/// The other end of every request.
pub(crate) struct World {
    asked: Mutex<Vec<Request>>,
    script: Mutex<Arc<Script>>,
}

impl World {
    /// One that answers with JSON, or garbage in a text.
    pub(crate) fn new(
        script: impl Fn(&Request) -> (u16, Value) + Send + Sync + 'static,
    ) -> Arc<Self> {
        let world = Self {
            asked: Mutex::default(),
            script: Mutex::new(Arc::new(|_| Err(Fault::upstream("no connection")))),
        };
        world.change(script);
        Arc::new(world)
    }

    /// From now on it answers so.
    pub(crate) fn change(&self, script: impl Fn(&Request) -> (u16, Value) + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(move |request| {
            let (status, body) = script(request);
            let body = match body {
                Value::String(text) => text.into_bytes(),
                body => body.to_string().into_bytes(),
            };
            Ok((status, body))
        });
    }

    /// From now on nobody is there.
    pub(crate) fn vanish(&self) {
        *self.script.lock().unwrap() = Arc::new(|_| Err(Fault::upstream("no connection")));
    }

    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// How often it was asked for an address that contains this.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.asked()
            .iter()
            .filter(|request| request.url.contains(part))
            .count()
    }

    /// A keeper in this world.
    pub(crate) fn keeper(
        self: &Arc<Self>,
        kind: &str,
        options: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Arc<dyn Wrapper>, BuildError> {
        let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let environment = map(environment);
        let outbound = Arc::new(End(Arc::clone(self)));
        build(
            kind,
            &map(options),
            &|name| environment.get(name).cloned(),
            outbound,
        )
    }
}

struct End(Arc<World>);

impl Outbound for End {
    fn fetch<'a>(&'a self, _: &'a str, request: Request) -> Answer<'a, Response> {
        Box::pin(async move {
            let script = Arc::clone(&self.0.script.lock().unwrap());
            self.0.asked.lock().unwrap().push(request.clone());
            let (status, body) = script(&request)?;
            if body.len() > request.most {
                return Err(Fault::upstream("the answer is too long"));
            }
            Ok(Response {
                status,
                media_type: String::new(),
                body: Zeroizing::new(body),
            })
        })
    }
}

/// The body of a request.
pub(crate) fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap_or(Value::Null)
}

/// The value of a header of a request.
pub(crate) fn header(request: &Request, name: &str) -> String {
    let found = request.headers.iter().find(|(other, _)| other == name);
    found
        .map(|(_, value)| value.to_string())
        .unwrap_or_default()
}

/// Whatever an unfriendly server may answer with success: none of it is taken, and nothing of it is repeated.
pub(crate) async fn survives(world: &World, keeper: &dyn Wrapper, wrapped: &Wrapped) {
    let secret = "hunter2hunter2";
    let deep = "[".repeat(60_000);
    let answers = [
        json!(""),
        json!(secret),
        json!(deep),
        json!(format!("{{\"data\":{}", "x".repeat(100))),
        json!([secret]),
        json!({}),
        json!({ "data": null, "value": null, "plaintext": null, "Plaintext": null }),
        json!({ "data": { "plaintext": secret }, "plaintext": "!", "Plaintext": "!", "value": "!" }),
        json!({ "data": { "plaintext": "" }, "plaintext": "", "Plaintext": "", "value": "" }),
        json!({ "data": { "plaintext": 1, "ciphertext": 1 }, "plaintext": 1, "Plaintext": 1, "value": 1 }),
        json!({ "data": { "ciphertext": secret }, "ciphertext": "!", "CiphertextBlob": "!" }),
        json!("x".repeat(1 << 20)),
    ];
    for answer in answers {
        for status in [200, 204, 302, 400, 403, 404, 418, 429, 500, 503, 999] {
            let told = answer.clone();
            world.change(move |_| (status, told.clone()));
            for result in [
                keeper.wrap(b"root key").await.map(drop),
                keeper.unwrap(wrapped).await.map(drop),
            ] {
                let error = result.expect_err("garbage is no answer");
                assert!(!error.to_string().contains("hunter2"), "{error}");
                assert!(error.to_string().len() < 400, "{error}");
            }
        }
    }
    world.vanish();
    let gone = keeper.unwrap(wrapped).await;
    assert!(matches!(gone, Err(WrapError::Unreachable(_))), "{gone:?}");
}
