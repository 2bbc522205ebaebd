//! One message to one key: the session key encrypted to it, and the content encrypted by the session key.

use aws_lc_rs::agreement;
use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::RsaPublicKeyComponents;
use zeroize::Zeroizing;

use super::key::{Curve, Ecdh, Material, PublicKey};
use super::packet::{write_number, write_packet};
use crate::hash::sha1;
use crate::{Error, Random, Secret};

/// Tags of packets (RFC 4880, section 4.3).
const SESSION_KEY: u8 = 1;
const LITERAL: u8 = 11;
const PROTECTED: u8 = 18;
/// The number of AES-256 (section 9.2).
const AES_256_NUMBER: u8 = 9;
const BLOCK_BYTES: usize = 16;
/// The session key, its number and its sum, filled up to a whole number of blocks (RFC 6637, section 8); filled up so
/// far that the length does not tell which cipher it is for.
const WRAPPED_INPUT_BYTES: usize = 40;
/// The anonymous sender of RFC 6637, section 7.
const SENDER: &[u8; 20] = b"Anonymous Sender    ";

pub(super) fn encrypt(to: &PublicKey, random: &Random, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    let session_key: Secret<[u8; 32]> = random.secret_bytes();
    let mut message = Vec::new();
    write_packet(
        &mut message,
        SESSION_KEY,
        &session_packet(to, session_key.expose())?,
    );
    let content = protected(session_key.expose(), random, plaintext)?;
    write_packet(&mut message, PROTECTED, &content);
    Ok(message)
}

/// Whether the library takes the key: its numbers may be none of a key.
pub(super) fn accepts(key: &PublicKey) -> bool {
    session_packet(key, &[0; 32]).is_ok()
}

/// The session key for the owner of the key (RFC 4880, section 5.1).
fn session_packet(to: &PublicKey, session_key: &[u8; 32]) -> Result<Vec<u8>, Error> {
    let sum = session_key
        .iter()
        .fold(0u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    let mut input = Zeroizing::new(Vec::with_capacity(WRAPPED_INPUT_BYTES));
    input.push(AES_256_NUMBER);
    input.extend(session_key);
    input.extend(sum.to_be_bytes());
    let mut packet = vec![3];
    packet.extend(to.id());
    match &to.material {
        Material::Rsa { n, e, .. } => {
            packet.push(1);
            write_number(&mut packet, &rsa(n, e, &input)?);
        }
        Material::Ecdh(ecdh) => {
            packet.push(18);
            let (point, wrapped) = agreed(ecdh, to, &mut input)?;
            write_number(&mut packet, &point);
            packet.push(u8::try_from(wrapped.len()).map_err(|_| Error::Recipient)?);
            packet.extend(wrapped);
        }
        Material::EdDsa { .. } | Material::EcDsa { .. } | Material::Other => {
            return Err(Error::Recipient);
        }
    }
    Ok(packet)
}

/// PKCS #1 v1.5, which OpenPGP prescribes (section 13.1.1).
fn rsa(n: &[u8], e: &[u8], input: &[u8]) -> Result<Vec<u8>, Error> {
    let key: Result<PublicEncryptingKey, _> = RsaPublicKeyComponents { n, e }.try_into();
    let key = key
        .and_then(Pkcs1PublicEncryptingKey::new)
        .map_err(|_| Error::Recipient)?;
    let mut out = vec![0; key.ciphertext_size()];
    let written = key.encrypt(input, &mut out).map_err(|_| Error::Recipient)?;
    let length = written.len();
    out.truncate(length);
    Ok(out)
}

/// A fresh point of ours, and the input wrapped by what it and the key have in common (RFC 6637, section 8).
fn agreed(
    ecdh: &Ecdh,
    to: &PublicKey,
    input: &mut Zeroizing<Vec<u8>>,
) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let algorithm = ecdh.agreement().ok_or(Error::Recipient)?;
    let ours = agreement::PrivateKey::generate(algorithm).map_err(|_| Error::Recipient)?;
    let point = ours.compute_public_key().map_err(|_| Error::Recipient)?;
    let mut written = Vec::new();
    if ecdh.curve == Curve::Curve25519 {
        written.push(0x40);
    }
    written.extend(point.as_ref());
    let fill = WRAPPED_INPUT_BYTES.saturating_sub(input.len());
    input.extend(vec![u8::try_from(fill).unwrap_or_default(); fill]);
    let theirs = agreement::UnparsedPublicKey::new(algorithm, &ecdh.point);
    let wrapped = agreement::agree(&ours, theirs, Error::Recipient, |shared| {
        wrap(ecdh, to, shared, input)
    })?;
    Ok((written, wrapped))
}

