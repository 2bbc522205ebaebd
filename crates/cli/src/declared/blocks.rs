//! The blocks of one file as declarations.

use std::collections::BTreeSet;
use std::path::Path;

use coffer_hcl::{Block, Body, Position, nearest};
use serde_json::{Map, Value};

use super::declaration::{Alias, Declaration, Declared, Id, Owned};
use super::given;
use super::kind::Kind;
use crate::failure::Failure;
use crate::ui::read_file;

/// What is to be removed where nothing declares it.
const PRUNE: &str = "prune";

/// A file that is being read.
pub(super) struct Source<'a> {
    /// As errors name it.
    pub(super) name: &'a str,
    /// What its file names are relative to.
    pub(super) folder: &'a Path,
}

impl Source<'_> {
    /// Adds what the document declares in a namespace.
    pub(super) fn read(
        &self,
        text: &str,
        namespace: &str,
        into: &mut Declared,
    ) -> Result<(), Failure> {
        let mut body = coffer_hcl::parse(text).map_err(|error| self.wrong(error))?;
        self.blocks(&mut body, namespace, into)?;
        match body.items.first() {
            None => Ok(()),
            Some(item) => {
                let words = Kind::ALL.map(Kind::word).into_iter().chain([PRUNE]);
                let hint = match nearest(&item.key, words) {
                    Some(word) => format!("did you mean {word}?"),
                    None => "see the blocks in the documentation of apply".to_owned(),
                };
                Err(self.at(
                    item.position,
                    &format!("unknown block {:?}; {hint}", item.key),
                ))
            }
        }
    }

    /// Takes the blocks out of a body.
    fn blocks(&self, body: &mut Body, namespace: &str, into: &mut Declared) -> Result<(), Failure> {
        for kind in Kind::ALL {
            for block in self.of(body.take_blocks(kind.word(), 1))? {
                self.declare(kind, block, namespace, into)?;
            }
        }
        for block in self.of(body.take_blocks(PRUNE, 0))? {
            self.owned(block, namespace, into)?;
        }
        Ok(())
    }

    fn declare(
        &self,
        kind: Kind,
        mut block: Block,
        namespace: &str,
        into: &mut Declared,
    ) -> Result<(), Failure> {
        let label = block.labels.first().map(|label| &**label);
        let id = Id::new(kind, namespace, label.unwrap_or_default());
        if id.name.trim_matches('/').is_empty() {
            return Err(self.at(block.position, &format!("{kind} has no name")));
        }
        let body = &mut block.body;
        if kind == Kind::Namespace {
            let inside = format!("{namespace}{}/", id.name);
            self.blocks(body, &inside, into)?;
        }
        let mut words = |key: &str| -> Result<Vec<String>, Failure> {
            Ok(self.of(body.take_strings(key))?.unwrap_or_default())
        };
        let depends_on = words("depends_on")?;
        let write_only = words("write_only")?.into_iter().collect();
        let aliases = match kind {
            Kind::Entity | Kind::Group => self.aliases(body)?,
            _ => Vec::new(),
        };
        let (fields, secrets) = match kind.is_text() {
            true => (self.text(kind, body, block.position)?, Vec::new()),
            false => given::object(body, self.folder)
                .map_err(|reason| Failure::local(format!("{}: {reason}", self.name)))?,
        };
        into.declarations.push(Declaration {
            id,
            fields,
            secrets: secrets.into_iter().collect(),
            write_only,
            depends_on,
            aliases,
            place: format!("{}: {}", self.name, block.position),
        });
        Ok(())
    }

    /// The text of a policy, written here or in a file of its own.
    fn text(
        &self,
        kind: Kind,
        body: &mut Body,
        position: Position,
    ) -> Result<Map<String, Value>, Failure> {
        let file = self.of(body.take_str("file"))?;
        let text = self.of(body.take_str("text"))?;
        if let Some(item) = body.items.first() {
            let text = format!(
                "{kind} has file or text and nothing else, not {:?}",
                item.key
            );
            return Err(self.at(item.position, &text));
        }
        let text = match (file, text) {
            (Some(file), None) => {
                let path = self.folder.join(file);
                read_file(&path.to_string_lossy())
                    .map_err(|failure| self.at(position, &failure.text))?
                    .to_string()
            }
            (None, Some(text)) => text,
            _ => return Err(self.at(position, &format!("{kind} needs one of file and text"))),
        };
        Ok(of_text(text))
    }

    fn aliases(&self, body: &mut Body) -> Result<Vec<Alias>, Failure> {
        let mut aliases = Vec::new();
        for mut block in self.of(body.take_blocks("alias", 1))? {
            let label = block.labels.first().map(|label| &**label);
            let auth = Id::new(Kind::Auth, "", label.unwrap_or_default()).name;
            let name = self.of(block.body.take_str("name"))?;
            let Some(name) = name.filter(|name| !name.is_empty()) else {
                return Err(self.at(block.position, "alias needs the name in the auth method"));
            };
            let (mut fields, _) = given::object(&block.body, self.folder)
                .map_err(|reason| Failure::local(format!("{}: {reason}", self.name)))?;
            let custom_metadata = match fields.remove("custom_metadata") {
                Some(Value::Object(notes)) => notes,
                _ => Map::new(),
            };
            if let Some(field) = fields.keys().next() {
                let text = format!("alias has name and custom_metadata, not {field:?}");
                return Err(self.at(block.position, &text));
            }
            aliases.push(Alias {
                auth,
                name,
                custom_metadata,
            });
        }
        Ok(aliases)
    }

    fn owned(&self, mut block: Block, namespace: &str, into: &mut Declared) -> Result<(), Failure> {
        for kind in Kind::ALL {
            let patterns = self.of(block.body.take_strings(kind.word()))?;
            for pattern in patterns.unwrap_or_default() {
                let pattern = pattern.trim_start_matches('/').to_owned();
                if kind == Kind::Resource && super::glob::folder(&pattern).is_empty() {
                    let text = "a resource is pruned within a folder, like database/roles/*";
                    return Err(self.at(block.position, text));
                }
                into.owned.push(Owned {
                    kind,
                    namespace: namespace.to_owned(),
                    pattern,
                });
            }
        }
        match block.body.items.first() {
            None => Ok(()),
            Some(item) => {
                let text = format!("prune lists kinds of blocks, not {:?}", item.key);
                Err(self.at(item.position, &text))
            }
        }
    }

    fn of<T>(&self, result: Result<T, coffer_hcl::Error>) -> Result<T, Failure> {
        result.map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: coffer_hcl::Error) -> Failure {
        Failure::local(format!("{}: {error}", self.name))
    }

    fn at(&self, position: Position, text: &str) -> Failure {
        Failure::local(format!("{}: {position}: {text}", self.name))
    }
}

/// The fields of a policy with this text.
pub(super) fn of_text(text: String) -> Map<String, Value> {
    Map::from_iter([("policy".to_owned(), Value::String(text))])
}

/// A policy that a file is, by the folder it lies in.
pub(super) fn policy(
    kind: Kind,
    namespace: &str,
    name: &str,
    place: &str,
    text: String,
) -> Declaration {
    Declaration {
        id: Id::new(kind, namespace, name),
        fields: of_text(text),
        secrets: BTreeSet::new(),
        write_only: BTreeSet::new(),
        depends_on: Vec::new(),
        aliases: Vec::new(),
        place: place.to_owned(),
    }
}
