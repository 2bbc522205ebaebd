//! Whom a role is bound to by name, and by the unique ids of those names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use coffer_engine::{Ctx, Fault};
use coffer_wire::{CommaList, Flag};
use serde::{Deserialize, Serialize};

use super::Aws;
use super::api::Api;
use super::arn::{Bound, Kind, Principal};
use super::bounds::VALUES_MAX;
use super::caller::Caller;
use super::client::Client;

/// How long it may take to learn whose all names of a role are.
const RESOLVE_TIME: Duration = Duration::from_secs(60);

/// The bindings of one role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Bindings {
    list: Vec<Binding>,
    /// Whether a name means whoever had it when it was written.
    pub(super) resolved: bool,
}

/// One name, or the beginning of names.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Binding {
    arn: String,
    /// Whose that name was; none where that does not matter.
    id: Option<String>,
}

impl Default for Bindings {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            resolved: true,
        }
    }
}

impl Bindings {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.list
            .iter()
            .map(|binding| binding.arn.clone())
            .collect()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.list
            .iter()
            .filter_map(|binding| binding.id.clone())
            .collect()
    }

    /// Takes over what was written. Ids come later ([`Bindings::adopt`]).
    pub(super) fn apply(
        &mut self,
        arns: Option<&CommaList>,
        resolved: Option<Flag>,
        is_new: bool,
    ) -> Result<(), Fault> {
        if let Some(flag) = resolved {
            if self.resolved && !flag.0 && !is_new {
                return Err(Fault::invalid(
                    "changing resolve_aws_unique_ids from true to false is not allowed; delete the role and make it anew",
                ));
            }
            self.resolved = flag.0;
        }
        if let Some(arns) = arns {
            if arns.0.len() > VALUES_MAX {
                return Err(Fault::Invalid(format!(
                    "bound_iam_principal_arn: at most {VALUES_MAX} names"
                )));
            }
            let known: BTreeMap<_, _> = self.list.drain(..).map(|old| (old.arn, old.id)).collect();
            let binding = |arn: &String| Binding {
                arn: arn.clone(),
                id: known.get(arn).cloned().flatten(),
            };
            self.list = arns.0.iter().map(binding).collect();
        }
        self.list
            .iter()
            .try_for_each(|binding| self.refuse(&binding.arn))
    }

    fn refuse(&self, arn: &str) -> Result<(), Fault> {
        let wrong = |why: String| Err(Fault::Invalid(format!("bound_iam_principal_arn: {why}")));
        let bound = match Bound::parse(arn) {
            Ok(bound) => bound,
            Err(why) => return wrong(why),
        };
        let Bound::One(one) = bound else {
            return Ok(());
        };
        match (&one.kind, self.resolved) {
            (Kind::InstanceProfile { .. }, _) => wrong(format!("{arn:?} is nobody who can sign")),
            (Kind::FederatedUser { .. }, true) => wrong(format!(
                "{arn:?} has no unique id; set resolve_aws_unique_ids to false to bind it by its name"
            )),
            (Kind::Role { path, .. }, false) if path != "/" => wrong(format!(
                "without unique ids (resolve_aws_unique_ids) a role is bound without its path: {:?}",
                one.canonical()
            )),
            _ => Ok(()),
        }
    }

    /// The names whose ids have to be known.
    fn unresolved(&self, again: bool) -> Vec<Principal> {
        let open = |binding: &&Binding| again || binding.id.is_none();
        let named = self.list.iter().filter(|_| self.resolved).filter(open);
        named
            .filter_map(|binding| match Bound::parse(&binding.arn) {
                Ok(Bound::One(one)) => Some(one),
                _ => None,
            })
            .collect()
    }

    /// Takes over ids; fails where one is missing, because the role was changed meanwhile.
    pub(super) fn adopt(&mut self, ids: &BTreeMap<String, String>) -> Result<(), Fault> {
        for binding in &mut self.list {
            if let Some(id) = ids.get(&binding.arn) {
                binding.id = Some(id.clone());
            }
        }
        match self.unresolved(false).is_empty() {
            true => Ok(()),
            false => Err(Fault::Conflict(
                "the role was changed by another request; try again".into(),
            )),
        }
    }

    /// Whether somebody is meant. `full` is their name with the path, once that is known.
    pub(super) async fn admit(
        &self,
        engine: &Aws,
        cx: &Ctx,
        client: &Client,
        caller: &Caller,
        full: &mut Option<String>,
    ) -> Result<bool, Fault> {
        let canonical = caller.principal.canonical();
        for binding in &self.list {
            let Ok(bound) = Bound::parse(&binding.arn) else {
                continue;
            };
            let meant = match (&bound, &binding.id) {
                (Bound::One(one), Some(id)) => {
                    *id == caller.unique_id && one.account == caller.principal.account
                }
                (Bound::One(_), None) => !self.resolved && bound.covers(&canonical),
                (Bound::All { .. }, _) if bound.needs_path(&caller.principal) => {
                    if full.is_none() {
                        *full = full_name(engine, cx, client, caller).await?;
                    }
                    full.as_ref().is_some_and(|full| bound.covers(full))
                }
                (Bound::All { .. }, _) => bound.covers(&canonical),
            };
            if meant {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The ids of the names of a role, as AWS has them now.
pub(super) async fn resolve(
    engine: &Aws,
    cx: &Ctx,
    bindings: &Bindings,
    again: bool,
) -> Result<BTreeMap<String, String>, Fault> {
    let open = bindings.unresolved(again);
    let all = resolve_all(engine, cx, open);
    let late = |_| {
        Fault::upstream("AWS did not say in time whose the names of bound_iam_principal_arn are")
    };
    tokio::time::timeout(RESOLVE_TIME, all)
        .await
        .map_err(late)?
}

async fn resolve_all(
    engine: &Aws,
    cx: &Ctx,
    open: Vec<Principal>,
) -> Result<BTreeMap<String, String>, Fault> {
    let client = Client::current(cx).await?;
    let (mut ids, mut accounts) = (BTreeMap::new(), BTreeMap::new());
    for principal in open {
        let arn = principal.to_string();
        let why = |why: String| {
            Fault::Invalid(format!(
                "unable to resolve ARN {arn:?} to an internal ID: {why}; see resolve_aws_unique_ids"
            ))
        };
        let told = |fault| match fault {
            Fault::Invalid(text) | Fault::Upstream(text) => why(text),
            other => other,
        };
        let place = (principal.partition.clone(), principal.account.clone());
        let api = match accounts.entry(place) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(fresh) => {
                let api = Api::within(engine, cx, &client, &principal).await;
                fresh.insert(api.map_err(told)?)
            }
        };
        let found = api.principal(&principal).await.map_err(told)?;
        let found = found.filter(|found| found.principal == principal);
        let found = found.ok_or_else(|| why("AWS has nobody of exactly this name".to_owned()))?;
        ids.insert(arn, found.unique_id);
    }
    Ok(ids)
}

/// The name of a role that somebody assumed, with its path. A role of the same name that is not theirs is no answer.
async fn full_name(
    engine: &Aws,
    cx: &Ctx,
    client: &Client,
    caller: &Caller,
) -> Result<Option<String>, Fault> {
    let told_by = &client.iam_endpoint;
    if let Some(known) = engine.paths.get(told_by, &caller.unique_id) {
        return Ok(Some(known));
    }
    let api = Api::within(engine, cx, client, &caller.principal).await?;
    let found = api.principal(&caller.principal).await?;
    let found = found.filter(|found| found.unique_id == caller.unique_id);
    let name = found.map(|found| found.principal.to_string());
    if let Some(name) = &name {
        engine.paths.keep(told_by, &caller.unique_id, name);
    }
    Ok(name)
}
