//! Envelope encryption of files and streams.
