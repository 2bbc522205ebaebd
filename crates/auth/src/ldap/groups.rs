//! Which groups the directory says somebody is in.

use std::collections::BTreeSet;

use ldap3::Scope;

use super::conversation::{Directory, Entry, Search, Trouble};
use super::{config::Config, dn, escape, name, sid};

/// Most groups of one user.
pub(super) const GROUPS_MAX: usize = 4_096;
/// Identifiers that are looked for by one search.
const AT_ONCE: usize = 50;
const ANYTHING: &str = "(objectClass=*)";
/// `invalidDNSyntax` and `noSuchObject` of RFC 4511.
const BAD_NAME: u32 = 34;
const NO_SUCH: u32 = 32;

/// The names of somebody's groups.
pub(super) async fn of(
    directory: &mut Directory<'_>,
    name: &str,
    whose: &str,
) -> Result<Vec<String>, Trouble> {
    let config = directory.config;
    let entries = if config.use_token_groups {
        by_token(directory, whose).await?
    } else {
        by_filter(directory, name, whose).await?
    };
    let mut names = BTreeSet::new();
    for entry in &entries {
        names.extend(names_of(config, entry)?);
        if names.len() > GROUPS_MAX {
            return Err(too_many());
        }
    }
    Ok(names.into_iter().collect())
}

/// The groups that the configured filter finds.
async fn by_filter(
    directory: &mut Directory<'_>,
    name: &str,
    whose: &str,
) -> Result<Vec<Entry>, Trouble> {
    let config = directory.config;
    if config.groupfilter.is_empty() || config.groupdn.is_empty() {
        return Ok(Vec::new());
    }
    let filter = config
        .group_filter(name, whose)
        .map_err(Trouble::Misconfigured)?;
    let found = directory.search(under_groups(config, &filter)).await?;
    found.map_err(|result| Trouble::by(&result))
}

/// The groups that Active Directory has put into the user's own entry by their identifiers, those within groups included.
async fn by_token(directory: &mut Directory<'_>, whose: &str) -> Result<Vec<Entry>, Trouble> {
    let config = directory.config;
    let own = Search {
        base: whose,
        scope: Scope::Base,
        filter: ANYTHING,
        attribute: "tokenGroups",
        most: 1,
    };
    let own = directory
        .search(own)
        .await?
        .map_err(|result| Trouble::by(&result))?;
    let identifiers: BTreeSet<Vec<u8>> = own
        .iter()
        .flat_map(|entry| entry.bytes("tokenGroups"))
        .collect();
    if identifiers.len() > GROUPS_MAX {
        return Err(too_many());
    }
    let identifiers: Vec<Vec<u8>> = identifiers
        .into_iter()
        .filter(|one| sid::text(one).is_some())
        .collect();
    let mut groups = Vec::new();
    for identifier in &identifiers {
        let base = sid::text(identifier)
            .map(|text| format!("<SID={text}>"))
            .unwrap_or_default();
        let attribute = config.group_attribute();
        let search = Search {
            base: &base,
            scope: Scope::Base,
            filter: ANYTHING,
            attribute,
            most: 1,
        };
        match directory.search(search).await? {
            Ok(found) => groups.extend(found),
            Err(result) if result.rc == NO_SUCH => {}
            // Not Active Directory, which alone knows such names.
            Err(result) if result.rc == BAD_NAME => {
                return by_identifier(directory, &identifiers).await;
            }
            Err(result) => return Err(Trouble::by(&result)),
        }
    }
    Ok(groups)
}

/// The groups under `groupdn` that have these identifiers.
async fn by_identifier(
    directory: &mut Directory<'_>,
    identifiers: &[Vec<u8>],
) -> Result<Vec<Entry>, Trouble> {
    let config = directory.config;
    let mut groups = Vec::new();
    if config.groupdn.is_empty() {
        return Ok(groups);
    }
    for some in identifiers.chunks(AT_ONCE) {
        let each = some
            .iter()
            .map(|one| format!("(objectSid={})", escape::bytes_for_filter(one)));
        let filter = format!("(|{})", each.collect::<String>());
        let found = directory.search(under_groups(config, &filter)).await?;
        groups.extend(found.map_err(|result| Trouble::by(&result))?);
    }
    Ok(groups)
}

fn too_many() -> Trouble {
    Trouble::Misconfigured(format!("a user is in more than {GROUPS_MAX} groups"))
}

fn under_groups<'a>(config: &'a Config, filter: &'a str) -> Search<'a> {
    Search {
        base: &config.groupdn,
        scope: Scope::Subtree,
        filter,
        attribute: config.group_attribute(),
        most: GROUPS_MAX,
    }
}

/// What the configured attribute names; values that are distinguished names count by the `cn` in them, and an entry without the
/// attribute by its own. What can be no name is none. Too many are refused before anybody looks into them.
fn names_of(config: &Config, entry: &Entry) -> Result<Vec<String>, Trouble> {
    let values = entry.values(config.group_attribute());
    let values: Vec<&str> = values.take(GROUPS_MAX + 1).collect();
    if values.len() > GROUPS_MAX {
        return Err(too_many());
    }
    let values = if values.is_empty() {
        vec![entry.dn.as_str()]
    } else {
        values
    };
    let names = values.into_iter().map(|value| {
        let parts = dn::parse(value).unwrap_or_default();
        let by_case = config.use_pre111_group_cn_behavior;
        let named = match by_case {
            // Before 1.1.1 only `CN` was seen, `cn` was not.
            true => parts
                .iter()
                .flatten()
                .find(|(kind, _)| kind == "CN")
                .map(|(_, name)| name.clone()),
            false => dn::first_of(&parts, "cn").map(str::to_owned),
        };
        named.unwrap_or_else(|| value.to_owned())
    });
    Ok(names.filter(|name| name::is_possible(name)).collect())
}
