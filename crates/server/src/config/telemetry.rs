use std::time::Duration;

use super::stanza::Stanza;
use super::{Error, Warning, ignored};

/// Metrics. Defaults are Vault's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// How long a metric that is not updated is kept; zero turns the Prometheus form off. 24 h.
    pub prometheus_retention: Duration,
    /// Whether metric names go without the host's name.
    pub disable_hostname: bool,
    /// How often the costly gauges are taken; `None` for never. 10 min.
    pub usage_gauge_period: Option<Duration>,
    /// Most label sets of one such gauge. 500.
    pub max_gauge_cardinality: u32,
    /// The first part of metric names. `vault`.
    pub metrics_prefix: String,
    /// The width of the classes that the ends of leases are counted in. 1 h.
    pub lease_metrics_epsilon: Duration,
    /// How many such classes there are from now on. 168.
    pub num_lease_metrics_buckets: u32,
}

pub(super) fn read(root: &mut Stanza, warnings: &mut Vec<Warning>) -> Result<Telemetry, Error> {
    let mut telemetry = Telemetry {
        prometheus_retention: Duration::from_secs(24 * 3600),
        disable_hostname: false,
        usage_gauge_period: Some(Duration::from_secs(600)),
        max_gauge_cardinality: 500,
        metrics_prefix: "vault".to_owned(),
        lease_metrics_epsilon: Duration::from_secs(3600),
        num_lease_metrics_buckets: 168,
    };
    for mut stanza in root.blocks("telemetry", 0)? {
        update(&mut telemetry, &mut stanza)?;
        stanza.ignore(ignored::IN_TELEMETRY, warnings);
        stanza.finish()?;
    }
    Ok(telemetry)
}

fn update(telemetry: &mut Telemetry, stanza: &mut Stanza) -> Result<(), Error> {
    if let Some(retention) = stanza.duration("prometheus_retention_time")? {
        telemetry.prometheus_retention = retention;
    }
    if let Some(disable) = stanza.flag("disable_hostname")? {
        telemetry.disable_hostname = disable;
    }
    let period = stanza.value(
        "usage_gauge_period",
        "a duration or \"none\"",
        |value| match value.as_text()? {
            "none" => Some(None),
            text => coffer_wire::parse_duration(text)
                .ok()
                .map(|period| Some(period).filter(|period| !period.is_zero())),
        },
    )?;
    if let Some(period) = period {
        telemetry.usage_gauge_period = period;
    }
    let number = |value: &coffer_hcl::Value| u32::try_from(value.as_i64()?).ok();
    if let Some(most) = stanza.value("maximum_gauge_cardinality", "a number from 0", number)? {
        telemetry.max_gauge_cardinality = most;
    }
    if let Some(width) = stanza.nonzero_duration("lease_metrics_epsilon")? {
        telemetry.lease_metrics_epsilon = width;
    }
    if let Some(count) = stanza.value("num_lease_metrics_buckets", "a number from 0", number)? {
        telemetry.num_lease_metrics_buckets = count;
    }
    if let Some(prefix) = stanza.plain_text("metrics_prefix")? {
        telemetry.metrics_prefix = prefix;
    }
    Ok(())
}
