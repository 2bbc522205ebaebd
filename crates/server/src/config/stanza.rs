use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coffer_hcl::{Block, Body, Position, Value, nearest};

use super::files::at;
use super::ignored::Ignored;
use super::{Error, Place, Warning};

/// A block, or all files' top level together, while it is being read.
///
/// Reading takes keys away and remembers their names, so that [`Stanza::finish`] knows both what is left and what
/// could have been meant.
pub(super) struct Stanza {
    /// What it is called in messages.
    name: String,
    /// The block's labels.
    labels: Vec<Arc<str>>,
    place: Option<Place>,
    /// What each file says, in order; one for a block.
    parts: Vec<(Arc<Path>, Body)>,
    known: Vec<&'static str>,
}

impl Stanza {
    /// The top level of all files.
    pub fn root(parts: Vec<(Arc<Path>, Body)>) -> Self {
        Self {
            name: "the configuration".to_owned(),
            labels: Vec::new(),
            place: None,
            parts,
            known: Vec::new(),
        }
    }

    /// A label of the block, from 0; a block that was asked for by `n` labels has them.
    pub fn label(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", |label| label)
    }

    /// Where the block starts; nowhere for the top level.
    pub fn place(&self) -> Place {
        let nowhere = || Place {
            file: Arc::from(Path::new("")),
            position: Position::START,
        };
        self.place.clone().unwrap_or_else(nowhere)
    }

    /// Where the value of a key stands that has not been taken yet.
    pub fn place_of(&self, key: &str) -> Option<Place> {
        self.parts.iter().rev().find_map(|(file, body)| {
            let item = body
                .items
                .iter()
                .rev()
                .find(|item| item.key.eq_ignore_ascii_case(key))?;
            Some(Place {
                file: file.clone(),
                position: item.position,
            })
        })
    }

