//! Dev mode: a server that initialises and unseals itself, through the same API that everybody uses.

use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::{Secret, Zeroizing};
use coffer_engine::{Body, Fault};
use coffer_hcl::Position;
use coffer_kernel::{Kernel, Request, Response};
use coffer_wire::{ApiPath, JsonBounds, Verb, Wiped};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use serde_json::{Value, json};

use crate::args::Dev;
use crate::config::{
    Binding, ClientCertificates, DEFAULT_MAX_REQUEST_DURATION_SECS, Listener, Place, Timeouts, Tls,
    TlsVersion,
};
use crate::error::Error;

/// Where dev mode listens if nothing is said.
const ADDRESS: &str = "127.0.0.1:8200";
/// Largest request body in bytes: 32 MiB, as on any listener.
const MAX_REQUEST_BYTES: u64 = 32 * 1024 * 1024;
/// The files of a dev certificate.
const CA_FILE: &str = "vault-ca.pem";
const CERT_FILE: &str = "vault-cert.pem";
const KEY_FILE: &str = "vault-key.pem";

/// The listener that dev mode brings along.
pub(crate) fn listener(dev: &Dev) -> Result<Listener, Error> {
    let address = dev
        .listen_address
        .clone()
        .unwrap_or_else(|| ADDRESS.to_owned());
    let tls = match dev.tls {
        true => Some(certificate(dev.tls_cert_dir.as_deref(), &address)?),
        false => None,
    };
    Ok(Listener {
        binding: Binding::Tcp {
            address,
            tls,
            forwarded_for: None,
        },
        max_request_size_bytes: Some(MAX_REQUEST_BYTES),
        json: JsonBounds::default(),
        max_request_duration: Duration::from_secs(DEFAULT_MAX_REQUEST_DURATION_SECS),
        timeouts: Timeouts {
            read_header: Duration::from_secs(10),
            read: Some(Duration::from_secs(30)),
            write: None,
            idle: Duration::from_secs(300),
        },
        // As in the reference: a dev server is for the person who started it.
        unauthenticated_metrics_access: true,
        unauthenticated_in_flight_access: false,
        metrics_only: false,
        disallow_metrics: false,
        disable_unauthed_rekey_endpoints: false,
        disable_unauthed_generate_root_endpoints: false,
        redact_addresses: false,
        redact_cluster_name: false,
        redact_version: false,
        aws_kms: None,
        response_headers: Vec::new(),
        place: Place {
            file: Arc::from(Path::new("-dev")),
            position: Position { line: 1, column: 1 },
        },
    })
}

/// Initialises and unseals the server, mounts `secret/`, and tells how to use it.
pub(crate) async fn set_up(
    kernel: &Arc<Kernel>,
    dev: &Dev,
    listener: &Listener,
    url: &str,
) -> Result<String, Error> {
    let mut operator = Operator {
        kernel,
        token: None,
    };
    let sealed_by_others = !kernel.settings.seals.enabled().is_empty();
    let how = match sealed_by_others {
        true => json!({ "recovery_shares": 1, "recovery_threshold": 1 }),
        false => json!({ "secret_shares": 1, "secret_threshold": 1 }),
    };
    let made = operator.write("sys/init", how).await?;
    let root = text(&made, "/root_token")?;
    let key = match sealed_by_others {
        true => text(&made, "/recovery_keys_base64/0")?,
        false => text(&made, "/keys_base64/0")?,
    };
    if !sealed_by_others {
        operator.write("sys/unseal", json!({ "key": key })).await?;
    }
    operator.token = Some(Arc::new(root.clone().into()));
    let token = match dev.root_token_id.as_deref().filter(|id| !id.is_empty()) {
        None => root,
        Some(id) => {
            let wanted = json!({ "id": id, "policies": ["root"], "no_parent": true });
            operator.write("auth/token/create", wanted).await?;
            operator.write("auth/token/revoke-self", json!({})).await?;
            operator.token = Some(Arc::new(id.into()));
            id.to_owned()
        }
    };
    if kernel.settings.self_init.script.is_empty() {
        // Otherwise the configuration says what there is.
        let version = if dev.kv_v1 { "1" } else { "2" };
        let mount = json!({ "type": "kv", "description": "key/value secret storage", "options": { "version": version } });
        operator.write("sys/mounts/secret", mount).await?;
    }
    if !dev.no_store_token {
        keep_token(&token);
    }
    Ok(notice(&key, &token, listener, url))
}

/// The caller of the API in this process.
struct Operator<'a> {
    kernel: &'a Kernel,
    token: Option<Arc<Secret<String>>>,
}

