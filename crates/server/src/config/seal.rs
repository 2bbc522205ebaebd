use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use coffer_barrier::auto::{COPIES_MAX, is_name};
use coffer_hcl::{Position, Value};

use super::stanza::Stanza;
use super::{Error, Place};
use crate::environment;

/// The word for key shares, which need no keeper.
const SHAMIR: &str = "shamir";

/// Who keeps the root key while the server is sealed: `seal "kind" { … }`. There are none where key shares do.
#[derive(Clone, PartialEq, Eq)]
pub struct Seal {
    /// The keeper's kind.
    pub kind: String,
    /// Names its copy of the root key; the kind where nothing is said.
    pub name: String,
    /// Which of several is asked first: the lowest number.
    pub priority: u32,
    /// It is only there to move away from.
    pub disabled: bool,
    /// What the keeper needs to know. Secrets are among it.
    pub options: BTreeMap<String, String>,
    /// Where it is declared.
    pub place: Place,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal")
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("priority", &self.priority)
            .field("disabled", &self.disabled)
            .field("options", &self.options.keys())
            .field("place", &self.place)
            .finish()
    }
}

pub(super) fn read(root: &mut Stanza) -> Result<Vec<Seal>, Error> {
    let mut seals: Vec<Seal> = Vec::new();
    for stanza in root.blocks("seal", 1)? {
        if stanza.label(0) == SHAMIR {
            continue;
        }
        if !coffer_seals::KINDS.contains(&stanza.label(0)) {
            return Err(Error::UnsupportedSeal {
                place: stanza.place(),
                kind: stanza.label(0).to_owned(),
            });
        }
        let seal = one(stanza)?;
        if let Some(other) = seals.iter().find(|other| other.name == seal.name) {
            return Err(Error::At {
                found: format!("the seal has the name of the one at {}", other.place),
                place: seal.place,
                expected: "a name of its own".to_owned(),
                advice: "give one of them another `name`; a seal that the server uses already must keep its own".to_owned(),
            });
        }
        seals.push(seal);
    }
    if let Some(first_too_many) = seals.get(COPIES_MAX) {
        return Err(Error::At {
            place: first_too_many.place.clone(),
            found: "there are too many seals".to_owned(),
            expected: format!("at most {COPIES_MAX}"),
            advice: "remove some".to_owned(),
        });
    }
    if seals.is_empty() {
        seals.extend(by_environment()?);
    }
    Ok(seals)
}

fn one(mut stanza: Stanza) -> Result<Seal, Error> {
    let kind = stanza.label(0).to_owned();
    let name = stanza.text("name")?.filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| kind.clone());
    if !is_name(&name) {
        return Err(stanza.error(
            "has a `name` that does not fit",
            "up to 64 letters, digits, `-` and `_`",
            "shorten it",
        ));
    }
    let priority = stanza.integer("priority")?.unwrap_or(1);
    let Some(priority) = u32::try_from(priority).ok().filter(|number| *number > 0) else {
        return Err(stanza.error(
            "has a `priority` that does not fit",
            "a whole number from 1 on",
            "1 is asked first",
        ));
    };
    let disabled = stanza.flag("disabled")?.unwrap_or(false);
    let place = stanza.place();
    Ok(Seal {
        options: options(stanza)?,
        kind,
        name,
        priority,
        disabled,
        place,
    })
}

/// What the keeper needs to know, as texts. Which of it there is, is the keeper's to say.
fn options(stanza: Stanza) -> Result<BTreeMap<String, String>, Error> {
    let place = stanza.place();
    let mut options = BTreeMap::new();
    for item in stanza.into_body().items {
        let Some(text) = item.value.as_text() else {
            return Err(Error::At {
                place: Place {
                    file: place.file,
                    position: item.position,
                },
                found: format!(
                    "`{}` has a value that does not fit ({})",
                    item.key,
                    Value::kind(&item.value)
                ),
                expected: "a string".to_owned(),
                advice: "write `name = \"value\"`".to_owned(),
            });
        };
        options.insert(item.key.to_ascii_lowercase(), text.to_owned());
    }
    Ok(options)
}

/// The seal that the environment names where no file does; the keeper reads its own variables.
fn by_environment() -> Result<Option<Seal>, Error> {
    let kind = environment::variable("SEAL_TYPE").filter(|kind| kind != SHAMIR);
    let Some(kind) = kind else {
        return Ok(None);
    };
    let place = Place {
        file: Arc::from(Path::new("SEAL_TYPE (environment)")),
        position: Position::START,
    };
    if !coffer_seals::KINDS.contains(&kind.as_str()) {
        return Err(Error::UnsupportedSeal { place, kind });
    }
    Ok(Some(Seal {
        name: kind.clone(),
        kind,
        priority: 1,
        disabled: false,
        options: BTreeMap::new(),
        place,
    }))
}
