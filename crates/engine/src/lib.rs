//! The seam: what a secrets engine or an auth method is, and everything it may use.
//!
//! An engine is a type with a table of paths ([`Engine::routes`]). Each verb on a path has one request
//! type: its fields are the parameters, its doc comments the help, its [`Handle`] implementation the
//! behaviour. Help, OpenAPI, warnings about unknown fields and the test that every route refuses
//! without a token all read that same table. An engine reaches the world only through [`Ctx`].
//!
//! Secrets that live outside (a database user) are announced by a durable [`Intent`] before they are
//! made and described by a [`Lease`], which says how they are extended and undone. What an auth method wants to know again when a
//! token is renewed is a [`Session`].

mod answer;
mod ctx;
mod engine;
mod event;
mod fault;
pub mod keys;
mod kind;
mod lease;
mod lookup;
mod nesting;
mod openapi;
pub mod outbound;
mod pieces;
pub mod plaintext;
mod reply;
mod router;
mod routes;
mod session;
pub mod testing;
mod upload;

pub use answer::Answer;
pub use coffer_barrier::{Changes, Seen, Stored, View};
pub use ctx::{Caller, Ctx, MountInfo, RequestInfo, Services, TokenKind};
pub use engine::{Engine, Handle};
pub use event::Event;
pub use fault::Fault;
pub use kind::{Class, Kind, Live, Mounted, Table};
pub use lease::{Intent, Lease, Leased, NewLease, Renewal};
pub use lookup::lookup;
pub use nesting::Nesting;
pub use openapi::{Operation, operations};
pub use pieces::{Feed, Pieces, Unread};
pub use reply::{
    Alias, Body, Empty, Grant, Login, Raw, Renewed, Replies, Reply, Streamed, WithDuration,
    WithStatus, WithWarnings, Wrapping,
};
pub use router::{Found, Miss};
pub use routes::{Endpoint, Exists, Flags, Path, Role, Routes, path};
pub use session::{Session, Stay};
pub use upload::{Upload, Wanted};
