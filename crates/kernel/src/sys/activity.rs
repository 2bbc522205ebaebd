//! `sys/internal/counters/activity`: how many clients used the server, by months, namespaces and mounts.

use std::cmp::Reverse;

use coffer_engine::{Ctx, Empty, Fault, Handle, Replies, Reply, Routes, path};
use coffer_wire::{Flag, Int, Moment, Text, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::activity::{
    Config, Counts, Groups, MONTHS_MAX, Month, MonthReport, Period, Report, Sight, Switch, export,
    sum,
};
use crate::open::Open;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path(
            "internal/counters/activity",
            "How many clients used this namespace and those within it.",
        )
        .read::<ReadActivity>(),
        path(
            "internal/counters/activity/monthly",
            "How many clients used them this month.",
        )
        .read::<ReadMonth>(),
        path(
            "internal/counters/activity/export",
            "The clients that used them, one by one.",
        )
        .sudo()
        .read::<Export>(),
        path("internal/counters/config", "How clients are counted.")
            .root_only()
            .read::<ReadConfig>()
            .write::<WriteConfig>(),
    ])
}

/// Counts the clients of some months, each once.
#[derive(Deserialize, JsonSchema)]
struct ReadActivity {
    /// A time in the first month; as far back as the configuration says without it.
    #[serde(default)]
    start_time: Option<Moment>,
    /// A time in the last month; this month without it.
    #[serde(default)]
    end_time: Option<Moment>,
    /// Shows so many namespaces, those with the most clients; 0 for all.
    #[serde(default)]
    limit_namespaces: Int,
    /// What is reported without times; there are no billing periods here.
    #[serde(default, rename = "current_billing_period")]
    _current_billing_period: Flag,
}

impl Handle<Open> for ReadActivity {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let period = period(open, self.start_time, self.end_time, cx.now)?;
        let Some(period) = period else {
            return Ok(Reply::default());
        };
        let report = Report::make(open, period).await?;
        if report.total.is_empty() {
            return Ok(Reply::default()); // No content, as Vault answers.
        }
        let mut shown = Shown::new(open, self.limit_namespaces);
        let data = json!({
            "start_time": period.first.start(),
            "end_time": period.last.end(),
            "total": counts(sum(&report.total)),
            "by_namespace": shown.namespaces(&report.total).await?,
            "months": shown.months(&report.months).await?,
        });
        Ok(warned(Reply::data(&data)?, &report))
    }
}

/// Counts the clients of this month.
#[derive(Deserialize, JsonSchema)]
struct ReadMonth {}

impl Handle<Open> for ReadMonth {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let month = Month::of(cx.now);
        let period = Period {
            first: month,
            last: month,
        };
        let report = Report::make(open, period).await?;
        let mut shown = Shown::new(open, Int(0));
        let mut data = counts(sum(&report.total));
        let by_namespace = shown.namespaces(&report.total).await?;
        data.insert("by_namespace".into(), by_namespace.into());
        data.insert("months".into(), shown.months(&report.months).await?.into());
        Ok(warned(Reply::data(&data)?, &report))
    }
}

fn warned(reply: Reply, report: &Report) -> Reply {
    match report.is_cut() {
        true => reply.warn(
            "a month has reached the most clients that are counted; there may have been more of them",
        ),
        false => reply,
    }
}

/// Lists the clients of some months, each once, with when they were met first.
#[derive(Deserialize, JsonSchema)]
struct Export {
    /// A time in the first month; as far back as the configuration says without it.
    #[serde(default)]
    start_time: Option<Moment>,
    /// A time in the last month; this month without it.
    #[serde(default)]
    end_time: Option<Moment>,
    /// `json` (the default, one client a line) or `csv`.
    #[serde(default)]
    format: Text,
}

