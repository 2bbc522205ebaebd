//! Logging in as a pod.

use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::ui::read_file;

/// Where a cluster puts the token of a pod's service account.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// What a login by a service account's token needs: the pod's own, unless another is given.
pub(super) fn complete(fields: &mut Map<String, Value>) -> Result<(), Failure> {
    if !fields.contains_key("role") {
        return Err(Failure::local("say which role this pod has: role=NAME"));
    }
    if !fields.contains_key("jwt") {
        let token = read_file(TOKEN).map_err(|failure| {
            Failure::local(format!(
                "{}. Outside of a pod give a service account's token: jwt=@FILE",
                failure.text
            ))
        })?;
        fields.insert("jwt".to_owned(), token.trim().into());
    }
    Ok(())
}
