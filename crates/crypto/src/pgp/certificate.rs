//! A whole public key: the primary key, the names and subkeys that hang on it, and its own word for each.

use super::key::PublicKey;
use super::packet::{Packet, Packets};
use super::signature::Signature;
use super::{Error, Recipient, message};

/// The most signatures of its owner that are verified: each costs time, and strangers may bring keys.
const SIGNATURES_MAX: usize = 32;
/// What a key may be used for: encrypting what is sent, encrypting what is kept (RFC 4880, section 5.2.3.21).
const ENCRYPTS: u8 = 0x04 | 0x08;

/// Tags of packets (section 4.3).
const SIGNATURE: u8 = 2;
const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;
const SECRET_SUBKEY: u8 = 7;
const USER_ID: u8 = 13;
const SUBKEY: u8 = 14;
const USER_ATTRIBUTE: u8 = 17;

/// Kinds of signatures (section 5.2.1).
const OF_NAME: std::ops::RangeInclusive<u8> = 0x10..=0x13;
const OF_SUBKEY: u8 = 0x18;
const OF_KEY: u8 = 0x1F;
const REVOKES_KEY: u8 = 0x20;
const REVOKES_SUBKEY: u8 = 0x28;

/// Reads a key and chooses the part to encrypt to: the newest valid subkey for it, else the primary key.
pub(super) fn read(bytes: &[u8], now_secs: u64) -> Result<Recipient, Error> {
    let mut packets = Packets::of(bytes);
    let primary = match packets.next()? {
        Some(Packet {
            tag: PUBLIC_KEY,
            body,
        }) => PublicKey::read(body)?,
        Some(Packet {
            tag: SECRET_KEY, ..
        }) => return Err(Error::Private),
        _ => return Err(Error::NotAKey),
    };
    let mut certificate = Certificate {
        id: primary.id(),
        frame: primary.framed(),
        of_primary: Word::default(),
        primary,
        subkeys: Vec::new(),
        verified: 0,
    };
    let mut part = Part::Primary;
    while let Some(packet) = packets.next()? {
        match packet.tag {
            SIGNATURE => certificate.hear(&part, packet.body, now_secs)?,
            USER_ID => part = Part::Name(0xB4, packet.body),
            USER_ATTRIBUTE => part = Part::Name(0xD1, packet.body),
            SUBKEY => part = certificate.subkey(packet.body),
            PUBLIC_KEY => return Err(Error::Several),
            SECRET_KEY | SECRET_SUBKEY => return Err(Error::Private),
            _ => {} // Trust, markers and what is to come.
        }
    }
    certificate.recipient(now_secs)
}

/// A key while it is being read.
struct Certificate {
    primary: PublicKey,
    id: [u8; 8],
    frame: Vec<u8>,
    of_primary: Word,
    subkeys: Vec<(PublicKey, Word)>,
    verified: usize,
}

/// What signatures that follow are about.
enum Part<'a> {
    Primary,
    /// The byte that names of this sort have in front when they are signed, and the name.
    Name(u8, &'a [u8]),
    /// The last subkey.
    Subkey,
    /// Something that is not understood.
    Unknown,
}

/// What the owner last said about a part.
#[derive(Default)]
struct Word {
    said: Option<Said>,
    revoked: bool,
}

struct Said {
    at: u32,
    flags: Option<u8>,
    /// How long the part lives after it was made, in seconds; 0 for ever.
    lifetime: u32,
}

impl Certificate {
    fn subkey(&mut self, body: &[u8]) -> Part<'static> {
        match PublicKey::read(body) {
            Ok(key) => {
                self.subkeys.push((key, Word::default()));
                Part::Subkey
            }
            Err(_) => Part::Unknown,
        }
    }

    /// Takes over what a signature says, if it is the owner's.
    fn hear(&mut self, part: &Part<'_>, body: &[u8], now_secs: u64) -> Result<(), Error> {
        let Some(signature) = Signature::read(body)? else {
            return Ok(());
        };
        let about = match (part, signature.kind) {
            (Part::Primary, OF_KEY | REVOKES_KEY) => Vec::new(),
            (Part::Name(mark, name), kind) if OF_NAME.contains(&kind) => {
                let length = u32::try_from(name.len()).unwrap_or(u32::MAX);
                let mut about = vec![*mark];
                about.extend(length.to_be_bytes());
                about.extend(*name);
                about
            }
            (Part::Subkey, OF_SUBKEY | REVOKES_SUBKEY) => match self.subkeys.last() {
                Some((subkey, _)) => subkey.framed(),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        if !signature.may_be_by(self.id) || !signature.holds(now_secs) {
            return Ok(());
        }
        self.verified += 1;
        if self.verified > SIGNATURES_MAX {
            return Err(Error::TooLarge);
        }
        if signature.is_of(&[&self.frame, &about], &self.primary) {
            let word = match (part, self.subkeys.last_mut()) {
                (Part::Subkey, Some((_, word))) => word,
                _ => &mut self.of_primary,
            };
            word.take(&signature);
        }
        Ok(())
    }

    fn recipient(self, now_secs: u64) -> Result<Recipient, Error> {
        let Self {
            primary,
            of_primary,
            mut subkeys,
            ..
        } = self;
        let said = of_primary.said.as_ref().ok_or(Error::Unsigned)?;
        if of_primary.revoked {
            return Err(Error::Revoked);
        }
        if said.has_ended(&primary, now_secs) {
            return Err(Error::Expired);
        }
        let fingerprint = primary.fingerprint();
        // A key that says nothing about its use is for everything it can do.
        let primary_encrypts = said.flags.is_none_or(|flags| flags & ENCRYPTS != 0);
        let may_encrypt = |word: &Word| {
            let flags = word.said.as_ref().and_then(|said| said.flags);
            !word.revoked && flags.is_some_and(|flags| flags & ENCRYPTS != 0)
        };
        subkeys.retain(|(_, word)| may_encrypt(word));
        let has_ended = |key: &PublicKey, word: &Word| {
            let said = word.said.as_ref();
            said.is_some_and(|said| said.has_ended(key, now_secs))
        };
        let all = subkeys.len();
        subkeys.retain(|(key, word)| !has_ended(key, word));
        let ended = all - subkeys.len();
        let unsupported = subkeys.iter().any(|(key, _)| !key.can_encrypt());
        let newest = subkeys
            .into_iter()
            .map(|(key, _)| key)
            .filter(PublicKey::can_encrypt)
            .max_by_key(|key| key.created);
        let primary = Some(primary).filter(|key| primary_encrypts && key.can_encrypt());
        match newest.or(primary) {
            Some(key) if message::accepts(&key) => Ok(Recipient { fingerprint, key }),
            Some(_) => Err(Error::Unsupported),
            None if unsupported => Err(Error::Unsupported),
            None if ended > 0 => Err(Error::Expired),
            None => Err(Error::NoEncryptionKey),
        }
    }
}

impl Word {
    /// The newest word counts; a revocation always does.
    fn take(&mut self, signature: &Signature<'_>) {
        if matches!(signature.kind, REVOKES_KEY | REVOKES_SUBKEY) {
            self.revoked = true;
            return;
        }
        let is_newer = |said: &Said| signature.created >= said.at;
        if self.said.as_ref().is_none_or(is_newer) {
            self.said = Some(Said {
                at: signature.created,
                flags: signature.flags,
                lifetime: signature.key_lifetime,
            });
        }
    }
}

impl Said {
    fn has_ended(&self, key: &PublicKey, now_secs: u64) -> bool {
        let end = u64::from(key.created) + u64::from(self.lifetime);
        self.lifetime != 0 && end <= now_secs
    }
}