impl Handle<Open> for Export {
    type Reply = Reply;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Reply, Fault> {
        let format = export::Format::named(&self.format.0)
            .ok_or_else(|| Fault::invalid("unknown format; use json or csv"))?;
        match period(open, self.start_time, self.end_time, cx.now)? {
            Some(period) => match export::begin(open, period, format).await? {
                Some(sent) => sent.reply(),
                None => Ok(Reply::default()),
            },
            None => Ok(Reply::default()),
        }
    }
}

/// The months that are asked for; none where nothing is kept of them any more.
fn period(
    open: &Open,
    start: Option<Moment>,
    end: Option<Moment>,
    now: Timestamp,
) -> Result<Option<Period>, Fault> {
    if let (Some(start), Some(end)) = (start, end)
        && start.0 > end.0
    {
        return Err(Fault::invalid("start_time is later than end_time"));
    }
    let (config, this) = (open.activity.config(), Month::of(now));
    let last = end.map_or(this, |end| Month::of(end.0)).min(this);
    let first = match start {
        Some(start) => Month::of(start.0),
        None => last.before(config.report_months.max(1) - 1),
    };
    let oldest = this.before(config.retention_months.max(1) - 1);
    let period = Period {
        first: first.max(oldest),
        last,
    };
    Ok((period.first <= period.last).then_some(period))
}

/// Writes reports in the words that clients know.
struct Shown {
    open: Open,
    sight: Sight,
    most_namespaces: usize,
}

impl Shown {
    fn new(open: &Open, limit: Int) -> Self {
        let limit = usize::try_from(limit.0).ok().filter(|limit| *limit > 0);
        Self {
            open: open.clone(),
            sight: Sight::from(open),
            most_namespaces: limit.unwrap_or(usize::MAX),
        }
    }

    async fn months(&mut self, months: &[MonthReport]) -> Result<Vec<Value>, Fault> {
        let mut shown = Vec::new();
        for report in months {
            let timestamp = report.month.start();
            shown.push(match report.all.is_empty() {
                true => {
                    json!({ "timestamp": timestamp, "counts": null, "namespaces": null, "new_clients": null })
                }
                false => json!({
                    "timestamp": timestamp,
                    "counts": counts(sum(&report.all)),
                    "namespaces": self.namespaces(&report.all).await?,
                    "new_clients": {
                        "counts": counts(sum(&report.new)),
                        "namespaces": self.namespaces(&report.new).await?,
                    },
                }),
            });
        }
        Ok(shown)
    }

    /// The namespaces, those with the most clients first.
    async fn namespaces(&mut self, groups: &Groups) -> Result<Vec<Value>, Fault> {
        let mut found = by_namespace(groups);
        found.truncate(self.most_namespaces);
        let mut shown = Vec::new();
        for of_one in found {
            let path = self.sight.path_of(of_one.id).await?;
            let path = path.unwrap_or_default().to_owned();
            shown.push(json!({
                "namespace_id": if of_one.id.is_empty() { "root" } else { of_one.id },
                "namespace_path": path,
                "counts": counts(of_one.sum),
                "mounts": self.mounts(of_one.id, of_one.mounts).await?,
            }));
        }
        Ok(shown)
    }

    async fn mounts(
        &self,
        namespace: &str,
        mounts: Vec<(&str, Counts)>,
    ) -> Result<Vec<Value>, Fault> {
        let space = self.open.namespaces.readable(namespace).await?;
        let sealed = self.open.namespaces.seals.closed(namespace).is_some();
        let each = mounts.into_iter().map(|(accessor, found)| {
            let mount = space
                .as_ref()
                .and_then(|space| space.mounts.by_accessor(accessor));
            let (path, kind) = match mount {
                Some(mount) => (
                    mount.record.path.clone(),
                    format!("{}/", mount.record.engine()),
                ),
                None if sealed => (format!("sealed; accessor {accessor:?}"), String::new()),
                None => (
                    format!("deleted mount; accessor {accessor:?}"),
                    String::new(),
                ),
            };
            json!({ "mount_path": path, "mount_type": kind, "counts": counts(found) })
        });
        Ok(each.collect())
    }
}

