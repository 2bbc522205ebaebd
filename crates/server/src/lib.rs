//! The HTTP edge: listeners, TLS, configuration and the registry of engines.

pub mod config;
