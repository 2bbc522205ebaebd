//! A role that is assumed by a token of somebody who vouches for this workload (a cluster of Kubernetes).

use std::path::PathBuf;

use coffer_barrier::WrapError;
use coffer_crypto::sigv4::Credentials;
use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::outbound::Request;
use coffer_wire::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;
use url::form_urlencoded;

use crate::awskms::api::{bare, host_of};
use crate::build::BuildError;
use crate::exchange::{Exchange, unlike};
use crate::fresh::Lasting;
use crate::source::Source;
use crate::stanza::Stanza;

const WHO: &str = "AWS STS";
const FORM: &str = "application/x-www-form-urlencoded";
const SESSION: &str = "coffer-seal";
/// Where an answer's credentials stand.
const PLACE: [&str; 3] = [
    "AssumeRoleWithWebIdentityResponse",
    "AssumeRoleWithWebIdentityResult",
    "Credentials",
];

pub(super) struct WebIdentity {
    /// Read each time: it is written anew long before it ends.
    token: Source,
    role: String,
    session: String,
    endpoint: Option<String>,
}

impl WebIdentity {
    pub(super) fn build(stanza: &Stanza<'_>) -> Result<Option<Self>, BuildError> {
        let token = stanza.variable("AWS_WEB_IDENTITY_TOKEN_FILE");
        let role = stanza.variable("AWS_ROLE_ARN");
        let session = stanza.variable("AWS_ROLE_SESSION_NAME");
        let name = "AWS_ENDPOINT_URL_STS";
        let endpoint = match stanza.variable(name) {
            None => None,
            Some(text) => Some(bare(&text).ok_or_else(|| stanza.unfit(name, "is no address"))?),
        };
        let both = token.zip(role);
        Ok(both.map(|(token, role)| Self::new(token.into(), role, session, endpoint)))
    }

    pub(super) fn new(
        token: PathBuf,
        role: String,
        session: Option<String>,
        endpoint: Option<String>,
    ) -> Self {
        Self {
            token: Source::File(token),
            role,
            session: session.unwrap_or_else(|| SESSION.to_owned()),
            endpoint,
        }
    }

    pub(super) async fn credentials(
        &self,
        exchange: &Exchange,
        region: &str,
    ) -> Result<Lasting<Credentials>, WrapError> {
        let token = self.token.fetch().await;
        let token =
            token.map_err(|why| exchange.refused(&format!("AWS_WEB_IDENTITY_TOKEN_FILE {why}")))?;
        let body = self.form(&token);
        let url = match &self.endpoint {
            Some(endpoint) => endpoint.clone(),
            None => format!("https://{}", host_of("sts", region)),
        };
        let request = Request::post(format!("{url}/"), FORM, body.into_bytes());
        let answer = exchange.ask_of(WHO, request).await?;
        match answer.status {
            200 => issued(&answer.body)
                .ok_or_else(|| WrapError::Garbled(format!("{WHO}: the answer is not understood"))),
            400 | 403 => Err(WrapError::Refused(format!(
                "{WHO}: it does not let the web identity assume the role AWS_ROLE_ARN"
            ))),
            status => Err(unlike(WHO, status)),
        }
    }

    fn form(&self, token: &Secret<String>) -> String {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair("Action", "AssumeRoleWithWebIdentity");
        body.append_pair("Version", "2011-06-15");
        body.append_pair("RoleArn", &self.role);
        body.append_pair("RoleSessionName", &self.session);
        body.append_pair("WebIdentityToken", token.expose());
        body.finish()
    }
}

/// The credentials of an answer: elements with text, one below the other, nothing else.
fn issued(body: &[u8]) -> Option<Lasting<Credentials>> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut path: Vec<String> = Vec::new();
    let [mut access_key, mut expiration] = [String::new(), String::new()];
    let [mut secret_key, mut token] =
        [Zeroizing::new(String::new()), Zeroizing::new(String::new())];
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) if path.len() < 8 => {
                path.push(tag.local_name().as_ref().to_owned());
            }
            Event::End(_) => {
                path.pop()?;
            }
            Event::Text(text) => {
                let text = text.xml10_content();
                let [above @ .., leaf] = path.as_slice() else {
                    continue;
                };
                if above != PLACE {
                    continue;
                }
                match leaf.as_str() {
                    "AccessKeyId" => access_key.push_str(&text),
                    "SecretAccessKey" => secret_key.push_str(&text),
                    "SessionToken" => token.push_str(&text),
                    "Expiration" => expiration.push_str(&text),
                    _ => {}
                }
            }
            Event::Empty(_) | Event::Decl(_) => {}
            Event::Eof => break,
            _ => return None,
        }
    }
    if access_key.is_empty() || secret_key.is_empty() {
        return None;
    }
    Some(Lasting {
        value: Credentials {
            access_key,
            secret_key: Secret::from(secret_key),
            session_token: (!token.is_empty()).then(|| Secret::from(token)),
        },
        until: Some(Timestamp::parse(expiration.trim())?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_strictly() {
        let good = "<?xml version=\"1.0\"?><AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>s+/=</SecretAccessKey>\
            <SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>\
            </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
        let read = issued(good.as_bytes()).unwrap();
        assert_eq!(read.value.access_key, "AK");
        assert_eq!(read.value.secret_key.expose(), "s+/=");
        assert_eq!(read.until, Timestamp::parse("2030-01-01T00:00:00Z"));
        for wrong in [
            "".to_owned(),
            good.replace("AccessKeyId", "Other"),
            good.replace("2030-01-01", "soon"),
            good.replace("Result>", "Other>"),
            good.replace("s+/=", "<![CDATA[s]]>"),
            good.replace(
                "<?xml version=\"1.0\"?>",
                "<!DOCTYPE a [<!ENTITY b \"c\">]>",
            ),
            "<a>".repeat(10_000),
        ] {
            assert!(issued(wrong.as_bytes()).is_none(), "{wrong:.60}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[<>/a-zA-Z &;\"=!?\\-\\[\\]]{0,300}") {
            let _ = issued(text.as_bytes());
            let inside = format!("<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>{text}");
            let _ = issued(inside.as_bytes());
        }
    }
}
