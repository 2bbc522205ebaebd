//! The kernel's own paths below `sys/`, one file per topic.

mod activity;
mod audit;
mod audit_tail;
mod capabilities;
mod control_group;
mod cors;
mod counters;
mod editions;
mod events;
mod explain;
mod facts;
mod group_policies;
mod inspect;
mod internal;
mod keys;
mod lease_owners;
mod leases;
mod locked_users;
mod loggers;
mod metrics;
mod monitor;
mod mount_shape;
mod mounts;
mod namespace_seals;
mod namespaces;
pub(crate) mod openapi;
mod plugins;
mod policies;
mod quotas;
mod raw;
mod reader;
mod remount;
mod seal;
mod seals;
mod snapshot;
mod tools;
mod ui_headers;
mod workflows;
mod wrapping;

use std::sync::LazyLock;

use coffer_engine::{Fault, Reply, Routes};
use coffer_wire::Verb;
use serde_json::json;

use crate::open::Open;

pub(crate) use facts::note_version;
pub(crate) use internal::sender;
pub(crate) use keys::keep_keys_fresh;
pub(crate) use remount::{Moves, finish_moves, run_moves};

static TABLE: LazyLock<Routes<Open>> = LazyLock::new(|| {
    Routes::merge([
        mounts::routes(),
        namespaces::routes(),
        namespace_seals::routes(),
        remount::routes(),
        policies::routes(),
        capabilities::routes(),
        explain::routes(),
        leases::routes(),
        lease_owners::routes(),
        locked_users::routes(),
        quotas::routes(),
        audit::routes().root_only(),
        audit_tail::routes().root_only(),
        seal::routes().root_only(),
        seals::routes().root_only(),
        snapshot::routes().root_only(),
        keys::routes(),
        crate::lifecycle::routes(),
        facts::routes(),
        internal::routes(),
        inspect::routes().root_only(),
        plugins::routes(),
        cors::routes().root_only(),
        ui_headers::routes().root_only(),
        group_policies::routes().root_only(),
        raw::routes().root_only(),
        tools::routes(),
        wrapping::routes(),
        control_group::routes(),
        workflows::routes(),
        crate::identity::mfa::validate_routes(),
        counters::routes(),
        activity::routes(),
        editions::routes(),
        events::routes(),
        metrics::routes().root_only(),
        loggers::routes().root_only(),
        monitor::routes().root_only(),
    ])
});

/// The table of everything below `sys/`.
pub fn routes() -> &'static Routes<Open> {
    &TABLE
}

/// Where the table is mounted.
const MOUNT: &str = "sys/";

/// Whether the body and the answer of a request may be of any length and take any time.
pub(crate) fn is_streamed(verb: Verb, path: &str) -> bool {
    let found = path.strip_prefix(MOUNT).map(|tail| TABLE.find(verb, tail));
    matches!(found, Some(Ok(found)) if found.flags.streamed)
}

/// The answer of a list; an empty list is "not found", as the reference has it.
fn keys(keys: Vec<String>) -> Result<Reply, Fault> {
    if keys.is_empty() {
        Err(Fault::NotFound)
    } else {
        Reply::data(&json!({ "keys": keys }))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tables_contradict_themselves_nowhere() {
        assert_eq!(super::routes().faults(), Vec::<String>::new());
        assert_eq!(crate::tokens::routes().faults(), Vec::<String>::new());
    }
}
