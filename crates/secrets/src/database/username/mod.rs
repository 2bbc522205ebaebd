//! The template language for user names: the part of Go's templates that such templates use.
//!
//! `{{ … }}` holds a pipeline: `.DisplayName | truncate 8 | lowercase`, `printf "v-%s" (.RoleName | truncate 8)`.
//! What comes out is a name and nothing else: it is never read as a template again.

mod functions;

use coffer_crypto::Random;
use coffer_wire::Timestamp;

use functions::{Function, Value, apply};

/// What user names look like where the configuration says nothing.
pub(super) const DEFAULT: &str = r#"{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}"#;

/// Longest template, in bytes.
const MAX_TEMPLATE_BYTES: usize = 4096;
/// Deepest nesting of parentheses, in levels.
const MAX_DEPTH_LEVELS: usize = 16;

/// A template that was understood.
#[derive(Debug)]
pub(super) struct UsernameTemplate(Vec<Part>);

/// What a template can speak of.
pub(super) struct Facts<'a> {
    /// Whom the asking token speaks for, for example `token-ci`.
    pub display_name: &'a str,
    /// The role that is asked for.
    pub role_name: &'a str,
    /// Now.
    pub now: Timestamp,
    /// Where randomness comes from.
    pub random: &'a Random,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Action(Pipeline),
}

/// Calls from left to right; each gets the result of the one before as its last argument.
type Pipeline = Vec<Call>;

#[derive(Debug)]
struct Call {
    operand: Operand,
    arguments: Vec<Operand>,
}

#[derive(Debug)]
enum Operand {
    Text(String),
    Number(i64),
    DisplayName,
    RoleName,
    Function(Function),
    Group(Pipeline),
}

impl UsernameTemplate {
    /// Reads a template and tries it once, so that faults show when it is configured.
    pub(super) fn parse(template: &str) -> Result<Self, String> {
        if template.len() > MAX_TEMPLATE_BYTES {
            return Err(format!("it is longer than {MAX_TEMPLATE_BYTES} bytes"));
        }
        let parsed = Self(parts(template)?);
        parsed.render(&Facts {
            display_name: "display",
            role_name: "role",
            now: Timestamp::EPOCH,
            random: &Random::system(),
        })?;
        Ok(parsed)
    }

    /// The name that it makes of these facts.
    pub(super) fn render(&self, facts: &Facts<'_>) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Action(pipeline) => out.push_str(&run(pipeline, facts)?.text()),
            }
        }
        Ok(out)
    }
}

/// Refuses names that no database has a use for and no text can carry safely.
pub(super) fn check(username: &str, max_bytes: usize) -> Result<(), String> {
    match username {
        "" => Err("the user name is empty".into()),
        name if name.len() > max_bytes => Err(format!(
            "the user name has {} bytes; at most {max_bytes} are allowed",
            name.len()
        )),
        name if name.chars().any(char::is_control) => {
            Err("the user name holds a control character".into())
        }
        _ => Ok(()),
    }
}

