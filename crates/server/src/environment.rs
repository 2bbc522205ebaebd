//! Environment variables in the three dialects.

/// `COFFER_…`, then `BAO_…`, then `VAULT_…`; an empty one counts as none.
pub(crate) fn variable(name: &str) -> Option<String> {
    let named = |prefix: &str| std::env::var(format!("{prefix}_{name}")).ok();
    ["COFFER", "BAO", "VAULT"]
        .into_iter()
        .filter_map(named)
        .find(|value| !value.is_empty())
}
