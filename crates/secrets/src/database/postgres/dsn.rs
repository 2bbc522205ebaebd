//! Connection strings: `postgresql://…` and `key=value …`, with `{{username}}` and `{{password}}` in them.
//!
//! A string is taken apart *before* its placeholders are filled, so no character of a name or password can change
//! its meaning.

use coffer_crypto::Secret;

use crate::database::connection::Settings;

/// Parameters in the order they were written.
pub(super) type Pairs = Vec<(String, Secret<String>)>;

/// What placeholders stand for. They are looked for in the string as it is written, never in what escapes in it
/// or values bring about.
#[derive(Clone, Copy)]
pub(super) enum Values<'a> {
    /// The admin user's name and password.
    Of(&'a Settings),
    /// Nothing.
    Empty,
    /// Themselves.
    None,
}

impl<'a> Values<'a> {
    /// The value for the placeholder at the start of `text`, and the placeholder's length in bytes.
    fn at(self, text: &str) -> Option<(&'a str, usize)> {
        let is_name = text.starts_with("{{username}}");
        if !is_name && !text.starts_with("{{password}}") {
            return None;
        }
        let value = match self {
            Self::Of(settings) if is_name => settings.username.as_str(),
            Self::Of(settings) => settings.password.expose().as_str(),
            Self::Empty => "",
            Self::None => return None,
        };
        Some((value, "{{username}}".len()))
    }

    /// Room for `text` with its values, so that it never moves and leaves copies behind.
    fn room(self, text: &str) -> usize {
        let longest = match self {
            Self::Of(settings) => settings
                .username
                .len()
                .max(settings.password.expose().len()),
            Self::Empty | Self::None => 0,
        };
        text.len() + text.matches("{{").count() * longest
    }
}

/// The string with its placeholders filled as they are.
pub(super) fn filled(text: &str, settings: &Settings) -> Secret<String> {
    let values = Values::Of(settings);
    let mut out = Secret::new(String::with_capacity(values.room(text)));
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let plain = || (rest.get(..c.len_utf8()).unwrap_or_default(), c.len_utf8());
        let (value, length) = values.at(rest).unwrap_or_else(plain);
        out.expose_mut().push_str(value);
        rest = rest.get(length..).unwrap_or_default();
    }
    out
}

/// The parameters of a string in either form.
pub(super) fn pairs(text: &str, values: Values<'_>) -> Result<Pairs, String> {
    let rest = ["postgresql://", "postgres://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match rest {
        Some(rest) => url_pairs(rest, values),
        None if text.contains("://") && !text.contains('=') => {
            Err("the scheme must be postgresql:// or postgres://".into())
        }
        None => keyword_pairs(text, values),
    }
}

fn authority(rest: &str) -> &str {
    // Placeholders and passwords may hold anything but these, as in every URL.
    rest.split(['/', '?']).next().unwrap_or(rest)
}

fn url_pairs(rest: &str, values: Values<'_>) -> Result<Pairs, String> {
    let authority = authority(rest);
    let after = rest.get(authority.len()..).unwrap_or_default();
    let (path, query) = after.split_once('?').unwrap_or((after, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (user, hosts),
        None => ("", authority),
    };
    let mut pairs = Vec::new();
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut add = |key: &str, encoded: &str| {
        if !encoded.is_empty() {
            pairs.push((key.to_owned(), decoded(encoded, values)?));
        }
        Ok::<_, String>(())
    };
    add("user", name)?;
    add("password", password)?;
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = host_and_port(host)?;
        names.push(name);
        ports.push(port);
    }
    add("host", &names.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        add("port", &ports.join(","))?;
    }
    add("dbname", path.trim_start_matches('/'))?;
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (key, value) = parameter
            .split_once('=')
            .ok_or("a parameter after ? has no value")?;
        add(decoded(key, Values::None)?.expose(), value)?;
    }
    Ok(pairs)
}

fn host_and_port(host: &str) -> Result<(&str, &str), String> {
    if let Some(inner) = host.strip_prefix('[') {
        let (name, rest) = inner
            .split_once(']')
            .ok_or("an IPv6 address is not closed by ]")?;
        return Ok((name, rest.strip_prefix(':').unwrap_or_default()));
    }
    Ok(host.split_once(':').unwrap_or((host, "")))
}

