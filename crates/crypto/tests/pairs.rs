//! Key pairs: what each kind takes, what it refuses, and that keys survive being written down.

use aws_lc_rs::encoding::AsRawBytes as _;
use aws_lc_rs::signature::{ML_DSA_44_SIGNING, PqdsaKeyPair};
use coffer_crypto::pair::{
    Input, KeyPair, Oaep, OaepHash, PairKind, PublicKey, RsaPadding, Salt, Scheme, SignHash,
    fixed_from_asn1, fixed_to_asn1,
};
use coffer_crypto::{Error, Hash, MacKey, Random, key_wrap, pem};

fn scheme(hash: impl Into<SignHash>, padding: RsaPadding) -> Scheme {
    let hash = hash.into();
    Scheme { hash, padding }
}

fn hashes() -> impl Iterator<Item = SignHash> {
    let all = Hash::ALL.into_iter().map(SignHash::Of);
    all.chain([SignHash::Sha1])
}

#[test]
fn every_kind_signs_what_it_takes_and_survives_storage() {
    for kind in PairKind::ALL {
        let made = KeyPair::generate(kind).unwrap();
        let stored = made.to_pkcs8().unwrap();
        let read = KeyPair::from_pkcs8(kind, stored.expose()).unwrap();
        let public = PublicKey::from_pem(&made.public().to_pem()).unwrap();
        assert_eq!(&public, read.public());
        assert_eq!((public.kind(), read.kind()), (kind, kind));
        let scheme = scheme(Hash::Sha256, RsaPadding::Pkcs1v15);
        let signature = read.sign(&scheme, Input::Message(b"message")).unwrap();
        assert!(public.verify(&scheme, Input::Message(b"message"), &signature));
        assert!(!public.verify(&scheme, Input::Message(b"massage"), &signature));
        assert!(!public.verify(&scheme, Input::Message(b"message"), &signature[1..]));
        assert!(!public.verify(&scheme, Input::Message(b"message"), b""));
        assert_eq!(format!("{made:?}"), format!("KeyPair({kind:?}, redacted)"));
        for other in PairKind::ALL.into_iter().filter(|other| *other != kind) {
            let refused = KeyPair::from_pkcs8(other, stored.expose());
            assert_eq!(refused.unwrap_err(), Error::KeyUnfit, "{kind:?} {other:?}");
        }
    }
}

#[test]
fn messages_and_their_digests_are_the_same_to_rsa_and_ecdsa() {
    let paddings = [
        RsaPadding::Pkcs1v15,
        RsaPadding::Pss(Salt::Auto),
        RsaPadding::Pss(Salt::Hash),
        RsaPadding::Pss(Salt::Length(0)),
        RsaPadding::Pss(Salt::Length(33)),
    ];
    for kind in [PairKind::Rsa2048, PairKind::EcdsaP256, PairKind::EcdsaP521] {
        let pair = KeyPair::generate(kind).unwrap();
        for hash in hashes() {
            let digest = match hash {
                SignHash::Of(hash) => hash.of(b"message"),
                _ => coffer_crypto::sha1(b"message").to_vec(),
            };
            for padding in paddings {
                let scheme = scheme(hash, padding);
                let (message, digest) = (Input::Message(b"message"), Input::Digest(&digest));
                let first = pair.sign(&scheme, message).unwrap();
                let second = pair.sign(&scheme, digest).unwrap();
                assert!(pair.public().verify(&scheme, digest, &first));
                assert!(pair.public().verify(&scheme, message, &second));
                let cut = Input::Digest(&[7; 19]);
                assert_eq!(pair.sign(&scheme, cut).unwrap_err(), Error::DigestLength);
                assert!(!pair.public().verify(&scheme, cut, &first));
            }
        }
    }
}

#[test]
fn a_salt_has_its_length_and_no_other_unless_any_is_taken() {
    let pair = KeyPair::generate(PairKind::Rsa2048).unwrap();
    let message = Input::Message(b"message");
    let salts = [
        Salt::Auto,
        Salt::Hash,
        Salt::Length(0),
        Salt::Length(20),
        Salt::Length(222),
    ];
    for hash in [Hash::Sha256, Hash::Sha3_256] {
        let of = |salt| scheme(hash, RsaPadding::Pss(salt));
        for made in salts {
            let signature = pair.sign(&of(made), message).unwrap();
            for read in salts {
                // 256 bytes of a modulus leave room for 222.
                let length = |salt| match salt {
                    Salt::Auto => 222,
                    Salt::Hash => 32,
                    Salt::Length(length) => length,
                };
                let same = read == Salt::Auto || length(made) == length(read);
                let verified = pair.public().verify(&of(read), message, &signature);
                assert_eq!(verified, same, "{hash:?} {made:?} {read:?}");
            }
        }
        let refused = pair.sign(&of(Salt::Length(223)), message);
        assert_eq!(refused.unwrap_err(), Error::Scheme);
    }
}

