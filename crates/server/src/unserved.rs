//! Settings that are understood and have no effect in this version; their warnings shall name each of them.

use crate::config::Config;

/// One sentence for each setting that is set in vain.
pub(crate) fn warnings(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |text: String| found.push(text);
    if config.cluster_addr.is_some() {
        say("`cluster_addr` has no effect: this server runs as a single node".to_owned());
    }
    found
}
