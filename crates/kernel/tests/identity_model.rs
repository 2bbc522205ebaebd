//! Any sequence of changes to entities and groups leaves what a plain model says: who is in which group, directly or
//! by way of others, which policies come of that, and that nothing goes round in circles.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod harness;

use std::collections::{BTreeMap, BTreeSet};

use harness::Harness;
use proptest::prelude::*;
use serde_json::{Value, json};

/// How many entities and groups there are at first.
const MANY: usize = 5;

/// What happens. Numbers choose among those that are there.
#[derive(Clone, Debug)]
enum Step {
    SetEntities { group: usize, members: Vec<usize> },
    SetGroups { group: usize, members: Vec<usize> },
    DeleteGroup(usize),
    DeleteEntity(usize),
    Merge { from: usize, to: usize },
    Make,
}

fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec(any::<usize>(), 0..4);
    prop_oneof![
        4 => (any::<usize>(), some()).prop_map(|(group, members)| Step::SetEntities { group, members }),
        6 => (any::<usize>(), some()).prop_map(|(group, members)| Step::SetGroups { group, members }),
        1 => any::<usize>().prop_map(Step::DeleteGroup),
        1 => any::<usize>().prop_map(Step::DeleteEntity),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(from, to)| Step::Merge { from, to }),
        1 => Just(Step::Make),
    ]
}

#[derive(Default)]
struct Model {
    made: usize,
    entities: BTreeSet<String>,
    /// Of each group: its name, the entities and the groups in it.
    groups: BTreeMap<String, Group>,
}

#[derive(Default)]
struct Group {
    name: String,
    entities: BTreeSet<String>,
    groups: BTreeSet<String>,
}

fn nth<'a>(mut all: impl ExactSizeIterator<Item = &'a String>, which: usize) -> Option<String> {
    all.nth(which.checked_rem(all.len())?).cloned()
}

impl Model {
    /// Whether the second group is the first one or somewhere below it.
    fn holds(&self, group: &str, other: &str) -> bool {
        group == other
            || self.groups[group]
                .groups
                .iter()
                .any(|below| self.holds(below, other))
    }

    fn above(&self, entity: &str) -> BTreeSet<String> {
        let inside = |group: &&String| {
            let groups = self.groups.iter();
            let direct = groups.filter(|(_, group)| group.entities.contains(entity));
            direct.map(|(id, _)| id).any(|id| self.holds(group, id))
        };
        self.groups.keys().filter(inside).cloned().collect()
    }

    async fn make(&mut self, h: &Harness) {
        self.made += 1;
        let entity = h.write("identity/entity", &h.root, json!({})).await;
        self.entities.insert(text(&entity.data()["id"]));
        let name = format!("g{}", self.made);
        let group = h
            .write(
                "identity/group",
                &h.root,
                json!({ "name": name, "policies": [name] }),
            )
            .await;
        let group_id = text(&group.data()["id"]);
        self.groups.insert(
            group_id,
            Group {
                name,
                ..Group::default()
            },
        );
    }

