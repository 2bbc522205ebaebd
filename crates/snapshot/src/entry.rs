//! One entry in `state.bin`: its length, then the protobuf message `{ 1: path, 2: value }`.

use std::io::{self, Read};

use crate::{Damage, Error, MAX_PATH_BYTES, MAX_VALUE_BYTES};

/// The keys of the fields: number and wire type 2.
const PATH: u8 = 0x0a;
const VALUE: u8 = 0x12;
/// Longest varint of 64 bits.
const MAX_VARINT_BYTES: u32 = 10;
/// How much room is made on the word of a length alone, in bytes.
const TRUSTED_BYTES: usize = 64 * 1024;

/// What stands in front of the value.
pub(crate) fn head(path: &str, value_bytes: usize) -> Vec<u8> {
    let mut fields = Vec::with_capacity(path.len() + 16);
    fields.push(PATH);
    varint(&mut fields, path.len() as u64);
    fields.extend_from_slice(path.as_bytes());
    fields.push(VALUE);
    varint(&mut fields, value_bytes as u64);
    let mut head = Vec::with_capacity(fields.len() + 8);
    varint(&mut head, (fields.len() + value_bytes) as u64);
    head.extend_from_slice(&fields);
    head
}

/// The next entry, or none at the end. `number` is for the error.
pub(crate) fn read<R: Read, E>(
    input: &mut R,
    number: u64,
) -> Result<Option<(String, Vec<u8>)>, Error<E>> {
    let damage = || Error::Damaged(Damage::Entry { number });
    let Some(length) = read_varint(input, damage)? else {
        return Ok(None);
    };
    let mut message = input.by_ref().take(length);
    let path = field(&mut message, PATH, MAX_PATH_BYTES, damage)?;
    let path = String::from_utf8(path).map_err(|_| damage())?;
    let value = field(&mut message, VALUE, MAX_VALUE_BYTES, damage)?;
    match message.limit() {
        0 => Ok(Some((path, value))),
        _ => Err(damage()),
    }
}

fn field<R: Read, E>(
    input: &mut R,
    key: u8,
    max_bytes: usize,
    damage: impl Fn() -> Error<E>,
) -> Result<Vec<u8>, Error<E>> {
    if byte(input)?.ok_or_else(&damage)? != key {
        return Err(damage());
    }
    let length = read_varint(input, &damage)?.ok_or_else(&damage)?;
    let length = usize::try_from(length)
        .ok()
        .filter(|length| *length <= max_bytes)
        .ok_or_else(&damage)?;
    let mut bytes = Vec::with_capacity(length.min(TRUSTED_BYTES));
    let read = input.by_ref().take(length as u64).read_to_end(&mut bytes);
    match read.map_err(Error::Io)? {
        all if all == length => Ok(bytes),
        _ => Err(damage()),
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7f) as u8);
}

/// None where the input is at its end.
fn read_varint<R: Read, E>(
    input: &mut R,
    damage: impl Fn() -> Error<E>,
) -> Result<Option<u64>, Error<E>> {
    let mut value = 0_u64;
    for place in 0..MAX_VARINT_BYTES {
        let Some(next) = byte(input)? else {
            return if place == 0 { Ok(None) } else { Err(damage()) };
        };
        let bits = u64::from(next & 0x7f);
        if place == MAX_VARINT_BYTES - 1 && bits > 1 {
            return Err(damage());
        }
        value |= bits << (7 * place);
        if next & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Err(damage())
}

fn byte<R: Read, E>(input: &mut R) -> Result<Option<u8>, Error<E>> {
    let mut byte = [0];
    loop {
        match input.read(&mut byte) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(Some(byte[0])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::Io(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn encoded(path: &str, value: &[u8]) -> Vec<u8> {
        [head(path, value.len()), value.to_vec()].concat()
    }

    fn decoded(mut bytes: &[u8]) -> Result<Option<(String, Vec<u8>)>, Error<Infallible>> {
        read(&mut bytes, 1)
    }

    #[test]
    fn entries_are_what_protobuf_makes_of_them() {
        assert_eq!(encoded("ab", b"xyz"), b"\x09\x0a\x02ab\x12\x03xyz");
        assert_eq!(
            encoded("a", &[7; 200])[..8],
            *b"\xce\x01\x0a\x01a\x12\xc8\x01"
        );
    }

    #[test]
    fn entries_come_back() {
        for (path, value) in [("a", vec![]), ("ä/b", vec![0; 1]), ("c", vec![9; 300_000])] {
            let found = decoded(&encoded(path, &value)).unwrap().unwrap();
            assert_eq!(found, (path.to_owned(), value));
        }
        assert!(decoded(b"").unwrap().is_none());
    }

    #[test]
    fn hostile_entries_are_refused() {
        let overlong = [0xff; 11];
        let huge = b"\x09\x0a\xff\xff\xff\xff\x0fab";
        let swapped = b"\x09\x12\x02ab\x0a\x03xyz";
        let longer = b"\x0a\x0a\x02ab\x12\x03xyz!";
        let shorter = b"\x08\x0a\x02ab\x12\x03xyz";
        let not_text = b"\x09\x0a\x02\xff\xff\x12\x03xyz";
        let cut = b"\x09\x0a\x02ab\x12\x03xy";
        let wrong: [&[u8]; 7] = [&overlong, huge, swapped, longer, shorter, not_text, cut];
        for bytes in wrong {
            let refused = decoded(bytes);
            assert!(
                matches!(refused, Err(Error::Damaged(_))),
                "{bytes:?}: {refused:?}"
            );
        }
    }
}
