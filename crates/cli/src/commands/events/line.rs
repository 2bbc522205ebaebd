//! An event in one line.

use std::fmt::Write as _;

use coffer_client::events::Event;

/// How wide kinds are for which people read on.
const KIND_WIDTH: usize = 24;
/// How wide namespaces are.
const NAMESPACE_WIDTH: usize = 8;
/// What stands elsewhere in the line, or tells programs only.
const LEFT_OUT: [&str; 3] = ["path", "operation", "modified"];

/// For people: when, what, in which namespace, where, and what else there is to say.
pub(super) fn for_people(event: &Event, whole_time: bool) -> String {
    let namespace = match event.namespace.as_str() {
        "" => "root",
        path => path,
    };
    let mut line = format!(
        "{}  {:<KIND_WIDTH$}  {namespace:<NAMESPACE_WIDTH$}  {}",
        time(&event.time, whole_time),
        event.kind,
        event.path(),
    );
    for (name, value) in &event.metadata {
        let said = name == "data_path" && value == event.path();
        if !said && !LEFT_OUT.contains(&name.as_str()) {
            let _ = write!(line, "  {name}={value}");
        }
    }
    shown(line.trim_end())
}

/// For programs: as the server sent it, in one line.
pub(super) fn for_programs(event: &Event) -> String {
    escaped(&event.json, |line, c| {
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            let _ = write!(line, "\\u{unit:04x}");
        }
    })
}

/// The time of the day, or all of it.
fn time(text: &str, whole: bool) -> &str {
    let of_the_day = text.split_once('T').and_then(|(_, time)| time.get(..8));
    match of_the_day {
        Some(time) if !whole => time,
        _ => text,
    }
}

/// A name must neither begin another line nor steer the terminal.
fn shown(line: &str) -> String {
    escaped(line, |line, c| line.extend(c.escape_default()))
}

fn escaped(text: &str, mut escape: impl FnMut(&mut String, char)) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => escape(&mut line, c),
            false => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(path: &str) -> Event {
        Event {
            id: "i".to_owned(),
            kind: "kv-v2/data-write".to_owned(),
            time: "2027-01-15T08:00:01.123Z".to_owned(),
            namespace: String::new(),
            mount: "secret/".to_owned(),
            metadata: [
                ("path", path),
                ("data_path", path),
                ("modified", "true"),
                ("current_version", "3"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            json: "{\"a\":\"\u{85}\"}".to_owned(),
        }
    }

    #[test]
    fn a_line_says_it_all() {
        let line =
            "08:00:01  kv-v2/data-write          root      secret/data/app  current_version=3";
        assert_eq!(for_people(&event("secret/data/app"), false), line);
        assert!(for_people(&event("a"), true).starts_with("2027-01-15T08:00:01.123Z  kv"));
    }

    #[test]
    fn names_begin_no_lines_and_steer_no_terminals() {
        let line = for_people(&event("a\n\u{1b}[2Jb"), false);
        assert!(
            line.contains("a\\n\\u{1b}[2Jb") && !line.contains(char::is_control),
            "{line}"
        );
        assert_eq!(for_programs(&event("a")), "{\"a\":\"\\u0085\"}");
    }
}
