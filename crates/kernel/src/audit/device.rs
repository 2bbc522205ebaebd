//! One enabled device.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Zeroizing;
use coffer_engine::Fault;
use coffer_wire::Timestamp;

use super::chain::{Chain, ChainKey, Head, Mark};
use super::entry::{RequestFacts, ResponseFacts};
use super::file::{FileSink, Stdout};
use super::filter::{Route, Subject};
use super::hash::Hasher;
use super::health::{DeviceState, Health};
use super::line::{Data, Format};
use super::options::Options;
use super::place::Allow;
use super::queue::{Kept, Outcome, Queue, Ticket};
use super::socket::SocketSink;
use super::syslog::SyslogSink;
use super::tail::Followed;
use super::target::Target;
use super::{http, writer};

/// How long a line may take until the device counts as blocked; a device that may itself take longer has a second more.
const DEADLINE: Duration = Duration::from_secs(5);

/// A device that is ready to record.
pub(super) struct Device {
    pub id: String,
    path: String,
    kind: String,
    format: Format,
    route: Route,
    outlet: Outlet,
    /// The key of its chain, if it has one.
    chain: Option<ChainKey>,
    health: Arc<Health>,
}

/// What a device is made of.
pub(super) struct Blueprint<'a> {
    pub path: &'a str,
    pub kind: &'a str,
    pub id: &'a str,
    /// The key that is the device's own.
    pub key: &'a [u8],
    /// The last line of its chain that is known.
    pub last: Option<Mark>,
}

enum Outlet {
    Queue(Queue),
    Discard,
    /// Never records, and why; so that a device that became unusable refuses instead of vanishing.
    Unusable(String),
}

/// A line that was handed to a device.
pub(super) enum Offered {
    /// It is on its way.
    Under(Ticket),
    /// There is no room.
    Full(Zeroizing<Vec<u8>>),
    /// It is done, or never will be.
    Done(Outcome),
}

