//! The two forms of a scrape: Prometheus' text, and JSON of the last whole interval.

use coffer_engine::{Body, Fault, Reply};
use coffer_metrics::{Family, INTERVAL_SECS, Value as Measured, prometheus};
use coffer_wire::Timestamp;
use serde::Serialize;
use serde_json::{Map, Number, Value};
use zeroize::Zeroizing;

use super::Meters;

/// The media type of refusals here: scrapers show them as they are.
const PLAIN: &str = "text/plain";

/// The JSON form.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    timestamp: String,
    gauges: Vec<Gauge>,
    points: [(); 0],
    counters: Vec<Sample>,
    samples: Vec<Sample>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Gauge {
    name: String,
    value: Number,
    labels: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sample {
    name: String,
    count: u64,
    rate: Number,
    sum: Number,
    min: Number,
    max: Number,
    mean: Number,
    stddev: Number,
    labels: Map<String, Value>,
}

impl Meters {
    /// A scrape in the named form: `prometheus`, or JSON where the name is empty. An unknown form, and one that is
    /// turned off, is refused in plain text.
    pub fn scrape(&self, format: &str, now: Timestamp) -> Result<Reply, Fault> {
        match format {
            "" => {
                let (began, families) = self.gather(now);
                Reply::bare(&document(&self.telemetry.prefix, began, &families))
            }
            "prometheus" if self.telemetry.prometheus => {
                let (_, families) = self.gather(now);
                let text = prometheus::text(&self.telemetry.prefix, &families);
                Ok(raw(prometheus::MEDIA_TYPE, text))
            }
            "prometheus" => Ok(raw(PLAIN, "prometheus is not enabled".to_owned()).status(400)),
            _ => {
                let text = format!("metric response format {format:?} unknown");
                Ok(raw(PLAIN, text).status(400))
            }
        }
    }
}

fn raw(media_type: &str, text: String) -> Reply {
    Reply {
        body: Body::Raw {
            media_type: media_type.to_owned(),
            bytes: Zeroizing::new(text.into_bytes()),
        },
        ..Reply::default()
    }
}

fn document(prefix: &str, began_secs: u64, families: &[Family]) -> Document {
    let mut document = Document {
        timestamp: timestamp(began_secs),
        gauges: Vec::new(),
        points: [],
        counters: Vec::new(),
        samples: Vec::new(),
    };
    for family in families {
        let name = match (family.bare, prefix) {
            (true, _) | (_, "") => family.name.clone(),
            _ => format!("{prefix}.{}", family.name),
        };
        for series in &family.series {
            let labels = series.labels.iter().cloned();
            let labels: Map<_, _> = labels.map(|(key, value)| (key, value.into())).collect();
            document.add(&name, labels, &series.value);
        }
    }
    document
}

impl Document {
    /// Adds a series; one to which nothing happened in the interval is left out.
    fn add(&mut self, name: &str, labels: Map<String, Value>, value: &Measured) {
        let name = name.to_owned();
        match value {
            Measured::Gauge(value) => self.gauges.push(Gauge {
                name,
                value: number(*value),
                labels,
            }),
            Measured::Counter { interval: 0, .. } => {}
            Measured::Counter { interval, .. } => {
                let sum = whole(*interval);
                self.counters.push(Sample {
                    name,
                    count: *interval,
                    rate: number(sum / whole(INTERVAL_SECS)),
                    sum: number(sum),
                    min: 1.into(),
                    max: 1.into(),
                    mean: 1.into(),
                    stddev: 0.into(),
                    labels,
                });
            }
            Measured::Summary { interval: None, .. } => {}
            Measured::Summary {
                interval: Some(stats),
                ..
            } => self.samples.push(Sample {
                name,
                count: stats.count,
                rate: number(stats.sum / whole(INTERVAL_SECS)),
                sum: number(stats.sum),
                min: number(stats.min),
                max: number(stats.max),
                mean: number(stats.sum / whole(stats.count.max(1))),
                stddev: number(stats.stddev),
                labels,
            }),
        }
    }
}

/// Whole numbers are written without a point.
fn number(value: f64) -> Number {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only where it is whole and small"
    )]
    let whole = value as i64;
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return whole.into();
    }
    Number::from_f64(value).unwrap_or_else(|| 0.into())
}

fn whole(number: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "what happens in ten seconds is far below 2^53"
    )]
    let number = number as f64;
    number
}

/// As the reference spells it: `2026-11-26 11:51:50 +0000 UTC`.
pub(super) fn timestamp(secs: u64) -> String {
    let spelled = jiff::Timestamp::from_second(i64::try_from(secs).unwrap_or_default());
    let spelled = spelled.map(|at| at.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string());
    spelled.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn scraped(meters: &Meters, format: &str) -> (Option<u16>, String, Vec<u8>) {
        let now = Timestamp::from_secs(1_795_694_000);
        let reply = meters.scrape(format, now).unwrap();
        match reply.body {
            Body::Raw { media_type, bytes } => (reply.status, media_type, bytes.to_vec()),
            Body::JsonBare(text) => (reply.status, "json".into(), text.to_vec()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn json_tells_about_the_interval() {
        let meters = Meters::default();
        meters.tokens.create_root.add(2);
        meters.tokens.create.observe(Duration::from_millis(4));
        let (_, _, text) = scraped(&meters, "");
        let told: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(told["Timestamp"], "2026-11-26 11:53:20 +0000 UTC");
        assert_eq!(told["Points"], serde_json::json!([]));
        let by_name = |list: &str, name: &str| {
            let all = told[list].as_array().unwrap().iter();
            all.clone()
                .find(|one| one["Name"] == name)
                .cloned()
                .unwrap()
        };
        assert_eq!(by_name("Counters", "vault.token.create_root")["Count"], 2);
        let create = by_name("Samples", "vault.token.create");
        assert_eq!(
            (create["Count"].as_u64(), create["Sum"].as_u64()),
            (Some(1), Some(4))
        );
        let sealed = by_name("Gauges", "vault.core.unsealed");
        assert_eq!(sealed["Labels"], serde_json::json!({"cluster": ""}));
    }

    #[test]
    fn forms_that_are_not_there_are_refused_in_plain_text() {
        let off = Meters::new(super::super::Telemetry {
            prometheus: false,
            ..Default::default()
        });
        let (status, media_type, text) = scraped(&off, "prometheus");
        assert_eq!((status, media_type.as_str()), (Some(400), PLAIN));
        assert_eq!(text, b"prometheus is not enabled");
        let (status, _, text) = scraped(&Meters::default(), "xml");
        assert_eq!(status, Some(400));
        assert_eq!(text, b"metric response format \"xml\" unknown");
        let (status, media_type, _) = scraped(&Meters::default(), "prometheus");
        assert_eq!(
            (status, media_type.as_str()),
            (None, prometheus::MEDIA_TYPE)
        );
    }
}
