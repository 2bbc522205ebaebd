//! Bytes at slash-separated paths: the Store trait, its backends and their conformance suite.