    /// Takes a value that `read` understands. The last file's last one wins, the others must be right as well.
    pub fn value<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.known.push(key);
        let mut last = None;
        for (file, body) in &mut self.parts {
            for item in body.take(key) {
                last = Some(read(&item.value).ok_or_else(|| Error::At {
                    place: Place {
                        file: file.clone(),
                        position: item.position,
                    },
                    found: format!(
                        "`{key}` has a value that does not fit ({})",
                        item.value.kind()
                    ),
                    expected: expected.to_owned(),
                    advice: format!("correct `{key}`, or remove it to use the default"),
                })?);
            }
        }
        Ok(last)
    }

    /// Takes a text.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        self.value(key, "a string", |value| value.as_text().map(str::to_owned))
    }

    /// Takes a text in which go-sockaddr templates are refused: nothing here resolves them. Empty counts as absent.
    pub fn plain_text(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        let expected = "a string without `{{ … }}`: address templates are not resolved";
        let read = |value: &Value| {
            value
                .as_text()
                .filter(|text| !text.contains("{{"))
                .map(str::to_owned)
        };
        Ok(self
            .value(key, expected, read)?
            .filter(|text| !text.is_empty()))
    }

    /// Takes a path of the file system. Empty counts as absent.
    pub fn path(&mut self, key: &'static str) -> Result<Option<PathBuf>, Error> {
        let path = self.value(key, "a path", |value| value.as_text().map(PathBuf::from))?;
        Ok(path.filter(|path| !path.as_os_str().is_empty()))
    }

    /// Takes a boolean in any of its spellings.
    pub fn flag(&mut self, key: &'static str) -> Result<Option<bool>, Error> {
        self.value(key, "true or false", Value::as_bool)
    }

    /// Takes a whole number, also one in quotes.
    pub fn integer(&mut self, key: &'static str) -> Result<Option<i64>, Error> {
        self.value(key, "a whole number", Value::as_i64)
    }

    /// Takes a duration: `"1h30m"`, or seconds as a number or text.
    pub fn duration(&mut self, key: &'static str) -> Result<Option<Duration>, Error> {
        let expected = "a duration, as in \"90s\", \"768h\" or 3600 (seconds)";
        self.value(key, expected, |value| match value {
            Value::Bool(_) => None,
            value => coffer_wire::parse_duration(value.as_text()?).ok(),
        })
    }

    /// Takes a duration of which zero means "the default".
    pub fn nonzero_duration(&mut self, key: &'static str) -> Result<Option<Duration>, Error> {
        Ok(self.duration(key)?.filter(|duration| !duration.is_zero()))
    }

    /// Takes a list, also one written as a text with commas; `read` understands an element.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Error> {
        self.value(key, expected, |value| match value {
            Value::List(values) => values
                .iter()
                .map(|value| read(value.as_text()?.trim()))
                .collect(),
            value => value
                .as_text()?
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(&read)
                .collect(),
        })
    }

    /// Takes a semantic version.
    pub fn version(&mut self, key: &'static str) -> Result<Option<String>, Error> {
        self.value(
            key,
            "a semantic version, as in \"1.21.0+coffer.0.1.0\"",
            |value| {
                let text = value.as_text()?;
                let core = text.split(['-', '+']).next()?;
                let numbers: Vec<&str> = core.split('.').collect();
                let is_number = |part: &&str| {
                    part.len() <= 9 && part.parse::<u32>().is_ok_and(|n| n.to_string() == **part)
                };
                let rest_is_plain = text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-+.".contains(&b));
                (numbers.len() == 3 && numbers.iter().all(is_number) && rest_is_plain)
                    .then(|| text.to_owned())
            },
        )
    }

    /// Takes the blocks of a name, those of every file.
    pub fn blocks(&mut self, key: &'static str, labels: usize) -> Result<Vec<Stanza>, Error> {
        self.known.push(key);
        let mut blocks = Vec::new();
        for (file, body) in &mut self.parts {
            let found = body
                .take_blocks(key, labels)
                .map_err(|error| at(file.clone(), error))?;
            blocks.extend(found.into_iter().map(|block| Self::block(key, file, block)));
        }
        Ok(blocks)
    }

    fn block(key: &str, file: &Arc<Path>, block: Block) -> Self {
        let Block {
            labels,
            body,
            position,
        } = block;
        let name =
            std::iter::once(key.to_owned()).chain(labels.iter().map(|label| format!("{label:?}")));
        Self {
            name: format!("`{}`", name.collect::<Vec<_>>().join(" ")),
            labels,
            place: Some(Place {
                file: file.clone(),
                position,
            }),
            parts: vec![(file.clone(), body)],
            known: Vec::new(),
        }
    }

    /// The block's items as they are, for blocks whose keys are names of the user's.
    pub fn into_body(self) -> Body {
        self.parts
            .into_iter()
            .next()
            .map(|(_, body)| body)
            .unwrap_or_default()
    }

    /// Takes keys that others know and that have no effect here, with a warning each.
    pub fn ignore(&mut self, groups: &[Ignored], warnings: &mut Vec<Warning>) {
        for Ignored { reason, keys } in groups {
            for key in *keys {
                self.known.push(key);
                for (file, body) in &mut self.parts {
                    warnings.extend(body.take(key).into_iter().map(|item| Warning {
                        place: Place {
                            file: file.clone(),
                            position: item.position,
                        },
                        message: format!("`{key}` has no effect: {reason}"),
                    }));
                }
            }
        }
    }

    /// A warning about this block.
    pub fn warning(&self, message: &str) -> Warning {
        Warning {
            place: self.place(),
            message: format!("{} {message}", self.name),
        }
    }

    /// An error about this block.
    pub fn error(&self, found: &str, expected: &str, advice: &str) -> Error {
        let found = format!("{} {found}", self.name);
        Error::At {
            place: self.place(),
            found,
            expected: expected.to_owned(),
            advice: advice.to_owned(),
        }
    }

    /// Refuses what nobody took.
    pub fn finish(self) -> Result<(), Error> {
        for (file, body) in self.parts {
            if let Some(item) = body.items.into_iter().next() {
                return Err(Error::UnknownKey {
                    place: Place {
                        file,
                        position: item.position,
                    },
                    suggestion: nearest(&item.key, self.known).map(str::to_owned),
                    key: item.key,
                    stanza: self.name,
                });
            }
        }
        Ok(())
    }
}
