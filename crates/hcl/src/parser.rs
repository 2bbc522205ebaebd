//! The grammar. It yields the document as written, comments included: [`crate::format`] prints that tree, and
//! [`Tree::into_body`] resolves it into what decoders read.

use crate::lexer::{Kind, Lexer, Token};
use crate::text::{heredoc, unquote};
use crate::{Body, Error, Item, MAX_DEPTH_LEVELS, Value};

/// A document or block as written. Comments stand where they were, those in the middle of an item before it.
#[derive(Debug, Default)]
pub(crate) struct Tree<'a> {
    pub entries: Vec<Entry<'a, Node<'a>>>,
}

/// Something written, or a comment between such things.
#[derive(Debug)]
pub(crate) enum Entry<'a, T> {
    Comment(Token<'a>),
    Written(T),
}

/// An attribute or block as written.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    /// The key and a block's labels; never empty.
    pub keys: Vec<Token<'a>>,
    /// Whether it was written with `=`.
    pub assigned: bool,
    pub value: Expr<'a>,
}

/// A value as written.
#[derive(Debug)]
pub(crate) enum Expr<'a> {
    Literal(Token<'a>),
    List {
        entries: Vec<Entry<'a, Expr<'a>>>,
        first_line: u32,
        end_line: u32,
    },
    Object {
        tree: Tree<'a>,
        first_line: u32,
        end_line: u32,
    },
}

impl Expr<'_> {
    pub fn first_line(&self) -> u32 {
        match self {
            Self::Literal(token) => token.position.line,
            Self::List { first_line, .. } | Self::Object { first_line, .. } => *first_line,
        }
    }

    pub fn end_line(&self) -> u32 {
        match self {
            Self::Literal(token) => token.end_line,
            Self::List { end_line, .. } | Self::Object { end_line, .. } => *end_line,
        }
    }
}

/// Reads an HCL document.
pub(crate) fn parse(text: &str) -> Result<Tree<'_>, Error> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        peeked: None,
        depth: 0,
        stray: Vec::new(),
    };
    let tree = parser.items(None)?;
    Ok(tree)
}

impl Tree<'_> {
    /// What the document means.
    pub fn into_body(self) -> Result<Body, Error> {
        let mut items = Vec::new();
        for entry in self.entries {
            let Entry::Written(node) = entry else {
                continue;
            };
            let mut names = Vec::with_capacity(node.keys.len());
            for key in &node.keys {
                names.push(if key.kind == Kind::String {
                    string(key)?
                } else {
                    key.text.to_owned()
                });
            }
            let labels = names.split_off(1.min(names.len()));
            let (Some(key), Some(token)) = (names.pop(), node.keys.first()) else {
                continue;
            };
            items.push(Item {
                key,
                labels,
                value: value(node.value)?,
                position: token.position,
            });
        }
        Ok(Body { items })
    }
}

fn value(expr: Expr<'_>) -> Result<Value, Error> {
    Ok(match expr {
        Expr::Literal(token) => match token.kind {
            Kind::Number => Value::Number(token.text.to_owned()),
            Kind::Bool => Value::Bool(token.text == "true"),
            Kind::Heredoc => Value::String(heredoc(token.text)),
            _ => Value::String(string(&token)?),
        },
        Expr::List { entries, .. } => {
            let written = entries.into_iter().filter_map(|entry| match entry {
                Entry::Written(expr) => Some(value(expr)),
                Entry::Comment(_) => None,
            });
            Value::List(written.collect::<Result<_, _>>()?)
        }
        Expr::Object { tree, .. } => Value::Object(tree.into_body()?),
    })
}

fn string(token: &Token<'_>) -> Result<String, Error> {
    let inside = token
        .text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(token.text);
    unquote(inside).map_err(|offset| {
        let position = token
            .position
            .after(inside.get(..offset).unwrap_or_default());
        Error::new(
            position,
            "an unknown escape in a string",
            "a known one",
            r"write `\\` for a backslash",
        )
    })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    peeked: Option<Token<'a>>,
    depth: usize,
    /// Comments met since the last entry was finished.
    stray: Vec<Token<'a>>,
}

