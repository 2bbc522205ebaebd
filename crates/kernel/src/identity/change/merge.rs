//! Making one entity of several.

use std::collections::{BTreeMap, BTreeSet};

use coffer_engine::Fault;

use super::super::entity::{Entity, MAX_MERGED};
use super::super::work::{Change, Work};

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
    type Done = ();

    async fn decide(&self, work: &mut Work) -> Result<(), Fault> {
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
        for entity in gone {
            let dropped = self.dropped(&to, &entity)?;
            work.delete_entity(&entity.id);
            absorb(&mut to, entity, &dropped)?;
        }
        to.updated = work.now;
        work.put_entity(to);
        Ok(())
    }
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
                (false, false) if self.keep.is_empty() => {
                    return Err(Fault::Invalid(format!(
                        "toEntity and at least one fromEntity have aliases with the same mount accessor, repeat the merge request specifying exactly one fromEntity, clashes: mountAccessor: {}, toEntity ID: {}, fromEntity ID: {}, conflicting toEntity alias ID: {}, conflicting fromEntity alias ID: {}",
                        theirs.mount, to.id, from.id, ours.id, theirs.id
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
    use super::super::super::alias::Alias;
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
