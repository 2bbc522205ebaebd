//! Policies behind the barrier, and compiled in memory.

use std::sync::Arc;

use coffer_barrier::View;
use coffer_wire::Timestamp;
use parking_lot::Mutex;

use super::builtin::{self, DEFAULT, ROOT};
use super::order::by_folder;
use super::record::{Entry, Patch, Put, Record, built_in, patched, replaced};
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

/// Most bytes of texts that are answered at once.
const MAX_ENTRIES_BYTES: usize = 32 * 1024 * 1024;

/// The policies of one namespace.
#[derive(Clone, Debug)]
pub struct Policies {
    view: View,
    /// Whether there is a policy `root` here.
    in_root: bool,
    cache: Arc<Mutex<Cache>>,
}

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

    /// The names of the policies below a folder, or of all if that is empty: those of a folder before what lies in
    /// folders within it, `root` at the end where there is one.
    ///
    /// # Errors
    /// If the folder can not be one of a policy's name, or storage fails.
    pub async fn list(&self, folder: &str, now: Timestamp) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        self.each(folder, now, |name, _| {
            names.push(name);
            Ok(())
        })
        .await?;
        if folder.is_empty() {
            names.push(DEFAULT.to_owned());
        }
        names.sort_unstable_by(|one, other| by_folder(one, other));
        names.dedup();
        names.extend((folder.is_empty() && self.in_root).then(|| ROOT.to_owned()));
        Ok(names)
    }

    /// The policies that [`Policies::list`] names.
    ///
    /// # Errors
    /// As there, and if they are too long together.
    pub async fn entries(&self, folder: &str, now: Timestamp) -> Result<Vec<Entry>, Error> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        self.each(folder, now, |name, record| {
            bytes += name.len() + record.text.len();
            if bytes > MAX_ENTRIES_BYTES {
                return Err(Error::TooMuch);
            }
            entries.push(record.entry(name));
            Ok(())
        })
        .await?;
        if folder.is_empty() && !entries.iter().any(|entry| entry.name == DEFAULT) {
            entries.extend(built_in(DEFAULT));
        }
        entries.sort_unstable_by(|one, other| by_folder(&one.name, &other.name));
        if folder.is_empty() && self.in_root {
            entries.extend(built_in(ROOT));
        }
        Ok(entries)
    }

    /// Every stored policy below a folder that has not ended.
    async fn each(
        &self,
        folder: &str,
        now: Timestamp,
        mut note: impl FnMut(String, Record) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let folder = match folder.is_empty() {
            true => String::new(),
            false => format!("{}/", normal_name(folder)?),
        };
        let mut pages = self.view.pages::<Record>(&folder);
        while let Some(page) = pages.next().await? {
            for (name, record) in page {
                if record.is_live(now) {
                    note(name, record)?;
                }
            }
        }
        Ok(())
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
        let stored = stored.filter(|record| record.is_live(now));
        Ok(match stored {
            Some(record) => Some(record.entry(name)),
            None => built_in(&name),
        })
    }

    /// Writes a policy; decisions that begin after this returns obey it.
    ///
    /// # Errors
    /// If the text is not a policy, the name is not free to use, `cas` does not match, or storage fails.
    pub async fn put(&self, name: &str, put: Put, now: Timestamp) -> Result<(), Error> {
        let name = changeable(name)?;
        Policy::parse(&name, &put.text)?;
        refuse_past(put.expires, now)?;
        let written = name.clone();
        self.change(
            name,
            move |old| Ok(Some(replaced(&written, old, &put, now)?)),
            now,
        )
        .await
    }

    /// Changes parts of a policy; decisions that begin after this returns obey it.
    ///
    /// # Errors
    /// As [`Policies::put`], and if there is no such policy.
    pub async fn patch(&self, name: &str, patch: Patch, now: Timestamp) -> Result<(), Error> {
        let name = changeable(name)?;
        if let Some(text) = &patch.text {
            Policy::parse(&name, text)?;
        }
        refuse_past(patch.expires, now)?;
        let written = name.clone();
        self.change(
            name,
            move |old| Ok(Some(patched(&written, old, &patch, now)?)),
            now,
        )
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
                policy: Arc::new(Policy::parse(name, &entry.text)?.with_latitude(entry.latitude)),
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

fn refuse_past(expires: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    match expires {
        Some(expires) if expires <= now => Err(Error::Expired),
        _ => Ok(()),
    }
}
