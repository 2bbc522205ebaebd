//! Bearer tokens (RFC 6749), as clouds grant them.

use std::time::Duration;

use coffer_barrier::WrapError;
use coffer_crypto::Secret;
use coffer_engine::outbound::Request;
use coffer_wire::Int;
use serde::Deserialize;

use crate::exchange::{Exchange, read, unlike};
use crate::fresh::{Lasting, now};

/// The media type of a form.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// No token is believed to live longer, in seconds.
const LIFE_SECS_MAX: u64 = 24 * 3600;

#[derive(Deserialize)]
struct Granted {
    access_token: Secret<String>,
    /// In seconds; some servers write a text.
    #[serde(default)]
    expires_in: Int,
}

/// The token that is granted to a request.
pub(crate) async fn granted(
    exchange: &Exchange,
    who: &str,
    request: Request,
) -> Result<Lasting<Secret<String>>, WrapError> {
    let answer = exchange.ask_of(who, request).await?;
    match answer.status {
        200 => {
            let granted: Granted = read(who, &answer.body)?;
            let life = u64::try_from(granted.expires_in.0).unwrap_or_default();
            let life = Duration::from_secs(life.min(LIFE_SECS_MAX));
            Ok(Lasting {
                value: granted.access_token,
                until: Some(now().plus(life)),
            })
        }
        400 | 401 | 403 => Err(WrapError::Refused(format!(
            "{who}: it grants no token: are the credentials right, and this machine's clock?"
        ))),
        404 => Err(WrapError::Refused(format!(
            "{who}: there is nobody that it would grant a token to"
        ))),
        status => Err(unlike(who, status)),
    }
}
