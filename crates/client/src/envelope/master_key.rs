use std::fmt;
use std::str::FromStr;

/// The name of a key that wraps data keys, and of who keeps it.
///
/// | text | key |
/// |---|---|
/// | `kms:alias/app`, `kms:UUID` | of the KMS engine mounted at `kms` |
/// | `kms://team/kms/alias/app` | of the one mounted at `team/kms` |
/// | `transit:app` | of the transit engine mounted at `transit` |
/// | `transit://team/transit/app` | of the one mounted at `team/transit` |
/// | `arn:aws:kms:…`, `aws-kms:alias/app` | of AWS KMS |
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterKey {
    /// Of Coffer's KMS engine.
    Kms {
        /// Where the engine is mounted, without a slash at its end.
        mount: String,
        /// An id, or `alias/NAME`.
        key: String,
    },
    /// Of the transit engine of Coffer, Vault or OpenBao.
    Transit {
        /// Where the engine is mounted, without a slash at its end.
        mount: String,
        /// The name of the key.
        key: String,
    },
    /// Of AWS KMS.
    Aws {
        /// An id, an ARN, `alias/NAME` or the ARN of an alias.
        key: String,
    },
}

/// What is no name of a master key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no master key; write kms:alias/NAME, kms:ID, kms://MOUNT/alias/NAME, transit:NAME, transit://MOUNT/NAME or the ARN of a key of AWS KMS"
)]
pub struct BadMasterKey(String);

impl FromStr for MasterKey {
    type Err = BadMasterKey;

    fn from_str(text: &str) -> Result<Self, BadMasterKey> {
        let found = match text.split_once(':') {
            Some(("kms", rest)) => {
                placed(rest, "kms", kms_border).map(|(mount, key)| Self::Kms { mount, key })
            }
            Some(("transit", rest)) => {
                let place = placed(rest, "transit", |path| path.rfind('/'));
                place.map(|(mount, key)| Self::Transit { mount, key })
            }
            Some(("aws-kms", key)) => Some(Self::Aws {
                key: key.to_owned(),
            }),
            Some(("arn", _)) => Some(Self::Aws {
                key: text.to_owned(),
            }),
            _ => None,
        };
        found
            .filter(|key| !key.name().is_empty())
            .ok_or_else(|| BadMasterKey(text.to_owned()))
    }
}

impl MasterKey {
    fn name(&self) -> &str {
        match self {
            Self::Kms { key, .. } | Self::Transit { key, .. } | Self::Aws { key } => key,
        }
    }
}

impl fmt::Display for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kms { mount, key } if mount == "kms" => write!(f, "kms:{key}"),
            Self::Kms { mount, key } => write!(f, "kms://{mount}/{key}"),
            Self::Transit { mount, key } if mount == "transit" => write!(f, "transit:{key}"),
            Self::Transit { mount, key } => write!(f, "transit://{mount}/{key}"),
            Self::Aws { key } if key.starts_with("arn:") => f.write_str(key),
            Self::Aws { key } => write!(f, "aws-kms:{key}"),
        }
    }
}

/// Mount and key: after `//` both, with a border between them, otherwise the key alone.
fn placed(
    rest: &str,
    usual: &str,
    border: impl Fn(&str) -> Option<usize>,
) -> Option<(String, String)> {
    let Some(path) = rest.strip_prefix("//") else {
        return Some((usual.to_owned(), rest.to_owned()));
    };
    let (mount, key) = path.split_at_checked(border(path)?)?;
    let key = key.trim_start_matches('/');
    (!mount.is_empty()).then(|| (mount.to_owned(), key.to_owned()))
}

/// Names of aliases may hold slashes; the key begins with the word, or is the last part.
fn kms_border(path: &str) -> Option<usize> {
    path.find("/alias/").or_else(|| path.rfind('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_alike() {
        let kms = |mount: &str, key: &str| MasterKey::Kms {
            mount: mount.into(),
            key: key.into(),
        };
        let transit = |mount: &str, key: &str| MasterKey::Transit {
            mount: mount.into(),
            key: key.into(),
        };
        let aws = |key: &str| MasterKey::Aws { key: key.into() };
        for (text, key) in [
            ("kms:alias/app", kms("kms", "alias/app")),
            ("kms:alias/team/app", kms("kms", "alias/team/app")),
            ("kms:0b5d3c1e", kms("kms", "0b5d3c1e")),
            ("kms://team/kms/alias/a/b", kms("team/kms", "alias/a/b")),
            ("kms://team/kms/0b5d3c1e", kms("team/kms", "0b5d3c1e")),
            ("transit:app", transit("transit", "app")),
            ("transit://team/transit/app", transit("team/transit", "app")),
            ("aws-kms:alias/app", aws("alias/app")),
            (
                "arn:aws:kms:eu-west-1:1:key/x",
                aws("arn:aws:kms:eu-west-1:1:key/x"),
            ),
        ] {
            assert_eq!(text.parse(), Ok(key.clone()), "{text}");
            assert_eq!(key.to_string(), text);
        }
        for text in [
            "",
            "app",
            "kms:",
            "kms://app",
            "kms:///x",
            "transit://t/",
            "gpg:me",
            "aws-kms:",
        ] {
            assert!(text.parse::<MasterKey>().is_err(), "{text}");
        }
    }
}
