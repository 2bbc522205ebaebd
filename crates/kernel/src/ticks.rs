//! Periodic work of engines.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use coffer_wire::Timestamp;

use crate::core::Core;
use crate::mounts::Backend;
use crate::open::Open;

/// The shortest pause between two looks at the mounts.
const SHORTEST: Duration = Duration::from_secs(1);

/// When each mount's engine has its next tick, by accessor.
#[derive(Default)]
pub(crate) struct Ticks {
    next: HashMap<String, Timestamp>,
}

impl Ticks {
    /// Runs what is due and answers how long to wait.
    pub(crate) async fn run(&mut self, core: &Arc<Core>) -> Duration {
        let mut pause = Duration::MAX;
        match core.namespaces.needing_care().await {
            Ok(spaces) => {
                for space in spaces {
                    pause = pause.min(self.run_in(&Open::new(core, space)));
                }
            }
            Err(fault) => {
                tracing::warn!(%fault, "namespaces with periodic work could not be read; it is tried again");
            }
        }
        pause.max(SHORTEST)
    }

    fn run_in(&mut self, open: &Open) -> Duration {
        let mut pause = Duration::MAX;
        let mounts = open.space.mounts.every().into_iter();
        for mount in mounts.filter(|mount| !mount.record.tainted && !mount.moving) {
            let Backend::Engine(engine) = &mount.backend else {
                continue;
            };
            let Some(every) = engine.table().tick else {
                continue;
            };
            let now = open.clock.now();
            let next = self
                .next
                .entry(mount.record.accessor.clone())
                .or_insert(now);
            if *next <= now {
                *next = now.plus(every);
                let open = open.clone();
                let mount = Arc::clone(&mount);
                tokio::spawn(async move {
                    let Ok(engine) = mount.engine() else { return };
                    if let Err(fault) = engine.tick(&open.background(&mount)).await {
                        tracing::warn!(mount = mount.record.path, %fault, "periodic work failed and will be tried again");
                    }
                });
            }
            pause = pause.min(next.since(now));
        }
        pause
    }
}
