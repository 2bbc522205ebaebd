//! A batch of transit beside what it can not do without: JSON, base64 and the cipher. In one process, without HTTP.
//!
//! `cargo run --release -p coffer-benches --bin transit_batch`

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coffer_crypto::Random;
use coffer_crypto::cipher::{Cipher, CipherKey};
use coffer_engine::testing::Bench;
use coffer_secrets::transit::Transit;
use coffer_wire::parse_object;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can go wrong here ends the run, so a text is enough.
type Failure = Box<dyn std::error::Error + Send + Sync>;

const ITEMS: usize = 100;
const ITEM_BYTES: usize = 1_024;
/// How often each side is run, in turn.
const RUNS: usize = 200;

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    batch_input: Vec<Plain<'a>>,
}

#[derive(Deserialize)]
struct Plain<'a> {
    plaintext: &'a str,
}

#[derive(Serialize)]
struct Answered {
    batch_results: Vec<Sealed>,
}

#[derive(Serialize)]
struct Sealed {
    ciphertext: String,
    key_version: u32,
    reference: &'static str,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let random = Random::system();
    let mut plaintext = vec![0; ITEM_BYTES];
    let items: Vec<Value> = std::iter::repeat_with(|| {
        random.fill(&mut plaintext);
        json!({ "plaintext": STANDARD.encode(&plaintext) })
    })
    .take(ITEMS)
    .collect();
    let body = json!({ "batch_input": items }).to_string();
    let mut key = [0; 32];
    random.fill(&mut key);
    let key = CipherKey::new(Cipher::Aes256Gcm, &key)?;
    let bench = Bench::<Transit>::new().await;
    bench.write("keys/a", json!({})).await?;
    let (mut bares, mut wholes) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begin = Instant::now();
        let made = bare(&key, &random, &body)?;
        bares.push(begin.elapsed());
        let begin = Instant::now();
        let input = parse_object(body.as_bytes())?.take();
        let answered = bench.answer("encrypt/a", input).await?;
        wholes.push(begin.elapsed());
        if made.is_empty() || answered.status.is_some() {
            return Err("a batch failed".into());
        }
    }
    let (bare, whole) = (median(bares), median(wholes));
    println!("{ITEMS} x {ITEM_BYTES} bytes, medians of {RUNS} runs");
    println!("cipher, JSON and base64 alone: {bare:?}");
    println!("parsed, encrypted and written by the engine: {whole:?}");
    println!("{:.2} times", whole.as_secs_f64() / bare.as_secs_f64());
    Ok(())
}

fn bare(key: &CipherKey, random: &Random, body: &str) -> Result<String, Failure> {
    let asked: Asked<'_> = serde_json::from_str(body)?;
    let mut batch_results = Vec::with_capacity(asked.batch_input.len());
    for item in asked.batch_input {
        let plaintext = STANDARD.decode(item.plaintext)?;
        let sealed = key.seal(random, &[], &plaintext)?;
        batch_results.push(Sealed {
            ciphertext: format!("vault:v1:{}", STANDARD.encode(sealed)),
            key_version: 1,
            reference: "",
        });
    }
    Ok(serde_json::to_string(&Answered { batch_results })?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
