//! What the platform of a machine says of it.

use std::time::Duration;

use reqwest::redirect::Policy;
use url::Url;

/// It is near, or it is not there.
const NEAR: Duration = Duration::from_secs(5);
/// The longest token that is read, in bytes.
const MAX_TOKEN_BYTES: usize = 16 << 10;

/// The token that Google signs for the machine that this runs on, for one audience. `host` is where machines ask, usually
/// `metadata.google.internal`.
///
/// # Errors
/// In words, where none is to be had.
pub async fn google_token(host: &str, audience: &str) -> Result<String, String> {
    let path = "computeMetadata/v1/instance/service-accounts/default/identity";
    let url = format!("http://{host}/{path}");
    let mut url = Url::parse(&url).map_err(|error| error.to_string())?;
    url.query_pairs_mut()
        .append_pair("audience", audience)
        .append_pair("format", "full");
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(NEAR)
        .build()
        .map_err(|error| error.to_string())?;
    let answer = client.get(url).header("Metadata-Flavor", "Google").send();
    let mut answer = answer
        .await
        .map_err(|_| format!("{host} does not answer"))?;
    if !answer.status().is_success() {
        return Err(format!("{host} answered {}", answer.status()));
    }
    let mut token = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| error.to_string())? {
        token.extend_from_slice(&chunk);
        if token.len() > MAX_TOKEN_BYTES {
            return Err(format!("{host} answered no token"));
        }
    }
    let token = String::from_utf8(token).map_err(|_| format!("{host} answered no token"))?;
    Ok(token.trim().to_owned())
}
