//! Requests that are signed with an access key instead of carrying a token.

use std::time::Duration;

use coffer_crypto::sigv4::Presented;
use coffer_engine::Fault;
use coffer_wire::Timestamp;

use super::record::TokenRecord;
use crate::namespaces::id_of;
use crate::open::Open;

/// How far a client's clock may be off, either way.
const MAX_SKEW: Duration = Duration::from_secs(5 * 60);

/// A signature that nobody has looked at yet, as the edge hands it over.
#[derive(Debug)]
pub struct Signed {
    /// What the request says of itself.
    pub presented: Presented,
    /// The engine that the protocol is for; no other is asked.
    pub engine: &'static str,
}

/// The record of the token whose access key signed a request at most some minutes ago. Faults begin with the name that the
/// protocol has for them.
pub(crate) async fn signer(
    open: &Open,
    signed: &Signed,
    now: Timestamp,
) -> Result<TokenRecord, Fault> {
    let presented = &signed.presented;
    let accessor = open.tokens.accessor_of_key(presented.access_key()).await?;
    let accessor = accessor.ok_or_else(unknown)?;
    open.namespaces.seals.refuse_closed(id_of(&accessor))?;
    let record = open.tokens.by_access_key(presented.access_key()).await?;
    let record = record.filter(|record| record.is_alive(now));
    let record = record.ok_or_else(unknown)?;
    let key = record.access_key.as_ref().ok_or_else(unknown)?;
    if !presented.is_by(&key.secret) {
        return Err(Fault::Forbidden(
            "InvalidSignatureException: The request signature we calculated does not match the signature you provided. Check your access key's secret, the clock and the signing method; a proxy must not change the path, the body or the header Host.".to_owned(),
        ));
    }
    in_time(presented, now)?;
    Ok(record)
}

/// Who has the secret learns how the clocks differ; nobody else does.
fn in_time(presented: &Presented, now: Timestamp) -> Result<(), Fault> {
    let signed = Timestamp::from_secs(presented.time());
    let (stamp, now_secs) = (presented.stamp(), now.whole_seconds());
    let text = if now > signed.plus(MAX_SKEW) {
        format!(
            "Signature expired: {stamp} is more than 5 min. earlier than the server's {now_secs}"
        )
    } else if signed > now.plus(MAX_SKEW) {
        format!(
            "Signature not yet current: {stamp} is more than 5 min. later than the server's {now_secs}"
        )
    } else {
        return Ok(());
    };
    Err(Fault::Forbidden(format!(
        "InvalidSignatureException: {text}"
    )))
}

/// An access key that is not there, and one whose token has ended, look alike.
fn unknown() -> Fault {
    Fault::Forbidden(
        "UnrecognizedClientException: The security token included in the request is invalid."
            .to_owned(),
    )
}
