//! How values get into SQL.
//!
//! A value that is put into SQL text must stay a value, whoever chose the display name, the role's name or the
//! password's characters. So the text is read the way PostgreSQL reads it, and each placeholder's value is quoted
//! for the place it stands in:
//!
//! | place | what is written |
//! |---|---|
//! | `"{{name}}"` | the value, `"` doubled |
//! | `'{{password}}'` | the value, `'` doubled (and `\` too in `E'…'` and `U&'…'`) |
//! | bare | as it is if it is a plain lower-case word, else quoted: names as identifiers, the rest as literals |
//! | `$$ … $$`, comments | as it is, and only if it can not end anything there; else the statement is refused |
//!
//! Each statement is read once from left to right: what a value brings in is never read for placeholders again.

use coffer_crypto::Secret;

/// What placeholders stand for. Those without a value stay as they are written.
#[derive(Default)]
pub(super) struct Values<'a> {
    /// `{{name}}` and `{{username}}`.
    pub username: &'a str,
    /// `{{password}}`.
    pub password: Option<&'a str>,
    /// `{{expiration}}`.
    pub expiration: Option<&'a str>,
}

/// The statement with the values in their places. The error is for the operator and names no value.
pub(super) fn fill(statement: &str, values: &Values<'_>) -> Result<Secret<String>, String> {
    Reader::new(statement, values).expand()
}

/// Where in SQL a reader stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Bare,
    Identifier { escapes: bool },
    Literal { escapes: bool },
    LineComment,
    BlockComment { depth: usize },
}

