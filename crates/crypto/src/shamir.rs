//! Shamir's secret sharing over GF(2^8), byte by byte ("How to share a secret", CACM 22, 1979).
//!
//! Each byte of the secret is the constant term of its own random polynomial of degree `threshold - 1`; a share holds the
//! values of all polynomials at one point `x`. Any `threshold` shares determine the polynomials and with them the secret; fewer
//! tell nothing about it. The field is that of AES, reduced by x^8 + x^4 + x^3 + x + 1 (0x11B).
//!
//! A share is laid out as `y1 … yn ‖ x`, one byte longer than the secret, which is the format that Vault and OpenBao use:
//! shares made there combine here and the other way round. (They never split for a threshold of one: a
//! single share there is the key itself without a number, and several are refused. Whoever wants that interoperable does
//! the same before coming here.)
//!
//! Shares carry neither the threshold nor a checksum. Too few of them, or shares of different secrets, combine to a wrong
//! value without an error: the caller knows the threshold, and checks the result by decrypting with it.

use std::hint::black_box;

use zeroize::Zeroizing;

use crate::{Error, Random};

/// Shares that a secret has at most: the nonzero elements of the field.
pub const SHARES_MAX: usize = 255;

/// Splits `secret` into `shares` shares, of which any `threshold` give it back.
///
/// # Errors
/// [`Error::NothingToSplit`] for an empty secret, [`Error::Threshold`] unless `1 <= threshold <= shares`.
pub fn split(
    random: &Random,
    secret: &[u8],
    shares: u8,
    threshold: u8,
) -> Result<Vec<Zeroizing<Vec<u8>>>, Error> {
    if secret.is_empty() {
        return Err(Error::NothingToSplit);
    }
    if threshold == 0 || threshold > shares {
        return Err(Error::Threshold);
    }
    let mut points: Vec<u8> = (1..=u8::MAX).collect();
    random.shuffle(&mut points);
    points.truncate(usize::from(shares));
    let mut out: Vec<_> = points
        .iter()
        .map(|_| Zeroizing::new(Vec::with_capacity(secret.len() + 1)))
        .collect();

    // From the highest power down to the first; the secret's byte is the constant term. All are uniform, the highest too:
    // were it never zero, a share short of the threshold would rule out one value of the secret.
    let mut coefficients = Zeroizing::new(vec![0u8; usize::from(threshold) - 1]);
    for &byte in secret {
        random.fill(&mut coefficients);
        for (share, &point) in out.iter_mut().zip(&points) {
            share.push(horner(&coefficients, byte, point));
        }
    }
    for (share, &point) in out.iter_mut().zip(&points) {
        share.push(point);
    }
    Ok(out)
}

/// Gives back the secret from at least as many shares as its threshold, in any order.
///
/// # Errors
/// What is wrong with the shares' form; see the module for what cannot be noticed here.
pub fn combine<S: AsRef<[u8]>>(shares: &[S]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (points, values) = checked(shares)?;
    let length = values.first().map_or(0, |values| values.len());
    let mut secret = Zeroizing::new(vec![0u8; length]);
    for (&point, values) in points.iter().zip(values) {
        let weight = weight_at_zero(point, &points);
        for (sum, &value) in secret.iter_mut().zip(values) {
            *sum ^= multiply(value, weight);
        }
    }
    Ok(secret)
}

/// Takes shares apart into points and values, once they are known to be of one length and at different nonzero points.
fn checked<S: AsRef<[u8]>>(shares: &[S]) -> Result<(Vec<u8>, Vec<&[u8]>), Error> {
    if shares.is_empty() {
        return Err(Error::NoShares);
    }
    if shares.len() > SHARES_MAX {
        return Err(Error::TooManyShares);
    }
    let mut points = Vec::with_capacity(shares.len());
    let mut values: Vec<&[u8]> = Vec::with_capacity(shares.len());
    for share in shares {
        let (&point, rest) = share.as_ref().split_last().ok_or(Error::ShareTooShort)?;
        match (rest.is_empty(), point) {
            (true, _) => return Err(Error::ShareTooShort),
            (_, 0) => return Err(Error::ShareNumber),
            _ if points.contains(&point) => return Err(Error::ShareRepeated),
            _ if values
                .first()
                .is_some_and(|first| first.len() != rest.len()) =>
            {
                return Err(Error::ShareLengths);
            }
            _ => {}
        }
        points.push(point);
        values.push(rest);
    }
    Ok((points, values))
}

/// The value at `x` of the polynomial with these coefficients, highest power first, and this constant term.
fn horner(coefficients: &[u8], constant: u8, x: u8) -> u8 {
    let above = coefficients
        .iter()
        .fold(0, |sum, &coefficient| multiply(sum, x) ^ coefficient);
    multiply(above, x) ^ constant
}

