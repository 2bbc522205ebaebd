//! Which pages of other origins may use this server from a browser.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use coffer_barrier::{Stored, View};
use coffer_engine::Fault;
use serde::{Deserialize, Serialize};

/// Where the rules are kept, below `core/`.
const RECORD: &str = "cors";
/// Any origin.
const ANY: &str = "*";
/// The headers that clients of this API send.
const OUR_HEADERS: [&str; 10] = [
    "Content-Type",
    "Authorization",
    "X-Vault-Token",
    "X-Vault-MFA",
    "X-Vault-No-Request-Forwarding",
    "X-Vault-Wrap-Format",
    "X-Vault-Wrap-TTL",
    "X-Requested-With",
    "X-Vault-AWS-IAM-Server-ID",
    "X-Vault-Policy-Override",
];

/// The rules in force, if pages of other origins may come at all.
pub struct Cors {
    view: View,
    present: ArcSwapOption<CorsRules>,
}

/// Who may come and with what, as stored under `core/cors`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CorsRules {
    /// Origins as browsers send them, or `*` alone.
    pub origins: Vec<String>,
    /// Headers beside those of this API.
    pub headers: Vec<String>,
    /// Whether browsers may send what they hold for this server (client certificates).
    pub credentials: bool,
}

impl Stored for CorsRules {
    const MAX_BYTES: usize = 64 * 1024;
}

impl Cors {
    /// Reads the rules.
    pub async fn load(core: View) -> Result<Self, Fault> {
        let found: Option<CorsRules> = core.get(RECORD).await?;
        Ok(Self {
            view: core,
            present: ArcSwapOption::from(found.map(Arc::new)),
        })
    }

    /// The rules in force; none where pages of other origins are not looked at.
    pub fn rules(&self) -> Option<Arc<CorsRules>> {
        self.present.load_full()
    }

    /// Puts rules into force.
    pub async fn set(&self, rules: CorsRules) -> Result<(), Fault> {
        rules.check()?;
        self.view.put(RECORD, &rules).await?;
        self.take_over().await
    }

    /// Looks at origins no more.
    pub async fn clear(&self) -> Result<(), Fault> {
        self.view.delete(RECORD).await?;
        self.take_over().await
    }

    /// What is stored counts, so that of two changes at once the later one holds here, too.
    async fn take_over(&self) -> Result<(), Fault> {
        let stored: Option<CorsRules> = self.view.get(RECORD).await?;
        self.present.store(stored.map(Arc::new));
        Ok(())
    }
}

impl CorsRules {
    /// Whether pages of an origin may come. Origins are compared byte by byte, as browsers send them.
    pub fn admit(&self, origin: &str) -> bool {
        self.origins.iter().any(|one| one == ANY || one == origin)
    }

    /// The headers that pages may send.
    pub fn all_headers(&self) -> impl Iterator<Item = &str> {
        let more = self.headers.iter().map(String::as_str);
        OUR_HEADERS.into_iter().chain(more)
    }

    fn check(&self) -> Result<(), Fault> {
        let any = self.origins.iter().any(|one| one == ANY);
        if self.origins.is_empty() {
            return Err(Fault::invalid(
                "at least one origin or the wildcard must be provided",
            ));
        }
        if any && self.origins.len() > 1 {
            return Err(Fault::invalid(
                "to allow all origins the '*' must be the only value for allowed_origins",
            ));
        }
        if any && self.credentials {
            return Err(Fault::invalid(
                "allow_credentials needs named origins: with '*' every page on the web could use a visitor's client certificate",
            ));
        }
        let plain = |text: &String| text.bytes().all(|byte| byte.is_ascii_graphic());
        if !self.origins.iter().chain(&self.headers).all(plain) {
            return Err(Fault::invalid(
                "origins and headers have printable ASCII characters without blanks",
            ));
        }
        Ok(())
    }
}
