//! Making one entity of several.

use std::collections::{BTreeMap, BTreeSet};

use coffer_engine::Fault;

use super::super::alias::Alias;
use super::super::entity::{Entity, MAX_MERGED};
use super::super::work::{Change, Work};

/// Two aliases of the same mount, one of the entity that remains and one of an entity that goes.
#[derive(Clone, Debug)]
pub struct Clash {
    /// Of the entity that remains.
    pub ours: Side,
    /// Of the entity that goes.
    pub theirs: Side,
}

/// An alias with whose it is.
#[derive(Clone, Debug)]
pub struct Side {
    /// The entity's id.
    pub entity_id: String,
    /// The entity's name.
    pub entity: String,
    /// The alias.
    pub alias: Alias,
}

/// Moves the aliases and memberships of entities to another one; they are gone then, and their tokens are its tokens.
/// Policies and notes stay as they are at the one that remains.
#[derive(Clone, Debug)]
pub struct Merge {
    /// The ids of those that go.
    pub from: Vec<String>,
    /// The id of the one that remains.
    pub to: String,
    /// The ids of the aliases that stay where two are of the same mount. The others are deleted.
    pub keep: Vec<String>,
}

impl Change for Merge {
    /// What was in the way; then nothing is done.
    type Done = Vec<Clash>;

    async fn decide(&self, work: &mut Work) -> Result<Vec<Clash>, Fault> {
        let from: BTreeSet<&String> = self.from.iter().collect();
        if from.contains(&self.to) {
            return Err(Fault::invalid(
                "to_entity_id should not be present in from_entity_ids",
            ));
        }
        let to = work.entity(&self.to).await?;
        let mut to = to.ok_or_else(|| Fault::invalid("entity id to merge to is invalid"))?;
        let mut gone = Vec::new();
        for id in from {
            let entity = work.entity(id).await?;
            gone.push(entity.ok_or_else(|| Fault::invalid("entity id to merge from is invalid"))?);
        }
        refuse_clash_among(&gone)?;
        let clashes: Vec<Clash> = gone.iter().flat_map(|from| clashes(&to, from)).collect();
        if self.keep.is_empty() && !clashes.is_empty() {
            return Ok(clashes);
        }
        for entity in gone {
            let dropped = self.dropped(&to, &entity)?;
            work.delete_entity(&entity.id);
            absorb(&mut to, entity, &dropped)?;
        }
        to.updated = work.now;
        work.put_entity(to);
        Ok(Vec::new())
    }
}

impl Clash {
    /// The clash in words.
    pub fn told(&self) -> String {
        format!(
            "mountAccessor: {}, toEntity ID: {}, fromEntity ID: {}, conflicting toEntity alias ID: {}, conflicting fromEntity alias ID: {}",
            self.ours.alias.mount,
            self.ours.entity_id,
            self.theirs.entity_id,
            self.ours.alias.id,
            self.theirs.alias.id
        )
    }
}

fn clashes(to: &Entity, from: &Entity) -> Vec<Clash> {
    let side = |entity: &Entity, alias: &Alias| Side {
        entity_id: entity.id.clone(),
        entity: entity.name.clone(),
        alias: alias.clone(),
    };
    let clash = |theirs: &Alias| {
        Some(Clash {
            ours: side(to, to.alias_in(&theirs.mount)?),
            theirs: side(from, theirs),
        })
    };
    from.aliases.iter().filter_map(clash).collect()
}

impl Merge {
    /// Of each two aliases in the same mount the one that is not to be kept.
    fn dropped(&self, to: &Entity, from: &Entity) -> Result<BTreeSet<String>, Fault> {
        let mut dropped = BTreeSet::new();
        for theirs in &from.aliases {
            let Some(ours) = to.alias_in(&theirs.mount) else {
                continue;
            };
            let kept = |id: &String| self.keep.contains(id);
            match (kept(&ours.id), kept(&theirs.id)) {
                (true, false) => dropped.insert(theirs.id.clone()),
                (false, true) => dropped.insert(ours.id.clone()),
                (true, true) => {
                    return Err(Fault::Invalid(format!(
                        "an entity has one alias for each mount, so only one of {} and {} can be kept",
                        theirs.id, ours.id
                    )));
                }
                (false, false) => {
                    return Err(Fault::Invalid(format!(
                        "conflicting mount accessors in following alias IDs and neither were present in conflicting_alias_ids_to_keep: {}, {}",
                        theirs.id, ours.id
                    )));
                }
            };
        }
        Ok(dropped)
    }
}

