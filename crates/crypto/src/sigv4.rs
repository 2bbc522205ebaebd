//! Requests signed as AWS wants them: Signature Version 4.
//!
//! [`Credentials::sign`] signs requests to the root of a host without a query, which is all that AWS's own query and JSON APIs
//! need. [`Presented`] looks at requests that others signed: any path, any query, any header fields.

mod canonical;
mod moment;
mod presented;

use std::fmt::Write as _;

pub use canonical::Received;
pub use presented::{Presented, Unsigned};

use crate::{Secret, hmac_sha256, sha256};

/// The name of the algorithm, as it stands in `Authorization`.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Names the key; not a secret.
    pub access_key: String,
    /// The key.
    pub secret_key: Secret<String>,
    /// What goes with keys that end.
    pub session_token: Option<Secret<String>>,
}

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// When it is made: UTC, like `20150830T123600Z`.
    pub time: &'a str,
    /// For example `us-east-1`.
    pub region: &'a str,
    /// For example `sts`.
    pub service: &'a str,
}

/// A request to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST` or `GET`.
    pub method: &'a str,
    /// The host, with its port where that is not the scheme's own.
    pub host: &'a str,
    /// Header fields that are signed with it, beside the host and those that the signature brings.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

impl Credentials {
    /// The header fields that make `request` a signed one, names in lower case, `authorization` last.
    #[must_use]
    pub fn sign(&self, request: &Request<'_>, scope: Scope<'_>) -> Vec<(String, String)> {
        self.sign_at("/", request, scope)
    }

    /// The same for a request to `path`, of letters, digits, `-._~` and slashes alone: others have several spellings.
    #[must_use]
    pub fn sign_at(
        &self,
        path: &str,
        request: &Request<'_>,
        scope: Scope<'_>,
    ) -> Vec<(String, String)> {
        let mut added = vec![("x-amz-date".to_owned(), scope.time.to_owned())];
        if let Some(token) = &self.session_token {
            added.push(("x-amz-security-token".to_owned(), token.expose().clone()));
        }
        let mut fields = vec![("host".to_owned(), request.host.to_owned())];
        let given = request.headers.iter();
        fields.extend(given.map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned())));
        fields.extend(added.iter().cloned());
        fields.sort();
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let canonical = canonical(path, request, &fields, &names);
        let date = scope.time.get(..8).unwrap_or_default();
        let of = format!("{date}/{}/{}/aws4_request", scope.region, scope.service);
        let text = format!("{ALGORITHM}\n{}\n{of}\n{canonical}", scope.time);
        let signature = hex(&hmac_sha256(
            self.key(date, scope).expose(),
            text.as_bytes(),
        ));
        let access_key = &self.access_key;
        let value = format!(
            "{ALGORITHM} Credential={access_key}/{of}, SignedHeaders={names}, Signature={signature}"
        );
        added.push(("authorization".to_owned(), value));
        added
    }

    /// The key of one day, region and service, so that what leaks of it is good for no other.
    fn key(&self, date: &str, scope: Scope<'_>) -> Secret<[u8; 32]> {
        let first = Secret::new(format!("AWS4{}", self.secret_key.expose()));
        let mut key = Secret::new(hmac_sha256(first.expose().as_bytes(), date.as_bytes()));
        for part in [scope.region, scope.service, "aws4_request"] {
            key = Secret::new(hmac_sha256(key.expose(), part.as_bytes()));
        }
        key
    }
}

/// The hash of the request in its one normal form.
fn canonical(
    path: &str,
    request: &Request<'_>,
    fields: &[(String, String)],
    names: &str,
) -> String {
    let mut text = format!("{}\n{path}\n\n", request.method);
    for (name, value) in fields {
        // Blanks around and runs of blanks inside a value do not count.
        let value: Vec<&str> = value.split_ascii_whitespace().collect();
        let _ = writeln!(text, "{name}:{}", value.join(" "));
    }
    let body = hex(&sha256(request.body));
    let _ = write!(text, "\n{names}\n{body}");
    hex(&sha256(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The suite that AWS publishes: one key, one moment.
    fn signed(method: &str, headers: &[(&str, &str)], body: &str, token: Option<&str>) -> String {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: token.map(Secret::from),
        };
        let request = Request {
            method,
            host: "example.amazonaws.com",
            headers,
            body: body.as_bytes(),
        };
        let scope = Scope {
            time: "20150830T123600Z",
            region: "us-east-1",
            service: "service",
        };
        credentials.sign(&request, scope).pop().unwrap().1
    }

    #[test]
    fn the_published_examples() {
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        for (value, signature) in [
            (
                signed("GET", &[], "", None),
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                signed("POST", &[], "", None),
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                signed("POST", &[form], "Param1=value1", None),
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            assert!(
                value.ends_with(&format!("Signature={signature}")),
                "{value}"
            );
        }
        assert!(signed("POST", &[form], "", None).contains(
            "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-type;host;x-amz-date, "
        ));
    }

    #[test]
    fn the_published_example_with_a_path() {
        let credentials = Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        };
        let request = Request {
            method: "GET",
            host: "example.amazonaws.com",
            headers: &[],
            body: b"",
        };
        let scope = Scope {
            time: "20150830T123600Z",
            region: "us-east-1",
            service: "service",
        };
        let path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let seal = credentials.sign_at(path, &request, scope).pop().unwrap().1;
        let published = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f";
        assert!(seal.ends_with(published), "{seal}");
    }

    #[test]
    fn blanks_do_not_count_and_all_else_does() {
        let plain = signed("GET", &[("a", "b c")], "", None);
        assert_eq!(signed("GET", &[("A", " b   c ")], "", None), plain);
        assert_ne!(signed("GET", &[("a", "bc")], "", None), plain);
        assert_ne!(signed("GET", &[("a", "b c")], "x", None), plain);
        let with = signed("GET", &[], "", Some("token"));
        assert!(with.contains("SignedHeaders=host;x-amz-date;x-amz-security-token"));
    }

    #[test]
    fn the_key_is_not_shown() {
        let credentials = Credentials {
            access_key: "AK".into(),
            secret_key: "hunter2".into(),
            session_token: Some("hunter3".into()),
        };
        assert!(!format!("{credentials:?}").contains("hunter"));
    }
}
