//! What is told about databases, roles and users: in the reference's words, where it has any.
//!
//! The start of a rotation and the end of a user are told, too. A failure is told where the database is the cause; no
//! event quotes what the database said.

use coffer_engine::Event;

/// A configuration was written.
pub(super) const CONFIG_WRITE: &str = "database/config-write";
/// A configuration was deleted.
pub(super) const CONFIG_DELETE: &str = "database/config-delete";
/// The connections to a database were closed, and one was made anew.
pub(super) const RESET: &str = "database/reset";
/// A role was made.
pub(super) const ROLE_CREATE: &str = "database/role-create";
/// A role was changed.
pub(super) const ROLE_UPDATE: &str = "database/role-update";
/// A role was deleted.
pub(super) const ROLE_DELETE: &str = "database/role-delete";
/// A user was made.
pub(super) const CREDS_CREATE: &str = "database/creds-create";
/// No user was made.
pub(super) const CREDS_CREATE_FAIL: &str = "database/creds-create-fail";
/// A user is gone.
pub(super) const CREDS_REVOKE: &str = "database/creds-revoke";
/// A user may still be there.
pub(super) const CREDS_REVOKE_FAIL: &str = "database/creds-revoke-fail";
/// The admin user is about to get a new password.
pub(super) const ROOT_ROTATE_START: &str = "database/root-rotate-start";
/// The admin user has a new password.
pub(super) const ROOT_ROTATE: &str = "database/root-rotate";
/// The admin user has no new password, or nobody knows.
pub(super) const ROOT_ROTATE_FAIL: &str = "database/root-rotate-fail";
/// A static role was made.
pub(super) const STATIC_ROLE_CREATE: &str = "database/static-role-create";
/// A static role was changed.
pub(super) const STATIC_ROLE_UPDATE: &str = "database/static-role-update";
/// A static role was deleted.
pub(super) const STATIC_ROLE_DELETE: &str = "database/static-role-delete";
/// The user of a new static role has its first password of ours.
pub(super) const STATIC_CREDS_CREATE: &str = "database/static-creds-create";
/// The user of a static role that was to be made kept its password.
pub(super) const STATIC_CREDS_CREATE_FAIL: &str = "database/static-creds-create-fail";
/// The user of a static role is about to get a new password.
pub(super) const ROTATE_START: &str = "database/rotate-start";
/// The user of a static role has a new password.
pub(super) const ROTATE: &str = "database/rotate";
/// The user of a static role has no new password, or nobody knows.
pub(super) const ROTATE_FAIL: &str = "database/rotate-fail";

/// `kind` happened to the thing of that name.
pub(super) fn changed(kind: &'static str, folder: &str, name: &str) -> Event {
    about(kind, folder, name).with("modified", true)
}

/// `kind` happened, and changed nothing yet or nothing at all. Where it is a failure, so is the request.
pub(super) fn unchanged(kind: &'static str, folder: &str, name: &str) -> Event {
    about(kind, folder, name)
        .with("modified", false)
        .regardless()
}

fn about(kind: &'static str, folder: &str, name: &str) -> Event {
    Event::new(kind, format!("{folder}/{name}")).with("name", name)
}
