//! Whom an application may sign in.

use crate::identity::edit::Noun;
use coffer_barrier::Stored;
use serde::{Deserialize, Serialize};

use super::super::Standing;

/// The assignment that is there from the start, and names everybody.
pub const ALLOW_ALL: &str = "allow_all";

/// An assignment, as stored under `assignment/<name>`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Assignment {
    /// Ids of entities.
    pub entity_ids: Vec<String>,
    /// Ids of groups, whose members are meant, those of groups in them included.
    pub group_ids: Vec<String>,
}

impl Stored for Assignment {}

impl Noun for Assignment {
    const FOLDER: &'static str = "assignment/";
}

impl Assignment {
    /// The assignment of a name that is there without being stored.
    pub fn built_in(name: &str) -> Option<Self> {
        let everybody = vec!["*".to_owned()];
        (name == ALLOW_ALL).then(|| Self {
            entity_ids: everybody.clone(),
            group_ids: everybody,
        })
    }

    /// Whether it names an entity, or a group that the entity is in. A `*` in a stored one names nobody.
    pub fn names(&self, standing: &Standing) -> bool {
        let in_group = |id: &String| standing.groups().any(|group| group.id == *id);
        self.entity_ids.contains(&standing.entity.id) || self.group_ids.iter().any(in_group)
    }
}