struct Reader<'a> {
    rest: &'a str,
    values: &'a Values<'a>,
    place: Place,
    /// The two characters before, the nearer one last: whether a quote is one of `E'` or `U&'`.
    previous: [char; 2],
    out: Secret<String>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, values: &'a Values<'a>) -> Self {
        // Room for the values, so that the text does not move and leave copies of a password behind.
        let extra = 2 * (values.username.len() + values.password.map_or(0, str::len) + 64);
        let room = text.len() + text.matches("{{").count() * extra;
        Self {
            rest: text,
            values,
            place: Place::Bare,
            previous: [' '; 2],
            out: Secret::new(String::with_capacity(room)),
        }
    }

    fn expand(mut self) -> Result<Secret<String>, String> {
        while let Some(next) = self.rest.chars().next() {
            if let Some((value, is_name, length)) = placeholder(self.rest, self.values) {
                let after = self.rest.get(length..).unwrap_or_default();
                self.insert(value, is_name, after)?;
                self.rest = after;
                self.previous = ['x'; 2];
            } else if self.place == Place::Bare && next == '$' && !self.in_word() {
                self.dollar_quoted()?;
            } else {
                self.step(next);
            }
        }
        Ok(self.out)
    }

    /// Takes one character (or a pair that belongs together) and notes where that leads.
    fn step(&mut self, next: char) {
        let pair = self.rest.get(..2).unwrap_or_default();
        let escapes = match self.previous {
            [before, 'E' | 'e'] => !is_word(before),
            ['U' | 'u', '&'] => true,
            _ => false,
        };
        let (place, length) = match (self.place, next) {
            (Place::Bare, '"') => (Place::Identifier { escapes }, 1),
            (Place::Bare, '\'') => (Place::Literal { escapes }, 1),
            (Place::Bare, _) if pair == "--" => (Place::LineComment, 2),
            (Place::Bare, _) if pair == "/*" => (Place::BlockComment { depth: 1 }, 2),
            (Place::Literal { escapes: true }, '\\') => (self.place, self.pair_length()),
            (Place::Identifier { .. }, '"') if pair == "\"\"" => (self.place, 2),
            (Place::Literal { .. }, '\'') if pair == "''" => (self.place, 2),
            (Place::Identifier { .. }, '"') | (Place::Literal { .. }, '\'') => (Place::Bare, 1),
            (Place::LineComment, '\n' | '\r') => (Place::Bare, 1),
            (Place::BlockComment { depth }, _) if pair == "/*" => {
                (Place::BlockComment { depth: depth + 1 }, 2)
            }
            (Place::BlockComment { depth: 1 }, _) if pair == "*/" => (Place::Bare, 2),
            (Place::BlockComment { depth }, _) if pair == "*/" => {
                (Place::BlockComment { depth: depth - 1 }, 2)
            }
            (place, _) => (place, next.len_utf8()),
        };
        self.place = place;
        let [_, last] = self.previous;
        self.previous = [last, next];
        self.take(length);
    }

    /// A dollar sign after these belongs to a name.
    fn in_word(&self) -> bool {
        let [_, last] = self.previous;
        is_word(last) || last == '$'
    }

    /// The bytes of this character and the one after it.
    fn pair_length(&self) -> usize {
        self.rest.chars().take(2).map(char::len_utf8).sum()
    }

    fn take(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        self.out.expose_mut().push_str(taken);
        self.rest = rest;
    }

    /// A `$tag$ … $tag$` from start to end, or just the dollar if it is none.
    fn dollar_quoted(&mut self) -> Result<(), String> {
        let inner = self.rest.get(1..).unwrap_or_default();
        let tag = inner
            .find('$')
            .and_then(|end| self.rest.get(..end + 2))
            .filter(|tag| tag.trim_matches('$').chars().all(is_word))
            .filter(|tag| {
                !tag.trim_matches('$')
                    .starts_with(|c: char| c.is_ascii_digit())
            });
        let Some(tag) = tag else {
            self.previous = [' ', '$'];
            self.take(1);
            return Ok(());
        };
        self.take(tag.len());
        let length = self.rest.find(tag).unwrap_or(self.rest.len());
        let (body, rest) = self.rest.split_at(length);
        let start = self.out.expose().len();
        self.rest = body;
        while !self.rest.is_empty() {
            match placeholder(self.rest, self.values) {
                Some((value, _, length)) => {
                    let after = self.rest.get(length..).unwrap_or_default();
                    self.insert_verbatim(value, after)?;
                    self.rest = after;
                }
                None => self.take(self.rest.chars().next().map_or(0, char::len_utf8)),
            }
        }
        // A value that ends in a dollar sign may finish the tag too early, together with what follows it.
        let filled = self.out.expose().get(start..).unwrap_or_default();
        let whole = Secret::new(format!("{filled}{tag}"));
        if whole.expose().find(tag) != Some(filled.len()) {
            return Err(refused());
        }
        self.rest = rest;
        self.take(tag.len().min(self.rest.len()));
        self.previous = [' '; 2];
        Ok(())
    }

    fn insert(&mut self, value: &str, is_name: bool, after: &str) -> Result<(), String> {
        let [_, before] = self.previous;
        // Right behind a word, quotes would mean something else (`E'…'`, `U&"…"`), so only a word may follow it.
        let joined = self.place == Place::Bare && (self.in_word() || before == '&');
        let out = &mut self.out;
        match self.place {
            Place::Identifier { escapes } => push_doubled(out, value, '"', escapes),
            Place::Literal { escapes } => push_doubled(out, value, '\'', escapes),
            Place::Bare if is_plain(value) => out.expose_mut().push_str(value),
            Place::Bare if joined => return Err(refused()),
            Place::Bare if is_name => {
                out.expose_mut().push('"');
                push_doubled(out, value, '"', false);
                out.expose_mut().push('"');
            }
            Place::Bare => {
                out.expose_mut().push('\'');
                push_doubled(out, value, '\'', false);
                out.expose_mut().push('\'');
            }
            Place::LineComment | Place::BlockComment { .. } => {
                return self.insert_verbatim(value, after);
            }
        }
        Ok(())
    }

    /// Inside code that is itself a text, nobody knows how often it will be read: only what can not end
    /// anything there goes in. Two hyphens start a comment, so they need quotes right around them.
    fn insert_verbatim(&mut self, value: &str, after: &str) -> Result<(), String> {
        let before = self.out.expose().chars().next_back();
        let quoted = matches!(
            (before, after.chars().next()),
            (Some('"'), Some('"')) | (Some('\''), Some('\''))
        );
        let harmless = |c: char| match c {
            '\'' | '"' | '\\' => false,
            c if quoted => !c.is_control() && c != '*',
            c => is_word(c) || "-.@+: ".contains(c),
        };
        if !value.chars().all(harmless) || !quoted && value.contains("--") {
            return Err(refused());
        }
        self.out.expose_mut().push_str(value);
        Ok(())
    }
}

/// The placeholder at the start of `text`: its value, whether it is a name, and its length in bytes.
fn placeholder<'v>(text: &str, values: &'v Values<'_>) -> Option<(&'v str, bool, usize)> {
    let inner = text.strip_prefix("{{")?;
    let end = inner.find("}}").filter(|&end| end <= 16)?;
    let (value, is_name) = match inner.get(..end)?.trim() {
        "name" | "username" => (Some(values.username), true),
        "password" => (values.password, false),
        "expiration" => (values.expiration, false),
        _ => (None, false),
    };
    Some((value?, is_name, end + 4))
}

fn push_doubled(out: &mut Secret<String>, value: &str, quote: char, escapes: bool) {
    for c in value.chars() {
        if c == quote || escapes && c == '\\' {
            out.expose_mut().push(c);
        }
        out.expose_mut().push(c);
    }
}

/// Whether it belongs to a word; to PostgreSQL everything beyond ASCII does.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

/// Whether it is one word to PostgreSQL, the same with and without quotes.
fn is_plain(value: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && value.starts_with(|c: char| !c.is_ascii_digit())
}

fn refused() -> String {
    "a value has characters that can not be put safely into a comment or a $$-quoted block; \
     write the placeholder in quotes, or choose a username_template or password policy without such characters"
        .into()
}

/// `value` as an SQL identifier.
pub(super) fn identifier(value: &str) -> String {
    let mut out = Secret::new(String::from("\""));
    push_doubled(&mut out, value, '"', false);
    format!("{}\"", out.expose())
}

