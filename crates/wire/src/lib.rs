//! What travels between Coffer and its clients.
//!
//! Envelopes, error bodies, header names, paths and the *lenient* input types: Vault's clients send
//! `"1h"`, `3600` or `"3600"` for one duration, `"a,b"` or `["a","b"]` for one list. Each such type
//! parses every accepted spelling once, at the door, into a strict value and describes itself for the
//! generated help. Nothing here knows of HTTP libraries, async code or storage.

mod digits;
mod duration;
mod envelope;
pub mod header;
mod json;
mod json_bounds;
mod lenient;
mod network;
mod path;
mod time;
mod verb;

pub use digits::digits;
pub use duration::{DurationError, Ttl, format_duration, parse_duration};
pub use envelope::{Auth, Envelope, ErrorBody, WrapInfo};
pub use json::{
    MAX_JSON_DEPTH, RawJson, Wiped, is_parsers_word, parse_foreign, parse_object, write_json,
};
pub use json_bounds::{BoundPassed, JsonBounds};
pub use lenient::{CommaList, Decimal, Flag, Int, KvPairs, Moment, Text};
pub use network::{NetworkError, format_networks, parse_networks};
pub use path::{ApiPath, PathFault};
pub use time::Timestamp;
pub use verb::Verb;