impl<'a> Parser<'a> {
    /// The items up to the closing brace of `open`, or to the end of the document.
    fn items(&mut self, open: Option<Token<'a>>) -> Result<Tree<'a>, Error> {
        let mut tree = Tree::default();
        loop {
            let token = self.peek()?;
            tree.entries
                .extend(self.stray.drain(..).map(Entry::Comment));
            match (token.kind, open) {
                (Kind::End, None) | (Kind::CloseBrace, Some(_)) => return Ok(tree),
                (Kind::End, Some(open)) => {
                    let found = format!(
                        "the document ends inside the block opened at {}",
                        open.position
                    );
                    return Err(Error::new(
                        token.position,
                        found,
                        "`}`",
                        "close the block with `}`",
                    ));
                }
                _ => {}
            }
            let node = self.item()?;
            tree.entries
                .extend(self.stray.drain(..).map(Entry::Comment));
            tree.entries.push(Entry::Written(node));
            if self.peek()?.kind == Kind::Comma {
                self.next()?;
            }
        }
    }

    fn item(&mut self) -> Result<Node<'a>, Error> {
        let mut keys = Vec::new();
        loop {
            let token = self.next()?;
            match token.kind {
                Kind::Word | Kind::String => keys.push(token),
                Kind::Assign if keys.len() == 1 => {
                    let value = self.value()?;
                    return Ok(Node {
                        keys,
                        assigned: true,
                        value,
                    });
                }
                Kind::Assign if keys.len() > 1 => {
                    let advice =
                        "write `name \"label\" { … }` for a block, `name = …` for an attribute";
                    return Err(wrong(&token, "`{` after a block's labels", advice));
                }
                Kind::OpenBrace if !keys.is_empty() => {
                    let value = self.object(token)?;
                    return Ok(Node {
                        keys,
                        assigned: false,
                        value,
                    });
                }
                Kind::CloseBrace if keys.is_empty() => {
                    return Err(wrong(
                        &token,
                        "an attribute or a block",
                        "remove this brace: no block is open",
                    ));
                }
                _ if keys.is_empty() => {
                    let advice = "start with a name, as in `name = \"value\"`; quote names that are not plain words";
                    return Err(wrong(&token, "the name of an attribute or a block", advice));
                }
                _ => {
                    let advice = "write `name = value` for an attribute or `name \"label\" { … }` for a block";
                    return Err(wrong(&token, "`=` or `{` after a name", advice));
                }
            }
        }
    }

    fn value(&mut self) -> Result<Expr<'a>, Error> {
        let token = self.next()?;
        match token.kind {
            Kind::String | Kind::Heredoc | Kind::Number | Kind::Bool => Ok(Expr::Literal(token)),
            Kind::OpenBrace => self.object(token),
            Kind::OpenBracket => self.list(token),
            Kind::Word => Err(wrong(
                &token,
                "a value",
                "put text values into double quotes",
            )),
            _ => Err(wrong(
                &token,
                "a value",
                "write a string in quotes, a number, true, false, a list or a block",
            )),
        }
    }

    fn object(&mut self, open: Token<'a>) -> Result<Expr<'a>, Error> {
        self.descend(&open)?;
        // Comments between the name and the brace belong before the item, so they wait until the block is read.
        let before = std::mem::take(&mut self.stray);
        let tree = self.items(Some(open))?;
        let close = self.next()?;
        self.stray.splice(0..0, before);
        self.depth -= 1;
        Ok(Expr::Object {
            tree,
            first_line: open.position.line,
            end_line: close.end_line,
        })
    }

    fn list(&mut self, open: Token<'a>) -> Result<Expr<'a>, Error> {
        self.descend(&open)?;
        let before = std::mem::take(&mut self.stray);
        let mut entries = Vec::new();
        let mut separated = true;
        let close = loop {
            let token = self.peek()?;
            entries.extend(self.stray.drain(..).map(Entry::Comment));
            match token.kind {
                Kind::CloseBracket => break self.next()?,
                Kind::Comma => {
                    self.next()?;
                    separated = true;
                }
                Kind::End => {
                    let found = format!(
                        "the document ends inside the list opened at {}",
                        open.position
                    );
                    return Err(Error::new(
                        token.position,
                        found,
                        "`]`",
                        "close the list with `]`",
                    ));
                }
                _ if !separated => {
                    return Err(wrong(
                        &token,
                        "`,` or `]`",
                        "separate the elements of a list by commas",
                    ));
                }
                _ => {
                    entries.push(Entry::Written(self.value()?));
                    separated = false;
                }
            }
        };
        self.stray.splice(0..0, before);
        self.depth -= 1;
        Ok(Expr::List {
            entries,
            first_line: open.position.line,
            end_line: close.end_line,
        })
    }

    /// Goes one level deeper, if that is allowed.
    fn descend(&mut self, open: &Token<'a>) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH_LEVELS {
            let expected = format!("at most {MAX_DEPTH_LEVELS} levels of blocks and lists");
            return Err(wrong(open, &expected, "flatten the document"));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Token<'a>, Error> {
        let token = self.peek()?;
        self.peeked = None;
        Ok(token)
    }

    /// The next token that is no comment; the comments before it go to `stray`.
    fn peek(&mut self) -> Result<Token<'a>, Error> {
        if let Some(token) = self.peeked {
            return Ok(token);
        }
        loop {
            let token = self.lexer.next()?;
            if token.kind == Kind::Comment {
                self.stray.push(token);
            } else {
                self.peeked = Some(token);
                return Ok(token);
            }
        }
    }
}

fn wrong(token: &Token<'_>, expected: &str, advice: &str) -> Error {
    Error::new(
        token.position,
        format!("found {}", token.kind.describe()),
        expected,
        advice,
    )
}
