//! Shares and root tokens that are encrypted to people's OpenPGP keys before they leave the server.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD};
use coffer_crypto::pgp::{KEY_BYTES_MAX, Recipient};
use coffer_crypto::{Random, Zeroizing};
use coffer_engine::Fault;
use coffer_wire::Timestamp;

/// What an armored key begins with (RFC 4880, section 6.2).
const ARMOR: &str = "-----BEGIN PGP ";
/// A name of somebody's key that the command line resolves, and the server does not.
const KEYBASE: &str = "keybase:";

/// Takes base64 with and without the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys that shares are encrypted to, one for each share; none where none are named.
pub(crate) fn recipients(
    keys: &[String],
    shares: u8,
    now: Timestamp,
) -> Result<Vec<Recipient>, Fault> {
    if !keys.is_empty() && keys.len() != usize::from(shares) {
        return Err(Fault::Invalid(format!(
            "count mismatch between number of provided PGP keys and number of shares: {} and {shares}",
            keys.len()
        )));
    }
    keys.iter().map(|key| recipient(key, now)).collect()
}

/// A key as clients send it: the binary export in base64, or the armored one.
pub(super) fn recipient(text: &str, now: Timestamp) -> Result<Recipient, Fault> {
    let refused = |what: &str| Fault::Invalid(format!("error parsing PGP key: {what}"));
    if text.starts_with(KEYBASE) {
        return Err(refused(
            "keys are not fetched from Keybase; export the key and send it in base64",
        ));
    }
    if text.len() > KEY_BYTES_MAX.saturating_mul(2) {
        return Err(refused("it is too large"));
    }
    let not_base64 = || refused("it is not base64 of an exported key (gpg --export KEY | base64)");
    let mut bytes = decoded(text).ok_or_else(not_base64)?;
    if bytes.starts_with(ARMOR.as_bytes()) {
        let armored = std::str::from_utf8(&bytes).ok();
        bytes = armored.and_then(dearmored).ok_or_else(not_base64)?;
    }
    Recipient::read(&bytes, now.secs()).map_err(|error| refused(&error.to_string()))
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    if text.trim_start().starts_with(ARMOR) {
        return dearmored(text);
    }
    let text: String = text.split_ascii_whitespace().collect();
    LENIENT.decode(text).ok()
}

/// The lines between the headers and the checksum or the tail. The key's own signatures guard it better than the checksum.
fn dearmored(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(str::trim);
    let mut lines = lines.skip_while(|line| !line.starts_with(ARMOR)).skip(1);
    let is_body = |line: &&str| !line.starts_with('=') && !line.starts_with('-');
    lines.by_ref().find(|line| line.is_empty())?;
    let body: String = lines.take_while(is_body).collect();
    LENIENT.decode(body).ok()
}

/// How answers name a key.
pub(super) fn fingerprint(of: &Recipient) -> String {
    hex::encode(of.fingerprint())
}

/// How answers name several keys; null for none.
pub(super) fn fingerprints(of: &[Recipient]) -> Option<Vec<String>> {
    (!of.is_empty()).then(|| of.iter().map(fingerprint).collect())
}

/// Shares as they are answered: each the hex text of a share, encrypted to its key; without keys the shares themselves.
pub(crate) fn handed_out(
    shares: Vec<Zeroizing<Vec<u8>>>,
    to: &[Recipient],
    random: &Random,
) -> Result<Vec<Zeroizing<Vec<u8>>>, Fault> {
    if to.is_empty() {
        return Ok(shares);
    }
    let encrypted = shares.iter().zip(to).map(|(share, recipient)| {
        let text = Zeroizing::new(hex::encode(share));
        Ok(Zeroizing::new(encrypted(
            text.as_bytes(),
            recipient,
            random,
        )?))
    });
    encrypted.collect()
}

/// A token as it is answered: base64 of its message.
pub(super) fn handed_out_token(
    token: &str,
    to: &Recipient,
    random: &Random,
) -> Result<String, Fault> {
    Ok(STANDARD.encode(encrypted(token.as_bytes(), to, random)?))
}

fn encrypted(text: &[u8], to: &Recipient, random: &Random) -> Result<Vec<u8>, Fault> {
    let message = to.encrypt(random, text);
    message.map_err(|error| Fault::Invalid(format!("error encrypting to a PGP key: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = include_bytes!("../../../crypto/tests/vectors/openpgp/curve25519.pgp");

    fn read(text: &str) -> Result<String, String> {
        let now = Timestamp::from_secs(1_798_761_600);
        let read = recipient(text, now);
        read.map(|key| fingerprint(&key))
            .map_err(|fault| fault.to_string())
    }

    #[test]
    fn keys_come_in_base64_or_armor() {
        let fingerprint = Ok("16f59379563ef394a4d220d1bf049955b9bd9a02".to_owned());
        let plain = STANDARD.encode(KEY);
        let armored = format!(
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: a key, armored\n\n{}\n{}\n=0000\n-----END PGP PUBLIC KEY BLOCK-----\n",
            &plain[..64],
            &plain[64..]
        );
        for text in [
            &plain,
            &format!("{}\n{}\n", &plain[..60], &plain[60..]),
            plain.trim_end_matches('='),
            &armored,
            &armored.replace('\n', "\r\n"),
            &STANDARD.encode(&armored),
        ] {
            assert_eq!(read(text), fingerprint, "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for (text, what) in [
            ("keybase:somebody", "Keybase"),
            ("not base64!", "base64"),
            ("", "OpenPGP"),
            ("aGVsbG8=", "OpenPGP"),
            ("-----BEGIN PGP PUBLIC KEY BLOCK-----", "base64"),
            ("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!\n", "base64"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(what), "{text}: {refused}");
        }
    }

    #[test]
    fn each_share_needs_a_key() {
        let key = STANDARD.encode(KEY);
        let now = Timestamp::from_secs(1_798_761_600);
        assert!(recipients(&[], 3, now).unwrap().is_empty());
        assert!(recipients(std::slice::from_ref(&key), 3, now).is_err());
        let both = recipients(&[key.clone(), key], 2, now).unwrap();
        assert_eq!(fingerprints(&both).unwrap().len(), 2);
    }
}
