//! Lists and maps that other servers of this API answer as `null` when empty.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads `null` as the empty value.
pub(crate) fn deserialize<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// Writes the empty value as `null`, as the reference's command line prints it.
pub(crate) fn serialize<'a, S, T>(value: &'a T, to: S) -> Result<S::Ok, S::Error>
where
    S: Serializer,
    T: Serialize,
    &'a T: IntoIterator,
{
    match value.into_iter().next() {
        Some(_) => value.serialize(to),
        None => to.serialize_none(),
    }
}
