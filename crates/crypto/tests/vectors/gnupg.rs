//! Public keys that GnuPG 2.2.40 made, exported as it exports them; fingerprints are those that it shows. That GnuPG reads
//! what is encrypted to such keys is tested with the program itself, beside the crates (`tests/test_pgp.py`).

use coffer_crypto::Random;
use coffer_crypto::pgp::{Error, Recipient};
use proptest::prelude::*;

macro_rules! key {
    ($name:literal) => {
        include_bytes!(concat!("openpgp/", $name, ".pgp")).as_slice()
    };
}

/// After all keys here were made: 1 January 2027.
const NOW: u64 = 1_798_761_600;

fn read(bytes: &[u8]) -> Result<String, Error> {
    Recipient::read(bytes, NOW).map(|key| hex::encode_upper(key.fingerprint()))
}

#[test]
fn keys_of_all_supported_kinds_are_read() {
    for (key, fingerprint) in [
        (key!("rsa"), "755F4BCBC7943CDF5704FD259D636B0E1C282E83"),
        (
            key!("rsa-primary"),
            "F0485DC952682B1A5C2A3062D65ECC5DC2517BC8",
        ),
        (
            key!("curve25519"),
            "16F59379563EF394A4D220D1BF049955B9BD9A02",
        ),
        (key!("nistp256"), "33E14FCE6020C3D2161C9EEAF1E9D45D52B9F683"),
        (key!("nistp384"), "40FEA3227D79336160486FE289383A1ABEC4B366"),
        (key!("nistp521"), "802DB06B9FAA42E981FCFC6CF29A521C16708F47"),
        (key!("renewed"), "FB7320494652AA66E30715E644068AE4061248AE"),
    ] {
        assert_eq!(read(key).as_deref(), Ok(fingerprint));
        let recipient = Recipient::read(key, NOW).unwrap();
        let message = recipient.encrypt(&Random::system(), b"a share").unwrap();
        assert_ne!(
            message,
            recipient.encrypt(&Random::system(), b"a share").unwrap()
        );
    }
}

#[test]
fn the_newest_subkey_is_encrypted_to() {
    let recipient = Recipient::read(key!("renewed"), NOW).unwrap();
    let message = recipient.encrypt(&Random::system(), b"x").unwrap();
    // Head of two bytes, version, then the id of the key.
    assert_eq!(hex::encode_upper(&message[3..11]), "8A9980F471647242");
}

#[test]
fn keys_that_are_not_to_be_used_are_refused() {
    for (key, error) in [
        (key!("sign-only"), Error::NoEncryptionKey),
        (key!("expired"), Error::Expired),
        (key!("expired-subkey"), Error::Expired),
        (key!("revoked"), Error::Revoked),
        (key!("sha1"), Error::Unsigned),
        (key!("elgamal"), Error::Unsigned), // Its primary key is DSA.
        (key!("private"), Error::Private),
        (b"", Error::NotAKey),
        (b"-----BEGIN PGP PUBLIC KEY BLOCK-----", Error::NotAKey),
    ] {
        assert_eq!(read(key), Err(error));
    }
    let two = [key!("rsa"), key!("curve25519")].concat();
    assert_eq!(read(&two), Err(Error::Several));
    // Before its end it was fine.
    assert!(Recipient::read(key!("expired"), 1_580_000_000).is_ok());
    let padded = [key!("rsa").to_vec(), vec![0xCA; 200_000]].concat();
    assert_eq!(read(&padded), Err(Error::TooLarge));
}

/// Where the packets of a key begin.
fn packets(key: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < key.len() {
        let (head, length) = match key[at] & 3 {
            0 => (2, usize::from(key[at + 1])),
            _ => (
                3,
                usize::from(u16::from_be_bytes([key[at + 1], key[at + 2]])),
            ),
        };
        ranges.push(at..at + head + length);
        at += head + length;
    }
    ranges
}

#[test]
fn a_foreign_subkey_on_somebodys_key_is_not_encrypted_to() {
    // Primary key, name and signature of one; subkey and its binding of another.
    let (victim, attacker) = (key!("sign-only"), key!("curve25519"));
    let subkey = packets(attacker)[3].start;
    let grafted = [victim, &attacker[subkey..]].concat();
    assert_eq!(read(&grafted), Err(Error::NoEncryptionKey));
    // The same onto a key that has one of its own: that one is used.
    let grafted = [key!("rsa"), &attacker[subkey..]].concat();
    let recipient = Recipient::read(&grafted, NOW).unwrap();
    let own = Recipient::read(key!("rsa"), NOW).unwrap();
    let id = |key: &Recipient| key.encrypt(&Random::system(), b"x").unwrap()[3..12].to_vec();
    assert_eq!(id(&recipient), id(&own));
}

#[test]
fn an_altered_key_is_refused_or_is_still_its_owners() {
    let key = key!("curve25519");
    let named = packets(key)[1].end - 1; // In the owner's name, which is signed.
    let mut altered = key.to_vec();
    altered[named] ^= 1;
    assert_eq!(read(&altered), Err(Error::Unsigned));
    let mut altered = key.to_vec();
    altered[packets(key)[3].end - 20] ^= 1; // In the point of the subkey.
    assert_eq!(read(&altered), Err(Error::NoEncryptionKey));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn hostile_keys_are_read_without_harm(at in 0usize..1211, byte: u8, length in 0usize..1211) {
        for key in [key!("rsa"), key!("curve25519")] {
            let mut key = key.get(..length).unwrap_or(key).to_vec();
            if let Some(place) = key.get_mut(at) {
                *place = byte;
            }
            if let Ok(recipient) = Recipient::read(&key, NOW) {
                let _ = recipient.encrypt(&Random::system(), b"x");
            }
        }
    }

    #[test]
    fn noise_is_no_key(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let framed = [&[0x99, 1, 0][..], &bytes].concat();
        prop_assert!(read(&bytes).is_err() && read(&framed).is_err());
    }
}
