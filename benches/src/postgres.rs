//! A private PostgreSQL for credential issue, brought up by the demo's script.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Failure;
use crate::options::Options;

/// A running cluster, removed when dropped.
pub struct Postgres {
    script: PathBuf,
    dir: PathBuf,
    /// Port on loopback.
    pub port: String,
    /// Password of `coffer_admin`.
    pub password: String,
}

impl Postgres {
    /// Starts a fresh cluster. It does not sync to disk: the servers are measured, not PostgreSQL.
    pub fn start(options: &Options) -> Result<Self, Failure> {
        let dir = options
            .dir
            .join(format!("coffer-bench-{}-postgres", std::process::id()));
        let mut postgres = Self {
            script: options.postgres.clone(),
            dir,
            port: String::new(),
            password: String::new(),
        };
        postgres.script(&["install"])?;
        let dir = postgres.dir.display().to_string();
        postgres.script(&["start", &dir])?;
        postgres.port = fs::read_to_string(postgres.dir.join("port"))?
            .trim()
            .to_owned();
        postgres.password = fs::read_to_string(postgres.dir.join("password"))?
            .trim()
            .to_owned();
        Ok(postgres)
    }

    fn script(&self, arguments: &[&str]) -> Result<(), Failure> {
        let status = Command::new("bash")
            .arg(&self.script)
            .args(arguments)
            .env("COFFER_PG_FSYNC", "off")
            .env("COFFER_PG_PORT", "25432")
            .status()?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("{} {} failed", self.script.display(), arguments.join(" ")).into())
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let dir = self.dir.display().to_string();
        if let Err(trouble) = self.script(&["remove", &dir]) {
            eprintln!("{trouble}");
        }
    }
}
