use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use coffer_wire::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::tar::Tar;
use crate::failure::Failure;

/// The most bytes kept of the log.
const LOG_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The ending of a packed bundle.
const PACKED: &str = ".tar.gz";

/// What is captured, and where to.
pub(super) struct Plan {
    pub(super) program: String,
    pub(super) address: String,
    pub(super) duration: Duration,
    pub(super) interval: Duration,
    pub(super) metrics_interval: Duration,
    pub(super) targets: Vec<&'static str>,
    pub(super) compress: bool,
    pub(super) output: PathBuf,
    pub(super) log_format: String,
    pub(super) begun: Timestamp,
}

/// What was captured.
pub(super) struct Bundle {
    pub(super) plan: Plan,
    pub(super) server_version: String,
    /// By file, all that was seen.
    seen: BTreeMap<&'static str, Vec<Value>>,
    log: Vec<u8>,
    errors: Vec<Value>,
}

impl Plan {
    /// What is about to be done.
    pub(super) fn announced(&self) -> String {
        let shown = |duration| coffer_wire::format_duration(duration);
        format!(
            "==> Starting debug capture...\n             Address: {}\n      Client Version: {}\n            Duration: {}\n            Interval: {}\n    Metrics Interval: {}\n             Targets: {}\n              Output: {}\n",
            self.address,
            env!("CARGO_PKG_VERSION"),
            shown(self.duration),
            shown(self.interval),
            shown(self.metrics_interval),
            self.targets.join(", "),
            self.place().display()
        )
    }

    /// Where the bundle goes: a packed one has an ending that says so.
    fn place(&self) -> PathBuf {
        let name = self.output.to_string_lossy();
        match self.compress && !name.ends_with(PACKED) && !name.ends_with(".tgz") {
            true => PathBuf::from(format!("{name}{PACKED}")),
            false => self.output.clone(),
        }
    }

    /// The directory that the files are in.
    fn folder(&self) -> String {
        let name = self
            .output
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let name = name
            .strip_suffix(PACKED)
            .or(name.strip_suffix(".tgz"))
            .unwrap_or(&name);
        name.to_owned()
    }
}

impl Bundle {
    /// An empty bundle; refused where something is in its place.
    pub(super) fn new(plan: Plan) -> Result<Self, Failure> {
        let place = plan.place();
        if place.symlink_metadata().is_ok() {
            return Err(Failure::local(format!(
                "{} exists already; choose another -output",
                place.display()
            )));
        }
        Ok(Self {
            plan,
            server_version: String::new(),
            seen: BTreeMap::new(),
            log: Vec::new(),
            errors: Vec::new(),
        })
    }

    /// Adds one look.
    pub(super) fn add(&mut self, file: &'static str, seen: Value) {
        self.seen.entry(file).or_default().push(seen);
    }

    /// Adds a piece of the log, as long as there is room.
    pub(super) fn add_log(&mut self, piece: &[u8]) {
        if self.log.len() + piece.len() <= LOG_BYTES_MAX {
            self.log.extend_from_slice(piece);
        }
    }

    /// Notes what could not be captured.
    pub(super) fn fail(&mut self, target: &str, error: &str, at: Timestamp) {
        let error = json!({ "error": error, "target": target, "timestamp": at });
        self.errors.push(error);
    }

    /// What could not be captured, a line for each target.
    pub(super) fn failures(&self) -> Vec<String> {
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for error in &self.errors {
            let of = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
            first.entry(of("target")).or_insert(of("error"));
        }
        let lines = first.into_iter();
        lines
            .map(|(target, error)| format!("{target} was not captured: {}", error.trim()))
            .collect()
    }

