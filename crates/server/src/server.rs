//! A server's life, from its configuration to its end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use coffer_crypto::Random;
use coffer_kernel::audit::{Allow, NewDevice};
use coffer_kernel::mounts::UserLockout;
use coffer_kernel::observe::{Logs, Meters, NoLogs, Telemetry};
use coffer_kernel::seals::SealBook;
use coffer_kernel::{Clock, Kernel, Settings as KernelSettings};
use coffer_metrics::INTERVAL_SECS;
use coffer_storage::{Embedded, Memory, Store};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::args::ServerArgs;
use crate::config::{AuditDevice, Config, Listener, Storage, Warning};
use crate::error::Error;
use crate::http::{Edge, Watch};
use crate::listener::{Bound, Certificates, Limits, Listening, bind};
use crate::log::Logging;
use crate::measured::Measured;
use crate::outbound::Courier;
use crate::poster::Outlet;
use crate::signals::Signals;
use crate::traces::{Settings, Tracer};
use crate::{banner, config, dev, environment, listener, registry, sanitized, seals, unserved};

/// Most connections at once, fewer where the system gives us fewer descriptors.
const MAX_CONNECTIONS: usize = 16 * 1024;
/// Descriptors that are kept for files, databases and the like.
const RESERVED_DESCRIPTORS: usize = 128;
/// How long requests may take to end once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(30);

