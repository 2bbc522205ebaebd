//! How long each mount takes for each verb.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use coffer_metrics::{Registry, Summary, Timed, prometheus};
use coffer_wire::Verb;
use parking_lot::Mutex;

/// How many mounts have timings of their own; all others share the ones of `other`.
const MOUNTS_MAX: usize = 256;
/// What stands for the mounts that came later.
const OTHER: &str = "other";
/// The words of the verbs, in the order of the timings. A write is a `create` or an `update`.
const VERBS: [&str; 7] = [
    "read", "list", "scan", "update", "patch", "delete", "create",
];

/// The timings of all mounts. Its lock is taken when a mount is made, never by a request.
#[derive(Debug)]
pub(super) struct Routes {
    registry: Arc<Registry>,
    mounts: Mutex<HashMap<String, Arc<RouteMeters>>>,
}

/// The timings of one mount.
#[derive(Debug)]
pub struct RouteMeters {
    registry: Arc<Registry>,
    mount: String,
    verbs: [OnceLock<Arc<Summary>>; VERBS.len()],
}

impl Routes {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            mounts: Mutex::default(),
        }
    }

    /// The timings of the mount at a path. Mounts whose names Prometheus can not tell apart share them.
    pub(super) fn of(&self, path: &str) -> Arc<RouteMeters> {
        let mut mounts = self.mounts.lock();
        let mut name = path.replace('/', "-");
        if !mounts.contains_key(&prometheus::spelled(&name)) && mounts.len() >= MOUNTS_MAX {
            mounts.retain(|_, meters| Arc::strong_count(meters) > 1 || meters.withdraw());
            if mounts.len() >= MOUNTS_MAX {
                OTHER.clone_into(&mut name);
            }
        }
        let meters = mounts
            .entry(prometheus::spelled(&name))
            .or_insert_with(|| Arc::new(RouteMeters::new(&self.registry, name)));
        Arc::clone(meters)
    }
}

impl RouteMeters {
    fn new(registry: &Arc<Registry>, mount: String) -> Self {
        Self {
            registry: Arc::clone(registry),
            mount,
            verbs: Default::default(),
        }
    }

    /// Times one request until the answer is dropped.
    pub fn timed(&self, verb: Verb, creates: bool) -> Option<Timed<'_>> {
        let at = match verb {
            Verb::Read => 0,
            Verb::List => 1,
            Verb::Scan => 2,
            Verb::Write if creates => 6,
            Verb::Write => 3,
            Verb::Patch => 4,
            Verb::Delete => 5,
        };
        let summary = self.verbs.get(at)?.get_or_init(|| {
            self.registry.summary(
                &self.name(at),
                "Time that a mount takes to answer, in milliseconds.",
            )
        });
        Some(summary.timed())
    }

    /// Takes the timings of a mount that is gone out of the registry; answers false, "not to be kept".
    fn withdraw(&self) -> bool {
        for (at, verb) in self.verbs.iter().enumerate() {
            if verb.get().is_some() {
                self.registry.remove(&self.name(at));
            }
        }
        false
    }

    fn name(&self, at: usize) -> String {
        let verb = VERBS.get(at).copied().unwrap_or_default();
        format!("route.{verb}.{}", self.mount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(registry: &Registry) -> Vec<String> {
        let (_, families) = registry.gather(0);
        families.into_iter().map(|family| family.name).collect()
    }

    #[test]
    fn names_are_those_of_the_reference() {
        let registry = Arc::<Registry>::default();
        let routes = Routes::new(Arc::clone(&registry));
        drop(routes.of("auth/token/").timed(Verb::Write, false));
        drop(routes.of("secret/").timed(Verb::Write, true));
        assert_eq!(
            names(&registry),
            ["route.create.secret-", "route.update.auth-token-"]
        );
    }

    #[test]
    fn mounts_that_are_gone_make_room_and_the_rest_is_other() {
        let registry = Arc::<Registry>::default();
        let routes = Routes::new(Arc::clone(&registry));
        let mut living = Vec::new();
        for at in 0..MOUNTS_MAX {
            let meters = routes.of(&format!("m{at}/"));
            drop(meters.timed(Verb::Read, false));
            living.push(meters);
        }
        assert_eq!(routes.of("more/").mount, OTHER);
        living.truncate(10);
        assert_eq!(routes.of("again/").mount, "again-");
        assert_eq!(names(&registry).len(), 10);
    }
}