/// The clients of one namespace.
struct OfNamespace<'a> {
    id: &'a str,
    sum: Counts,
    mounts: Vec<(&'a str, Counts)>,
}

/// The namespaces and in them the mounts, those with the most clients first.
fn by_namespace(groups: &Groups) -> Vec<OfNamespace<'_>> {
    let mut found: Vec<OfNamespace<'_>> = Vec::new();
    for ((id, mount), counts) in groups {
        match found.last_mut().filter(|last| last.id == id) {
            Some(last) => {
                last.sum = last.sum.and(*counts);
                last.mounts.push((mount, *counts));
            }
            None => found.push(OfNamespace {
                id,
                sum: *counts,
                mounts: vec![(mount, *counts)],
            }),
        }
    }
    found.sort_by_key(|one| Reverse(one.sum.clients()));
    for one in &mut found {
        one.mounts
            .sort_by_key(|(_, counts)| Reverse(counts.clients()));
    }
    found
}

/// Counts under all the names that clients have for them.
fn counts(counts: Counts) -> Map<String, Value> {
    let fields = [
        ("clients", counts.clients()),
        ("entity_clients", counts.entities),
        ("non_entity_clients", counts.others),
        ("distinct_entities", counts.entities),
        ("non_entity_tokens", counts.others),
        ("acme_clients", 0),
        ("secret_syncs", 0),
    ];
    let fields = fields.into_iter();
    fields
        .map(|(name, count)| (name.to_owned(), count.into()))
        .collect()
}

/// Shows how clients are counted.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

impl Handle<Open> for ReadConfig {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let config = open.activity.config();
        Reply::data(&json!({
            "enabled": match config.switch {
                Switch::Default => "default-enabled",
                Switch::Enable => "enable",
                Switch::Disable => "disable",
            },
            "retention_months": config.retention_months,
            "default_report_months": config.report_months,
            "queries_available": !open.activity.months().await?.is_empty(),
            "reporting_enabled": false,
            "billing_start_timestamp": null,
        }))
    }
}

/// Says how clients are counted; what is not given stays.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// `enable`, `disable` or `default`, which is to count. What was counted this month is forgotten when it is disabled.
    #[serde(default)]
    enabled: Option<Text>,
    /// How many months are kept, this one included: 1 to 60.
    #[serde(default)]
    retention_months: Option<Int>,
    /// How many months a report is about that names no beginning: 1 to 60.
    #[serde(default)]
    default_report_months: Option<Int>,
}

impl Handle<Open> for WriteConfig {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        let switch = match self.enabled.as_ref().map(|text| text.0.as_str()) {
            None => None,
            Some("default") => Some(Switch::Default),
            Some("enable") => Some(Switch::Enable),
            Some("disable") => Some(Switch::Disable),
            Some(_) => {
                return Err(Fault::invalid(
                    "enabled must be \"default\", \"enable\" or \"disable\"",
                ));
            }
        };
        let retention = months(self.retention_months, "retention_months")?;
        let report = months(self.default_report_months, "default_report_months")?;
        let change = move |old: Config| Config {
            switch: switch.unwrap_or(old.switch),
            retention_months: retention.unwrap_or(old.retention_months),
            report_months: report.unwrap_or(old.report_months),
        };
        open.activity.configure(change, cx.now).await?;
        Ok(Empty)
    }
}

fn months(given: Option<Int>, field: &str) -> Result<Option<u32>, Fault> {
    let Some(given) = given else { return Ok(None) };
    let months = u32::try_from(given.0).ok();
    let months = months.filter(|months| (1..=MONTHS_MAX).contains(months));
    months
        .map(Some)
        .ok_or_else(|| Fault::Invalid(format!("{field} must be 1 to {MONTHS_MAX}")))
}
