//! What is decided without an HSM; with one: `tests/pkcs11`.

use super::*;
use crate::testing::World;

const STANZA: [(&str, &str); 4] = [
    ("lib", "libnone.so"),
    ("token_label", "coffer"),
    ("pin", "hunter2"),
    ("key_label", "root"),
];

fn why(more: &[(&str, &str)], less: &[&str], environment: &[(&str, &str)]) -> Option<String> {
    let world = World::new(|_| (500, serde_json::Value::Null));
    let stanza: Vec<(&str, &str)> = STANZA
        .iter()
        .chain(more)
        .filter(|(name, _)| !less.contains(name))
        .copied()
        .collect();
    let built = world.keeper("pkcs11", &stanza, environment);
    built.err().map(|error| error.to_string())
}

#[test]
fn mistakes_are_named_without_the_pin() {
    for (more, less, word) in [
        (
            &[][..],
            &["lib"][..],
            "`lib` is missing; write it into the stanza, or set VAULT_HSM_LIB",
        ),
        (
            &[("lib", "/none/such.so")],
            &[],
            "`lib` names /none/such.so, which is not there",
        ),
        (&[], &["token_label"], "`token_label` is missing"),
        (&[], &["pin"], "`pin` is missing"),
        (&[], &["key_label"], "`key_label` is missing"),
        (&[("slot", "first")], &[], "`slot` is no number"),
        (&[("key_id", "0xzz")], &[], "`key_id` is no identifier"),
        (
            &[("mechanism", "0x1085")],
            &[],
            "a cipher with an HMAC beside it is not used",
        ),
        (&[("mechanism", "CKM_RSA_PKCS")], &[], "PKCS #1 v1.5"),
        (&[("mechanism", "AES")], &[], "neither CKM_AES_GCM"),
        (
            &[("rsa_oaep_hash", "md5")],
            &[],
            "`rsa_oaep_hash` is none of",
        ),
        (
            &[("generate_key", "true")],
            &[],
            "`generate_key` is not supported: keys are not made here",
        ),
        (
            &[("hmac_key_label", "h")],
            &[],
            "`hmac_key_label` is not supported",
        ),
        (
            &[("rsa_encrypt_local", "true")],
            &[],
            "the HSM itself encrypts",
        ),
        (&[("key_lable", "root")], &[], "did you mean `key_label`?"),
    ] {
        let why = why(more, less, &[]).unwrap();
        assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
    }
}

#[test]
fn parameters_and_variables_are_those_of_the_documents() {
    for good in [
        ("slot", "2305843009213693953"),
        ("slot", "0x2000000000000001"),
        ("key_id", "0x33333435363434373537"),
        ("mechanism", "0x1087"),
        ("mechanism", "4231"),
        ("mechanism", "AES_GCM"),
        ("mechanism", "CKM_RSA_PKCS_OAEP"),
        ("mechanism", "0x0009"),
        ("rsa_oaep_hash", "sha384"),
        ("disable_software_encryption", "true"),
        ("force_rw_session", "true"),
        ("generate_key", "false"),
        ("default_key_label", "old"),
    ] {
        assert_eq!(why(&[good], &[], &[]), None, "{good:?}");
    }
    let environment = [
        ("BAO_HSM_LIB", "libnone.so"),
        ("VAULT_HSM_SLOT", "0"),
        ("BAO_HSM_PIN", "p"),
        ("VAULT_HSM_KEY_LABEL", "root"),
    ];
    let none: Vec<&str> = STANZA.iter().map(|(name, _)| *name).collect();
    assert_eq!(why(&[], &none, &environment), None);
    let why = why(&[], &[], &[("VAULT_HSM_GENERATE_KEY", "true")]).unwrap();
    assert!(why.contains("generate_key"));
}

#[test]
fn names_of_keys_come_back() {
    for (label, id) in [
        ("root", &b""[..]),
        ("root", b"\x01\x02"),
        ("", b"\xff"),
        ("a;b", b"\x01"),
    ] {
        let name = KeyName {
            label: label.to_owned(),
            id: id.to_vec(),
        };
        assert_eq!(KeyName::parse(&name.shown()), Some(name));
    }
    let long = "x".repeat(1_000);
    for wrong in ["", "root;id=0xzz", "root;id=0x0", long.as_str()] {
        assert_eq!(KeyName::parse(wrong), None, "{wrong:.20}");
    }
}

#[tokio::test]
async fn a_library_that_is_none_is_refused() {
    let world = World::new(|_| (500, serde_json::Value::Null));
    let keeper = world.keeper("pkcs11", &STANZA, &[]).unwrap();
    let refused = keeper.wrap(b"root key").await.unwrap_err();
    assert!(
        matches!(&refused, WrapError::Refused(why) if why.contains("no PKCS #11 library")),
        "{refused}"
    );
}