impl Device {
    /// A device whose worker runs, and whose file or socket is not opened yet.
    pub fn new(of: &Blueprint<'_>, options: Result<Options, String>, allow: &Allow) -> Self {
        let health = Arc::new(Health::new(of.path));
        let hasher = Hasher::new(of.key);
        let usable = options.and_then(|options| {
            let allowed = options.prefix.is_empty() || allow.prefixes();
            allowed.then_some(options).ok_or_else(no_prefix)
        });
        let chain_key = ChainKey::derive(of.id, of.key);
        let mut chain = None;
        let mut route = Route::default();
        let (format, outlet) = match usable {
            Ok(options) => {
                let format = Format::new(hasher, &options);
                chain = options.chain.then_some(chain_key);
                route = options.route;
                let begun = chain.clone().map(|key| Chain::new(key, of.last));
                (format, Outlet::to(options.target, begun, allow, &health))
            }
            Err(why) => (Format::hashing(hasher), Outlet::Unusable(why)),
        };
        Self {
            id: of.id.to_owned(),
            path: of.path.to_owned(),
            kind: of.kind.to_owned(),
            format,
            route,
            outlet,
            chain,
            health,
        }
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn hasher(&self) -> &Hasher {
        &self.format.hasher
    }

    /// The key of its chain, if it has one.
    pub fn chain_key(&self) -> Option<&ChainKey> {
        self.chain.as_ref()
    }

    /// The last line of its chain.
    pub fn head(&self) -> Option<Head> {
        self.health.head()
    }

    pub fn state(&self) -> DeviceState {
        let deadline = match &self.outlet {
            Outlet::Queue(queue) => queue.deadline,
            Outlet::Discard | Outlet::Unusable(_) => DEADLINE,
        };
        let state = self.health.state(&self.kind, deadline);
        match &self.outlet {
            Outlet::Unusable(why) => DeviceState {
                healthy: false,
                last_error: why.clone(),
                ..state
            },
            Outlet::Queue(_) | Outlet::Discard => state,
        }
    }

    /// Whether lines go anywhere at all.
    pub fn discards(&self) -> bool {
        matches!(self.outlet, Outlet::Discard)
    }

    /// Whether it gets what no other device has recorded.
    pub fn is_fallback(&self) -> bool {
        matches!(self.route, Route::Fallback)
    }

    /// Whether a request's lines are for this device in the first place.
    pub fn takes(&self, subject: &Subject<'_>) -> bool {
        match &self.route {
            Route::All => true,
            Route::Filter(filter) => filter.takes(subject),
            Route::Fallback => false,
        }
    }

    /// Its lines from now on, as they are recorded. Not those of a device that keeps secrets readable, which are for whoever
    /// may read its file.
    pub fn follow(&self) -> Result<Followed, Fault> {
        let refuse = |why: &str| {
            Err(Fault::Invalid(format!(
                "the audit device {:?} can not be followed: {why}",
                self.path
            )))
        };
        match &self.outlet {
            _ if self.format.log_raw => refuse("it records secrets as they are (log_raw)"),
            Outlet::Discard => refuse("it records nothing"),
            Outlet::Unusable(why) => refuse(why),
            Outlet::Queue(_) => self.health.tail.follow(),
        }
    }

    /// Hands over the line of a request.
    pub fn request(&self, facts: &RequestFacts<'_>) -> Offered {
        match self.discards() {
            true => Offered::Done(Ok(())),
            false => self.offer(self.format.request(facts), facts.time),
        }
    }

    /// Hands over the line of an answer.
    pub fn response(
        &self,
        facts: &RequestFacts<'_>,
        answer: &ResponseFacts<'_>,
        data: &Data,
    ) -> Offered {
        match self.discards() {
            true => Offered::Done(Ok(())),
            false => self.offer(self.format.response(facts, answer, data), answer.time),
        }
    }

    /// Whether it is not worth waiting for it when others have the line.
    pub fn is_behind(&self, grace: Duration) -> bool {
        match &self.outlet {
            Outlet::Queue(queue) => queue.is_behind(grace),
            Outlet::Discard => false,
            Outlet::Unusable(_) => true,
        }
    }

    /// Waits until a line is recorded, at most until the device's deadline. The error names the device.
    pub async fn wait(&self, offered: Offered, time: Timestamp) -> Outcome {
        let outcome = match (&self.outlet, offered) {
            (_, Offered::Done(outcome)) => outcome,
            (Outlet::Queue(queue), Offered::Under(ticket)) => queue.wait(ticket, time).await,
            (Outlet::Queue(queue), Offered::Full(line)) => queue.append(line, time).await,
            (Outlet::Discard, _) => Ok(()),
            (Outlet::Unusable(why), _) => Err(why.clone()),
        };
        outcome.map_err(|why| format!("{}: {why}", self.path))
    }

    /// Lets a line go that the device had no room for.
    pub fn give_up(&self, time: Timestamp) {
        self.health
            .not_taken(1, "its queue is full, so lines are dropped", time);
    }

    /// Opens the file anew, or connects anew.
    pub async fn reopen(&self, now: Timestamp) -> Outcome {
        match &self.outlet {
            Outlet::Queue(queue) => queue.reopen(now).await,
            Outlet::Discard => Ok(()),
            Outlet::Unusable(why) => {
                self.health.fails(why, now);
                Err(why.clone())
            }
        }
    }

    /// The head of its chain with what must be on the disk before that is stored.
    pub async fn kept(&self, patience: Duration) -> Option<Kept> {
        match &self.outlet {
            Outlet::Queue(queue) if self.chain.is_some() => queue.kept(patience).await,
            Outlet::Queue(_) | Outlet::Discard | Outlet::Unusable(_) => None,
        }
    }

    fn offer(
        &self,
        line: Result<Zeroizing<Vec<u8>>, serde_json::Error>,
        time: Timestamp,
    ) -> Offered {
        let line = match line {
            Ok(line) => line,
            Err(error) => {
                let why = format!("the line can not be written as JSON: {error}");
                self.health.unfit(1, &why);
                return Offered::Done(Err(why));
            }
        };
        match &self.outlet {
            Outlet::Queue(queue) => match queue.offer(line, time) {
                Ok(ticket) => Offered::Under(ticket),
                Err(line) => Offered::Full(line),
            },
            Outlet::Discard => Offered::Done(Ok(())),
            Outlet::Unusable(why) => {
                self.health.dropped(1, why, time);
                Offered::Done(Err(why.clone()))
            }
        }
    }
}

impl Outlet {
    fn to(target: Target, chain: Option<Chain>, allow: &Allow, health: &Arc<Health>) -> Self {
        let allow = allow.clone();
        let longest = target
            .timeout()
            .map(|timeout| timeout + Duration::from_secs(1));
        let (queue, orders) = Queue::new(
            Arc::clone(health),
            DEADLINE.max(longest.unwrap_or_default()),
        );
        let health = Arc::clone(health);
        let started = match target {
            Target::Discard => return Self::Discard,
            Target::File { path, mode } => {
                writer::start(orders, FileSink::new(path, mode, allow), chain, health)
            }
            Target::Stdout => writer::start(orders, Stdout, chain, health),
            Target::Socket { address, timeout } => writer::start(
                orders,
                SocketSink::new(address, timeout, allow),
                chain,
                health,
            ),
            Target::Syslog(header) => writer::start(
                orders,
                SyslogSink::new(header, allow.syslog()),
                chain,
                health,
            ),
            Target::Http(target) => {
                let Some(outlet) = allow.http() else {
                    return Self::Unusable("this server posts no lines over HTTP".to_owned());
                };
                match outlet.sender(&target) {
                    Ok(sender) => http::start(orders, sender, chain, health),
                    Err(why) => return Self::Unusable(why),
                }
                Ok(())
            }
        };
        match started {
            Ok(()) => Self::Queue(queue),
            Err(error) => Self::Unusable(format!("its thread can not start: {error}")),
        }
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Device({})", self.path)
    }
}

fn no_prefix() -> String {
    "prefixes are not allowed; leave \"prefix\" out, or set allow_audit_log_prefixing in the server's configuration".into()
}
