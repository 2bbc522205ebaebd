/// What can go wrong in this crate, in its own language.
///
/// Texts are safe to show to anyone: none holds a secret, a length of one, or tells apart the reasons for which a
/// decryption was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Wrong key, wrong place, unknown term or version, cut short or altered: deliberately one variant.
    #[error(
        "decryption failed: the data was altered, moved, or sealed with another key; check which key and place it belongs to"
    )]
    Decrypt,
    /// The cipher took the plaintext's or associated data's length for too great (RFC 5116: 2^36 - 31 bytes).
    #[error("the plaintext is too long for one encryption: split it")]
    TooLong,
    /// A key was built from another number of bytes than its algorithm takes.
    #[error("a key has the wrong length: AES-256 takes exactly 32 bytes")]
    KeyLength,
    /// Numbers or a document that make no key for the algorithm they are said to be for.
    #[error("the key is unfit for its algorithm")]
    KeyUnfit,
    /// A key was asked for what its kind does not have: another padding, hash or form of input.
    #[error("the key has no such scheme")]
    Scheme,
    /// A digest has another length than its hash gives, or input that is not hashed is longer than the key signs.
    #[error("the input has another length than the hash gives")]
    DigestLength,
    /// The library refused to sign.
    #[error("signing failed")]
    Signing,
    /// The library refused to hash a password.
    #[error("hashing the password failed")]
    PasswordHash,
    /// HKDF was asked for more than 255 blocks (RFC 5869 section 2.3).
    #[error("too much key material was asked for: HKDF-SHA-256 gives at most 8160 bytes")]
    OutputLength,

    /// The active key was used as often as random nonces allow.
    #[error("the active encryption key is used up: rotate the key ring, then try again")]
    KeyUsedUp,
    /// The ring holds [`TERMS_MAX`](crate::keyring::TERMS_MAX) keys.
    #[error("the key ring is full: rotate less often")]
    KeyRingFull,
    /// The serialised ring is not one that this program wrote.
    #[error("the stored key ring is damaged: restore it from a backup")]
    KeyRingDamaged,
    /// The serialised ring has a format version that this program does not know.
    #[error(
        "the stored key ring has format version {0}, which this program does not know: use a newer release"
    )]
    KeyRingVersion(u8),

    /// The library takes an OpenPGP key for invalid.
    #[error("the public key is not valid: export it again")]
    Recipient,

    /// The secret to split is empty.
    #[error("an empty secret cannot be split: give at least one byte")]
    NothingToSplit,
    /// Threshold of zero, or greater than the number of shares.
    #[error("the threshold must lie between 1 and the number of shares")]
    Threshold,
    /// No share was given.
    #[error("no key share was given: give as many as the threshold asks for")]
    NoShares,
    /// More than 255 shares were given: they cannot all be different.
    #[error("too many key shares were given: a secret has at most 255")]
    TooManyShares,
    /// A share is too short to hold a byte of the secret and its own number.
    #[error("a key share is too short: check that it was copied whole")]
    ShareTooShort,
    /// The shares do not all have one length.
    #[error(
        "the key shares differ in length: check that all were copied whole and belong together"
    )]
    ShareLengths,
    /// A share's number is zero, which no share has: it would be the secret itself.
    #[error("a key share is not valid: check that it was copied whole")]
    ShareNumber,
    /// Two shares have the same number.
    #[error("the same key share was given twice: give a different one")]
    ShareRepeated,
}
