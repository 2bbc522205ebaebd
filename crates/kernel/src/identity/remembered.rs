//! Logins that told nothing new.
//!
//! Most logins tell what an earlier one of the same identity told. As long as nothing has changed its entity or any
//! group since, there is nothing to look up: the answer is the standing that decisions use anyway. A change makes memory forget
//! that standing, and with it the login.

use std::sync::Arc;

use coffer_crypto::{Random, sha256};
use coffer_engine::{Body, Fault};
use coffer_wire::Timestamp;

use super::change::LogIn;
use super::standing::Standing;
use super::store::Identity;

/// How many logins are remembered.
pub(super) const REMEMBERED: usize = 50_000;

/// What was told, in short.
pub(super) type Told = [u8; 32];

impl Identity {
    /// The standing of whom an auth method knows by an alias, made if there is none; what the method says of them is taken
    /// over. None if they were removed meanwhile.
    pub async fn log_in(
        &self,
        login: &LogIn,
        now: Timestamp,
        random: &Random,
    ) -> Result<Option<Arc<Standing>>, Fault> {
        let told: Told = sha256(&Body::json(login)?);
        let generation = match self.known.remembered(&told) {
            Ok(standing) => return Ok(Some(standing)),
            Err(generation) => generation,
        };
        let entity = self.apply(login, now, random).await?;
        let standing = self.standing(&entity.id).await?;
        if let Some(standing) = &standing {
            self.known.remember(told, &entity.id, standing, generation);
        }
        Ok(standing)
    }
}
