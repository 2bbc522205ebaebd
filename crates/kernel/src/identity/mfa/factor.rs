//! Codes that somebody sent, and whether they are enough.

use std::collections::{BTreeMap, HashMap};

use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde_json::{Map, Value};

use super::enforcement::Demand;
use super::method::Method;
use super::seat::Verdict;
use crate::open::Open;

/// The most methods that one request may send codes for.
const MAX_SENT: usize = 64;
/// The longest code that is looked at.
const MAX_CODE_BYTES: usize = 64;

/// Codes by the ids or names of methods.
#[derive(Debug, Default)]
pub struct Codes(BTreeMap<String, Vec<String>>);

impl Codes {
    /// Of a payload `{"<method>": ["<code>"]}`; null is no code. None where it is of another form.
    pub fn of_payload(payload: &Map<String, Value>) -> Option<Self> {
        if payload.len() > MAX_SENT {
            return None;
        }
        let mut codes = BTreeMap::new();
        for (method, sent) in payload {
            let sent = match sent {
                Value::Null => Vec::new(),
                Value::Array(all) if all.len() <= MAX_SENT => {
                    let text = |code: &Value| match code {
                        Value::String(text) => Some(text.clone()),
                        Value::Number(number) => Some(number.to_string()),
                        _ => None,
                    };
                    all.iter().map(text).collect::<Option<_>>()?
                }
                _ => return None,
            };
            codes.insert(method.clone(), sent);
        }
        Some(Self(codes))
    }

    /// Of headers `<method>[:<code>]`.
    pub fn of_headers(headers: &[String]) -> Self {
        let mut codes: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for header in headers.iter().take(MAX_SENT) {
            let (method, code) = match header.split_once(':') {
                Some((method, code)) => (method, Some(code)),
                None => (header.as_str(), None),
            };
            let sent = codes.entry(method.trim().to_owned()).or_default();
            sent.extend(code.map(str::to_owned));
        }
        Self(codes)
    }

    /// What was sent for a method, by its id or its name.
    fn of(&self, method: &Method) -> Option<&[String]> {
        let by_name = || self.0.get(&method.name).filter(|_| !method.name.is_empty());
        let sent = self.0.get(&method.id).or_else(by_name);
        sent.map(Vec::as_slice)
    }
}

/// Whether the codes satisfy every demand; else why not, for who sent them. Each code is looked at once, whatever
/// demands it, and used up if it is right.
pub async fn satisfied(
    open: &Open,
    entity: &str,
    demands: &[Demand],
    codes: &Codes,
    now: Timestamp,
) -> Result<Result<(), String>, Fault> {
    let mut judged: HashMap<&str, Result<(), String>> = HashMap::new();
    for demand in demands {
        let mut why = String::from(
            "no code was sent for any of its methods; send one under the method's id or name",
        );
        let mut met = false;
        for method in &demand.methods {
            let Some(sent) = codes.of(method) else {
                continue;
            };
            if !judged.contains_key(method.id.as_str()) {
                let verdict = judge(open, entity, method, sent, now).await?;
                judged.insert(&method.id, verdict);
            }
            match judged.get(method.id.as_str()) {
                Some(Err(wrong)) => why.clone_from(wrong),
                _ => {
                    met = true;
                    break;
                }
            }
        }
        if !met {
            let name = &demand.name;
            return Ok(Err(format!("failed to satisfy enforcement {name}: {why}")));
        }
    }
    Ok(Ok(()))
}

async fn judge(
    open: &Open,
    entity: &str,
    method: &Method,
    sent: &[String],
    now: Timestamp,
) -> Result<Result<(), String>, Fault> {
    let code = match sent {
        [code] if code.len() <= MAX_CODE_BYTES => code,
        [] => return Ok(Err(wrong())),
        [_] => return Ok(Err(wrong())),
        _ => {
            return Ok(Err(
                "several codes were sent for one method; send one".into()
            ));
        }
    };
    let code = code.strip_prefix("passcode=").unwrap_or(code);
    let verdict = open.space.mfa.judge(entity, method, code, now).await?;
    Ok(match verdict {
        Verdict::Right => Ok(()),
        Verdict::Wrong => Err(wrong()),
        Verdict::Locked(wait) => Err(format!(
            "too many codes were wrong; try again in {} seconds",
            wait.as_secs().saturating_add(1)
        )),
    })
}

/// Whether a code is wrong, used up, or nobody has a secret to compare it with is not told.
fn wrong() -> String {
    "MFA credentials not supplied or incorrect".into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn payloads() {
        let read = |payload: Value| Codes::of_payload(payload.as_object().unwrap());
        let codes = read(json!({"a": ["1"], "b": [2], "c": null, "d": []})).unwrap();
        assert_eq!(codes.0["a"], ["1"]);
        assert_eq!(codes.0["b"], ["2"]);
        assert!(codes.0["c"].is_empty() && codes.0["d"].is_empty());
        for odd in [
            json!({"a": "1"}),
            json!({"a": {"b": 1}}),
            json!({"a": [[]]}),
            json!({"a": 5}),
        ] {
            assert!(read(odd.clone()).is_none(), "{odd}");
        }
        let many: Map<String, Value> = (0..65).map(|n| (n.to_string(), json!(["1"]))).collect();
        assert!(Codes::of_payload(&many).is_none());
    }

    #[test]
    fn headers() {
        let codes = Codes::of_headers(&["a:1".into(), "b".into(), "c:passcode=3:4".into()]);
        assert_eq!(codes.0["a"], ["1"]);
        assert!(codes.0["b"].is_empty());
        assert_eq!(codes.0["c"], ["passcode=3:4"]);
    }
}
