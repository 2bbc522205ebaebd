//! The headers of a tar archive (POSIX.1-1988 "ustar"), as far as snapshots need them.

use crate::Damage;

/// The members of a snapshot.
pub(crate) const META: &str = "meta.json";
pub(crate) const STATE: &str = "state.bin";
pub(crate) const SUMS: &str = "SHA256SUMS";
pub(crate) const SEALED: &str = "SHA256SUMS.sealed";

/// Headers and contents begin at multiples of this, in bytes.
pub(crate) const BLOCK_BYTES: usize = 512;

const NAME: std::ops::Range<usize> = 0..100;
const MODE: std::ops::Range<usize> = 100..108;
const OWNER: std::ops::Range<usize> = 108..116;
const GROUP: std::ops::Range<usize> = 116..124;
const SIZE: std::ops::Range<usize> = 124..136;
const TIME: std::ops::Range<usize> = 136..148;
const CHECKSUM: std::ops::Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;

/// The largest size that fits in octal digits.
const MAX_OCTAL: u64 = 0o777_7777_7777;

pub(crate) type Block = [u8; BLOCK_BYTES];

/// The header of a file that only its owner may read.
pub(crate) fn header(name: &str, size: u64, modified_secs: u64) -> Block {
    let mut block = [0; BLOCK_BYTES];
    put(&mut block, NAME, name.as_bytes());
    put(&mut block, MODE, b"0000600\0");
    put(&mut block, OWNER, b"0000000\0");
    put(&mut block, GROUP, b"0000000\0");
    put(&mut block, SIZE, &number(size));
    put(&mut block, TIME, &number(modified_secs));
    put(&mut block, KIND..KIND + 1, b"0");
    put(&mut block, MAGIC, b"ustar\x0000");
    let sum = format!("{:06o}\0 ", checksum(&block));
    put(&mut block, CHECKSUM, sum.as_bytes());
    block
}

/// The size of the file `name`, if this is its header.
pub(crate) fn size_of(block: &Block, name: &'static str) -> Result<u64, Damage> {
    let sum = octal(field(block, CHECKSUM)).ok_or(Damage::Header)?;
    if sum != u64::from(checksum(block)) {
        return Err(Damage::Header);
    }
    let found = field(block, NAME).split(|byte| *byte == 0).next();
    let is_file = matches!(block.get(KIND), Some(b'0' | 0));
    if found != Some(name.as_bytes()) || !is_file {
        return Err(Damage::Member { expected: name });
    }
    size(field(block, SIZE)).ok_or(Damage::Header)
}

/// How many bytes follow a content of that size up to the next block.
pub(crate) fn padding(size: u64) -> usize {
    let block = BLOCK_BYTES as u64;
    usize::try_from((block - size % block) % block).unwrap_or_default()
}

/// Octal digits, or in base 256 what needs more of them (as GNU tar and Go write it).
fn number(value: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if value <= MAX_OCTAL {
        let digits = format!("{value:011o}\0");
        field.copy_from_slice(digits.as_bytes());
    } else {
        put(&mut field, 4..12, &value.to_be_bytes());
        put(&mut field, 0..1, &[0x80]);
    }
    field
}

fn size(field: &[u8]) -> Option<u64> {
    match field.split_first()? {
        (0x80, rest) => {
            let (high, low) = rest.split_last_chunk::<8>()?;
            let value = u64::from_be_bytes(*low);
            high.iter().all(|byte| *byte == 0).then_some(value)
        }
        _ => octal(field),
    }
}

fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?;
    let digits = text.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8).ok()
}

/// The sum of all bytes, the checksum's own taken as blanks.
fn checksum(block: &Block) -> u32 {
    let bytes = block.iter().enumerate();
    bytes
        .map(|(at, byte)| match CHECKSUM.contains(&at) {
            true => u32::from(b' '),
            false => u32::from(*byte),
        })
        .sum()
}

fn field(block: &Block, range: std::ops::Range<usize>) -> &[u8] {
    block.get(range).unwrap_or_default()
}

fn put(block: &mut [u8], range: std::ops::Range<usize>, bytes: &[u8]) {
    if let Some(place) = block.get_mut(range) {
        let length = bytes.len().min(place.len());
        let (place, _) = place.split_at_mut(length);
        place.copy_from_slice(bytes.get(..length).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_come_back() {
        for size in [0, 1, 511, 8 << 30, MAX_OCTAL, MAX_OCTAL + 1, u64::MAX] {
            let block = header(STATE, size, 1_800_000_000);
            assert_eq!(size_of(&block, STATE), Ok(size));
            assert_eq!((size % 512 + padding(size) as u64) % 512, 0);
        }
        let expected = Err(Damage::Member { expected: SUMS });
        assert_eq!(size_of(&header(SEALED, 1, 0), SUMS), expected);
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let block = header(META, 187, 1_800_000_000);
        for at in 0..BLOCK_BYTES {
            let mut changed = block;
            changed[at] ^= 1;
            assert!(size_of(&changed, META).is_err(), "byte {at}");
        }
        assert_eq!(size_of(&[0; BLOCK_BYTES], META), Err(Damage::Header));
    }
}