    async fn take(&mut self, h: &Harness, step: Step) {
        match step {
            Step::Make => self.make(h).await,
            Step::SetEntities { group, members } => {
                let Some(id) = nth(self.groups.keys(), group) else {
                    return;
                };
                let members: BTreeSet<_> = members
                    .iter()
                    .filter_map(|n| nth(self.entities.iter(), *n))
                    .collect();
                let wish = json!({ "member_entity_ids": members });
                assert_eq!(
                    h.write(&format!("identity/group/id/{id}"), &h.root, wish)
                        .await
                        .status,
                    204
                );
                self.groups.get_mut(&id).unwrap().entities = members;
            }
            Step::SetGroups { group, members } => {
                let Some(id) = nth(self.groups.keys(), group) else {
                    return;
                };
                let members: BTreeSet<_> = members
                    .iter()
                    .filter_map(|n| nth(self.groups.keys(), *n))
                    .collect();
                let circle = members.iter().any(|member| self.holds(member, &id));
                let wish = json!({ "member_group_ids": members });
                let done = h
                    .write(&format!("identity/group/id/{id}"), &h.root, wish)
                    .await;
                assert_eq!(done.status, if circle { 400 } else { 204 }, "{done:?}");
                if !circle {
                    self.groups.get_mut(&id).unwrap().groups = members;
                }
            }
            Step::DeleteGroup(which) => {
                let Some(id) = nth(self.groups.keys(), which) else {
                    return;
                };
                h.delete(&format!("identity/group/id/{id}"), &h.root).await;
                self.groups.remove(&id);
                self.groups.values_mut().for_each(|group| {
                    let _ = group.groups.remove(&id);
                });
            }
            Step::DeleteEntity(which) => {
                let Some(id) = nth(self.entities.iter(), which) else {
                    return;
                };
                h.delete(&format!("identity/entity/id/{id}"), &h.root).await;
                self.entities.remove(&id);
                self.groups.values_mut().for_each(|group| {
                    let _ = group.entities.remove(&id);
                });
            }
            Step::Merge { from, to } => {
                let from = nth(self.entities.iter(), from);
                let (Some(from), Some(to)) = (from, nth(self.entities.iter(), to)) else {
                    return;
                };
                let wish = json!({ "from_entity_ids": [from], "to_entity_id": to });
                let done = h.write("identity/entity/merge", &h.root, wish).await;
                assert_eq!(done.status, if from == to { 400 } else { 204 }, "{done:?}");
                if from == to {
                    return;
                }
                self.entities.remove(&from);
                for group in self.groups.values_mut() {
                    if group.entities.remove(&from) {
                        group.entities.insert(to.clone());
                    }
                }
            }
        }
    }

    async fn check(&self, h: &Harness) {
        for id in &self.entities {
            let shown = h.read(&format!("identity/entity/id/{id}"), &h.root).await;
            let above = self.above(id);
            assert_eq!(set(&shown.data()["group_ids"]), above);
            let standing = h.open().space.identity.standing(id).await.unwrap().unwrap();
            let names: BTreeSet<_> = above
                .iter()
                .map(|id| self.groups[id].name.clone())
                .collect();
            assert_eq!(
                standing.policies.iter().cloned().collect::<BTreeSet<_>>(),
                names
            );
        }
        for (id, group) in &self.groups {
            let shown = h.read(&format!("identity/group/id/{id}"), &h.root).await;
            assert_eq!(set(&shown.data()["member_entity_ids"]), group.entities);
            assert_eq!(set(&shown.data()["member_group_ids"]), group.groups);
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn set(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}

/// How many entries of the store are about memberships.
async fn stored(h: &Harness, folder: &str) -> usize {
    let store = h.kernel.barrier.store();
    store
        .scan(&format!("sys/identity/{folder}"), None, 1_000)
        .await
        .unwrap()
        .len()
}

async fn run(steps: Vec<Step>) {
    let h = Harness::new().await;
    let mut model = Model::default();
    for _ in 0..MANY {
        model.make(&h).await;
    }
    for step in steps {
        model.take(&h, step).await;
        model.check(&h).await;
    }
    let members = model.groups.values().map(|group| group.entities.len());
    assert_eq!(
        stored(&h, "member/").await,
        members.sum::<usize>(),
        "no index entry leads nowhere"
    );
    let children = model.groups.values().map(|group| group.groups.len());
    assert_eq!(stored(&h, "child/").await, children.sum::<usize>());
    assert_eq!(stored(&h, "entity/").await, model.entities.len());
    assert_eq!(stored(&h, "entity-name/").await, model.entities.len());
    assert_eq!(stored(&h, "group-name/").await, model.groups.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn groups_hold_whom_the_model_says(steps in prop::collection::vec(step(), 1..30)) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(run(steps));
    }
}
