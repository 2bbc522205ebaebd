//! Rate limits, before anything is looked up for a request.

use std::sync::Arc;

use coffer_engine::Fault;

use super::allowance::{Allowance, Terms};
use super::clients::{Client, Key};
use super::quota::{GroupBy, Limit};
use super::rules::{Rules, Spot};
use crate::core::Core;
use crate::grant::{self, Asked};
use crate::namespaces::Space;
use crate::open::Open;
use crate::request::Request;

/// Where the paths are mounted that answer while the server is sealed, too.
const DOORSTEP: &str = "sys/";

/// Asks the rate limit of a request whose token nobody has looked at; those that go by entities come later. `told`
/// becomes what the client is to know.
///
/// # Errors
/// [`Fault::TooMany`] if the client asks too often.
pub async fn stranger(
    open: &Open,
    asked: &mut Asked,
    told: &mut Option<Allowance>,
) -> Result<(), Fault> {
    let mount = asked.mount.as_ref().filter(|mount| mount.has_roles());
    if let Some(mount) = mount
        && open.quotas.rules().ask_for_roles(&mount.record.accessor)
    {
        asked.role = grant::role_of(open, asked).await?;
    }
    take(open, asked, told, false)
}

/// Asks the rate limit of a request that goes by the entity behind its token.
///
/// # Errors
/// As [`stranger`].
pub fn known(open: &Open, asked: &Asked, told: &mut Option<Allowance>) -> Result<(), Fault> {
    take(open, asked, told, true)
}

/// Asks the rate limit of a request to a path that answers while the server is sealed, too.
///
/// # Errors
/// As [`stranger`].
pub(crate) fn at_the_door(
    core: &Arc<Core>,
    request: &Request,
    told: &mut Option<Allowance>,
) -> Result<(), Fault> {
    if !core.quotas.has_rates() {
        return Ok(());
    }
    let root = core.namespaces.root();
    let Some(mount) = root.mounts.exactly(DOORSTEP) else {
        return Ok(());
    };
    let path = request.path.as_str();
    let spot = Spot {
        mount: &mount.record.accessor,
        tail: mount.tail(path),
        role: None,
    };
    let question = Question {
        space: &root,
        path,
        spot,
        request,
        entity: "",
    };
    question.ask(core, told, None)
}

fn take(
    open: &Open,
    asked: &Asked,
    told: &mut Option<Allowance>,
    by_entity: bool,
) -> Result<(), Fault> {
    if !open.quotas.has_rates() {
        return Ok(());
    }
    let path = grant::asked_path(&asked.request, asked.found.as_ref().ok());
    let spot = match &asked.mount {
        Some(mount) => Spot {
            mount: &mount.record.accessor,
            tail: mount.tail(&path),
            role: asked.role.as_deref(),
        },
        None => Spot::default(),
    };
    let caller = asked.caller.as_ref();
    let entity = caller.map(|caller| caller.entity_id.as_str());
    let question = Question {
        space: &open.space,
        path: &path,
        spot,
        request: &asked.request,
        entity: entity.unwrap_or_default(),
    };
    question.ask(open, told, Some(by_entity))
}

/// A request as rate limits see it.
struct Question<'a> {
    space: &'a Arc<Space>,
    path: &'a str,
    spot: Spot<'a>,
    request: &'a Request,
    entity: &'a str,
}

impl Question<'_> {
    /// Asks the limit that holds, if it goes by entities or if it does not, as wanted (none for either).
    fn ask(
        &self,
        core: &Core,
        told: &mut Option<Allowance>,
        by_entity: Option<bool>,
    ) -> Result<(), Fault> {
        let rules: Arc<Rules> = core.quotas.rules();
        let Some(rule) = rules.rates.find(self.space, &self.spot) else {
            return Ok(());
        };
        let Limit::Rate(rate) = &rule.quota.limit else {
            return Ok(());
        };
        if by_entity.is_some_and(|wanted| rate.group_by.needs_entity() != wanted)
            || rules.config.exempts(self.space, self.path)
        {
            return Ok(());
        }
        let secondary = rate.group_by.needs_entity() && self.entity.is_empty();
        let key = Key {
            quota: rule.number,
            client: self.client(rate.group_by),
        };
        let now = core.clock.now();
        let taken = core
            .quotas
            .clients
            .take(key, &Terms::of(rate, secondary), now);
        let Some(allowance) = taken else {
            return Ok(());
        };
        if rules.config.response_headers {
            *told = Some(allowance);
        }
        if !allowance.passes {
            core.settings.meters.rate_limited(&rule.quota.name);
        }
        match allowance.passes {
            true => Ok(()),
            false => Err(Fault::TooMany(format!(
                "request path {:?}: rate limit quota exceeded",
                self.path
            ))),
        }
    }

    fn client(&self, group_by: GroupBy) -> Client {
        let address = || match self.request.client {
            Some(client) => Client::Address(client.ip().to_canonical()),
            None => Client::Local,
        };
        match group_by {
            GroupBy::Ip => address(),
            GroupBy::None => Client::Everyone,
            _ if !self.entity.is_empty() => Client::Entity(self.entity.into()),
            GroupBy::EntityThenIp => address(),
            GroupBy::EntityThenNone => Client::Everyone,
        }
    }
}
