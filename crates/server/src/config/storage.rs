use std::path::PathBuf;

use super::stanza::Stanza;
use super::{Error, Warning, ignored};

/// Where data is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In memory: gone when the server stops.
    Memory,
    /// In the embedded store.
    Embedded {
        /// Its directory.
        path: PathBuf,
        /// The name of this node, if the configuration gives one.
        node_id: Option<String>,
    },
}

/// Reads `storage`, or its old name `backend` where there is none. A later file's replaces an earlier one's.
pub(super) fn read(
    root: &mut Stanza,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Storage>, Error> {
    let mut stanzas = root.blocks("storage", 1)?;
    let older = root.blocks("backend", 1)?;
    if stanzas.is_empty() {
        stanzas = older;
    } else {
        warnings.extend(
            older
                .iter()
                .map(|stanza| stanza.warning("has no effect beside `storage`")),
        );
    }
    for pair in stanzas.windows(2) {
        let [one, two] = pair else { continue };
        if one.place().file == two.place().file {
            let found = format!("follows another storage at {}", one.place());
            return Err(two.error(&found, "one storage", "remove one of the two"));
        }
    }
    let mut last = None;
    for stanza in stanzas {
        last = Some(storage(stanza, warnings)?);
    }
    Ok(last)
}

fn storage(mut stanza: Stanza, warnings: &mut Vec<Warning>) -> Result<Storage, Error> {
    let storage = match stanza.label(0) {
        "inmem" | "inmem_ha" | "inmem_transactional" | "inmem_transactional_ha" => Storage::Memory,
        "embedded" | "file" | "raft" => {
            let node_id = stanza.plain_text("node_id")?;
            let Some(path) = stanza.path("path")? else {
                let advice =
                    "write `path = \"/var/lib/coffer\"`, a directory that the server may write to";
                return Err(stanza.error("has no path", "`path`", advice));
            };
            Storage::Embedded { path, node_id }
        }
        kind => {
            return Err(Error::UnsupportedStorage {
                place: stanza.place(),
                kind: kind.to_owned(),
            });
        }
    };
    stanza.ignore(ignored::IN_STORAGE, warnings);
    stanza.finish()?;
    Ok(storage)
}
