//! `crls/{name}`: lists of revoked certificates, given by an operator or fetched from where an authority publishes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_engine::keys::{Keys, page};
use coffer_engine::{Ctx, Empty, Exists, Fault, Handle, Routes, Stored, outbound, path};
use coffer_wire::{Int, Text, Timestamp, digits};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cert;
use super::certificate::Unreadable;
use super::crl::{self, InForce, LIST_BYTES_MAX, List};
use super::role_write::is_web_address;
use crate::names;

/// Where it is kept what is known of the lists.
const FOLDER: &str = "crl/";
/// Where the lists themselves are kept.
const LISTS: &str = "crl-list/";
/// How many lists a mount has.
const CRLS_MAX: usize = 256;
/// How many are fetched anew in one go.
const REFRESHED_AT_ONCE_MAX: usize = 16;
/// When a list that says nothing of the next one is fetched anew.
const REFRESH: Duration = Duration::from_secs(24 * 3600);
/// How long it is waited after an address gave no list.
const AFTER_FAILURE: Duration = Duration::from_secs(300);

pub(super) fn routes() -> Routes<Cert> {
    Routes::new([
        path("crls", "The lists of revoked certificates.").list::<ListCrls>(),
        path("crls/{name}", "A list of revoked certificates.")
            .caseless()
            .exists::<ReadCrl>()
            .read::<ReadCrl>()
            .write::<WriteCrl>()
            .tells("cert/crl-write")
            .delete::<DeleteCrl>()
            .tells("cert/crl-delete"),
    ])
}

/// What is known of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Known {
    /// What tells the list from others.
    digest: String,
    /// Where it comes from, if it was fetched.
    cdp: Option<DistributionPoint>,
}

/// Where an authority publishes its list.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DistributionPoint {
    url: String,
    /// When the next list is to be expected, in seconds since 1970; 0 where nothing is said.
    valid_until: u64,
    /// When it is fetched anew, in seconds since 1970.
    due: u64,
}

/// A list as it came.
#[derive(Serialize, Deserialize)]
struct Text64 {
    der: String,
}

impl Stored for Known {}
impl Stored for Text64 {}

impl Known {
    async fn find(cx: &Ctx, name: &str) -> Result<Option<Self>, Fault> {
        match super::role::is_name(name) {
            true => Ok(cx.view.get(&place(FOLDER, name)).await?),
            false => Ok(None),
        }
    }
}

/// All lists that count now.
pub(super) async fn in_force(engine: &Cert, cx: &Ctx) -> Result<Vec<InForce>, Fault> {
    let (mut lists, mut digests) = (Vec::new(), Vec::new());
    for name in cx.view.list_all(FOLDER).await? {
        let Some(known) = Known::find(cx, &name).await? else {
            continue;
        };
        digests.push(known.digest.clone());
        if let Some(list) = list(engine, cx, &name, &known).await? {
            let is_fetched = known.cdp.is_some();
            lists.push(InForce { list, is_fetched });
        }
    }
    engine.lists.keep_only(&digests);
    Ok(lists)
}

/// The list that is called so; none if it was removed meanwhile.
async fn list(
    engine: &Cert,
    cx: &Ctx,
    name: &str,
    known: &Known,
) -> Result<Option<Arc<List>>, Fault> {
    if let Some(list) = engine.lists.get(&known.digest) {
        return Ok(Some(list));
    }
    let Some(text) = cx.view.get::<Text64>(&place(LISTS, name)).await? else {
        return Ok(None);
    };
    let der = STANDARD.decode(text.der).map_err(Fault::internal)?;
    let digest = crl::digest(&der);
    let list = read(der).await?.map_err(|why| Fault::internal(why.0))?;
    let list = Arc::new(list);
    engine.lists.put(digest, Arc::clone(&list));
    Ok(Some(list))
}

/// Reads a list aside: a long one takes its time.
async fn read(der: Vec<u8>) -> Result<Result<List, Unreadable>, Fault> {
    tokio::task::spawn_blocking(move || List::read(&der))
        .await
        .map_err(Fault::internal)
}

