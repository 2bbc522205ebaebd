//! The words of an expression.

use super::Wrong;

/// The longest expression, in bytes.
const EXPRESSION_BYTES_MAX: usize = 4_096;

/// A word and its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub column: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Equal,
    Unequal,
    /// Letters and the like without quotes: a word of the language, a field, or a value.
    Bare(String),
    /// In quotes: a value, or a field as a JSON pointer.
    Quoted(String),
    End,
}

/// Takes an expression apart. The last word is [`Kind::End`].
pub(super) fn words(text: &str) -> Result<Vec<Word>, Wrong> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(Wrong {
            column: 1,
            what: format!("the expression is longer than {EXPRESSION_BYTES_MAX} bytes; shorten it"),
        });
    }
    let mut words = Vec::new();
    let mut rest = Rest {
        chars: text.chars().collect(),
        at: 0,
    };
    while let Some((column, first)) = rest.next() {
        let kind = match first {
            ' ' | '\t' | '\n' | '\r' => continue,
            '(' => Kind::Open,
            ')' => Kind::Close,
            '=' | '!' => rest.operator(column, first)?,
            '"' | '`' => Kind::Quoted(rest.quoted(column, first)?),
            bare if is_bare(bare) => Kind::Bare(rest.bare(bare)),
            other => {
                return Err(Wrong {
                    column,
                    what: format!("{other:?} has no meaning here; put values into quotes"),
                });
            }
        };
        words.push(Word { column, kind });
    }
    words.push(Word {
        column: rest.chars.len() + 1,
        kind: Kind::End,
    });
    Ok(words)
}

struct Rest {
    chars: Vec<char>,
    at: usize,
}

impl Rest {
    fn next(&mut self) -> Option<(usize, char)> {
        let next = self.chars.get(self.at).copied()?;
        self.at += 1;
        Some((self.at, next))
    }

    fn operator(&mut self, column: usize, first: char) -> Result<Kind, Wrong> {
        match (first, self.next()) {
            ('=', Some((_, '='))) => Ok(Kind::Equal),
            ('!', Some((_, '='))) => Ok(Kind::Unequal),
            _ => Err(Wrong {
                column,
                what: "write == or !=".to_owned(),
            }),
        }
    }

    fn bare(&mut self, first: char) -> String {
        let mut text = String::from(first);
        while let Some(next) = self.chars.get(self.at).filter(|next| is_bare(**next)) {
            text.push(*next);
            self.at += 1;
        }
        text
    }

    /// Between backquotes everything is as it is; between double quotes a backslash begins an escape.
    fn quoted(&mut self, column: usize, quote: char) -> Result<String, Wrong> {
        let mut text = String::new();
        while let Some((here, next)) = self.next() {
            match next {
                _ if next == quote => return Ok(text),
                '\\' if quote == '"' => text.push(self.escape(here)?),
                other => text.push(other),
            }
        }
        Err(Wrong {
            column,
            what: format!("the text that begins here does not end; close it with {quote}"),
        })
    }

    fn escape(&mut self, column: usize) -> Result<char, Wrong> {
        let escaped = match self.next().map(|(_, next)| next) {
            Some(next @ ('"' | '\\')) => Some(next),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('u') => {
                let digits: String = (0..4).filter_map(|_| Some(self.next()?.1)).collect();
                u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32)
            }
            _ => None,
        };
        escaped.ok_or_else(|| Wrong {
            column,
            what: "this escape is not known; write \\\\ for a backslash, or put the text into backquotes".to_owned(),
        })
    }
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || "_-./*:@+~$%".contains(c)
}
