//! The options of a device.

use std::collections::BTreeMap;

use coffer_engine::Fault;

use super::filter::{Exclude, Filter, Route};
use super::target::Target;

/// The longest prefix of a line, in bytes.
const PREFIX_BYTES_MAX: usize = 1_024;

/// The options of a device, read once.
#[derive(Clone, Debug)]
pub(super) struct Options {
    /// Where lines go.
    pub target: Target,
    /// Which of them.
    pub route: Route,
    /// What they do not show.
    pub exclude: Exclude,
    /// Stands before every line.
    pub prefix: String,
    /// Leaves everything readable.
    pub log_raw: bool,
    /// Whether accessors are hashed.
    pub hmac_accessor: bool,
    /// Records only how many items a list has.
    pub elide_list_responses: bool,
    /// Binds each line to the one before.
    pub chain: bool,
    /// Enables the device without trying it.
    pub skip_test: bool,
}

impl Options {
    /// Reads the options of a device of this type as `sys/audit` gets them. Unknown ones are without effect, as in the
    /// reference.
    pub fn read(kind: &str, given: &BTreeMap<String, String>) -> Result<Self, Fault> {
        let target = Target::read(kind, given)?;
        read_format(given)?;
        let chains = matches!(target, Target::File { .. } | Target::Stdout);
        Ok(Self {
            route: read_route(given)?,
            exclude: read_exclude(given)?,
            prefix: read_prefix(given)?,
            log_raw: read_flag(given, "log_raw", false)?,
            hmac_accessor: read_flag(given, "hmac_accessor", true)?,
            elide_list_responses: read_flag(given, "elide_list_responses", false)?,
            chain: read_flag(given, "chain", chains)? && target != Target::Discard,
            skip_test: read_flag(given, "skip_test", false)?,
            target,
        })
    }

    /// Whether these options, which were read once, are those of a fallback device.
    pub fn are_of_fallback(given: &BTreeMap<String, String>) -> bool {
        matches!(read_route(given), Ok(Route::Fallback))
    }
}

fn read_format(given: &BTreeMap<String, String>) -> Result<(), Fault> {
    match given.get("format").map(String::as_str) {
        None | Some("" | "json") => Ok(()),
        Some("jsonx") => Err(Fault::invalid(
            "the format \"jsonx\" is not supported; leave \"format\" out or set it to \"json\"",
        )),
        Some(other) => Err(Fault::invalid(format!(
            "the format {other:?} is not known; leave \"format\" out or set it to \"json\""
        ))),
    }
}

fn read_route(given: &BTreeMap<String, String>) -> Result<Route, Fault> {
    let filter = given.get("filter").filter(|text| !text.trim().is_empty());
    match (filter, read_flag(given, "fallback", false)?) {
        (None, false) => Ok(Route::All),
        (None, true) => Ok(Route::Fallback),
        (Some(text), false) => Filter::read(text)
            .map(Route::Filter)
            .map_err(Fault::invalid),
        (Some(_), true) => Err(Fault::invalid(
            "a fallback device gets what no other device takes, so it can not have a filter; leave one of the two out",
        )),
    }
}

fn read_exclude(given: &BTreeMap<String, String>) -> Result<Exclude, Fault> {
    let text = given.get("exclude").map_or("", String::as_str);
    Exclude::read(text).map_err(Fault::invalid)
}

/// Line breaks and other control characters would make two lines of one, or rule the terminal that
/// shows it.
fn read_prefix(given: &BTreeMap<String, String>) -> Result<String, Fault> {
    let prefix = given.get("prefix").cloned().unwrap_or_default();
    if prefix.len() > PREFIX_BYTES_MAX {
        return Err(Fault::invalid(format!(
            "prefix is longer than {PREFIX_BYTES_MAX} bytes; shorten it"
        )));
    }
    if prefix.chars().any(char::is_control) {
        return Err(Fault::invalid(
            "prefix holds a line break or another control character; remove it",
        ));
    }
    Ok(prefix)
}

fn read_flag(given: &BTreeMap<String, String>, name: &str, default: bool) -> Result<bool, Fault> {
    match given.get(name).map(String::as_str) {
        None | Some("") => Ok(default),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(Fault::invalid(format!(
            "{name} is {other:?}; write \"true\" or \"false\""
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, given: &[(&str, &str)]) -> Result<Options, String> {
        let given = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Options::read(kind, &given).map_err(|fault| fault.to_string())
    }

    #[test]
    fn defaults() {
        let file = read("file", &[("file_path", "a.log"), ("unknown", "1")]).unwrap();
        assert!(file.prefix.is_empty() && file.exclude.is_empty());
        assert!(!file.log_raw && file.hmac_accessor && !file.elide_list_responses);
        assert!(file.chain && !file.skip_test && matches!(file.route, Route::All));
        assert!(read("file", &[("file_path", "stdout")]).unwrap().chain);
        assert!(
            !read("file", &[("file_path", "discard"), ("chain", "true")])
                .unwrap()
                .chain
        );
        assert!(!read("syslog", &[]).unwrap().chain);
        assert!(read("syslog", &[("chain", "true")]).unwrap().chain);
    }

    #[test]
    fn all_of_them() {
        let read = read(
            "file",
            &[
                ("file_path", "a.log"),
                ("prefix", "@cee: "),
                ("log_raw", "T"),
                ("hmac_accessor", "0"),
                ("elide_list_responses", "true"),
                ("format", "json"),
                ("filter", "path == x"),
                ("exclude", "[{\"fields\":[\"/auth\"]}]"),
                ("chain", "false"),
                ("skip_test", "1"),
            ],
        )
        .unwrap();
        assert_eq!(read.prefix, "@cee: ");
        assert!(read.log_raw && !read.hmac_accessor && read.elide_list_responses);
        assert!(!read.chain && read.skip_test && !read.exclude.is_empty());
        assert!(matches!(read.route, Route::Filter(_)));
    }

    #[test]
    fn mistakes_name_the_option() {
        for (key, value) in [
            ("format", "jsonx"),
            ("format", "xml"),
            ("log_raw", "maybe"),
            ("hmac_accessor", "yes"),
            ("chain", "on"),
            ("fallback", "maybe"),
            ("skip_test", "x"),
            ("prefix", "a\nb"),
            ("filter", "path"),
            ("exclude", "x"),
        ] {
            let text = read("file", &[("file_path", "a.log"), (key, value)]).unwrap_err();
            assert!(text.contains(key), "{text}");
        }
        let prefix = "x".repeat(1_025);
        assert!(read("file", &[("file_path", "a"), ("prefix", &prefix)]).is_err());
        let both = [
            ("file_path", "a"),
            ("fallback", "true"),
            ("filter", "path == x"),
        ];
        assert!(read("file", &both).unwrap_err().contains("fallback"));
    }
}
