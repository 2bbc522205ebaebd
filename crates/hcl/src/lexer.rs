use crate::text::escape;
use crate::{Error, Position};

/// A piece of a document, comments included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub kind: Kind,
    /// As it was written, quotes and markers included.
    pub text: &'a str,
    pub position: Position,
    /// The line on which the token ends.
    pub end_line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    String,
    Heredoc,
    Number,
    Bool,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    Comma,
    Assign,
    Comment,
    End,
}

impl Kind {
    /// What it is, for messages. Never the text itself: it may be a secret somebody forgot to quote.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Word => "an unquoted word",
            Self::String => "a string",
            Self::Heredoc => "a heredoc",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::OpenBrace => "`{`",
            Self::CloseBrace => "`}`",
            Self::OpenBracket => "`[`",
            Self::CloseBracket => "`]`",
            Self::Comma => "`,`",
            Self::Assign => "`=`",
            Self::Comment => "a comment",
            Self::End => "the end of the document",
        }
    }
}

/// Cuts a document into tokens.
pub(crate) struct Lexer<'a> {
    rest: &'a str,
    position: Position,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            position: Position::START,
        }
    }

    /// The next token; at the end of the document `Kind::End`, again and again.
    pub fn next(&mut self) -> Result<Token<'a>, Error> {
        let blank = self.rest.len() - self.rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.advance(blank);
        let (kind, length) = self.measure()?;
        let position = self.position;
        let text = self.advance(length);
        Ok(Token {
            kind,
            text,
            position,
            end_line: self.position.line,
        })
    }

    /// Kind and length in bytes of the token that starts here.
    fn measure(&self) -> Result<(Kind, usize), Error> {
        let Some(first) = self.rest.chars().next() else {
            return Ok((Kind::End, 0));
        };
        Ok(match first {
            '{' => (Kind::OpenBrace, 1),
            '}' => (Kind::CloseBrace, 1),
            '[' => (Kind::OpenBracket, 1),
            ']' => (Kind::CloseBracket, 1),
            ',' => (Kind::Comma, 1),
            '=' => (Kind::Assign, 1),
            '#' | '/' => (Kind::Comment, self.comment()?),
            '"' => (Kind::String, self.string()?),
            '<' => (Kind::Heredoc, self.heredoc()?),
            '0'..='9' | '-' | '.' => (Kind::Number, self.number()?),
            letter if starts_word(letter) => self.word(),
            _ => {
                return Err(self.wrong(
                    0,
                    "a character that has no meaning here",
                    "a name, a value, `{`, `}`, `[`, `]`, `=` or `,`",
                    "remove it, or put the text into double quotes",
                ));
            }
        })
    }

    fn comment(&self) -> Result<usize, Error> {
        let line = self.rest.find('\n').unwrap_or(self.rest.len());
        let line = self
            .rest
            .get(..line)
            .unwrap_or_default()
            .trim_end_matches('\r')
            .len();
        if self.rest.starts_with('#') || self.rest.starts_with("//") {
            return Ok(line);
        }
        let Some(inside) = self.rest.strip_prefix("/*") else {
            return Err(self.wrong(
                0,
                "a lone `/`",
                "a comment",
                "write `//` or `#` before a comment",
            ));
        };
        inside.find("*/").map(|end| end + 4).ok_or_else(|| {
            self.wrong(
                0,
                "a comment without an end",
                "`*/` after the comment",
                "close it with `*/`, or use `#`",
            )
        })
    }

    fn string(&self) -> Result<usize, Error> {
        let mut braces = 0_usize;
        let mut chars = self.rest.char_indices().skip(1).peekable();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' if braces == 0 => return Ok(offset + 1),
                '\n' if braces == 0 => break,
                '$' if braces == 0 && chars.next_if(|(_, next)| *next == '{').is_some() => {
                    braces = 1
                }
                '{' if braces > 0 => braces += 1,
                '}' if braces > 0 => braces -= 1,
                '\\' => {
                    let rest = self.rest.get(offset + 1..).unwrap_or_default();
                    let Some((_, length)) = escape(rest) else {
                        return Err(self.wrong(
                            offset,
                            "an unknown escape in a string",
                            r#"one of \n \r \t \a \b \f \v \\ \" \101 \x41 \u00e9 \U0001F600"#,
                            r"write `\\` for a backslash",
                        ));
                    };
                    for _ in 0..length {
                        chars.next();
                    }
                }
                _ => {}
            }
        }
        let (found, advice) = match braces {
            0 => (
                "a string without an end",
                "close it on the same line, or use a heredoc (<<EOF) for several lines",
            ),
            _ => (
                "a `${` without its `}` in a string",
                "close the interpolation with `}` and the string with `\"`",
            ),
        };
        Err(self.wrong(0, found, "a closing `\"`", advice))
    }

    fn heredoc(&self) -> Result<usize, Error> {
        let wrong = |found: &str, advice: &str| {
            self.wrong(0, found, "`<<MARKER`, lines, and MARKER on its own", advice)
        };
        let (opening, _) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        let Some(marker) = opening.strip_prefix("<<") else {
            return Err(wrong(
                "a lone `<`",
                "write `<<EOF` to start a heredoc, or quote the text",
            ));
        };
        let marker = marker.strip_prefix('-').unwrap_or(marker);
        let marker = marker.strip_suffix('\r').unwrap_or(marker);
        if marker.is_empty() || !marker.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err(wrong(
                "a heredoc without a proper marker",
                "use letters and digits only, then a new line",
            ));
        }
        let mut offset = opening.len() + 1;
        for line in self
            .rest
            .get(offset..)
            .unwrap_or_default()
            .split_inclusive('\n')
        {
            let bare = line.strip_suffix('\n').unwrap_or(line);
            if bare.trim_end_matches('\r').trim_start() == marker {
                return Ok(offset + bare.trim_end_matches('\r').len());
            }
            offset += line.len();
        }
        Err(wrong(
            "a heredoc without an end",
            "put its marker alone on a line after the text",
        ))
    }

    fn number(&self) -> Result<usize, Error> {
        let unsigned = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let is_hexadecimal = unsigned.starts_with("0x") || unsigned.starts_with("0X");
        let length = if is_hexadecimal {
            self.hexadecimal()
        } else {
            self.decimal()
        };
        let runs_on = |end: &usize| {
            self.rest
                .get(*end..)
                .is_some_and(|rest| rest.starts_with(continues_word))
        };
        length.filter(|end| !runs_on(end)).ok_or_else(|| {
            self.wrong(
                0,
                "a number that cannot be read",
                "a decimal, hexadecimal (0x1F), octal (0755) or fractional number",
                "correct it, or put it into double quotes, as in \"1h\"",
            )
        })
    }

    /// Length of `-0x1F`.
    fn hexadecimal(&self) -> Option<usize> {
        let start = usize::from(self.rest.starts_with('-')) + 2;
        let digits = self.run(start, |c| c.is_ascii_hexdigit());
        (digits > 0).then_some(start + digits)
    }

    /// Length of `-1`, `0755`, `.5`, `1.5e-3`.
    fn decimal(&self) -> Option<usize> {
        let byte = |at: usize| self.rest.as_bytes().get(at).copied();
        let digits = |from: usize| self.run(from, |c| c.is_ascii_digit());
        let start = usize::from(byte(0) == Some(b'-'));
        let whole = digits(start);
        let mut end = start + whole;
        let is_whole = !matches!(byte(end), Some(b'.' | b'e' | b'E'));
        let mut fraction = 0;
        if byte(end) == Some(b'.') {
            fraction = digits(end + 1);
            end += 1 + fraction;
        }
        if matches!(byte(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(byte(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent == 0 {
                return None;
            }
            end += 1 + sign + exponent;
        }
        // A leading zero means octal, as in `socket_mode = 0660`.
        let is_octal = is_whole && whole > 1 && byte(start) == Some(b'0');
        let is_readable = !is_octal || self.rest.get(start..end)?.bytes().all(|b| b < b'8');
        (whole + fraction > 0 && is_readable).then_some(end)
    }

    /// How many bytes from an offset on are such characters.
    fn run(&self, from: usize, is_part: impl Fn(char) -> bool) -> usize {
        let rest = self.rest.get(from..).unwrap_or_default();
        rest.len() - rest.trim_start_matches(is_part).len()
    }

    fn word(&self) -> (Kind, usize) {
        let length = self.rest.len() - self.rest.trim_start_matches(continues_word).len();
        match self.rest.get(..length) {
            Some("true" | "false") => (Kind::Bool, length),
            _ => (Kind::Word, length),
        }
    }

    fn advance(&mut self, length: usize) -> &'a str {
        let (text, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, ""));
        self.position = self.position.after(text);
        self.rest = rest;
        text
    }

    fn wrong(&self, offset: usize, found: &str, expected: &str, advice: &str) -> Error {
        let position = self
            .position
            .after(self.rest.get(..offset).unwrap_or_default());
        Error::new(position, found, expected, advice)
    }
}

fn starts_word(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn continues_word(c: char) -> bool {
    starts_word(c) || c.is_numeric() || matches!(c, '-' | '.')
}
