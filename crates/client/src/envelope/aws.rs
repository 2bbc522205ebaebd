//! AWS KMS as a keeper, by its JSON protocol. Nothing of it goes through Coffer.

use std::time::{Duration, SystemTime};

use coffer_crypto::Secret;
use coffer_crypto::sigv4::{Credentials, Request, Scope};
use coffer_wire::Timestamp;
use reqwest::redirect::Policy;
use serde_json::{Map, Value, json};
use url::Url;

use super::keeper::{Fresh, data_key, sent, text};
use super::{Context, DataKey, KeeperError, Recipient};

/// The word for it in envelopes.
pub(super) const WORD: &str = "aws-kms";
const WHO: &str = "AWS KMS";
const MEDIA_TYPE: &str = "application/x-amz-json-1.1";
const TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes; those of interest are a few hundred.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// AWS KMS as the environment says: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` or
/// `AWS_DEFAULT_REGION`, `AWS_ENDPOINT_URL_KMS` or `AWS_ENDPOINT_URL`.
pub(super) struct AwsKms {
    credentials: Option<Credentials>,
    region: Option<String>,
    endpoint: Option<String>,
}

impl AwsKms {
    pub(super) fn from_environment() -> Self {
        let both = (
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
        );
        Self {
            credentials: match both {
                (Some(access_key), Some(secret_key)) => Some(Credentials {
                    access_key,
                    secret_key: Secret::new(secret_key),
                    session_token: variable("AWS_SESSION_TOKEN").map(Secret::new),
                }),
                _ => None,
            },
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            endpoint: variable("AWS_ENDPOINT_URL_KMS").or_else(|| variable("AWS_ENDPOINT_URL")),
        }
    }

    pub(super) async fn fresh(&self, key: &str, context: &Context) -> Result<Fresh, KeeperError> {
        let body =
            json!({ "KeyId": key, "KeySpec": "AES_256", "EncryptionContext": context.pairs() });
        let answer = self.ask("GenerateDataKey", key, &body).await?;
        let plain = data_key(answer.get("Plaintext"), WHO)?;
        Ok((plain, recipient(key, &answer)?))
    }

    pub(super) async fn wrap(
        &self,
        key: &str,
        context: &Context,
        plain: &DataKey,
    ) -> Result<Recipient, KeeperError> {
        let plain = sent(plain);
        let body = json!({ "KeyId": key, "Plaintext": plain.as_str(), "EncryptionContext": context.pairs() });
        recipient(key, &self.ask("Encrypt", key, &body).await?)
    }

    pub(super) async fn unwrap(
        &self,
        of: &Recipient,
        context: &Context,
    ) -> Result<DataKey, KeeperError> {
        let body = json!({ "KeyId": of.key, "CiphertextBlob": of.wrapped, "EncryptionContext": context.pairs() });
        let answer = self.ask("Decrypt", &of.key, &body).await?;
        data_key(answer.get("Plaintext"), WHO)
    }

    pub(super) async fn rewrap(
        &self,
        of: &Recipient,
        context: &Context,
    ) -> Result<Recipient, KeeperError> {
        let body = json!({
            "CiphertextBlob": of.wrapped,
            "SourceKeyId": of.key,
            "DestinationKeyId": of.key,
            "SourceEncryptionContext": context.pairs(),
            "DestinationEncryptionContext": context.pairs(),
        });
        let answer = self.ask("ReEncrypt", &of.key, &body).await?;
        let made = recipient(&of.key, &answer)?;
        Ok(Recipient {
            alias: of.alias.clone(),
            ..made
        })
    }

