use coffer_client::{Client, Error, Method, Request};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::bundle::Bundle;
use super::now;
use crate::commands::monitor;

/// Looks at a server again and again, and follows its log meanwhile.
pub(super) struct Capture<'a> {
    client: &'a Client,
    bundle: Bundle,
}

impl<'a> Capture<'a> {
    pub(super) fn new(client: &'a Client, bundle: Bundle) -> Self {
        Self { client, bundle }
    }

    /// Captures for as long as planned.
    pub(super) async fn run(&mut self) {
        self.once().await;
        let mut log = self.follow_log().await;
        let plan = &self.bundle.plan;
        let end = Instant::now() + plan.duration;
        let mut looks = interval_at(Instant::now(), plan.interval);
        let mut metrics = interval_at(Instant::now(), plan.metrics_interval);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        metrics.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let line = async {
                match &mut log {
                    Some(log) => log.chunk().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(end) => return,
                _ = looks.tick() => self.look().await,
                _ = metrics.tick() => self.look_at_metrics().await,
                piece = line => match piece {
                    Ok(Some(piece)) => self.bundle.add_log(&piece),
                    Ok(None) => log = None,
                    Err(error) => {
                        self.failed("log", &error);
                        log = None;
                    }
                },
            }
        }
    }

    /// What was captured.
    pub(super) fn into_bundle(self) -> Bundle {
        self.bundle
    }

    fn wants(&self, target: &str) -> bool {
        self.bundle.plan.targets.contains(&target)
    }

    /// What does not change.
    async fn once(&mut self) {
        if let Ok(health) = self.state("sys/health").await {
            let version = health.get("version").and_then(Value::as_str);
            self.bundle.server_version = version.unwrap_or_default().to_owned();
        }
        if self.wants("config") {
            let config = self.data("sys/config/state/sanitized").await;
            let config = config.map(|config| json!({ "config": config, "timestamp": now() }));
            self.keep("config", "config.json", config);
        }
    }

    async fn look(&mut self) {
        if self.wants("server-status") {
            let status = self.server_status().await;
            self.keep("server-status", "server_status.json", status);
        }
        if self.wants("host") {
            let host = self.data("sys/host-info").await;
            self.keep("host", "host_info.json", host);
        }
        if self.wants("requests") {
            let running = self.bare("sys/in-flight-req").await;
            let running =
                running.map(|all| json!({ "in_flight_requests": all, "timestamp": now() }));
            self.keep("requests", "requests.json", running);
        }
        if self.wants("replication-status") {
            let status = self.data("sys/replication/status").await;
            self.keep("replication-status", "replication_status.json", status);
        }
    }

    async fn look_at_metrics(&mut self) {
        if self.wants("metrics") {
            let metrics = self.bare("sys/metrics").await;
            self.keep("metrics", "metrics.json", metrics);
        }
    }

    async fn server_status(&self) -> Result<Value, Error> {
        let (health, seal) = (
            self.state("sys/health").await?,
            self.state("sys/seal-status").await?,
        );
        Ok(json!({ "health": health, "seal": seal, "timestamp": now() }))
    }

    async fn follow_log(&mut self) -> Option<coffer_client::Download> {
        if !self.wants("log") {
            return None;
        }
        let request = monitor::request("info", &self.bundle.plan.log_format);
        match self.client.download(&request).await {
            Ok(log) => Some(log),
            Err(error) => {
                self.failed("log", &error);
                None
            }
        }
    }

    fn keep(&mut self, target: &str, file: &'static str, seen: Result<Value, Error>) {
        match seen {
            Ok(seen) => self.bundle.add(file, seen),
            Err(error) => self.failed(target, &error),
        }
    }

    fn failed(&mut self, target: &str, error: &Error) {
        self.bundle.fail(target, &error.to_string(), now());
    }

    /// The answer's `data`.
    async fn data(&self, path: &str) -> Result<Value, Error> {
        let request = Request::new(Method::Get, path).once();
        self.client.send(request).await?.ok()?.data()
    }

    /// The answer itself.
    async fn bare(&self, path: &str) -> Result<Value, Error> {
        let request = Request::new(Method::Get, path).once();
        self.client.send(request).await?.ok()?.json()
    }

    /// The answer itself, whose status tells the state.
    async fn state(&self, path: &str) -> Result<Value, Error> {
        let request = Request::new(Method::Get, path).once();
        self.client.send(request).await?.json()
    }
}
