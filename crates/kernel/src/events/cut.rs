//! Why a subscription ends.

use std::fmt;

use coffer_engine::Fault;

use super::id::EventId;

/// Why a subscription ends that its subscriber did not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The token was revoked or has expired, or its entity is disabled.
    TokenEnded,
    /// The token may not read the path any more.
    Denied,
    /// The namespace of the subscription is sealed, locked or gone.
    NamespaceClosed,
    /// The server is sealed, or stops.
    ServerSealed,
    /// What comes next was dropped from the log.
    TooFarBehind {
        /// The oldest event there is.
        oldest: Option<EventId>,
    },
    /// The storage can not be read now.
    Unavailable,
    /// Nothing could be sent for too long.
    TooSlow,
}

impl Cut {
    /// One word for it, for programs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TokenEnded => "token-ended",
            Self::Denied => "denied",
            Self::NamespaceClosed => "namespace-closed",
            Self::ServerSealed => "sealed",
            Self::TooFarBehind { .. } => "too-far-behind",
            Self::Unavailable => "unavailable",
            Self::TooSlow => "too-slow",
        }
    }

    /// As the fault of a request that ends so.
    pub fn fault(&self) -> Fault {
        match self {
            Self::TokenEnded | Self::Denied => Fault::Forbidden(self.to_string()),
            Self::TooFarBehind { .. } => Fault::Expired(self.to_string()),
            Self::NamespaceClosed | Self::Unavailable | Self::TooSlow => {
                Fault::Unavailable(self.to_string())
            }
            Self::ServerSealed => Fault::Sealed,
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenEnded => f.write_str("the token of the subscription has ended"),
            Self::Denied => f.write_str("the token may not read this subscription any more"),
            Self::NamespaceClosed => {
                f.write_str("the namespace of the subscription is sealed, locked or gone")
            }
            Self::ServerSealed => f.write_str("the server is sealed"),
            Self::TooFarBehind { oldest } => {
                f.write_str("the events that follow were dropped from the log; read again what you keep a copy of, and subscribe ")?;
                match oldest {
                    Some(oldest) => write!(f, "without `since`, or with `since=oldest`: the oldest event there is is {oldest}"),
                    None => f.write_str("without `since`"),
                }
            }
            Self::Unavailable => f.write_str(
                "the log of events can not be read now; subscribe again with `since`",
            ),
            Self::TooSlow => f.write_str(
                "nothing could be sent to the subscriber for too long; subscribe again with `since`",
            ),
        }
    }
}
