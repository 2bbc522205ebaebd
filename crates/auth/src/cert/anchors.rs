//! What roles trust, read: a client that names no role has all of them looked at.

use std::collections::HashMap;
use std::sync::Arc;

use coffer_crypto::sha256;
use parking_lot::Mutex;

use super::certificate::{self, Certificate, Unreadable};

/// How many roles' certificates are kept.
const ROLES_MAX: usize = 1_000;

/// The certificates of a role.
pub(super) type Anchors = Arc<[Arc<Certificate>]>;

/// Certificates that were read, by the text that they were read from.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<[u8; 32], Anchors>>);

impl Cache {
    /// The certificates of a text in PEM.
    pub(super) fn read(&self, pem: &str) -> Result<Anchors, Unreadable> {
        let key = sha256(pem.as_bytes());
        if let Some(known) = self.0.lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        let read: Anchors = certificate::from_pem(pem)?.into();
        let mut kept = self.0.lock();
        if kept.len() >= ROLES_MAX {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&read));
        Ok(read)
    }
}
