//! Master keys for envelopes ([`coffer_envelope`]): who wraps the data key of an object, and unwraps it again.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use coffer_client::{Client, envelope::{Context, Keepers, Opener, Envelope, Sealer}};
//!
//! let client = Client::builder_from_env()?.build()?;
//! let keepers = Keepers::new(&client);
//! let (data_key, keys) = keepers.begin(&["kms:alias/app".parse()?], Context::default()).await?;
//! let random = coffer_crypto::Random::system();
//! let mut sealer = Sealer::new(Vec::new(), &data_key, &keys, &random)?;
//! sealer.take(&mut &b"of any length"[..], |_| {})?;
//! let sealed = sealer.finish()?;
//!
//! let mut input = &*sealed;
//! let envelope = Envelope::read(&mut input)?;
//! let data_key = keepers.unwrap(&envelope).await?;
//! Opener::new(input, &envelope, &data_key)?.give(&mut std::io::stdout(), |_| {})?;
//! # Ok(()) }
//! ```

mod aws;
mod keeper;
mod keepers;
mod kms;
mod master_key;
mod transit;

pub use coffer_envelope::{
    Context, DataKey, Durable, Envelope, Error, Head, Keys, Opener, Recipient, Sealer, replace_keys,
};
pub use keeper::KeeperError;
pub use keepers::Keepers;
pub use master_key::{BadMasterKey, MasterKey};
