//! What must hold for every input: nothing is lost in the key ring or in the shares, and nothing false passes.

#[cfg(test)]
mod keyring {
    use coffer_crypto::keyring::OVERHEAD_BYTES;
    use coffer_crypto::{Error, KeyRing, Random};
    use proptest::prelude::*;

    fn ring(seed: u64, rotations: u64) -> (Random, KeyRing) {
        let random = Random::seeded_for_tests(seed);
        let mut ring = KeyRing::new(&random, 0).unwrap();
        for now in 1..=rotations {
            ring.rotate(&random, now).unwrap();
        }
        (random, ring)
    }

    proptest! {
        #[test]
        fn decrypts_after_rotation_and_storage(
            seed: u64, before in 0u64..5, after in 0u64..5, path: String, plaintext: Vec<u8>,
        ) {
            let (random, mut ring) = ring(seed, before);
            let encrypted = ring.encrypt(&random, &path, &plaintext).unwrap();
            prop_assert_eq!(encrypted.len(), plaintext.len() + OVERHEAD_BYTES);
            for now in 0..after {
                ring.rotate(&random, now).unwrap();
            }
            let stored = KeyRing::deserialize(&ring.serialize()).unwrap();
            prop_assert_eq!(stored.info(), ring.info());
            prop_assert_eq!(&*stored.decrypt(&path, &encrypted).unwrap(), &plaintext);
            prop_assert_eq!(stored.serialize(), ring.serialize());
        }

        #[test]
        fn another_path_is_refused(seed: u64, path: String, other: String, plaintext: Vec<u8>) {
            prop_assume!(path != other);
            let (random, ring) = ring(seed, 1);
            let encrypted = ring.encrypt(&random, &path, &plaintext).unwrap();
            prop_assert_eq!(ring.decrypt(&other, &encrypted), Err(Error::Decrypt));
        }

        #[test]
        fn any_altered_byte_is_refused(seed: u64, plaintext: Vec<u8>, at: prop::sample::Index, change in 1u8..) {
            let (random, ring) = ring(seed, 2);
            let mut encrypted = ring.encrypt(&random, "path", &plaintext).unwrap();
            let at = at.index(encrypted.len());
            encrypted[at] ^= change;
            prop_assert_eq!(ring.decrypt("path", &encrypted), Err(Error::Decrypt));
        }

        #[test]
        fn hostile_bytes_are_refused(bytes: Vec<u8>) {
            let (_, ring) = ring(0, 2);
            prop_assert_eq!(ring.decrypt("path", &bytes), Err(Error::Decrypt));
            prop_assert!(KeyRing::deserialize(&bytes).is_err());
        }
    }
}

#[cfg(test)]
mod shamir {
    use coffer_crypto::{Random, shamir};
    use proptest::prelude::*;

    fn splits() -> impl Strategy<Value = (u8, u8)> {
        (1u8..=255).prop_flat_map(|shares| (Just(shares), 1..=shares))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_threshold_of_shares_gives_the_secret_back(
            seed: u64, (count, threshold) in splits(), secret in prop::collection::vec(any::<u8>(), 1..40),
        ) {
            let random = Random::seeded_for_tests(seed);
            let mut shares = shamir::split(&random, &secret, count, threshold).unwrap();
            prop_assert_eq!(shares.len(), usize::from(count));
            let mut points: Vec<u8> = shares.iter().map(|share| *share.last().unwrap()).collect();
            points.sort_unstable();
            points.dedup();
            prop_assert!(points.len() == shares.len() && points[0] != 0);

            random.shuffle(&mut shares);
            let enough = random.uniform(u64::from(count - threshold) + 1) as usize + usize::from(threshold);
            prop_assert_eq!(&*shamir::combine(&shares[..enough]).unwrap(), &secret);
        }

        #[test]
        fn one_share_short_gives_something_else(seed: u64, threshold in 2u8..20, secret: [u8; 16]) {
            let random = Random::seeded_for_tests(seed);
            let shares = shamir::split(&random, &secret, threshold, threshold).unwrap();
            prop_assert_ne!(&shamir::combine(&shares[1..]).unwrap()[..], &secret);
        }

        #[test]
        fn hostile_shares_never_panic(shares: Vec<Vec<u8>>) {
            drop(shamir::combine(&shares));
        }
    }
}

