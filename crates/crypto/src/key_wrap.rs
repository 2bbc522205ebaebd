//! Keys wrapped in keys by AES: what keys travel in.

use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _, KeyWrapPadded as _};
use zeroize::Zeroizing;

use crate::Error;

/// The longest key that is wrapped, in bytes. The longest that people manage, of ML-DSA and RSA, have a few thousand.
pub const MAX_BYTES: usize = 64 * 1024;
/// What wrapping adds at most: eight bytes, and as many as fill up the last eight.
const ADDED: usize = 16;

/// Wraps a key of any length (RFC 5649, KWP of NIST SP 800-38F) in a key of 16 or 32 bytes.
///
/// # Errors
/// [`Error::KeyUnfit`] where the outer key has another length, [`Error::TooLong`] where the inner one passes
/// [`MAX_BYTES`] or is empty.
pub fn wrap_kwp(outer: &[u8], key: &[u8]) -> Result<Vec<u8>, Error> {
    let mut wrapped = vec![0; fitting(key)? + ADDED];
    let made = kek(outer)?.wrap_with_padding(key, &mut wrapped);
    let length = made.map_err(|_| Error::TooLong)?.len();
    wrapped.truncate(length);
    Ok(wrapped)
}

/// Unwraps what [`wrap_kwp`] gave.
///
/// # Errors
/// [`Error::KeyUnfit`] as above, [`Error::Decrypt`] for anything else.
pub fn unwrap_kwp(outer: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut key = room(wrapped)?;
    let opened = kek(outer)?.unwrap_with_padding(wrapped, &mut key);
    let length = opened.map_err(|_| Error::Decrypt)?.len();
    key.truncate(length);
    Ok(key)
}

/// Wraps a key whose length is a multiple of eight, and at least sixteen (RFC 3394, KW).
///
/// # Errors
/// As for [`wrap_kwp`], and [`Error::TooLong`] where the inner key has another length.
pub fn wrap_kw(outer: &[u8], key: &[u8]) -> Result<Vec<u8>, Error> {
    let mut wrapped = vec![0; fitting(key)? + ADDED];
    let made = kek(outer)?.wrap(key, &mut wrapped);
    let length = made.map_err(|_| Error::TooLong)?.len();
    wrapped.truncate(length);
    Ok(wrapped)
}

/// Unwraps what [`wrap_kw`] gave.
///
/// # Errors
/// As for [`unwrap_kwp`].
pub fn unwrap_kw(outer: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut key = room(wrapped)?;
    let opened = kek(outer)?.unwrap(wrapped, &mut key);
    let length = opened.map_err(|_| Error::Decrypt)?.len();
    key.truncate(length);
    Ok(key)
}

fn kek(outer: &[u8]) -> Result<AesKek, Error> {
    let cipher = match outer.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(Error::KeyUnfit),
    };
    AesKek::new(cipher, outer).map_err(|_| Error::KeyUnfit)
}

fn fitting(key: &[u8]) -> Result<usize, Error> {
    match key.len() {
        0 => Err(Error::TooLong),
        length if length > MAX_BYTES => Err(Error::TooLong),
        length => Ok(length),
    }
}

fn room(wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    if wrapped.len() > MAX_BYTES + ADDED {
        return Err(Error::Decrypt);
    }
    Ok(Zeroizing::new(vec![0; wrapped.len()]))
}