fn parts(template: &str) -> Result<Vec<Part>, String> {
    let (mut parts, mut rest, mut trim) = (Vec::new(), template, false);
    while let Some(start) = rest.find("{{") {
        let (before, after) = rest.split_at(start);
        let inner = after.get(2..).unwrap_or_default();
        let trims_before = inner.starts_with("- ");
        let mut tokens = Tokens {
            rest: inner
                .strip_prefix('-')
                .filter(|_| trims_before)
                .unwrap_or(inner),
        };
        let mut text = if trim { before.trim_start() } else { before };
        if trims_before {
            text = text.trim_end();
        }
        parts.push(Part::Text(text.to_owned()));
        if !tokens.skip_comment()? {
            parts.push(Part::Action(tokens.pipeline(0)?));
        }
        (trim, rest) = tokens.close()?;
    }
    let text = if trim { rest.trim_start() } else { rest };
    parts.push(Part::Text(text.to_owned()));
    Ok(parts)
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    fn skip_comment(&mut self) -> Result<bool, String> {
        let Some(comment) = self.rest.trim_start().strip_prefix("/*") else {
            return Ok(false);
        };
        let end = comment.find("*/").ok_or("unclosed comment")?;
        self.rest = comment.get(end + 2..).unwrap_or_default();
        Ok(true)
    }

    /// The end of the action: whether blanks after it go, and what follows.
    fn close(&mut self) -> Result<(bool, &'a str), String> {
        let rest = self.rest.trim_start();
        if let Some(after) = rest
            .strip_prefix("-}}")
            .filter(|_| rest.len() < self.rest.len())
        {
            return Ok((true, after));
        }
        match rest.strip_prefix("}}") {
            Some(after) => Ok((false, after)),
            None if rest.is_empty() => Err("unclosed action; end it with }}".into()),
            None => Err(format!("unexpected {:?} in an action", first_word(rest))),
        }
    }

    fn at_end(&self) -> bool {
        let rest = self.rest.trim_start();
        rest.is_empty()
            || rest.starts_with("}}")
            || rest.starts_with("-}}")
            || rest.starts_with([')', '|'])
    }

    fn pipeline(&mut self, depth: usize) -> Result<Pipeline, String> {
        if depth > MAX_DEPTH_LEVELS {
            return Err(format!("more than {MAX_DEPTH_LEVELS} nested parentheses"));
        }
        let mut calls = Vec::new();
        loop {
            if self.at_end() {
                return Err("a value or a function is missing".into());
            }
            let operand = self.operand(depth)?;
            let mut arguments = Vec::new();
            while !self.at_end() {
                arguments.push(self.operand(depth)?);
            }
            let takes_input = !arguments.is_empty() || !calls.is_empty();
            if takes_input && !matches!(operand, Operand::Function(_)) {
                return Err("only functions take arguments or stand after a |".into());
            }
            calls.push(Call { operand, arguments });
            match self.rest.trim_start().strip_prefix('|') {
                Some(rest) => self.rest = rest,
                None => return Ok(calls),
            }
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Operand, String> {
        let rest = self.rest.trim_start();
        if let Some(inner) = rest.strip_prefix('(') {
            self.rest = inner;
            let group = self.pipeline(depth + 1)?;
            self.rest = self
                .rest
                .trim_start()
                .strip_prefix(')')
                .ok_or("unclosed parenthesis")?;
            return Ok(Operand::Group(group));
        }
        if let Some(inner) = rest.strip_prefix('`') {
            let (text, rest) = inner.split_once('`').ok_or("unclosed ` text")?;
            self.rest = rest;
            return Ok(Operand::Text(text.to_owned()));
        }
        if rest.starts_with('"') {
            let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let text = texts.next().and_then(Result::ok);
            let text = text.ok_or("a text in quotes is not closed or has an unknown escape")?;
            self.rest = rest.get(texts.byte_offset()..).unwrap_or_default();
            return Ok(Operand::Text(text));
        }
        let word = first_word(rest);
        self.rest = rest.get(word.len()..).unwrap_or_default();
        match word {
            ".DisplayName" => Ok(Operand::DisplayName),
            ".RoleName" => Ok(Operand::RoleName),
            "" => Err(format!(
                "unexpected {:?}",
                rest.chars().next().unwrap_or(' ')
            )),
            field if field.starts_with('.') => Err(format!(
                "there is no field {field}; known are .DisplayName and .RoleName"
            )),
            number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-') => number
                .parse()
                .map(Operand::Number)
                .map_err(|_| format!("{number:?} is not a number")),
            name => Function::named(name)
                .map(Operand::Function)
                .ok_or_else(|| format!("function {name:?} not defined")),
        }
    }
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '-'));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn run(pipeline: &Pipeline, facts: &Facts<'_>) -> Result<Value, String> {
    let mut carried: Option<Value> = None;
    for call in pipeline {
        let mut arguments = call
            .arguments
            .iter()
            .map(|operand| value(operand, facts))
            .collect::<Result<Vec<_>, _>>()?;
        arguments.extend(carried.take());
        carried = Some(match &call.operand {
            Operand::Function(function) => apply(*function, &arguments, facts)?,
            other => value(other, facts)?,
        });
    }
    carried.ok_or_else(|| "empty action".into())
}

fn value(operand: &Operand, facts: &Facts<'_>) -> Result<Value, String> {
    Ok(match operand {
        Operand::Text(text) => Value::Text(text.clone()),
        Operand::Number(number) => Value::Number(*number),
        Operand::DisplayName => Value::Text(facts.display_name.to_owned()),
        Operand::RoleName => Value::Text(facts.role_name.to_owned()),
        Operand::Function(function) => apply(*function, &[], facts)?,
        Operand::Group(pipeline) => run(pipeline, facts)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(template: &str) -> Result<String, String> {
        let random = Random::seeded_for_tests(1);
        UsernameTemplate::parse(template)?.render(&Facts {
            display_name: "token-ci",
            role_name: "tt-aa",
            now: Timestamp::from_nanos(1_795_474_934_618_000_000),
            random: &random,
        })
    }

    #[test]
    fn the_default_looks_like_the_reference() {
        let name = render(DEFAULT).unwrap();
        let parts: Vec<&str> = name.rsplitn(3, '-').collect();
        assert_eq!(parts[0], "1795474934");
        assert_eq!(parts[1].len(), 20);
        assert_eq!(parts[2], "v-token-ci-tt-aa");
    }

    /// The results are those of the reference server.
    #[test]
    fn functions_answer_as_the_reference() {
        for (template, name) in [
            ("{{.DisplayName}}", "token-ci"),
            ("{{.RoleName|uppercase}}", "TT-AA"),
            (
                "{{.RoleName|sha256}}",
                "f439f7d9131ac712a22c78a6fd15159ead9424ffd79819dbf473b039c79afe87",
            ),
            ("{{.RoleName|base64}}", "dHQtYWE="),
            (
                "{{timestamp \"2006-01-02T15:04:05Z\"}}",
                "2026-11-23T23:02:14Z",
            ),
            ("{{unix_time_millis}}", "1795474934618"),
            ("{{.RoleName|replace \"a\" \"b\"}}", "tt-bb"),
            ("x{{- .RoleName -}}  y", "xtt-aay"),
            ("{{truncate 3 .RoleName}}", "tt-"),
            ("{{/* c */}}a", "a"),
            (
                "{{ printf \"%v-%5s-%x\" .RoleName \"a\" \"b\" }}",
                "tt-aa-    a-62",
            ),
            ("{{\"lit\"}}{{`raw`}}{{ printf \"%d\" 5 }}", "litraw5"),
            ("{{ .RoleName | truncate_sha256 12 }}", "tt-aa"),
            ("", ""),
        ] {
            assert_eq!(render(template).unwrap(), name, "{template}");
        }
        assert_eq!(render("{{ random 6 | lowercase }}").unwrap().len(), 6);
        assert_eq!(render("{{ uuid }}").unwrap().len(), 36);
        assert_eq!(
            render("{{ .RoleName | printf \"%s%s\" .RoleName | truncate_sha256 9 }}")
                .unwrap()
                .len(),
            9
        );
    }

    #[test]
    fn faults_are_found_when_it_is_read() {
        for template in [
            "{{.Nope",
            "{{.Nope}}",
            "{{nofunc}}",
            "{{}}",
            "{{truncate 0 .RoleName}}",
            "{{random 0}}",
            "{{random 99999999}}",
            "{{.RoleName | truncate \"x\"}}",
            "{{ printf \"%s\" }}",
            "{{ \"open }}",
            "{{ (.RoleName }}",
            "{{ .RoleName ) }}",
            "{{ .RoleName .RoleName }}",
            "{{ | lowercase }}",
            "{{ printf \"%999999s\" .RoleName }}",
            "{{if true}}a{{end}}",
        ] {
            assert!(UsernameTemplate::parse(template).is_err(), "{template}");
        }
        let deep = format!(
            "{{{{ {}.RoleName{} }}}}",
            "(".repeat(1000),
            ")".repeat(1000)
        );
        assert!(UsernameTemplate::parse(&deep).is_err());
    }

    #[test]
    fn names_are_checked() {
        assert!(check("a\0b", 63).is_err());
        assert!(check(&"a".repeat(64), 63).is_err());
        assert!(check("", 63).is_err());
        assert!(check("v-a", 63).is_ok());
    }

    #[test]
    fn what_comes_out_is_not_read_again() {
        let random = Random::seeded_for_tests(1);
        let template = UsernameTemplate::parse("{{.DisplayName}}").unwrap();
        let facts = Facts {
            display_name: "{{random 5}}{{password}}",
            role_name: "r",
            now: Timestamp::EPOCH,
            random: &random,
        };
        assert_eq!(template.render(&facts).unwrap(), facts.display_name);
    }
}