/// Lagrange's weight of the value at `point` for the value at zero: the product of `other / (other - point)`.
fn weight_at_zero(point: u8, points: &[u8]) -> u8 {
    points
        .iter()
        .filter(|&&other| other != point)
        .fold(1, |weight, &other| {
            // Subtraction is exclusive or, and so never zero for different points.
            multiply(weight, multiply(other, inverse(other ^ point)))
        })
}

/// The product in GF(2^8), without a branch or a table: neither time nor cache tells the factors.
fn multiply(left: u8, right: u8) -> u8 {
    let mut product = 0;
    let mut doubled = left;
    for bit in 0..8 {
        product ^= mask(right >> bit) & doubled;
        doubled = (doubled << 1) ^ (mask(doubled >> 7) & REDUCTION);
    }
    product
}

/// The inverse, as the 254th power (Fermat): every nonzero element to the 255th is one. Zero gives zero.
fn inverse(element: u8) -> u8 {
    // 254 is the sum of 2, 4, … 128: multiply the seven successive squares.
    let mut square = element;
    (0..7).fold(1, |product, _| {
        square = multiply(square, square);
        multiply(product, square)
    })
}

/// All ones where the lowest bit is set, else zero. The black box keeps the compiler from making a branch of it.
fn mask(bit: u8) -> u8 {
    black_box(bit & 1).wrapping_neg()
}

/// The field's polynomial without its highest power.
const REDUCTION: u8 = 0x1B;

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiplication the long way: carry-less product, then long division.
    fn multiply_plainly(left: u8, right: u8) -> u8 {
        let mut product = (0..8)
            .filter(|bit| right >> bit & 1 == 1)
            .fold(0u16, |sum, bit| sum ^ u16::from(left) << bit);
        for bit in (8..15).rev() {
            if product >> bit & 1 == 1 {
                product ^= 0x11B << (bit - 8);
            }
        }
        u8::try_from(product).unwrap()
    }

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197 section 4.2 and 4.2.1.
        assert_eq!(multiply(0x57, 0x83), 0xC1);
        assert_eq!(multiply(0x57, 0x13), 0xFE);
        for left in 0..=u8::MAX {
            for right in 0..=u8::MAX {
                assert_eq!(multiply(left, right), multiply_plainly(left, right));
            }
        }
    }

    #[test]
    fn every_nonzero_element_has_its_inverse() {
        assert_eq!(inverse(0), 0);
        assert!((1..=u8::MAX).all(|element| multiply(element, inverse(element)) == 1));
    }

    #[test]
    fn fewer_shares_than_the_threshold_fit_every_secret() {
        // With one share of a 2-of-n split known, each possible secret stays possible: 256 slopes give 256 values.
        let values: std::collections::HashSet<u8> = (0..=u8::MAX)
            .map(|slope| horner(&[slope], 0x42, 7))
            .collect();
        assert_eq!(values.len(), 256);
    }

    #[test]
    fn refuses_what_cannot_be_split() {
        let random = Random::seeded_for_tests(1);
        assert_eq!(split(&random, b"", 3, 2), Err(Error::NothingToSplit));
        assert_eq!(split(&random, b"s", 3, 0), Err(Error::Threshold));
        assert_eq!(split(&random, b"s", 3, 4), Err(Error::Threshold));
        assert_eq!(split(&random, b"s", 0, 0), Err(Error::Threshold));
    }

    #[test]
    fn refuses_what_cannot_be_combined() {
        assert_eq!(combine::<Vec<u8>>(&[]), Err(Error::NoShares));
        assert_eq!(combine(&[vec![]]), Err(Error::ShareTooShort));
        assert_eq!(combine(&[vec![1]]), Err(Error::ShareTooShort));
        assert_eq!(combine(&[vec![5, 1], vec![6, 0]]), Err(Error::ShareNumber));
        assert_eq!(
            combine(&[vec![5, 1], vec![6, 1]]),
            Err(Error::ShareRepeated)
        );
        assert_eq!(
            combine(&[vec![5, 1], vec![6, 6, 2]]),
            Err(Error::ShareLengths)
        );
        assert_eq!(combine(&vec![vec![5, 1]; 256]), Err(Error::TooManyShares));
    }

    #[test]
    fn the_widest_split_needs_them_all() {
        let random = Random::seeded_for_tests(2);
        let shares = split(&random, b"secret", 255, 255).unwrap();
        assert_eq!(*combine(&shares).unwrap(), b"secret");
        assert_ne!(*combine(&shares[1..]).unwrap(), b"secret");
    }

    #[test]
    fn a_threshold_of_one_repeats_the_secret() {
        let shares = split(&Random::seeded_for_tests(3), b"secret", 3, 1).unwrap();
        assert!(
            shares
                .iter()
                .all(|share| share[..6] == *b"secret" && *combine(&[share]).unwrap() == b"secret")
        );
    }
}
