//! What a server holds of the things that can be declared: reading it, and every change.

use std::cell::RefCell;
use std::collections::BTreeMap;

use coffer_client::{Client, Error};
use serde_json::{Map, Value};

use super::declaration::{Declaration, Id, Owned};
use super::identity;
use super::kind::Kind;

/// Mounts that every server has, and that nobody takes away.
const BUILT_IN: [&str; 4] = ["sys/", "identity/", "cubbyhole/", "token/"];
/// Policies that can not be deleted.
const BUILT_IN_POLICIES: [&str; 3] = ["root", "default", "response-wrapping"];

/// A server, with the tables that were read from it since its last change.
pub(crate) struct Server {
    client: Client,
    tables: RefCell<BTreeMap<String, Fields>>,
}

/// A thing's fields.
pub(super) type Fields = Map<String, Value>;

impl Server {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            tables: RefCell::default(),
        }
    }

    /// What is there now, in the terms of its declaration; none where nothing is.
    pub(super) async fn shown(&self, one: &Declaration) -> Result<Option<Fields>, Error> {
        let id = &one.id;
        if id.kind.is_mount_point() {
            let table = self.table(id.kind, &id.namespace).await?;
            return Ok(table.get(&id.name).and_then(object));
        }
        let Some(fields) = self.data(&id.path()).await? else {
            return Ok(None);
        };
        match id.kind {
            Kind::Group => identity::with_names(self, one, fields).await.map(Some),
            _ => Ok(Some(fields)),
        }
    }

    /// Makes what is not there. Answers the server's remarks.
    pub(super) async fn add(&self, one: &Declaration) -> Result<Vec<String>, Error> {
        match one.id.kind {
            Kind::Entity | Kind::Group => identity::put(self, one).await,
            _ => self.write(&one.id.path(), &one.fields).await,
        }
    }

    /// Changes what is there.
    pub(super) async fn change(&self, one: &Declaration) -> Result<Vec<String>, Error> {
        match one.id.kind {
            Kind::Mount | Kind::Auth => {
                let path = format!("{}/tune", one.id.path());
                self.write(&path, &settings(&one.fields)).await
            }
            // A device does not change; there is one less while it is made anew.
            Kind::Audit => {
                self.remove(&one.id).await?;
                self.add(one).await
            }
            _ => self.add(one).await,
        }
    }

    /// Takes away what is there.
    pub(super) async fn remove(&self, id: &Id) -> Result<(), Error> {
        self.tables.borrow_mut().clear();
        self.client.delete(&id.path(), &[]).await.map(drop)
    }

    /// What is there of an owned kind and matches, but for what every server has.
    pub(super) async fn names(&self, owned: &Owned) -> Result<Vec<Id>, Error> {
        let (kind, namespace) = (owned.kind, owned.namespace.as_str());
        let pattern = Id::new(kind, namespace, &owned.pattern).name;
        let names: Vec<String> = match kind {
            kind if kind.is_mount_point() => {
                let table = self.table(kind, namespace).await?;
                table.keys().cloned().collect()
            }
            Kind::Quota => {
                let mut names = Vec::new();
                for sort in ["rate-limit/", "lease-count/"] {
                    names.extend(self.listed(kind, namespace, sort).await?);
                }
                names
            }
            Kind::Resource => {
                let folder = super::glob::folder(&pattern);
                self.listed(kind, namespace, folder).await?
            }
            _ => self.listed(kind, namespace, "").await?,
        };
        let ids = names.iter().map(|name| Id::new(kind, namespace, name));
        Ok(ids
            .filter(|id| super::glob::matches(&pattern, &id.name) && !is_built_in(id))
            .collect())
    }

    /// The fields at a path; none where nothing is. That there is no mount or no namespace yet is nothing, too.
    pub(super) async fn data(&self, path: &str) -> Result<Option<Fields>, Error> {
        match self.client.read(path, &[]).await {
            Ok(answer) => Ok(answer
                .and_then(|answer| answer.data)
                .as_ref()
                .and_then(object)),
            Err(Error::Api { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes fields to a path. Answers the server's remarks.
    pub(super) async fn write(&self, path: &str, fields: &Fields) -> Result<Vec<String>, Error> {
        self.tables.borrow_mut().clear();
        let answer = self.client.write(path, fields).await?;
        Ok(answer.map(|answer| answer.warnings).unwrap_or_default())
    }

    /// The accessor of an auth method of a namespace.
    pub(super) async fn accessor(
        &self,
        namespace: &str,
        auth: &str,
    ) -> Result<Option<String>, Error> {
        let table = self.table(Kind::Auth, namespace).await?;
        let accessor = table.get(auth).and_then(|mount| mount.get("accessor"));
        Ok(accessor.and_then(Value::as_str).map(str::to_owned))
    }

    /// The table of mounts, auth methods or audit devices of a namespace.
    async fn table(&self, kind: Kind, namespace: &str) -> Result<Fields, Error> {
        let path = format!("{namespace}{}", kind.folder());
        let path = path.trim_end_matches('/');
        let known = self.tables.borrow().get(path).cloned();
        if let Some(table) = known {
            return Ok(table);
        }
        let table = self.data(path).await?.unwrap_or_default();
        self.tables
            .borrow_mut()
            .insert(path.to_owned(), table.clone());
        Ok(table)
    }

    async fn listed(
        &self,
        kind: Kind,
        namespace: &str,
        folder: &str,
    ) -> Result<Vec<String>, Error> {
        let path = format!("{namespace}{}{folder}", kind.folder());
        let listed = match self.client.list(path.trim_end_matches('/'), &[]).await {
            Ok(listed) => listed,
            Err(Error::Api { status: 404, .. }) => None,
            Err(error) => return Err(error),
        };
        let data = listed.and_then(|listed| listed.data).unwrap_or_default();
        let keys = data.get("keys").and_then(Value::as_array);
        let names = keys.into_iter().flatten().filter_map(Value::as_str);
        // Folders hold what is not declared one by one; a namespace's name has its slash.
        let names = names.filter(|name| kind == Kind::Namespace || !name.ends_with('/'));
        Ok(names.map(|name| format!("{folder}{name}")).collect())
    }
}

fn is_built_in(id: &Id) -> bool {
    match id.kind {
        Kind::Mount | Kind::Auth => BUILT_IN.contains(&id.name.as_str()),
        Kind::Policy => BUILT_IN_POLICIES.contains(&id.name.as_str()),
        _ => false,
    }
}

/// What of a mount can be changed, as its tuning takes it: what stands in `config` stands at the top.
fn settings(fields: &Fields) -> Fields {
    let mut settings = Fields::new();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("config", Value::Object(config)) => settings.extend(config.clone()),
            ("description" | "options", value) => {
                settings.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
    settings
}

fn object(value: &Value) -> Option<Fields> {
    value.as_object().cloned()
}
