//! Encryption and signatures as a service: the operations that applications call for every record.

use serde_json::{Value, json};

use crate::Failure;
use crate::load::{self, Measured, Request, Size};
use crate::options::Options;
use crate::process::Server;

const POLICY: &str = r#"path "transit/*" { capabilities = ["update"] }"#;
/// The peer parses its templated `default` policy again on every request; a token without it spares it that.
const WITHOUT_DEFAULT: &str = "transit encrypt 1 KiB, token without `default`";
/// 1,024 bytes in base64.
const PLAINTEXT_CHARS: usize = 1_368;
/// Items of a batch.
const BATCH: u32 = 100;
/// A batch costs several single requests.
const BATCH_SHARE: u32 = 10;

/// Measures each operation with a key of its own.
pub async fn run(
    options: &Options,
    server: &Server,
    loads: &mut Vec<(&'static str, Measured)>,
) -> Result<(), Failure> {
    let (caller, bare) = prepare(server).await?;
    let plain = format!("{}QQ==", "QUFB".repeat(PLAINTEXT_CHARS / 4 - 1));
    let encrypt = json!({ "plaintext": plain });
    let made = server
        .call("POST", "transit/encrypt/aes", &caller, &encrypt)
        .await?;
    let ciphertext = made
        .pointer("/data/ciphertext")
        .cloned()
        .unwrap_or_default();
    let decrypt = json!({ "ciphertext": ciphertext });
    let items = |of: &Value| json!({ "batch_input": vec![of.clone(); BATCH as usize] });
    let few = (options.transit / BATCH_SHARE).max(1);
    let all = options.transit;
    let input = json!({ "input": plain });
    for (name, path, body, requests) in [
        (WITHOUT_DEFAULT, "encrypt/aes", encrypt.clone(), all),
        ("transit encrypt 1 KiB", "encrypt/aes", encrypt.clone(), all),
        ("transit decrypt 1 KiB", "decrypt/aes", decrypt.clone(), all),
        (
            "transit encrypt 100 × 1 KiB",
            "encrypt/aes",
            items(&encrypt),
            few,
        ),
        (
            "transit decrypt 100 × 1 KiB",
            "decrypt/aes",
            items(&decrypt),
            few,
        ),
        ("transit data key", "datakey/plaintext/aes", json!({}), all),
        ("transit HMAC 1 KiB", "hmac/aes", input.clone(), all),
        ("transit sign, Ed25519", "sign/edwards", input.clone(), all),
        ("transit sign, P-256", "sign/curve", input, all),
    ] {
        let request = Request {
            method: "POST",
            path: format!("transit/{path}"),
            token: if name == WITHOUT_DEFAULT {
                &bare
            } else {
                &caller
            }
            .clone(),
            body: body.to_string(),
        };
        loads.push((name, repeated(options, server, requests, request).await?));
    }
    Ok(())
}

/// Keys of each kind; answers a token as applications have it, and one without the `default` policy.
async fn prepare(server: &Server) -> Result<(String, String), Failure> {
    let root = &server.root;
    let call = async |path: &str, body: Value| server.call("POST", path, root, &body).await;
    call("sys/mounts/transit", json!({ "type": "transit" })).await?;
    for (name, kind) in [
        ("aes", "aes256-gcm96"),
        ("edwards", "ed25519"),
        ("curve", "ecdsa-p256"),
    ] {
        call(&format!("transit/keys/{name}"), json!({ "type": kind })).await?;
    }
    call("sys/policies/acl/transit", json!({ "policy": POLICY })).await?;
    let token = async |no_default_policy: bool| {
        let wish = json!({ "policies": ["transit"], "ttl": "24h", "no_default_policy": no_default_policy });
        let made = call("auth/token/create", wish).await?;
        let token = made.pointer("/auth/client_token").and_then(Value::as_str);
        token
            .map(str::to_owned)
            .ok_or_else(|| Failure::from("no token in the answer"))
    };
    Ok((token(false).await?, token(true).await?))
}

async fn repeated(
    options: &Options,
    server: &Server,
    requests: u32,
    request: Request,
) -> Result<Measured, Failure> {
    let size = Size {
        connections: options.connections,
        requests,
        seconds_max: options.seconds_max,
    };
    // The first fills caches.
    let (again, first) = (
        request.clone(),
        Size {
            requests: 1,
            ..size
        },
    );
    load::run(server, first, move |_| again.clone(), |_| ()).await?;
    load::run(server, size, move |_| request.clone(), |_| ()).await
}
