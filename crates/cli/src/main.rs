//! The `coffer` binary: server, agent and command line in one.
//!
//! [`declared`] is what `apply` and `diff` work with. [`invocation`] reads the command line as Vault's users write it, [`cli`] is the tree of commands, `commands` holds one
//! file per command, [`output`] the formats.

mod cli;
mod commands;
mod context;
mod declared;
mod failure;
mod field;
mod global;
mod input;
mod invocation;
mod mount_flags;
mod output;
mod rehearsal;
mod token_file;
mod ui;

use std::process::ExitCode;

/// Requests make and drop many small things, on all threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One TLS library for everything this process does; only the first call can win, and there is no other.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    ExitCode::from(cli::run(std::env::args_os()))
}
