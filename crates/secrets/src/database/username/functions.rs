//! What templates can call.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::sha256;
use coffer_wire::Timestamp;

use super::Facts;

/// Longest random text and longest result, in characters.
const MAX_TEXT_CHARS: usize = 4096;

/// What a template can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
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

/// What functions take.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

impl Function {
    /// The function of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
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
}

impl Value {
    /// As it appears in the name.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The result of a call.
pub(super) fn apply(
    function: Function,
    arguments: &[Value],
    facts: &Facts<'_>,
) -> Result<Value, String> {
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
