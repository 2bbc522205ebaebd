use std::fmt::Write as _;

use coffer_client::Error;

use crate::ui::Ui;

/// Why a command ends with an exit code other than 0, and what to tell the user.
#[derive(Debug)]
pub(crate) struct Failure {
    /// 1: wrong usage or something local. 2: the server's word, or it did not answer. 3: a signature or an HMAC is not
    /// genuine.
    pub(crate) code: u8,
    /// Empty when everything was said already.
    pub(crate) text: String,
}

/// What a command's function returns.
pub(crate) type Outcome = Result<(), Failure>;

impl Failure {
    /// Wrong usage, an unreadable file: nothing was asked of the server.
    pub(crate) fn local(text: impl Into<String>) -> Self {
        Self {
            code: 1,
            text: text.into(),
        }
    }

    /// A failure of the server or on the way to it; `doing` says what was attempted ("reading secret/x").
    pub(crate) fn remote(doing: &str, error: &Error) -> Self {
        if let Error::Rehearsed(said) = error {
            // All that was asked for: what would have been sent.
            Ui::new(true).line(said);
            return Self::silent(0);
        }
        let code = if matches!(error, Error::Config(_)) {
            1
        } else {
            2
        };
        Self {
            code,
            text: format!("Error {doing}: {}", told(error)),
        }
    }

    /// Nothing exists at a path.
    pub(crate) fn nothing_at(path: &str) -> Self {
        Self {
            code: 2,
            text: format!("No value found at {path}"),
        }
    }

    /// What was checked is not what it claims to be; scripts tell it from every other failure by its code.
    pub(crate) fn not_genuine(text: impl Into<String>) -> Self {
        Self {
            code: 3,
            text: text.into(),
        }
    }

    /// Ends with a code after everything was printed.
    pub(crate) fn silent(code: u8) -> Self {
        Self {
            code,
            text: String::new(),
        }
    }
}

/// Puts "what was attempted" before a client's error.
pub(crate) trait While<T> {
    /// See [`Failure::remote`].
    fn or_failed(self, doing: impl AsRef<str>) -> Result<T, Failure>;
}

impl<T> While<T> for Result<T, Error> {
    fn or_failed(self, doing: impl AsRef<str>) -> Result<T, Failure> {
        self.map_err(|error| Failure::remote(doing.as_ref(), &error))
    }
}

/// An error with all the server said, one line each, and the next step.
fn told(error: &Error) -> String {
    let mut text = match error {
        Error::Api {
            status,
            method,
            url,
            errors,
            warnings,
        } => {
            let mut text = format!(
                "the server refused the request.\n\nURL: {method} {url}\nCode: {status}. Errors:\n\n"
            );
            listed(&mut text, errors);
            if !warnings.is_empty() {
                text.push_str("\n\nWarnings:\n\n");
                listed(&mut text, warnings);
            }
            text
        }
        Error::Sealed {
            method,
            url,
            errors,
        } => {
            let mut text =
                format!("the server is sealed.\n\nURL: {method} {url}\nCode: 503. Errors:\n\n");
            listed(&mut text, errors);
            text
        }
        other => other.to_string(),
    };
    if let Some(step) = error.next_step() {
        let _ = write!(text, "\n\n{step}");
    }
    text
}

fn listed(text: &mut String, lines: &[String]) {
    let bullets: Vec<String> = lines
        .iter()
        .map(|line| format!("* {}", line.trim_end()))
        .collect();
    text.push_str(if bullets.is_empty() {
        "* (the server says no more)"
    } else {
        ""
    });
    text.push_str(&bullets.join("\n"));
}

#[cfg(test)]
mod tests {
    use coffer_client::Method;

    use super::*;

    #[test]
    fn server_errors_show_where_and_what_and_the_next_step() {
        let error = Error::Api {
            status: 403,
            method: Method::Get,
            url: "http://h/v1/x".to_owned(),
            errors: vec!["permission denied".to_owned()],
            warnings: Vec::new(),
        };
        let failure = Failure::remote("reading x", &error);
        assert_eq!(failure.code, 2);
        let begin = "Error reading x: the server refused the request.\n\nURL: GET http://h/v1/x\nCode: 403. Errors:\n\n* permission denied\n\n";
        assert!(failure.text.starts_with(begin), "{}", failure.text);
        assert!(failure.text.contains("coffer token lookup"));
    }

    #[test]
    fn a_bad_setting_is_a_local_failure() {
        assert_eq!(
            Failure::remote("reading x", &Error::Config("bad".to_owned())).code,
            1
        );
    }
}
