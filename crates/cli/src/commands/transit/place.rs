use clap::Args;

use crate::failure::Failure;

/// Where the engine is, if nobody says.
const DEFAULT_MOUNT: &str = "transit";

/// Where the engine is.
#[derive(Debug, Args)]
pub(super) struct Mount {
    /// Where the engine is mounted [default: transit]
    #[arg(long, value_name = "PATH")]
    mount: Option<String>,
}

impl Mount {
    /// The mount, without slashes around it.
    pub(super) fn path(&self) -> Result<&str, Failure> {
        let path = self.mount.as_deref().unwrap_or(DEFAULT_MOUNT);
        match path.trim_matches('/') {
            "" => Err(Failure::local(
                "the mount is empty; give -mount=PATH, as `coffer secrets list` shows it",
            )),
            path => Ok(path),
        }
    }
}

/// Which key a command means.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// Name of the key; MOUNT/NAME is one at another mount
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    mount: Mount,
}

/// A key's place: its mount and its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) mount: String,
    pub(super) name: String,
}

impl Target {
    /// Names hold no slash, so what stands before the last one is the mount; `transit/keys/NAME` is read as it is meant.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        let given = self.name.trim_matches('/');
        let (mount, name) = match (&self.mount.mount, given.rsplit_once('/')) {
            (None, Some((mount, name))) => (mount.strip_suffix("/keys").unwrap_or(mount), name),
            (_, None) => (self.mount.path()?, given),
            (Some(_), Some(_)) => {
                return Err(Failure::local(format!(
                    "names of keys hold no slash, and \"{given}\" does; give the name alone with -mount, or MOUNT/NAME without it"
                )));
            }
        };
        if name.is_empty() {
            return Err(Failure::local(
                "the name of the key is empty; `coffer transit keys list` shows those that there are",
            ));
        }
        Ok(Place {
            mount: mount.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl Place {
    /// The path of an operation with the key.
    pub(super) fn path(&self, operation: &str) -> String {
        format!("{}/{operation}/{}", self.mount, self.name)
    }

    /// The path of the key itself.
    pub(super) fn key(&self) -> String {
        self.path("keys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, mount: Option<&str>) -> Result<(String, String), Failure> {
        let target = Target {
            name: name.to_owned(),
            mount: Mount {
                mount: mount.map(str::to_owned),
            },
        };
        target.place().map(|place| (place.mount, place.name))
    }

    #[test]
    fn a_name_may_have_its_mount_in_front() {
        let named = |mount: &str| Ok::<_, ()>((mount.to_owned(), "app".to_owned()));
        let said = |name, mount| place(name, mount).map_err(|_| ());
        assert_eq!(said("app", None), named("transit"));
        assert_eq!(said("app", Some("team/t/")), named("team/t"));
        assert_eq!(said("team/t/app", None), named("team/t"));
        assert_eq!(said("/transit/keys/app", None), named("transit"));
        assert_eq!(said("keys/app", None), named("keys"));
        for (name, mount) in [
            ("", None),
            ("/", None),
            ("a/b", Some("t")),
            ("a", Some("/")),
        ] {
            assert_eq!(place(name, mount).unwrap_err().code, 1, "{name}");
        }
    }
}
