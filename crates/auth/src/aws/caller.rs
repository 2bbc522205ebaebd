//! Who signed a request, as STS says.

use coffer_engine::outbound::Response;
use coffer_engine::{Ctx, Fault};
use serde::{Deserialize, Serialize};

use super::api::{self, STS};
use super::arn::Principal;
use super::client::Client;
use super::signed::Signed;
use super::xml::{self, Element};

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// What AWS calls them, with the session's name if there is one.
    pub(super) user_id: String,
    /// What is theirs alone for ever, whoever comes under their name later.
    pub(super) unique_id: String,
}

/// The same, as a login keeps it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    arn: String,
    user_id: String,
}

impl Caller {
    /// Asks STS who signed.
    pub(super) async fn of(cx: &Ctx, client: &Client, signed: &Signed) -> Result<Self, Fault> {
        let request = signed.request(client).map_err(Fault::Invalid)?;
        let response = api::sent(cx, client.retries(), request).await?;
        let odd =
            |why: &str| Fault::Upstream(format!("the answer of AWS STS is not understood: {why}"));
        match response.status {
            200 => Self::read(&response).map_err(odd)?.ok_or_else(|| {
                Fault::invalid("whoever signed the request is neither a user nor a role of AWS, so nobody who can log in")
            }),
            400..=499 if !api::may_pass(&response) => Err(Fault::Invalid(refusal(&response))),
            status => Err(Fault::Upstream(format!(
                "AWS STS can not say now who signed: it answered with status {status}"
            ))),
        }
    }

    /// The answer to GetCallerIdentity, in which everything has to agree; none for an account itself and the like.
    fn read(response: &Response) -> Result<Option<Self>, &'static str> {
        let kind = response.media_type.split(';').next().unwrap_or_default();
        if !matches!(kind.trim(), "text/xml" | "application/xml") {
            return Err("it is not XML");
        }
        let root = xml::parse(&response.body, "GetCallerIdentityResponse", STS.namespace)?;
        let result = root.child("GetCallerIdentityResult");
        let text = |name| result?.text_of(name);
        let (Some(arn), Some(user_id), Some(account)) =
            (text("Arn"), text("UserId"), text("Account"))
        else {
            return Err("it does not say who signed");
        };
        let Some(principal) = Principal::parse(arn) else {
            return Ok(None);
        };
        let caller = Self::from_parts(principal, user_id);
        let caller = caller.filter(|caller| caller.principal.account == account);
        caller.map(Some).ok_or("it contradicts itself")
    }

    fn from_parts(principal: Principal, user_id: &str) -> Option<Self> {
        let unique_id = principal.unique_id(user_id)?.to_owned();
        Some(Self {
            principal,
            user_id: user_id.to_owned(),
            unique_id,
        })
    }

    pub(super) fn keep(&self) -> Kept {
        Kept {
            arn: self.principal.to_string(),
            user_id: self.user_id.clone(),
        }
    }
}

impl Kept {
    pub(super) fn caller(&self) -> Result<Caller, Fault> {
        Principal::parse(&self.arn)
            .and_then(|principal| Caller::from_parts(principal, &self.user_id))
            .ok_or_else(|| Fault::internal("a login names nobody"))
    }
}

/// What STS said against a request: its code alone, because the rest repeats what the client sent.
fn refusal(response: &Response) -> String {
    let root = xml::parse(&response.body, "ErrorResponse", STS.namespace).unwrap_or_default();
    match code(&root) {
        Some(code) => format!("AWS STS refused the signed request: {code}"),
        None => "AWS STS refused the signed request".to_owned(),
    }
}

/// The code of an error, if it is one word.
pub(super) fn code(root: &Element) -> Option<&str> {
    let code = root.child("Error")?.text_of("Code")?;
    let sign = |c: char| c.is_ascii_alphanumeric() || c == '.';
    (code.len() <= 64 && code.chars().all(sign)).then_some(code)
}

#[cfg(test)]
mod tests {
    use coffer_crypto::Zeroizing;

    use super::*;

    const ARN: &str = "arn:aws:sts::123456789012:assumed-role/app/s";

    fn read(media_type: &str, body: &str) -> Result<Option<Caller>, &'static str> {
        Caller::read(&Response {
            status: 200,
            media_type: media_type.to_owned(),
            body: Zeroizing::new(body.into()),
        })
    }

    fn answer(result: &str) -> String {
        let namespace = STS.namespace;
        format!(
            "<GetCallerIdentityResponse xmlns=\"{namespace}\"><GetCallerIdentityResult>{result}</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
        )
    }

    fn said(arn: &str, user_id: &str, account: &str) -> String {
        answer(&format!(
            "<Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>{account}</Account>"
        ))
    }

    #[test]
    fn who_it_is() {
        let caller = read(
            "text/xml; charset=utf-8",
            &said(ARN, "AROA1:s", "123456789012"),
        )
        .unwrap()
        .unwrap();
        assert_eq!(
            (caller.unique_id.as_str(), caller.user_id.as_str()),
            ("AROA1", "AROA1:s")
        );
        assert_eq!(caller.keep().caller().unwrap(), caller);
    }

    #[test]
    fn everything_has_to_agree() {
        let fine = said(ARN, "AROA1:s", "123456789012");
        let inner = "<Arn>arn:aws:sts::123456789012:assumed-role/app/s</Arn>";
        for (media_type, body) in [
            ("application/json", fine.clone()),
            ("", fine.clone()),
            ("text/xml", "{\"GetCallerIdentityResponse\": {}}".to_owned()),
            (
                "text/xml",
                fine.replace(
                    "GetCallerIdentityResponse",
                    "AssumeRoleWithWebIdentityResponse",
                ),
            ),
            ("text/xml", fine.replace("https://sts", "https://evil")),
            ("text/xml", fine.replace(inner, &format!("{inner}{inner}"))),
            ("text/xml", fine.replace(inner, "<Arn><Arn>x</Arn></Arn>")),
            ("text/xml", format!("{fine}{fine}")),
            ("text/xml", said(ARN, "AROA1:s", "210987654321")),
            ("text/xml", said(ARN, "AROA1:t", "123456789012")),
            ("text/xml", said(ARN, "AROA1", "123456789012")),
            (
                "text/xml",
                said(
                    "arn:aws:iam::123456789012:role/app",
                    "AROA1",
                    "123456789012",
                ),
            ),
            ("text/xml", answer("")),
            ("text/xml", String::new()),
        ] {
            assert!(read(media_type, &body).is_err(), "{media_type} {body}");
        }
    }

    #[test]
    fn an_account_is_nobody() {
        let account = "123456789012";
        let root = said("arn:aws:iam::123456789012:root", account, account);
        assert_eq!(read("text/xml", &root), Ok(None));
    }

    #[test]
    fn of_a_refusal_only_the_code_is_told() {
        let namespace = STS.namespace;
        let body = |code: &str| {
            Response {
            status: 403,
            media_type: "text/xml".to_owned(),
            body: Zeroizing::new(format!("<ErrorResponse xmlns=\"{namespace}\"><Error><Type>Sender</Type><Code>{code}</Code><Message>secret</Message></Error></ErrorResponse>").into()),
        }
        };
        assert!(refusal(&body("ExpiredToken")).ends_with(": ExpiredToken"));
        for odd in ["a b", "&lt;script&gt;", ""] {
            assert_eq!(refusal(&body(odd)), "AWS STS refused the signed request");
        }
    }
}
