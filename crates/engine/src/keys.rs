//! Lists of names, page by page.

use coffer_barrier::View;
use coffer_wire::Int;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Ctx, Fault};

/// How many names are read at once.
const PAGE: usize = 1_000;

/// The answer to a list.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Keys {
    /// Names in byte order; folders end with a slash.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// The names in `folder` after `after`; at most `limit`, all if that is not over zero.
pub async fn page(cx: &Ctx, folder: &str, after: &str, limit: Int) -> Result<Keys, Fault> {
    let after = Some(after).filter(|after| !after.is_empty());
    let limit = usize::try_from(limit.0).unwrap_or(0);
    let limit = if limit == 0 { usize::MAX } else { limit };
    Keys::list(&cx.view, folder, after, limit).await?.found()
}

/// How many records there are below `folder`, counted page by page.
pub async fn count(view: &View, folder: &str) -> Result<u64, Fault> {
    let mut count = 0;
    let mut pages = view.path_pages(folder);
    while let Some(page) = pages.next().await? {
        count += u64::try_from(page.len()).unwrap_or_default();
    }
    Ok(count)
}

impl Keys {
    /// The same, or [`Fault::NotFound`] where there are none: an empty folder does not exist.
    pub fn found(self) -> Result<Self, Fault> {
        match self.keys.is_empty() {
            true => Err(Fault::NotFound),
            false => Ok(self),
        }
    }

    /// The children of `folder` ("" or ending with a slash) after the child `after`.
    pub async fn list(
        view: &View,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Self, Fault> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let page = PAGE.min(limit - keys.len());
            let after = keys.last().map(String::as_str).or(after);
            let found = view.list(folder, after, page).await?;
            let ended = found.len() < page;
            keys.extend(found);
            if ended || keys.len() == limit {
                return Ok(Self { keys });
            }
        }
    }

    /// Everything below `folder`, however deep, after the name `after`.
    pub async fn scan(
        view: &View,
        folder: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Self, Fault> {
        let mut keys: Vec<String> = Vec::new();
        while keys.len() < limit {
            let page = PAGE.min(limit - keys.len());
            let after = keys.last().map(String::as_str).or(after);
            let after = after.map(|name| format!("{folder}{name}"));
            let found = view.scan_paths(folder, after.as_deref(), page).await?;
            if found.is_empty() {
                break;
            }
            let names = found.iter().filter_map(|path| path.strip_prefix(folder));
            keys.extend(names.map(str::to_owned));
        }
        Ok(Self { keys })
    }
}

/// Where the record called `path` is kept below `base`. A name that is empty or ends with a slash is
/// a folder's, so nothing can be there.
pub fn place(base: &str, path: &str) -> Result<String, Fault> {
    match path.is_empty() || path.ends_with('/') {
        true => Err(Fault::NotFound),
        false => Ok(format!("{base}{path}")),
    }
}

/// Where the children of the folder `path` are kept below `base`.
pub fn folder(base: &str, path: &str) -> String {
    match path.trim_end_matches('/') {
        "" => base.to_owned(),
        path => format!("{base}{path}/"),
    }
}
