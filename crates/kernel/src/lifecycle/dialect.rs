//! Two ways to the same ceremony: Vault's paths without a token, and OpenBao's that ask policy first.

use std::marker::PhantomData;

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

/// What a ceremony makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// A root token.
    RootToken,
    /// Unseal keys; where seals have the root key, a new one without keys for people.
    UnsealKeys,
    /// Recovery keys.
    RecoveryKeys,
    /// Break-glass shares.
    BreakGlass,
}

/// A type that stands for a subject.
pub(super) trait About: Send + Sync + 'static {
    /// The subject.
    const SUBJECT: Subject;
}

/// A root token.
pub(super) struct RootToken;
/// Unseal keys.
pub(super) struct UnsealKeys;
/// Recovery keys.
pub(super) struct RecoveryKeys;
/// Break-glass shares.
pub(super) struct BreakGlassShares;

impl About for RootToken {
    const SUBJECT: Subject = Subject::RootToken;
}

impl About for UnsealKeys {
    const SUBJECT: Subject = Subject::UnsealKeys;
}

impl About for RecoveryKeys {
    const SUBJECT: Subject = Subject::RecoveryKeys;
}

impl About for BreakGlassShares {
    const SUBJECT: Subject = Subject::BreakGlass;
}

/// Who takes a step of what.
#[derive(Clone, Copy)]
pub(super) struct Way {
    pub(super) standing: Standing,
    pub(super) subject: Subject,
    /// Whether it came by the path that asks for no token.
    pub(super) for_all: bool,
}

/// The last part of a step's path.
#[derive(Clone, Copy)]
pub(super) enum Leaf {
    /// Its beginning, its state, its end.
    Init,
    /// Handing a share in.
    Update,
    /// Handing a new share back.
    Verify,
}

impl Subject {
    /// What it is called in the log.
    pub(super) const fn shown(self) -> &'static str {
        match self {
            Self::RootToken => "root token",
            Self::UnsealKeys => "unseal keys",
            Self::RecoveryKeys => "recovery keys",
            Self::BreakGlass => "break-glass shares",
        }
    }

    /// The path of a step that asks for a token.
    pub(super) const fn by_policy(self, leaf: Leaf) -> &'static str {
        match (self, leaf) {
            (Self::RootToken, Leaf::Init) => "sys/generate-root-token/attempt",
            (Self::RootToken, _) => "sys/generate-root-token/update",
            (Self::UnsealKeys, Leaf::Init) => "sys/rotate/root/init",
            (Self::UnsealKeys, Leaf::Update) => "sys/rotate/root/update",
            (Self::UnsealKeys, Leaf::Verify) => "sys/rotate/root/verify",
            (Self::RecoveryKeys, Leaf::Init) => "sys/rotate/recovery/init",
            (Self::RecoveryKeys, Leaf::Update) => "sys/rotate/recovery/update",
            (Self::RecoveryKeys, Leaf::Verify) => "sys/rotate/recovery/verify",
            (Self::BreakGlass, Leaf::Init) => "sys/break-glass/init",
            (Self::BreakGlass, Leaf::Update) => "sys/break-glass/update",
            (Self::BreakGlass, Leaf::Verify) => "sys/break-glass/verify",
        }
    }
}

/// One step of a ceremony.
pub(super) trait Step: DeserializeOwned + JsonSchema + Send + 'static {
    /// Which step it is.
    const LEAF: Leaf;
    /// What it answers.
    type Answer: Serialize + Send;

    /// Whether strangers may take it.
    fn is_for_all(open: &Open) -> bool;

    /// Takes the step; none is answered by 204.
    fn take(
        self,
        open: &Open,
        cx: &Ctx,
        way: Way,
    ) -> impl Future<Output = Result<Option<Self::Answer>, Fault>> + Send;

    /// The answer as the path that asks for a token shows it, which leaves out what says nothing yet.
    fn by_policy(answer: Self::Answer) -> Self::Answer {
        answer
    }
}

/// The step for strangers; answers without an envelope.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent, bound = "S: Step")]
#[schemars(bound = "S: Step, A: About")]
pub(super) struct ForAll<S, A>(S, PhantomData<A>);

/// The step for those whom policy lets; answers with an envelope.
#[derive(Deserialize, JsonSchema)]
#[serde(transparent, bound = "S: Step")]
#[schemars(bound = "S: Step, A: About")]
pub(super) struct ByPolicy<S, A>(S, PhantomData<A>);

impl<S: Step, A: About> Handle<Open> for ForAll<S, A> {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        if !S::is_for_all(open) {
            return Err(Fault::UnsupportedVerb);
        }
        let subject = A::SUBJECT;
        let standing = standing(open, cx, subject.by_policy(S::LEAF)).await?;
        let way = Way {
            standing,
            subject,
            for_all: true,
        };
        match self.0.take(open, cx, way).await? {
            Some(answer) => Reply::bare(&answer),
            None => Ok(Reply::default()),
        }
    }
}

impl<S: Step, A: About> Handle<Open> for ByPolicy<S, A> {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let way = Way {
            standing: Standing::Granted,
            subject: A::SUBJECT,
            for_all: false,
        };
        match self.0.take(open, cx, way).await? {
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
