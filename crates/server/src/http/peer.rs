//! The other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

/// Who sends requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Peer {
    /// Its address; none of a Unix socket.
    pub(crate) address: Option<SocketAddr>,
    /// What it showed in the TLS handshake, in DER, its own certificate first.
    pub(crate) certificates: Arc<[Vec<u8>]>,
}
