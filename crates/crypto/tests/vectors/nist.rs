//! AES-256-GCM against NIST's validation vectors.

use std::collections::HashMap;

use coffer_crypto::{Aes256Key, Error};

#[test]
fn opens_and_refuses_as_nist_says() {
    let (mut passed, mut failed) = (0, 0);
    for case in include_str!("gcm_decrypt_256.rsp")
        .split("\n\n")
        .filter(|text| text.contains("Key = "))
    {
        let lines = case.lines().filter_map(|line| line.split_once('='));
        let fields: HashMap<_, _> = lines
            .map(|(name, value)| (name.trim(), value.trim()))
            .collect();
        let field = |name: &str| hex::decode(fields[name]).unwrap();

        let key = Aes256Key::from_slice(&field("Key")).unwrap();
        let opened = key.open(
            &field("AAD"),
            &[field("IV"), field("CT"), field("Tag")].concat(),
        );
        if case.contains("FAIL") {
            assert_eq!(opened, Err(Error::Decrypt), "{case}");
            failed += 1;
        } else {
            assert_eq!(*opened.unwrap(), field("PT"), "{case}");
            passed += 1;
        }
    }
    assert_eq!((passed, failed), (75, 25));
}
