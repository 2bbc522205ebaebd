//! The template language for user names: the part of Go's templates that such templates use.
//!
//! `{{ … }}` holds a pipeline: `.DisplayName | truncate 8 | lowercase`, `printf "v-%s" (.RoleName | truncate 8)`.
//! What comes out is a name and nothing else: it is never read as a template again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::{Random, sha256};
use coffer_wire::Timestamp;

/// What user names look like where the configuration says nothing.
pub(super) const DEFAULT: &str = r#"{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}"#;

/// Longest template, in bytes.
const MAX_TEMPLATE_BYTES: usize = 4096;
/// Deepest nesting of parentheses, in levels.
const MAX_DEPTH_LEVELS: usize = 16;
/// Longest random text and longest result, in characters.
const MAX_TEXT_CHARS: usize = 4096;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Random,
    Truncate,
    TruncateSha256,
    Uppercase,
    Lowercase,
    Replace,
    Sha256,
    Base64,
    UnixTime,
    UnixTimeMillis,
    Timestamp,
    Uuid,
    Printf,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Number(i64),
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
            name => function(name)
                .map(Operand::Function)
                .ok_or_else(|| format!("function {name:?} not defined")),
        }
    }
}

fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '-'));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

fn function(name: &str) -> Option<Function> {
    Some(match name {
        "random" => Function::Random,
        "truncate" => Function::Truncate,
        "truncate_sha256" => Function::TruncateSha256,
        "uppercase" => Function::Uppercase,
        "lowercase" => Function::Lowercase,
        "replace" => Function::Replace,
        "sha256" => Function::Sha256,
        "base64" => Function::Base64,
        "unix_time" => Function::UnixTime,
        "unix_time_millis" => Function::UnixTimeMillis,
        "timestamp" => Function::Timestamp,
        "uuid" => Function::Uuid,
        "printf" => Function::Printf,
        _ => return None,
    })
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
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

fn apply(function: Function, arguments: &[Value], facts: &Facts<'_>) -> Result<Value, String> {
    use Value::{Number, Text};
    let text = match (function, arguments) {
        (Function::Random, [Number(count)]) => facts.random.base62(length("random", *count)?),
        (Function::Truncate, [Number(count), Text(text)]) => {
            text.chars().take(length("truncate", *count)?).collect()
        }
        (Function::TruncateSha256, [Number(count), Text(text)]) => {
            shortened(text, length("truncate_sha256", *count)?)?
        }
        (Function::Uppercase, [Text(text)]) => text.to_uppercase(),
        (Function::Lowercase, [Text(text)]) => text.to_lowercase(),
        (Function::Replace, [Text(old), Text(new), Text(text)]) => {
            let grown = text.len() + text.len().saturating_add(1).saturating_mul(new.len());
            if grown > MAX_TEXT_CHARS * 4 {
                return Err("replace would make a text that is too long".into());
            }
            text.replace(old, new)
        }
        (Function::Sha256, [Text(text)]) => hex::encode(sha256(text.as_bytes())),
        (Function::Base64, [Text(text)]) => STANDARD.encode(text),
        (Function::UnixTime, []) => facts.now.secs().to_string(),
        (Function::UnixTimeMillis, []) => facts.now.millis().to_string(),
        (Function::Timestamp, [Text(layout)]) => dated(facts.now, layout)?,
        (Function::Uuid, []) => facts.random.uuid_v4(),
        (Function::Printf, [Text(format), rest @ ..]) => printed(format, rest)?,
        (function, arguments) => {
            return Err(format!(
                "wrong number or kind of arguments for {function:?} ({} given)",
                arguments.len()
            ));
        }
    };
    match text.chars().count() {
        count if count > MAX_TEXT_CHARS => Err(format!(
            "a text of more than {MAX_TEXT_CHARS} characters arose"
        )),
        _ => Ok(Text(text)),
    }
}

fn length(function: &str, count: i64) -> Result<usize, String> {
    usize::try_from(count)
        .ok()
        .filter(|count| (1..=MAX_TEXT_CHARS).contains(count))
        .ok_or_else(|| {
            format!("{function}: length must be > 0 and at most {MAX_TEXT_CHARS}, not {count}")
        })
}

/// The text itself if it is short enough, else its start and eight digits of its hash.
fn shortened(text: &str, count: usize) -> Result<String, String> {
    let kept = count
        .checked_sub(8)
        .filter(|kept| *kept > 0)
        .ok_or("truncate_sha256: length must be over 8")?;
    if text.chars().count() <= count {
        return Ok(text.to_owned());
    }
    let hash = hex::encode(sha256(text.as_bytes()));
    let start: String = text.chars().take(kept).collect();
    Ok(format!("{start}{}", hash.get(..8).unwrap_or_default()))
}

/// Go's `Sprintf` for `%s`, `%v`, `%d`, `%q`, `%x` with an optional width.
fn printed(format: &str, arguments: &[Value]) -> Result<String, String> {
    let (mut out, mut arguments) = (String::new(), arguments.iter());
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut width = String::new();
        while let Some(digit) = chars.next_if(|c| c.is_ascii_digit() || *c == '-') {
            width.push(digit);
        }
        let verb = chars.next().ok_or("printf: the format ends in %")?;
        if verb == '%' {
            out.push('%');
            continue;
        }
        let argument = arguments
            .next()
            .ok_or("printf: too few arguments for the format")?;
        let text = match (verb, argument) {
            ('s', Value::Text(text)) | ('v', Value::Text(text)) => text.clone(),
            ('d' | 'v', Value::Number(number)) => number.to_string(),
            ('q', Value::Text(text)) => format!("{text:?}"),
            ('x', Value::Text(text)) => hex::encode(text),
            ('x', Value::Number(number)) => format!("{number:x}"),
            (verb, _) => return Err(format!("printf: %{verb} does not fit its argument")),
        };
        out.push_str(&padded(text, &width)?);
    }
    match arguments.next() {
        Some(_) => Err("printf: more arguments than the format has places".into()),
        None => Ok(out),
    }
}

