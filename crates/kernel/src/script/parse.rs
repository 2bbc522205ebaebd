//! From text to a script.

use std::sync::Arc;

use coffer_hcl::{Body, Error, Position};

use super::expression::{Dialect, Expression, Reference, Source, nothing_else, unknown};
use super::input::{self, Field};
use super::step::{Block, MAX_REQUESTS, Operation, Place, Step};

/// Largest text of a workflow, in bytes.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Longest name of a block, request or field, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 128;

/// Requests in their order, what is given to them, and what comes of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Script {
    pub(super) fields: Vec<Field>,
    pub(super) blocks: Vec<Block>,
    pub(super) output: Option<Expression>,
}

impl Script {
    /// Reads a workflow, HCL or JSON.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and what to do.
    pub fn workflow(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(Error::new(
                Position::START,
                format!("a workflow of {} bytes", text.len()),
                format!("at most {MAX_TEXT_BYTES} bytes"),
                "split it; a workflow can run another",
            ));
        }
        let mut body = coffer_hcl::parse(text)?;
        let mut script = Self {
            fields: input::read(&mut body)?,
            ..Self::default()
        };
        let blocks = body.take_blocks(Dialect::Workflow.word(), 1)?;
        if blocks.is_empty() {
            return Err(Error::new(
                Position::START,
                "no `flow`",
                "at least one `flow \"name\" { request \"name\" { … } }`",
                "add one",
            ));
        }
        for block in blocks {
            script.push(block, None, Dialect::Workflow)?;
        }
        script.output = script.read_output(&mut body)?;
        nothing_else(&body, "a workflow", "blocks `input`, `flow`, `output`")?;
        Ok(script)
    }

    /// Adds a stanza `initialize "name" { … }` of a file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and what to do.
    pub fn initialize(&mut self, block: coffer_hcl::Block, file: Arc<str>) -> Result<(), Error> {
        self.push(block, Some(file), Dialect::Initialize)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|block| block.steps.is_empty())
    }

    /// How many requests there are.
    pub fn requests(&self) -> usize {
        self.blocks.iter().map(|block| block.steps.len()).sum()
    }

    fn push(
        &mut self,
        block: coffer_hcl::Block,
        file: Option<Arc<str>>,
        dialect: Dialect,
    ) -> Result<(), Error> {
        let at = block.position;
        let name = named(block.labels.first().map_or("", |label| label), at)?;
        if self.blocks.iter().any(|other| other.name == name) {
            return Err(twice(at, dialect.word(), &name));
        }
        self.blocks.push(Block {
            name: name.clone(),
            steps: Vec::new(),
        });
        let mut body = block.body;
        for request in body.take_blocks("request", 1)? {
            let at = request.position;
            let step = step(request, file.clone(), dialect)?;
            step.values()
                .try_for_each(|value| self.check(value, dialect))?;
            if self.requests() == MAX_REQUESTS {
                return Err(Error::new(
                    at,
                    "one request too many",
                    format!("at most {MAX_REQUESTS}"),
                    "split it",
                ));
            }
            if self.knows(&name, &step.name) {
                return Err(twice(at, "request", &step.name));
            }
            if let Some(block) = self.blocks.last_mut() {
                block.steps.push(step);
            }
        }
        nothing_else(
            &body,
            &format!("{} {name:?}", dialect.word()),
            "blocks `request`",
        )
    }

    fn read_output(&self, body: &mut Body) -> Result<Option<Expression>, Error> {
        let mut outputs = body.take_blocks("output", 0)?;
        let Some(mut output) = outputs.pop() else {
            return Ok(None);
        };
        if !outputs.is_empty() {
            return Err(twice(output.position, "output", ""));
        }
        let data = value(&mut output.body, "data", Dialect::Workflow)?;
        nothing_else(&output.body, "`output`", "`data`")?;
        if let Some(data) = &data {
            self.check(data, Dialect::Workflow)?;
            if matches!(data, Expression::Literal(_) | Expression::List(_)) {
                return Err(Error::new(
                    output.position,
                    "`data` that is no map",
                    "fields with their values",
                    "write `data = { name = … }`",
                ));
            }
        }
        Ok(data)
    }

    fn knows(&self, block: &str, step: &str) -> bool {
        let block = self.blocks.iter().find(|known| known.name == block);
        block.is_some_and(|block| block.steps.iter().any(|known| known.name == step))
    }

    /// Refuses references to what is not there before.
    fn check(&self, value: &Expression, dialect: Dialect) -> Result<(), Error> {
        let mut wrong = None;
        value.sources(&mut |source, at| {
            if let Some(error) = self.objection(source, at, dialect) {
                wrong.get_or_insert(error);
            }
        });
        wrong.map_or(Ok(()), Err)
    }

    fn objection(&self, source: &Source, at: Position, dialect: Dialect) -> Option<Error> {
        match source {
            Source::Variable { .. } | Source::File { .. } => None,
            Source::Input { field } => self.no_field(field, at),
            Source::Request(Reference { block, step, .. })
            | Source::Response(Reference { block, step, .. }) => self.no_step(block, step, at),
            Source::Template(template) => template.values().find_map(|names| match names {
                [root, field, ..] if root == "input" && dialect == Dialect::Workflow => {
                    self.no_field(field, at)
                }
                [root, block, step, ..] if root != "input" => self.no_step(block, step, at),
                _ => Some(Error::new(
                    at,
                    "a template with a value that is nowhere",
                    "the input of a workflow, or an earlier request",
                    "correct it",
                )),
            }),
        }
    }

    fn no_field(&self, field: &str, at: Position) -> Option<Error> {
        let declared = self.fields.iter().any(|known| known.name == field);
        (!declared).then(|| {
            Error::new(
                at,
                format!("the field {field:?}, which is not declared"),
                "a field of `input`",
                "declare it by `input { field \"string\" \"name\" { } }`",
            )
        })
    }

    fn no_step(&self, block: &str, step: &str, at: Position) -> Option<Error> {
        (!self.knows(block, step)).then(|| {
            Error::new(
                at,
                format!("the request {step:?} of {block:?}, which is not made before"),
                "an earlier request",
                "correct the names, or exchange the two",
            )
        })
    }
}

