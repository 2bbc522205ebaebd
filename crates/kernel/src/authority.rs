//! What somebody may do in the namespace at hand.

use std::borrow::Cow;
use std::sync::Arc;

use coffer_engine::{Caller, Fault};
use coffer_wire::Timestamp;

use crate::identity::Standing;
use crate::namespaces::Space;
use crate::open::Open;
use crate::policy::{Acl, Explanation, Question, Verdict};

/// The policies of a caller, looking from the caller's namespace at the one at hand. Every decision about what
/// somebody may do is made here, those that are only told (capabilities, visible mounts) included.
///
/// Policies speak of paths below their own namespace: a token of the root needs `team/secret/*` for what a token
/// of `team/` reaches by `secret/*`.
pub struct Authority {
    acl: Arc<Acl>,
    /// The path of the namespace at hand as the caller's policies have it.
    prefix: String,
}

impl Authority {
    /// The authority of a caller. One whose namespace neither is the one at hand nor has it within may do nothing;
    /// one whose entity is disabled or gone is refused.
    pub async fn of(open: &Open, caller: &Caller, now: Timestamp) -> Result<Self, Fault> {
        let home = open.space.line().find(|space| space.id == caller.namespace);
        let Some(home) = home else {
            return Ok(Self {
                acl: Arc::new(Acl::compile::<crate::policy::Policy>(&[], now)),
                prefix: String::new(),
            });
        };
        let standing = standing(&home, &caller.entity_id).await?;
        Ok(Self {
            acl: Self::acl(&home, caller, standing.as_deref(), now).await?,
            prefix: open.space.seen_from(&home).unwrap_or_default().to_owned(),
        })
    }

    async fn acl(
        home: &Space,
        caller: &Caller,
        standing: Option<&Standing>,
        now: Timestamp,
    ) -> Result<Arc<Acl>, Fault> {
        let Some(standing) = standing else {
            return Ok(home.policies.acl_for(&caller.policies, None, now).await?);
        };
        let names = together(&caller.policies, &standing.policies);
        Ok(home.policies.acl_for(&names, Some(standing), now).await?)
    }

    /// Decides.
    pub fn decide(&self, question: &Question<'_>) -> Verdict<'_> {
        let path = self.seen(question.path);
        self.acl.decide(&Question {
            path: &path,
            ..*question
        })
    }

    /// See [`Acl::decide_folded`].
    pub fn decide_folded(&self, question: &Question<'_>) -> Verdict<'_> {
        let path = self.seen(question.path);
        self.acl.decide_folded(&Question {
            path: &path,
            ..*question
        })
    }

    /// See [`Acl::explain_folded`].
    pub fn explain_folded(&self, question: &Question<'_>) -> Explanation {
        let path = self.seen(question.path);
        self.acl.explain_folded(&Question {
            path: &path,
            ..*question
        })
    }

    /// Decides as [`Authority::decide`] does, and says why.
    pub fn explain(&self, question: &Question<'_>) -> Explanation {
        let path = self.seen(question.path);
        self.acl.explain(&Question {
            path: &path,
            ..*question
        })
    }

    /// Whether an event of a kind may be shown that is about a path.
    pub fn may_subscribe(&self, path: &str, kind: &str) -> bool {
        self.acl.may_subscribe(&self.seen(path), kind)
    }

    /// The capabilities on a path, in alphabetical order; `["root"]` for root, `["deny"]` for none.
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        self.acl.capabilities(&self.seen(path))
    }

    /// See [`Acl::capabilities_of_names`].
    pub fn capabilities_of_names(&self, compared: &str, spelt: &str) -> Vec<&'static str> {
        let (compared, spelt) = (self.seen(compared), self.seen(spelt));
        self.acl.capabilities_of_names(&compared, &spelt)
    }

    /// Whether anything may be done at a mount's path or below it.
    pub fn sees_mount(&self, path: &str) -> bool {
        self.acl.sees_mount(&self.seen(path))
    }

    /// Whether the caller is root.
    pub fn is_root(&self) -> bool {
        self.acl.is_root()
    }

    /// The compiled policies, for who lists them; their paths are those of the caller's namespace.
    pub fn policies(&self) -> &Acl {
        &self.acl
    }

    /// A path of the namespace at hand as the policies have it.
    fn seen<'a>(&self, path: &'a str) -> Cow<'a, str> {
        if self.prefix.is_empty() {
            return Cow::Borrowed(path);
        }
        Cow::Owned(format!("{}{}", self.prefix, path.trim_start_matches('/')))
    }
}

impl Open {
    /// What the entity behind a token of a namespace is now; none for a token without one.
    ///
    /// # Errors
    /// [`Fault::Denied`] if the entity is disabled or gone, or the namespace is.
    pub async fn standing_of(
        &self,
        namespace: &str,
        entity_id: &str,
    ) -> Result<Option<Arc<Standing>>, Fault> {
        if entity_id.is_empty() {
            return Ok(None);
        }
        let home = match self.space.line().find(|space| space.id == namespace) {
            Some(home) => home,
            None => self
                .namespaces
                .by_id(namespace)
                .await?
                .ok_or(Fault::Denied)?,
        };
        standing(&home, entity_id).await
    }
}

async fn standing(home: &Space, entity_id: &str) -> Result<Option<Arc<Standing>>, Fault> {
    if entity_id.is_empty() {
        return Ok(None);
    }
    let standing = home.identity.standing(entity_id).await?;
    let standing = standing.filter(|standing| !standing.entity.disabled);
    standing.ok_or(Fault::Denied).map(Some)
}

/// Two lists of policies as one, sorted, each name once.
pub(crate) fn together(one: &[String], other: &[String]) -> Vec<String> {
    let mut all = [one, other].concat();
    all.sort_unstable();
    all.dedup();
    all
}