impl Operator<'_> {
    async fn write(&self, path: &str, body: Value) -> Result<Wiped<Value>, Error> {
        let failed = |what: String| Error::Dev(format!("{path}: {what}"));
        let api_path = ApiPath::parse(path).map_err(|_| failed("no such path".to_owned()))?;
        let id = self.kernel.barrier.random().uuid_v4();
        let mut request = Request::internal(id, Verb::Write, api_path);
        request.token = self.token.clone();
        if let Value::Object(fields) = body {
            request.body = Wiped(fields);
        }
        let answer = self
            .kernel
            .handle(request)
            .await
            .map_err(|refusal| match refusal.fault {
                Fault::Internal(source) => failed(source.to_string()),
                fault => failed(format!("{fault}; dev mode needs a new or empty storage")),
            })?;
        parsed(&answer).map_err(|error| failed(error.to_string()))
    }
}

fn parsed(answer: &Response) -> Result<Wiped<Value>, serde_json::Error> {
    match &answer.body {
        Body::Json(text) | Body::JsonBare(text) | Body::JsonAlsoAtTop(text) => {
            serde_json::from_slice(text)
        }
        Body::Empty | Body::Raw { .. } | Body::Stream(_) => Ok(Wiped::default()),
    }
}

fn text(value: &Value, pointer: &str) -> Result<String, Error> {
    let text = value
        .pointer(pointer)
        .and_then(Value::as_str)
        .map(str::to_owned);
    text.ok_or_else(|| Error::Dev(format!("the answer of sys/init has no {pointer}")))
}

fn notice(key: &str, token: &str, listener: &Listener, url: &str) -> String {
    let mut text = String::from(
        "WARNING! This is dev mode: the server is unsealed, its data is in memory unless the configuration\n\
         says otherwise, and its keys are printed below. Never use it for secrets that matter.\n\n\
         The command line finds this server with:\n\n",
    );
    // Writing to a string never fails.
    let _ = writeln!(text, "    $ export VAULT_ADDR='{url}'");
    if let Binding::Tcp { tls: Some(tls), .. } = &listener.binding {
        let _ = writeln!(
            text,
            "    $ export VAULT_CACERT='{}'",
            tls.cert_file.with_file_name(CA_FILE).display()
        );
    }
    let _ = writeln!(
        text,
        "\nThe key and the token of this run:\n\nUnseal Key: {key}\nRoot Token: {token}\n"
    );
    text
}

/// Keeps the root token where command lines look for it; that this fails is no reason not to start.
fn keep_token(token: &str) {
    let Some(home) = std::env::var_os("HOME").filter(|home| !home.is_empty()) else {
        return;
    };
    let path = Path::new(&home).join(".vault-token");
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = create(&beside, token).and_then(|()| std::fs::rename(&beside, &path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&beside);
        tracing::warn!(path = %path.display(), %error, "the root token could not be kept");
    }
}

fn create(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Makes an authority and a certificate for this run.
fn certificate(dir: Option<&Path>, address: &str) -> Result<Tls, Error> {
    let dir = match dir {
        Some(dir) => dir.to_owned(),
        None => std::env::temp_dir().join(format!("coffer-dev-tls-{}", std::process::id())),
    };
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Unwritable { path, source }
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&dir)
        .map_err(unwritable(&dir))?;
    let made = signed(address)
        .map_err(|error| Error::Dev(format!("the certificate could not be made: {error}")))?;
    let files = [
        (CA_FILE, &made.authority),
        (CERT_FILE, &made.certificate),
        (KEY_FILE, &made.key),
    ];
    for (name, text) in files {
        let path = dir.join(name);
        // Those of an earlier run in the same directory are replaced.
        let _ = std::fs::remove_file(&path);
        create(&path, text).map_err(unwritable(&path))?;
    }
    Ok(Tls {
        cert_file: dir.join(CERT_FILE),
        key_file: dir.join(KEY_FILE),
        min_version: TlsVersion::Tls12,
        max_version: TlsVersion::Tls13,
        cipher_suites: Vec::new(),
        client_certificates: ClientCertificates::Request,
    })
}

struct Made {
    authority: String,
    certificate: String,
    key: Zeroizing<String>,
}

fn signed(address: &str) -> Result<Made, rcgen::Error> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "Coffer dev authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let host = address
        .rsplit_once(':')
        .map_or(address, |(host, _)| host)
        .trim_matches(['[', ']']);
    if !host.is_empty() && !names.iter().any(|name| name == host) {
        names.push(host.to_owned());
    }
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "localhost");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.signed_by(&key, &authority)?;
    Ok(Made {
        authority: authority.pem(),
        certificate: certificate.pem(),
        key: Zeroizing::new(key.serialize_pem()),
    })
}
