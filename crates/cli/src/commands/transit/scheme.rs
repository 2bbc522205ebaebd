use clap::Args;

use super::body::Body;

/// The hashes that signatures and HMACs are made with.
const HASHES: [&str; 11] = [
    "sha1", "sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384",
    "sha3-512", "mldsa-mu", "none",
];
/// Those that are computed alone or with a key.
pub(super) const KEYED_HASHES: [&str; 8] = [
    "sha2-224", "sha2-256", "sha2-384", "sha2-512", "sha3-224", "sha3-256", "sha3-384", "sha3-512",
];

/// How a signature is made. Whoever checks it has to say the same.
#[derive(Debug, Args)]
#[command(next_help_heading = "How it is signed")]
pub(super) struct Scheme {
    /// What the input is hashed with: sha1, sha2-224 … sha2-512, sha3-224 … sha3-512, mldsa-mu, or none; ed25519
    /// needs none
    #[arg(long, value_name = "HASH", value_parser = HASHES, hide_possible_values = true)]
    hash_algorithm: Option<String>,
    /// The input is a digest already (its bytes, not their hexadecimal digits)
    #[arg(long)]
    prehashed: bool,
    /// Of RSA keys: pss or pkcs1v15 [default: pss]
    #[arg(long, value_name = "NAME", value_parser = ["pss", "pkcs1v15"], hide_possible_values = true)]
    signature_algorithm: Option<String>,
    /// Of RSA keys with pss: auto, hash, or a number of bytes [default: auto]
    #[arg(long, value_name = "LENGTH")]
    salt_length: Option<String>,
    /// Of ECDSA keys: asn1, as OpenSSL and X.509 have it, or jws, as in JWTs [default: asn1]
    #[arg(long, value_name = "FORM", value_parser = ["asn1", "jws"], hide_possible_values = true)]
    marshaling_algorithm: Option<String>,
}

impl Scheme {
    pub(super) fn body(&self) -> Body {
        Body::default()
            .with("hash_algorithm", self.hash_algorithm.clone())
            .with("prehashed", self.prehashed.then_some(true))
            .with("signature_algorithm", self.signature_algorithm.clone())
            .with("salt_length", self.salt_length.clone())
            .with("marshaling_algorithm", self.marshaling_algorithm.clone())
    }
}
