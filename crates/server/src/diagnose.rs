//! Whether a server could start with a configuration on this machine, and what would be wrong with it.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use coffer_engine::outbound::Outbound;
use coffer_kernel::seals::SealStanza;
use coffer_storage::Embedded;
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::{AuditDevice, Binding, Config, Listener, Storage};
use crate::listener::{bind, validity};
use crate::outbound::Courier;
use crate::seals::keepers;
use crate::unserved;

/// How long before its end a certificate is worth a warning.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How long a seal's keeper may take.
const KEEPER_ANSWERS: Duration = Duration::from_secs(20);
/// What it is asked to wrap.
const PROBE: &[u8] = b"coffer operator diagnose";
/// Open files below which connections are refused early.
const FEW_FILES: u64 = 4096;

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing is wrong.
    Good,
    /// Not looked at, as asked.
    Skipped,
    /// A server starts; somebody may be surprised.
    Doubtful,
    /// A server does not start, or fails soon.
    Bad,
}

/// One look at one thing.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// What was found, one sentence each. No secrets.
    pub found: Vec<String>,
}

/// Parts that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Opening the listeners, which fails while a server runs.
    Listener,
    /// Opening the storage.
    Storage,
}

/// Looks at a configuration alone, which may be meant for another machine.
pub fn validate(paths: &[PathBuf]) -> Check {
    read(paths).0
}

/// Looks at a configuration and at what it names on this machine. Within a runtime.
pub async fn diagnose(paths: &[PathBuf], skipped: &[Part]) -> Vec<Check> {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (check, config) = read(paths);
    let mut checks = vec![open_files(), check];
    let Some(config) = config else {
        return checks;
    };
    checks.push(match skipped.contains(&Part::Storage) {
        true => Check::new("Storage").skipped(),
        false => storage(&config.storage),
    });
    for listener in &config.listeners {
        checks.push(match skipped.contains(&Part::Listener) {
            true => Check::new(named(listener)).skipped(),
            false => listens(listener),
        });
    }
    checks.extend(config.audit.iter().map(audit));
    checks.extend(seals(&config).await);
    checks
}

/// Whether each seal's keeper can be built, and gives back what it wraps.
async fn seals(config: &Config) -> Vec<Check> {
    if config.seals.is_empty() {
        return vec![
            Check::new("Seal")
                .good("Shamir's key shares: after each start the server waits for unseal keys."),
        ];
    }
    let outbound: Arc<dyn Outbound> = Arc::new(Courier::default());
    let mut checks = Vec::new();
    for seal in &config.seals {
        let mut check = Check::new(format!("Seal {}", seal.name));
        match keepers(std::slice::from_ref(seal), &outbound) {
            Err(error) => check = check.bad(error.to_string()),
            Ok(built) => {
                for stanza in built {
                    check = asked(check, &stanza).await;
                }
            }
        }
        checks.push(check);
    }
    checks
}

/// Lets a keeper wrap some bytes and unwrap them again.
async fn asked(check: Check, stanza: &SealStanza) -> Check {
    if stanza.disabled {
        return check.doubtful("It is disabled: it is there only to move away from it.");
    }
    let answer = async {
        let wrapped = stanza.keeper.wrap(PROBE).await?;
        stanza.keeper.unwrap(&wrapped).await
    };
    match tokio::time::timeout(KEEPER_ANSWERS, answer).await {
        Ok(Ok(again)) if again.as_slice() == PROBE => {
            check.good("Its keeper wraps, and unwraps what it wrapped.")
        }
        Ok(Ok(_)) => check.bad("Its keeper gives back other bytes than it was given."),
        Ok(Err(error)) => check.bad(format!("{error}.")),
        Err(_) => check.bad("Its keeper does not answer in time."),
    }
}

impl Check {
    fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            verdict: Verdict::Good,
            found: Vec::new(),
        }
    }

    fn skipped(self) -> Self {
        self.with(Verdict::Skipped, "as asked")
    }

    fn good(self, what: impl Into<String>) -> Self {
        self.with(Verdict::Good, what)
    }

    fn doubtful(self, what: impl Into<String>) -> Self {
        self.with(Verdict::Doubtful, what)
    }

    fn bad(self, what: impl Into<String>) -> Self {
        self.with(Verdict::Bad, what)
    }

    /// The worst that was found is the verdict.
    fn with(mut self, verdict: Verdict, what: impl Into<String>) -> Self {
        self.verdict = self.verdict.max(verdict);
        self.found.push(what.into());
        self
    }
}

