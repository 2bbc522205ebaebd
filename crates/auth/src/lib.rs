//! The auth methods.
