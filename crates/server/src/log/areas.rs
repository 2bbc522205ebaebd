//! The areas of the server whose levels can be set apart.

/// The areas, with the beginning of the targets whose lines belong to them. The longest beginning counts.
pub(super) const AREAS: &[(&str, &str)] = &[
    ("audit", "coffer_kernel::audit"),
    ("auth", "coffer_auth"),
    ("barrier", "coffer_barrier"),
    ("core", "coffer_kernel"),
    ("expiration", "coffer_kernel::leases"),
    ("http", "coffer_server::http"),
    ("listener", "coffer_server::listener"),
    ("mounts", "coffer_kernel::mounts"),
    ("policy", "coffer_kernel::policy"),
    ("seal", "coffer_kernel::lifecycle"),
    ("secrets", "coffer_secrets"),
    ("server", "coffer_server"),
    ("storage", "coffer_storage"),
    ("system", "coffer_kernel::sys"),
    ("token", "coffer_kernel::tokens"),
];

/// The area that a target's lines belong to; a library's belong to the library.
pub(super) fn of(target: &str) -> &str {
    let below = |start: &str| {
        let rest = target.strip_prefix(start)?;
        (rest.is_empty() || rest.starts_with("::")).then_some(start.len())
    };
    let found = AREAS
        .iter()
        .filter_map(|(name, start)| Some((below(start)?, *name)))
        .max();
    let library = target.split("::").next().unwrap_or_default();
    found.map_or(library, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_counts() {
        for (target, area) in [
            ("coffer_kernel::leases::worker", "expiration"),
            ("coffer_kernel::leasesx", "core"),
            ("coffer_kernel", "core"),
            ("coffer_server::http::edge", "http"),
            ("hyper::proto::h1", "hyper"),
        ] {
            assert_eq!(of(target), area, "{target}");
        }
    }
}
