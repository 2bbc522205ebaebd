//! Which logins need a second factor.

use coffer_barrier::Stored;
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

use super::method::{self, Method};
use crate::identity::Standing;
use crate::identity::edit::Noun;
use crate::mounts::Mount;
use crate::open::Open;

/// An enforcement, as stored under `enforcement/<name>`. A login that anything here names must pass one of the methods.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Enforcement {
    /// Names it for ever.
    pub id: String,
    /// Ids of methods.
    pub methods: Vec<String>,
    /// Accessors of auth mounts.
    pub accessors: Vec<String>,
    /// Types of auth mounts.
    pub kinds: Vec<String>,
    /// Ids of groups, whose members are meant, those of groups in them included.
    pub groups: Vec<String>,
    /// Ids of entities.
    pub entities: Vec<String>,
}

/// An enforcement that a login must pass, with its methods that are there.
pub struct Demand {
    /// Its name, as clients are told it.
    pub name: String,
    /// Any of them will do; where none is there, the login can not be.
    pub methods: Vec<Method>,
}

impl Stored for Enforcement {}

impl Noun for Enforcement {
    const FOLDER: &'static str = "enforcement/";
}

impl Enforcement {
    /// Whether it names anything.
    pub fn names_anything(&self) -> bool {
        let lists = [&self.accessors, &self.kinds, &self.groups, &self.entities];
        lists.iter().any(|list| !list.is_empty())
    }

    /// Whether it names a login.
    fn names(&self, mount: &Mount, standing: Option<&Standing>) -> bool {
        let of_mount = self.accessors.contains(&mount.record.accessor)
            || self.kinds.iter().any(|kind| kind == mount.record.engine());
        let of_entity = standing.is_some_and(|standing| {
            let in_group = |id: &String| standing.groups().any(|group| group.id == *id);
            self.entities.contains(&standing.entity.id) || self.groups.iter().any(in_group)
        });
        of_mount || of_entity
    }
}

/// What a login of the namespace at hand must pass: what is enforced there, and in those above.
pub async fn demands(
    open: &Open,
    mount: &Mount,
    standing: Option<&Standing>,
) -> Result<Vec<Demand>, Fault> {
    let mut demands: Vec<Demand> = Vec::new();
    for space in open.space.line() {
        for (name, enforcement) in space.mfa.all::<Enforcement>().await? {
            if !enforcement.names(mount, standing) {
                continue;
            }
            let mut methods = Vec::new();
            for id in &enforcement.methods {
                methods.extend(method::find(open, id).await?.map(|(method, _)| method));
            }
            let taken = demands.iter().any(|demand| demand.name == name);
            let name = match taken {
                true => format!("{name} ({})", space.path),
                false => name,
            };
            demands.push(Demand { name, methods });
        }
    }
    Ok(demands)
}
