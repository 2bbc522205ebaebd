//! Names of the headers that clients send, lower case as HTTP/2 wants them.

/// The client's token; wins over `Authorization`.
pub const TOKEN: &str = "x-vault-token";
/// The namespace the path is relative to.
pub const NAMESPACE: &str = "x-vault-namespace";
/// Asks for the answer to be wrapped; a duration.
pub const WRAP_TTL: &str = "x-vault-wrap-ttl";
/// Set by the reference CLI on every request; a defence against request forgery by browsers.
pub const REQUEST: &str = "x-vault-request";
/// Credentials of a second factor.
pub const MFA: &str = "x-vault-mfa";
/// Asks not to forward a request to the active node.
pub const NO_REQUEST_FORWARDING: &str = "x-vault-no-request-forwarding";
/// The media type of a merge patch (RFC 7396 section 4).
pub const MERGE_PATCH: &str = "application/merge-patch+json";
