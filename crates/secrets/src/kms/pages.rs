//! Lists in pages: how much is wanted, and what comes after what was shown.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use coffer_engine::Fault;
use coffer_wire::Int;
use schemars::JsonSchema;
use serde::Deserialize;

use super::exception::Exception;

/// Which page of a list.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Paging {
    /// How many items at most.
    #[serde(default)]
    limit: Option<Int>,
    /// `next_marker` of the page before.
    #[serde(default)]
    marker: String,
}

impl Paging {
    /// How many items are wanted: `usual` if nothing is said, `most` at most.
    pub(super) fn limit(&self, usual: usize, most: usize) -> Result<usize, Fault> {
        let Some(limit) = self.limit else {
            return Ok(usual);
        };
        let limit = usize::try_from(limit.0).ok();
        limit
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| Exception::Validation.because(format!("limit must be from 1 to {most}")))
    }

    /// The last item of the page before.
    pub(super) fn after(&self) -> Result<Option<String>, Fault> {
        if self.marker.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.marker).ok();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.filter(|text| !text.contains('\0') && text.len() <= 1_024);
        text.map(Some)
            .ok_or_else(|| Exception::InvalidMarker.because("the marker is not one of this server"))
    }
}

/// The marker of a page that ends with this item.
pub(super) fn marker(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

/// One page of items that are in order, and the marker of the next.
pub(super) fn page_of<T>(
    all: impl Iterator<Item = T>,
    paging: &Paging,
    limit: usize,
    name: impl Fn(&T) -> &str,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let after = paging.after()?;
    let mut rest = all.filter(|item| after.as_deref().is_none_or(|after| name(item) > after));
    let page: Vec<T> = rest.by_ref().take(limit).collect();
    let last = page.last().map(|last| marker(name(last)));
    let more = rest.next().is_some();
    Ok((page, last.filter(|_| more)))
}