fn read(paths: &[PathBuf]) -> (Check, Option<Config>) {
    let check = Check::new("Configuration");
    match Config::load(paths) {
        Err(error) => (check.bad(error.to_string()), None),
        Ok((config, warnings)) => {
            let warnings = warnings.iter().map(ToString::to_string);
            let said = warnings.chain(unserved::warnings(&config));
            let check = said.fold(check, Check::doubtful);
            (check, Some(config))
        }
    }
}

fn open_files() -> Check {
    let check = Check::new("Open files");
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let mut lines = limits.lines();
    let line = lines.find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    match soft.map(str::parse::<u64>) {
        Some(Ok(limit)) if limit < FEW_FILES => check.doubtful(format!(
            "This process may open {limit} files at once, and each connection is one; raise the limit (LimitNOFILE, ulimit -n)."
        )),
        Some(_) => check.good(format!("The limit is {}.", soft.unwrap_or_default())),
        None => check.good("The system does not tell a limit."),
    }
}

fn storage(storage: &Storage) -> Check {
    let check = Check::new("Storage");
    let path = match storage {
        Storage::Memory => {
            return check.doubtful("All data is in memory and gone when the server stops.");
        }
        Storage::Embedded { path, .. } => path,
    };
    let shown = path.display();
    let there = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return new_directory(check, path);
        }
        Err(error) => return check.bad(format!("{shown} can not be read: {error}.")),
    };
    let mut check = check;
    let mode = fs::metadata(path).map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        check = check.doubtful(format!(
            "{shown} can be entered by others than its owner (mode {:o}); 700 is enough.",
            mode & 0o777
        ));
    }
    if let Err(error) = try_writing(path) {
        return check.bad(format!("{shown} can not be written: {error}."));
    }
    if !there {
        return check.good(format!("{shown} is empty: a new store is made there."));
    }
    match Embedded::open(path) {
        Ok(_) => check.good(format!("The store in {shown} opens.")),
        Err(error @ coffer_storage::Error::Locked { .. }) => check.doubtful(format!(
            "It was not looked at, as {error}. That is right if it is this server that runs."
        )),
        Err(error) => check.bad(format!("The store in {shown} does not open: {error}.")),
    }
}

fn new_directory(check: Check, path: &Path) -> Check {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let parent = absolute.ancestors().skip(1).find(|parent| parent.is_dir());
    let parent = parent.unwrap_or(Path::new("/"));
    match try_writing(parent) {
        Ok(()) => check.good(format!("{} does not exist and is made.", path.display())),
        Err(error) => check.bad(format!(
            "{} does not exist, and it can not be made in {}: {error}.",
            path.display(),
            parent.display()
        )),
    }
}

