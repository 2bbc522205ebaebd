//! The secrets engines.
