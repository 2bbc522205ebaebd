//! Keepers with real servers of others: OpenBao's transit, and moto in the place of AWS KMS and STS.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail"
)]

mod awskms;
mod plain_http;
mod process;
mod transit;

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_barrier::{WrapError, Wrapper};
use coffer_engine::outbound::{Outbound, Request, Response};

use plain_http::PlainHttp;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn keeper(kind: &str, options: &[(&str, &str)], environment: &[(&str, &str)]) -> Arc<dyn Wrapper> {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let environment = map(environment);
    let asked = |name: &str| environment.get(name).cloned();
    coffer_seals::build(kind, &map(options), &asked, Arc::new(PlainHttp)).unwrap()
}

/// What an administrator asks.
async fn ask(request: Request) -> Response {
    PlainHttp.fetch("test", request).await.unwrap()
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, WrapError>) -> String {
    match answer {
        Err(WrapError::Refused(why)) => why,
        other => panic!("this is no refusal: {other:?}"),
    }
}
