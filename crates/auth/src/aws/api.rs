//! What we ask AWS ourselves, signed by a key of ours.

use std::time::Duration;

use coffer_crypto::Secret;
use coffer_crypto::sigv4::{self, Credentials, Scope};
use coffer_engine::outbound::{Request, Response};
use coffer_engine::{Ctx, Fault};
use url::form_urlencoded;

use super::accounts::Account;
use super::arn::Principal;
use super::client::Client;
use super::xml::{self, Element};
use super::{Aws, caller, hosts};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may be.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How long the first pause is; each is twice the one before.
const PAUSE: Duration = Duration::from_millis(100);
const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// A service of AWS.
pub(super) struct Service {
    name: &'static str,
    version: &'static str,
    pub(super) namespace: &'static str,
}

pub(super) const STS: Service = Service {
    name: "sts",
    version: "2011-06-15",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
};
const IAM: Service = Service {
    name: "iam",
    version: "2010-05-08",
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
};
const EC2: Service = Service {
    name: "ec2",
    version: "2016-11-15",
    namespace: "http://ec2.amazonaws.com/doc/2016-11-15/",
};

/// AWS, as one account sees it.
pub(super) struct Api<'a> {
    cx: &'a Ctx,
    client: &'a Client,
    credentials: Credentials,
}

/// Somebody as IAM has them.
pub(super) struct Found {
    /// With the path.
    pub(super) principal: Principal,
    pub(super) unique_id: String,
}

impl<'a> Api<'a> {
    /// Asks by our own key.
    pub(super) fn own(engine: &Aws, cx: &'a Ctx, client: &'a Client) -> Result<Self, Fault> {
        let credentials = match client.access_key.is_empty() {
            true => engine.environment.clone(),
            false => Some(Credentials {
                access_key: client.access_key.clone(),
                secret_key: client.secret_key.clone(),
                session_token: None,
            }),
        };
        let credentials = credentials.ok_or_else(|| {
            Fault::invalid("AWS can not be asked: there is no access key, neither in config/client nor in the environment")
        })?;
        Ok(Self {
            cx,
            client,
            credentials,
        })
    }

    /// Asks in the account that `of` is in: by the role that is configured for it, else by our own key.
    pub(super) async fn within(
        engine: &Aws,
        cx: &'a Ctx,
        client: &'a Client,
        of: &Principal,
    ) -> Result<Self, Fault> {
        let own = Self::own(engine, cx, client)?;
        match Account::find(cx, &of.account).await? {
            Some(account) => own.assumed(&account, &of.partition).await,
            None => Ok(own),
        }
    }

    /// The user or role that `of` names, as IAM has them. One of another account, or of another name, is nobody.
    pub(super) async fn principal(&self, of: &Principal) -> Result<Option<Found>, Fault> {
        use super::arn::Kind::{AssumedRole, FederatedUser, InstanceProfile, Role, User};
        let (action, what, name, id) = match &of.kind {
            User { name, .. } => ("GetUser", "User", name, "UserId"),
            Role { name, .. } | AssumedRole { role: name, .. } => {
                ("GetRole", "Role", name, "RoleId")
            }
            FederatedUser { .. } | InstanceProfile { .. } => return Ok(None),
        };
        let asked = [(format!("{what}Name"), name.clone())];
        let Some(root) = self.iam(action, &asked, &of.partition).await? else {
            return Ok(None);
        };
        let found = root.child(&format!("{action}Result"));
        let found = found.and_then(|result| result.child(what));
        let principal = found.and_then(|found| Principal::parse(found.text_of("Arn")?));
        let unique_id = found.and_then(|found| found.text_of(id));
        let (Some(principal), Some(unique_id)) = (principal, unique_id) else {
            return Err(Fault::upstream("the answer of AWS IAM is not understood"));
        };
        let same = principal.account == of.account
            && principal.partition == of.partition
            && principal.canonical_kind() == of.canonical_kind();
        Ok(same.then(|| Found {
            principal,
            unique_id: unique_id.to_owned(),
        }))
    }

