//! A request for GetCallerIdentity that a client signed. It is taken apart, every part is checked, and what is sent is put
//! together anew: nothing reaches STS that was not looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::sigv4::ALGORITHM;
use coffer_crypto::{Zeroizing, constant_time_eq};
use coffer_engine::outbound::{Method, Request};

use super::client::Client;
use super::headers::Headers;
use super::hosts;

/// The name under which clients sign which server they mean.
const SERVER_ID: &str = "x-vault-aws-iam-server-id";
/// The body says this and nothing else, in one of these spellings.
const BODIES: [&str; 2] = [
    "Action=GetCallerIdentity&Version=2011-06-15",
    "Version=2011-06-15&Action=GetCallerIdentity",
];
const FORM: &str = "application/x-www-form-urlencoded";
/// Header fields that may be signed whatever is configured.
const ALLOWED: [&str; 13] = [
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-amzn-trace-id",
    SERVER_ID,
];
const URL_BYTES_MAX: usize = 512;

/// What a client brought.
pub(super) struct Brought<'a> {
    pub(super) method: &'a str,
    /// In base64.
    pub(super) url: &'a str,
    /// In base64.
    pub(super) body: &'a str,
    pub(super) headers: &'a Headers,
}

/// A request that can be sent.
pub(super) struct Signed {
    host: String,
    /// The region that it was signed for.
    region: String,
    headers: Vec<(String, String)>,
    body: &'static str,
}

impl Signed {
    /// Takes a request apart; the error says what is wrong with it.
    pub(super) fn read(brought: &Brought<'_>, client: &Client) -> Result<Self, String> {
        if brought.method != "POST" {
            return Err("invalid iam_http_request_method; only \"POST\" is supported".into());
        }
        let host = host(brought.url, client)?;
        let body = body(brought.body)?;
        if brought.headers.is_empty() {
            return Err("missing iam_request_headers".into());
        }
        let seal = brought.headers.get("authorization");
        let seal = seal.ok_or("iam_request_headers: Authorization is missing")?;
        let seal = Seal::read(seal).ok_or(
            "iam_request_headers: Authorization is not a whole signature by AWS4-HMAC-SHA256 for the service sts",
        )?;
        let headers = fields(brought.headers, &seal, client, &host, body)?;
        Ok(Self {
            host,
            region: seal.region,
            headers,
            body,
        })
    }

    /// What is sent, and where to: to the STS that is configured, or to one of AWS's own.
    pub(super) fn request(&self, client: &Client) -> Result<Request, String> {
        let own = |region: &str| match hosts::is_region(region) {
            true => Ok(format!("https://{}/", hosts::of("sts", region))),
            false => Err("the request is signed for a region that AWS does not have".to_owned()),
        };
        let url = if client.use_sts_region_from_client {
            own(&self.region)?
        } else if !client.sts_endpoint.is_empty() {
            format!("{}/", client.sts_endpoint)
        } else if !client.sts_region.is_empty() {
            own(&client.sts_region)?
        } else {
            format!("https://{}/", self.host)
        };
        let signed = |name: &str| self.headers.iter().any(|(field, _)| field == name);
        let typed = match signed("content-type") {
            true => Request {
                method: Method::Post,
                body: Zeroizing::new(self.body.into()),
                ..Request::get(url)
            },
            false => Request::post(url, FORM, self.body.into()),
        };
        let request = typed.with("host", self.host.as_str());
        let fields = self.headers.iter();
        Ok(fields.fold(request, |request, (name, value)| {
            request.with(name, value.as_str())
        }))
    }
}

/// What `Authorization` says.
struct Seal {
    access_key: String,
    date: String,
    region: String,
    /// The names of the signed fields, sorted.
    names: Vec<String>,
    signature: String,
}

impl Seal {
    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut credential, mut names, mut signature) = (None, None, None);
        for part in rest.split(',') {
            let (name, value) = part.trim_matches(' ').split_once('=')?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut names,
                "Signature" => &mut signature,
                _ => return None,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        let parts: Vec<&str> = credential?.split('/').collect();
        let [access_key, date, region, "sts", "aws4_request"] = parts.as_slice() else {
            return None;
        };
        let names: Vec<String> = names?.split(';').map(str::to_owned).collect();
        let signature = signature?;
        let hex = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
        let slug = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fine = access_key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
            && (1..=128).contains(&access_key.len())
            && date.len() == 8
            && date.chars().all(|c| c.is_ascii_digit())
            && (1..=64).contains(&region.len())
            && region.chars().all(slug)
            && names.is_sorted_by(|one, next| one < next)
            && names
                .iter()
                .all(|name| super::headers::is_header_name(name))
            && signature.len() == 64
            && signature.chars().all(hex);
        fine.then(|| Self {
            access_key: (*access_key).to_owned(),
            date: (*date).to_owned(),
            region: (*region).to_owned(),
            names,
            signature: signature.to_owned(),
        })
    }

    /// It in its one spelling.
    fn written(&self) -> String {
        let Self {
            access_key,
            date,
            region,
            signature,
            ..
        } = self;
        let names = self.names.join(";");
        format!(
            "{ALGORITHM} Credential={access_key}/{date}/{region}/sts/aws4_request, SignedHeaders={names}, Signature={signature}"
        )
    }

    fn signs(&self, name: &str) -> bool {
        self.names.iter().any(|signed| signed == name)
    }
}