/// `value` as an SQL literal, whatever `standard_conforming_strings` says.
pub(super) fn literal(value: &str) -> Secret<String> {
    let mut out = Secret::new(String::with_capacity(2 * value.len() + 4));
    out.expose_mut().push_str("E'");
    push_doubled(&mut out, value, '\'', true);
    out.expose_mut().push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVIL: &str = r#"x"; DROP TABLE t; --'\$$ {{password}}"#;

    fn one(statement: &str, username: &str) -> Result<String, String> {
        let values = Values {
            username,
            password: Some("pw-1"),
            expiration: Some("2027-01-01 00:00:00+0000"),
        };
        Ok(fill(statement, &values)?.expose().clone())
    }

    #[test]
    fn fills_the_usual_statement() {
        let written = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; GRANT a TO \"{{username}}\";";
        assert_eq!(
            one(written, "v-a").unwrap(),
            "CREATE ROLE \"v-a\" LOGIN PASSWORD 'pw-1' VALID UNTIL '2027-01-01 00:00:00+0000'; GRANT a TO \"v-a\";"
        );
        assert_eq!(
            one("SELECT '{{other}}'", "a").unwrap(),
            "SELECT '{{other}}'"
        );
    }

    #[test]
    fn values_stay_values_wherever_they_stand() {
        for (written, expected) in [
            (
                "\"{{name}}\"",
                r#""x""; DROP TABLE t; --'\$$ {{password}}""#,
            ),
            ("'{{name}}'", r#"'x"; DROP TABLE t; --''\$$ {{password}}'"#),
            (
                "E'{{name}}'",
                r#"E'x"; DROP TABLE t; --''\\$$ {{password}}'"#,
            ),
            (
                "E'a\\'{{name}}'",
                r#"E'a\'x"; DROP TABLE t; --''\\$$ {{password}}'"#,
            ),
            ("{{name}}", r#""x""; DROP TABLE t; --'\$$ {{password}}""#),
            (
                "'it''s' \"{{name}}\"",
                r#"'it''s' "x""; DROP TABLE t; --'\$$ {{password}}""#,
            ),
            (
                "E'a''\\'{{name}}'",
                r#"E'a''\'x"; DROP TABLE t; --''\\$$ {{password}}'"#,
            ),
            (
                "LIKE'\\' || '{{name}}'",
                r#"LIKE'\' || 'x"; DROP TABLE t; --''\$$ {{password}}'"#,
            ),
            (
                "/* ' */ '{{name}}'",
                r#"/* ' */ 'x"; DROP TABLE t; --''\$$ {{password}}'"#,
            ),
            (
                "-- it's\n'{{name}}'",
                "-- it's\n'x\"; DROP TABLE t; --''\\$$ {{password}}'",
            ),
        ] {
            assert_eq!(one(written, EVIL).unwrap(), expected, "{written}");
        }
        for written in [
            "DO $$ BEGIN EXECUTE '{{name}}'; END $$",
            "-- {{name}}",
            "/* {{name}} */",
            "DO $b$ \"{{name}}\" $b$",
        ] {
            assert!(one(written, EVIL).is_err(), "{written}");
        }
    }

    #[test]
    fn bare_names_are_quoted_when_they_must_be() {
        assert_eq!(
            one("DROP ROLE {{name}}", "app_1").unwrap(),
            "DROP ROLE app_1"
        );
        assert_eq!(
            one("DROP ROLE {{name}}", "v-a").unwrap(),
            "DROP ROLE \"v-a\""
        );
        assert_eq!(
            one("PASSWORD {{password}}", "a").unwrap(),
            "PASSWORD 'pw-1'"
        );
    }

    #[test]
    fn do_blocks_survive_and_take_harmless_values() {
        let written = "DO $$ BEGIN; EXECUTE 'CREATE ROLE \"{{name}}\"'; x := '{{password}}'; END $$; SELECT 1";
        assert_eq!(
            one(written, "v-oidc-jo--app").unwrap(),
            "DO $$ BEGIN; EXECUTE 'CREATE ROLE \"v-oidc-jo--app\"'; x := 'pw-1'; END $$; SELECT 1"
        );
        assert!(one("SET ROLE x{{name}}", "a").is_ok());
        assert!(one("PASSWORD E{{name}}", "\\'").is_err());
        assert!(one("DO $$ DROP ROLE {{name}} $$", "a--b").is_err());
        assert!(one("DO $$ x := '{{name}}' $$", "a$").is_ok());
        assert!(one("DO $$ x := '{{name}}' $$", "a$$").is_err());
        assert!(one("DO $$ x := {{name}}$$", "a").is_ok());
        assert!(one("DO $$ x := {{name}}$$", "a$").is_err());
        assert_eq!(one("SELECT $1, a$b", "x").unwrap(), "SELECT $1, a$b");
    }

    #[test]
    fn own_quoting() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("a'b\\c").expose(), "E'a''b\\\\c'");
    }
}
