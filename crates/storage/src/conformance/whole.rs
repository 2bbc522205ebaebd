//! Reading and replacing a store as a whole.

use super::ok;
use crate::{Batch, Entries, Error, FROZEN_PAGE_BYTES, Frozen, Replacement, Store};

/// What is frozen stays as it was, comes in order and in bounded pages.
pub async fn freezing(store: &dyn Store) {
    let empty = ok(store.freeze().await);
    assert_eq!(everything(empty.as_ref()), []);
    let large = vec![7; FROZEN_PAGE_BYTES];
    let entries = [
        ("a", b"1".to_vec()),
        ("a/b", large.clone()),
        ("b", Vec::new()),
        ("ä", large),
    ];
    for (path, value) in &entries {
        ok(store.put(path, value.clone()).await);
    }
    let frozen = ok(store.freeze().await);
    ok(store.put("a", b"2".to_vec()).await);
    ok(store.put("new", b"3".to_vec()).await);
    ok(store.delete("b").await);
    let entries = entries.map(|(path, value)| (path.to_owned(), value));
    assert_eq!(everything(frozen.as_ref()), entries);
    assert_eq!(ok(frozen.page(None)).len(), 2, "a page is bounded");
    let later = ok(store.freeze().await);
    assert_eq!(everything(later.as_ref()).len(), 4);
}

/// A replacement takes the place of everything at once, or of nothing.
pub async fn replacing(store: &dyn Store) {
    for (path, value) in [("a", "1"), ("old", "2")] {
        ok(store.put(path, value.into()).await);
    }
    let dropped = filled(store, &[("a", "dropped")]).await;
    drop(dropped);
    let unfinished = {
        let mut replacement = ok(store.replace().await);
        ok(replacement.add(vec![("a".to_owned(), b"unfinished".to_vec())]));
        replacement.take_place().await
    };
    assert!(matches!(unfinished, Err(Error::Incomplete)));
    assert_eq!(ok(store.get("a").await).as_deref(), Some(&b"1"[..]));
    assert_eq!(store.generation(), 0);

    let frozen = ok(store.freeze().await);
    let replacement = filled(store, &[("a", "3"), ("new/b", "4"), ("a", "5")]).await;
    ok(store.put("old", b"written meanwhile".to_vec()).await);
    ok(replacement.take_place().await);
    assert_eq!(store.generation(), 1);
    let now = ok(store.freeze().await);
    let expected = [("a", "5"), ("new/b", "4")].map(owned);
    assert_eq!(everything(now.as_ref()), expected);
    assert_eq!(ok(store.list("", None, 10).await), ["a", "new/"]);
    ok(store.put("a", b"6".to_vec()).await);
    assert_eq!(ok(store.get("a").await).as_deref(), Some(&b"6"[..]));
    match frozen.page(None) {
        Err(Error::Closed) => {}
        Ok(page) => assert_eq!(page, [("a", "1"), ("old", "2")].map(owned)),
        Err(other) => panic!("a frozen store that was replaced gave {other}"),
    }
}

/// What was decided by entries that were replaced is not written among the new ones.
pub async fn generations(store: &dyn Store) {
    let stale = Batch::new().only_in(store.generation()).put("a", "stale");
    ok(store.commit(stale.clone()).await);
    ok(filled(store, &[("b", "1")]).await.take_place().await);
    assert!(matches!(store.commit(stale).await, Err(Error::Replaced)));
    assert_eq!(ok(store.get("a").await), None);
    let fresh = Batch::new().only_in(store.generation()).put("a", "fresh");
    ok(store.commit(fresh).await);
    assert_eq!(ok(store.get("a").await).as_deref(), Some(&b"fresh"[..]));
}

/// A replacement takes what the store takes and refuses what it refuses.
pub async fn replacement_limits(store: &dyn Store) {
    for path in ["", "/a", "a/", "a//b", "a\0b"] {
        let mut replacement = ok(store.replace().await);
        let refused = replacement.add(vec![(path.to_owned(), Vec::new())]);
        assert!(
            matches!(refused, Err(Error::Invalid { .. })),
            "{path:?}: {refused:?}"
        );
    }
    ok(store.close().await);
    assert!(matches!(store.freeze().await, Err(Error::Closed)));
}

async fn filled(store: &dyn Store, entries: &[(&str, &str)]) -> Box<dyn Replacement> {
    let mut replacement = ok(store.replace().await);
    for entry in entries {
        ok(replacement.add(vec![owned(*entry)]));
    }
    ok(replacement.complete());
    replacement
}

fn owned((path, value): (&str, &str)) -> (String, Vec<u8>) {
    (path.to_owned(), value.as_bytes().to_vec())
}

fn everything(frozen: &dyn Frozen) -> Entries {
    let mut found = Entries::new();
    loop {
        let page = ok(frozen.page(found.last().map(|(path, _)| path.as_str())));
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}
