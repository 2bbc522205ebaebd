//! What quoted strings and heredocs mean.

/// The meaning of a quoted string's inside. `Err` is the byte offset of a wrong escape.
///
/// `${…}` is kept as written, escapes within it too: Vault's templates are resolved elsewhere, if at all.
pub(crate) fn unquote(inside: &str) -> Result<String, usize> {
    let mut out = String::with_capacity(inside.len());
    let mut braces = 0_usize;
    let mut chars = inside.char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        if braces > 0 {
            out.push(c);
            match c {
                '{' => braces += 1,
                '}' => braces -= 1,
                _ => {}
            }
        } else if c == '$' && chars.next_if(|(_, next)| *next == '{').is_some() {
            out.push_str("${");
            braces = 1;
        } else if c == '\\' {
            let (meaning, length) =
                escape(inside.get(offset + 1..).unwrap_or_default()).ok_or(offset)?;
            out.push(meaning);
            for _ in 0..length {
                chars.next();
            }
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

/// The meaning of what follows a backslash and its length in characters.
pub(crate) fn escape(rest: &str) -> Option<(char, usize)> {
    let coded = |skip: usize, digits: usize, radix: u32| {
        let text = rest.get(skip..skip + digits)?;
        if !text.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        let code = u32::from_str_radix(text, radix).ok()?;
        // A byte over 0x7F on its own is no text; half a surrogate pair becomes the replacement character, as in Go.
        let is_byte = skip == 0 || rest.starts_with('x');
        match code {
            0x80.. if is_byte => None,
            0xD800..=0xDFFF => Some(('\u{fffd}', skip + digits)),
            code => Some((char::from_u32(code)?, skip + digits)),
        }
    };
    match rest.chars().next()? {
        'a' => Some(('\x07', 1)),
        'b' => Some(('\x08', 1)),
        'f' => Some(('\x0c', 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        'v' => Some(('\x0b', 1)),
        quoted @ ('\\' | '"') => Some((quoted, 1)),
        '0'..='7' => coded(0, 3, 8),
        'x' => coded(1, 2, 16),
        'u' => coded(1, 4, 16),
        'U' => coded(1, 8, 16),
        _ => None,
    }
}

/// The meaning of a heredoc token, from `<<` up to and with its closing marker.
///
/// `<<-` removes the closing marker's indentation from every line, but only if every line has it; a plain `<<` keeps
/// what stands before the marker. Both are what Vault does.
pub(crate) fn heredoc(token: &str) -> String {
    let (opening, rest) = token.split_once('\n').unwrap_or((token, ""));
    let marker = opening.trim_start_matches(['<', '-']).trim_end();
    let content = rest
        .trim_end_matches('\r')
        .strip_suffix(marker)
        .unwrap_or(rest);
    if !opening.starts_with("<<-") {
        return content.to_owned();
    }
    let indent = content.rsplit('\n').next().unwrap_or_default();
    let lines: Vec<&str> = content.split('\n').collect();
    if lines.iter().all(|line| line.starts_with(indent)) {
        let cut: Vec<&str> = lines
            .iter()
            .map(|line| line.strip_prefix(indent).unwrap_or(line))
            .collect();
        cut.join("\n")
    } else {
        content.trim_end_matches([' ', '\t']).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_as_in_go() {
        assert_eq!(
            unquote(r#"\a\b\f\n\r\t\v\\\"\101\x41\u0041\U00000041"#).unwrap(),
            "\x07\x08\x0c\n\r\t\x0b\\\"AAAA"
        );
        assert_eq!(unquote(r"\ud800").unwrap(), "\u{fffd}");
        for wrong in [
            r"\q",
            r"\x4",
            r"\x+4",
            r"\400",
            r"\UFFFFFFFF",
            r"\xff",
            r"\u00é",
            "\\",
        ] {
            assert_eq!(unquote(wrong), Err(0), "{wrong}");
        }
    }

    #[test]
    fn interpolation_is_kept_as_written() {
        assert_eq!(
            unquote(r#"a${b "q" \n {x}}c\n"#).unwrap(),
            "a${b \"q\" \\n {x}}c\n"
        );
        assert_eq!(unquote("$5 {x} $").unwrap(), "$5 {x} $");
    }

    #[test]
    fn heredocs_as_vault_reads_them() {
        assert_eq!(heredoc("<<EOF\nfoo\nEOF"), "foo\n");
        assert_eq!(heredoc("<<EOF\nfoo\n  EOF"), "foo\n  ");
        assert_eq!(heredoc("<<EOF\nEOF"), "");
        assert_eq!(heredoc("<<-EOF\n    foo\n  bar\n  EOF"), "  foo\nbar\n");
        assert_eq!(
            heredoc("<<-EOF\n    foo\n\n  bar\n  EOF"),
            "    foo\n\n  bar\n"
        );
        assert_eq!(heredoc("<<-EOF\n    foo\n bar\n  EOF"), "    foo\n bar\n");
    }
}
