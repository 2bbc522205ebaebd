//! The credentials that a container is given by its surroundings (ECS, EKS).

use coffer_barrier::WrapError;
use coffer_crypto::sigv4::Credentials;
use coffer_engine::outbound::Request;
use url::{Host, Url};

use super::Issued;
use super::machine::NEAR;
use crate::build::BuildError;
use crate::exchange::{Exchange, read, unlike};
use crate::fresh::Lasting;
use crate::source::Source;
use crate::stanza::Stanza;

const WHO: &str = "the container's credentials";
const BASE: &str = "http://169.254.170.2";
/// Hosts that may be asked without TLS beside the loopback: those of ECS and EKS.
const HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

pub(super) struct Container {
    url: String,
    authorization: Option<Source>,
}

impl Container {
    pub(super) fn build(stanza: &Stanza<'_>) -> Result<Option<Self>, BuildError> {
        let relative = stanza.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
        let full = stanza.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let url = match (relative, full) {
            (Some(path), _) => format!("{BASE}/{}", path.trim_start_matches('/')),
            (None, Some(url)) if may_be_asked(&url) => url,
            (None, Some(_)) => {
                let why = "is neither https nor an address of this machine or of ECS or EKS";
                return Err(stanza.unfit("AWS_CONTAINER_CREDENTIALS_FULL_URI", why));
            }
            (None, None) => return Ok(None),
        };
        let file = stanza.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let file = file.map(|path| Source::File(path.into()));
        let token = stanza.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
        let token = token.map(|token| Source::Text(token.into()));
        Ok(Some(Self {
            url,
            authorization: file.or(token),
        }))
    }

    pub(super) async fn credentials(
        &self,
        exchange: &Exchange,
    ) -> Result<Lasting<Credentials>, WrapError> {
        let mut request = Request::get(&self.url);
        request.timeout = NEAR;
        if let Some(source) = &self.authorization {
            let token = source.fetch().await.map_err(|why| {
                WrapError::Refused(format!("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE {why}"))
            })?;
            request = request.with("authorization", token.expose());
        }
        let answer = exchange.ask_of(WHO, request).await?;
        match answer.status {
            200 => Ok(read::<Issued>(WHO, &answer.body)?.lasting()),
            status => Err(unlike(WHO, status)),
        }
    }
}

/// Whether credentials may be asked for there: nobody listens in.
fn may_be_asked(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Domain(name))) => name == "localhost",
        ("http", Some(Host::Ipv4(address))) => {
            address.is_loopback() || HOSTS.contains(&address.to_string().as_str())
        }
        ("http", Some(Host::Ipv6(address))) => {
            address.is_loopback() || HOSTS.contains(&address.to_string().as_str())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_asked_for_in_clear_elsewhere() {
        for good in [
            "https://example.com/x",
            "http://localhost:9/x",
            "http://127.0.0.2/x",
            "http://169.254.170.23/v1",
            "http://[fd00:ec2::23]/v1",
        ] {
            assert!(may_be_asked(good), "{good}");
        }
        for wrong in [
            "http://example.com",
            "http://169.254.169.254",
            "file:///x",
            "x",
            "http://10.0.0.1",
        ] {
            assert!(!may_be_asked(wrong), "{wrong}");
        }
    }
}
