use clap::Args;
use coffer_client::Client;

use crate::context::Context;
use crate::failure::{Failure, While};

/// Which secret a `kv` command means.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Name of the secret, with its mount in front unless -mount is given
    #[arg(value_name = "NAME")]
    name: String,
    /// Where the engine is mounted
    #[arg(long, value_name = "PATH")]
    mount: Option<String>,
}

/// A secret whose place is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The mount, without slashes around it.
    pub(super) mount: String,
    /// The secret's name within it.
    pub(super) name: String,
    /// Whether the mount keeps versions.
    pub(super) versioned: bool,
}

impl Target {
    /// Asks the server which mount serves the secret and in which version.
    pub(super) async fn resolve(&self, cx: &Context, client: &Client) -> Result<Place, Failure> {
        resolve(cx, client, self.mount.as_deref(), &self.name).await
    }

    /// The same for commands that only make sense with versions.
    pub(super) async fn resolve_versioned(
        &self,
        cx: &Context,
        client: &Client,
    ) -> Result<Place, Failure> {
        let place = self.resolve(cx, client).await?;
        if !place.versioned {
            return Err(Failure::local(format!(
                "{}/ keeps no versions (key-value version 1); `coffer kv enable-versioning {}` turns them on",
                place.mount, place.mount
            )));
        }
        Ok(place)
    }
}

/// See [`Target::resolve`].
pub(super) async fn resolve(
    _cx: &Context,
    client: &Client,
    mount: Option<&str>,
    name: &str,
) -> Result<Place, Failure> {
    let name = name.trim_start_matches('/');
    let asked = mount.map_or(name, |mount| mount.trim_matches('/'));
    let found = client
        .sys()
        .mount_of(asked)
        .await
        .or_failed(format!("finding the mount of {asked}"))?;
    let prefix = found.path.trim_matches('/').to_owned();
    let name = match mount {
        Some(_) => name.to_owned(),
        None => within(&prefix, name),
    };
    Ok(Place {
        name,
        versioned: found.keeps_versions(),
        mount: prefix,
    })
}

/// The part of `path` below `mount`.
fn within(mount: &str, path: &str) -> String {
    path.strip_prefix(mount)
        .unwrap_or(path)
        .trim_start_matches('/')
        .to_owned()
}

impl Place {
    /// The API path of the secret at one of the versioned engine's endpoints, or the plain path of version 1.
    pub(super) fn path(&self, endpoint: &str) -> String {
        match self.versioned {
            true => format!("{}/{endpoint}/{}", self.mount, self.name),
            false => format!("{}/{}", self.mount, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_to_their_mount() {
        assert_eq!(within("secret", "secret/a/b"), "a/b");
        assert_eq!(within("secret", "secret"), "");
        assert_eq!(within("team/kv", "team/kv/app"), "app");
        let place = Place {
            mount: "secret".to_owned(),
            name: "a".to_owned(),
            versioned: true,
        };
        assert_eq!(place.path("data"), "secret/data/a");
        assert_eq!(
            Place {
                versioned: false,
                ..place
            }
            .path("data"),
            "secret/a"
        );
    }
}
