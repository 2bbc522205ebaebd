//! `keys/{key}/rotation`, `…/rotate`, `…/rotations`: new material for a symmetric key; the old decrypts on.

use coffer_engine::{Ctx, Empty, Fault, Handle, Routes, path};
use coffer_wire::{Flag, Int, Text, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kms;
use super::book::{named, read};
use super::bytes::Bytes;
use super::events::{KEY_ROTATE, ROTATION_WRITE};
use super::exception::Exception;
use super::import::{self, SYMMETRIC_BYTES};
use super::life::Which;
use super::name::KeyId;
use super::pages::{Paging, page_of};
use super::record::{DAY, Key, Periodic, RotationKind, Version};
use super::spec::Origin;

/// Days between two periodic rotations.
const PERIOD_DAYS: std::ops::RangeInclusive<i64> = 90..=2_560;
/// If nothing is said.
const USUAL_PERIOD_DAYS: u16 = 365;
/// How often somebody can rotate a key by hand.
const MAX_ON_DEMAND: u32 = 25;
/// How many versions a key has at most, which is 240 years of the shortest period.
pub(super) const MAX_VERSIONS: usize = 1_000;
/// Rotations of a page, if nothing is said, and at most.
const PAGE: (usize, usize) = (100, 1_000);

pub(super) fn routes() -> Routes<Kms> {
    Routes::new([
        path("keys/{key}/rotation", "Rotation by the calendar.")
            .read::<RotationStatus>()
            .write::<SetRotation>(),
        path("keys/{key}/rotate", "Rotation at once.").write::<Rotate>(),
        path("keys/{key}/rotations", "The versions of a key.").read::<ListRotations>(),
    ])
}

/// New material for a symmetric key.
pub(super) fn fresh_version(cx: &Ctx, id: KeyId) -> Version {
    let mut material = zeroize::Zeroizing::new(vec![0; SYMMETRIC_BYTES]);
    cx.random.fill(&mut material);
    Version::made(id, Bytes::from(material))
}

/// Shows whether and when a key is rotated.
#[derive(Deserialize, JsonSchema)]
struct RotationStatus {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
}

/// Whether and when a key is rotated.
#[derive(Serialize, JsonSchema)]
struct Status {
    key_id: String,
    /// Whether it is rotated by the calendar.
    key_rotation_enabled: bool,
    /// How many days lie between two rotations.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period_in_days: Option<u16>,
    /// When it is rotated next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<Timestamp>,
}

impl Handle<Kms> for RotationStatus {
    type Reply = Status;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<Status, Fault> {
        let id = named(cx, &self.key).await?;
        let key = read(cx, id).await?;
        key.refuse_unless_symmetric("rotation")?;
        // A key that is about to be deleted is not rotated; if that is cancelled, it is again.
        let rotation = key.rotation.filter(|_| key.deletion.is_none());
        Ok(Status {
            key_id: id.to_string(),
            key_rotation_enabled: rotation.is_some(),
            rotation_period_in_days: rotation.map(|rotation| rotation.days),
            next_rotation_date: rotation.map(|rotation| rotation.next),
        })
    }
}

/// Turns rotation by the calendar on or off.
#[derive(Deserialize, JsonSchema)]
struct SetRotation {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// Whether the key is rotated.
    enabled: Flag,
    /// How many days lie between two rotations: 90 to 2560, and 365 if nothing is said.
    #[serde(default)]
    rotation_period_in_days: Option<Int>,
}

impl Handle<Kms> for SetRotation {
    type Reply = Empty;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Empty, Fault> {
        let days = match self.rotation_period_in_days {
            None => USUAL_PERIOD_DAYS,
            Some(days) => u16::try_from(days.0)
                .ok()
                .filter(|_| PERIOD_DAYS.contains(&days.0))
                .ok_or_else(|| {
                    Exception::Validation.because("rotation_period_in_days must be from 90 to 2560")
                })?,
        };
        let edit = |id, key: &mut Key| {
            key.refuse_unless_symmetric("rotation")?;
            if key.origin == Origin::External {
                return Err(Exception::UnsupportedOperation.because(
                    "keys with imported material are not rotated by the calendar; import the next and rotate",
                ));
            }
            key.refuse_unless_enabled(id)?;
            let same = key.rotation.filter(|rotation| rotation.days == days);
            let next = cx.now.plus(DAY.saturating_mul(u32::from(days)));
            // Saying the same again puts nothing off.
            key.rotation = self
                .enabled
                .0
                .then(|| same.unwrap_or(Periodic { days, next }));
            Ok(Empty)
        };
        engine.change(cx, &self.key, ROTATION_WRITE, edit).await
    }
}

/// Rotates a key at once: what is encrypted from now on is by new material, or by that which was imported last.
#[derive(Deserialize, JsonSchema)]
struct Rotate {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
}

impl Handle<Kms> for Rotate {
    type Reply = Which;

    async fn handle(self, engine: &Kms, cx: &Ctx) -> Result<Which, Fault> {
        let edit = |id, key: &mut Key| rotate(cx, id, key);
        let id = engine.change_untold(cx, &self.key, edit).await?;
        cx.emit(id.event(KEY_ROTATE).with("automatic", false));
        let key_id = id.to_string();
        Ok(Which { key_id })
    }
}

fn rotate(cx: &Ctx, id: KeyId, key: &mut Key) -> Result<KeyId, Fault> {
    key.refuse_unless_symmetric("rotation")?;
    key.refuse_unless_enabled(id)?;
    if key.on_demand >= MAX_ON_DEMAND || key.versions.len() >= MAX_VERSIONS {
        return Err(Exception::LimitExceeded.because(format!(
            "a key can be rotated on demand {MAX_ON_DEMAND} times"
        )));
    }
    let number = match key.origin {
        Origin::Here => key.add(fresh_version(cx, id)),
        Origin::External => key.pending().ok_or_else(|| {
            Exception::InvalidState.because(format!(
                "key {id} has no imported material that waits for its rotation"
            ))
        })?,
    };
    key.on_demand += 1;
    key.rotate_to(number, cx.now, RotationKind::OnDemand);
    Ok(id)
}

/// Lists the versions of a key's material.
#[derive(Deserialize, JsonSchema)]
struct ListRotations {
    /// The key: its id, or `alias:NAME` with `:` for each `/` of the name.
    key: String,
    /// `ROTATIONS_ONLY` (if nothing is said), or `ALL_KEY_MATERIAL`: the first and one that waits, too.
    #[serde(default)]
    include_key_material: Text,
    /// Which page.
    #[serde(flatten)]
    paging: Paging,
}

/// Versions of a key's material.
#[derive(Serialize, JsonSchema)]
struct Rotations {
    rotations: Vec<Rotation>,
    /// Whether there are more.
    truncated: bool,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Rotation {
    /// Puts them in order.
    #[serde(skip)]
    order: String,
    key_id: String,
    key_material_id: String,
    /// `CURRENT`, `NON_CURRENT` or `PENDING_ROTATION`.
    key_material_state: &'static str,
    /// When it became the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_date: Option<Timestamp>,
    /// `AUTOMATIC` or `ON_DEMAND`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_type: Option<&'static str>,
    /// A note about imported material.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_description: Option<String>,
    /// Whether imported material is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    import_state: Option<&'static str>,
    /// Whether imported material expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_model: Option<&'static str>,
    /// When imported material expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_to: Option<Timestamp>,
}

impl Handle<Kms> for ListRotations {
    type Reply = Rotations;

    async fn handle(self, _: &Kms, cx: &Ctx) -> Result<Rotations, Fault> {
        let all = match self.include_key_material.0.as_str() {
            "" | "ROTATIONS_ONLY" => false,
            "ALL_KEY_MATERIAL" => true,
            _ => {
                return Err(Exception::Validation.because(
                    "include_key_material is neither ROTATIONS_ONLY nor ALL_KEY_MATERIAL",
                ));
            }
        };
        let id = named(cx, &self.key).await?;
        let key = read(cx, id).await?;
        key.refuse_unless_symmetric("rotation")?;
        let wanted = key
            .versions
            .iter()
            .filter(|(_, version)| all || version.rotated.is_some());
        let shown = wanted.map(|(number, version)| Rotation::of(id, &key, *number, version));
        let limit = self.paging.limit(PAGE.0, PAGE.1)?;
        let (rotations, next_marker) =
            page_of(shown, &self.paging, limit, |rotation| &rotation.order)?;
        Ok(Rotations {
            truncated: next_marker.is_some(),
            rotations,
            next_marker,
        })
    }
}

impl Rotation {
    fn of(id: KeyId, key: &Key, number: u32, version: &Version) -> Self {
        let external = key.origin == Origin::External;
        Self {
            order: format!("{number:010}"),
            key_id: id.to_string(),
            key_material_id: version.id.clone(),
            key_material_state: match number.cmp(&key.current) {
                std::cmp::Ordering::Less => "NON_CURRENT",
                std::cmp::Ordering::Equal => "CURRENT",
                std::cmp::Ordering::Greater => "PENDING_ROTATION",
            },
            rotation_date: version.rotated.map(|rotated| rotated.at),
            rotation_type: version.rotated.map(|rotated| match rotated.how {
                RotationKind::Automatic => "AUTOMATIC",
                RotationKind::OnDemand => "ON_DEMAND",
            }),
            key_material_description: external
                .then(|| version.description.clone())
                .filter(|text| !text.is_empty()),
            import_state: external.then_some(match version.material {
                Some(_) => "IMPORTED",
                None => "PENDING_IMPORT",
            }),
            expiration_model: external.then(|| import::model(version.valid_to)),
            valid_to: version.valid_to,
        }
    }
}
