use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::failure::Failure;

/// The most bytes of a PGP key's file.
const MAX_KEY_BYTES: u64 = 1024 * 1024;

/// Reads a file with a public PGP key (binary, or base64 of that) into the base64 the server wants.
pub(crate) fn key(file: &str) -> Result<String, Failure> {
    if file.starts_with("keybase:") {
        return Err(Failure::local(format!(
            "{file}: keys are not fetched from Keybase; export the key to a file and name that"
        )));
    }
    let unusable =
        |reason: &str| Failure::local(format!("cannot use the PGP key {file}: {reason}"));
    let path = file.strip_prefix('@').unwrap_or(file);
    let size = std::fs::metadata(path)
        .map_err(|error| unusable(&error.to_string()))?
        .len();
    if size > MAX_KEY_BYTES {
        return Err(unusable("the file is too large for one"));
    }
    let bytes = std::fs::read(path).map_err(|error| unusable(&error.to_string()))?;
    if bytes.starts_with(b"-----BEGIN PGP") {
        return Err(unusable(
            "it is armored; export it in binary (gpg --export)",
        ));
    }
    let text = std::str::from_utf8(&bytes)
        .map(str::trim)
        .unwrap_or_default();
    match !text.is_empty() && STANDARD.decode(text).is_ok() {
        true => Ok(text.to_owned()),
        false => Ok(STANDARD.encode(&bytes)),
    }
}

/// Reads several.
pub(crate) fn keys(files: &[String]) -> Result<Vec<String>, Failure> {
    files.iter().map(|file| key(file)).collect()
}
