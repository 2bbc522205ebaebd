use serde::Serialize;
use serde_json::json;

use crate::{Client, Error, Method, Request, Secret};

/// The key-value engine, version 1: one value a path.
#[derive(Clone)]
pub struct Kv1<'a> {
    client: &'a Client,
    mount: String,
}

impl<'a> Kv1<'a> {
    pub(crate) fn new(client: &'a Client, mount: impl Into<String>) -> Self {
        Self {
            client,
            mount: trimmed(mount),
        }
    }

    /// Reads a secret; `None` if there is none.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn get(&self, path: &str) -> Result<Option<Secret>, Error> {
        self.client.read(&self.path(path), &[]).await
    }

    /// Writes a secret in place of what was there.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn put(&self, path: &str, data: &impl Serialize) -> Result<Option<Secret>, Error> {
        self.client.write(&self.path(path), data).await
    }

    /// Deletes a secret.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn delete(&self, path: &str) -> Result<Option<Secret>, Error> {
        self.client.delete(&self.path(path), &[]).await
    }

    /// Lists the names below `path`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn list(&self, path: &str) -> Result<Option<Secret>, Error> {
        self.client.list(&self.path(path), &[]).await
    }

    fn path(&self, path: &str) -> String {
        format!("{}/{}", self.mount, path.trim_start_matches('/'))
    }
}

/// The key-value engine, version 2: versions and metadata.
#[derive(Clone)]
pub struct Kv2<'a> {
    client: &'a Client,
    mount: String,
}

/// Conditions of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kv2Options {
    /// Write only if this is the current version; 0 for "only if there is none yet".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cas: Option<u64>,
}

/// What is done to chosen versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kv2Versions {
    /// Hides them; can be undone.
    Delete,
    /// Brings hidden ones back.
    Undelete,
    /// Removes their values for good.
    Destroy,
}

impl<'a> Kv2<'a> {
    pub(crate) fn new(client: &'a Client, mount: impl Into<String>) -> Self {
        Self {
            client,
            mount: trimmed(mount),
        }
    }

    /// Reads a version (`None`: the latest). A deleted version is an answer with `data.data` null.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn get(&self, path: &str, version: Option<u64>) -> Result<Option<Secret>, Error> {
        let version = version.map(|version| version.to_string());
        let query: Vec<(&str, &str)> = version
            .as_deref()
            .map(|version| ("version", version))
            .into_iter()
            .collect();
        self.client.read(&self.path("data", path), &query).await
    }

    /// Writes a new version; `data` is an object.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn put(&self, path: &str, data: &impl Serialize) -> Result<Option<Secret>, Error> {
        self.put_with(path, data, Kv2Options::default()).await
    }

    /// Writes a new version under a condition.
    ///
    /// # Errors
    /// Any [`Error`]; 400 where the condition does not hold.
    pub async fn put_with(
        &self,
        path: &str,
        data: &impl Serialize,
        options: Kv2Options,
    ) -> Result<Option<Secret>, Error> {
        self.client
            .write(
                &self.path("data", path),
                &json!({ "data": data, "options": options }),
            )
            .await
    }

    /// Writes a new version that differs from the latest in the given fields; `null` removes one.
    ///
    /// # Errors
    /// Any [`Error`]; 404 where there is no secret.
    pub async fn patch(
        &self,
        path: &str,
        data: &impl Serialize,
        options: Kv2Options,
    ) -> Result<Option<Secret>, Error> {
        self.client
            .patch(
                &self.path("data", path),
                &json!({ "data": data, "options": options }),
            )
            .await
    }

    /// Hides the latest version.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn delete(&self, path: &str) -> Result<Option<Secret>, Error> {
        self.client.delete(&self.path("data", path), &[]).await
    }

    /// Deletes, brings back or destroys chosen versions.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn change_versions(
        &self,
        path: &str,
        versions: &[u64],
        change: Kv2Versions,
    ) -> Result<Option<Secret>, Error> {
        let endpoint = match change {
            Kv2Versions::Delete => "delete",
            Kv2Versions::Undelete => "undelete",
            Kv2Versions::Destroy => "destroy",
        };
        self.client
            .write(&self.path(endpoint, path), &json!({ "versions": versions }))
            .await
    }

    /// Lists the names below `path`.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn list(&self, path: &str) -> Result<Option<Secret>, Error> {
        self.client.list(&self.path("metadata", path), &[]).await
    }

    /// Reads a secret's metadata: its versions and settings.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn metadata(&self, path: &str) -> Result<Option<Secret>, Error> {
        self.client.read(&self.path("metadata", path), &[]).await
    }

    /// Sets a secret's metadata (`max_versions`, `cas_required`, `delete_version_after`, `custom_metadata`).
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn put_metadata(
        &self,
        path: &str,
        settings: &impl Serialize,
    ) -> Result<Option<Secret>, Error> {
        self.client
            .write(&self.path("metadata", path), settings)
            .await
    }

    /// Changes the named fields of a secret's metadata.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn patch_metadata(
        &self,
        path: &str,
        settings: &impl Serialize,
    ) -> Result<Option<Secret>, Error> {
        self.client
            .patch(&self.path("metadata", path), settings)
            .await
    }

    /// Deletes a secret with all its versions for good.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn delete_metadata(&self, path: &str) -> Result<(), Error> {
        self.client
            .send(Request::new(Method::Delete, self.path("metadata", path)))
            .await?
            .ok()
            .map(drop)
    }

    fn path(&self, endpoint: &str, path: &str) -> String {
        format!("{}/{endpoint}/{}", self.mount, path.trim_start_matches('/'))
    }
}

fn trimmed(mount: impl Into<String>) -> String {
    mount.into().trim_matches('/').to_owned()
}