#[test]
fn what_is_not_hashed_is_signed_as_it_is_or_not_at_all() {
    let none = scheme(SignHash::None, RsaPadding::Pkcs1v15);
    let rsa = KeyPair::generate(PairKind::Rsa2048).unwrap();
    let signature = rsa.sign(&none, Input::Message(b"raw")).unwrap();
    assert!(
        rsa.public()
            .verify(&none, Input::Digest(b"raw"), &signature)
    );
    let named = scheme(Hash::Sha256, RsaPadding::Pkcs1v15);
    assert!(
        !rsa.public()
            .verify(&named, Input::Message(b"raw"), &signature)
    );
    let long = [0; 246]; // 256 bytes less 11 of padding, and one more.
    assert!(rsa.sign(&none, Input::Message(&long[1..])).is_ok());
    assert!(rsa.sign(&none, Input::Message(&long)).is_err());
    let pss = scheme(SignHash::None, RsaPadding::Pss(Salt::Auto));
    assert_eq!(
        rsa.sign(&pss, Input::Message(b"raw")).unwrap_err(),
        Error::Scheme
    );

    let curve = KeyPair::generate(PairKind::EcdsaP256).unwrap();
    let signature = curve.sign(&none, Input::Message(&[1; 32])).unwrap();
    assert!(
        curve
            .public()
            .verify(&none, Input::Digest(&[1; 32]), &signature)
    );
    // The rest of it would not be signed.
    for wrong in [&[1; 33][..], &[]] {
        let refused = curve.sign(&none, Input::Message(wrong));
        assert_eq!(refused.unwrap_err(), Error::DigestLength);
    }
    for kind in [PairKind::Ed25519, PairKind::MlDsa44] {
        let pair = KeyPair::generate(kind).unwrap();
        let refused = pair.sign(&named, Input::Digest(&[0; 32]));
        assert_eq!(refused.unwrap_err(), Error::Scheme);
    }
}

#[test]
fn rsa_encrypts_what_fits_and_nobody_else_does() {
    let random = Random::system();
    let pair = KeyPair::generate(PairKind::Rsa2048).unwrap();
    let other = KeyPair::generate(PairKind::Rsa2048).unwrap();
    for hash in [OaepHash::Sha1, OaepHash::Sha224, OaepHash::Sha256] {
        let oaep = Oaep { hash, label: b"l" };
        let room = pair.public().room(oaep).unwrap();
        let sealed = pair.public().encrypt(oaep, &random, &vec![7; room]);
        let sealed = sealed.unwrap();
        assert_eq!(*pair.decrypt(oaep, &sealed).unwrap(), vec![7; room]);
        let long = pair.public().encrypt(oaep, &random, &vec![7; room + 1]);
        assert_eq!(long.unwrap_err(), Error::TooLong);
        let unlabelled = Oaep::new(hash);
        for (key, oaep, sealed) in [
            (&pair, unlabelled, &sealed[..]),
            (&other, oaep, &sealed[..]),
            (&pair, oaep, &sealed[1..]),
            (&pair, oaep, b""),
        ] {
            assert_eq!(key.decrypt(oaep, sealed).unwrap_err(), Error::Decrypt);
        }
    }
    let curve = KeyPair::generate(PairKind::EcdsaP256).unwrap();
    let oaep = Oaep::new(OaepHash::Sha256);
    assert_eq!(curve.decrypt(oaep, b"x").unwrap_err(), Error::Scheme);
    let refused = curve.public().encrypt(oaep, &random, b"x");
    assert_eq!(refused.unwrap_err(), Error::Scheme);
}

