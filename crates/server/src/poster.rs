//! Posting audit lines: what the kernel's `http` devices send by.

use std::sync::Arc;

use bytes::Bytes;
use coffer_crypto::Zeroizing;
use coffer_kernel::audit::{HttpOutlet, HttpSender, HttpTarget, Posting};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::outbound::{builder, certificates, innermost};

/// Headers that belong to the connection or to the body's length.
const NOT_TO_BE_SET: [&str; 6] = [
    "connection",
    "content-length",
    "host",
    "te",
    "transfer-encoding",
    "upgrade",
];
/// How much of an answer is read, so that its connection can be used again, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// The HTTP client of this process.
#[derive(Debug)]
pub(crate) struct Outlet;

/// Posts to one address. TLS verifies against the system's roots, or those of the device. Redirects are failures: whoever
/// answers with one must not choose where the log goes.
#[derive(Clone)]
struct Poster {
    client: Client,
    url: Url,
}

impl HttpOutlet for Outlet {
    fn sender(&self, target: &HttpTarget) -> Result<Arc<dyn HttpSender>, String> {
        let url = Url::parse(&target.uri).map_err(|error| format!("uri: {error}"))?;
        let mut client = builder(&url)
            .timeout(target.timeout)
            .connect_timeout(target.timeout)
            .default_headers(headers(target)?);
        if let Some(pem) = &target.ca_pem {
            let roots = certificates(pem).map_err(|error| format!("ca_pem: {error}"))?;
            client = client.tls_certs_only(roots);
        }
        let client = client.build().map_err(|error| innermost(&error))?;
        Ok(Arc::new(Poster { client, url }))
    }
}

impl HttpSender for Poster {
    fn post(&self, body: Zeroizing<Vec<u8>>) -> Posting {
        let request = self
            .client
            .post(self.url.clone())
            .body(Bytes::from_owner(body));
        Box::pin(async move {
            let answer = request.send().await;
            let mut answer = answer.map_err(|error| failed(&error))?;
            let status = answer.status();
            let mut read = 0;
            while let Ok(Some(chunk)) = answer.chunk().await {
                read += chunk.len();
                if read > ANSWER_BYTES_MAX {
                    break;
                }
            }
            match status.is_success() {
                true => Ok(()),
                false => Err(format!(
                    "the receiver answers with status {}",
                    status.as_u16()
                )),
            }
        })
    }
}

fn headers(target: &HttpTarget) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, values) in &target.headers {
        let known = HeaderName::try_from(name.as_str())
            .map_err(|_| format!("headers: {name:?} is not the name of a header"))?;
        if NOT_TO_BE_SET.contains(&known.as_str()) {
            return Err(format!("headers: {name:?} can not be set; leave it out"));
        }
        for value in values {
            // The value may be a credential; it is not repeated.
            let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| {
                format!("headers: a value of {name:?} has characters that no header may have")
            })?;
            value.set_sensitive(true);
            map.append(known.clone(), value);
        }
    }
    map.entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("application/json"));
    Ok(map)
}

/// What went wrong, without the address: that may hold a credential.
fn failed(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the receiver does not answer in time".to_owned();
    }
    format!("can not post to the receiver: {}", innermost(error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn target(uri: &str) -> HttpTarget {
        HttpTarget {
            uri: uri.to_owned(),
            headers: std::collections::BTreeMap::default(),
            timeout: Duration::from_secs(1),
            ca_pem: None,
        }
    }

    fn refused(target: &HttpTarget) -> String {
        match Outlet.sender(target) {
            Ok(_) => String::new(),
            Err(why) => why,
        }
    }

    #[test]
    fn what_can_not_be_sent_is_refused_without_its_secrets() {
        assert!(refused(&target("http://")).contains("uri"));
        for (name, value, word) in [
            ("a b", "hunter2", "not the name"),
            ("a", "hunter2\n", "characters"),
            ("Content-Length", "3", "can not be set"),
            ("host", "h", "can not be set"),
        ] {
            let mut target = target("http://h/");
            let values = vec![value.to_owned()];
            target.headers.insert(name.to_owned(), values);
            let why = refused(&target);
            assert!(why.contains(word) && !why.contains("hunter2"), "{why}");
        }
        let rootless = HttpTarget {
            ca_pem: Some("x".to_owned()),
            ..target("https://h/")
        };
        assert!(refused(&rootless).contains("ca_pem"));
        assert_eq!(refused(&target("https://h/")), "");
    }

    #[test]
    fn the_body_is_called_json_unless_told_otherwise() {
        let mut target = target("http://h/");
        assert_eq!(headers(&target).unwrap()[CONTENT_TYPE], "application/json");
        let values = vec!["text/plain".to_owned()];
        target.headers.insert("content-type".to_owned(), values);
        let headers = headers(&target).unwrap();
        let types: Vec<_> = headers.get_all(CONTENT_TYPE).iter().collect();
        assert_eq!(types, ["text/plain"]);
    }
}
