//! The full names of roles that have assumed sessions, as they were learnt. AWS neither renames nor moves a role, so what
//! its unique id once stood for it stands for as long as there is such a role; and IAM answers only so many questions a
//! second, so each login would be one too many.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// How many are kept.
const KEPT_MAX: usize = 4_096;

/// Full names by who told them (the endpoint of IAM) and by unique id.
#[derive(Default)]
pub(super) struct Paths(Mutex<HashMap<(String, String), String>>);

impl Paths {
    pub(super) fn get(&self, told_by: &str, unique_id: &str) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&(told_by.to_owned(), unique_id.to_owned()))
            .cloned()
    }

    pub(super) fn keep(&self, told_by: &str, unique_id: &str, name: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        let key = (told_by.to_owned(), unique_id.to_owned());
        kept.insert(key, name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learnt_is_known_of_the_same_source_alone() {
        let paths = Paths::default();
        paths.keep("", "AROA1", "name");
        assert_eq!(paths.get("", "AROA1").as_deref(), Some("name"));
        assert_eq!(paths.get("https://iam.example", "AROA1"), None);
        for number in 0..2 * KEPT_MAX {
            paths.keep("", &number.to_string(), "name");
        }
        assert!(paths.0.lock().unwrap().len() <= KEPT_MAX);
    }
}
