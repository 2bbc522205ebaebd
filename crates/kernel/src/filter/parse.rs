//! The grammar of expressions: `or` binds least, then `and`, then `not`.

use regex::RegexBuilder;

use super::words::{Kind, Word, words};
use super::{Condition, Expression, Wrong};

/// How deeply parentheses and `not` may nest.
const DEPTH_MAX: usize = 32;
/// How many conditions an expression may have.
const CONDITIONS_MAX: usize = 128;
/// How large a compiled pattern may be, in bytes.
const PATTERN_BYTES_MAX: usize = 256 << 10;

/// Reads an expression. `field` knows the fields, or says what is wrong with a name.
pub(crate) fn parse<F>(
    text: &str,
    field: impl Fn(&str) -> Result<F, String>,
) -> Result<Expression<F>, Wrong> {
    let mut parser = Parser {
        words: words(text)?,
        at: 0,
        depth: 0,
        conditions: 0,
        field,
    };
    let expression = parser.any()?;
    match parser.take() {
        Word {
            kind: Kind::End, ..
        } => Ok(expression),
        word => Err(word.wrong("nothing more was expected here; join conditions with and, or")),
    }
}

struct Parser<P> {
    words: Vec<Word>,
    at: usize,
    depth: usize,
    conditions: usize,
    field: P,
}

impl<P> Parser<P> {
    fn any<F>(&mut self) -> Result<Expression<F>, Wrong>
    where
        P: Fn(&str) -> Result<F, String>,
    {
        let mut parts = vec![self.all()?];
        while self.is_next("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all<F>(&mut self) -> Result<Expression<F>, Wrong>
    where
        P: Fn(&str) -> Result<F, String>,
    {
        let mut parts = vec![self.part()?];
        while self.is_next("and") {
            parts.push(self.part()?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn part<F>(&mut self) -> Result<Expression<F>, Wrong>
    where
        P: Fn(&str) -> Result<F, String>,
    {
        let word = self.take();
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(word.wrong(&format!(
                "the expression nests more than {DEPTH_MAX} deep; simplify it"
            )));
        }
        let part = match &word.kind {
            Kind::Bare(bare) if bare == "not" => Expression::Not(Box::new(self.part()?)),
            Kind::Open => {
                let inner = self.any()?;
                match self.take() {
                    Word {
                        kind: Kind::Close, ..
                    } => inner,
                    other => {
                        return Err(other.wrong(&format!(
                            "the parenthesis of column {} is not closed",
                            word.column
                        )));
                    }
                }
            }
            _ => self.condition(word)?,
        };
        self.depth -= 1;
        Ok(part)
    }

    fn condition<F>(&mut self, left: Word) -> Result<Expression<F>, Wrong>
    where
        P: Fn(&str) -> Result<F, String>,
    {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            return Err(left.wrong(&format!(
                "the expression has more than {CONDITIONS_MAX} conditions; shorten it"
            )));
        }
        let left_text = left.text("a field or a value, such as mount_type == kv")?;
        let operator = self.take();
        let (negated, condition) = match operator.kind {
            Kind::Equal => (false, Condition::Is(self.value()?)),
            Kind::Unequal => (true, Condition::Is(self.value()?)),
            Kind::Bare(ref bare) => match bare.as_str() {
                "contains" => (false, Condition::Contains(self.value()?)),
                "matches" => (false, Condition::Matches(self.pattern()?)),
                "in" => return self.within(left_text, false),
                "is" => {
                    let negated = self.is_next("not");
                    self.demand("empty")?;
                    (negated, Condition::IsEmpty)
                }
                "not" => match self.take() {
                    word if word.is("contains") => (true, Condition::Contains(self.value()?)),
                    word if word.is("matches") => (true, Condition::Matches(self.pattern()?)),
                    word if word.is("in") => return self.within(left_text, true),
                    word => return Err(word.wrong("write in, contains or matches behind not")),
                },
                _ => return Err(operator.wrong(OPERATORS)),
            },
            _ => return Err(operator.wrong(OPERATORS)),
        };
        let field = self.field(&left, &left_text)?;
        Ok(negate(negated, Expression::Field(field, condition)))
    }

    /// Behind `VALUE in`.
    fn within<F>(&mut self, value: String, negated: bool) -> Result<Expression<F>, Wrong>
    where
        P: Fn(&str) -> Result<F, String>,
    {
        let word = self.take();
        let name = word.text("the name of a field")?;
        let field = self.field(&word, &name)?;
        Ok(negate(
            negated,
            Expression::Field(field, Condition::Contains(value)),
        ))
    }

    fn field<F>(&self, word: &Word, name: &str) -> Result<F, Wrong>
    where
        P: Fn(&str) -> Result<F, String>,
    {
        (self.field)(name).map_err(|what| word.wrong(&what))
    }

    fn value(&mut self) -> Result<String, Wrong> {
        self.take().text("a value")
    }

    fn pattern(&mut self) -> Result<regex::Regex, Wrong> {
        let word = self.take();
        let pattern = word.text("a pattern in quotes")?;
        let built = RegexBuilder::new(&pattern)
            .size_limit(PATTERN_BYTES_MAX)
            .build();
        built.map_err(|error| {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default();
            word.wrong(&format!(
                "the pattern can not be used: {}",
                why.trim_start_matches("error: ")
            ))
        })
    }

    fn demand(&mut self, wanted: &str) -> Result<(), Wrong> {
        match self.take() {
            word if word.is(wanted) => Ok(()),
            word => Err(word.wrong(&format!("{wanted:?} is missing here"))),
        }
    }

    fn is_next(&mut self, wanted: &str) -> bool {
        let is = self.words.get(self.at).is_some_and(|word| word.is(wanted));
        self.at += usize::from(is);
        is
    }

    /// The next word; at the end always [`Kind::End`].
    fn take(&mut self) -> Word {
        let word = self.words.get(self.at).or(self.words.last()).cloned();
        self.at += 1;
        word.unwrap_or(Word {
            column: 1,
            kind: Kind::End,
        })
    }
}

const OPERATORS: &str = "an operator is missing here: ==, !=, in, not in, contains, not contains, matches, not matches, is empty, is not empty";

impl Word {
    fn is(&self, wanted: &str) -> bool {
        matches!(&self.kind, Kind::Bare(bare) if bare == wanted)
    }

    fn text(&self, wanted: &str) -> Result<String, Wrong> {
        match &self.kind {
            Kind::Bare(text) | Kind::Quoted(text) => Ok(text.clone()),
            _ => Err(self.wrong(&format!("{wanted} is missing here"))),
        }
    }

    fn wrong(&self, what: &str) -> Wrong {
        Wrong {
            column: self.column,
            what: what.to_owned(),
        }
    }
}

fn one_or<F>(
    mut parts: Vec<Expression<F>>,
    many: fn(Vec<Expression<F>>) -> Expression<F>,
) -> Expression<F> {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn negate<F>(negated: bool, expression: Expression<F>) -> Expression<F> {
    match negated {
        true => Expression::Not(Box::new(expression)),
        false => expression,
    }
}
