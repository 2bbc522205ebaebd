//! Policies behind the barrier, and compiled in memory.

use std::sync::Arc;

use coffer_barrier::{Stored, View};
use coffer_wire::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::builtin::{self, DEFAULT, ROOT};
use super::{Acl, Error, Identity, Policy};
use crate::recent::Recent;

/// Longest name of a policy, in bytes.
pub const MAX_NAME_BYTES: usize = 512;

/// Most rules that are kept of parsed policies, a policy without any counting as one.
const MAX_PARSED_RULES: usize = 100_000;

/// Most rules that are kept compiled.
const MAX_COMPILED_RULES: usize = 200_000;

/// Most sets of policies that are kept rendered for one identity.
const MAX_SETS_PER_IDENTITY: usize = 8;

/// The policies of one namespace.
#[derive(Clone, Debug)]
pub struct Policies {
    view: View,
    /// Whether there is a policy `root` here.
    in_root: bool,
    cache: Arc<Mutex<Cache>>,
}

/// A policy as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in normal form.
    pub name: String,
    /// Its text, byte for byte.
    pub text: String,
    /// How often it was written; 0 if it is built in and never was.
    pub version: u64,
    /// Whether writers must say which version they replace.
    pub cas_required: bool,
    /// When it was last written.
    pub modified: Option<Timestamp>,
    /// From when on it counts as deleted.
    pub expires: Option<Timestamp>,
}

/// What is to be written.
#[derive(Clone, Debug, Default)]
pub struct Put {
    /// The text, HCL or JSON.
    pub text: String,
    /// The version it replaces: -1 for none at all.
    pub cas: Option<i64>,
    /// Whether later writers must give `cas`; as before if not given.
    pub cas_required: Option<bool>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// The stored form. Its text is no secret.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    text: String,
    version: u64,
    #[serde(default)]
    cas_required: bool,
    modified: Timestamp,
    #[serde(default)]
    expires: Option<Timestamp>,
}

impl Stored for Record {}

#[derive(Debug)]
struct Cache {
    /// Counts the writes. What was loaded while it changed is used once, by a request older than the write's answer,
    /// and never kept.
    generation: u64,
    /// Parsed policies and when they end; none for names without a policy.
    parsed: Recent<Arc<str>, Option<Loaded>>,
    /// By their names: policies without templates, or for nobody.
    compiled: Recent<Box<[String]>, Compiled>,
    /// By the stamp of whom templated policies were rendered for: one set of names, mostly.
    rendered: Recent<u64, Arc<[Rendered]>>,
}

/// Policies as they are for nobody, and whether they are the same for everybody.
#[derive(Clone, Debug)]
struct Compiled {
    acl: Arc<Acl>,
    templated: bool,
}

/// Policies as they are for one identity.
#[derive(Clone, Debug)]
struct Rendered {
    names: Box<[String]>,
    acl: Arc<Acl>,
}

#[derive(Clone, Debug)]
struct Loaded {
    policy: Arc<Policy>,
    expires: Option<Timestamp>,
}

impl Policies {
    /// The policies of a namespace (the root or another), kept in a view that holds nothing else (`sys/policy/`).
    pub fn new(view: View, in_root: bool) -> Self {
        let cache = Cache {
            generation: 0,
            parsed: Recent::new(MAX_PARSED_RULES),
            compiled: Recent::new(MAX_COMPILED_RULES),
            rendered: Recent::new(MAX_COMPILED_RULES),
        };
        Self {
            view,
            in_root,
            cache: Arc::new(Mutex::new(cache)),
        }
    }

    /// The names of all policies in order, `root` at the end where there is one.
    ///
    /// # Errors
    /// If storage fails.
    pub async fn list(&self, now: Timestamp) -> Result<Vec<String>, Error> {
        let mut names = vec![DEFAULT.to_owned()];
        let mut pages = self.view.pages::<Record>("");
        while let Some(page) = pages.next().await? {
            let live = page.into_iter().filter(|(_, record)| record.is_live(now));
            names.extend(live.map(|(name, _)| name));
        }
        names.sort_unstable();
        names.dedup();
        names.extend(self.in_root.then(|| ROOT.to_owned()));
        Ok(names)
    }

    /// The policy as it was written. Upper and lower case are alike.
    ///
    /// # Errors
    /// If the name can not be a policy's, or storage fails.
    pub async fn read(&self, name: &str, now: Timestamp) -> Result<Option<Entry>, Error> {
        let name = normal_name(name)?;
        let stored = if builtin::is_fixed(&name) {
            None
        } else {
            self.view.get::<Record>(&name).await?
        };
        if let Some(record) = stored.filter(|record| record.is_live(now)) {
            return Ok(Some(Entry {
                name,
                text: record.text,
                version: record.version,
                cas_required: record.cas_required,
                modified: Some(record.modified),
                expires: record.expires,
            }));
        }
        Ok(builtin::text(&name).map(|text| Entry {
            name,
            text: text.to_owned(),
            version: 0,
            cas_required: false,
            modified: None,
            expires: None,
        }))
    }

