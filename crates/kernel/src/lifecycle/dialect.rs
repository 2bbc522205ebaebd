//! Two ways to the same ceremony: Vault's paths without a token, and OpenBao's that ask policy first.

use coffer_crypto::Zeroizing;
use coffer_engine::{Ctx, Fault, Handle, Reply};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Map;

use crate::authority::Authority;
use crate::open::Open;
use crate::policy::Question;

/// Who takes a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Anybody: only the nonce and the shares count. A stranger is not shown the nonce, because who
    /// knows it could cancel what the operators are doing.
    Stranger,
    /// Whom policy lets take this step on the path that asks for a token.
    Granted,
}

/// One step of a ceremony.
pub(super) trait Step: DeserializeOwned + JsonSchema + Send + 'static {
    /// The path of the step that asks for a token.
    const BY_POLICY: &'static str;
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

    /// The answer as the path that asks for a token shows it, which leaves out what says nothing yet.
    fn by_policy(answer: Self::Answer) -> Self::Answer {
        answer
    }
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
        let standing = standing(open, cx, S::BY_POLICY).await?;
        match self.0.take(open, cx, standing).await? {
            Some(answer) => Reply::bare(&answer),
            None => Ok(Reply::default()),
        }
    }
}

impl<S: Step> Handle<Open> for ByPolicy<S> {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        match self.0.take(open, cx, Standing::Granted).await? {
            Some(answer) => Reply::data(&S::by_policy(answer)),
            None => Ok(Reply::default()),
        }
    }
}

/// The standing of who came to the path that asks for no token, perhaps with one all the same.
async fn standing(open: &Open, cx: &Ctx, by_policy: &str) -> Result<Standing, Fault> {
    let Ok(Some(sender)) = crate::sys::sender(open, cx).await else {
        return Ok(Standing::Stranger);
    };
    let authority = Authority::of(open, &sender, cx.now).await?;
    let question = Question {
        path: by_policy,
        verb: cx.request.verb,
        creates: false,
        body: &Map::new(),
        wrap_ttl: None,
        sudo_path: false,
    };
    Ok(match authority.decide(&question).allowed {
        true => Standing::Granted,
        false => Standing::Stranger,
    })
}

/// A secret text of an answer, wiped when it is written.
#[derive(Default)]
pub(super) struct Shown(pub(super) Zeroizing<String>);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}
