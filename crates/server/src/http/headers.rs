//! Headers that the configuration adds to answers.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::config::{Config, Listener};

/// Names the node that answered, if the configuration asks for it.
const HOSTNAME: HeaderName = HeaderName::from_static("x-vault-hostname");

/// A listener's own headers, ready to send, from the most general to the most specific.
#[derive(Debug, Default)]
pub(super) struct AddedHeaders {
    rules: Vec<(Matches, HeaderName, HeaderValue)>,
}

/// For which answers a header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Matches {
    Every,
    /// The hundreds of the status.
    Class(u16),
    Exactly(u16),
}

impl AddedHeaders {
    pub(super) fn new(listener: &Listener, config: &Config) -> Self {
        let mut rules = Vec::new();
        if let Some(host) = config
            .enable_response_header_hostname
            .then(hostname)
            .flatten()
        {
            rules.push((Matches::Every, HOSTNAME, host));
        }
        for group in &listener.response_headers {
            let matches = Matches::read(&group.status);
            for (name, values) in &group.headers {
                // The configuration reader has checked both.
                let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else {
                    continue;
                };
                let values = values
                    .iter()
                    .filter_map(|value| HeaderValue::from_str(value).ok());
                rules.extend(values.map(|value| (matches, name.clone(), value)));
            }
        }
        rules.sort_by_key(|(matches, ..)| *matches);
        Self { rules }
    }

    /// Adds what is for this status; a more specific rule replaces a more general one's header.
    pub(super) fn add(&self, status: StatusCode, to: &mut HeaderMap) {
        let mut last: Option<(Matches, &HeaderName)> = None;
        for (matches, name, value) in &self.rules {
            if !matches.holds(status.as_u16()) {
                continue;
            }
            if last == Some((*matches, name)) {
                to.append(name, value.clone());
            } else {
                to.insert(name, value.clone());
            }
            last = Some((*matches, name));
        }
    }
}

impl Matches {
    fn read(text: &str) -> Self {
        match (text.parse(), text.as_bytes()) {
            (Ok(status), _) => Self::Exactly(status),
            (Err(_), [digit @ b'1'..=b'5', b'x', b'x']) => Self::Class(u16::from(digit - b'0')),
            _ => Self::Every,
        }
    }

    fn holds(self, status: u16) -> bool {
        match self {
            Self::Every => true,
            Self::Class(class) => status / 100 == class,
            Self::Exactly(exactly) => status == exactly,
        }
    }
}

/// The system's name for this machine.
fn hostname() -> Option<HeaderValue> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    HeaderValue::from_str(name.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_header_wins() {
        let rule = |status, value| {
            (
                Matches::read(status),
                HeaderName::from_static("x-a"),
                HeaderValue::from_static(value),
            )
        };
        let mut added = AddedHeaders {
            rules: vec![
                rule("404", "exact"),
                rule("default", "all"),
                rule("4xx", "class"),
                rule("4xx", "more"),
            ],
        };
        added.rules.sort_by_key(|(matches, ..)| *matches);
        let values = |status: StatusCode| {
            let mut map = HeaderMap::new();
            added.add(status, &mut map);
            map.get_all("x-a")
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(values(StatusCode::OK), ["all"]);
        assert_eq!(values(StatusCode::FORBIDDEN), ["class", "more"]);
        assert_eq!(values(StatusCode::NOT_FOUND), ["exact"]);
    }
}
