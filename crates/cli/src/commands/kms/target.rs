use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use coffer_client::{Method, Request, Response, Secret};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::refusal::{Explained, is_not_genuine};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
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

impl Target {
    /// Asks whether something is genuine; what is not has words and an exit code of its own.
    pub(super) async fn check(
        &self,
        cx: &Context,
        operation: &str,
        body: &Map<String, Value>,
        what: &str,
    ) -> Result<Secret, Failure> {
        let path = self.using(operation);
        match cx.client()?.write(&path, body).await {
            Err(error) if is_not_genuine(&error) => Err(Failure::not_genuine(format!(
                "The {what} is NOT valid: it was made for another input, with another key, or in another way (see the flags)."
            ))),
            other => other
                .or_failed(format!("asking {path}"))?
                .ok_or_else(|| Failure::nothing_at(&path)),
        }
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

/// Writes what must not take effect twice: a POST is not sent again when a connection breaks.
pub(super) async fn write_once(
    cx: &Context,
    path: &str,
    body: &Map<String, Value>,
    doing: &str,
) -> Result<Option<Secret>, Failure> {
    let request = Request::new(Method::Post, path).json(body);
    let request = request.or_failed(doing)?.wrappable();
    let answer = cx.client()?.send(request).await;
    let answer = answer.and_then(Response::ok).and_then(Response::secret);
    answer.or_failed(doing)
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

/// What the server made, in base64: a file holds its own bytes, or the base64 that was printed.
///
/// Ciphertexts, signatures and codes are random bytes, and never all of them letters of base64: so what looks like base64 is.
pub(super) fn file_of_base64(file: &str) -> Result<Value, Failure> {
    let bytes = file_bytes(file)?;
    let visible = bytes.iter().filter(|byte| !byte.is_ascii_whitespace());
    let visible: Vec<u8> = visible.copied().collect();
    let decoded = STANDARD.decode(visible).ok();
    match decoded.as_deref().unwrap_or(&bytes) {
        [] => Err(Failure::local(format!("{file} is empty"))),
        made => Ok(STANDARD.encode(made).into()),
    }
}

/// The bytes of a file, or of standard input. `@FILE` is the same file, as other commands have it.
pub(super) fn file_bytes(file: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let file = match file.strip_prefix('@') {
        Some(path) if !std::path::Path::new(file).exists() => path,
        _ => file,
    };
    let cannot = |reason: String| Failure::local(format!("cannot read {file}: {reason}"));
    let from: Box<dyn Read> = match file {
        "-" => Box::new(std::io::stdin().lock()),
        file => Box::new(std::fs::File::open(file).map_err(|error| cannot(error.to_string()))?),
    };
    // Room for all: growing would leave copies behind.
    let room = usize::try_from(MAX_BYTES).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let read = from.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot(error.to_string()))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(cannot(
            "it is too large; `coffer envelope encrypt` takes files of any size, and -digest signs them by their digest"
                .to_owned(),
        )),
        false => Ok(bytes),
    }
}

/// Pairs of texts as an object. Of a name that is given twice, one value would be lost.
pub(super) fn object(pairs: Vec<(String, String)>) -> Result<Value, Failure> {
    let mut object = Map::new();
    for (name, value) in pairs {
        if object.contains_key(&name) {
            return Err(Failure::local(format!(
                "{name}=… is given twice; give it once"
            )));
        }
        object.insert(name, value.into());
    }
    Ok(Value::Object(object))
}

/// The answer without one of its fields, which went elsewhere.
pub(super) fn without(mut answer: Secret, name: &str) -> Secret {
    let data = answer.data.as_mut();
    if let Some(fields) = data.and_then(Value::as_object_mut) {
        fields.remove(name);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_made_is_read_in_both_forms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f").display().to_string();
        for (held, wanted) in [
            (b"AP8=\n".as_slice(), "AP8="),
            (b" A\nP8=", "AP8="),
            (b"\0\xff", "AP8="),
            (b"\x01A", "AUE="),
        ] {
            std::fs::write(&path, held).unwrap();
            assert_eq!(file_of_base64(&path).unwrap(), wanted, "{held:?}");
            assert_eq!(file_of_base64(&format!("@{path}")).unwrap(), wanted);
        }
        std::fs::write(&path, b"\n").unwrap();
        assert!(file_of_base64(&path).unwrap_err().text.contains("empty"));
        std::fs::write(&path, vec![0; MAX_BYTES as usize + 1]).unwrap();
        let large = file_bytes(&path).unwrap_err();
        assert!(large.text.contains("coffer envelope encrypt"));
    }

    #[test]
    fn no_pair_is_lost() {
        let pair = |value: &str| ("a".to_owned(), value.to_owned());
        assert!(object(vec![pair("1"), pair("2")]).is_err());
        assert_eq!(
            object(vec![pair("1")]).unwrap(),
            serde_json::json!({"a": "1"})
        );
    }

    #[test]
    fn aliases_stand_in_paths_with_colons() {
        assert_eq!(super::segment("alias/team/app"), "alias:team:app");
        assert_eq!(super::segment("1234abcd-12ab"), "1234abcd-12ab");
    }
}