#[test]
fn signatures_change_their_form_and_back() {
    for (kind, length) in [
        (PairKind::EcdsaP256, 64),
        (PairKind::EcdsaP384, 96),
        (PairKind::EcdsaP521, 132),
    ] {
        let pair = KeyPair::generate(kind).unwrap();
        let scheme = scheme(Hash::Sha256, RsaPadding::Pkcs1v15);
        // Often enough that a number with zeros in front is among them.
        for turn in 0..300u32 {
            let message = turn.to_be_bytes();
            let made = pair.sign(&scheme, Input::Message(&message)).unwrap();
            let fixed = fixed_from_asn1(kind, &made).unwrap();
            assert_eq!(fixed.len(), length);
            assert_eq!(fixed_to_asn1(kind, &fixed).unwrap(), made);
        }
        assert!(fixed_to_asn1(kind, &vec![1; length - 1]).is_err());
        assert!(fixed_to_asn1(kind, &vec![1; length + 1]).is_err());
        assert!(fixed_from_asn1(kind, b"\x30\x03\x02\x01\x01").is_err());
    }
    assert!(fixed_from_asn1(PairKind::Ed25519, &[0; 64]).is_err());
}

#[test]
fn pairs_are_written_in_the_forms_that_others_read() {
    for (kind, label) in [
        (PairKind::EcdsaP384, pem::EC_PRIVATE_KEY),
        (PairKind::Rsa2048, pem::RSA_PRIVATE_KEY),
        (PairKind::Ed25519, pem::PRIVATE_KEY),
    ] {
        let pair = KeyPair::generate(kind).unwrap();
        let traditional = pair.to_traditional_pem().unwrap();
        assert_eq!(pem::read(&traditional).unwrap().0, label);
        let modern = pair.to_pem().unwrap();
        let (label, document) = pem::read(&modern).unwrap();
        assert_eq!(label, pem::PRIVATE_KEY);
        let again = KeyPair::from_pkcs8(kind, &document).unwrap();
        assert_eq!(again.public(), pair.public());
        assert!(PublicKey::from_pem(&modern).is_err());
    }
}

#[test]
fn numbers_make_their_keys_again() {
    for kind in [PairKind::Rsa2048, PairKind::EcdsaP256, PairKind::EcdsaP521] {
        let pair = KeyPair::generate(kind).unwrap();
        let (again, public) = if let Some(mut numbers) = pair.rsa_numbers() {
            let again = KeyPair::from_rsa_numbers(kind, &numbers).unwrap();
            let (n, e) = pair.public().rsa_numbers().unwrap();
            numbers.d[5] ^= 1;
            assert!(KeyPair::from_rsa_numbers(kind, &numbers).is_err());
            (again, PublicKey::from_rsa_numbers(kind, &n, &e))
        } else {
            let (x, y) = pair.public().point().unwrap();
            let mut d = pair.scalar().unwrap();
            let again = KeyPair::from_scalar(kind, &d, &x, &y).unwrap();
            d[5] ^= 1;
            assert!(KeyPair::from_scalar(kind, &d, &x, &y).is_err());
            (again, PublicKey::from_point(kind, &x, &y))
        };
        assert_eq!(again.to_pkcs8().unwrap(), pair.to_pkcs8().unwrap());
        assert_eq!(&public.unwrap(), pair.public());
        let bits = PublicKey::from_bits(kind, &pair.public().bits()).unwrap();
        assert_eq!(&bits, pair.public());
    }
}

/// RFC 5903 section 8.1, and that no other curve and kind is taken.
#[test]
fn pairs_agree_as_published() {
    let hex = |text: &str| hex::decode(text).unwrap();
    let kind = PairKind::EcdsaP256;
    let [first, second] = [
        [
            "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
            "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
            "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
        ],
        [
            "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
            "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
            "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
        ],
    ]
    .map(|[d, x, y]| KeyPair::from_scalar(kind, &hex(d), &hex(x), &hex(y)).unwrap());
    let shared = hex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
    assert_eq!(*first.agree(second.public()).unwrap(), shared);
    assert_eq!(*second.agree(first.public()).unwrap(), shared);
    for kind in [PairKind::EcdsaP384, PairKind::EcdsaP521, PairKind::Ed25519] {
        let other = KeyPair::generate(kind).unwrap();
        assert_eq!(first.agree(other.public()).unwrap_err(), Error::Scheme);
        assert_eq!(other.agree(first.public()).unwrap_err(), Error::Scheme);
    }
}

