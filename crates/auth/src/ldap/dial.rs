//! Connections to the servers of a directory.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

use super::config::Config;
use super::guard;
use super::tls;

/// Most servers of one directory.
const SERVERS_MAX: usize = 16;

/// A server of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    host: String,
    port: u16,
    is_tls: bool,
}

/// A connection to one.
pub(super) enum Stream {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// The servers of a list like `ldap://one,ldaps://two:6360`.
pub(super) fn servers(urls: &str) -> Result<Vec<Server>, String> {
    let urls = urls.split(',').map(str::trim).filter(|url| !url.is_empty());
    let servers: Vec<Server> = urls.map(Server::parse).collect::<Result<_, _>>()?;
    match servers.len() > SERVERS_MAX {
        true => Err(format!("url names more than {SERVERS_MAX} servers")),
        false => Ok(servers),
    }
}

/// A connection to the first server that takes one, encrypted as the configuration wants it; each is given `patience`.
pub(super) async fn connect(
    config: &Config,
    kept: &tls::Kept,
    patience: Duration,
) -> Result<Stream, String> {
    let mut why = "url names no server".to_owned();
    for server in servers(&config.url)? {
        let made = tokio::time::timeout(patience, server.connect(config, kept)).await;
        match made {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => why = format!("{}:{}: {error}", server.host, server.port),
            Err(_) => why = format!("{}:{}: no connection in time", server.host, server.port),
        }
        tracing::warn!(reason = %why, "a server of the directory can not be used");
    }
    Err(why)
}

impl Server {
    fn parse(url: &str) -> Result<Self, String> {
        let wrong =
            |why: &str| format!("url: {url:?} {why}; write servers like ldaps://ldap.example.org");
        let parsed = Url::parse(url).map_err(|error| wrong(&format!("is no address ({error})")))?;
        let (is_tls, port) = match parsed.scheme() {
            "ldap" => (false, 389),
            "ldaps" => (true, 636),
            other => {
                return Err(wrong(&format!(
                    "is of the kind {other}, which is neither ldap nor ldaps"
                )));
            }
        };
        let host = parsed.host_str().unwrap_or_default();
        if host.is_empty() {
            return Err(wrong("names no host"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(wrong(
                "holds a name or a password, for which there are binddn and bindpass",
            ));
        }
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port: parsed.port().unwrap_or(port),
            is_tls,
        })
    }

    async fn connect(&self, config: &Config, kept: &tls::Kept) -> io::Result<Stream> {
        let addresses = coffer_engine::lookup(&self.host).await;
        let addresses = addresses.map_err(io::Error::other)?;
        let addresses: Vec<SocketAddr> = addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, self.port))
            .collect();
        let mut stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        if !self.is_tls && !config.starttls {
            return Ok(Stream::Plain(stream));
        }
        if !self.is_tls {
            guard::start_tls(&mut stream).await?;
        }
        let tls: Arc<ClientConfig> = kept.get(config).map_err(io::Error::other)?;
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(tls).connect(name, stream).await?;
        Ok(Stream::Encrypted(Box::new(stream)))
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, from),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, from),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let found = servers("ldap://a.example, ldaps://[::1]:6360,LDAPS://B").unwrap();
        let server = |host: &str, port, is_tls| Server {
            host: host.into(),
            port,
            is_tls,
        };
        assert_eq!(
            found,
            [
                server("a.example", 389, false),
                server("::1", 6360, true),
                server("B", 636, true)
            ]
        );
        assert_eq!(servers("").unwrap(), []);
        for wrong in [
            "http://x",
            "ldapi:///x",
            "ldap://",
            "nonsense",
            "ldap://a:99999",
            "ldap://u:p@a",
            "ldap:a",
        ] {
            assert!(servers(wrong).is_err(), "{wrong}");
        }
        assert!(servers(&["ldap://a"; 17].join(",")).is_err());
    }
}
