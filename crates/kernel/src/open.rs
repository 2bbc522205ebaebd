//! The open server as seen from one namespace.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use coffer_engine::{Ctx, Event, Fault, Nesting, RequestInfo, Upload};
use coffer_wire::Verb;

use crate::core::Core;
use crate::events::Origin;
use crate::leases::Desk;
use crate::mounts::Mount;
use crate::namespaces::{Space, id_of};

/// What is there while the barrier is open: the parts that all namespaces share, reached directly, and those of
/// the namespace at hand. A pair of pointers, made for each request and for each piece of background work.
///
/// There are no back-pointers: handlers of the kernel's own paths get this as their engine.
#[derive(Clone)]
pub struct Open {
    core: Arc<Core>,
    /// The parts of the namespace.
    pub space: Arc<Space>,
}

impl Open {
    /// The server as seen from a namespace.
    pub fn new(core: &Arc<Core>, space: Arc<Space>) -> Self {
        Self {
            core: Arc::clone(core),
            space,
        }
    }

    /// The server as seen from the namespace that a token, an accessor or a lease id belongs to, if that is the
    /// one at hand or lies within it: nobody reaches up or sideways.
    pub async fn within(&self, name: &str) -> Result<Option<Self>, Fault> {
        if id_of(name) == self.space.id {
            return Ok(Some(self.clone()));
        }
        let home = self.home_of(name).await?;
        Ok(home.filter(|home| home.space.seen_from(&self.space).is_some()))
    }

    /// Tells what the kernel itself has done in the namespace at hand; the event's path begins there.
    pub(crate) fn tell(&self, event: Event) {
        let origin = Origin {
            space: &self.space,
            mount: None,
        };
        self.events.publish(origin, event);
    }

    /// The context of a question to the auth method that somebody came by, asked because of another request of theirs.
    pub fn asking(&self, mount: &Arc<Mount>, because: &RequestInfo) -> Ctx {
        let cx = self.background(mount);
        let request = RequestInfo {
            id: because.id.clone(),
            client: because.client,
            certificates: Arc::clone(&because.certificates),
            ..(*cx.request).clone()
        };
        Ctx {
            request: Arc::new(request),
            ..cx
        }
    }

    /// The context of work that no request asked for.
    pub fn background(&self, mount: &Arc<Mount>) -> Ctx {
        let id = self.random.uuid_v4();
        let request = RequestInfo {
            id,
            verb: Verb::Write,
            path: mount.record.path.clone(),
            client: None,
            certificates: Arc::default(),
            headers: BTreeMap::new(),
            nesting: Nesting::default(),
        };
        let desk = Desk::of_background(self);
        Ctx {
            view: mount.view.clone(),
            now: self.clock.now(),
            random: self.random.clone(),
            request: Arc::new(request),
            caller: None,
            token: None,
            upload: Upload::default(),
            mount: Arc::clone(&mount.info),
            services: Arc::new(desk),
        }
    }
}

impl Deref for Open {
    type Target = Arc<Core>;

    fn deref(&self) -> &Arc<Core> {
        &self.core
    }
}