#[test]
fn a_seed_is_its_pair() {
    for kind in PairKind::ALL {
        let made = KeyPair::from_seed(kind, &[9; 32]);
        if !kind.has_seed() {
            assert_eq!(made.unwrap_err(), Error::KeyUnfit, "{kind:?}");
            continue;
        }
        let pair = made.unwrap();
        assert_eq!(pair.seed().unwrap().expose(), &[9; 32]);
        let public = PublicKey::from_bits(kind, &pair.public().bits()).unwrap();
        assert_eq!(&public, pair.public());
        let again = KeyPair::from_pkcs8(kind, pair.to_pkcs8().unwrap().expose()).unwrap();
        assert_eq!(again.seed().unwrap().expose(), &[9; 32]);
        let (scheme, input) = (
            scheme(SignHash::None, RsaPadding::Pkcs1v15),
            Input::Message(b"m"),
        );
        let signature = pair.sign(&scheme, input).unwrap();
        assert!(public.verify(&scheme, input, &signature), "{kind:?}");
        assert!(PublicKey::from_bits(kind, &public.bits()[1..]).is_err());
    }
    for kind in [PairKind::EcdsaP256, PairKind::Rsa2048] {
        assert!(KeyPair::generate(kind).unwrap().seed().is_none());
    }
    let generated = KeyPair::generate(PairKind::MlDsa44).unwrap();
    let seed: [u8; 32] = generated.seed().unwrap().expose()[..].try_into().unwrap();
    let again = KeyPair::from_seed(PairKind::MlDsa44, &seed).unwrap();
    assert_eq!(again.public(), generated.public());
}

/// The three forms that RFC 9881 section 6 has.
#[test]
fn ml_dsa_in_pkcs8_has_its_seed_and_what_is_beside_it_fits() {
    let seed = [9; 32];
    let of = |seed: &[u8]| PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, seed).unwrap();
    let expanded =
        |pair: &PqdsaKeyPair| pair.private_key().as_raw_bytes().unwrap().as_ref().to_vec();
    let (own, other) = (expanded(&of(&seed)), expanded(&of(&[8; 32])));
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    };
    let document = |inner: &[u8]| {
        let algorithm = [
            0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11,
        ];
        element(
            0x30,
            &[&[2, 1, 0][..], &algorithm, &element(4, inner)].concat(),
        )
    };
    let both = |expanded: &[u8]| {
        let seed = [&[4, 32][..], &seed].concat();
        document(&element(0x30, &[seed, element(4, expanded)].concat()))
    };
    let read = |document: &[u8]| KeyPair::from_pkcs8(PairKind::MlDsa44, document);
    let pair = read(&both(&own)).unwrap();
    assert_eq!(pair.seed().unwrap().expose(), &seed);
    assert_eq!(pair.to_pkcs8().unwrap().expose().len(), 54);
    for wrong in [both(&other), document(&element(4, &own)), document(&seed)] {
        assert_eq!(read(&wrong).unwrap_err(), Error::KeyUnfit);
    }
}

#[test]
fn wrapped_keys_are_whole_or_nothing() {
    let (outer, other) = ([1; 32], [2; 32]);
    for length in [1, 7, 8, 9, 32, 2400] {
        let key = vec![5; length];
        let wrapped = key_wrap::wrap_kwp(&outer, &key).unwrap();
        assert_eq!(*key_wrap::unwrap_kwp(&outer, &wrapped).unwrap(), key);
        let wrong = key_wrap::unwrap_kwp(&other, &wrapped);
        assert_eq!(wrong.unwrap_err(), Error::Decrypt);
        for at in 0..wrapped.len().min(40) {
            let mut altered = wrapped.clone();
            altered[at] ^= 1;
            assert!(key_wrap::unwrap_kwp(&outer, &altered).is_err());
            assert!(key_wrap::unwrap_kwp(&outer, &wrapped[..at]).is_err());
        }
    }
    assert!(key_wrap::wrap_kwp(&outer, b"").is_err());
    let long = vec![0; key_wrap::MAX_BYTES + 1];
    assert!(key_wrap::wrap_kwp(&outer, &long).is_err());
    assert!(key_wrap::unwrap_kwp(&outer, &[long, vec![0; 32]].concat()).is_err());
    assert_eq!(
        key_wrap::wrap_kwp(&[1; 24], b"x").unwrap_err(),
        Error::KeyUnfit
    );
}

/// RFC 4231, test case 2. With SHA-3: see Wycheproof.
#[test]
fn codes_of_all_lengths_are_as_published() {
    let hex = |text: &str| hex::decode(text).unwrap();
    for (hash, code) in [
        (
            Hash::Sha224,
            "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
        ),
        (
            Hash::Sha256,
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            Hash::Sha384,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ),
        (
            Hash::Sha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ] {
        let key = MacKey::new(hash, b"Jefe");
        let data = b"what do ya want for nothing?";
        assert_eq!(key.sign(data), hex(code), "{hash:?}");
        assert!(key.verify(data, &hex(code)) && !key.verify(data, &hex(code)[..8]));
    }
}
