//! Keys as the numbers that they are, for formats that write those.

use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{EcdsaKeyPair, RsaKeyPair};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::kind::PairKind;
use super::private::{KeyPair, Private, Rsa};
use super::public::PublicKey;
use crate::{Error, der};

/// A private key of RSA (RFC 8017 appendix A.1.2): numbers, greatest byte first.
#[derive(Default, Zeroize, ZeroizeOnDrop)]
pub struct RsaNumbers {
    /// The modulus.
    pub n: Vec<u8>,
    /// The public exponent.
    pub e: Vec<u8>,
    /// The private exponent.
    pub d: Vec<u8>,
    /// The first prime.
    pub p: Vec<u8>,
    /// The second one.
    pub q: Vec<u8>,
    /// `d` modulo `p - 1`.
    pub dp: Vec<u8>,
    /// `d` modulo `q - 1`.
    pub dq: Vec<u8>,
    /// The inverse of `q` modulo `p`.
    pub qinv: Vec<u8>,
}

impl KeyPair {
    /// The pair that these numbers are, which are checked to belong together.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where they do not, or make a key of another kind.
    pub fn from_rsa_numbers(kind: PairKind, numbers: &RsaNumbers) -> Result<Self, Error> {
        let components = KeyPairComponents {
            public_key: PublicKeyComponents {
                n: without_zeros(&numbers.n),
                e: without_zeros(&numbers.e),
            },
            d: numbers.d.as_slice(),
            p: numbers.p.as_slice(),
            q: numbers.q.as_slice(),
            dP: numbers.dp.as_slice(),
            dQ: numbers.dq.as_slice(),
            qInv: numbers.qinv.as_slice(),
        };
        let pair = RsaKeyPair::from_components(&components).map_err(|_| Error::KeyUnfit)?;
        Self::of(kind, Private::Rsa(Rsa::new(pair)))?.fit_for_all()
    }

    /// The pair of ECDSA with this private number and this point.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where they do not belong together, or the kind is no curve.
    pub fn from_scalar(kind: PairKind, d: &[u8], x: &[u8], y: &[u8]) -> Result<Self, Error> {
        let curve = kind.curve().ok_or(Error::KeyUnfit)?;
        let scalar = Zeroizing::new(filled(d, curve.field_bytes)?);
        let point = point(curve.field_bytes, x, y)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing, &scalar, &point);
        let pair = pair.map_err(|_| Error::KeyUnfit)?;
        Self::of(kind, Private::Curve(Box::new(pair)))
    }

    /// The numbers, for RSA.
    #[must_use]
    pub fn rsa_numbers(&self) -> Option<RsaNumbers> {
        let Private::Rsa(_) = self.private else {
            return None;
        };
        let document = self.to_pkcs8().ok()?;
        let inner = der::inner_private_key(document.expose())?;
        let (_, mut rest) = der::element(der::INTEGER, der::only(der::SEQUENCE, inner)?)?;
        let mut next = || {
            let (number, more) = der::element(der::INTEGER, rest)?;
            rest = more;
            Some(without_zeros(number).to_vec())
        };
        Some(RsaNumbers {
            n: next()?,
            e: next()?,
            d: next()?,
            p: next()?,
            q: next()?,
            dp: next()?,
            dq: next()?,
            qinv: next()?,
        })
    }

    /// The private number, for ECDSA.
    #[must_use]
    pub fn scalar(&self) -> Option<Zeroizing<Vec<u8>>> {
        let Private::Curve(pair) = &self.private else {
            return None;
        };
        let number = pair.private_key().as_be_bytes().ok()?;
        Some(Zeroizing::new(number.as_ref().to_vec()))
    }
}

impl PublicKey {
    /// The key of RSA with this modulus and this exponent.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where they are none of a known kind.
    pub fn from_rsa_numbers(kind: PairKind, n: &[u8], e: &[u8]) -> Result<Self, Error> {
        let numbers = [der::number(n), der::number(e)].concat();
        Self::from_bits(kind, &der::tagged(der::SEQUENCE, &numbers))
    }

    /// The key of ECDSA that is this point.
    ///
    /// # Errors
    /// [`Error::KeyUnfit`] where it is not on the curve.
    pub fn from_point(kind: PairKind, x: &[u8], y: &[u8]) -> Result<Self, Error> {
        let curve = kind.curve().ok_or(Error::KeyUnfit)?;
        Self::from_bits(kind, &point(curve.field_bytes, x, y)?)
    }

