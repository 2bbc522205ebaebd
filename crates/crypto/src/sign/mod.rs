//! Signatures: key pairs that sign, keys that verify, and what algorithm a key is for.
//!
//! A key has one algorithm from the moment it is made or read, and nothing that comes with a message can change it. That
//! is what makes confusing algorithms impossible: no function here takes the algorithm from a message.

mod algorithm;
mod pem;
mod signing;
mod verifying;

pub use algorithm::Algorithm;
pub use pem::read_pem;
pub use signing::SigningKey;
pub use verifying::{PublicParts, VerifyingKey};