fn padded(text: String, width: &str) -> Result<String, String> {
    let left = width.starts_with('-');
    let count: usize = match width.trim_start_matches('-') {
        "" => return Ok(text),
        digits => digits.parse().unwrap_or(usize::MAX),
    };
    match (count <= MAX_TEXT_CHARS, left) {
        (false, _) => Err("printf: the width is too large".into()),
        (true, true) => Ok(format!("{text:<count$}")),
        (true, false) => Ok(format!("{text:>count$}")),
    }
}

/// The time by Go's layout, which is written as the moment 2006-01-02 15:04:05 would look.
fn dated(now: Timestamp, layout: &str) -> Result<String, String> {
    const FORMS: [(&str, &str); 19] = [
        ("January", "%B"),
        ("Monday", "%A"),
        ("Jan", "%b"),
        ("Mon", "%a"),
        ("MST", "UTC"),
        ("2006", "%Y"),
        ("Z07:00", "Z"),
        ("-07:00", "+00:00"),
        ("-0700", "+0000"),
        (".000000", ".%6f"),
        (".000", ".%3f"),
        ("01", "%m"),
        ("02", "%d"),
        ("03", "%I"),
        ("04", "%M"),
        ("05", "%S"),
        ("06", "%y"),
        ("15", "%H"),
        ("PM", "%p"),
    ];
    let (mut format, mut rest) = (String::new(), layout);
    while let Some(c) = rest.chars().next() {
        let form = FORMS.iter().find(|(go, _)| rest.starts_with(go));
        let (written, length) = match form {
            Some((go, ours)) => ((*ours).to_owned(), go.len()),
            None if c == '%' => ("%%".to_owned(), 1),
            None => (c.to_string(), c.len_utf8()),
        };
        format.push_str(&written);
        rest = rest.get(length..).unwrap_or_default();
    }
    let time = jiff::Timestamp::from_nanosecond(i128::from(now.nanos()));
    let time = time.map_err(|_| "timestamp: the time is out of range")?;
    Ok(time.strftime(&format).to_string())
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
