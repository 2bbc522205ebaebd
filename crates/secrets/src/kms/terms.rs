//! What every request that uses a key may say.

use coffer_engine::Fault;
use coffer_wire::{CommaList, Flag};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::exception::Exception;

/// Fields of every request that uses a key.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Terms {
    /// Must be empty: there are no grants, policies say who may use a key.
    #[serde(default)]
    grant_tokens: CommaList,
    /// Only says whether the request would succeed, by a `DryRunOperationException`.
    #[serde(default)]
    dry_run: Flag,
}

impl Terms {
    /// Refuses what is not there.
    pub(super) fn accept(&self) -> Result<(), Fault> {
        no_grants(&self.grant_tokens)
    }

    /// Whether nothing is to be done.
    pub(super) fn dry(&self) -> bool {
        self.dry_run.0
    }

    /// Ends a request here that was only to be tried; for when all is known to be well.
    pub(super) fn go_on(&self) -> Result<(), Fault> {
        match self.dry_run.0 {
            true => Err(Exception::DryRunOperation
                .because("the request would have succeeded, but dry_run is set")),
            false => Ok(()),
        }
    }
}

/// Refuses tokens of grants: no grant gives any.
pub(super) fn no_grants(tokens: &CommaList) -> Result<(), Fault> {
    match tokens.0.is_empty() {
        true => Ok(()),
        false => Err(Exception::InvalidGrantToken
            .because("grants are not supported, so there are no valid grant tokens")),
    }
}

/// Refuses attested recipients.
pub(super) fn no_recipient(recipient: Option<&Value>) -> Result<(), Fault> {
    match recipient {
        None | Some(Value::Null) => Ok(()),
        Some(_) => Err(Exception::UnsupportedOperation
            .because("recipient (an attested enclave) is not supported")),
    }
}
