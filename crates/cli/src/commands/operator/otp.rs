//! One-time passwords that a new root token is encoded with, so that nobody on the way sees it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use coffer_client::Token;
use coffer_crypto::Random;

use crate::failure::Failure;

const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A password of `length` letters and digits, each equally likely.
pub(super) fn generate(length: usize, random: &Random) -> Token {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let [byte] = random.bytes::<1>();
        // 248 is the largest multiple of 62 in a byte: what lies above would favour the first letters.
        if let Some(letter) = LETTERS.get(usize::from(byte % 62)).filter(|_| byte < 248) {
            text.push(char::from(*letter));
        }
    }
    Token::from(text)
}

/// Takes the password off an encoded token: base64, then exclusive or.
pub(super) fn decode(encoded: &str, otp: &Token) -> Result<Token, Failure> {
    let encoded = encoded.trim();
    let bytes = STANDARD_NO_PAD
        .decode(encoded.trim_end_matches('='))
        .or_else(|_| STANDARD.decode(encoded))
        .map_err(|_| Failure::local("the encoded token is not valid base64; copy it again"))?;
    let otp = otp.expose().as_bytes();
    if bytes.len() != otp.len() {
        return Err(Failure::local(format!(
            "the encoded token has {} bytes and the one-time password {}; they do not belong together",
            bytes.len(),
            otp.len()
        )));
    }
    let text: Vec<u8> = bytes
        .iter()
        .zip(otp)
        .map(|(token, otp)| token ^ otp)
        .collect();
    String::from_utf8(text)
        .ok()
        .filter(|text| text.chars().all(|c| c.is_ascii_graphic()))
        .map(Token::from)
        .ok_or_else(|| {
            Failure::local(
                "this one-time password does not decode the token; it is that of another attempt",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_the_reference_encoded() {
        let token = decode(
            "N2QAAj4IGGcEABAqPWcLLX0eEwMVHjETWCM",
            &"DJdiFFMTEhyfmTliEiTvMQCb5Z".into(),
        )
        .unwrap();
        assert_eq!(token.expose(), "s.dkxNU3AhiLP3gD8wGuXOrqmy");
        assert!(decode("N2QAAj4IGGcEABAqPWcLLX0eEwMVHjETWCM", &"short".into()).is_err());
        assert!(decode("%%%", &"short".into()).is_err());
    }

    #[test]
    fn passwords_have_their_length_and_differ() {
        let random = Random::system();
        let otp = generate(28, &random);
        assert_eq!(otp.expose().len(), 28);
        assert!(otp.expose().chars().all(|c| c.is_ascii_alphanumeric()));
        assert_ne!(otp, generate(28, &random));
    }
}
