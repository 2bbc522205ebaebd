//! `kms`: master keys that never leave the barrier, in the semantics of AWS KMS.
//!
//! Records: `key/<id>` a key with all versions of its material; `alias/<name>` what an alias stands for, with `:` for each `/` of
//! the name; `due/<time>/<id>` says that something is to be done with a key at that time: its deletion, a rotation, the end of
//! imported material. A key and its entry in `due/` change in one write.
//!
//! | file | what it holds |
//! |---|---|
//! | `spec`, `algorithm` | what keys are made of, what they are for, and by which algorithms |
//! | `name` | ids of keys and aliases, as they stand in paths |
//! | `record`, `state` | a stored key, and what may be done with it at a moment |
//! | `book` | reading, changing and removing keys |
//! | `ready`, `cache` | a key as requests use it, and those that were used before |
//! | `blob`, `context` | the format of ciphertexts |
//! | `events` | what is told about keys and aliases |
//! | `exception` | refusals, by the names that AWS gives them |
//!
//! All others are one topic of requests each.

mod algorithm;
mod aliases;
mod blob;
mod book;
mod bytes;
mod cache;
mod context;
mod create;
mod data_key;
mod data_key_pair;
mod describe;
mod encrypt;
mod events;
mod exception;
mod import;
mod import_parameters;
mod life;
mod list;
mod mac;
mod name;
mod pages;
mod public_key;
mod random;
mod re_encrypt;
mod ready;
mod record;
mod rotation;
mod sign;
mod spec;
mod state;
mod tags;
mod terms;
mod tick;
mod turns;

use std::time::Duration;

use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes, keys};

use cache::Cache;
use turns::Turns;

/// The `kms` engine.
pub struct Kms {
    /// Keys that were used before.
    cache: Cache,
    /// Slow work of this mount, a few at a time.
    turns: Turns,
}

impl Engine for Kms {
    const NAME: &'static str = "kms";
    const HELP: &'static str = "Keeps master keys that never leave the server, and encrypts, signs and authenticates with them.";
    const TICK: Option<Duration> = Some(Duration::from_secs(30));

    fn new(_: &MountInfo) -> Self {
        Self {
            cache: Cache::default(),
            turns: Turns::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            create::routes(),
            life::routes(),
            rotation::routes(),
            tags::routes(),
            import_parameters::routes(),
            import::routes(),
            public_key::routes(),
            aliases::routes(),
            encrypt::routes(),
            re_encrypt::routes(),
            data_key::routes(),
            data_key_pair::routes(),
            random::routes(),
            sign::routes(),
            mac::routes(),
        ])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        keys::count(&cx.view, book::KEYS).await.map(Some)
    }

    async fn tick(&self, cx: &Ctx) -> Result<(), Fault> {
        tick::tick(self, cx).await
    }
}
