//! The options of a file device.

use std::collections::BTreeMap;
use std::path::PathBuf;

use coffer_engine::Fault;

/// The longest prefix of a line, in bytes.
const PREFIX_BYTES_MAX: usize = 1_024;
/// The permissions of a new file unless others are asked for.
const MODE_DEFAULT: u32 = 0o600;

/// The options of a device, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// Where lines go.
    pub target: Target,
    /// Permissions of the file; none to leave those of an existing file as they are.
    pub mode: Option<u32>,
    /// Stands before every line.
    pub prefix: String,
    /// Leaves everything readable.
    pub log_raw: bool,
    /// Whether accessors are hashed.
    pub hmac_accessor: bool,
    /// Records only how many items a list has.
    pub elide_list_responses: bool,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A file, appended to.
    File(PathBuf),
    /// The server's standard output.
    Stdout,
    /// Nowhere. Counts as recorded.
    Discard,
}

impl Options {
    /// Reads the options as `sys/audit` gets them. Unknown ones are without effect, as in the
    /// reference.
    pub fn read(given: &BTreeMap<String, String>) -> Result<Self, Fault> {
        read_format(given)?;
        Ok(Self {
            target: read_target(given)?,
            mode: read_mode(given)?,
            prefix: read_prefix(given)?,
            log_raw: read_flag(given, "log_raw", false)?,
            hmac_accessor: read_flag(given, "hmac_accessor", true)?,
            elide_list_responses: read_flag(given, "elide_list_responses", false)?,
        })
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

fn read_target(given: &BTreeMap<String, String>) -> Result<Target, Fault> {
    // `path` is the name that older configurations use.
    let path = given.get("file_path").or_else(|| given.get("path"));
    match path.map(|path| path.trim()) {
        None | Some("") => Err(Fault::invalid(
            "file_path is required: the file to append to, or stdout, or discard",
        )),
        Some("stdout") => Ok(Target::Stdout),
        Some("discard") => Ok(Target::Discard),
        Some(path) => Ok(Target::File(path.into())),
    }
}

/// Octal digits. A log is never executable, and zero leaves an existing file's permissions alone.
fn read_mode(given: &BTreeMap<String, String>) -> Result<Option<u32>, Fault> {
    let Some(text) = given.get("mode").filter(|text| !text.is_empty()) else {
        return Ok(Some(MODE_DEFAULT));
    };
    match u32::from_str_radix(text, 8) {
        Ok(0) => Ok(None),
        Ok(mode) if mode <= 0o777 => Ok(Some(mode & 0o666)),
        _ => Err(Fault::invalid(format!(
            "mode {text:?} is not a file mode; write octal digits, for example \"0600\""
        ))),
    }
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

    fn read(given: &[(&str, &str)]) -> Result<Options, String> {
        let given = given
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        Options::read(&given).map_err(|fault| fault.to_string())
    }

    #[test]
    fn defaults() {
        let expected = Options {
            target: Target::File("/var/log/audit.log".into()),
            mode: Some(0o600),
            prefix: String::new(),
            log_raw: false,
            hmac_accessor: true,
            elide_list_responses: false,
        };
        assert_eq!(
            read(&[("file_path", "/var/log/audit.log")]),
            Ok(expected.clone())
        );
        assert_eq!(
            read(&[("path", "/var/log/audit.log"), ("unknown", "1")]),
            Ok(expected)
        );
        assert_eq!(
            read(&[("file_path", "stdout")]).unwrap().target,
            Target::Stdout
        );
        assert_eq!(
            read(&[("file_path", "discard")]).unwrap().target,
            Target::Discard
        );
    }

    #[test]
    fn all_of_them() {
        let read = read(&[
            ("file_path", "a.log"),
            ("mode", "0755"),
            ("prefix", "@cee: "),
            ("log_raw", "T"),
            ("hmac_accessor", "0"),
            ("elide_list_responses", "true"),
            ("format", "json"),
        ])
        .unwrap();
        assert_eq!(read.mode, Some(0o644));
        assert_eq!(read.prefix, "@cee: ");
        assert!(read.log_raw && !read.hmac_accessor && read.elide_list_responses);
        assert_eq!(
            super::read_mode(&[("mode".into(), "0000".into())].into()).unwrap(),
            None
        );
    }

    #[test]
    fn mistakes_name_the_option() {
        for (key, value) in [
            ("format", "jsonx"),
            ("format", "xml"),
            ("mode", "9z"),
            ("mode", "1777"),
            ("log_raw", "maybe"),
            ("hmac_accessor", "yes"),
            ("prefix", "a\nb"),
        ] {
            let text = read(&[("file_path", "a.log"), (key, value)]).unwrap_err();
            assert!(text.contains(key), "{text}");
        }
        assert!(read(&[]).unwrap_err().contains("file_path"));
        assert!(read(&[("file_path", "")]).is_err());
        assert!(read(&[("file_path", "a"), ("prefix", &"x".repeat(1_025))]).is_err());
    }
}
