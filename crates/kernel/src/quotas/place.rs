//! Where a quota holds.

use std::sync::Arc;

use coffer_engine::{Class, Fault};
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::mounts::Mount;
use crate::namespaces::Space;

/// A place: a namespace, or something in it. Mounts are named by their accessors, so that a quota moves with its mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The id of the namespace; empty for the root.
    pub namespace: String,
    /// The accessor of the mount; empty for the whole namespace.
    pub mount: String,
    /// What of the mount.
    pub below: Below,
}

/// A part of a mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Below {
    /// All of it.
    #[default]
    Everything,
    /// This path.
    Path(String),
    /// The paths that begin so; written with a `*` behind.
    Prefix(String),
    /// The logins of this role.
    Role(String),
}

impl Place {
    /// The place that operators name by a path from the root and a role.
    ///
    /// # Errors
    /// If there is no such mount, or it has no roles.
    pub async fn named(core: &Arc<Core>, path: &str, role: &str) -> Result<Self, Fault> {
        let (space, rest) = namespace_of(core, path.trim_matches('/')).await?;
        if rest.is_empty() {
            refuse_role(
                role,
                "",
                "is not a valid auth method and therefore unsuitable for use with role-based quotas",
            )?;
            return Ok(Self {
                namespace: space.id.clone(),
                ..Self::default()
            });
        }
        let mount = space.mounts.at(rest).filter(|mount| !mount.record.tainted);
        let mount = mount.ok_or_else(|| {
            Fault::Invalid(format!("invalid mount path {:?}", format!("{rest}/")))
        })?;
        let tail = mount.tail(rest);
        let canonical =
            tail.is_empty() || !tail.split('/').any(|part| matches!(part, "" | "." | ".."));
        if !canonical {
            return Err(Fault::Invalid(format!(
                "no request has the path {path:?}: leave out empty and dot segments"
            )));
        }
        Ok(Self {
            namespace: space.id.clone(),
            mount: mount.record.accessor.clone(),
            below: below(&mount, tail, role)?,
        })
    }

    /// The path and the role by which operators name the place; none if it is gone.
    pub async fn shown(&self, core: &Core) -> Result<Option<(String, String)>, Fault> {
        let Some(space) = core.namespaces.by_id(&self.namespace).await? else {
            return Ok(None);
        };
        if self.mount.is_empty() {
            return Ok(Some((space.path.clone(), String::new())));
        }
        let Some(mount) = space.mounts.by_accessor(&self.mount) else {
            return Ok(None);
        };
        let whole = format!("{}{}", space.path, mount.record.path);
        Ok(Some(match &self.below {
            Below::Everything => (whole, String::new()),
            Below::Path(tail) => (format!("{whole}{tail}"), String::new()),
            Below::Prefix(tail) => (format!("{whole}{tail}*"), String::new()),
            Below::Role(role) => (whole, role.clone()),
        }))
    }
}

/// The namespace that a path from the root begins with, and the rest of the path.
async fn namespace_of<'a>(core: &Core, path: &'a str) -> Result<(Arc<Space>, &'a str), Fault> {
    let (mut space, mut rest) = (core.namespaces.root(), path);
    while !rest.is_empty() {
        let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
        match core.namespaces.child(&space, name).await? {
            Some(child) if !child.record().tainted => (space, rest) = (child, below),
            _ => break,
        }
    }
    Ok((space, rest))
}

fn below(mount: &Mount, tail: &str, role: &str) -> Result<Below, Fault> {
    let path = &mount.record.path;
    if role.is_empty() {
        return Ok(match tail.strip_suffix('*') {
            _ if tail.is_empty() => Below::Everything,
            Some(prefix) => Below::Prefix(prefix.to_owned()),
            None => Below::Path(tail.to_owned()),
        });
    }
    if mount.record.class() != Class::Auth {
        refuse_role(
            role,
            path,
            "is not a valid auth method and therefore unsuitable for use with role-based quotas",
        )?;
    }
    if !tail.is_empty() {
        return Err(Fault::invalid(
            "a quota is for a path below a mount or for a role, not for both: give the mount's path alone, or no role",
        ));
    }
    if !mount.has_roles() {
        refuse_role(role, path, "does not support use with role-based quotas")?;
    }
    Ok(Below::Role(role.to_lowercase()))
}

fn refuse_role(role: &str, mount: &str, why: &str) -> Result<(), Fault> {
    match role {
        "" => Ok(()),
        _ => Err(Fault::Invalid(format!("Mount path {mount:?} {why}"))),
    }
}
