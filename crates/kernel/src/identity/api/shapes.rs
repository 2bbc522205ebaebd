//! How entities, groups and aliases look to clients.

use coffer_wire::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::metadata::Metadata;
use super::super::{Alias, Group, GroupKind, Standing};
use crate::open::Open;

/// An entity as it is read.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShownEntity {
    aliases: Vec<ShownAlias>,
    creation_time: Timestamp,
    direct_group_ids: Vec<String>,
    disabled: bool,
    group_ids: Vec<String>,
    id: String,
    inherited_group_ids: Vec<String>,
    last_update_time: Timestamp,
    merged_entity_ids: Option<Vec<String>>,
    metadata: Option<Metadata>,
    name: String,
    namespace_id: String,
    policies: Vec<String>,
}

/// A group as it is read.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShownGroup {
    alias: Value,
    creation_time: Timestamp,
    id: String,
    last_update_time: Timestamp,
    member_entity_ids: Option<Vec<String>>,
    member_group_ids: Option<Vec<String>>,
    metadata: Option<Metadata>,
    modify_index: u64,
    name: String,
    namespace_id: String,
    parent_group_ids: Option<Vec<String>>,
    policies: Option<Vec<String>>,
    #[serde(rename = "type")]
    #[schemars(with = "String")]
    kind: GroupKind,
}

/// An alias inside its entity, or alone.
#[derive(Serialize, JsonSchema)]
pub(super) struct ShownAlias {
    canonical_id: String,
    creation_time: Timestamp,
    custom_metadata: Option<Metadata>,
    id: String,
    last_update_time: Timestamp,
    local: bool,
    merged_from_canonical_ids: Option<Vec<String>>,
    metadata: Option<Metadata>,
    mount_accessor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount_type: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace_id: Option<String>,
}

impl ShownEntity {
    pub(super) fn of(open: &Open, standing: &Standing) -> Self {
        let entity = &standing.entity;
        let ids = |groups: &[std::sync::Arc<Group>]| -> Vec<String> {
            groups.iter().map(|group| group.id.clone()).collect()
        };
        let (direct, inherited) = (ids(&standing.direct), ids(&standing.inherited));
        Self {
            aliases: entity
                .aliases
                .iter()
                .map(|alias| ShownAlias::of(open, alias, &entity.id))
                .collect(),
            creation_time: entity.created,
            group_ids: [direct.clone(), inherited.clone()].concat(),
            direct_group_ids: direct,
            disabled: entity.disabled,
            id: entity.id.clone(),
            inherited_group_ids: inherited,
            last_update_time: entity.updated,
            merged_entity_ids: some(&entity.merged),
            metadata: entity.metadata.clone(),
            name: entity.name.clone(),
            namespace_id: namespace(open),
            policies: entity.policies.clone(),
        }
    }
}

impl ShownGroup {
    /// A group; `parents` are those that are there.
    pub(super) fn of(
        open: &Open,
        group: &Group,
        parents: &[String],
        member_entities: &[String],
        member_groups: &[String],
    ) -> Self {
        let alias = group.alias.as_ref();
        Self {
            alias: alias.map_or_else(|| json!({}), |alias| in_group(open, alias, &group.id)),
            creation_time: group.created,
            id: group.id.clone(),
            last_update_time: group.updated,
            member_entity_ids: some(member_entities),
            member_group_ids: some(member_groups),
            metadata: group.metadata.clone(),
            modify_index: group.modify_index,
            name: group.name.clone(),
            namespace_id: namespace(open),
            parent_group_ids: some(parents),
            policies: some(&group.policies),
            kind: group.kind,
        }
    }
}

impl ShownAlias {
    /// An alias inside the entity or group with this id.
    pub(super) fn of(open: &Open, alias: &Alias, owner: &str) -> Self {
        let mount = open.space.mounts.by_accessor(&alias.mount);
        let mount = mount.as_ref().map(|mount| &mount.record);
        Self {
            canonical_id: owner.to_owned(),
            creation_time: alias.created,
            custom_metadata: alias.custom_metadata.clone(),
            id: alias.id.clone(),
            last_update_time: alias.updated,
            local: alias.local,
            merged_from_canonical_ids: some(&alias.merged_from),
            metadata: (!alias.metadata.is_empty()).then(|| alias.metadata.clone()),
            mount_accessor: alias.mount.clone(),
            mount_path: mount.map(|mount| mount.path.clone()),
            mount_type: mount.map(|mount| mount.kind.clone()),
            name: alias.name.clone(),
            namespace_id: None,
        }
    }

    /// An alias that is read by itself.
    pub(super) fn alone(open: &Open, alias: &Alias, owner: &str) -> Self {
        Self {
            namespace_id: Some(namespace(open)),
            ..Self::of(open, alias, owner)
        }
    }

    /// What a list of aliases says about it.
    pub(super) fn listed(open: &Open, alias: &Alias, owner: &str) -> Value {
        without(
            Self::of(open, alias, owner),
            &[
                "creation_time",
                "id",
                "last_update_time",
                "merged_from_canonical_ids",
            ],
        )
    }

    /// What a list of entities or groups says about it.
    pub(super) fn in_list(open: &Open, alias: &Alias) -> Value {
        let mut shown = Self::listed(open, alias, "");
        if let Some(fields) = shown.as_object_mut() {
            for field in ["canonical_id", "custom_metadata", "local", "metadata"] {
                fields.remove(field);
            }
            fields.insert("id".into(), alias.id.clone().into());
        }
        shown
    }
}

fn namespace(open: &Open) -> String {
    open.space.record().shown_id().to_owned()
}

fn in_group(open: &Open, alias: &Alias, owner: &str) -> Value {
    without(
        ShownAlias::of(open, alias, owner),
        &["custom_metadata", "local"],
    )
}

fn without(alias: ShownAlias, fields: &[&str]) -> Value {
    let mut shown = json!(alias);
    if let Some(all) = shown.as_object_mut() {
        all.retain(|field, _| !fields.contains(&field.as_str()));
    }
    shown
}

/// A list that holds something; else null, as the reference has it.
fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}