#[cfg(test)]
mod jose {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use coffer_crypto::jose::{Compact, KeySet, read_key};
    use coffer_crypto::sign::Algorithm;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// Keys that are almost keys.
    fn almost_a_key() -> impl Strategy<Value = Value> {
        let kind = prop::sample::select(vec!["RSA", "EC", "OKP", "oct", "odd"]);
        let curve = prop::sample::select(vec!["P-256", "P-384", "P-521", "Ed25519", "x"]);
        let number = prop::collection::vec(any::<u8>(), 0..300);
        (kind, curve, number.clone(), number).prop_map(|(kind, curve, one, other)| {
            let (one, other) = (URL_SAFE_NO_PAD.encode(one), URL_SAFE_NO_PAD.encode(other));
            json!({ "kty": kind, "crv": curve, "n": one, "e": "AQAB", "x": one, "y": other, "k": other })
        })
    }

    proptest! {
        #[test]
        fn hostile_tokens_never_panic(text: String, header: String, rest in "[A-Za-z0-9_-]{0,20}") {
            drop(Compact::parse(&text));
            let header = URL_SAFE_NO_PAD.encode(header);
            drop(Compact::parse(&format!("{header}.{rest}.{rest}")));
        }

        #[test]
        fn hostile_keys_never_panic_and_verify_nothing(jwk in almost_a_key()) {
            let token = format!("eyJhbGciOiJFUzI1NiJ9.e30.{}", "A".repeat(86));
            let token = Compact::parse(&token).unwrap();
            drop(read_key(&jwk, &Algorithm::ALL));
            let set = KeySet::read(&json!({ "keys": [jwk] }), &Algorithm::ALL).unwrap();
            prop_assert!(set.verify(&token).is_err());
        }
    }
}

#[cfg(test)]
mod sigv4 {
    use coffer_crypto::sigv4::{Credentials, Presented, Received, Request, Scope};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused(
            authorization in "(AWS4-HMAC-SHA256 )?[ -~]{0,120}", date in "[0-9TZ]{0,20}", path: String, query: String, body: Vec<u8>,
        ) {
            let headers: [(&str, &[u8]); 3] =
                [("host", b"h"), ("x-amz-date", date.as_bytes()), ("authorization", authorization.as_bytes())];
            let received = Received { method: "POST", path: &path, query: &query, headers: &headers, body: &body };
            if let Ok(presented) = Presented::read(&received) {
                prop_assert!(!presented.is_by(&"secret".into()));
            }
        }

        #[test]
        fn what_was_signed_is_found_signed_and_with_another_body_it_is_not(
            secret in "[ -~]{1,60}", region in "[a-z0-9-]{1,20}", value in "[ -~]{0,40}", body: Vec<u8>, other: Vec<u8>,
        ) {
            let credentials = Credentials {
                access_key: "CKIATEST".into(),
                secret_key: secret.as_str().into(),
                session_token: None,
            };
            let given = [("X-Thing", value.as_str())];
            let request = Request { method: "POST", host: "h:1", headers: &given, body: &body };
            let scope = Scope { time: "20150830T123600Z", region: &region, service: "kms" };
            let mut fields = credentials.sign(&request, scope);
            fields.extend([("host".into(), "h:1".into()), ("x-thing".into(), value.clone())]);
            let headers: Vec<(&str, &[u8])> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let found = |body: &[u8]| {
                let received = Received { method: "POST", path: "/", query: "", headers: &headers, body };
                Presented::read(&received).unwrap().is_by(&secret.as_str().into())
            };
            prop_assert!(found(&body));
            prop_assert_eq!(found(&other), body == other);
        }
    }
}