/// Makes a file and removes it.
fn try_writing(directory: &Path) -> std::io::Result<()> {
    let file = directory.join(format!(".coffer-diagnose-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)?;
    fs::remove_file(&file)
}

fn named(listener: &Listener) -> String {
    match &listener.binding {
        Binding::Tcp { address, .. } => format!("Listener {address}"),
        Binding::Unix(socket) => format!("Listener {}", socket.path.display()),
    }
}

fn listens(listener: &Listener) -> Check {
    let mut check = Check::new(named(listener));
    if let Binding::Tcp { address, tls, .. } = &listener.binding {
        check = match tls {
            Some(tls) => certificate(check, &tls.cert_file),
            None if is_local(address) => check,
            None => check.doubtful(
                "TLS is off where other machines can connect: whoever is on the way reads all secrets.",
            ),
        };
    }
    match bind(listener) {
        Ok(_) => check.good("It can be opened."),
        Err(error) => check.bad(format!(
            "{error} (a running server has it open; skip the listeners then)."
        )),
    }
}

fn is_local(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The dates of a listener's certificates; that they belong to their key is told when it is opened.
fn certificate(check: Check, file: &Path) -> Check {
    let chain =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let now = Timestamp::now();
    let chain = chain.unwrap_or_default();
    chain.iter().enumerate().fold(check, |check, (index, one)| {
        let which = match index {
            0 => "The certificate".to_owned(),
            index => format!("Certificate {} of the chain", index + 1),
        };
        match validity(one) {
            None => check.doubtful(format!("{which} has no dates that are understood.")),
            Some((from, _)) if from > now => {
                check.bad(format!("{which} is valid from {from} on only."))
            }
            Some((_, until)) if until < now => check.bad(format!("{which} ended at {until}.")),
            Some((_, until)) if until.duration_since(now) < SOON => {
                check.doubtful(format!("{which} ends soon, at {until}."))
            }
            Some((_, until)) => check.good(format!("{which} is valid until {until}.")),
        }
    })
}

fn audit(device: &AuditDevice) -> Check {
    let check = Check::new(format!("Audit device {}/", device.path));
    let file = device
        .options
        .get("file_path")
        .or(device.options.get("path"));
    let Some(file) = file.filter(|file| device.kind == "file" && file.starts_with('/')) else {
        return check.good(format!(
            "Of type {}; it is tried when the server is unsealed.",
            device.kind
        ));
    };
    let Some(folder) = Path::new(file).parent() else {
        return check.bad(format!("{file} is no file."));
    };
    match try_writing(folder) {
        Ok(()) => check.good(format!("{} can be written.", folder.display())),
        Err(error) => check.bad(format!("{} can not be written: {error}.", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place(tempfile::TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Writes a configuration with a TLS listener whose certificate ends so many days from now.
        fn configure(&self, days: i64) -> Vec<PathBuf> {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut wish = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            let epoch = rcgen::date_time_ymd(1970, 1, 1);
            let at = |days: i64| {
                let secs = Timestamp::now().as_second() + days * 24 * 3600;
                epoch + std::time::Duration::from_secs(secs.unsigned_abs())
            };
            (wish.not_before, wish.not_after) = (at(days - 100), at(days));
            let made = wish.self_signed(&key).unwrap();
            fs::write(self.path("cert.pem"), made.pem()).unwrap();
            fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
            let text = format!(
                "storage \"file\" {{\n path = {:?}\n}}\nlistener \"tcp\" {{\n address = \"127.0.0.1:0\"\n \
                 tls_cert_file = {:?}\n tls_key_file = {:?}\n}}\n",
                self.path("data"),
                self.path("cert.pem"),
                self.path("key.pem")
            );
            let file = self.path("coffer.hcl");
            fs::write(&file, text).unwrap();
            vec![file]
        }
    }

    fn verdict(checks: &[Check], name: &str) -> Verdict {
        let found = checks.iter().find(|check| check.name.starts_with(name));
        found
            .unwrap_or_else(|| panic!("no {name} in {checks:?}"))
            .verdict
    }

    #[tokio::test]
    async fn certificates_are_told_before_they_end() {
        let place = Place::new();
        for (days, wanted) in [
            (90, Verdict::Good),
            (10, Verdict::Doubtful),
            (-1, Verdict::Bad),
            (200, Verdict::Bad),
        ] {
            let checks = diagnose(&place.configure(days), &[]).await;
            assert_eq!(verdict(&checks, "Listener"), wanted, "{days}: {checks:?}");
        }
        let paths = place.configure(90);
        fs::write(
            place.path("key.pem"),
            rcgen::KeyPair::generate().unwrap().serialize_pem(),
        )
        .unwrap();
        assert_eq!(
            verdict(&diagnose(&paths, &[]).await, "Listener"),
            Verdict::Bad
        );
        let skipped = diagnose(&paths, &[Part::Listener, Part::Storage]).await;
        assert_eq!(verdict(&skipped, "Listener"), Verdict::Skipped);
        assert_eq!(verdict(&skipped, "Storage"), Verdict::Skipped);
    }

    #[tokio::test]
    async fn a_store_is_opened_and_never_made() {
        let place = Place::new();
        let paths = place.configure(90);
        let looked = async || diagnose(&paths, &[]).await;
        assert_eq!(verdict(&looked().await, "Storage"), Verdict::Good);
        assert!(!place.path("data").exists());
        let store = Embedded::open(place.path("data")).unwrap();
        fs::set_permissions(place.path("data"), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(
            verdict(&looked().await, "Storage"),
            Verdict::Doubtful,
            "it is in use"
        );
        drop(store);
        assert_eq!(verdict(&looked().await, "Storage"), Verdict::Good);
        fs::set_permissions(place.path("data"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(verdict(&looked().await, "Storage"), Verdict::Doubtful);
        fs::remove_dir_all(place.path("data")).unwrap();
        fs::write(place.path("data"), "a file").unwrap();
        assert_eq!(verdict(&looked().await, "Storage"), Verdict::Bad);
    }

    #[tokio::test]
    async fn a_taken_address_is_told() {
        let place = Place::new();
        let paths = place.configure(90);
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let text = fs::read_to_string(&paths[0]).unwrap();
        let address = taken.local_addr().unwrap().to_string();
        fs::write(&paths[0], text.replace("127.0.0.1:0", &address)).unwrap();
        let checks = diagnose(&paths, &[]).await;
        assert_eq!(verdict(&checks, "Listener"), Verdict::Bad);
    }
}