    async fn ask(
        &self,
        operation: &str,
        key: &str,
        body: &Value,
    ) -> Result<Map<String, Value>, KeeperError> {
        let (url, region) = self.place(key)?;
        let target = format!("TrentService.{operation}");
        let body = body.to_string();
        let request = self.signed(&url, &region, &target, body).await?;
        let mut answer = request.send().await.map_err(|error| {
            KeeperError::Aws(format!(
                "{} does not answer: {}",
                host(&url),
                error.without_url()
            ))
        })?;
        let status = answer.status();
        let mut read = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| KeeperError::Aws(error.without_url().to_string()))?
        {
            read.extend_from_slice(&chunk);
            if read.len() > ANSWER_BYTES_MAX {
                return Err(KeeperError::NoDataKey(WHO));
            }
        }
        let answer: Map<String, Value> = match coffer_wire::parse_foreign(&read) {
            Ok(Value::Object(answer)) => answer,
            _ if !status.is_success() => return Err(KeeperError::Aws(format!("status {status}"))),
            _ => return Err(KeeperError::NoDataKey(WHO)),
        };
        match status.is_success() {
            true => Ok(answer),
            false => Err(refusal(operation, &answer)),
        }
    }

    async fn signed(
        &self,
        url: &Url,
        region: &str,
        target: &str,
        body: String,
    ) -> Result<reqwest::RequestBuilder, KeeperError> {
        let Some(credentials) = &self.credentials else {
            let text = "there is no key to sign with; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for keys that end)";
            return Err(KeeperError::Aws(text.to_owned()));
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = Timestamp::from_secs(now.unwrap_or_default().as_secs());
        let time = now.to_string().replace(['-', ':'], "");
        let host = host(url);
        let fields = credentials.sign(
            &Request {
                method: "POST",
                host: &host,
                headers: &[("content-type", MEDIA_TYPE), ("x-amz-target", target)],
                body: body.as_bytes(),
            },
            Scope {
                time: &time,
                region,
                service: "kms",
            },
        );
        let mut client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(TIMEOUT);
        if url.scheme() == "http" {
            // A server of tests, on this machine.
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| KeeperError::Aws(error.to_string()))?;
        let mut request = client
            .post(url.clone())
            .header("content-type", MEDIA_TYPE)
            .header("x-amz-target", target);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        Ok(request.body(body))
    }

    /// Where the key's region is asked.
    fn place(&self, key: &str) -> Result<(Url, String), KeeperError> {
        let of_key = key
            .strip_prefix("arn:")
            .and_then(|rest| rest.split(':').nth(2));
        let region = of_key
            .filter(|region| !region.is_empty())
            .or(self.region.as_deref());
        let region = region.ok_or_else(|| {
            KeeperError::Aws(
                "there is no region; name the key by its ARN, or set AWS_REGION".to_owned(),
            )
        })?;
        let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !region.chars().all(sign) {
            return Err(KeeperError::Aws(
                "the region is to be like eu-west-1".to_owned(),
            ));
        }
        let domain = match region.starts_with("cn-") {
            true => "amazonaws.com.cn",
            false => "amazonaws.com",
        };
        let usual = format!("https://kms.{region}.{domain}/");
        let url = Url::parse(self.endpoint.as_deref().unwrap_or(&usual));
        let url = url
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.path() == "/");
        let url = url.ok_or_else(|| {
            KeeperError::Aws("AWS_ENDPOINT_URL is to be like https://HOST:PORT".to_owned())
        })?;
        Ok((url, region.to_owned()))
    }
}

/// The host as it is signed: with its port where that is not the scheme's own.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    }
}

fn recipient(asked: &str, answer: &Map<String, Value>) -> Result<Recipient, KeeperError> {
    let key = text(answer.get("KeyId"), WHO)?;
    Ok(Recipient {
        keeper: WORD.into(),
        alias: if key == asked {
            String::new()
        } else {
            asked.to_owned()
        },
        key,
        wrapped: text(answer.get("CiphertextBlob"), WHO)?,
        ..Recipient::default()
    })
}

/// The kind of refusal, and what AWS says of it.
fn refusal(operation: &str, answer: &Map<String, Value>) -> KeeperError {
    let word = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = word("__type").rsplit('#').next().unwrap_or_default();
    let said = match word("message") {
        "" => word("Message"),
        said => said,
    };
    let said: String = said.chars().filter(|c| !c.is_control()).take(300).collect();
    KeeperError::Aws(format!("{operation} was refused: {kind}: {said}"))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
