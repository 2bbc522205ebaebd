//! One conversation with a directory: over a connection of its own, within a bounded time, about one person.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::Fault;
use ldap3::adapters::{Adapter, PagedResults};
use ldap3::{
    DerefAliases, Ldap as Library, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope,
    SearchEntry, SearchOptions, StdStream,
};
use parking_lot::Mutex;
use tokio::net::UnixStream;

use super::config::Config;
use super::person::{self, Found, Wish};
use super::{Ldap, dial, guard};

/// The longest that a whole login may take, whatever is configured.
const LONGEST: Duration = Duration::from_secs(300);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// There is no such user, the password is another, or the directory does not let them in.
    Refused,
    /// The directory can not be reached, or does not speak as it should.
    Away(String),
    /// The directory does not do what the configuration wants of it.
    Misconfigured(String),
}

/// The directory during one conversation.
pub(super) struct Directory<'a> {
    library: Library,
    pub(super) config: &'a Config,
}

/// What was found.
pub(super) struct Entry {
    pub(super) dn: String,
    attributes: HashMap<String, Vec<String>>,
    binary: HashMap<String, Vec<Vec<u8>>>,
}

/// A search.
pub(super) struct Search<'a> {
    pub(super) base: &'a str,
    pub(super) scope: Scope,
    pub(super) filter: &'a str,
    pub(super) attribute: &'a str,
    /// Entries that are too many.
    pub(super) most: usize,
}

/// Asks the directory about somebody.
pub(super) async fn ask(engine: &Ldap, config: &Config, wish: &Wish<'_>) -> Result<Found, Fault> {
    let _turn = engine.turn().await?;
    let late = |_| Trouble::Away("it takes too long".to_owned());
    let asked = tokio::time::timeout(LONGEST, connected(engine, config, wish));
    let found = asked.await.map_err(late).and_then(|found| found);
    found.map_err(Trouble::told)
}

async fn connected(engine: &Ldap, config: &Config, wish: &Wish<'_>) -> Result<Found, Trouble> {
    let far = dial::connect(config, &engine.tls, config.connection_patience());
    let far = far.await.map_err(Trouble::Away)?;
    let (near, library) = UnixStream::pair().map_err(Trouble::local)?;
    let library = library.into_std().map_err(Trouble::local)?;
    let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(library));
    let (connection, library) = LdapConnAsync::with_settings(settings, "ldapi:///").await?;
    let directory = Directory { library, config };
    let why = Mutex::new(None);
    // Neither of the two ends the conversation: what was said before the end is to be heard, and then the library finds nobody there.
    let carried = async {
        let reason = guard::carry(near, far).await;
        *why.lock() = Some(reason);
        pending::<Infallible>().await
    };
    let driven = async {
        let _ = connection.drive().await;
        pending::<Infallible>().await
    };
    let talk = async {
        tokio::select! {
            biased;
            found = person::find(directory, wish) => found.map_err(|trouble| trouble.because(why.lock().take())),
            never = carried => match never {},
            never = driven => match never {},
        }
    };
    let late = |_| Trouble::Away("it does not answer in time".to_owned());
    tokio::time::timeout(config.request_patience(), talk)
        .await
        .map_err(late)?
}

