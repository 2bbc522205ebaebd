//! What the envelope costs beside the bare cipher, in memory and on one core.
//!
//! `cargo run --release -p coffer-benches --bin envelope`
//!
//! Rounds of both alternate; the table holds medians. The bare cipher encrypts the same chunks in place, and nothing else.

use std::io::{self, Read, Write};
use std::time::Instant;

use coffer_crypto::cipher::{Cipher, CipherKey};
use coffer_crypto::{Random, Secret};
use coffer_envelope::{CHUNK_BYTES, Envelope, Keys, Opener, Recipient, Sealer};

type Failure = Box<dyn std::error::Error>;

const CONTENT_BYTES: usize = 1 << 30;
const ROUNDS: usize = 7;

fn main() -> Result<(), Failure> {
    let (mut bare, mut sealing, mut opening) = (Vec::new(), Vec::new(), Vec::new());
    let sealed = sealed()?;
    for _ in 0..ROUNDS {
        bare.push(timed(cipher_alone)?);
        sealing.push(timed(|| seal(&mut Counting::default()))?);
        opening.push(timed(|| open(&sealed))?);
    }
    let bare = median(bare);
    println!("| what | GB/s | of the bare cipher |\n|---|---|---|");
    for (what, speed) in [
        ("AES-256-GCM in place, chunks of 64 KiB", bare),
        ("sealing an envelope", median(sealing)),
        ("opening it", median(opening)),
    ] {
        println!("| {what} | {speed:.2} | {:.0} % |", 100.0 * speed / bare);
    }
    Ok(())
}

/// Gigabytes a second.
fn timed(work: impl FnOnce() -> Result<(), Failure>) -> Result<f64, Failure> {
    let begun = Instant::now();
    work()?;
    Ok(CONTENT_BYTES as f64 / begun.elapsed().as_secs_f64() / 1e9)
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or_default()
}

fn cipher_alone() -> Result<(), Failure> {
    let key = CipherKey::new(Cipher::Aes256Gcm, &[7; 32])?;
    let mut chunk = vec![0; CHUNK_BYTES];
    for number in 0..CONTENT_BYTES / CHUNK_BYTES {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
        key.seal_in_place(&nonce, &[], &mut chunk)?;
    }
    Ok(())
}

fn seal(out: &mut impl Write) -> Result<(), Failure> {
    let keys = Keys {
        recipients: vec![Recipient::default()],
        ..Keys::default()
    };
    let mut sealer = Sealer::new(out, &Secret::new([7; 32]), &keys, &Random::system())?;
    sealer.take(&mut io::repeat(7).take(CONTENT_BYTES as u64), |_| {})?;
    sealer.finish()?;
    Ok(())
}

fn sealed() -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(CONTENT_BYTES + (8 << 20));
    seal(&mut out)?;
    Ok(out)
}

fn open(sealed: &[u8]) -> Result<(), Failure> {
    let mut input = sealed;
    let envelope = Envelope::read(&mut input)?;
    let opener = Opener::new(input, &envelope, &Secret::new([7; 32]))?;
    Ok(opener.give(&mut Counting::default(), |_| {})?)
}

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Counting(usize);

impl Write for Counting {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0 += data.len();
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
