//! `control_group` of a path: what others must authorize before it happens.

use std::time::Duration;

use coffer_hcl::{Block, Body, Error as Syntax, Position};
use serde::{Deserialize, Serialize};

use super::Capabilities;
use super::parse::{capability, duration, strings};
use crate::identity::normal;

/// Most factors in one rule.
const MAX_FACTORS: usize = 32;
/// Most groups of one factor.
const MAX_GROUPS: usize = 64;
/// Most approvals that one factor asks for.
const MAX_APPROVALS: i64 = 64;

/// What others must authorize at a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    /// How long a request waits for it.
    pub ttl: Option<Duration>,
    /// Each of them must be met.
    pub factors: Vec<(Capabilities, Factor)>,
}

/// So many people of these groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// What it is called.
    pub name: String,
    /// The groups, in normal form.
    pub groups: Vec<String>,
    /// How many different members.
    pub approvals: usize,
    /// Whether whoever asks is among those who may say yes.
    pub self_authorization: bool,
    /// How long a yes holds, in seconds; as long as the request waits if there is none.
    pub ttl_secs: Option<u64>,
}

/// The factors that a request must meet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Controlled {
    /// How long it waits for that.
    pub ttl: Option<Duration>,
    /// Each of them must be met; none if nobody is asked.
    pub factors: Vec<Factor>,
}

impl Control {
    /// Adds what another rule of the same path asks for: all of both must be met, and the shorter time holds.
    pub fn merge(&mut self, other: &Self) {
        self.ttl = match (self.ttl, other.ttl) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        for factor in &other.factors {
            if !self.factors.contains(factor) {
                self.factors.push(factor.clone());
            }
        }
    }

    /// What a request that needs these capabilities must meet.
    pub fn of(&self, needed: Capabilities) -> Controlled {
        let factors = self.factors.iter();
        Controlled {
            ttl: self.ttl,
            factors: factors
                .filter(|(controlled, _)| controlled.meets(needed))
                .map(|(_, factor)| factor.clone())
                .collect(),
        }
    }
}

impl Controlled {
    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.ttl = match (self.ttl, other.ttl) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        for factor in other.factors {
            if !self.factors.contains(&factor) {
                self.factors.push(factor);
            }
        }
        self
    }
}

/// Takes `control_group` of a path.
pub(super) fn read(body: &mut Body) -> Result<Option<Control>, Syntax> {
    let mut all: Option<Control> = None;
    for block in body.take_blocks("control_group", 0)? {
        let control = one(block)?;
        match &mut all {
            Some(all) => all.merge(&control),
            None => all = Some(control),
        }
    }
    Ok(all)
}

fn one(block: Block) -> Result<Control, Syntax> {
    let mut body = block.body;
    let ttl = duration(&mut body, "ttl")?;
    let blocks = body.take_blocks("factor", 1)?;
    nothing_else(&body, "`control_group`", "ttl, factor")?;
    if blocks.is_empty() || blocks.len() > MAX_FACTORS {
        return Err(Syntax::new(
            block.position,
            format!("a `control_group` with {} factors", blocks.len()),
            format!("1 to {MAX_FACTORS}"),
            "write `factor \"name\" { controlled_capabilities = [\"read\"] identity { group_names = [\"…\"] approvals = 1 } }`",
        ));
    }
    let factors = blocks.into_iter().map(factor);
    Ok(Control {
        ttl,
        factors: factors.collect::<Result<_, _>>()?,
    })
}

fn factor(block: Block) -> Result<(Capabilities, Factor), Syntax> {
    let at = block.position;
    let name = block.labels.first().map_or("", |label| label).to_owned();
    let mut body = block.body;
    let mut controlled = Capabilities::NONE;
    for (word, at) in strings(&mut body, "controlled_capabilities")? {
        controlled = controlled | capability(&word, at)?;
    }
    if !controlled.grants_something() {
        return Err(wrong(at, &name, "controlled_capabilities", "[\"read\"]"));
    }
    let mut identities = body.take_blocks("identity", 0)?;
    nothing_else(
        &body,
        &format!("factor {name:?}"),
        "controlled_capabilities, identity",
    )?;
    let (Some(identity), true) = (identities.pop(), identities.is_empty()) else {
        return Err(wrong(at, &name, "identity", "{ … }"));
    };
    Ok((controlled, people(name, identity.body, at)?))
}

fn people(name: String, mut body: Body, at: Position) -> Result<Factor, Syntax> {
    let groups = strings(&mut body, "group_names")?;
    if groups.is_empty() || groups.len() > MAX_GROUPS {
        return Err(wrong(at, &name, "group_names", "[\"group\"]"));
    }
    let approvals = body.take_i64("approvals")?.unwrap_or(0);
    if !(1..=MAX_APPROVALS).contains(&approvals) {
        return Err(wrong(at, &name, "approvals", "1"));
    }
    let factor = Factor {
        groups: groups.iter().map(|(group, _)| normal(group)).collect(),
        approvals: usize::try_from(approvals).unwrap_or(usize::MAX),
        self_authorization: body.take_bool("self_authorization")?.unwrap_or(false),
        ttl_secs: duration(&mut body, "ttl")?.map(|ttl| ttl.as_secs()),
        name,
    };
    nothing_else(
        &body,
        "`identity`",
        "group_names, approvals, self_authorization, ttl",
    )?;
    Ok(factor)
}

fn wrong(at: Position, factor: &str, key: &str, example: &str) -> Syntax {
    Syntax::new(
        at,
        format!("factor {factor:?} of a `control_group` has no usable `{key}`"),
        format!(
            "such as `{key} = {example}` (at most {MAX_GROUPS} groups, {MAX_APPROVALS} approvals)"
        ),
        "correct it",
    )
}

fn nothing_else(body: &Body, place: &str, known: &str) -> Result<(), Syntax> {
    match body.items.first() {
        None => Ok(()),
        Some(item) => Err(Syntax::new(
            item.position,
            format!("unknown key {:?} in {place}", item.key),
            format!("one of {known}"),
            "correct or remove it",
        )),
    }
}
