//! Which requests are in AWS's protocol.

use http::Method;
use http::request::Parts;

use super::super::request::text;

/// Says which operation is wanted. No other protocol of ours has this field.
pub(super) const TARGET: &str = "x-amz-target";
/// What follows the path of a mount.
const ENDING: &str = "/aws";
/// Where the paths of the API begin.
const API: &str = "/v1/";

/// A listener's way in for clients that know no path.
#[derive(Debug, Default)]
pub(in crate::http) struct Door {
    /// The mount that answers at the root of the listener, with a slash at its end.
    mount: Option<String>,
}

/// For which mount a request is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) struct Place {
    /// Its path, which may begin with a namespace's, with a slash at its end.
    pub(super) mount: String,
}

impl Door {
    /// The door of a listener.
    pub(in crate::http) fn new(mount: Option<&str>) -> Self {
        Self {
            mount: mount.map(|mount| format!("{}/", mount.trim_matches('/'))),
        }
    }

    /// The place that a request is for, if it is in this protocol: `POST` with a target, at `/v1/MOUNT/aws`, or at the root
    /// where the listener says for which mount that is.
    pub(in crate::http) fn place(&self, head: &Parts) -> Option<Place> {
        if head.method != Method::POST || !head.headers.contains_key(TARGET) {
            return None;
        }
        let path = head.uri.path();
        if matches!(path, "/" | "") {
            let mount = self.mount.clone()?;
            return Some(Place { mount });
        }
        let below = path.strip_prefix(API)?;
        let below = below.strip_suffix('/').unwrap_or(below);
        let mount = below
            .strip_suffix(ENDING)
            .filter(|mount| !mount.is_empty())?;
        Some(Place {
            mount: format!("{mount}/"),
        })
    }
}

/// The operation that is wanted, with the service's name in front.
pub(super) fn target(head: &Parts) -> &str {
    text(&head.headers, TARGET).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(door: &Door, line: &str, target: bool) -> Option<String> {
        let (method, uri) = line.split_once(' ').unwrap();
        let mut request = http::Request::builder().method(method).uri(uri);
        if target {
            request = request.header(TARGET, "TrentService.Encrypt");
        }
        let head = request.body(()).unwrap().into_parts().0;
        door.place(&head).map(|place| place.mount)
    }

    #[test]
    fn requests_in_the_protocol_are_known_by_place_and_target() {
        let (plain, own) = (Door::new(None), Door::new(Some("/team/kms")));
        for (line, mount) in [
            ("POST /v1/kms/aws", Some("kms/")),
            ("POST /v1/kms/aws/", Some("kms/")),
            ("POST /v1/team/a/kms/aws", Some("team/a/kms/")),
            ("POST /v1/aws", None),
            ("POST /v1//aws", None),
            ("POST /v1/kms/encrypt/x", None),
            ("GET /v1/kms/aws", None),
            ("POST /kms/aws", None),
        ] {
            assert_eq!(place(&plain, line, true).as_deref(), mount, "{line}");
            assert_eq!(place(&own, line, true).as_deref(), mount, "{line}");
            assert_eq!(place(&own, line, false), None, "{line}");
        }
        assert_eq!(place(&plain, "POST /", true), None);
        assert_eq!(place(&own, "POST /", true).as_deref(), Some("team/kms/"));
        assert_eq!(place(&own, "POST /", false), None);
    }
}
