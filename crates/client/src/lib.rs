//! Typed async client of the HTTP API.
