//! `keys/NAME/config`: what may be done with a key, and with which of its versions.

use coffer_engine::{Ctx, Fault, Handle, Routes, WithWarnings, path};
use coffer_wire::{Flag, Int, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::{Draft, settled};
use super::events::Happened;
use super::key::Key;
use super::keys::check_rotate_period;
use super::shown::{Shown, no_context, show};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path("keys/{name}/config", "What may be done with a key.").write::<Configure>()])
}

/// Changes what may be done with a key. What is not given stays as it is.
#[derive(Deserialize, JsonSchema)]
struct Configure {
    /// Name of the key.
    name: String,
    /// The oldest version that decrypts and verifies.
    min_decryption_version: Option<Int>,
    /// The oldest version that encrypts and signs where a client asks for one; 0 for the latest alone.
    min_encryption_version: Option<Int>,
    /// Lets the key be deleted.
    deletion_allowed: Option<Flag>,
    /// Lets the key be exported. That can not be undone.
    exportable: Option<Flag>,
    /// Lets a backup in plaintext be taken. That can not be undone.
    allow_plaintext_backup: Option<Flag>,
    /// How old the latest version becomes before a new one follows by itself: an hour or more, 0 for any age.
    auto_rotate_period: Option<Ttl>,
}

impl Handle<Transit> for Configure {
    type Reply = WithWarnings<Shown>;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Self::Reply, Fault> {
        let (key, warnings) = settled(|| async {
            let draft = Draft::open(cx, &self.name).await?;
            let mut draft = draft.ok_or_else(|| {
                Fault::Invalid(format!(
                    "no existing key named {} could be found",
                    self.name
                ))
            })?;
            let warnings = self.over(&mut draft.key)?;
            Ok((draft.save(engine, cx).await?, warnings))
        })
        .await?;
        cx.emit(key.event(Happened::Configured, &self.name));
        Ok(WithWarnings(
            show(cx, &self.name, &key, no_context).await?,
            warnings,
        ))
    }
}

impl Configure {
    fn over(&self, key: &mut Key) -> Result<Vec<String>, Fault> {
        let warnings = self.minima(key)?;
        if let Some(allowed) = self.deletion_allowed {
            key.deletion_allowed = allowed.0;
        }
        if let Some(period) = self.auto_rotate_period {
            check_rotate_period(period)?;
            key.auto_rotate_period = period;
        }
        let on = |flag: Option<Flag>| flag.is_some_and(|flag| flag.0);
        key.exportable |= on(self.exportable);
        key.allow_plaintext_backup |= on(self.allow_plaintext_backup);
        Ok(warnings)
    }

    fn minima(&self, key: &mut Key) -> Result<Vec<String>, Fault> {
        let mut warnings = Vec::new();
        let latest = key.latest_version;
        if let Some(asked) = self.min_decryption_version {
            let mut least = version("decryption", asked, latest)?;
            if least == 0 {
                least = 1;
                warnings.push("since Vault 0.3 (prior to the OpenBao fork), transit key numbering starts at 1; forcing minimum to 1".to_owned());
            }
            key.min_decryption_version = least;
        }
        if let Some(asked) = self.min_encryption_version {
            key.min_encryption_version = version("encryption", asked, latest)?;
        }
        let (decrypts, encrypts) = (key.min_decryption_version, key.min_encryption_version);
        if encrypts > 0 && encrypts < decrypts {
            return Err(Fault::Invalid(format!(
                "cannot set min encryption/decryption values; min encryption version of {encrypts} must be greater than or equal to min decryption version of {decrypts}"
            )));
        }
        let available = key.min_available_version;
        if encrypts < available {
            return Err(Fault::invalid(
                "min encryption version should not be less than min available version",
            ));
        }
        if decrypts < available {
            return Err(Fault::invalid(
                "min decryption version should not be less then min available version",
            ));
        }
        Ok(warnings)
    }
}

fn version(what: &str, asked: Int, latest: u32) -> Result<u32, Fault> {
    if asked.0 < 0 {
        return Err(Fault::Invalid(format!(
            "min {what} version cannot be negative"
        )));
    }
    match u32::try_from(asked.0) {
        Ok(version) if version <= latest => Ok(version),
        _ => Err(Fault::Invalid(format!(
            "cannot set min {what} version of {}, latest key version is {latest}",
            asked.0
        ))),
    }
}