/// Fetches anew what is due. An address that gives no list, one of somebody else, or an older one, changes nothing: the one
/// that is there counts on.
pub(super) async fn refresh(cx: &Ctx) -> Result<(), Fault> {
    let mut fetched = 0;
    for name in cx.view.list_all(FOLDER).await? {
        let Some(known) = Known::find(cx, &name).await? else {
            continue;
        };
        let cdp = known.cdp.filter(|cdp| cdp.due <= cx.now.secs());
        let Some(cdp) = cdp else { continue };
        fetched += 1;
        if fetched > REFRESHED_AT_ONCE_MAX {
            return Ok(());
        }
        refresh_one(cx, &name, cdp).await?;
    }
    Ok(())
}

async fn refresh_one(cx: &Ctx, name: &str, cdp: DistributionPoint) -> Result<(), Fault> {
    let old = cx.view.get::<Text64>(&place(LISTS, name)).await?;
    let old = old.and_then(|old| STANDARD.decode(old.der).ok());
    let old = old.and_then(|old| List::read(&old).ok());
    let new = match fetch(cx, &cdp.url).await {
        Ok(new) => new,
        Err(Fault::Upstream(_) | Fault::Invalid(_)) => {
            return postpone(cx, name, cdp).await;
        }
        Err(fault) => return Err(fault),
    };
    match old.is_none_or(|old| new.list.may_follow(&old)) {
        true => keep(cx, name, Some(cdp.url), new, true).await,
        false => postpone(cx, name, cdp).await,
    }
}

async fn postpone(cx: &Ctx, name: &str, cdp: DistributionPoint) -> Result<(), Fault> {
    let due = cx.now.plus(AFTER_FAILURE).secs();
    let decide = |known: Option<Known>| {
        let known = known.map(|known| match &known.cdp {
            Some(now) if now.url == cdp.url => Known {
                cdp: Some(DistributionPoint { due, ..cdp.clone() }),
                ..known
            },
            _ => known,
        });
        Ok::<_, Fault>((known, ()))
    };
    cx.view.update(&place(FOLDER, name), decide).await
}

/// A list and what it was read from.
struct Fresh {
    list: List,
    der: Vec<u8>,
}

async fn fetch(cx: &Ctx, url: &str) -> Result<Fresh, Fault> {
    let request = outbound::Request {
        most: LIST_BYTES_MAX,
        ..outbound::Request::get(url)
    };
    let answer = cx.fetch(request).await?;
    match answer.status {
        200 => parse(answer.body.to_vec()).await,
        status => Err(Fault::Upstream(format!(
            "the address of the CRL answers with status {status}"
        ))),
    }
}

async fn parse(bytes: Vec<u8>) -> Result<Fresh, Fault> {
    let der = match CertificateRevocationListDer::from_pem_slice(&bytes) {
        Ok(der) => der.to_vec(),
        Err(_) => bytes,
    };
    let list = read(der.clone()).await?;
    let list = list.map_err(|why| Fault::Invalid(format!("failed to parse CRL: {}", why.0)))?;
    Ok(Fresh { list, der })
}

/// Keeps a list under a name, if there is none of another origin there by now.
async fn keep(
    cx: &Ctx,
    name: &str,
    url: Option<String>,
    fresh: Fresh,
    is_refresh: bool,
) -> Result<(), Fault> {
    let at = place(FOLDER, name);
    let (old, seen) = cx.view.get_seen::<Known>(&at).await?;
    let old_url = old
        .as_ref()
        .and_then(|old| Some(old.cdp.as_ref()?.url.clone()));
    if is_refresh && old_url != url {
        return Ok(());
    }
    if old.is_none() && cx.view.list_all(FOLDER).await?.len() >= CRLS_MAX {
        return Err(Fault::Invalid(format!(
            "{CRLS_MAX} CRLs are enough; delete one"
        )));
    }
    let valid_until = fresh.list.next_update.map_or(0, |until| until.as_secs());
    let soonest = cx.now.plus(AFTER_FAILURE).secs();
    let latest = cx.now.plus(REFRESH).secs();
    let due = match valid_until {
        0 => latest,
        until => until.clamp(soonest, latest),
    };
    let known = Known {
        digest: crl::digest(&fresh.der),
        cdp: url.map(|url| DistributionPoint {
            url,
            valid_until,
            due,
        }),
    };
    let text = Text64 {
        der: STANDARD.encode(&fresh.der),
    };
    let changes = cx.view.changes().expect(&cx.view, &at, seen);
    let changes = changes.put(&cx.view, &at, &known)?;
    let changes = changes.put(&cx.view, &place(LISTS, name), &text)?;
    match changes.commit().await.map_err(Fault::from) {
        // Somebody else changed it meanwhile; the next round sees what there is.
        Err(Fault::Conflict(_)) if is_refresh => Ok(()),
        done => done,
    }
}