fn step(block: coffer_hcl::Block, file: Option<Arc<str>>, dialect: Dialect) -> Result<Step, Error> {
    let position = block.position;
    let name = named(block.labels.first().map_or("", |label| label), position)?;
    let mut body = block.body;
    let without = |key: &str| {
        Error::new(
            position,
            format!("request {name:?} without `{key}`"),
            format!("`{key} = \"…\"`"),
            "add it",
        )
    };
    let word = body.take_str("operation")?;
    let word = word.ok_or_else(|| without("operation"))?;
    let operation = Operation::named(&word).ok_or_else(|| {
        let words = Operation::WORDS.iter().copied();
        unknown(position, "operation", &word, words)
    })?;
    let step = Step {
        operation,
        path: value(&mut body, "path", dialect)?.ok_or_else(|| without("path"))?,
        namespace: value(&mut body, "namespace", dialect)?,
        token: value(&mut body, "token", dialect)?,
        data: value(&mut body, "data", dialect)?,
        headers: value(&mut body, "headers", dialect)?,
        when: value(&mut body, "when", dialect)?,
        allow_failure: value(&mut body, "allow_failure", dialect)?,
        place: Place { file, position },
        name,
    };
    let known =
        "`operation`, `path`, `namespace`, `token`, `data`, `headers`, `when`, `allow_failure`";
    nothing_else(&body, &format!("request {:?}", step.name), known)?;
    Ok(step)
}

impl Step {
    fn values(&self) -> impl Iterator<Item = &Expression> {
        let optional = [
            &self.namespace,
            &self.token,
            &self.data,
            &self.headers,
            &self.when,
            &self.allow_failure,
        ];
        std::iter::once(&self.path).chain(optional.into_iter().flatten())
    }
}

fn value(body: &mut Body, key: &str, dialect: Dialect) -> Result<Option<Expression>, Error> {
    let Some(item) = body.take(key).pop() else {
        return Ok(None);
    };
    Expression::read(item.value, item.position, dialect).map(Some)
}

/// A name that references and templates can spell.
pub(super) fn named(name: &str, at: Position) -> Result<String, Error> {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let other = |byte: u8| first(byte) || byte.is_ascii_digit() || byte == b'-';
    let fits = name.bytes().next().is_some_and(first) && name.bytes().all(other);
    if fits && name.len() <= MAX_NAME_BYTES {
        return Ok(name.to_owned());
    }
    Err(Error::new(
        at,
        format!("the name {name:?}"),
        format!(
            "letters, digits, `_` and `-`, a letter or `_` first, at most {MAX_NAME_BYTES} bytes"
        ),
        "rename it",
    ))
}

fn twice(at: Position, word: &str, name: &str) -> Error {
    Error::new(
        at,
        format!("{word} {name:?} twice"),
        "a name of its own",
        "rename one of the two",
    )
}
