//! Entities and groups: written by name, kept by id.

use coffer_client::Error;
use serde_json::{Value, json};

use super::declaration::{Alias, Declaration};
use super::kind::Kind;
use super::server::{Fields, Server};

/// Fields of a group that name its members, the fields of the API that hold their ids, and where those are read.
const MEMBERS: [(&str, &str, Kind); 2] = [
    ("member_entities", "member_entity_ids", Kind::Entity),
    ("member_groups", "member_group_ids", Kind::Group),
];

/// A group's fields with the names of its members. Members that no file names stand there by their ids.
pub(super) async fn with_names(
    server: &Server,
    one: &Declaration,
    mut shown: Fields,
) -> Result<Fields, Error> {
    for (by_name, by_id, kind) in MEMBERS {
        let Some(given) = one.fields.get(by_name) else {
            continue;
        };
        let mut ids = words(shown.get(by_id));
        let mut names = Vec::new();
        for name in words(Some(given)) {
            let id = id_of(server, one, kind, &name).await?;
            if let Some(at) = ids.iter().position(|known| Some(known) == id.as_ref()) {
                ids.remove(at);
                names.push(name);
            }
        }
        names.extend(ids);
        shown.insert(by_name.to_owned(), json!(names));
    }
    Ok(shown)
}

/// The aliases that are not there as they are declared.
pub(super) fn missing<'a>(one: &'a Declaration, shown: Option<&Fields>) -> Vec<&'a Alias> {
    let known = shown.map(aliases_of).unwrap_or_default();
    let wanted = one.aliases.iter();
    wanted
        .filter(|wanted| !known.iter().any(|alias| is_as_declared(alias, wanted)))
        .collect()
}

fn is_as_declared(alias: &Value, wanted: &Alias) -> bool {
    let text = |field: &str| {
        alias
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .trim_matches('/')
            .to_owned()
    };
    let mount = text("mount_path");
    let mount = mount.strip_prefix("auth/").unwrap_or(&mount);
    let notes = alias.get("custom_metadata").unwrap_or(&Value::Null);
    mount == wanted.auth.trim_end_matches('/')
        && text("name") == wanted.name
        && super::same::same(&Value::Object(wanted.custom_metadata.clone()), notes)
}

/// Writes an entity or a group, its members by their ids, then its aliases.
pub(super) async fn put(server: &Server, one: &Declaration) -> Result<Vec<String>, Error> {
    let mut fields = one.fields.clone();
    let mut remarks = Vec::new();
    for (by_name, by_id, kind) in MEMBERS {
        let Some(given) = fields.remove(by_name) else {
            continue;
        };
        let mut ids = Vec::new();
        for name in words(Some(&given)) {
            match id_of(server, one, kind, &name).await? {
                Some(id) => ids.push(id),
                None => remarks.push(format!("there is no {kind} {name:?}, so it is no member")),
            }
        }
        fields.insert(by_id.to_owned(), json!(ids));
    }
    let path = one.id.path();
    remarks.extend(server.write(&path, &fields).await?);
    if !one.aliases.is_empty() {
        remarks.extend(put_aliases(server, one).await?);
    }
    Ok(remarks)
}

async fn put_aliases(server: &Server, one: &Declaration) -> Result<Vec<String>, Error> {
    let mut remarks = Vec::new();
    let namespace = &one.id.namespace;
    let shown = server.data(&one.id.path()).await?;
    let id = shown.as_ref().and_then(|shown| shown.get("id")).cloned();
    for alias in missing(one, shown.as_ref()) {
        let Some(accessor) = server.accessor(namespace, &alias.auth).await? else {
            let text = format!(
                "there is no auth method {}, so there is no alias in it",
                alias.auth
            );
            remarks.push(text);
            continue;
        };
        let mut body = Fields::from_iter([
            ("name".to_owned(), json!(alias.name)),
            ("mount_accessor".to_owned(), json!(accessor)),
            ("canonical_id".to_owned(), json!(id)),
        ]);
        if !alias.custom_metadata.is_empty() {
            let notes = Value::Object(alias.custom_metadata.clone());
            body.insert("custom_metadata".to_owned(), notes);
        }
        let path = format!("{namespace}identity/{}-alias", one.id.kind);
        remarks.extend(server.write(&path, &body).await?);
    }
    Ok(remarks)
}

/// An entity has several aliases, a group at most one.
fn aliases_of(shown: &Fields) -> Vec<Value> {
    match (shown.get("aliases"), shown.get("alias")) {
        (Some(Value::Array(aliases)), _) => aliases.clone(),
        (_, Some(alias)) => vec![alias.clone()],
        _ => Vec::new(),
    }
}

async fn id_of(
    server: &Server,
    one: &Declaration,
    kind: Kind,
    name: &str,
) -> Result<Option<String>, Error> {
    let path = format!("{}{}{name}", one.id.namespace, kind.folder());
    let found = server.data(&path).await?;
    let id = found.as_ref().and_then(|found| found.get("id"));
    Ok(id.and_then(Value::as_str).map(str::to_owned))
}

fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(values)) => {
            let words = values.iter().filter_map(Value::as_str);
            words.map(str::to_owned).collect()
        }
        Some(Value::String(text)) => {
            let words = text.split(',').map(str::trim);
            words
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        }
        _ => Vec::new(),
    }
}
