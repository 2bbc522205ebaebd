use std::borrow::Cow;
use std::io::{IsTerminal, Read, Write};

use zeroize::Zeroizing;

use crate::failure::Failure;

/// The most bytes read from standard input or a file of values.
const MAX_INPUT_BYTES: u64 = 32 * 1024 * 1024;

/// What the user sees and types.
pub(crate) struct Ui {
    colour: bool,
    interactive: bool,
}

impl Ui {
    /// Colours only where a person looks at it and has not asked for none (<https://no-color.org>).
    pub(crate) fn new(non_interactive: bool) -> Self {
        let unwanted = [
            "NO_COLOR",
            "COFFER_CLI_NO_COLOR",
            "BAO_CLI_NO_COLOR",
            "VAULT_CLI_NO_COLOR",
        ];
        let wanted = !unwanted
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        Self {
            colour: wanted && std::io::stderr().is_terminal(),
            interactive: !non_interactive && std::io::stdin().is_terminal(),
        }
    }

    /// Prints to standard output as it is. A reader that went away (`| head`) is no error.
    pub(crate) fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let text = if out.is_terminal() {
            harmless(text)
        } else {
            text.into()
        };
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }

    /// Prints a line, or several, to standard output.
    pub(crate) fn line(&self, text: &str) {
        self.print(&format!("{}\n", text.strip_suffix('\n').unwrap_or(text)));
    }

    /// Tells what went wrong.
    pub(crate) fn error(&self, text: &str) {
        self.say("31", text);
    }

    /// Tells what the user should know although it went well.
    pub(crate) fn warn(&self, text: &str) {
        self.say("33", text);
    }

    /// The server's warnings.
    pub(crate) fn warnings(&self, warnings: &[String]) {
        if warnings.is_empty() {
            return;
        }
        let lines: Vec<String> = warnings
            .iter()
            .map(|warning| format!("  * {warning}"))
            .collect();
        self.warn(&format!(
            "WARNING! The server remarks:\n\n{}\n",
            lines.join("\n")
        ));
    }

    fn say(&self, colour: &str, text: &str) {
        let mut out = std::io::stderr().lock();
        let text = harmless(text);
        let _ = match self.colour {
            true => writeln!(out, "\x1b[{colour}m{text}\x1b[0m"),
            false => writeln!(out, "{text}"),
        };
    }

    /// Whether somebody can be asked.
    pub(crate) fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Asks for a secret without showing what is typed.
    pub(crate) fn ask_hidden(&self, question: &str, instead: &str) -> Result<String, Failure> {
        if !self.interactive {
            return Err(Failure::local(format!(
                "{question} cannot be asked here, there is no terminal. {instead}"
            )));
        }
        rpassword::prompt_password(format!("{question} (will be hidden): "))
            .map(|text| text.trim().to_owned())
            .map_err(|error| {
                Failure::local(format!("{question} could not be read: {error}. {instead}"))
            })
    }

    /// Asks for a yes. Where nobody can answer, `instead` says what to do.
    pub(crate) fn confirmed(&self, question: &str, instead: &str) -> Result<bool, Failure> {
        if !self.interactive {
            return Err(Failure::local(format!(
                "this has to be confirmed, and there is no terminal to ask. {instead}"
            )));
        }
        let mut out = std::io::stderr().lock();
        let _ = write!(out, "{question} ").and_then(|()| out.flush());
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        read.map_err(|error| Failure::local(format!("the answer could not be read: {error}")))?;
        Ok(answer.trim() == "yes")
    }

    /// All of standard input as text.
    pub(crate) fn stdin(&self) -> Result<Zeroizing<String>, Failure> {
        bounded(std::io::stdin().lock())
            .map_err(|reason| Failure::local(format!("cannot read standard input: {reason}")))
    }
}

/// Reads a whole file as text; an error names the file.
pub(crate) fn read_file(path: &str) -> Result<Zeroizing<String>, Failure> {
    std::fs::File::open(path)
        .map_err(|error| error.to_string())
        .and_then(bounded)
        .map_err(|reason| Failure::local(format!("cannot read {path}: {reason}")))
}

/// A stored value or a server's text must not steer the terminal it is shown on.
fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(steers) {
        return text.into();
    }
    let shown = text.chars().map(|c| {
        if steers(c) {
            c.escape_default().to_string()
        } else {
            c.to_string()
        }
    });
    shown.collect::<String>().into()
}

fn bounded(from: impl Read) -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    let count = from
        .take(MAX_INPUT_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if count as u64 > MAX_INPUT_BYTES {
        return Err(format!("it is larger than {MAX_INPUT_BYTES} bytes"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_not_obeyed() {
        assert_eq!(harmless("a\tb\n"), "a\tb\n");
        assert_eq!(harmless("a\u{1b}[2Jb\r"), "a\\u{1b}[2Jb\\r");
    }
}
