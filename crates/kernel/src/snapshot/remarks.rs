//! What whoever restores a snapshot has to know of the keys that open it.

use coffer_barrier::Foundation;
use coffer_barrier::seal::Protection;

use crate::seals::{SealBook, Situation, names};

/// Sentences for people.
pub(super) struct Remarks {
    said: Vec<String>,
    /// Whether the server is open afterwards.
    opens: bool,
}

impl Remarks {
    /// What follows from the snapshot as it was made. `opens`: the root key of now opens it.
    pub(super) fn of(
        snapshot: &Foundation,
        present: &Foundation,
        opens: bool,
        book: &SealBook,
    ) -> Self {
        let by_keepers = matches!(snapshot.protection(), Some(Protection::Keepers(_)));
        let said = match (opens, by_keepers) {
            (false, false) => Some(
                "the snapshot was made with other keys: the server is sealed now, and opens with the unseal keys that were valid for the snapshot".to_owned(),
            ),
            (false, true) => Some(of_other_keepers(snapshot, book)),
            (true, true) => back_again(snapshot, present),
            (true, false) if snapshot.has_the_shares_of(present) => None,
            (true, false) => Some(
                "the unseal keys were changed after the snapshot was taken: from now on those are valid again that were valid then".to_owned(),
            ),
        };
        Self {
            said: said.into_iter().collect(),
            opens,
        }
    }

    /// These, and whether the server opens again after its next start by what is put in place.
    pub(super) fn with_next_start(mut self, restored: &Foundation, book: &SealBook) -> Vec<String> {
        if self.opens {
            let next = situation(restored, book).of_next_start();
            self.said.extend(next.map(|why| {
                format!("this server will not open by itself after its next start: {why}")
            }));
        }
        self.said
    }
}

fn situation(foundation: &Foundation, book: &SealBook) -> Situation {
    Situation::of(foundation.protection(), &foundation.root_copies(), book)
}

/// The server is sealed, and keepers have the root key.
fn of_other_keepers(snapshot: &Foundation, book: &SealBook) -> String {
    let kept_by = names(&named(snapshot));
    let opens = match situation(snapshot, book) {
        Situation::Lost { .. } => {
            "none of these is configured: add the stanza of one and send SIGHUP, or hand in break-glass shares if there are any"
        }
        Situation::Kept { .. } => {
            "it opens if the keeper that is configured still has the key of then"
        }
        _ => {
            "hand in the recovery keys of then with `coffer operator unseal -migrate`, or enable the seal"
        }
    };
    format!(
        "the snapshot was made with other keys: the server is sealed now, and opens with the seals that were in use then: {kept_by}; {opens}"
    )
}

/// Seals that lost their copy since the snapshot was taken have it again.
fn back_again(snapshot: &Foundation, present: &Foundation) -> Option<String> {
    if !matches!(present.protection(), Some(Protection::Keepers(_))) {
        return None;
    }
    let now = named(present);
    let mut back = named(snapshot);
    back.retain(|seal| !now.contains(seal));
    let (first, _) = back.first()?;
    let text = format!(
        "seals have a copy of the root key again that had none any more: {}. Take each away with `coffer operator seals remove {first}` if it must not open this server",
        names(&back)
    );
    Some(text)
}

fn named(foundation: &Foundation) -> Vec<(String, String)> {
    let copies = foundation.root_copies().into_iter();
    copies.map(|copy| (copy.name, copy.kind)).collect()
}
