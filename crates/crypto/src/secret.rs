//! Values that must not be seen.

use std::any::type_name;
use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, Zeroizing};

use crate::compare::constant_time_eq;

/// A value that must not be seen: boxed, wiped when dropped, redacted in `Debug`, read only by the word
/// [`expose`](Secret::expose).
///
/// It is boxed so that moving the `Secret` moves a pointer and leaves no copy of the value behind on the stack. It can be
/// deserialised (secrets arrive in requests) but neither serialised nor displayed: a secret leaves the program only where
/// somebody wrote `expose`. Equality exists for byte-like contents alone and takes the same time wherever they differ.
pub struct Secret<T: Zeroize> {
    value: Box<T>,
}

impl<T: Zeroize> Secret<T> {
    /// Takes a value into keeping.
    pub fn new(value: T) -> Self {
        Self {
            value: Box::new(value),
        }
    }

    /// The value, for as long as it is borrowed. Do not copy it into anything that is not wiped.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.value
    }

    /// The value, to be filled or changed in place, so that no copy arises elsewhere.
    ///
    /// A `Vec` or `String` that grows here leaves its old allocation unwiped: reserve first, or use
    /// [`WipingBuffer`](crate::WipingBuffer).
    pub fn expose_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl<T: Zeroize + Default> From<Zeroizing<T>> for Secret<T> {
    fn from(mut value: Zeroizing<T>) -> Self {
        Self::new(std::mem::take(&mut *value))
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self {
            value: self.value.clone(),
        }
    }
}

impl<T: Zeroize + Default> Default for Secret<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}, redacted)", type_name::<T>())
    }
}

impl PartialEq for Secret<Vec<u8>> {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.value, &other.value)
    }
}

impl Eq for Secret<Vec<u8>> {}

impl PartialEq for Secret<String> {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.value.as_bytes(), other.value.as_bytes())
    }
}

impl Eq for Secret<String> {}

impl<const N: usize> PartialEq for Secret<[u8; N]> {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(self.value.as_slice(), other.value.as_slice())
    }
}

impl<const N: usize> Eq for Secret<[u8; N]> {}

impl<'de> Deserialize<'de> for Secret<String> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Tattletale(Arc<AtomicBool>);

    impl Zeroize for Tattletale {
        fn zeroize(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    #[test]
    fn dropping_wipes() {
        let wiped = Arc::new(AtomicBool::new(false));
        drop(Secret::new(Tattletale(Arc::clone(&wiped))));
        assert!(wiped.load(Ordering::SeqCst));
    }

    #[test]
    fn debug_tells_the_type_only() {
        let secret = Secret::new(String::from("hunter2"));
        assert_eq!(
            format!("{secret:?}"),
            "Secret(alloc::string::String, redacted)"
        );
        assert!(!format!("{:#?}", Some(secret)).contains("hunter2"));
    }

    #[test]
    fn equality_is_by_content() {
        assert_eq!(Secret::new(vec![1u8, 2]), Secret::from(vec![1u8, 2]));
        assert_ne!(Secret::new(vec![1u8, 2]), Secret::new(vec![1u8, 2, 3]));
        assert_ne!(
            Secret::new(String::from("a")),
            Secret::new(String::from("b"))
        );
        assert_eq!(Secret::new([7u8; 32]), Secret::new([7u8; 32]));
        assert_eq!(
            Secret::from(Zeroizing::new(vec![1u8])),
            Secret::new(vec![1u8])
        );
        assert_eq!(Secret::from("a"), Secret::new(String::from("a")));
    }

    #[test]
    fn deserialises_from_a_string_and_nothing_else() {
        let read: Secret<String> = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(read.expose(), "hunter2");
        assert!(serde_json::from_str::<Secret<String>>("[1]").is_err());
    }
}