/// The host that the request was signed for: the configured one or one of AWS's, and nothing else in the address.
fn host(url: &str, client: &Client) -> Result<String, String> {
    let url = decoded("iam_request_url", url, URL_BYTES_MAX)?;
    let configured = client.sts_host();
    let bare = url.strip_suffix('/').unwrap_or(&url);
    if !client.sts_endpoint.is_empty() && bare == client.sts_endpoint {
        return Ok(configured.unwrap_or_default().to_owned());
    }
    let host = bare.strip_prefix("https://").unwrap_or_default();
    match hosts::is_sts(host) || configured == Some(host) {
        true => Ok(host.to_owned()),
        false => Err("iam_request_url is to be the address of an STS of AWS, or of the configured sts_endpoint, like \"https://sts.amazonaws.com/\", without a path, a query or anything else".into()),
    }
}

fn body(body: &str) -> Result<&'static str, String> {
    let body = decoded("iam_request_body", body, URL_BYTES_MAX)?;
    let known = BODIES.into_iter().find(|known| *known == body);
    known.ok_or_else(|| format!("iam_request_body is to be {:?} and nothing else", BODIES[0]))
}

fn decoded(name: &str, text: &str, most: usize) -> Result<String, String> {
    if text.is_empty() {
        return Err(format!("missing {name}"));
    }
    if text.len() > most {
        return Err(format!("{name} is too long"));
    }
    let bytes = STANDARD.decode(text);
    let bytes = bytes.map_err(|_| format!("failed to base64 decode {name}"))?;
    String::from_utf8(bytes).map_err(|_| format!("{name} is not a text"))
}

/// The fields to send: those that are signed, and the signature. What is brought besides is left out, unless it is of a
/// kind that AWS looks at.
fn fields(
    headers: &Headers,
    seal: &Seal,
    client: &Client,
    host: &str,
    body: &str,
) -> Result<Vec<(String, String)>, String> {
    let wrong = |name: &str, why: &str| Err(format!("iam_request_headers: {name} {why}"));
    let more = &client.allowed_sts_header_values;
    for (name, _) in headers.iter() {
        let known = ALLOWED.contains(&name) || more.iter().any(|allowed| allowed == name);
        let signed = seal.signs(name);
        if !known && (signed || name.starts_with("x-amz-")) {
            return wrong(name, "is not allowed; see allowed_sts_header_values");
        }
        if known && !signed && name.starts_with("x-amz-") {
            return wrong(name, "is not signed");
        }
    }
    if !seal.signs("host") || headers.get("host").is_some_and(|value| value != host) {
        return wrong("Host", "is to be signed, and that of iam_request_url");
    }
    let date = headers.get("x-amz-date").unwrap_or_default();
    if !is_moment(date) || !date.starts_with(&seal.date) {
        return wrong(
            "X-Amz-Date",
            "is to be the time of the signature, and signed",
        );
    }
    let length = headers.get("content-length").unwrap_or_default();
    if !length.is_empty() && length != body.len().to_string() {
        return wrong("Content-Length", "is not the length of iam_request_body");
    }
    if headers
        .get("content-type")
        .is_some_and(|value| !is_form(value))
    {
        return wrong("Content-Type", "is not that of iam_request_body");
    }
    check_server_id(headers, seal, client)?;
    let mut kept = Vec::new();
    for name in &seal.names {
        match (name.as_str(), headers.get(name)) {
            // These two the connection brings; they are what was signed.
            ("host" | "content-length", _) => {}
            ("authorization", _) => return wrong(name, "can not be signed"),
            (_, Some(value)) => kept.push((name.clone(), value.to_owned())),
            (_, None) => return wrong(name, "is signed but missing"),
        }
    }
    kept.push(("authorization".to_owned(), seal.written()));
    Ok(kept)
}

/// What was signed for another server is of no use here.
fn check_server_id(headers: &Headers, seal: &Seal, client: &Client) -> Result<(), String> {
    let wanted = &client.iam_server_id_header_value;
    if wanted.is_empty() {
        return Ok(());
    }
    let Some(value) = headers.get(SERVER_ID) else {
        return Err("error validating X-Vault-AWS-IAM-Server-ID header: missing header \"X-Vault-AWS-IAM-Server-ID\"".into());
    };
    if !constant_time_eq(value.as_bytes(), wanted.as_bytes()) {
        return Err("error validating X-Vault-AWS-IAM-Server-ID header: the value is that of another server".into());
    }
    match seal.signs(SERVER_ID) {
        true => Ok(()),
        false => Err(
            "error validating X-Vault-AWS-IAM-Server-ID header: the header wasn't signed".into(),
        ),
    }
}

/// Whether a text is a time as signatures have it: `20150830T123600Z`.
fn is_moment(text: &str) -> bool {
    let digits = |range| {
        text.get(range)
            .is_some_and(|part: &str| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.len() == 16
        && digits(0..8)
        && digits(9..15)
        && text.get(8..9) == Some("T")
        && text.ends_with('Z')
}

fn is_form(value: &str) -> bool {
    let value = value.to_ascii_lowercase().replace(' ', "");
    value == FORM || value == format!("{FORM};charset=utf-8")
}
