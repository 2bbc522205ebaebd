//! What a directory of files says a server shall hold, and how the server is made equal to it.
//!
//! | file | what it holds |
//! |---|---|
//! | `folder` | the directory: its files, and what stands where by convention |
//! | `blocks` | one file's blocks as declarations |
//! | `given` | values as they are written, with those that come from elsewhere |
//! | `declaration`, `kind` | one thing that shall be there |
//! | `server` | what is there: reading, and every change |
//! | `identity` | entities, groups and their aliases, which are written by name and kept by id |
//! | `same` | when two values mean the same |
//! | `compare`, `plan`, `order`, `prune` | what differs, what has to change, in which order, and what is there beside |
//! | `show` | a plan for people |
//! | `carry_out` | doing it |
//!
//! Everything goes over the public API by `coffer_client`. Secrets are values that come from the environment or a file;
//! they are sent and compared, and never shown.

mod blocks;
mod carry_out;
mod compare;
mod declaration;
mod folder;
mod given;
mod glob;
mod identity;
mod kind;
mod lines;
mod order;
mod plan;
mod prune;
mod same;
mod server;
mod show;

pub(crate) use carry_out::{Report, carry_out};
pub(crate) use folder::read;
pub(crate) use plan::{Options, Plan, make};
pub(crate) use server::Server;
pub(crate) use show::{headline, text};