    /// Writes everything and answers where it is.
    pub(super) fn write(self) -> Result<PathBuf, Failure> {
        let place = self.plan.place();
        let failed = |error: std::io::Error| {
            Failure::local(format!("cannot write {}: {error}", place.display()))
        };
        let files = self.files();
        match self.plan.compress {
            true => pack(&place, &self.plan, &files).map_err(failed)?,
            false => lay_out(&place, &files).map_err(failed)?,
        }
        Ok(place)
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let pretty = |value: &Value| {
            let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
            text.push(b'\n');
            text
        };
        let seen = self.seen.iter();
        let mut files: Vec<_> = seen
            .map(|(name, looks)| ((*name).to_owned(), pretty(&Value::Array(looks.clone()))))
            .collect();
        if !self.log.is_empty() {
            files.push((format!("{}.log", self.plan.program), self.log.clone()));
        }
        files.sort();
        let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
        let index = pretty(&self.index(&names));
        files.push(("index.json".to_owned(), index));
        files
    }

    fn index(&self, files: &[&String]) -> Value {
        let plan = &self.plan;
        json!({
            "version": 1,
            "vault_address": plan.address,
            "client_version": env!("CARGO_PKG_VERSION"),
            "server_version": self.server_version,
            "timestamp": plan.begun,
            "duration_seconds": plan.duration.as_secs(),
            "interval_seconds": plan.interval.as_secs(),
            "metrics_interval_seconds": plan.metrics_interval.as_secs(),
            "compress": plan.compress,
            "targets": plan.targets,
            "output": { "files": files },
            "errors": self.errors,
        })
    }
}

/// One packed file that only its owner reads.
fn pack(place: &Path, plan: &Plan, files: &[(String, Vec<u8>)]) -> std::io::Result<()> {
    let file = options().open(place)?;
    let mut tar = Tar::new(
        GzEncoder::new(file, Compression::default()),
        plan.begun.secs(),
    );
    let folder = plan.folder();
    tar.folder(&folder)?;
    for (name, text) in files {
        tar.file(&format!("{folder}/{name}"), text)?;
    }
    tar.end()?.finish()?.sync_all()
}

/// A directory that only its owner enters.
fn lay_out(place: &Path, files: &[(String, Vec<u8>)]) -> std::io::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(place)?;
    for (name, text) in files {
        options().open(place.join(name))?.write_all(text)?;
    }
    Ok(())
}

fn options() -> std::fs::OpenOptions {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(output: &Path, compress: bool) -> Plan {
        Plan {
            program: "coffer".into(),
            address: "http://127.0.0.1:8200".into(),
            duration: Duration::from_secs(120),
            interval: Duration::from_secs(30),
            metrics_interval: Duration::from_secs(10),
            targets: vec!["metrics", "log"],
            compress,
            output: output.to_owned(),
            log_format: "standard".into(),
            begun: Timestamp::from_secs(1_800_000_000),
        }
    }

    fn filled(plan: Plan) -> Bundle {
        let mut bundle = Bundle::new(plan).unwrap();
        bundle.add("metrics.json", json!({ "Gauges": [] }));
        bundle.add_log(b"a line\n");
        bundle.fail(
            "host",
            "permission denied\n",
            Timestamp::from_secs(1_800_000_001),
        );
        bundle
    }

    #[test]
    fn files_are_laid_out_with_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("facts");
        let bundle = filled(plan(&place, false));
        assert_eq!(
            bundle.failures(),
            ["host was not captured: permission denied"]
        );
        assert_eq!(bundle.write().unwrap(), place);
        let index = std::fs::read(place.join("index.json")).unwrap();
        let index: Value = serde_json::from_slice(&index).unwrap();
        assert_eq!(
            index["output"]["files"],
            json!(["coffer.log", "metrics.json"])
        );
        assert_eq!(index["errors"][0]["target"], "host");
        assert_eq!(
            std::fs::read(place.join("coffer.log")).unwrap(),
            b"a line\n"
        );
        assert!(
            Bundle::new(plan(&place, false)).is_err(),
            "nothing is overwritten"
        );
    }

    #[test]
    fn packed_files_have_an_ending() {
        let dir = tempfile::tempdir().unwrap();
        let written = filled(plan(&dir.path().join("facts"), true))
            .write()
            .unwrap();
        assert_eq!(written, dir.path().join("facts.tar.gz"));
        assert_eq!(&std::fs::read(written).unwrap()[..2], [0x1f, 0x8b]);
    }
}