    /// Writes a policy; decisions that begin after this returns obey it.
    ///
    /// # Errors
    /// If the text is not a policy, the name is not free to use, `cas` does not match, or storage fails.
    pub async fn put(&self, name: &str, put: Put, now: Timestamp) -> Result<(), Error> {
        let name = changeable(name)?;
        Policy::parse(&name, &put.text)?;
        if put.expires.is_some_and(|expires| expires <= now) {
            return Err(Error::Expired);
        }
        self.change(name, move |old| Ok(Some(replaced(old, &put, now)?)), now)
            .await
    }

    /// Deletes a policy, if it is there; decisions that begin after this returns obey that.
    ///
    /// # Errors
    /// If the policy belongs to the server, or storage fails.
    pub async fn delete(&self, name: &str, now: Timestamp) -> Result<(), Error> {
        let name = changeable(name)?;
        if name == DEFAULT {
            return Err(protected(&name, "deleted"));
        }
        self.change(name, |_| Ok(None), now).await
    }

    /// What these policies allow together, their templates filled in for `who`. Names without a policy grant nothing.
    ///
    /// Names must be in normal form, as tokens keep them; one that is not grants nothing.
    ///
    /// # Errors
    /// If storage fails, or a stored policy can not be read: then nothing is to be allowed.
    pub async fn acl_for(
        &self,
        names: &[String],
        who: Option<&dyn Identity>,
        now: Timestamp,
    ) -> Result<Arc<Acl>, Error> {
        let generation = {
            let mut cache = self.cache.lock();
            if let Some(acl) = cache.acl(names, who, now) {
                return Ok(acl);
            }
            cache.generation
        };
        let policies = self.policies_for(names, now).await?;
        let templated = policies.iter().any(|loaded| loaded.policy.is_templated());
        let who = who.filter(|_| templated);
        let mut acl = match who {
            Some(who) => {
                let rendered = policies.iter().map(|loaded| loaded.policy.render(who));
                Acl::compile(&rendered.collect::<Vec<Policy>>(), now)
            }
            None => {
                let live: Vec<&Policy> = policies.iter().map(|loaded| &*loaded.policy).collect();
                Acl::compile(&live, now)
            }
        };
        for loaded in &policies {
            acl.expire_at(loaded.expires);
        }
        let acl = Arc::new(acl);
        let mut cache = self.cache.lock();
        if cache.generation == generation {
            cache.keep(names, who, &acl, templated);
        }
        Ok(acl)
    }

    /// The parsed policies of these names, each once; to be rendered for an identity where they are templated.
    ///
    /// # Errors
    /// As [`Policies::acl_for`].
    pub async fn parsed(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<Vec<Arc<Policy>>, Error> {
        let loaded = self.policies_for(names, now).await?;
        Ok(loaded.into_iter().map(|loaded| loaded.policy).collect())
    }

    /// Forgets everything in memory; for when the stored policies were changed behind its back (a new leader, a
    /// restored snapshot).
    pub fn forget(&self) {
        let mut cache = self.cache.lock();
        cache.generation += 1;
        cache.parsed.clear();
        cache.compiled.clear();
        cache.rendered.clear();
    }

    async fn policies_for(&self, names: &[String], now: Timestamp) -> Result<Vec<Loaded>, Error> {
        let mut found = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            if names.iter().take(index).any(|earlier| earlier == name) {
                continue;
            }
            found.extend(self.load(name, now).await?);
        }
        Ok(found)
    }

    async fn load(&self, name: &str, now: Timestamp) -> Result<Option<Loaded>, Error> {
        let generation = {
            let mut cache = self.cache.lock();
            match cache.parsed.get(name) {
                Some(Some(loaded)) if loaded.expires.is_none_or(|until| now < until) => {
                    return Ok(Some(loaded));
                }
                Some(None) => return Ok(None),
                _ => cache.generation,
            }
        };
        if normal_name(name).ok().as_deref() != Some(name) {
            return Ok(None);
        }
        let loaded = match self.read(name, now).await? {
            Some(entry) => Some(Loaded {
                policy: Arc::new(Policy::parse(name, &entry.text)?),
                expires: entry.expires,
            }),
            None => None,
        };
        let mut cache = self.cache.lock();
        if cache.generation == generation {
            let rules = loaded
                .as_ref()
                .map_or(0, |loaded| loaded.policy.rules().len());
            cache.parsed.insert(name.into(), loaded.clone(), 1 + rules);
        }
        Ok(loaded)
    }

