//! Gauges that are read where they are asked for: a look at memory, never at storage.

use std::sync::Arc;

use coffer_engine::Class;

use crate::core::Core;
use crate::mounts::Mount;
use crate::namespaces::Space;
use crate::settings::Settings;

/// Brings the gauges of an open server up to date.
pub(crate) fn refresh(core: &Core) {
    let meters = &core.settings.meters;
    let cluster = meters.cluster();
    of_any_state(&core.settings);
    let (leases, tokens) = (meters.leases.known.get(), meters.tokens.ending.get());
    match leases.zip(tokens) {
        Some((leases, tokens)) => meters.leases.num_leases.set_whole(leases + tokens),
        None => meters.leases.num_leases.forget(),
    }
    match meters.leases.irrevocable.get() {
        Some(count) => meters.leases.num_irrevocable_leases.set_whole(count),
        None => meters.leases.num_irrevocable_leases.forget(),
    }
    if let Ok(key) = core.barrier.key_info() {
        let term = vec![key.term.to_string()];
        meters
            .core
            .encryptions
            .set([(term, whole(key.encryptions))]);
    }
    core.events.measure();
    let spaces = core.namespaces.in_memory();
    of_mounts(core, &spaces, &cluster);
    let mut entries = Vec::new();
    let mut sizes = Vec::new();
    for (class, name) in [(Class::Auth, "auth"), (Class::Secret, "logical")] {
        let mounts: Vec<_> = spaces
            .iter()
            .flat_map(|space| space.mounts.all(class))
            .collect();
        for local in [false, true] {
            let those = || mounts.iter().filter(|mount| mount.record.local == local);
            let labels = vec![cluster.clone(), local.to_string(), name.to_owned()];
            entries.push((labels.clone(), whole_count(those().count())));
            let bytes = those().map(|mount| record_bytes(mount)).sum();
            sizes.push((labels, whole_count(bytes)));
        }
    }
    meters.core.mounts.set(entries);
    meters.core.mounts_size.set(sizes);
}

/// Leases are counted by accessors, which stay; they are shown by the paths of now.
fn of_mounts(core: &Core, spaces: &[Arc<Space>], cluster: &str) {
    let leases = &core.settings.meters.leases;
    let Some(counts) = leases.of_mounts.get() else {
        return leases.by_mount.set([]);
    };
    let shown = spaces.iter().flat_map(|space| {
        let mounts = space.mounts.all(Class::Secret).into_iter();
        mounts.filter_map(|mount| {
            let count = *counts.get(&mount.record.accessor)?;
            let labels = [cluster, space.shown(), &mount.record.path];
            let count = u64::try_from(count).unwrap_or_default();
            Some((labels.map(str::to_owned).to_vec(), whole(count)))
        })
    });
    leases.by_mount.set(shown);
}

/// Brings up to date what is known of a sealed server, too.
pub(crate) fn of_any_state(settings: &Settings) {
    let meters = &settings.meters;
    let in_flight = meters.core.in_flight_requests.of(&[&meters.cluster()]);
    in_flight.set(whole_count(settings.in_flight.count()));
    let seals = settings.seals.enabled();
    let healthy = seals.iter().map(|stanza| {
        let health = settings.seals.health(&stanza.name);
        let labels = vec![stanza.name.clone(), stanza.kind().to_owned()];
        (labels, if health.is_healthy() { 1.0 } else { 0.0 })
    });
    let lost = settings.seals.lost();
    let lost = lost.into_iter().map(|(name, kind)| (vec![name, kind], 0.0));
    meters.seals.healthy.set(healthy.chain(lost));
}

fn record_bytes(mount: &Mount) -> usize {
    serde_json::to_vec(&mount.record).map_or(0, |text| text.len())
}

fn whole_count(count: usize) -> f64 {
    whole(u64::try_from(count).unwrap_or(u64::MAX))
}

fn whole(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a gauge; exact to 2^53")]
    let count = count as f64;
    count
}