fn place(folder: &str, name: &str) -> String {
    format!("{folder}{}", names::normal(name))
}

fn unknown(name: &str) -> Fault {
    Fault::Invalid(format!("no such CRL {}", names::normal(name)))
}

/// Lists the lists.
#[derive(Deserialize, JsonSchema)]
struct ListCrls {
    /// Names after this one only.
    #[serde(default)]
    after: String,
    /// How many names at most; all if not over zero.
    #[serde(default)]
    limit: Int,
}

impl Handle<Cert> for ListCrls {
    type Reply = Keys;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Keys, Fault> {
        page(cx, FOLDER, &self.after, self.limit).await
    }
}

/// Shows which certificates a list has.
#[derive(Deserialize, JsonSchema)]
struct ReadCrl {
    /// Name of the list.
    name: String,
}

/// A list as clients see it.
#[derive(Serialize, JsonSchema)]
struct CrlView {
    /// Where it was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    cdp: Option<PointView>,
    /// The numbers of the revoked certificates.
    serials: BTreeMap<String, Nothing>,
}

#[derive(Serialize, JsonSchema)]
struct PointView {
    url: String,
    /// When the next list is to be expected.
    valid_until: Timestamp,
}

#[derive(Serialize, JsonSchema)]
struct Nothing {}

impl Exists<Cert> for ReadCrl {
    async fn exists(self, _: &Cert, cx: &Ctx) -> Result<bool, Fault> {
        Ok(Known::find(cx, &self.name).await?.is_some())
    }
}

impl Handle<Cert> for ReadCrl {
    type Reply = CrlView;

    async fn handle(self, engine: &Cert, cx: &Ctx) -> Result<CrlView, Fault> {
        let nobody = || unknown(&self.name);
        let known = Known::find(cx, &self.name).await?.ok_or_else(nobody)?;
        let list = list(engine, cx, &self.name, &known)
            .await?
            .ok_or_else(nobody)?;
        let serials = list.serials().map(|serial| (digits(serial), Nothing {}));
        Ok(CrlView {
            cdp: known.cdp.map(|cdp| PointView {
                url: cdp.url,
                valid_until: Timestamp::from_secs(cdp.valid_until),
            }),
            serials: serials.collect(),
        })
    }
}

/// Gives a list of revoked certificates, or where to fetch it.
#[derive(Deserialize, JsonSchema)]
struct WriteCrl {
    /// Name of the list: letters, digits, `_`, and inside `-` and `.`.
    name: String,
    /// The list, in PEM or DER. When it was to be replaced does not count: it is in force until it is deleted.
    #[serde(default)]
    crl: Option<Text>,
    /// Instead of a list, the address where its authority publishes it; it is fetched now, and anew when the next is due.
    #[serde(default)]
    url: Option<Text>,
}

impl Handle<Cert> for WriteCrl {
    type Reply = Empty;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Empty, Fault> {
        if !super::role::is_name(&self.name) {
            return Err(Fault::UnsupportedPath);
        }
        let (fresh, url) = match (self.crl, self.url) {
            (Some(text), _) => (parse(text.0.into_bytes()).await?, None),
            (None, Some(url)) if is_web_address(&url.0) => (fetch(cx, &url.0).await?, Some(url.0)),
            (None, Some(_)) => {
                let text = "the url of a CRL begins with http:// or https://";
                return Err(Fault::invalid(text));
            }
            (None, None) => {
                return Err(Fault::invalid("one of 'crl' or 'url' must be provided"));
            }
        };
        keep(cx, &self.name, url, fresh, false).await?;
        Ok(Empty)
    }
}

/// Removes a list; what it revoked is not revoked any more.
#[derive(Deserialize, JsonSchema)]
struct DeleteCrl {
    /// Name of the list.
    name: String,
}

impl Handle<Cert> for DeleteCrl {
    type Reply = Empty;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Empty, Fault> {
        let known = Known::find(cx, &self.name).await?;
        known.ok_or_else(|| unknown(&self.name))?;
        let changes = cx.view.changes();
        let changes = changes.delete(&cx.view, &place(FOLDER, &self.name));
        let changes = changes.delete(&cx.view, &place(LISTS, &self.name));
        changes.commit().await?;
        Ok(Empty)
    }
}
