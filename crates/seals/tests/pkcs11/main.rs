//! The keeper `pkcs11` with SoftHSM2.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may fail"
)]

mod softhsm;

use std::collections::BTreeMap;
use std::sync::Arc;

use coffer_barrier::{WrapError, Wrapped, Wrapper};
use coffer_engine::outbound::Nowhere;
use cryptoki::object::{Attribute, ObjectClass};

use softhsm::{PIN, TOKEN, aes_key, context, inside, library, rsa_key, session, tokens};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

fn keeper(more: &[(&str, &str)]) -> Arc<dyn Wrapper> {
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    let stanza = [("lib", library()), ("token_label", TOKEN), ("pin", PIN)];
    for (name, value) in stanza.iter().chain(more) {
        options.insert((*name).to_owned(), (*value).to_owned());
    }
    coffer_seals::build("pkcs11", &options, &|_| None, Arc::new(Nowhere)).unwrap()
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, WrapError>) -> String {
    match answer {
        Err(WrapError::Refused(why)) => {
            assert!(!why.contains("hunter2"), "{why}");
            why
        }
        other => panic!("this is no refusal: {other:?}"),
    }
}

#[tokio::test]
async fn aes_gcm_wraps_and_unwraps_and_notices_every_change() {
    if !inside("aes_gcm_wraps_and_unwraps_and_notices_every_change") {
        return;
    }
    let context = context();
    aes_key(&session(&context), "root", &[1]);
    for mechanism in [&[][..], &[("mechanism", "0x1087")]] {
        let keeper = keeper(&[&[("key_label", "root")], mechanism].concat());
        let wrapped = keeper.wrap(KEY).await.unwrap();
        assert_eq!(wrapped.key_id, "root");
        assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
        assert_ne!(
            keeper.wrap(KEY).await.unwrap().ciphertext,
            wrapped.ciphertext
        );
        for at in 0..wrapped.ciphertext.len() {
            let mut altered = wrapped.clone();
            altered.ciphertext[at] ^= 1;
            assert!(keeper.unwrap(&altered).await.is_err(), "{at}");
            altered.ciphertext.truncate(at);
            assert!(keeper.unwrap(&altered).await.is_err(), "{at}");
        }
        // The session is none the worse for it.
        assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
    }
}

#[tokio::test]
async fn rsa_oaep_wraps_by_the_public_half_and_unwraps_by_the_private_one() {
    if !inside("rsa_oaep_wraps_by_the_public_half_and_unwraps_by_the_private_one") {
        return;
    }
    let context = context();
    rsa_key(&session(&context), "pair");
    let sha1 = keeper(&[("key_label", "pair"), ("rsa_oaep_hash", "sha1")]);
    let wrapped = sha1.wrap(KEY).await.unwrap();
    assert_eq!(*sha1.unwrap(&wrapped).await.unwrap(), KEY);
    let mut altered = wrapped.clone();
    altered.ciphertext[20] ^= 1;
    assert!(sha1.unwrap(&altered).await.is_err());
    assert_eq!(*sha1.unwrap(&wrapped).await.unwrap(), KEY);
    // This token knows OAEP with SHA-1 alone, and says so.
    let sha256 = keeper(&[("key_label", "pair"), ("mechanism", "RSA_PKCS_OAEP")]);
    let why = refusal(sha256.wrap(KEY).await);
    assert!(why.contains("`rsa_oaep_hash`"), "{why}");
    let gcm = keeper(&[("key_label", "pair"), ("mechanism", "AES_GCM")]);
    assert!(refusal(gcm.wrap(KEY).await).contains("no key \"pair\""));
}

#[tokio::test]
async fn a_key_is_changed_by_another_label_and_the_old_one_still_unwraps() {
    if !inside("a_key_is_changed_by_another_label_and_the_old_one_still_unwraps") {
        return;
    }
    let context = context();
    let session = session(&context);
    aes_key(&session, "old", &[1]);
    aes_key(&session, "new", &[2]);
    let wrapped = keeper(&[("key_label", "old")]).wrap(KEY).await.unwrap();
    let new = keeper(&[("key_label", "new")]);
    assert_eq!(*new.unwrap(&wrapped).await.unwrap(), KEY);
    assert_eq!(new.wrap(KEY).await.unwrap().key_id, "new");
    let swapped = Wrapped {
        key_id: "new".to_owned(),
        ..wrapped.clone()
    };
    assert!(new.unwrap(&swapped).await.is_err());
    for gone in ["none", "", "old;id=0x09"] {
        let foreign = Wrapped {
            key_id: gone.to_owned(),
            ..wrapped.clone()
        };
        refusal(new.unwrap(&foreign).await);
    }
}

#[tokio::test]
async fn two_keys_of_one_name_are_told_apart_by_their_identifiers() {
    if !inside("two_keys_of_one_name_are_told_apart_by_their_identifiers") {
        return;
    }
    let context = context();
    let session = session(&context);
    aes_key(&session, "twin", &[1]);
    aes_key(&session, "twin", &[2]);
    let why = refusal(keeper(&[("key_label", "twin")]).wrap(KEY).await);
    assert!(why.contains("several keys"), "{why}");
    let second = keeper(&[("key_label", "twin"), ("key_id", "0x02")]);
    let wrapped = second.wrap(KEY).await.unwrap();
    assert_eq!(wrapped.key_id, "twin;id=0x02");
    assert_eq!(*second.unwrap(&wrapped).await.unwrap(), KEY);
}

