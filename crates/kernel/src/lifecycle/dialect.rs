//! Two ways to the same ceremony: Vault's paths without a token, and OpenBao's that ask policy first.

use coffer_crypto::Zeroizing;
use coffer_engine::{Ctx, Fault, Handle, Reply};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};

use crate::open::Open;

/// How somebody came to a ceremony.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Without a token that anybody looked at: only the nonce and the shares count.
    Stranger,
    /// Policy let them.
    Granted,
}

/// One step of a ceremony.
pub(super) trait Step: DeserializeOwned + JsonSchema + Send + 'static {
    /// What it answers.
    type Answer: Serialize + Send;

    /// Whether strangers may take it.
    fn is_for_all(open: &Open) -> bool;

    /// Takes the step; none is answered by 204.
    fn take(
        self,
        open: &Open,
        cx: &Ctx,
        standing: Standing,
    ) -> impl Future<Output = Result<Option<Self::Answer>, Fault>> + Send;
}

/// The step for strangers; answers without an envelope.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct ForAll<S>(S);

/// The step for those whom policy lets; answers with an envelope.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct ByPolicy<S>(S);

impl<S: Step> Handle<Open> for ForAll<S> {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if !S::is_for_all(open) {
            return Err(Fault::UnsupportedVerb);
        }
        match self.0.take(open, cx, Standing::Stranger).await? {
            Some(answer) => Reply::bare(&answer),
            None => Ok(Reply::default()),
        }
    }
}

impl<S: Step> Handle<Open> for ByPolicy<S> {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        match self.0.take(open, cx, Standing::Granted).await? {
            Some(answer) => Reply::data(&answer),
            None => Ok(Reply::default()),
        }
    }
}

/// A secret text of an answer, wiped when it is written.
#[derive(Default)]
pub(super) struct Shown(pub(super) Zeroizing<String>);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}
