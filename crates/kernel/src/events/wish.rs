//! What a subscriber wants.

use coffer_engine::Fault;

use super::catalogue;
use super::filter::Filter;
use super::id::EventId;
use super::pattern::Pattern;
use super::published::Published;
use crate::namespaces::Space;

/// How many patterns of namespaces there may be.
const NAMESPACES_MAX: usize = 32;
/// What stands for the oldest event there is.
const OLDEST: &str = "oldest";

/// What a subscriber wants, as they say it.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Which kinds of events: `*` stands for any text.
    pub pattern: String,
    /// Which namespaces besides the one at hand, as seen from there: `*` stands for any text.
    pub namespaces: Vec<String>,
    /// An expression that events must meet; empty for none.
    pub filter: String,
    /// After which event to begin: its id, or `oldest` for all there is; empty for those that come.
    pub since: String,
}

/// Where a subscription begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    Now,
    Oldest,
    After(EventId),
}

/// What a subscriber wants, in a form that is quick to decide by.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    kinds: Pattern,
    namespaces: Vec<Pattern>,
    filter: Option<Filter>,
    /// The path of the namespace at hand.
    home: String,
}

impl Wish {
    /// Reads what is wanted in a namespace.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub(super) fn read(&self, home: &Space) -> Result<(Wanted, Since), Fault> {
        let kinds = Pattern::read(&self.pattern)
            .map_err(|what| Fault::Invalid(format!("the pattern of event types {what}")))?;
        if self.namespaces.len() > NAMESPACES_MAX {
            return Err(Fault::Invalid(format!(
                "there are more than {NAMESPACES_MAX} patterns of namespaces; join them with `*`"
            )));
        }
        let namespaces = self.namespaces.iter().filter(|text| !text.is_empty());
        let namespaces = namespaces.map(|text| {
            Pattern::read(text.trim_matches('/'))
                .map_err(|what| Fault::Invalid(format!("a pattern of namespaces {what}")))
        });
        let filter = match self.filter.trim() {
            "" => None,
            text => Some(Filter::read(text).map_err(Fault::Invalid)?),
        };
        let since = match self.since.trim() {
            "" => Since::Now,
            OLDEST => Since::Oldest,
            text => Since::After(text.parse().map_err(|_| {
                Fault::invalid(
                    "`since` is not the id of an event; give the `id` of the last event that you got, or `oldest`",
                )
            })?),
        };
        let wanted = Wanted {
            kinds,
            namespaces: namespaces.collect::<Result<_, _>>()?,
            filter,
            home: home.path.clone(),
        };
        Ok((wanted, since))
    }
}

impl Wanted {
    /// Whether an event is wanted, whoever may see it. That something is missing concerns everybody.
    pub fn takes(&self, event: &Published) -> bool {
        if event.kind() == catalogue::EVENTS_GAP {
            return true;
        }
        !event.is_blank()
            && self.kinds.matches(event.kind())
            && self.is_where(event.namespace())
            && self
                .filter
                .as_ref()
                .is_none_or(|filter| filter.takes(event))
    }

    fn is_where(&self, namespace: &str) -> bool {
        match namespace.strip_prefix(&*self.home) {
            None => false,
            Some("") => true,
            Some(below) => {
                let below = below.trim_end_matches('/');
                self.namespaces.iter().any(|pattern| pattern.matches(below))
            }
        }
    }
}
