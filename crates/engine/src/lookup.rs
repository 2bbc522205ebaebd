//! The addresses of hosts.
//!
//! The system's resolver holds a thread for as long as it likes, long after whoever asked has given up. Each name is
//! therefore looked up by one thread, whoever wants it, and only so many names at once: a resolver that is dead costs those
//! who need it, and nobody else the threads that files and passwords are worked on with.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How many names are looked up or remembered at once.
const NAMES_MAX: usize = 128;
/// How many of them are looked up.
const UNDER_WAY_MAX: usize = 32;
/// How long the addresses of a name are good.
const FRESH: Duration = Duration::from_secs(10);
const BUSY: &str = "too many names are being looked up; the resolver does not answer";

type Found = Result<Arc<[IpAddr]>, String>;

static NAMES: LazyLock<Mutex<HashMap<String, Name>>> = LazyLock::new(Mutex::default);

struct Name {
    found: watch::Receiver<Option<Found>>,
    since: Instant,
}

/// The addresses of a host: what its text says, or what the system's resolver does.
///
/// # Errors
/// Why there are none, in the words of the system.
pub async fn lookup(host: &str) -> Result<Arc<[IpAddr]>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(Arc::new([address]));
    }
    let mut found = watched(host)?;
    let found = found.wait_for(Option::is_some).await;
    let found = found.map_err(|_| "the lookup failed".to_owned())?;
    found.clone().unwrap_or_else(|| Err(BUSY.to_owned()))
}

/// The lookup of a name that is under way or was lately, or a new one.
fn watched(host: &str) -> Result<watch::Receiver<Option<Found>>, String> {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    names.retain(|_, name| name.is_of_use());
    if let Some(name) = names.get(host) {
        return Ok(name.found.clone());
    }
    let under_way = names.values().filter(|name| name.is_under_way()).count();
    if under_way >= UNDER_WAY_MAX || names.len() >= NAMES_MAX {
        return Err(BUSY.to_owned());
    }
    let name = Name::look_up(host);
    let found = name.found.clone();
    names.insert(host.to_owned(), name);
    Ok(found)
}

impl Name {
    fn look_up(host: &str) -> Self {
        let (tell, found) = watch::channel(None);
        let host = host.to_owned();
        tokio::task::spawn_blocking(move || {
            let answer = (host.as_str(), 0).to_socket_addrs();
            let answer = answer.map_err(|error| error.to_string());
            let addresses = answer.map(|all| all.map(|one| one.ip()).collect());
            // Nobody may be left who wants to know.
            let _ = tell.send(Some(addresses));
        });
        Self {
            found,
            since: Instant::now(),
        }
    }

    fn is_under_way(&self) -> bool {
        self.found.borrow().is_none()
    }

    fn is_of_use(&self) -> bool {
        match &*self.found.borrow() {
            // Whoever looked may have ended without a word.
            None => self.found.has_changed().is_ok(),
            Some(Ok(_)) => self.since.elapsed() < FRESH,
            Some(Err(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_one_and_a_name_is_looked_up_once() {
        for text in ["127.0.0.1", "::1", "[::1]"] {
            assert_eq!(lookup(text).await.unwrap().len(), 1, "{text}");
        }
        let (one, other) = tokio::join!(lookup("localhost"), lookup("localhost"));
        assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
        assert!(
            lookup("localhost")
                .await
                .unwrap()
                .iter()
                .all(IpAddr::is_loopback)
        );
    }
}
