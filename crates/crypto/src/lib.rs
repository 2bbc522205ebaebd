//! The only crate that names a cipher: AEAD, HMAC, Shamir, the key ring, secret values.
