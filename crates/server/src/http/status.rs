//! The one table from faults to status codes and to what the client may read.

use coffer_engine::Fault;
use http::StatusCode;

/// The status of a fault.
pub(super) fn code(fault: &Fault) -> StatusCode {
    match fault {
        Fault::Invalid(_) => StatusCode::BAD_REQUEST,
        Fault::NotFound | Fault::Missing(_) | Fault::Gone(_) | Fault::UnsupportedPath => {
            StatusCode::NOT_FOUND
        }
        Fault::Expired(_) => StatusCode::GONE,
        Fault::UnsupportedVerb => StatusCode::METHOD_NOT_ALLOWED,
        Fault::Denied | Fault::Forbidden(_) => StatusCode::FORBIDDEN,
        Fault::Conflict(_) => StatusCode::CONFLICT,
        Fault::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        Fault::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        Fault::Unavailable(_) | Fault::Sealed => StatusCode::SERVICE_UNAVAILABLE,
        // An outside system's failure, and ours; a kind this table does not know yet is ours as well.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What the client reads; none where a thing merely does not exist. The source of an internal fault stays in the log.
pub(super) fn text(fault: &Fault, request_id: &str) -> Option<String> {
    Some(match fault {
        Fault::NotFound | Fault::Gone(_) => return None,
        // The reference's form for errors that pass its router; scripts look for it.
        Fault::UnsupportedPath | Fault::UnsupportedVerb | Fault::Upstream(_) => {
            format!("1 error occurred:\n\t* {fault}\n\n")
        }
        Fault::Internal(_) => {
            format!("internal error; the server's log says more under request id {request_id}")
        }
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_status_and_text() {
        let text_of = |fault: &Fault| text(fault, "id-1").unwrap_or_default();
        for (fault, status, said) in [
            (Fault::invalid("bad"), 400, "bad"),
            (Fault::NotFound, 404, ""),
            (Fault::Missing("no such".into()), 404, "no such"),
            (Fault::Gone(Box::default()), 404, ""),
            (Fault::Expired("again".into()), 410, "again"),
            (
                Fault::UnsupportedPath,
                404,
                "1 error occurred:\n\t* unsupported path\n\n",
            ),
            (
                Fault::UnsupportedVerb,
                405,
                "1 error occurred:\n\t* unsupported operation\n\n",
            ),
            (Fault::Denied, 403, "permission denied"),
            (Fault::Forbidden("why".into()), 403, "why"),
            (Fault::Conflict("again".into()), 409, "again"),
            (Fault::TooLarge("big".into()), 413, "big"),
            (Fault::TooMany("slow".into()), 429, "slow"),
            (Fault::Unavailable("later".into()), 503, "later"),
            (Fault::upstream("db"), 500, "1 error occurred:\n\t* db\n\n"),
            (Fault::Sealed, 503, "Vault is sealed"),
        ] {
            assert_eq!(code(&fault).as_u16(), status, "{fault:?}");
            assert_eq!(text_of(&fault), said, "{fault:?}");
        }
    }

    #[test]
    fn internal_faults_keep_their_source_to_themselves() {
        let fault = Fault::internal("key 42 of shelf 7");
        assert_eq!(code(&fault).as_u16(), 500);
        let text = text(&fault, "id-1").unwrap();
        assert!(text.contains("id-1") && !text.contains("shelf"), "{text}");
    }
}
