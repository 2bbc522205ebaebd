//! `keys/NAME/import_version`: more material for a key that was imported.

use coffer_engine::{Ctx, Empty, Event, Fault, Handle, Routes, path};
use coffer_wire::{Int, Text};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Transit;
use super::draft::{Draft, settled};
use super::encoded::Encoded;
use super::events::Happened;
use super::key::{Key, Version, key_place, version_place};
use super::material_import::{Brought, Material};

pub(super) fn routes() -> Routes<Transit> {
    Routes::new([path(
        "keys/{name}/import_version",
        "A version of an imported key.",
    )
    .write::<ImportVersion>()])
}

/// Adds a version of material that is brought, or the private half of one whose public half was.
#[derive(Deserialize, JsonSchema)]
struct ImportVersion {
    /// Name of the key.
    name: String,
    /// The key, wrapped as for import.
    #[serde(default)]
    #[schemars(with = "String")]
    ciphertext: Encoded,
    /// The hash of RSAES-OAEP, as for import.
    #[serde(default)]
    hash_function: Text,
    /// Instead of `ciphertext`: a public half alone, in PEM.
    #[serde(default)]
    public_key: Text,
    /// The version whose private half this is; a new one if not given.
    #[serde(default)]
    version: Option<Int>,
}

impl Handle<Transit> for ImportVersion {
    type Reply = Empty;

    async fn handle(self, engine: &Transit, cx: &Ctx) -> Result<Empty, Fault> {
        let key: Option<Key> = cx.view.get(&key_place(&self.name)?).await?;
        let key = key.ok_or_else(|| {
            Fault::Invalid(format!(
                "no key found with name {}; to import a new key, use the import/ endpoint",
                self.name
            ))
        })?;
        self.check(&key)?;
        let brought = Brought {
            ciphertext: &self.ciphertext,
            public_key: &self.public_key.0,
            hash_function: &self.hash_function.0,
        };
        // The slow part, once.
        let material = brought.read(cx, key.kind).await?;
        settled(|| async {
            let draft = Draft::open(cx, &self.name).await?;
            let draft = draft.ok_or_else(|| Fault::invalid("the key was deleted meanwhile"))?;
            self.check(&draft.key)?;
            if draft.key.kind != key.kind {
                return Err(Fault::invalid("the key was made anew meanwhile"));
            }
            self.save(engine, cx, draft, &material).await
        })
        .await?;
        Ok(Empty)
    }
}

impl ImportVersion {
    fn check(&self, key: &Key) -> Result<(), Fault> {
        key.refuse_deleted()?;
        if !key.imported {
            return Err(Fault::invalid(
                "the import_version endpoint can only be used with an imported key",
            ));
        }
        match self.version.is_some() && !key.kind.is_pair() {
            true => Err(Fault::invalid(
                "provided type does not support importing key versions",
            )),
            false => Ok(()),
        }
    }

    async fn save(
        &self,
        engine: &Transit,
        cx: &Ctx,
        mut draft: Draft<'_>,
        material: &Material,
    ) -> Result<(), Fault> {
        let latest = draft.key.latest_version;
        let asked = self.version.as_ref().map(|version| version.0);
        let number = match asked {
            None => latest,
            Some(asked) => {
                let found = u32::try_from(asked).ok();
                let found = found.filter(|number| (draft.key.oldest()..=latest).contains(number));
                found.ok_or_else(|| Fault::invalid("no such key version"))?
            }
        };
        let place = version_place(&draft.key.id, number);
        let version: Option<Version> = cx.view.get(&place).await?;
        let version = version.ok_or_else(|| Fault::invalid("no such key version"))?;
        let lacking = version.key.is_empty() && !version.public.is_empty();
        let fits = version.public.expose() == material.public.expose();
        match (asked, lacking, fits) {
            (Some(_), false, _) => {
                return Err(Fault::invalid(
                    "private key imported, key version cannot be updated",
                ));
            }
            (Some(_), true, false) => {
                return Err(Fault::invalid(
                    "the key is not the one whose public half that version is",
                ));
            }
            (_, true, true) if !material.private.is_empty() => {
                let key = material.private.clone();
                let whole = Version { key, ..version };
                let key = draft.with(number, whole).save(engine, cx).await?;
                cx.emit(self.event(&key, number));
                return Ok(());
            }
            (Some(_), true, true) => return Ok(()), // It is known already.
            (None, ..) => {}
        }
        let number = draft.key.next_version()?;
        draft.key.latest_version = number;
        draft.key.rotated = cx.now;
        let version = material.clone().version(cx, &draft.key);
        let key = draft.with(number, version).save(engine, cx).await?;
        cx.emit(self.event(&key, number));
        Ok(())
    }

    fn event(&self, key: &Key, number: u32) -> Event {
        let event = key.event(Happened::VersionImported, &self.name);
        event.with("version", number)
    }
}
