//! Hashes of passwords: Argon2id (RFC 9106) for our own, bcrypt for those that were made elsewhere.
//!
//! Both cost time on purpose (tens of milliseconds) and Argon2id 19 MiB of memory: call them where nothing else waits.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::{Error, Random};

/// The longest password in bytes. bcrypt looks at no more, so a longer one could not be told from its beginning.
pub const MAX_PASSWORD_BYTES: usize = 72;
/// Of every hash made elsewhere at most: 2¹⁴ rounds take about a second.
const MAX_BCRYPT_COST: u32 = 14;
const SALT_BYTES: usize = 16;
/// Nobody's: compared with when there is no such user, so that it takes as long. Of the same cost as [`hash`].
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGF0IGFsbA$2Lr2WmoWq5+JmbDvA3B6bQqDFgYFPjv7mPDyBVW1oXM";

/// A new Argon2id hash as a text (`$argon2id$v=19$m=…`), with a salt of its own.
pub fn hash(password: &[u8], random: &Random) -> Result<String, Error> {
    let salt: [u8; SALT_BYTES] = random.bytes();
    let hash = ours()?.hash_password_with_salt(password, &salt);
    hash.map(|hash| hash.to_string())
        .map_err(|_| Error::PasswordHash)
}

/// Whether a hash is that of the password; without a hash, and for what is too long to have one, no, after as long as it
/// takes to say so of one.
pub fn verify(password: &[u8], hash: Option<&str>) -> bool {
    let (Some(hash), true) = (hash, password.len() <= MAX_PASSWORD_BYTES) else {
        let _as_long = verify_argon2(b"", NOBODY);
        return false;
    };
    match bcrypt_cost(hash) {
        Some(_) => bcrypt::verify(password, hash).unwrap_or(false),
        None => verify_argon2(password, hash),
    }
}

/// Whether a text is a bcrypt hash that can be verified here in a bearable time.
pub fn is_bcrypt(hash: &str) -> bool {
    bcrypt_cost(hash).is_some_and(|cost| (4..=MAX_BCRYPT_COST).contains(&cost))
}

/// Whether a hash was made elsewhere, so that one of our own should take its place.
pub fn is_foreign(hash: &str) -> bool {
    !hash.starts_with("$argon2id$")
}

fn verify_argon2(password: &[u8], hash: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(hash) else {
        return false;
    };
    // What it costs is said by the hash itself.
    Argon2::default().verify_password(password, &parsed).is_ok()
}

/// 19 MiB, two passes, one lane: the first choice of OWASP's cheat sheet where memory is scarce.
fn ours() -> Result<Argon2<'static>, Error> {
    let params = Params::new(19 * 1024, 2, 1, None);
    let params = params.map_err(|_| Error::PasswordHash)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The cost of a bcrypt hash; none where it is no whole one.
fn bcrypt_cost(hash: &str) -> Option<u32> {
    let parts: bcrypt::HashParts = hash.parse().ok()?;
    Some(parts.get_cost())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_alone() {
        let random = Random::system();
        let kept = hash(b"correct horse", &random).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(b"correct horse", Some(&kept)));
        assert!(!verify(b"correct horsf", Some(&kept)));
        assert!(!verify(b"", Some(&kept)));
        assert_ne!(kept, hash(b"correct horse", &random).unwrap());
        assert!(!is_foreign(&kept) && !is_bcrypt(&kept));
    }

    #[test]
    fn nobody_has_a_hash_that_parses() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!verify(b"anything", None));
    }

    /// Of OpenBSD's and Openwall's published test vectors.
    #[test]
    fn bcrypt_from_elsewhere() {
        for (password, hash) in [
            (
                "U*U",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            ),
            (
                "U*U*",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
            ),
            (
                "",
                "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy",
            ),
        ] {
            assert!(is_bcrypt(hash) && is_foreign(hash));
            assert!(verify(password.as_bytes(), Some(hash)), "{password}");
            assert!(!verify(b"other", Some(hash)));
        }
        let whole = "x".repeat(72);
        let parts = bcrypt::hash_with_salt(&whole, 4, [7; 16]).unwrap();
        let hash = parts.to_string();
        assert!(verify(whole.as_bytes(), Some(&hash)));
        assert!(!verify(format!("{whole}y").as_bytes(), Some(&hash)));
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        for text in [
            "",
            "nonsense",
            "$2a$10$short",
            "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$argon2id$v=19$m=19456,t=2,p=1$x$y",
        ] {
            assert!(!is_bcrypt(text), "{text}");
            assert!(text.starts_with("$2a$") || !verify(b"x", Some(text)));
        }
    }
}
