//! Which paths a listener keeps closed, whoever asks.

use coffer_engine::Fault;

use crate::config::Listener;

/// Progress of a rekeying, which needs no token but the operators' shares.
const REKEY: [&str; 2] = ["sys/rekey/", "sys/rekey-recovery-key/"];
/// The part of rekeying that does need a token.
const REKEY_BACKUP: [&str; 2] = ["sys/rekey/backup", "sys/rekey/recovery-key-backup"];
/// Making a root token from shares.
const GENERATE_ROOT: &str = "sys/generate-root/";
/// Metrics.
pub(super) const METRICS: &str = "sys/metrics";
/// The requests in flight.
const IN_FLIGHT: &str = "sys/in-flight-req";

/// What a listener shows to everyone, in any state of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// What `sys/metrics` answers.
    Metrics,
    /// What `sys/in-flight-req` answers.
    InFlight,
}

/// A listener's closed doors.
#[derive(Debug, Default)]
pub(super) struct Doors {
    pub(super) rekey_closed: bool,
    pub(super) generate_root_closed: bool,
    pub(super) metrics_only: bool,
    pub(super) metrics_closed: bool,
    pub(super) metrics_shown: bool,
    pub(super) in_flight_shown: bool,
}

impl Doors {
    pub(super) fn new(listener: &Listener) -> Self {
        Self {
            rekey_closed: listener.disable_unauthed_rekey_endpoints,
            generate_root_closed: listener.disable_unauthed_generate_root_endpoints,
            metrics_only: listener.metrics_only,
            metrics_closed: listener.disallow_metrics,
            metrics_shown: listener.unauthenticated_metrics_access,
            in_flight_shown: listener.unauthenticated_in_flight_access,
        }
    }

    /// What is at a path that needs no token here.
    pub(super) fn shown(&self, path: &str) -> Option<Shown> {
        match path {
            METRICS => self.metrics_shown.then_some(Shown::Metrics),
            IN_FLIGHT => self.in_flight_shown.then_some(Shown::InFlight),
            _ => None,
        }
    }

    /// Refuses a path whose door is closed.
    pub(super) fn pass(&self, path: &str) -> Result<(), Fault> {
        let is_metrics = path == METRICS;
        if is_metrics && self.metrics_closed || self.metrics_only && !is_metrics {
            return Err(Fault::NotFound);
        }
        let is_rekey =
            REKEY.iter().any(|door| path.starts_with(door)) && !REKEY_BACKUP.contains(&path);
        if self.rekey_closed && is_rekey
            || self.generate_root_closed && path.starts_with(GENERATE_ROOT)
        {
            return Err(Fault::UnsupportedVerb);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_doors_stay_closed() {
        let doors = Doors {
            rekey_closed: true,
            generate_root_closed: true,
            ..Doors::default()
        };
        assert!(matches!(
            doors.pass("sys/rekey/init"),
            Err(Fault::UnsupportedVerb)
        ));
        assert!(matches!(
            doors.pass("sys/generate-root/attempt"),
            Err(Fault::UnsupportedVerb)
        ));
        assert!(doors.pass("sys/rekey/backup").is_ok());
        assert!(doors.pass("sys/generate-root-token/attempt").is_ok());
        assert!(Doors::default().pass("sys/rekey/init").is_ok());
        let doors = Doors {
            metrics_only: true,
            ..Doors::default()
        };
        assert!(doors.pass("sys/metrics").is_ok() && doors.pass("sys/health").is_err());
    }

    #[test]
    fn nothing_is_shown_that_was_not_asked_for() {
        let closed = Doors::default();
        assert_eq!(
            (closed.shown(METRICS), closed.shown(IN_FLIGHT)),
            (None, None)
        );
        let doors = Doors {
            metrics_shown: true,
            ..Doors::default()
        };
        assert_eq!(doors.shown(METRICS), Some(Shown::Metrics));
        assert_eq!(
            (doors.shown(IN_FLIGHT), doors.shown("sys/monitor")),
            (None, None)
        );
    }
}