#[tokio::test]
async fn a_wrong_pin_is_tried_once() {
    if !inside("a_wrong_pin_is_tried_once") {
        return;
    }
    let context = context();
    let own = session(&context);
    aes_key(&own, "root", &[1]);
    // While somebody of this process is logged in, all are.
    drop(own);
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin");
    std::fs::write(&path, "wrong-pin-1").unwrap();
    let source = format!("file://{}", path.display());
    let wrong = keeper(&[("key_label", "root"), ("pin", &source)]);
    assert!(refusal(wrong.wrap(KEY).await).contains("`pin` is wrong"));
    assert!(context.get_token_info(slot).unwrap().user_pin_count_low());
    for _ in 0..20 {
        assert!(refusal(wrong.wrap(KEY).await).contains("refused this `pin` before"));
    }
    std::fs::write(&path, PIN).unwrap();
    let wrapped = wrong.wrap(KEY).await.unwrap();
    assert_eq!(*wrong.unwrap(&wrapped).await.unwrap(), KEY);
}

#[tokio::test]
async fn a_session_that_was_lost_is_opened_again() {
    if !inside("a_session_that_was_lost_is_opened_again") {
        return;
    }
    let first = context();
    aes_key(&session(&first), "root", &[1]);
    let keeper = keeper(&[("key_label", "root")]);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    for _ in 0..3 {
        // As when the HSM starts anew: every session and login is gone.
        context().finalize().unwrap();
        assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
    }
}

#[tokio::test]
async fn a_token_that_was_pulled_is_found_again_under_the_eyes_of_others() {
    if !inside("a_token_that_was_pulled_is_found_again_under_the_eyes_of_others") {
        return;
    }
    let own = context();
    aes_key(&session(&own), "root", &[1]);
    drop(own);
    let (one, two) = (
        keeper(&[("key_label", "root")]),
        keeper(&[("key_label", "root")]),
    );
    let wrapped = one.wrap(KEY).await.unwrap();
    assert_eq!(*two.unwrap(&wrapped).await.unwrap(), KEY);
    let away = tokens().with_file_name("away");
    std::fs::rename(tokens(), &away).unwrap();
    std::fs::create_dir(tokens()).unwrap();
    // The library is told to look anew, as after a restart of the HSM.
    context().finalize().unwrap();
    for keeper in [&one, &two, &one] {
        let gone = keeper.unwrap(&wrapped).await.unwrap_err();
        assert!(
            matches!(&gone, WrapError::Unreachable(why) if why.contains("there is no token")),
            "{gone}"
        );
    }
    std::fs::remove_dir(tokens()).unwrap();
    std::fs::rename(&away, tokens()).unwrap();
    for keeper in [&one, &two, &one] {
        assert_eq!(*keeper.unwrap(&wrapped).await.unwrap(), KEY);
    }
}

#[tokio::test]
async fn a_key_that_is_gone_or_may_not_is_a_refusal() {
    if !inside("a_key_that_is_gone_or_may_not_is_a_refusal") {
        return;
    }
    let context = context();
    let session = session(&context);
    aes_key(&session, "root", &[1]);
    let keeper = keeper(&[("key_label", "root")]);
    let wrapped = keeper.wrap(KEY).await.unwrap();
    let key = session
        .find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)])
        .unwrap()[0];
    session
        .update_attributes(key, &[Attribute::Decrypt(false)])
        .unwrap();
    let why = refusal(keeper.unwrap(&wrapped).await);
    assert!(why.contains("may not encrypt and decrypt"), "{why}");
    session.destroy_object(key).unwrap();
    let why = refusal(keeper.unwrap(&wrapped).await);
    assert!(why.contains("there is no key \"root\""), "{why}");
    let elsewhere = self::keeper(&[("key_label", "root"), ("token_label", "none")]);
    let gone = elsewhere.wrap(KEY).await.unwrap_err();
    assert!(matches!(gone, WrapError::Unreachable(_)), "{gone}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_served_in_turn_or_turned_away() {
    if !inside("many_at_once_are_served_in_turn_or_turned_away") {
        return;
    }
    let context = context();
    aes_key(&session(&context), "root", &[1]);
    let keeper = keeper(&[("key_label", "root")]);
    let all: Vec<_> = (0..200)
        .map(|_| {
            let keeper = Arc::clone(&keeper);
            tokio::spawn(async move {
                let wrapped = keeper.wrap(KEY).await?;
                let key = keeper.unwrap(&wrapped).await?;
                assert_eq!(*key, KEY);
                Ok(())
            })
        })
        .collect();
    let mut served = 0;
    for one in all {
        match one.await.unwrap() {
            Ok(()) => served += 1,
            Err(WrapError::Unreachable(why)) => assert!(why.contains("too many wait"), "{why}"),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(served > 0);
    keeper.wrap(KEY).await.unwrap();
}