    /// The names of the roles that an instance profile gives its instances.
    pub(super) async fn roles_of(&self, profile: &Principal) -> Result<Vec<Principal>, Fault> {
        let name = profile.friendly_name().to_owned();
        let asked = [("InstanceProfileName".to_owned(), name)];
        let root = self.iam("GetInstanceProfile", &asked, &profile.partition);
        let Some(root) = root.await? else {
            return Ok(Vec::new());
        };
        let found = root.child("GetInstanceProfileResult");
        let found = found.and_then(|result| result.child("InstanceProfile"));
        let same = found.and_then(|found| Principal::parse(found.text_of("Arn")?));
        if same.as_ref() != Some(profile) {
            return Ok(Vec::new());
        }
        let roles = found.and_then(|found| found.child("Roles"));
        let roles = roles.into_iter().flat_map(|roles| roles.all("member"));
        Ok(roles
            .filter_map(|role| Principal::parse(role.text_of("Arn")?))
            .collect())
    }

    /// The answer about one instance.
    pub(super) async fn instance(&self, id: &str, region: &str) -> Result<Option<Element>, Fault> {
        let url = match self.client.endpoint.as_str() {
            "" => format!("https://{}", hosts::of("ec2", region)),
            endpoint => endpoint.to_owned(),
        };
        let asked = [("InstanceId.1".to_owned(), id.to_owned())];
        self.ask(&EC2, "DescribeInstances", &asked, &url, region)
            .await
    }

    /// Makes a second key for whoever we are, and says what it is.
    pub(super) async fn new_key(&self) -> Result<Credentials, Fault> {
        let root = self.iam("CreateAccessKey", &[], self.home()).await?;
        let root = root.unwrap_or_default();
        let made = root.child("CreateAccessKeyResult");
        let made = made.and_then(|made| made.child("AccessKey"));
        let text = |name: &str| made?.text_of(name);
        match (text("AccessKeyId"), text("SecretAccessKey")) {
            (Some(id), Some(secret)) => Ok(Credentials {
                access_key: id.to_owned(),
                secret_key: Secret::from(secret),
                session_token: None,
            }),
            _ => Err(Fault::upstream("AWS IAM made no new access key")),
        }
    }

    /// Removes a key of whoever we are.
    pub(super) async fn remove_key(&self, access_key: &str) -> Result<(), Fault> {
        let asked = [("AccessKeyId".to_owned(), access_key.to_owned())];
        self.iam("DeleteAccessKey", &asked, self.home())
            .await
            .map(drop)
    }

    /// The same AWS, as a role sees it that is assumed.
    async fn assumed(self, account: &Account, partition: &str) -> Result<Self, Fault> {
        let region = match self.client.sts_region.as_str() {
            "" => hosts::home_region(partition),
            region => region,
        };
        let url = match (self.client.sts_endpoint.as_str(), partition) {
            ("", "aws") if self.client.sts_region.is_empty() => {
                format!("https://{}", hosts::GLOBAL_STS)
            }
            ("", _) => format!("https://{}", hosts::of("sts", region)),
            (endpoint, _) => endpoint.to_owned(),
        };
        let mut asked = vec![
            ("RoleArn".to_owned(), account.sts_role.clone()),
            ("RoleSessionName".to_owned(), "coffer".to_owned()),
        ];
        if !account.external_id.is_empty() {
            asked.push(("ExternalId".to_owned(), account.external_id.clone()));
        }
        let root = self.ask(&STS, "AssumeRole", &asked, &url, region).await?;
        let root = root.unwrap_or_default();
        let made = root.child("AssumeRoleResult");
        let made = made.and_then(|result| result.child("Credentials"));
        let text = |name: &str| made?.text_of(name);
        match (
            text("AccessKeyId"),
            text("SecretAccessKey"),
            text("SessionToken"),
        ) {
            (Some(id), Some(secret), Some(token)) => Ok(Self {
                credentials: Credentials {
                    access_key: id.to_owned(),
                    secret_key: Secret::from(secret),
                    session_token: Some(Secret::from(token)),
                },
                ..self
            }),
            _ => Err(Fault::upstream(
                "AWS STS gave no key for the role of config/sts",
            )),
        }
    }

