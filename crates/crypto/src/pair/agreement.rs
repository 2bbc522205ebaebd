//! Secrets that two pairs agree on (ECDH, NIST SP 800-56A section 5.7.1.2).

use aws_lc_rs::agreement::{
    Algorithm, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, agree,
};
use zeroize::Zeroizing;

use super::kind::PairKind;
use super::private::KeyPair;
use super::public::PublicKey;
use crate::Error;

impl KeyPair {
    /// What this pair and the other one's private half know, and nobody else: the first coordinate of the shared point. It is no key
    /// yet: derive one from it.
    ///
    /// # Errors
    /// [`Error::Scheme`] where the pair is no curve's, or the other one of another curve.
    pub fn agree(&self, other: &PublicKey) -> Result<Zeroizing<Vec<u8>>, Error> {
        let curve = curve(self.kind()).ok_or(Error::Scheme)?;
        if other.kind() != self.kind() {
            return Err(Error::Scheme);
        }
        let scalar = self.scalar().ok_or(Error::Scheme)?;
        let private = PrivateKey::from_private_key(curve, &scalar).map_err(|_| Error::KeyUnfit)?;
        let public = UnparsedPublicKey::new(curve, other.bits());
        agree(&private, public, Error::KeyUnfit, |shared| {
            Ok(Zeroizing::new(shared.to_vec()))
        })
    }
}

fn curve(kind: PairKind) -> Option<&'static Algorithm> {
    match kind {
        PairKind::EcdsaP256 => Some(&ECDH_P256),
        PairKind::EcdsaP384 => Some(&ECDH_P384),
        PairKind::EcdsaP521 => Some(&ECDH_P521),
        _ => None,
    }
}
