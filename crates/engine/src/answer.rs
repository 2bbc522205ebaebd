//! The shape of everything that is awaited through a table.

use std::future::Future;
use std::pin::Pin;

use crate::Fault;

/// A boxed future of a result, so that calls of any engine have one type.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;