impl Directory<'_> {
    /// Whether the directory takes this name with this password. Neither of them empty: with an empty one the directory would say
    /// yes to anybody (RFC 4513 section 5.1). A referral is no yes.
    pub(super) async fn takes(
        &mut self,
        name: &str,
        password: &Secret<String>,
    ) -> Result<bool, Trouble> {
        if name.is_empty() || password.expose().is_empty() {
            return Ok(false);
        }
        let result = self.library.simple_bind(name, password.expose()).await?;
        match result.rc {
            0 => Ok(result.refs.is_empty()),
            // Busy, unavailable, limits of time and of work, errors of its own, not without encryption.
            1..=3 | 8 | 11 | 13 | 51 | 52 | 80 => Err(Trouble::by(&result)),
            _ => Ok(false),
        }
    }

    /// Goes on as nobody.
    pub(super) async fn be_nobody(&mut self) -> Result<(), Trouble> {
        let result = self.library.simple_bind("", "").await?;
        match result.rc == 0 && result.refs.is_empty() {
            true => Ok(()),
            false => Err(Trouble::Misconfigured(format!(
                "it does not let anybody in without a name: {result}"
            ))),
        }
    }

    /// Goes on as the account that the configuration names.
    pub(super) async fn be_account(&mut self) -> Result<(), Trouble> {
        match self
            .takes(&self.config.binddn, &self.config.bindpass)
            .await?
        {
            true => Ok(()),
            false => Err(Trouble::Misconfigured(
                "it refuses binddn with bindpass".to_owned(),
            )),
        }
    }

    /// The entries, of which [`Search::most`] are too many. Referrals to elsewhere are not followed.
    pub(super) async fn search(
        &mut self,
        search: Search<'_>,
    ) -> Result<Result<Vec<Entry>, LdapResult>, Trouble> {
        let size = i32::try_from(search.most).unwrap_or(0);
        let options = SearchOptions::new()
            .deref(self.config.dereferencing())
            .sizelimit(size);
        let mut adapters: Vec<Box<dyn Adapter<'_, &str, Vec<&str>>>> = Vec::new();
        if let Some(page) = self.config.page() {
            adapters.push(Box::new(PagedResults::new(page)));
        }
        let attributes = vec![search.attribute];
        let library = self.library.with_search_options(options);
        let stream = library.streaming_search_with(
            adapters,
            search.base,
            search.scope,
            search.filter,
            attributes,
        );
        let mut stream = stream.await?;
        let mut entries = Vec::new();
        while let Some(entry) = stream.next().await? {
            if entry.is_ref() || entry.is_intermediate() {
                continue;
            }
            if entries.len() == search.most {
                return Err(Trouble::Misconfigured(format!(
                    "a search finds more than {} entries",
                    search.most
                )));
            }
            entries.push(Entry::from(SearchEntry::construct(entry)));
        }
        let result = stream.finish().await;
        match result.rc {
            0 => Ok(Ok(entries)),
            _ => Ok(Err(result)),
        }
    }
}

impl Entry {
    /// The values of an attribute that are texts.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.attributes.iter();
        let named = all.filter(move |(known, _)| is_called(known, name));
        named.flat_map(|(_, values)| values.iter().map(String::as_str))
    }

    /// The values of an attribute, whatever they are.
    pub(super) fn bytes(&self, name: &str) -> Vec<Vec<u8>> {
        let texts = self.values(name).map(|value| value.as_bytes().to_vec());
        let all = self.binary.iter();
        let named = all.filter(|(known, _)| is_called(known, name));
        texts
            .chain(named.flat_map(|(_, values)| values.iter().cloned()))
            .collect()
    }
}

impl From<SearchEntry> for Entry {
    fn from(entry: SearchEntry) -> Self {
        Self {
            dn: entry.dn,
            attributes: entry.attrs,
            binary: entry.bin_attrs,
        }
    }
}

impl Trouble {
    /// What the directory said instead of doing what was asked.
    pub(super) fn by(result: &LdapResult) -> Self {
        match result.rc {
            51 | 52 => Self::Away(result.to_string()),
            _ => Self::Misconfigured(result.to_string()),
        }
    }

    /// The same with a better reason for a conversation that broke off, if there is one.
    fn because(self, reason: Option<String>) -> Self {
        match (self, reason) {
            (Self::Away(_), Some(reason)) => Self::Away(reason),
            (trouble, _) => trouble,
        }
    }

    fn local(error: std::io::Error) -> Self {
        Self::Away(format!("no connection can be made: {error}"))
    }

    /// What a client is told: of a refusal always the same, of the directory no more than that it is not the client's fault.
    fn told(self) -> Fault {
        match self {
            Self::Refused => refused(),
            Self::Away(why) => {
                tracing::warn!(reason = %why, "the directory can not be asked");
                Fault::Unavailable(
                    "the LDAP directory can not be reached; the server's log says why".into(),
                )
            }
            Self::Misconfigured(why) => {
                tracing::warn!(reason = %why, "the directory does not do what this mount's config wants");
                Fault::upstream(
                    "the LDAP directory refuses what this mount's config asks of it; the server's log says more",
                )
            }
        }
    }
}

impl From<LdapError> for Trouble {
    fn from(error: LdapError) -> Self {
        match error {
            LdapError::FilterParsing => Self::Misconfigured(error.to_string()),
            _ => Self::Away(error.to_string()),
        }
    }
}

/// The words of the reference for a wrong password, and for anybody that there is not.
pub(super) fn refused() -> Fault {
    Fault::invalid("ldap operation failed: failed to bind as user")
}

/// The aliases that a word of the configuration wants to be followed.
pub(super) fn dereferencing(word: &str) -> Option<DerefAliases> {
    Some(match word {
        "" | "never" => DerefAliases::Never,
        "searching" => DerefAliases::Searching,
        "finding" => DerefAliases::Finding,
        "always" => DerefAliases::Always,
        _ => return None,
    })
}

/// Names of attributes have no case, and may have options behind a semicolon.
fn is_called(known: &str, name: &str) -> bool {
    let plain = known.split(';').next().unwrap_or_default();
    plain.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(name)
}