/// The wrapping key is a hash of what is shared and of who it is for (section 7).
fn wrap(ecdh: &Ecdh, to: &PublicKey, shared: &[u8], input: &[u8]) -> Result<Vec<u8>, Error> {
    let identifier = ecdh.curve.identifier();
    let mut hashed = Zeroizing::new(vec![0, 0, 0, 1]);
    hashed.extend(shared);
    hashed.push(u8::try_from(identifier.len()).map_err(|_| Error::Recipient)?);
    hashed.extend(identifier);
    hashed.push(18);
    hashed.extend(ecdh.parameters);
    hashed.extend(SENDER);
    hashed.extend(to.fingerprint());
    let key = Zeroizing::new(ecdh.hash.of(&hashed));
    let key = key.get(..ecdh.wrapping_key_bytes).ok_or(Error::Recipient)?;
    let key = match ecdh.wrapping_key_bytes {
        16 => UnboundCipherKey::new(&AES_128, key),
        24 => UnboundCipherKey::new(&AES_192, key),
        _ => UnboundCipherKey::new(&AES_256, key),
    };
    let key = key
        .and_then(EncryptingKey::ecb)
        .map_err(|_| Error::Recipient)?;
    wrapped(&key, input)
}

/// RFC 3394, section 2.2.1. The library wraps keys, too, but not with AES-192, which GnuPG prescribes for P-384.
fn wrapped(key: &EncryptingKey, input: &[u8]) -> Result<Vec<u8>, Error> {
    const ROUNDS: u64 = 6;
    let mut sum = [0xA6; 8];
    let (blocks, rest) = input.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(Error::Recipient);
    }
    let mut blocks = Zeroizing::new(blocks.to_vec());
    let mut step: u64 = 0;
    for _ in 0..ROUNDS {
        for block in blocks.iter_mut() {
            step += 1;
            let mut both = Zeroizing::new([sum, *block].concat());
            key.less_safe_encrypt(&mut both, EncryptionContext::None)
                .map_err(|_| Error::Recipient)?;
            let (high, low) = both.split_first_chunk().ok_or(Error::Recipient)?;
            sum = (u64::from_be_bytes(*high) ^ step).to_be_bytes();
            *block = *low.first_chunk().ok_or(Error::Recipient)?;
        }
    }
    let mut out = sum.to_vec();
    out.extend(blocks.iter().flatten());
    Ok(out)
}

