//! One version in a backup, both ways.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Zeroizing;
use coffer_crypto::pair::{KeyPair, PairKind, PublicKey, RsaNumbers};
use coffer_engine::Fault;
use coffer_wire::Timestamp;
use serde_json::value::RawValue;

use super::key::{Bytes, Key, MAC_BYTES, Version};
use super::keys::HMAC_KEY_BYTES;
use super::kind::KeyKind;
use super::policy_document::{
    Entry, RsaEntry, RsaPrecomputed, RsaPublicEntry, number, number_bytes,
};
use super::signatures::{PublicHalf as _, ed25519_whole};

/// What convergent keys of this server say of themselves; it is the reference's third way.
const CONVERGENT_VERSION: i64 = 3;

/// A version as a backup has it.
pub(super) fn entry(key: &Key, version: &Version) -> Result<Entry, Fault> {
    let mut entry = Entry {
        hmac_key: Some(match version.mac.is_empty() {
            true => version.key.clone(),
            false => version.mac.clone(),
        }),
        time: Some(version.created),
        creation_time: version.created.secs(),
        convergent_version: if key.convergent {
            CONVERGENT_VERSION
        } else {
            0
        },
        certificate_chain: match version.certificates.is_empty() {
            true => None,
            false => Some(version.certificates.clone()),
        },
        ..Entry::default()
    };
    match key.kind.pair() {
        None => entry.key = Some(version.key.clone()),
        Some(_) if version.key.is_empty() => {
            let public = PublicKey::from_spki(version.public.expose())?;
            write_public(&mut entry, &public)?;
        }
        Some(kind) => {
            let pair = KeyPair::from_pkcs8(kind, version.key.expose())?;
            write_public(&mut entry, pair.public())?;
            write_private(&mut entry, &pair)?;
        }
    }
    Ok(entry)
}

fn write_public(entry: &mut Entry, public: &PublicKey) -> Result<(), Fault> {
    if let Some((n, e)) = public.rsa_numbers() {
        let (n, e) = (json(&n)?, json(&e)?);
        entry.rsa_public_key = Some(RsaPublicEntry { n, e });
        return Ok(());
    }
    if let Some((x, y)) = public.point() {
        entry.ec_x = Some(json(&x)?);
        entry.ec_y = Some(json(&y)?);
    }
    entry.public_key = public.shown();
    Ok(())
}

fn write_private(entry: &mut Entry, pair: &KeyPair) -> Result<(), Fault> {
    if let Some(numbers) = pair.rsa_numbers() {
        entry.rsa_public_key = None;
        entry.rsa_key = Some(RsaEntry {
            n: json(&numbers.n)?,
            e: json(&numbers.e)?,
            d: json(&numbers.d)?,
            primes: vec![json(&numbers.p)?, json(&numbers.q)?],
            precomputed: RsaPrecomputed {
                dp: json(&numbers.dp)?,
                dq: json(&numbers.dq)?,
                qinv: json(&numbers.qinv)?,
                more: Some(Vec::new()),
            },
        });
    } else if let Some(scalar) = pair.scalar() {
        entry.ec_d = Some(json(&scalar)?);
    } else if let Some(whole) = ed25519_whole(pair) {
        entry.key = Some(Bytes::new(whole.to_vec()));
    } else if let Some(seed) = pair.seed() {
        entry.key = Some(Bytes::new(seed.expose().clone()));
    }
    Ok(())
}

fn json(bytes: &[u8]) -> Result<Box<RawValue>, Fault> {
    number(bytes).map_err(Fault::internal)
}

