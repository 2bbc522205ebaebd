//! Packets and the numbers inside them (RFC 4880, sections 3 and 4).

use super::Error;

/// One packet.
pub(super) struct Packet<'a> {
    /// What it is (section 4.3).
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// The packets of a key, one after the other.
pub(super) struct Packets<'a>(Reader<'a>);

/// Bytes that are taken from the front.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Packets<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(Reader::of(bytes))
    }

    /// The next packet; none at the end. Lengths in parts are for messages and do not occur in keys.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'a>>, Error> {
        let bytes = &mut self.0;
        if bytes.is_empty() {
            return Ok(None);
        }
        let head = bytes.byte()?;
        let (tag, length) = match head {
            0xC0..=0xFF => (head & 0x3F, new_length(bytes)?),
            0x80..=0xBF => (head >> 2 & 0x0F, old_length(head & 3, bytes)?),
            _ => return Err(Error::NotAKey),
        };
        let body = bytes.take(length)?;
        Ok(Some(Packet { tag, body }))
    }
}

/// Section 4.2.2.
fn new_length(bytes: &mut Reader<'_>) -> Result<usize, Error> {
    length(bytes, [192, 224])
}

/// Section 4.2.1.
fn old_length(kind: u8, bytes: &mut Reader<'_>) -> Result<usize, Error> {
    Ok(match kind {
        0 => usize::from(bytes.byte()?),
        1 => usize::from(bytes.u16()?),
        2 => bytes.u32()? as usize,
        _ => return Err(Error::NotAKey),
    })
}

/// A length of one, two or five bytes: its first byte is below the first bound, below the second, or 255.
fn length(bytes: &mut Reader<'_>, [one, two]: [u8; 2]) -> Result<usize, Error> {
    let first = bytes.byte()?;
    Ok(match first {
        255 => bytes.u32()? as usize,
        first if first < one => usize::from(first),
        first if first < two => (usize::from(first) - 192) * 256 + usize::from(bytes.byte()?) + 192,
        _ => return Err(Error::NotAKey),
    })
}

impl<'a> Reader<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Error::NotAKey)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| Error::NotAKey)
    }

    /// A number of any size, without leading zeros (section 3.2).
    pub(super) fn number(&mut self) -> Result<&'a [u8], Error> {
        let bits = usize::from(self.u16()?);
        let bytes = self.take(bits.div_ceil(8))?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Ok(bytes.get(zeros..).unwrap_or_default())
    }

    /// A byte sequence with its length in one byte in front.
    pub(super) fn counted(&mut self) -> Result<&'a [u8], Error> {
        let length = self.byte()?;
        self.take(usize::from(length))
    }

    /// The next subpacket of a signature, its type first (section 5.2.3.1).
    pub(super) fn subpacket(&mut self) -> Result<Self, Error> {
        let length = length(self, [192, 255])?;
        self.take(length).map(Self)
    }
}

/// A number with the count of its bits in front (section 3.2).
pub(super) fn write_number(out: &mut Vec<u8>, bytes: &[u8]) {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    let high = bytes.first().copied().unwrap_or_default();
    let bits = bytes.len() * 8 - high.leading_zeros() as usize * usize::from(!bytes.is_empty());
    let bits = u16::try_from(bits).unwrap_or(u16::MAX);
    out.extend(bits.to_be_bytes());
    out.extend(bytes);
}

/// A packet with the new form of its head.
pub(super) fn write_packet(out: &mut Vec<u8>, tag: u8, body: &[u8]) {
    out.push(0xC0 | tag);
    let length = body.len();
    match u32::try_from(length).unwrap_or(u32::MAX) {
        short @ 0..192 => out.extend(short.to_be_bytes().get(3..).unwrap_or_default()),
        long => {
            out.push(255);
            out.extend(long.to_be_bytes());
        }
    }
    out.extend(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_without_leading_zeros() {
        for (bytes, bits) in [(&[][..], 0), (&[0, 1], 1), (&[0x80], 8), (&[1, 255], 9)] {
            let mut out = Vec::new();
            write_number(&mut out, bytes);
            assert_eq!(u16::from_be_bytes([out[0], out[1]]), bits);
            let plain: Vec<u8> = bytes
                .iter()
                .copied()
                .skip_while(|byte| *byte == 0)
                .collect();
            assert_eq!(Reader::of(&out).number().unwrap(), plain);
        }
    }

    #[test]
    fn packets_come_back() {
        for length in [0, 191, 192, 8383, 8384, 70_000] {
            let body = vec![7; length];
            let mut out = Vec::new();
            write_packet(&mut out, 18, &body);
            let mut packets = Packets::of(&out);
            let packet = packets.next().unwrap().unwrap();
            assert_eq!((packet.tag, packet.body.len()), (18, length));
            assert!(packets.next().unwrap().is_none());
        }
        // The example of section 4.2.3: 1723 bytes as C5 FB.
        let mut two = vec![0xC6, 0xC5, 0xFB];
        two.extend(vec![1; 1723]);
        assert_eq!(Packets::of(&two).next().unwrap().unwrap().body.len(), 1723);
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for bytes in [
            &[0x00][..],
            &[0xC6],
            &[0xC6, 5, 1],
            &[0xC6, 0xE1, 1],
            &[0x9B, 1],
        ] {
            assert!(Packets::of(bytes).next().is_err(), "{bytes:?}");
        }
    }
}
