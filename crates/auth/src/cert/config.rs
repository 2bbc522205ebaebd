//! `config`: what holds for all roles of a mount.

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, Stored, path};
use coffer_wire::{Flag, Int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cert;

const PLACE: &str = "config";
/// How many answers of OCSP are kept where nothing is said.
const OCSP_CACHE_SIZE: usize = 100;
const OCSP_CACHE_SIZE_MIN: i64 = 2;
const OCSP_CACHE_SIZE_MAX: i64 = 100_000;

pub(super) fn routes() -> Routes<Cert> {
    Routes::new([path("config", "What holds for all roles.")
        .read::<ReadConfig>()
        .write::<WriteConfig>()
        .tells("cert/config-write")])
}

/// The settings of a mount.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Config {
    /// Whether tokens are renewed without the certificate of the login.
    pub(super) disable_binding: bool,
    /// Whether what is known of a certificate is noted with the alias.
    pub(super) enable_identity_alias_metadata: bool,
    /// How many answers of OCSP are kept; 0 for 100.
    pub(super) ocsp_cache_size: usize,
}

impl Stored for Config {}

impl Config {
    /// The settings, or those that nobody has changed.
    pub(super) async fn of(cx: &Ctx) -> Result<Self, Fault> {
        Ok(cx.view.get(PLACE).await?.unwrap_or_default())
    }

    /// How many answers of OCSP are kept.
    pub(super) fn answers_max(&self) -> usize {
        match self.ocsp_cache_size {
            0 => OCSP_CACHE_SIZE,
            size => size,
        }
    }
}

/// Shows the settings.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

impl Handle<Cert> for ReadConfig {
    type Reply = Config;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Config, Fault> {
        Config::of(cx).await
    }
}

/// Changes the settings; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// Renews tokens without the certificate of the login, or with another.
    #[serde(default)]
    disable_binding: Option<Flag>,
    /// Notes what is known of a certificate with the alias, so that policies can be written by it.
    #[serde(default)]
    enable_identity_alias_metadata: Option<Flag>,
    /// How many answers of OCSP are kept, from 2 to 100,000.
    #[serde(default)]
    ocsp_cache_size: Option<Int>,
}

impl Handle<Cert> for WriteConfig {
    type Reply = Empty;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Empty, Fault> {
        let size = self.ocsp_cache_size.map(cache_size).transpose()?;
        let decide = |kept: Option<Config>| {
            let mut config = kept.unwrap_or_default();
            if let Some(flag) = self.disable_binding {
                config.disable_binding = flag.0;
            }
            if let Some(flag) = self.enable_identity_alias_metadata {
                config.enable_identity_alias_metadata = flag.0;
            }
            if let Some(size) = size {
                config.ocsp_cache_size = size;
            }
            Ok::<_, Fault>((Some(config), ()))
        };
        cx.view.update(PLACE, decide).await?;
        Ok(Empty)
    }
}

fn cache_size(size: Int) -> Result<usize, Fault> {
    let size =
        Some(size.0).filter(|size| (OCSP_CACHE_SIZE_MIN..=OCSP_CACHE_SIZE_MAX).contains(size));
    let size = size.and_then(|size| usize::try_from(size).ok());
    size.ok_or_else(|| Fault::invalid("invalid cache size, must be >= 2 and <= 100000"))
}
