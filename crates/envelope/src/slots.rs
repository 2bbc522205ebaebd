//! The wrapped keys in a file: twice, so that one copy is whole at any moment in which the other is written.

use std::io::{Read, Write};

use coffer_crypto::sha256;

use crate::head::{SLOT_BYTES, fill, first};
use crate::{Error, Head, Keys};

/// Generation, length, checksum.
const FRAME_BYTES: usize = 8 + 4 + 16;
/// Rooms are multiples of this.
const STEP: usize = 512;

/// One readable copy.
pub(crate) struct Slot {
    pub(crate) generation: u64,
    pub(crate) keys: Keys,
}

/// The room that a new envelope has for one copy: what these keys need and half as much again, since what a rotation brings
/// may be longer.
pub(crate) fn room_for(keys: &Keys) -> Result<usize, Error> {
    let needed = FRAME_BYTES + keys.encode()?.len();
    let room = (needed + needed / 2).next_multiple_of(STEP).max(2 * STEP);
    let most = *SLOT_BYTES.end() as usize;
    match needed <= most {
        true => Ok(room.min(most)),
        false => Err(Error::NoRoom { needed, room: most }),
    }
}

/// One copy, filled up with zeros to the room there is.
pub(crate) fn encoded(keys: &Keys, generation: u64, room: usize) -> Result<Vec<u8>, Error> {
    let text = keys.encode()?;
    let needed = FRAME_BYTES + text.len();
    if needed > room {
        return Err(Error::NoRoom { needed, room });
    }
    let length = u32::try_from(text.len()).map_err(|_| Error::Keys)?;
    let mut slot = Vec::with_capacity(room);
    slot.extend_from_slice(&generation.to_be_bytes());
    slot.extend_from_slice(&length.to_be_bytes());
    slot.extend_from_slice(&checksum(generation, &text));
    slot.extend_from_slice(&text);
    slot.resize(room, 0);
    Ok(slot)
}

/// Both copies of a new envelope.
pub(crate) fn write_new(head: &Head, keys: &Keys, out: &mut impl Write) -> Result<(), Error> {
    for generation in [1, 0] {
        out.write_all(&encoded(keys, generation, head.slot_bytes())?)?;
    }
    Ok(())
}

/// Both copies, where they are readable.
pub(crate) fn read(head: &Head, input: &mut impl Read) -> Result<[Option<Slot>; 2], Error> {
    let mut one = || -> Result<Option<Slot>, Error> {
        let mut bytes = vec![0; head.slot_bytes()];
        let filled = fill(input, &mut bytes)?;
        Ok(decoded(bytes.get(..filled).unwrap_or_default()))
    };
    Ok([one()?, one()?])
}

/// The newer of two copies.
pub(crate) fn newest(slots: [Option<Slot>; 2]) -> Result<Slot, Error> {
    let readable = slots.into_iter().flatten();
    readable
        .max_by_key(|slot| slot.generation)
        .ok_or(Error::Keys)
}

fn decoded(slot: &[u8]) -> Option<Slot> {
    let generation = u64::from_be_bytes(first(slot, 0));
    let length = u32::from_be_bytes(first(slot, 8)) as usize;
    let text = slot.get(FRAME_BYTES..)?.get(..length)?;
    let whole = first::<16>(slot, 12) == checksum(generation, text);
    let keys = whole.then(|| Keys::decode(text)).flatten()?;
    Some(Slot { generation, keys })
}

/// Tells a copy that was written half from a whole one. It is no protection against people: that is in how keys are wrapped.
fn checksum(generation: u64, text: &[u8]) -> [u8; 16] {
    first(&sha256(&[&generation.to_be_bytes(), text].concat()), 0)
}