/// Runs a server until a signal stops it.
///
/// # Errors
/// What keeps it from starting, with what to do about it.
pub async fn run(args: ServerArgs) -> Result<(), Error> {
    // The first call wins; the command line has made the same choice.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let (config, warnings) = read_config(&args)?;
    let logging = Logging::start(&args, &config.log)?;
    let mut signals = Signals::new()?;
    let server = Server::start_logged(config, &args, logging.logs()).await?;
    print(&banner::text(server.facts(&logging)));
    if let Some(notice) = server.notice() {
        print(notice);
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let pid_file = server
        .config
        .pid_file
        .clone()
        .map(PidFile::write)
        .transpose()?;
    while signals.next_is_reload().await {
        server.reload(&args, &logging).await;
    }
    tracing::info!("stopping; a second signal stops at once");
    tokio::select! {
        () = server.stop() => tracing::info!("stopped"),
        () = signals.stop() => tracing::warn!("stopped at once"),
    }
    drop(pid_file);
    Ok(())
}

fn read_config(args: &ServerArgs) -> Result<(Config, Vec<Warning>), Error> {
    let Some(dev) = &args.dev else {
        return Ok(Config::load(&args.config)?);
    };
    let (mut config, warnings) = Config::load_for_dev(&args.config)?;
    config.listeners.insert(0, dev::listener(dev)?);
    // What dev mode holds is for looking at.
    (config.raw_storage_endpoint, config.introspection_endpoint) = (true, true);
    Ok((config, warnings))
}

/// A server that listens.
pub struct Server {
    config: Config,
    kernel: Arc<Kernel>,
    limits: Limits,
    running: TaskTracker,
    addresses: Vec<SocketAddr>,
    certificates: Vec<Arc<Certificates>>,
    facts: Vec<(String, String)>,
    notice: Option<String>,
    watch: Watch,
}

impl Server {
    /// As [`run`] starts one, without taking signals or standard output over.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn start_with(args: &ServerArgs) -> Result<Self, Error> {
        Self::start(read_config(args)?.0, args).await
    }

    /// Opens the store and the listeners, and in dev mode sets the server up.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn start(config: Config, args: &ServerArgs) -> Result<Self, Error> {
        Self::start_logged(config, args, Arc::new(NoLogs)).await
    }

    /// As [`Server::start`], with a log that can be read and set through the API.
    async fn start_logged(
        mut config: Config,
        args: &ServerArgs,
        logs: Arc<dyn Logs>,
    ) -> Result<Self, Error> {
        for warning in unserved::warnings(&config) {
            tracing::warn!("{warning}");
        }
        let bound = config
            .listeners
            .iter()
            .map(bind)
            .collect::<Result<Vec<_>, _>>()?;
        let api_addr = environment::variable("API_ADDR").or(config.api_addr.take());
        config.api_addr = api_addr.or_else(|| bound.iter().find_map(Bound::url));
        let store = open_store(&config.storage)?;
        let mut settings = settings(&config)?;
        // A dev server is for the person who started it.
        settings.self_init.keep_root_token = args.dev.is_some();
        settings.logs = logs;
        let store = Measured::over(store, &settings.storage_type, settings.meters.registry());
        let kernel = Kernel::new(settings, store, Random::system(), Clock::System)
            .await
            .map_err(Error::Kernel)?;
        let notice = match (&args.dev, config.listeners.first()) {
            (Some(dev), Some(listener)) => {
                let url = bound.first().and_then(Bound::url).unwrap_or_default();
                Some(dev::set_up(&kernel, dev, listener, &url).await?)
            }
            _ => None,
        };
        let limits = Limits {
            connections: Arc::new(Semaphore::new(max_connections())),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        let traces = Settings::new(&config.traces);
        let (tasks, stop) = (&limits.tasks, limits.stop.clone());
        let tracer = Tracer::start(&traces, Random::system(), tasks, stop.clone())?;
        tasks.spawn(Arc::clone(&kernel).keep_seals(stop.clone()));
        tasks.spawn(roll(Arc::clone(&kernel), stop));
        let mut server = Self {
            watch: Watch {
                tracer: tracer.map(Arc::new),
                level: config.log.requests_level,
            },
            facts: facts(&config, &kernel),
            config,
            kernel,
            limits,
            running: TaskTracker::new(),
            addresses: Vec::new(),
            certificates: Vec::new(),
            notice,
        };
        server.listen(bound);
        Ok(server)
    }

    /// The TCP addresses it listens on, with the ports that the system chose.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The kernel behind it.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    /// What a person at a dev server needs to know.
    fn notice(&self) -> Option<&str> {
        self.notice.as_deref()
    }

    fn facts(&self, logging: &Logging) -> Vec<(String, String)> {
        let mut facts = self.facts.clone();
        facts.push((
            "Log Level".to_owned(),
            sanitized::level(logging.shown).to_owned(),
        ));
        facts
    }

    fn listen(&mut self, bound: Vec<Bound>) {
        for (index, (bound, listener)) in bound.into_iter().zip(&self.config.listeners).enumerate()
        {
            let limits = format!(
                "max_request_duration: \"{}\", max_request_size: \"{}\")",
                coffer_wire::format_duration(listener.max_request_duration),
                listener
                    .max_request_size_bytes
                    .map_or("unlimited".to_owned(), |bytes| bytes.to_string()),
            );
            self.facts.push((
                format!("Listener {}", index + 1),
                format!("{}, {limits}", bound.shown()),
            ));
            if let Bound::Tcp { address, tls, .. } = &bound {
                self.addresses.push(*address);
                self.certificates.extend(tls.clone());
            }
            let edge = Edge::new(
                Arc::clone(&self.kernel),
                self.running.clone(),
                listener,
                &self.config,
                self.watch.clone(),
            );
            let listening = Listening {
                bound,
                edge: Arc::new(edge),
                timeouts: listener.timeouts,
            };
            tokio::spawn(listener::run(listening, self.limits.clone()));
        }
    }

    /// Takes over what SIGHUP can change: certificates, log level, seals, and files that were moved away.
    async fn reload(&self, args: &ServerArgs, logging: &Logging) {
        tracing::info!("reloading certificates, log level, seals and files");
        for certificates in &self.certificates {
            if let Err(error) = certificates.reload() {
                tracing::error!(%error, "the old certificate stays in use");
            }
        }
        match read_config(args) {
            Ok((config, _)) => {
                logging.reload(&config.log);
                self.reload_seals(&config).await;
            }
            Err(error) => {
                tracing::error!(%error, "the configuration can not be read; its log level and seals stay as they were");
                logging.reload(&self.config.log);
            }
        }
        if let Ok(open) = self.kernel.core() {
            open.audit.reopen(open.clock.now()).await;
        }
    }

    /// Other seals take the place of those of before; what is stored does not change by that.
    async fn reload_seals(&self, config: &Config) {
        let settings = &self.kernel.settings;
        match seals::keepers(&config.seals, &settings.outbound) {
            Ok(stanzas) => {
                settings.seals.replace(stanzas);
                self.kernel.look_at_seals().await;
            }
            Err(error) => tracing::error!(%error, "the seals stay as they were"),
        }
    }

    /// Stops accepting, lets requests end, forgets the keys and closes the store.
    pub async fn stop(self) {
        self.limits.stop.cancel();
        self.limits.tasks.close();
        self.running.close();
        let drained = async {
            self.limits.tasks.wait().await;
            self.running.wait().await;
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!(
                seconds = DRAIN.as_secs(),
                "some requests did not end in time"
            );
        }
        let store = Arc::clone(self.kernel.barrier.store());
        // A client that does not read its answer changes nothing any more.
        self.kernel.keep_what_waits(self.running.is_empty()).await;
        self.kernel.seal();
        if let Err(error) = store.close().await {
            tracing::error!(%error, "the storage did not close properly; what was acknowledged is safe");
        }
    }
}

/// Ends the intervals that metrics are told by.
async fn roll(kernel: Arc<Kernel>, stop: CancellationToken) {
    let each = Duration::from_secs(INTERVAL_SECS);
    loop {
        kernel.settings.meters.roll(kernel.clock.now());
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(each) => {}
        }
    }
}

fn open_store(storage: &Storage) -> Result<Arc<dyn Store>, Error> {
    Ok(match storage {
        Storage::Memory => Arc::new(Memory::new()),
        Storage::Embedded { path, .. } => Arc::new(Embedded::open(path)?),
    })
}

