//! What a check came to.

use coffer_client::Secret;
use serde_json::Value;

use super::printing::{is_for_programs, member};
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::print_secret;

/// Prints it in words, or as it was answered. Only what is valid is a success; `what` is "signature" or "HMAC".
pub(super) fn told(cx: &Context, answer: &Secret, field: Option<&str>, what: &str) -> Outcome {
    if answer.wrap_info.is_some() {
        return print_secret(cx, answer, field);
    }
    let is_valid = member(answer, "valid")? == &Value::Bool(true);
    let programs = is_for_programs(cx, answer, field);
    if programs {
        print_secret(cx, answer, field)?;
    }
    match (is_valid, programs) {
        (true, true) => Ok(()),
        (true, false) => {
            cx.ui.warnings(&answer.warnings);
            cx.ui.line(&format!("Success! The {what} is valid."));
            Ok(())
        }
        (false, true) => Err(Failure::not_genuine("")),
        (false, false) => Err(Failure::not_genuine(format!(
            "The {what} is NOT valid: it was made for another input, with another key, or in another way (see the flags)."
        ))),
    }
}
