//! `verify/NAME` for signatures.

use coffer_engine::{Ctx, Fault, Reply};
use serde::Serialize;

use super::batch::Turns;
use super::ready::Ready;
use super::signatures::Signable;
use super::signing_options::Asked;
use super::verify::{Checks, Item};

/// What looking at a signature costs others of their turn, as so many bytes of encryption.
const SIGNATURE_COST_BYTES: usize = 32 * 1024;

/// Whether a signature is right.
#[derive(Serialize)]
struct Verdict {
    valid: bool,
}

/// Whether signatures are right, in the order of the items.
#[derive(Serialize)]
struct Verdicts<'a> {
    batch_results: Vec<VerdictItem<'a>>,
}

/// One result of many.
#[derive(Serialize)]
struct VerdictItem<'a> {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    reference: &'a str,
}

impl Checks {
    /// Looks at signatures.
    pub(super) async fn signatures(
        &self,
        cx: &Ctx,
        ready: &Ready,
        hash: &str,
    ) -> Result<Reply, Fault> {
        let text =
            |text: &Option<coffer_wire::Text>| text.as_ref().map_or("", |text| &text.0).to_owned();
        let (padding, form) = (
            text(&self.signature_algorithm),
            text(&self.marshaling_algorithm),
        );
        let asked = Asked {
            hash,
            prehashed: self.prehashed.0,
            padding: &padding,
            form: &form,
            salt: self.salt_length.as_ref().map(|text| text.0.as_str()),
        };
        let signing = asked.read(ready.pair_kind("verification")?)?;
        let Some(items) = &self.batch_input else {
            let (signable, signature) = self.item.signed(false);
            let valid = ready
                .verify_signature(cx, &signing, &signable, signature)
                .await?;
            return Reply::data(&Verdict { valid });
        };
        let items = items.some()?;
        let mut turns = Turns::default();
        let mut batch_results = Vec::with_capacity(items.len());
        for item in items {
            let (signable, signature) = item.signed(true);
            let verdict = ready
                .verify_signature(cx, &signing, &signable, signature)
                .await;
            let (valid, error) = match verdict {
                Ok(valid) => (valid, None),
                Err(Fault::Invalid(why)) => (false, Some(why)),
                Err(other) => return Err(other),
            };
            let reference = item.reference.0.as_str();
            batch_results.push(VerdictItem {
                valid,
                error,
                reference,
            });
            turns.took(SIGNATURE_COST_BYTES).await;
        }
        Reply::data(&Verdicts { batch_results })
    }
}

impl Item {
    fn signed(&self, in_batch: bool) -> (Signable<'_>, &str) {
        let signable = Signable {
            input: self.input.as_ref(),
            in_batch,
            context: &self.context,
        };
        (signable, self.signature.as_ref().map_or("", |text| &text.0))
    }
}
