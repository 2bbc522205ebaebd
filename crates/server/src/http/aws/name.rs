//! How the protocol names keys and aliases: ids, aliases, and the ARNs of both.

use super::exception::Exception;

/// What aliases begin with in the protocol.
const ALIAS: &str = "alias/";
/// What all ARNs of ours begin with. Clients read region and account out of them, so both have their usual form; the account
/// is one that nobody has, so that no such ARN names anything at AWS.
const ARN: &str = "arn:aws:kms:us-east-1:000000000000:";
/// The account in it.
pub(super) const ACCOUNT: &str = "000000000000";
/// The longest name, in bytes.
const MAX_NAME_BYTES: usize = 2_048;
/// What a ciphertext begins with that names its key.
const FORMAT: u8 = 1;

/// The ARN of a key.
pub(super) fn key_arn(id: &str) -> String {
    format!("{ARN}key/{id}")
}

/// The ARN of an alias, which has its prefix.
pub(super) fn alias_arn(alias: &str) -> String {
    format!("{ARN}{alias}")
}

/// What stands for a key in a path: its id, or `alias:NAME` with `:` for each `/`.
pub(super) fn key_segment(name: &str) -> Result<String, Exception> {
    let resource = resource(name)?;
    if let Some(alias) = resource.strip_prefix(ALIAS) {
        return match is_alias(alias) {
            true => Ok(format!("alias:{}", alias.replace('/', ":"))),
            false => Err(invalid(name)),
        };
    }
    // Of an ARN only the part after the word is an id.
    let id = match resource.strip_prefix("key/") {
        Some(id) if resource.len() < name.len() => id,
        _ => resource,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    match !id.is_empty() && id.bytes().all(plain) {
        true => Ok(id.to_owned()),
        false => Err(invalid(name)),
    }
}

/// What stands for an alias in a path of aliases.
pub(super) fn alias_segment(name: &str) -> Result<String, Exception> {
    let alias = name.strip_prefix(ALIAS).filter(|alias| !alias.is_empty());
    let alias = alias.ok_or_else(|| {
        let text = "an alias must begin with \"alias/\"";
        Exception::new("ValidationException", text)
    })?;
    match is_alias(alias) && name.len() <= MAX_NAME_BYTES {
        true => Ok(alias.replace('/', ":")),
        false => Err(Exception::new(
            "InvalidAliasNameException",
            "an alias has letters, digits, `_`, `-` and `/`",
        )),
    }
}

/// The key that a ciphertext names.
pub(super) fn key_of_blob(blob: &[u8]) -> Option<String> {
    let (format, rest) = blob.split_first()?;
    let id = rest.get(..16).filter(|_| *format == FORMAT)?;
    let mut text = String::with_capacity(36);
    for (at, byte) in id.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    Some(text)
}

/// What follows region and account in an ARN, which may be any; all of what is no ARN.
fn resource(name: &str) -> Result<&str, Exception> {
    if name.len() > MAX_NAME_BYTES {
        let text = format!("a KeyId has at most {MAX_NAME_BYTES} characters");
        return Err(Exception::new("ValidationException", text));
    }
    let Some(arn) = name.strip_prefix("arn:") else {
        return Ok(name);
    };
    let mut parts = arn.splitn(5, ':');
    let (_partition, service) = (parts.next(), parts.next());
    let (_region, _account) = (parts.next(), parts.next());
    let resource = parts.next().filter(|_| service == Some("kms"));
    let ours = |resource: &&str| resource.starts_with("key/") || resource.starts_with(ALIAS);
    resource.filter(ours).ok_or_else(|| invalid(name))
}

fn is_alias(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
    !name.is_empty() && name.bytes().all(plain)
}

fn invalid(name: &str) -> Exception {
    let shown: String = name.chars().take(200).collect();
    Exception::new("NotFoundException", format!("Invalid keyId {shown:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn keys_are_named_in_four_ways() {
        for (name, segment) in [
            (ID.to_owned(), ID),
            (key_arn(ID), ID),
            (
                format!("arn:aws-cn:kms:cn-north-1:123456789012:key/{ID}"),
                ID,
            ),
            ("alias/app".to_owned(), "alias:app"),
            ("alias/team/app_1".to_owned(), "alias:team:app_1"),
            (alias_arn("alias/team/app"), "alias:team:app"),
            ("arn:aws:kms:::alias/a".to_owned(), "alias:a"),
        ] {
            assert_eq!(key_segment(&name).unwrap(), segment, "{name}");
        }
    }

    #[test]
    fn no_name_leads_out_of_its_segment() {
        for name in [
            "",
            "a/b",
            "..",
            "a.b",
            "a%2fb",
            "a b",
            "ä",
            "alias/",
            "alias/a:b",
            "alias/a.b",
            "alias:a",
            "key/a",
            "arn:aws:kms:us-east-1:1:key/",
            "arn:aws:kms:us-east-1:1:key/a/b",
            "arn:aws:kms:us-east-1:1:grant/a",
            "arn:aws:s3:us-east-1:1:key/a",
            "arn:aws:kms:us-east-1",
            "arn:",
            "arn:aws:kms:a:b:alias/a:b",
            "a?b",
            "a\nb",
        ] {
            assert!(key_segment(name).is_err(), "{name:?}");
        }
        assert!(key_segment(&"a".repeat(2_049)).is_err());
        for name in ["", "a", "alias/", "alias/a:b", "alias/a b", "alias/a.b"] {
            assert!(alias_segment(name).is_err(), "{name:?}");
        }
        assert_eq!(alias_segment("alias/a/b").unwrap(), "a:b");
    }

    #[test]
    fn a_ciphertext_names_its_key() {
        let mut blob = vec![1];
        blob.extend_from_slice(&[
            0x12, 0x34, 0xab, 0xcd, 0x12, 0xab, 0x34, 0xcd, 0x56, 0xef, 0x12, 0x34, 0x56, 0x78,
            0x90, 0xab,
        ]);
        assert_eq!(key_of_blob(&blob).as_deref(), Some(ID));
        assert_eq!(key_of_blob(&blob[..16]), None);
        blob[0] = 2;
        assert_eq!(key_of_blob(&blob), None);
        assert_eq!(key_of_blob(&[]), None);
    }
}