/// The content with its modification code (RFC 4880, sections 5.13 and 5.14).
fn protected(session_key: &[u8; 32], random: &Random, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    let prefix: [u8; BLOCK_BYTES] = random.bytes();
    let mut literal = Zeroizing::new(vec![b'b', 0, 0, 0, 0, 0]); // Bytes without a name or a date.
    literal.extend(plaintext);
    let mut content = Zeroizing::new(Vec::with_capacity(literal.len() + 64));
    content.extend(prefix);
    content.extend(prefix.last_chunk::<2>().copied().unwrap_or_default());
    let mut packet = Zeroizing::new(Vec::with_capacity(literal.len() + 16));
    write_packet(&mut packet, LITERAL, &literal);
    content.extend(packet.iter());
    content.extend([0xD3, 0x14]);
    let code = sha1(&content);
    content.extend(code);
    let key = UnboundCipherKey::new(&AES_256, session_key).and_then(EncryptingKey::cfb128);
    let start = EncryptionContext::Iv128(FixedLength::from(&[0; BLOCK_BYTES]));
    key.and_then(|key| key.less_safe_encrypt(&mut content, start))
        .map_err(|_| Error::TooLong)?;
    let mut out = vec![1];
    out.extend(content.iter());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::cipher::{DecryptingKey, DecryptionContext};
    use aws_lc_rs::key_wrap::{self, AesKek, KeyWrap};

    use super::*;
    use crate::pgp::packet::{Packets, Reader};

    /// What the owner of a Curve25519 key does with a message, with the parts of the format that only they need.
    fn read_by_owner(
        ecdh: &Ecdh,
        to: &PublicKey,
        private: &agreement::PrivateKey,
        message: &[u8],
    ) -> Vec<u8> {
        let mut packets = Packets::of(message);
        let session = packets.next().unwrap().unwrap();
        let content = packets.next().unwrap().unwrap();
        assert_eq!((session.tag, content.tag), (1, 18));
        let mut session = Reader::of(session.body);
        assert_eq!(session.byte().unwrap(), 3);
        assert_eq!(session.array::<8>().unwrap(), to.id());
        assert_eq!(session.byte().unwrap(), 18);
        let point = session.number().unwrap();
        let wrapped = session.counted().unwrap().to_vec();
        let point = if ecdh.curve == Curve::Curve25519 {
            &point[1..]
        } else {
            point
        };
        let theirs = agreement::UnparsedPublicKey::new(ecdh.agreement().unwrap(), point);
        let input = agreement::agree(private, theirs, (), |shared| {
            // Wrapping known bytes gives the key to unwrap with the same code, so unwrap by trying it here.
            let mut hashed = vec![0, 0, 0, 1];
            hashed.extend(shared);
            let identifier = ecdh.curve.identifier();
            hashed.push(identifier.len() as u8);
            hashed.extend(identifier);
            hashed.push(18);
            hashed.extend(ecdh.parameters);
            hashed.extend(SENDER);
            hashed.extend(to.fingerprint());
            let key = ecdh.hash.of(&hashed);
            let cipher = match ecdh.wrapping_key_bytes {
                16 => &key_wrap::AES_128,
                _ => &key_wrap::AES_256,
            };
            let key = AesKek::new(cipher, &key[..ecdh.wrapping_key_bytes]).unwrap();
            let mut out = vec![0; wrapped.len()];
            let length = key.unwrap(&wrapped, &mut out).unwrap().len();
            out.truncate(length);
            Ok::<_, ()>(out)
        })
        .unwrap();
        assert_eq!((input.len(), input[0], &input[35..]), (40, 9, &[5; 5][..]));
        let sum: u32 = input[1..33].iter().map(|byte| u32::from(*byte)).sum();
        assert_eq!(
            input[33..35],
            u16::try_from(sum % 65_536).unwrap().to_be_bytes()
        );
        let key = UnboundCipherKey::new(&AES_256, &input[1..33]).unwrap();
        let mut content = content.body[1..].to_vec();
        let start = DecryptionContext::Iv128(FixedLength::from(&[0; 16]));
        let key = DecryptingKey::cfb128(key).unwrap();
        key.decrypt(&mut content, start).unwrap();
        let (inside, code) = content.split_at(content.len() - 20);
        assert_eq!(sha1(inside), code);
        assert_eq!(inside[14..16], inside[16..18]);
        let literal = Packets::of(&inside[18..]).next().unwrap().unwrap();
        assert_eq!((literal.tag, &literal.body[..2]), (11, &b"b\0"[..]));
        literal.body[6..].to_vec()
    }

    fn key_body(curve: Curve, point: &[u8], parameters: [u8; 4]) -> Vec<u8> {
        let mut body = vec![4, 0, 0, 0, 1, 18];
        body.push(curve.identifier().len() as u8);
        body.extend(curve.identifier());
        let mut marked = Vec::new();
        if curve == Curve::Curve25519 {
            marked.push(0x40);
        }
        marked.extend(point);
        write_number(&mut body, &marked);
        body.extend(parameters);
        body
    }

    #[test]
    fn the_owner_reads_what_was_encrypted() {
        let keys = [
            (Curve::Curve25519, &agreement::X25519, [3, 1, 8, 7]),
            (Curve::P256, &agreement::ECDH_P256, [3, 1, 8, 7]),
            (Curve::P384, &agreement::ECDH_P384, [3, 1, 9, 9]),
            (Curve::P521, &agreement::ECDH_P521, [3, 1, 10, 9]),
        ];
        for (curve, algorithm, parameters) in keys {
            let private = agreement::PrivateKey::generate(algorithm).unwrap();
            let point = private.compute_public_key().unwrap();
            let to = PublicKey::read(&key_body(curve, point.as_ref(), parameters)).unwrap();
            let Material::Ecdh(ecdh) = to.material.clone() else {
                panic!("not a key to agree with")
            };
            for text in [&b""[..], b"a share", &[7; 5000]] {
                let message = encrypt(&to, &Random::system(), text).unwrap();
                assert_eq!(read_by_owner(&ecdh, &to, &private, &message), text);
            }
        }
    }

    #[test]
    fn keys_are_wrapped_as_in_rfc_3394() {
        let count_up = |to: u8| (0..to).collect::<Vec<u8>>();
        let data = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77];
        let more = [0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF];
        let input = [data, more].concat();
        for (algorithm, key, expected) in [
            (
                &AES_128,
                count_up(16),
                "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
            ),
            (
                &AES_192,
                count_up(24),
                "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d",
            ),
            (
                &AES_256,
                count_up(32),
                "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7",
            ),
        ] {
            let key = UnboundCipherKey::new(algorithm, &key).unwrap();
            let key = EncryptingKey::ecb(key).unwrap();
            assert_eq!(hex::encode(wrapped(&key, &input).unwrap()), expected);
        }
    }

    #[test]
    fn a_point_that_is_none_is_refused() {
        let body = key_body(Curve::P256, &[4; 65], [3, 1, 8, 7]);
        let to = PublicKey::read(&body).unwrap();
        assert_eq!(encrypt(&to, &Random::system(), b"x"), Err(Error::Recipient));
        let zero = key_body(Curve::Curve25519, &[0; 32], [3, 1, 8, 7]);
        let to = PublicKey::read(&zero).unwrap();
        assert_eq!(encrypt(&to, &Random::system(), b"x"), Err(Error::Recipient));
    }
}