    /// Changes one record and makes memory forget it. A task of its own, so that a caller who goes away in the middle
    /// can not leave the old policy in memory while the new one is in storage.
    async fn change<F>(&self, name: String, decide: F, now: Timestamp) -> Result<(), Error>
    where
        F: Fn(Option<Record>) -> Result<Option<Record>, Error> + Send + Sync + 'static,
    {
        let this = self.clone();
        let task = tokio::spawn(async move {
            let live = |old: Option<Record>| old.filter(|record| record.is_live(now));
            let done = this
                .view
                .update(&name, |old| Ok::<_, Error>((decide(live(old))?, ())))
                .await;
            // After a failure too: nobody knows whether storage took it.
            this.invalidate(&name);
            done
        });
        task.await.unwrap_or(Err(Error::Stopping))
    }

    fn invalidate(&self, name: &str) {
        let mut cache = self.cache.lock();
        cache.generation += 1;
        cache.parsed.retain(|known| &**known != name);
        cache
            .compiled
            .retain(|names| !names.iter().any(|known| known == name));
        cache.rendered.clear();
    }
}

impl Cache {
    fn acl(
        &mut self,
        names: &[String],
        who: Option<&dyn Identity>,
        now: Timestamp,
    ) -> Option<Arc<Acl>> {
        let valid = |acl: &Acl| acl.valid_until().is_none_or(|until| now < until);
        if let Some(compiled) = self.compiled.get(names)
            && (who.is_none() || !compiled.templated)
        {
            return Some(compiled.acl).filter(|acl| valid(acl));
        }
        let rendered = self.rendered.get(&who?.stamp())?;
        let found = rendered.iter().find(|known| *known.names == *names)?;
        Some(Arc::clone(&found.acl)).filter(|acl| valid(acl))
    }

    fn keep(
        &mut self,
        names: &[String],
        who: Option<&dyn Identity>,
        acl: &Arc<Acl>,
        templated: bool,
    ) {
        let cost = 1 + names.len() + acl.len();
        let Some(who) = who else {
            let compiled = Compiled {
                acl: Arc::clone(acl),
                templated,
            };
            return self.compiled.insert(names.into(), compiled, cost);
        };
        let others = self.rendered.get(&who.stamp());
        let others = others.iter().flat_map(|others| others.iter());
        let others = others.filter(|known| *known.names != *names).cloned();
        let this = Rendered {
            names: names.into(),
            acl: Arc::clone(acl),
        };
        let all = std::iter::once(this).chain(others.take(MAX_SETS_PER_IDENTITY - 1));
        let all: Vec<Rendered> = all.collect();
        let cost = all.iter().map(|one| 1 + one.names.len() + one.acl.len());
        let cost = cost.sum();
        self.rendered.insert(who.stamp(), all.into(), cost);
    }
}

impl Record {
    fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

/// The one form of a policy's name that is compared and stored: lower case, without blanks around it.
///
/// # Errors
/// If it is empty, too long, or holds control characters or empty or dot segments.
pub fn normal_name(name: &str) -> Result<String, Error> {
    let normal = name.trim().to_lowercase();
    let wrong = if normal.is_empty() {
        "it is empty"
    } else if normal.len() > MAX_NAME_BYTES {
        "it is longer than 512 bytes"
    } else if normal.chars().any(char::is_control) {
        "it holds control characters"
    } else if normal
        .split('/')
        .any(|segment| matches!(segment, "" | "." | ".."))
    {
        "it holds an empty or dot segment"
    } else {
        return Ok(normal);
    };
    let shown = name.chars().take(64).collect();
    Err(Error::Name(shown, wrong))
}

fn changeable(name: &str) -> Result<String, Error> {
    let name = normal_name(name)?;
    if builtin::is_fixed(&name) {
        return Err(protected(&name, "changed or deleted"));
    }
    Ok(name)
}

fn protected(name: &str, action: &'static str) -> Error {
    Error::Protected {
        name: name.to_owned(),
        action,
    }
}

/// The record that follows `old`, if its writer knows what it replaces.
fn replaced(old: Option<Record>, put: &Put, now: Timestamp) -> Result<Record, Error> {
    let version = old.as_ref().map_or(0, |old| old.version);
    let required = old.as_ref().is_some_and(|old| old.cas_required);
    let mismatch = match put.cas {
        None if required => {
            Some("this policy needs the `cas` parameter; give its version".to_owned())
        }
        Some(-1) if old.is_some() => Some(format!(
            "`cas` of -1 means a new policy, but there is one of version {version}"
        )),
        Some(cas) if cas != -1 && u64::try_from(cas) != Ok(version) => Some(format!(
            "`cas` is {cas}, but the policy has version {version}; read it again"
        )),
        _ => None,
    };
    if let Some(mismatch) = mismatch {
        return Err(Error::CheckAndSet(mismatch));
    }
    Ok(Record {
        text: put.text.clone(),
        version: version + 1,
        cas_required: put.cas_required.unwrap_or(required),
        modified: now,
        expires: put.expires,
    })
}
