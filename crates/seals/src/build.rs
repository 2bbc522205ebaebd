//! From a stanza to a keeper.

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_barrier::Wrapper;
use coffer_engine::outbound::Outbound;
use coffer_hcl::nearest;

use crate::awskms::AwsKms;
use crate::azurekeyvault::AzureKeyVault;
use crate::gcpckms::GcpCkms;
use crate::pkcs11::Pkcs11;
use crate::stanza::Stanza;
use crate::static_key::StaticKey;
use crate::transit::Transit;

/// The kinds of keepers there are.
pub const KINDS: &[&str] = &[
    "awskms",
    "azurekeyvault",
    "gcpckms",
    "pkcs11",
    "static",
    "transit",
];

/// Makes a keeper of what a stanza `seal "kind"` says.
///
/// What all seals have in common (`name`, `priority`, `disabled` …) is the caller's, and not among the `options`.
/// `environment` is asked for variables, `outbound` brings requests. Nobody is asked yet.
///
/// # Errors
/// Names the stanza, the parameter and what to do. No text holds a value.
pub fn build(
    kind: &str,
    options: &BTreeMap<String, String>,
    environment: &dyn Fn(&str) -> Option<String>,
    outbound: Arc<dyn Outbound>,
) -> Result<Arc<dyn Wrapper>, BuildError> {
    let Some(kind) = KINDS.iter().find(|known| **known == kind) else {
        return Err(BuildError::Kind {
            kind: kind.to_owned(),
            suggestion: nearest(kind, KINDS.iter().copied()).map(str::to_owned),
        });
    };
    let stanza = Stanza::new(kind, options, environment);
    Ok(match *kind {
        "awskms" => Arc::new(AwsKms::build(stanza, outbound)?),
        "azurekeyvault" => Arc::new(AzureKeyVault::build(stanza, outbound)?),
        "gcpckms" => Arc::new(GcpCkms::build(stanza, outbound)?),
        "pkcs11" => Arc::new(Pkcs11::build(stanza)?),
        "transit" => Arc::new(Transit::build(stanza, outbound)?),
        _ => Arc::new(StaticKey::build(stanza)?),
    })
}

/// Why a stanza makes no keeper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// There is no such keeper.
    #[error("seal {kind:?} is none that is known; {}", hint(suggestion, &format!("there are {}, and \"shamir\" for key shares", KINDS.join(", "))))]
    Kind {
        /// What was asked for.
        kind: String,
        /// The nearest known one.
        suggestion: Option<String>,
    },
    /// The keeper has no such parameter.
    #[error(
        "seal {kind:?}: unknown parameter `{parameter}`; {}",
        hint(suggestion, "remove it, or check its spelling")
    )]
    Unknown {
        /// The keeper.
        kind: &'static str,
        /// What it does not know.
        parameter: String,
        /// The nearest one that it knows.
        suggestion: Option<String>,
    },
    /// A parameter is missing.
    #[error("seal {kind:?}: `{parameter}` is missing; {advice}")]
    Missing {
        /// The keeper.
        kind: &'static str,
        /// What is missing.
        parameter: &'static str,
        /// What to do.
        advice: String,
    },
    /// A parameter has a value that does not fit.
    #[error("seal {kind:?}: `{parameter}` {problem}")]
    Unfit {
        /// The keeper.
        kind: &'static str,
        /// The parameter.
        parameter: String,
        /// What is wrong and what to do, as the end of the sentence.
        problem: String,
    },
}

fn hint(suggestion: &Option<String>, otherwise: &str) -> String {
    match suggestion {
        Some(word) => format!("did you mean `{word}`?"),
        None => otherwise.to_owned(),
    }
}
