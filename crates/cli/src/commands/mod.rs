//! One file per command.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod completion;
pub(crate) mod debug;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod kv;
pub(crate) mod lease;
pub(crate) mod list;
pub(crate) mod login;
pub(crate) mod monitor;
pub(crate) mod operator;
pub(crate) mod patch;
pub(crate) mod path_help;
pub(crate) mod policy;
pub(crate) mod print;
pub(crate) mod read;
pub(crate) mod secrets;
pub(crate) mod server;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod unwrap;
pub(crate) mod version;
pub(crate) mod write;
