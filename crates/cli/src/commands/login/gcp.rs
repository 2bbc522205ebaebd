//! Logging in as a service account or a machine of Google Cloud.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use coffer_client::machine;
use coffer_crypto::Zeroizing;
use coffer_crypto::jose::sign;
use coffer_crypto::sign::{Algorithm, SigningKey};
use coffer_wire::parse_duration;
use serde_json::{Map, Value, json};

use crate::failure::Failure;

/// Where a machine asks for its own tokens; Google's own tools look at the same variable.
const METADATA_HOST: &str = "metadata.google.internal";
const METADATA_HOST_VARIABLE: &str = "GCE_METADATA_HOST";
/// How long a token lives that is signed here.
const LIVES: Duration = Duration::from_secs(15 * 60);

/// What a login needs: a token that is given, one that is signed here with the key of `credentials`, or that of the
/// machine.
pub(super) async fn complete(fields: &mut Map<String, Value>) -> Result<(), Failure> {
    let role = text(fields, "role").ok_or_else(|| Failure::local("say which role: role=NAME"))?;
    let credentials = fields.remove("credentials");
    let account = taken(fields, "service_account");
    let lives = taken(fields, "jwt_exp");
    if fields.contains_key("jwt") {
        return Ok(());
    }
    let token = match credentials {
        Some(Value::String(key)) => signed(&Zeroizing::new(key), account, lives, &role)?,
        Some(_) => return Err(Failure::local("credentials are given as credentials=@FILE")),
        None => of_machine(&role).await?,
    };
    fields.insert("jwt".to_owned(), token.into());
    Ok(())
}

/// A token that is signed with the key of a service account.
fn signed(
    credentials: &str,
    account: Option<String>,
    lives: Option<String>,
    role: &str,
) -> Result<String, Failure> {
    let wrong = || Failure::local("the credentials are not the JSON of a service account's key");
    let read: Value = serde_json::from_str(credentials).map_err(|_| wrong())?;
    let part = |name: &str| read.get(name).and_then(Value::as_str).ok_or_else(wrong);
    let (email, key_id) = (part("client_email")?, part("private_key_id")?);
    if account.is_some_and(|account| account != email) {
        return Err(Failure::local(format!(
            "the credentials are those of {email}: a key signs for its own service account alone"
        )));
    }
    let lives = match lives {
        Some(text) => life(&text)?,
        None => LIVES,
    };
    let key = SigningKey::from_pem(Algorithm::Rs256, part("private_key")?).map_err(|_| wrong())?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let claims =
        json!({ "sub": email, "aud": format!("vault/{role}"), "exp": (now + lives).as_secs() });
    sign(&key, key_id, claims.to_string().as_bytes()).map_err(|_| wrong())
}

/// A number of minutes, or a duration.
fn life(text: &str) -> Result<Duration, Failure> {
    let minutes = text
        .parse()
        .ok()
        .map(|minutes: u32| u64::from(minutes) * 60);
    if let Some(secs) = minutes {
        return Ok(Duration::from_secs(secs));
    }
    parse_duration(text)
        .map_err(|_| Failure::local("jwt_exp is to be a number of minutes, or a duration like 15m"))
}

/// The token of the machine that this runs on.
async fn of_machine(role: &str) -> Result<String, Failure> {
    let host = std::env::var(METADATA_HOST_VARIABLE).unwrap_or_else(|_| METADATA_HOST.to_owned());
    let audience = format!("http://vault/{role}");
    let token = machine::google_token(&host, &audience).await;
    token.map_err(|why| {
        Failure::local(format!(
            "no token is to be had from this machine ({why}). Elsewhere than on Google Cloud give one (jwt=@FILE), or the key of a service account (credentials=@FILE)"
        ))
    })
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let text = fields.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn taken(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    let value = fields.remove(name)?;
    value.as_str().map(str::to_owned)
}
