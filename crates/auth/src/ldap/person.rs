//! Who somebody is: their entry in the directory, and whether it takes their password.

use coffer_crypto::Secret;
use ldap3::Scope;

use super::config::{Config, Way};
use super::conversation::{Directory, Entry, Search, Trouble};
use super::{dn, escape, groups, name};

/// Whom the directory is asked about.
pub(super) struct Wish<'a> {
    /// The name as it was typed, without blanks around it.
    pub(super) typed: &'a str,
    /// The password; none if only the groups of somebody who has logged in are asked for.
    pub(super) password: Option<&'a Secret<String>>,
}

/// What the directory says about somebody.
#[derive(Debug)]
pub(super) struct Found {
    /// What their entity is found by.
    pub(super) alias: String,
    /// What they are called here. It is the name that was typed only if that is the name of their entity: who can write another
    /// into their own entry, and is found by it, gets nothing of whoever else is called so.
    pub(super) name: String,
    /// The names of their groups, as the directory writes them.
    pub(super) groups: Vec<String>,
}

/// Finds somebody, checks the password if there is one, and finds their groups.
pub(super) async fn find(mut directory: Directory<'_>, wish: &Wish<'_>) -> Result<Found, Trouble> {
    let config = directory.config;
    let entry = match config.way() {
        Way::Search => by_search(&mut directory, wish).await?,
        Way::Domain => by_domain(&mut directory, wish).await?,
        Way::Direct => directly(&mut directory, wish).await?,
    };
    if entry.dn.is_empty() {
        return Err(Trouble::Refused);
    }
    let (alias, name) = names(config, wish, &entry)?;
    if config.anonymous_group_search {
        directory.be_nobody().await?;
    } else if config.has_account() && wish.password.is_some() {
        directory.be_account().await?;
    }
    let groups = groups::of(&mut directory, &name, &entry.dn).await?;
    Ok(Found {
        alias,
        name,
        groups,
    })
}

/// The account of the configuration, or nobody, looks for the user; then the user shows the password.
async fn by_search(directory: &mut Directory<'_>, wish: &Wish<'_>) -> Result<Entry, Trouble> {
    let config = directory.config;
    match config.has_account() {
        true => directory.be_account().await?,
        false => directory.be_nobody().await?,
    }
    let filter = config
        .user_filter(wish.typed)
        .map_err(Trouble::Misconfigured)?;
    let entry = the_only(directory, &config.userdn, Scope::Subtree, &filter).await?;
    let Some(password) = wish.password else {
        return entry.ok_or(Trouble::Refused);
    };
    // Whoever does not exist is asked for as well: an answer that comes sooner would tell.
    let nobody = || {
        format!(
            "{}={},{}",
            config.attribute(),
            escape::for_dn(wish.typed),
            config.userdn
        )
    };
    let whose = entry.as_ref().map_or_else(nobody, |entry| entry.dn.clone());
    let taken = directory.takes(&whose, password).await?;
    entry.filter(|_| taken).ok_or(Trouble::Refused)
}

/// The user shows the password under a name like `ann@example.org`, as Active Directory has them.
async fn by_domain(directory: &mut Directory<'_>, wish: &Wish<'_>) -> Result<Entry, Trouble> {
    let config = directory.config;
    let principal = format!("{}@{}", wish.typed, config.upndomain);
    show(directory, &principal, wish).await?;
    let filter = format!("(userPrincipalName={})", escape::for_filter(&principal));
    let entry = the_only(directory, &config.userdn, Scope::Subtree, &filter).await?;
    entry.ok_or(Trouble::Refused)
}

/// The user shows the password under the name of the entry that they must have.
async fn directly(directory: &mut Directory<'_>, wish: &Wish<'_>) -> Result<Entry, Trouble> {
    let config = directory.config;
    let own = format!(
        "{}={},{}",
        config.attribute(),
        escape::for_dn(wish.typed),
        config.userdn
    );
    show(directory, &own, wish).await?;
    let entry = the_only(directory, &own, Scope::Base, "(objectClass=*)").await?;
    entry.ok_or(Trouble::Refused)
}

/// Shows the password; without one, goes on as nobody.
async fn show(directory: &mut Directory<'_>, whose: &str, wish: &Wish<'_>) -> Result<(), Trouble> {
    match wish.password {
        None => directory.be_nobody().await,
        Some(password) => match directory.takes(whose, password).await? {
            true => Ok(()),
            false => Err(Trouble::Refused),
        },
    }
}

/// The entry that a search finds, if it is exactly one.
async fn the_only(
    directory: &mut Directory<'_>,
    base: &str,
    scope: Scope,
    filter: &str,
) -> Result<Option<Entry>, Trouble> {
    let attribute = directory.config.attribute();
    let search = Search {
        base,
        scope,
        filter,
        attribute: &attribute,
        most: 2,
    };
    let mut entries = match directory.search(search).await? {
        Ok(entries) => entries,
        // No such base, a base that is no name: nobody is there.
        Err(result) if matches!(result.rc, 4 | 32 | 34 | 50) => Vec::new(),
        Err(result) => return Err(Trouble::by(&result)),
    };
    if entries.len() > 1 {
        tracing::warn!(
            "more than one entry of the directory is meant by one user name; nobody of them gets in"
        );
        return Ok(None);
    }
    Ok(entries.pop())
}

/// The name of the entity: what the directory writes, so that every spelling of a user is one; or the name that was typed, where
/// the configuration wants that. And what the user is called here.
fn names(config: &Config, wish: &Wish<'_>, entry: &Entry) -> Result<(String, String), Trouble> {
    let typed = name::normal(wish.typed, config.case_sensitive_names);
    if config.username_as_alias {
        // Another spelling that the directory takes for the same would be another entity.
        return match name::is_plain(wish.typed) {
            true => Ok((typed, wish.typed.to_owned())),
            false => Err(Trouble::Refused),
        };
    }
    let attribute = config.attribute();
    let own = dn::parse(&entry.dn).and_then(|parts| parts.into_iter().next());
    let own = own.into_iter().flatten();
    let mut own = own.filter(|(kind, _)| kind.eq_ignore_ascii_case(&attribute));
    let found = match own.next() {
        Some((_, value)) => Some(value),
        None => one_of(entry, &attribute, |value| {
            name::normal(value, config.case_sensitive_names) == typed
        }),
    };
    let found = found.filter(|found| name::is_possible(found));
    let found = found.ok_or_else(|| {
        Trouble::Misconfigured(format!(
            "the user's entry has no {attribute}, or several, that can name their entity"
        ))
    })?;
    let alias = name::normal(&found, config.case_sensitive_names);
    let full = format!("{typed}@{}", config.upndomain).to_lowercase();
    let is_full = config.way() == Way::Domain && alias.to_lowercase() == full;
    let called = match alias == typed || is_full {
        true => wish.typed.to_owned(),
        false => found.trim().to_owned(),
    };
    Ok((alias, called))
}

/// The value of an attribute; of several the one that was typed. Their order is the directory's, and who can add one to their own
/// entry must not become somebody else by it.
fn one_of(entry: &Entry, attribute: &str, is_typed: impl Fn(&str) -> bool) -> Option<String> {
    let values: Vec<&str> = entry.values(attribute).collect();
    let found = match values.as_slice() {
        [only] => Some(*only),
        several => several.iter().copied().find(|value| is_typed(value)),
    };
    found.map(str::to_owned)
}
