use super::Sys;
use crate::{Download, Error, Method, Request, Secret};

impl Sys<'_> {
    /// Everything in the server's storage, encrypted, as a file.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn save_snapshot(&self) -> Result<Download, Error> {
        let request = Request::new(Method::Get, "sys/storage/raft/snapshot");
        self.client.download(&request).await
    }

    /// Replaces everything in the server's storage; `force` also by a snapshot made with other keys. The
    /// answer holds remarks, if there are any.
    ///
    /// # Errors
    /// Any [`Error`].
    pub async fn restore_snapshot(
        &self,
        snapshot: tokio::fs::File,
        force: bool,
    ) -> Result<Option<Secret>, Error> {
        let path = match force {
            true => "sys/storage/raft/snapshot-force",
            false => "sys/storage/raft/snapshot",
        };
        let request = Request::new(Method::Post, path);
        let response = self.client.upload(&request, snapshot).await?;
        response.ok()?.secret()
    }
}