fn keyword_pairs(text: &str, values: Values<'_>) -> Result<Pairs, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or("invalid keyword/value")?;
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err("invalid keyword/value".into());
        }
        let (value, after) = keyword_value(after.trim_start(), values)?;
        pairs.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    match pairs.is_empty() {
        true => Err("invalid keyword/value".into()),
        false => Ok(pairs),
    }
}

/// One value, in single quotes or up to a blank; a backslash takes the next character as it is.
fn keyword_value<'t>(
    text: &'t str,
    values: Values<'_>,
) -> Result<(Secret<String>, &'t str), String> {
    let quoted = text.strip_prefix('\'');
    let body = quoted.unwrap_or(text);
    let mut value = Secret::new(String::with_capacity(values.room(body)));
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        if let Some((filled, length)) = body.get(at..).and_then(|rest| values.at(rest)) {
            value.expose_mut().push_str(filled);
            chars.nth(length - 2);
            continue;
        }
        match c {
            '\\' => match chars.next() {
                Some((_, escaped)) => value.expose_mut().push(escaped),
                None => return Err("the string ends in a backslash".into()),
            },
            '\'' if quoted.is_some() => {
                return Ok((value, body.get(at + 1..).unwrap_or_default()));
            }
            c if c.is_whitespace() && quoted.is_none() => {
                return Ok((value, body.get(at..).unwrap_or_default()));
            }
            c => value.expose_mut().push(c),
        }
    }
    match quoted {
        Some(_) => Err("a value in quotes is not closed".into()),
        None => Ok((value, "")),
    }
}

fn decoded(text: &str, values: Values<'_>) -> Result<Secret<String>, String> {
    let mut bytes = Secret::new(Vec::with_capacity(values.room(text)));
    let mut at = 0;
    while let Some(&byte) = text.as_bytes().get(at) {
        if let Some((value, length)) = text.get(at..).and_then(|rest| values.at(rest)) {
            bytes.expose_mut().extend(value.as_bytes());
            at += length;
        } else if byte == b'%' {
            let digits = text.get(at + 1..at + 3).filter(|d| !d.starts_with('+'));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes
                .expose_mut()
                .push(byte.ok_or("a percent escape is broken")?);
            at += 3;
        } else {
            bytes.expose_mut().push(byte);
            at += 1;
        }
    }
    String::from_utf8(std::mem::take(bytes.expose_mut()))
        .map(Secret::new)
        .map_err(|_| "an escaped value is not UTF-8".into())
}

/// The connection string with a password that is written in it replaced by `xxxxx`.
pub(in crate::database) fn masked(url: &str) -> (String, bool) {
    let Ok(pairs) = pairs(url, Values::Empty) else {
        return (url.to_owned(), false);
    };
    let written = pairs
        .iter()
        .filter(|(key, _)| key == "password")
        .map(|(_, value)| value.expose())
        .find(|value| !value.is_empty());
    let Some(password) = written else {
        return (url.to_owned(), false);
    };
    // In the string it may be escaped: then its place in the user part is what is replaced.
    let userinfo = url
        .split_once("://")
        .and_then(|(scheme, rest)| Some((scheme, authority(rest).rsplit_once('@')?.0, rest)))
        .and_then(|(scheme, user, rest)| Some((scheme, user.split_once(':')?.0, user, rest)));
    if let Some((scheme, name, user, rest)) = userinfo {
        let tail = rest.get(user.len()..).unwrap_or_default();
        return (format!("{scheme}://{name}:xxxxx{tail}"), true);
    }
    match url.contains(password.as_str()) {
        true => (url.replace(password.as_str(), "xxxxx"), true),
        // Escaped in a way that can not be found again: then nothing is shown.
        false => ("xxxxx".into(), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_the_string_are_masked() {
        for (url, shown) in [
            ("postgres://a:secret@h/d", "postgres://a:xxxxx@h/d"),
            ("postgres://a:s%20t@h/d?x=1", "postgres://a:xxxxx@h/d?x=1"),
            (
                "postgres://a:%7b%7bpassword%7D%7D@h/d",
                "postgres://a:xxxxx@h/d",
            ),
            ("host=h password=secret", "host=h password=xxxxx"),
            ("host=h password='sec\\'ret'", "xxxxx"),
            (
                "postgres://h/d?password=secret",
                "postgres://h/d?password=xxxxx",
            ),
        ] {
            assert_eq!(masked(url), (shown.to_owned(), true), "{url}");
        }
        let template = "postgres://{{username}}:{{password}}@h/d";
        assert_eq!(masked(template), (template.to_owned(), false));
    }
}
