//! Bodies and answers that are too long to be held in memory.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::LOCATION;

use super::{Transport, shown};
use crate::{Error, Method, Request, Response, Token};

/// How long what has no limit may take: nobody waits that long, and no clock overflows.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// An answer that is read piece by piece.
pub struct Download {
    answer: reqwest::Response,
    transport: Transport,
    method: Method,
    url: String,
}

impl Download {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// [`Error::Broken`] where the answer ended before its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.answer.chunk().await;
        chunk.map_err(|error| {
            self.transport
                .transport_error(self.method, &self.url, &error)
        })
    }
}

impl Transport {
    /// Sends a request whose answer may be of any length. An error status is read as a whole.
    pub(crate) async fn download(
        &self,
        request: &Request,
        token: Option<&Token>,
    ) -> Result<Download, Error> {
        let url = self.url(request)?;
        let shown = shown(&url);
        let outgoing = self.outgoing(request, token, None, url)?.timeout(NO_LIMIT);
        let answer = outgoing.send().await;
        let answer =
            answer.map_err(|error| self.transport_error(request.method, &shown, &error))?;
        if !answer.status().is_success() {
            let refused = self.received(request.method, shown, answer).await?;
            return Err(refused.into_error());
        }
        Ok(Download {
            answer,
            transport: self.clone(),
            method: request.method,
            url: shown,
        })
    }

    /// Sends a file as the request's body, however long it is and however long that takes.
    pub(crate) async fn upload(
        &self,
        request: &Request,
        token: Option<&Token>,
        body: tokio::fs::File,
    ) -> Result<Response, Error> {
        let url = self.url(request)?;
        let shown = shown(&url);
        let outgoing = self.outgoing(request, token, None, url)?;
        let answer = outgoing.timeout(NO_LIMIT).body(body).send().await;
        let answer =
            answer.map_err(|error| self.transport_error(request.method, &shown, &error))?;
        self.received(request.method, shown, answer).await
    }

    /// Where the server points instead of answering.
    pub(super) fn redirect(answer: &reqwest::Response, url: &str) -> Option<Error> {
        let location = answer.headers().get(LOCATION)?;
        let elsewhere = answer.status().is_redirection();
        elsewhere.then(|| Error::Redirect {
            url: url.to_owned(),
            location: String::from_utf8_lossy(location.as_bytes()).into_owned(),
        })
    }
}
