use std::time::Duration;

use super::Credential;
use crate::Error;

/// What a [`crate::LeaseKeeper`] tells of its work, for logs and metrics. Nothing has to be done about any of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum LeaseNews<'a> {
    /// A credential was taken; it is the current one from now on.
    Taken {
        /// The credential.
        credential: &'a Credential,
    },
    /// None could be had; it is tried again.
    NotTaken {
        /// Why.
        error: &'a Error,
        /// When it is tried again.
        again_in: Duration,
    },
    /// The current credential was renewed.
    Renewed {
        /// The credential, with its new time.
        credential: &'a Credential,
    },
    /// The current credential was not renewed.
    NotRenewed {
        /// The credential.
        credential: &'a Credential,
        /// Why.
        error: &'a Error,
        /// The server has spoken its last word on it: it was revoked, its token has ended, or nobody may renew it.
        is_final: bool,
    },
    /// A credential that is current no longer was revoked.
    HandedBack {
        /// Its lease.
        lease_id: &'a str,
    },
    /// A credential that is current no longer could not be revoked; it ends when its time is over.
    NotHandedBack {
        /// Its lease.
        lease_id: &'a str,
        /// Why; nothing where time ran out first.
        error: Option<&'a Error>,
    },
    /// A credential that is current no longer reached its end while somebody still used it.
    Ended {
        /// Its lease.
        lease_id: &'a str,
    },
}
