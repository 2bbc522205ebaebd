use std::io::{Read, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use coffer_client::Secret;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::{Format, print_secret};

/// The most bytes that are read from a file: more than any request of a key takes.
const MAX_BYTES: u64 = 64 * 1024;

/// Where the keys are.
#[derive(Debug, Args)]
pub(super) struct Mount {
    /// Where the engine is mounted
    #[arg(long, value_name = "PATH", default_value = "kms")]
    mount: String,
}

/// Which key.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The key: its id, or an alias like alias/app
    #[arg(long, value_name = "KEY")]
    key: String,
    #[command(flatten)]
    mount: Mount,
}

impl Mount {
    /// The API path of what is below the mount.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}/{below}", self.mount.trim_matches('/'))
    }
}

impl Target {
    /// What the user calls the key.
    pub(super) fn name(&self) -> &str {
        &self.key
    }

    /// The path of an operation with the key: `encrypt/{key}`.
    pub(super) fn using(&self, operation: &str) -> String {
        self.mount
            .path(&format!("{operation}/{}", segment(&self.key)))
    }

    /// The path of a part of the key: `keys/{key}/rotate`, or `keys/{key}`.
    pub(super) fn part(&self, part: &str) -> String {
        let path = self.using("keys");
        match part {
            "" => path,
            part => format!("{path}/{part}"),
        }
    }

    /// Asks for an operation that answers something.
    pub(super) async fn ask(
        &self,
        cx: &Context,
        operation: &str,
        body: &Map<String, Value>,
    ) -> Result<Secret, Failure> {
        let path = self.using(operation);
        write(cx, &path, body, &format!("asking {path}"))
            .await?
            .ok_or_else(|| Failure::nothing_at(&path))
    }
}

/// A key as it stands in a path: an alias with colons.
pub(super) fn segment(key: &str) -> String {
    match key.starts_with("alias/") {
        true => key.replace('/', ":"),
        false => key.to_owned(),
    }
}

/// Writes to a path.
pub(super) async fn write(
    cx: &Context,
    path: &str,
    body: &Map<String, Value>,
    doing: &str,
) -> Result<Option<Secret>, Failure> {
    cx.client()?.write(path, body).await.or_failed(doing)
}

/// Says that it is done, to people.
pub(super) fn done(cx: &Context, answer: Option<Secret>, text: &str) -> Outcome {
    if cx.format != Format::Table {
        return match answer {
            Some(secret) => print_secret(cx, &secret, None),
            None => Ok(()),
        };
    }
    if let Some(secret) = &answer {
        cx.ui.warnings(&secret.warnings);
    }
    cx.ui.line(text);
    Ok(())
}

/// Prints one text of an answer to people, and all of it to programs.
pub(super) fn print_text(
    cx: &Context,
    secret: &Secret,
    name: &str,
    field: Option<&str>,
) -> Outcome {
    if field.is_some() || cx.format != Format::Table || secret.wrap_info.is_some() {
        return print_secret(cx, secret, field);
    }
    cx.ui.warnings(&secret.warnings);
    cx.ui.line(text(secret, name)?);
    Ok(())
}

/// Prints bytes of an answer as they are to people, and all of it to programs.
pub(super) fn print_bytes(cx: &Context, secret: &Secret, name: &str) -> Outcome {
    if cx.format != Format::Table || secret.wrap_info.is_some() {
        return print_secret(cx, secret, None);
    }
    cx.ui.warnings(&secret.warnings);
    let bytes = bytes(secret, name)?;
    let mut out = std::io::stdout().lock();
    // A reader that went away is no error.
    let _ = out.write_all(&bytes);
    let _ = out.flush();
    Ok(())
}

/// A text of an answer.
pub(super) fn text<'a>(secret: &'a Secret, name: &str) -> Result<&'a str, Failure> {
    let data = secret.data.as_ref();
    let text = data.and_then(|data| data.get(name)?.as_str());
    text.ok_or_else(|| Failure::local(format!("the server's answer has no {name}")))
}

/// Bytes of an answer.
pub(super) fn bytes(secret: &Secret, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = STANDARD.decode(text(secret, name)?).map(Zeroizing::new);
    bytes.map_err(|_| Failure::local(format!("the server's {name} is not in base64")))
}

/// The bytes of a file, or of standard input, in base64.
pub(super) fn file_in_base64(file: &str) -> Result<Value, Failure> {
    Ok(STANDARD.encode(&*file_bytes(file)?).into())
}

/// The text of a file, or of standard input, without blanks around it: base64 that was printed before.
pub(super) fn file_of_base64(file: &str) -> Result<Value, Failure> {
    let bytes = file_bytes(file)?;
    let text = std::str::from_utf8(&bytes)
        .map(str::trim)
        .unwrap_or_default();
    match STANDARD.decode(text) {
        Ok(decoded) if !decoded.is_empty() => Ok(text.into()),
        _ => Err(Failure::local(format!("{file} does not hold base64"))),
    }
}

/// The bytes of a file, or of standard input.
pub(super) fn file_bytes(file: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let cannot = |reason: String| Failure::local(format!("cannot read {file}: {reason}"));
    let from: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin().lock()),
        file => Box::new(std::fs::File::open(file).map_err(|error| cannot(error.to_string()))?),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    let read = from.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot(error.to_string()))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(cannot(
            "it is too large; `coffer envelope encrypt` takes files of any size".to_owned(),
        )),
        false => Ok(bytes),
    }
}

/// Pairs of texts as an object.
pub(super) fn object(pairs: Vec<(String, String)>) -> Value {
    let pairs = pairs
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)));
    Value::Object(pairs.collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn aliases_stand_in_paths_with_colons() {
        assert_eq!(super::segment("alias/team/app"), "alias:team:app");
        assert_eq!(super::segment("1234abcd-12ab"), "1234abcd-12ab");
    }
}
