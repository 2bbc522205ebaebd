//! Signatures by which the owner of a key says what it is for (RFC 4880, section 5.2).

use super::Error;
use super::key::{PublicKey, openpgp_hash};
use super::packet::Reader;
use crate::hash::Hash;

/// A signature on a key or on a part of it.
pub(super) struct Signature<'a> {
    /// What it says (section 5.2.1).
    pub(super) kind: u8,
    /// When it was made, in seconds since 1970.
    pub(super) created: u32,
    /// How long after the key was made it ends, in seconds; 0 for never.
    pub(super) key_lifetime: u32,
    /// What the key may be used for (section 5.2.3.21), where that is said.
    pub(super) flags: Option<u8>,
    /// How long the signature itself holds, in seconds; 0 for ever.
    lifetime: u32,
    issuer: Option<[u8; 8]>,
    hash: Hash,
    /// What is signed of the signature itself.
    own: &'a [u8],
    numbers: Reader<'a>,
}

impl<'a> Signature<'a> {
    /// Reads the packet's body; none for one that says nothing to us: of another version, by a hash that is broken,
    /// with a demand that is not understood.
    pub(super) fn read(body: &'a [u8]) -> Result<Option<Self>, Error> {
        let mut bytes = Reader::of(body);
        if bytes.byte()? != 4 {
            return Ok(None);
        }
        let (kind, _algorithm, hash) = (bytes.byte()?, bytes.byte()?, bytes.byte()?);
        let hashed_bytes = usize::from(bytes.u16()?);
        let hashed = bytes.take(hashed_bytes)?;
        let own = body.get(..6 + hashed_bytes).ok_or(Error::NotAKey)?;
        let unhashed_bytes = usize::from(bytes.u16()?);
        let unhashed = bytes.take(unhashed_bytes)?;
        bytes.u16()?; // The first bytes of the hash, which only save work.
        let Some(hash) = openpgp_hash(hash) else {
            return Ok(None);
        };
        let mut signature = Self {
            kind,
            created: 0,
            key_lifetime: 0,
            flags: None,
            lifetime: 0,
            issuer: None,
            hash,
            own,
            numbers: bytes,
        };
        let understood = signature.learn(Reader::of(hashed), true)?;
        signature.learn(Reader::of(unhashed), false)?;
        Ok(understood.then_some(signature))
    }

    /// Takes over what subpackets say; those outside the hash may only name the issuer. Whether all that have to be
    /// understood are.
    fn learn(&mut self, mut subpackets: Reader<'_>, hashed: bool) -> Result<bool, Error> {
        let mut understood = true;
        while !subpackets.is_empty() {
            let mut content = subpackets.subpacket()?;
            let kind = content.byte()?;
            match (kind & 0x7F, hashed) {
                (2, true) => self.created = content.u32()?,
                (3, true) => self.lifetime = content.u32()?,
                (9, true) => self.key_lifetime = content.u32()?,
                (27, true) => self.flags = Some(content.byte().unwrap_or(0)),
                (16, _) => self.issuer = Some(content.array()?),
                // Statements about algorithms, people and programs, which change nothing here.
                (4..=7 | 10..=12 | 20..=26 | 28..=34, _) | (_, false) => {}
                _ if kind & 0x80 != 0 => understood = false,
                _ => {}
            }
        }
        Ok(understood)
    }

    /// Whether it may have been made by this key.
    pub(super) fn may_be_by(&self, id: [u8; 8]) -> bool {
        self.issuer.is_none_or(|issuer| issuer == id)
    }

    /// Whether it holds at that time.
    pub(super) fn holds(&self, now_secs: u64) -> bool {
        self.lifetime == 0 || u64::from(self.created) + u64::from(self.lifetime) > now_secs
    }

    /// Whether it is a signature of `signed` by that key (section 5.2.4).
    pub(super) fn is_of(&self, signed: &[&[u8]], by: &PublicKey) -> bool {
        let length = u32::try_from(self.own.len()).unwrap_or(u32::MAX);
        let mut message = signed.concat();
        message.extend(self.own);
        message.extend([4, 0xFF]);
        message.extend(length.to_be_bytes());
        by.verifies(self.hash, &message, self.numbers)
    }
}