/// When names are locked out, as configured; nobody is where the environment says so.
fn user_lockout(config: &Config) -> BTreeMap<String, UserLockout> {
    let mut all = config.user_lockout.clone();
    let off = environment::variable("DISABLE_USER_LOCKOUT");
    if off.is_some_and(|word| matches!(word.as_str(), "1" | "true" | "TRUE" | "True")) {
        all.entry("all".to_owned()).or_default();
        all.values_mut().for_each(|lockout| lockout.disabled = true);
    }
    all
}

fn settings(config: &Config) -> Result<KernelSettings, Error> {
    let mut settings = KernelSettings::new(registry::kinds()?);
    settings.meters = Arc::new(Meters::new(telemetry(&config.telemetry)));
    settings.default_lease_ttl = config.default_lease_ttl;
    settings.max_lease_ttl = config.max_lease_ttl;
    settings.cluster_name = config.cluster_name.clone().unwrap_or_default();
    settings.api_addr = config.api_addr.clone().unwrap_or_default();
    settings.storage_type = sanitized::storage_type(&config.storage).to_owned();
    settings.raw_storage_endpoint = config.raw_storage_endpoint;
    settings.introspection_endpoint = config.introspection_endpoint;
    settings.build_date = option_env!("COFFER_BUILD_DATE")
        .unwrap_or_default()
        .to_owned();
    settings.sanitized = sanitized::document(config);
    if let Some(version) = &config.version_override {
        settings.version.clone_from(version);
    }
    settings.audit_allow = audit_allow(&config.storage)
        .with_prefixes(config.allow_audit_log_prefixing)
        .with_http(Arc::new(Outlet));
    settings.outbound = Arc::new(Courier::default());
    settings.seals = SealBook::new(seals::keepers(&config.seals, &settings.outbound)?);
    settings.self_init.script = config.initialize.clone();
    settings.allow_unauthenticated_workflows = config.allow_unauthenticated_workflows;
    settings.events = config.events.clone();
    settings.user_lockout = user_lockout(config);
    settings.declared_audit = config.audit.iter().map(declared).collect();
    settings.unsafe_allow_api_audit_creation =
        config.unsafe_allow_api_audit_creation != Some(false);
    // Each listener keeps its own doors closed; the kernel closes what no listener has open.
    let open =
        |is_closed: fn(&Listener) -> bool| config.listeners.iter().any(|one| !is_closed(one));
    settings.unauthed_rekey = open(|one| one.disable_unauthed_rekey_endpoints);
    settings.unauthed_generate_root = open(|one| one.disable_unauthed_generate_root_endpoints);
    Ok(settings)
}

fn telemetry(config: &config::Telemetry) -> Telemetry {
    Telemetry {
        prefix: config.metrics_prefix.clone(),
        prometheus: !config.prometheus_retention.is_zero(),
        usage_gauge_period: config.usage_gauge_period,
        max_gauge_cardinality: usize::try_from(config.max_gauge_cardinality).unwrap_or(usize::MAX),
        expiring_class: config.lease_metrics_epsilon,
        expiring_classes: config.num_lease_metrics_buckets.into(),
    }
}

/// Audit lines go anywhere but into the storage's own directory.
fn audit_allow(storage: &Storage) -> Allow {
    match storage {
        Storage::Memory => Allow::paths(|_| true),
        Storage::Embedded { path, .. } => {
            let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let kept = path.canonicalize().unwrap_or(absolute);
            Allow::paths(move |path| !path.starts_with(&kept))
        }
    }
}

fn declared(device: &AuditDevice) -> (String, NewDevice) {
    let new = NewDevice {
        kind: device.kind.clone(),
        description: device.description.clone(),
        options: device.options.clone(),
        local: device.local,
    };
    (device.path.clone(), new)
}

fn facts(config: &Config, kernel: &Kernel) -> Vec<(String, String)> {
    let mut facts = vec![
        (
            "Api Address".to_owned(),
            config.api_addr.clone().unwrap_or_default(),
        ),
        (
            "Storage".to_owned(),
            sanitized::storage_type(&config.storage).to_owned(),
        ),
        (
            "Version".to_owned(),
            format!(
                "Coffer v{} (API {})",
                env!("CARGO_PKG_VERSION"),
                kernel.settings.version
            ),
        ),
    ];
    for seal in &config.seals {
        let word = if seal.disabled { " (disabled)" } else { "" };
        facts.push((
            "Seal".to_owned(),
            format!("{} {:?}{word}", seal.kind, seal.name),
        ));
    }
    if let Storage::Embedded { path, .. } = &config.storage {
        facts.push(("Storage Path".to_owned(), path.display().to_string()));
    }
    facts
}

/// As many connections as descriptors allow.
fn max_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let descriptors = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    descriptors.map_or(MAX_CONNECTIONS, |all| {
        all.saturating_sub(RESERVED_DESCRIPTORS)
            .clamp(16, MAX_CONNECTIONS)
    })
}

/// To the standard output, where waiting scripts read it; that nobody listens there is no reason to fail.
fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The file with the process id; removed when the server ends.
struct PidFile(PathBuf);

impl PidFile {
    fn write(path: PathBuf) -> Result<Self, Error> {
        match std::fs::write(&path, format!("{}\n", std::process::id())) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(Error::Unwritable { path, source }),
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