    /// Modulus and exponent, for RSA.
    #[must_use]
    pub fn rsa_numbers(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.kind().rsa_bits()?;
        let bits = self.bits();
        let (n, e) = der::rsa_parts(&bits)?;
        Some((n.to_vec(), e.to_vec()))
    }

    /// Both coordinates, for ECDSA.
    #[must_use]
    pub fn point(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let length = self.kind().curve()?.field_bytes;
        let bits = self.bits();
        let (x, y) = bits.get(1..)?.split_at_checked(length)?;
        Some((x.to_vec(), y.to_vec()))
    }
}

fn point(length: usize, x: &[u8], y: &[u8]) -> Result<Vec<u8>, Error> {
    Ok([&[4][..], &filled(x, length)?, &filled(y, length)?].concat())
}

/// The number with as many zeros in front as fill the length.
fn filled(number: &[u8], length: usize) -> Result<Vec<u8>, Error> {
    let number = without_zeros(number);
    let zeros = length.checked_sub(number.len()).ok_or(Error::KeyUnfit)?;
    let mut made = Vec::with_capacity(length);
    made.resize(zeros, 0);
    made.extend_from_slice(number);
    Ok(made)
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of two numbers.
    fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
        let length = one.len().max(other.len()) + 1;
        let digit = |number: &[u8], at: usize| number.iter().rev().nth(at).copied().unwrap_or(0);
        let mut carry = 0;
        let mut digits: Vec<u8> = (0..length)
            .map(|at| {
                let total = u16::from(digit(one, at)) + u16::from(digit(other, at)) + carry;
                carry = total >> 8;
                u8::try_from(total & 0xff).unwrap()
            })
            .collect();
        digits.reverse();
        digits
    }

    /// What is left of the first without the second, which is the lesser.
    fn difference(one: &[u8], other: &[u8]) -> Vec<u8> {
        let mut padded = vec![0; one.len() - without_zeros(other).len()];
        padded.extend_from_slice(without_zeros(other));
        let flipped: Vec<u8> = padded.iter().map(|byte| !byte).collect();
        let all = sum(&sum(one, &flipped), &[1]);
        all[all.len() - one.len()..].to_vec()
    }

    fn document(numbers: &RsaNumbers) -> Vec<u8> {
        let RsaNumbers {
            n,
            e,
            d,
            p,
            q,
            dp,
            dq,
            qinv,
        } = numbers;
        let inner = [&vec![0], n, e, d, p, q, dp, dq, qinv].map(|bytes| der::number(bytes));
        let inner = der::tagged(der::SEQUENCE, &inner.concat());
        let algorithm = [der::tagged(der::OBJECT, der::RSA), vec![5, 0]].concat();
        let outer = [
            der::number(&[0]),
            der::tagged(der::SEQUENCE, &algorithm),
            der::tagged(der::OCTET_STRING, &inner),
        ];
        der::tagged(der::SEQUENCE, &outer.concat())
    }

    /// A private exponent that is right, and longer than it need be: not every library takes it, so none may.
    #[test]
    fn a_key_that_not_every_library_takes_is_refused_at_once() {
        let kind = PairKind::Rsa2048;
        let made = KeyPair::generate(kind).unwrap();
        let mut numbers = made.rsa_numbers().unwrap();
        let plain = KeyPair::from_foreign_pkcs8(kind, &document(&numbers)).unwrap();
        assert_eq!(plain.public(), made.public());
        assert!(KeyPair::from_rsa_numbers(kind, &numbers).is_ok());
        let primes = sum(&numbers.p, &numbers.q);
        let order = sum(&difference(&numbers.n, &primes), &[1]);
        numbers.d = sum(&numbers.d, &order);
        assert!(KeyPair::from_pkcs8(kind, &document(&numbers)).is_ok());
        let refused = KeyPair::from_foreign_pkcs8(kind, &document(&numbers));
        assert_eq!(refused.unwrap_err(), Error::KeyUnfit);
        let refused = KeyPair::from_rsa_numbers(kind, &numbers);
        assert_eq!(refused.unwrap_err(), Error::KeyUnfit);
    }
}
