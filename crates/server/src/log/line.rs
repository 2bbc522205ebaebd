//! One line of the log as `sys/monitor` sends it.

use std::fmt::{self, Write as _};

use coffer_kernel::observe::LogFormat;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::areas;

/// The name of the field that holds an event's text.
const MESSAGE: &str = "message";

/// An event taken apart, to be written in either form.
pub(super) struct Line {
    at: jiff::Timestamp,
    level: Level,
    area: String,
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Line {
    /// Takes an event apart.
    pub(super) fn of(event: &Event<'_>) -> Self {
        let mut line = Self {
            at: jiff::Timestamp::now(),
            level: *event.metadata().level(),
            area: areas::of(event.metadata().target()).to_owned(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut line);
        line
    }

    /// The line with its line feed.
    pub(super) fn written(&self, format: LogFormat) -> Vec<u8> {
        let mut text = match format {
            LogFormat::Standard => self.standard(),
            LogFormat::Json => self.json(),
        };
        text.push('\n');
        text.into_bytes()
    }

    fn standard(&self) -> String {
        let level = format!("[{}]", self.level);
        let mut text = format!(
            "{:.3} {level:<7} {}: {}",
            self.at,
            self.area,
            one_line(&self.message)
        );
        for (at, (name, value)) in self.fields.iter().enumerate() {
            let separator = if at == 0 { ": " } else { " " };
            let _ = write!(text, "{separator}{name}={}", shown(value));
        }
        text
    }

    fn json(&self) -> String {
        let mut fields: Map<String, Value> = self
            .fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let level = self.level.as_str().to_ascii_lowercase();
        fields.insert("@level".into(), level.into());
        fields.insert("@message".into(), self.message.clone().into());
        fields.insert("@module".into(), self.area.clone().into());
        fields.insert("@timestamp".into(), format!("{:.6}", self.at).into());
        Value::Object(fields).to_string()
    }

    fn add(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            (MESSAGE, Value::String(text)) => self.message = text,
            (name, value) => self.fields.push((name, value)),
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value.into());
    }
}

/// A value in a line for people: texts that would be misread are quoted.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() || text.contains(needs_quotes) => {
            Value::from(text.as_str()).to_string()
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn needs_quotes(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '"' | '=')
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            at: "2026-11-26T11:53:16.790123Z".parse().unwrap(),
            level: Level::INFO,
            area: "expiration".into(),
            message: "a lease\nended".into(),
            fields: vec![
                ("lease", "database/creds/app/x".into()),
                ("took", 7.into()),
                ("why", "it was \"time\"".into()),
            ],
        }
    }

    #[test]
    fn people_read_one_line() {
        assert_eq!(
            String::from_utf8(line().written(LogFormat::Standard)).unwrap(),
            "2026-11-26T11:53:16.790Z [INFO]  expiration: a lease ended: lease=database/creds/app/x took=7 why=\"it was \\\"time\\\"\"\n"
        );
    }

    #[test]
    fn machines_read_an_object() {
        let text = line().written(LogFormat::Json);
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
        let told: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(told["@level"], "info");
        assert_eq!(told["@module"], "expiration");
        assert_eq!(told["@message"], "a lease\nended");
        assert_eq!(told["@timestamp"], "2026-11-26T11:53:16.790123Z");
        assert_eq!(told["took"], 7);
    }
}