    /// The partition that our own key is of.
    fn home(&self) -> &'static str {
        hosts::partition(&self.client.sts_region)
    }

    async fn iam(
        &self,
        action: &str,
        asked: &[(String, String)],
        partition: &str,
    ) -> Result<Option<Element>, Fault> {
        let (host, region) = hosts::iam(partition);
        let url = match self.client.iam_endpoint.as_str() {
            "" => format!("https://{host}"),
            endpoint => endpoint.to_owned(),
        };
        self.ask(&IAM, action, asked, &url, region).await
    }

    /// One action of one service; none where it says that nobody is there.
    async fn ask(
        &self,
        service: &Service,
        action: &str,
        asked: &[(String, String)],
        url: &str,
        region: &str,
    ) -> Result<Option<Element>, Fault> {
        let request = self.signed(&form(action, service, asked), service, url, region);
        // Whose answer is lost may have been obeyed.
        let retries = match action {
            "CreateAccessKey" => 0,
            _ => self.client.retries(),
        };
        let response = sent(self.cx, retries, request).await?;
        let (name, about) = (service.name.to_uppercase(), service.namespace);
        if response.status == 200 {
            let root = xml::parse(&response.body, &format!("{action}Response"), about);
            return root.map(Some).map_err(|why| {
                Fault::Upstream(format!(
                    "the answer of AWS {name} to {action} is not understood: {why}"
                ))
            });
        }
        match refusal(&response, about).as_deref() {
            Some("NoSuchEntity" | "InvalidInstanceID.NotFound" | "InvalidInstanceID.Malformed") => {
                Ok(None)
            }
            Some(code) => Err(Fault::Upstream(format!(
                "AWS {name} refused {action}: {code}"
            ))),
            None => Err(Fault::Upstream(format!(
                "AWS {name} answered {action} with status {}",
                response.status
            ))),
        }
    }

    fn signed(&self, body: &str, service: &Service, url: &str, region: &str) -> Request {
        let host = url.split_once("://").map_or(url, |(_, host)| host);
        let time: String = self.cx.now.whole_seconds().to_string();
        let time = time.replace(['-', ':'], "");
        let what = sigv4::Request {
            method: "POST",
            host,
            headers: &[("content-type", FORM)],
            body: body.as_bytes(),
        };
        let scope = Scope {
            time: &time,
            region,
            service: service.name,
        };
        let request = Request::post(format!("{url}/"), FORM, body.into()).with("host", host);
        let fields = self.credentials.sign(&what, scope);
        fields
            .into_iter()
            .fold(request, |request, (name, value)| request.with(&name, value))
    }
}

fn form(action: &str, service: &Service, asked: &[(String, String)]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("Action", action);
    body.append_pair("Version", service.version);
    body.extend_pairs(asked);
    body.finish()
}

/// Sends a request to AWS, so often again where it failed for a reason that may pass.
pub(super) async fn sent(cx: &Ctx, retries: u32, request: Request) -> Result<Response, Fault> {
    let request = Request {
        timeout: TIMEOUT,
        most: ANSWER_BYTES_MAX,
        ..request
    };
    let mut pause = PAUSE;
    for _ in 0..retries {
        match cx.fetch(request.clone()).await {
            Ok(response) if !may_pass(&response) => return Ok(response),
            Ok(_) | Err(Fault::Upstream(_)) => {}
            Err(fault) => return Err(fault),
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    cx.fetch(request).await
}

/// Whether an answer says no more than that AWS can not answer now. Some of its services say so with status 400.
pub(super) fn may_pass(response: &Response) -> bool {
    let busy = |body: &[u8]| {
        let code = b"<Code>Throttling";
        body.windows(code.len()).any(|part| part == code)
    };
    match response.status {
        400 => busy(&response.body),
        status => status >= 500 || status == 429,
    }
}

/// The code of an error: IAM and STS wrap it in one way, EC2 in another.
fn refusal(response: &Response, namespace: &str) -> Option<String> {
    if let Ok(root) = xml::parse(&response.body, "ErrorResponse", namespace) {
        return caller::code(&root).map(str::to_owned);
    }
    let root = xml::parse_bare(&response.body, "Response").ok()?;
    caller::code(root.child("Errors")?).map(str::to_owned)
}