fn refuse_clash_among(entities: &[Entity]) -> Result<(), Fault> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for entity in entities {
        for alias in &entity.aliases {
            let other = owners.insert(&alias.mount, &entity.id);
            if other.is_some_and(|other| other != entity.id) {
                return Err(Fault::Invalid(format!(
                    "mount accessor {} found in multiple fromEntities, merge should be done with one fromEntity at a time",
                    alias.mount
                )));
            }
        }
    }
    Ok(())
}

fn absorb(to: &mut Entity, from: Entity, dropped: &BTreeSet<String>) -> Result<(), Fault> {
    to.aliases.retain(|alias| !dropped.contains(&alias.id));
    for mut alias in from.aliases {
        if !dropped.contains(&alias.id) {
            alias.merged_from.push(from.id.clone());
            to.aliases.push(alias);
        }
    }
    for alias in &mut to.aliases {
        alias.custom_metadata.take_if(|notes| notes.is_empty());
    }
    for group in from.groups {
        to.join(group)?;
    }
    to.merged.extend(from.merged);
    to.merged.push(from.id);
    match to.merged.len() > MAX_MERGED {
        true => Err(Fault::Invalid(format!(
            "at most {MAX_MERGED} entities can be merged into one"
        ))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(id: &str, aliases: &[(&str, &str)]) -> Entity {
        let alias = |(id, mount): &(&str, &str)| Alias {
            id: (*id).into(),
            name: (*id).into(),
            mount: (*mount).into(),
            ..Alias::default()
        };
        Entity {
            id: id.into(),
            aliases: aliases.iter().map(alias).collect(),
            groups: vec!["shared".into(), format!("of-{id}")],
            ..Entity::default()
        }
    }

    fn keeping(ids: &[&str]) -> Merge {
        Merge {
            from: vec!["b".into()],
            to: "a".into(),
            keep: ids.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn of_two_aliases_in_one_mount_the_wanted_one_stays() {
        let (a, b) = (
            entity("a", &[("a1", "m")]),
            entity("b", &[("b1", "m"), ("b2", "n")]),
        );
        assert!(keeping(&[]).dropped(&a, &b).is_err());
        let told: Vec<_> = clashes(&a, &b).iter().map(Clash::told).collect();
        assert!(told.len() == 1 && told[0].contains("a1") && told[0].contains("b1"));
        assert!(keeping(&["other"]).dropped(&a, &b).is_err());
        assert!(keeping(&["a1", "b1"]).dropped(&a, &b).is_err());
        for (kept, dropped) in [("a1", "b1"), ("b1", "a1")] {
            let found = keeping(&[kept]).dropped(&a, &b).unwrap();
            assert_eq!(found, BTreeSet::from([dropped.to_owned()]));
            let mut merged = a.clone();
            absorb(&mut merged, b.clone(), &found).unwrap();
            let ids: Vec<&str> = merged
                .aliases
                .iter()
                .map(|alias| alias.id.as_str())
                .collect();
            assert_eq!(ids.len(), 2);
            assert!(ids.contains(&kept) && ids.contains(&"b2"));
        }
    }

    #[test]
    fn what_goes_lives_on_in_what_remains() {
        let mut a = entity("a", &[]);
        let b = Entity {
            merged: vec!["c".into()],
            ..entity("b", &[("b1", "m")])
        };
        absorb(&mut a, b, &BTreeSet::new()).unwrap();
        assert_eq!(a.merged, ["c", "b"]);
        assert_eq!(a.groups, ["shared", "of-a", "of-b"]);
        assert_eq!(a.aliases[0].merged_from, ["b"]);
        let clash = [entity("x", &[("x1", "m")]), entity("y", &[("y1", "m")])];
        assert!(refuse_clash_among(&clash).is_err());
        assert!(refuse_clash_among(&clash[..1]).is_ok());
    }
}