/// A version of a key of this kind, from a backup. Numbers that do not belong together are refused.
pub(super) fn version(kind: KeyKind, entry: Entry, now: Timestamp) -> Result<Version, Fault> {
    let damaged = || Fault::invalid("the backup is damaged: a version is no key of its type");
    let (key, public) = match kind.pair() {
        Some(pair) => halves(pair, &entry).ok_or_else(damaged)?,
        None => {
            let key = entry.key.clone().ok_or_else(damaged)?;
            let length = key.expose().len();
            let fits = match kind.cipher() {
                Some(cipher) => length == cipher.key_bytes(),
                None => i64::try_from(length).is_ok_and(|length| HMAC_KEY_BYTES.contains(&length)),
            };
            (fits.then_some(key).ok_or_else(damaged)?, Bytes::default())
        }
    };
    let mac = match (kind, entry.hmac_key) {
        (KeyKind::Hmac, _) => Bytes::default(),
        (_, Some(mac)) if mac.expose().len() == MAC_BYTES => mac,
        _ => return Err(damaged()),
    };
    Ok(Version {
        created: entry.time.unwrap_or(now),
        key,
        public,
        mac,
        certificates: entry.certificate_chain.unwrap_or_default(),
    })
}

/// Private half, which may be missing, and public half.
fn halves(kind: PairKind, entry: &Entry) -> Option<(Bytes, Bytes)> {
    if let Some(pair) = private(kind, entry)? {
        let private = Bytes::new(pair.to_pkcs8().ok()?.expose().clone());
        return Some((private, Bytes::new(pair.public().to_spki())));
    }
    let public = public(kind, entry)?;
    (public.kind() == kind).then(|| (Bytes::default(), Bytes::new(public.to_spki())))
}

/// The pair; nothing inside where only its public half is there.
fn private(kind: PairKind, entry: &Entry) -> Option<Option<KeyPair>> {
    if kind.is_rsa() {
        let Some(rsa) = &entry.rsa_key else {
            return Some(None);
        };
        return Some(KeyPair::from_rsa_numbers(kind, &rsa_numbers(rsa)?).ok())
            .filter(Option::is_some);
    }
    if kind.is_ecdsa() {
        let Some(d) = &entry.ec_d else {
            return Some(None);
        };
        let [x, y] = point(entry)?;
        let pair = KeyPair::from_scalar(kind, &number_bytes(d)?, &x, &y);
        return Some(pair.ok()).filter(Option::is_some);
    }
    let Some(key) = &entry.key else {
        return Some(None);
    };
    let (seed, rest) = key.expose().split_first_chunk::<32>()?;
    let pair = KeyPair::from_seed(kind, seed).ok()?;
    let bits = pair.public().bits();
    let fits = match kind {
        PairKind::Ed25519 => bits == rest,
        // What else is written of ML-DSA is another field.
        _ if entry.public_key.is_empty() => rest.is_empty(),
        _ => rest.is_empty() && entry.public_key == STANDARD.encode(bits),
    };
    if !fits {
        return None;
    }
    Some(Some(pair))
}

fn rsa_numbers(entry: &RsaEntry) -> Option<RsaNumbers> {
    let [p, q] = entry.primes.as_slice() else {
        return None;
    };
    let bytes = |number: &RawValue| number_bytes(number).map(|bytes| bytes.to_vec());
    Some(RsaNumbers {
        n: bytes(&entry.n)?,
        e: bytes(&entry.e)?,
        d: bytes(&entry.d)?,
        p: bytes(p)?,
        q: bytes(q)?,
        dp: bytes(&entry.precomputed.dp)?,
        dq: bytes(&entry.precomputed.dq)?,
        qinv: bytes(&entry.precomputed.qinv)?,
    })
}

fn public(kind: PairKind, entry: &Entry) -> Option<PublicKey> {
    if kind.is_rsa() {
        let rsa = entry.rsa_public_key.as_ref()?;
        let (n, e) = (number_bytes(&rsa.n)?, number_bytes(&rsa.e)?);
        return PublicKey::from_rsa_numbers(kind, &n, &e).ok();
    }
    if kind.is_ecdsa() {
        let [x, y] = point(entry)?;
        return PublicKey::from_point(kind, &x, &y).ok();
    }
    let bits = STANDARD.decode(&entry.public_key).ok()?;
    PublicKey::from_bits(kind, &bits).ok()
}

fn point(entry: &Entry) -> Option<[Zeroizing<Vec<u8>>; 2]> {
    let x = number_bytes(entry.ec_x.as_ref()?)?;
    let y = number_bytes(entry.ec_y.as_ref()?)?;
    Some([x, y])
}
