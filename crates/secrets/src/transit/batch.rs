//! Lists of items in one request.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use coffer_engine::Fault;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::encoded::Encoded;

/// After how many bytes of input a batch lets others have a turn.
const TURN_BYTES: usize = 256 * 1024;
/// How many items are made room for before they are there.
const TRUSTED_ITEMS: usize = 4_096;

/// The items of a batch. What is no list of objects is none.
pub(super) struct Items<T>(Vec<T>);

impl<T> Items<T> {
    /// The items, of which there has to be one.
    pub(super) fn some(&self) -> Result<&[T], Fault> {
        match self.0.is_empty() {
            true => Err(Fault::invalid("missing batch input to process")),
            false => Ok(&self.0),
        }
    }

    /// The same, all with a context or all without.
    pub(super) fn with_contexts(&self, context: impl Fn(&T) -> &Encoded) -> Result<&[T], Fault> {
        let items = self.some()?;
        let mut each = items.iter().map(|item| context(item).is_empty());
        let first = each.next();
        match each.all(|other| Some(other) == first) {
            true => Ok(items),
            false => Err(Fault::invalid(
                "context should be set either in all the request blocks or in none",
            )),
        }
    }

    /// Whether one of them is so.
    pub(super) fn any(&self, is: impl Fn(&T) -> bool) -> bool {
        self.0.iter().any(is)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(List(PhantomData)).map(Self)
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(types: &mut SchemaGenerator) -> Schema {
        Vec::<T>::json_schema(types)
    }
}

struct List<T>(PhantomData<fn() -> T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::with_capacity(list.size_hint().unwrap_or(0).min(TRUSTED_ITEMS));
        while let Some(Object(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

/// An item that is an object: by itself a list of values would do, too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<fn() -> T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        from.deserialize_any(Fields(PhantomData)).map(Self)
    }
}

/// Lets other requests of this thread have their turn, now and then.
#[derive(Default)]
pub(super) struct Turns {
    bytes: usize,
}

impl Turns {
    /// After an item of so many bytes.
    pub(super) async fn took(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes).saturating_add(64);
        if self.bytes > TURN_BYTES {
            self.bytes = 0;
            tokio::task::yield_now().await;
        }
    }
}
