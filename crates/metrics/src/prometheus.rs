//! The text form that Prometheus scrapes, version 0.0.4.

use std::fmt::Write as _;

use crate::{Family, Value};

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// The quantiles of a summary, as their labels say them.
const QUANTILES: [&str; 3] = ["0.5", "0.9", "0.99"];

/// Writes families, each name after `prefix`.
pub fn text(prefix: &str, families: &[Family]) -> String {
    let mut out = String::with_capacity(families.len() * 256);
    for family in families {
        let name = name(prefix, family);
        let kind = match family.series.first().map(|series| &series.value) {
            Some(Value::Counter { .. }) => "counter",
            // What the system counts for us, some of it with fractions.
            Some(Value::Gauge(_)) if family.bare && family.name.ends_with("_total") => "counter",
            Some(Value::Gauge(_)) => "gauge",
            Some(Value::Summary { .. }) => "summary",
            None => continue,
        };
        let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
        for series in &family.series {
            one(&mut out, &name, &series.labels, &series.value);
        }
    }
    out
}

/// A family's name as Prometheus spells it.
pub fn name(prefix: &str, family: &Family) -> String {
    let dotted = match (family.bare, prefix) {
        (true, _) | (_, "") => family.name.clone(),
        _ => format!("{prefix}.{}", family.name),
    };
    spelled(&dotted)
}

/// A text as part of a name: letters, digits and underscores, a digit never first.
pub fn spelled(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut name: String = text.chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

fn one(out: &mut String, name: &str, labels: &[(String, String)], value: &Value) {
    let plain = braced(labels, None);
    let _ = match value {
        Value::Counter { total, .. } => writeln!(out, "{name}{plain} {total}"),
        Value::Gauge(value) => writeln!(out, "{name}{plain} {value}"),
        Value::Summary {
            count,
            sum,
            quantiles,
            ..
        } => {
            for (label, value) in QUANTILES.iter().zip(quantiles) {
                let braced = braced(labels, Some(label));
                let _ = match value {
                    Some(value) => writeln!(out, "{name}{braced} {value}"),
                    None => writeln!(out, "{name}{braced} NaN"),
                };
            }
            writeln!(out, "{name}_sum{plain} {sum}\n{name}_count{plain} {count}")
        }
    };
}

fn braced(labels: &[(String, String)], quantile: Option<&str>) -> String {
    let quantile = quantile.map(|value| ("quantile", value));
    let labels = labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let each: Vec<String> = labels
        .chain(quantile)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
        .collect();
    match each.is_empty() {
        true => String::new(),
        false => format!("{{{}}}", each.join(",")),
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Registry;

    #[test]
    fn every_kind_has_its_form() {
        let registry = Registry::default();
        registry.counter("token.create_root", "Root tokens.").add(2);
        let leases = registry.gauges("core.unsealed", "Whether unsealed.", &["cluster"], 9);
        leases.of(&["a \"b\"\\\n"]).set(1.0);
        registry
            .bare_gauge("process.open_fds", "Descriptors.")
            .set(7.5);
        let route = registry.summary("route.read.my.app-", "Reads.");
        route.observe(Duration::from_millis(2));
        let (_, families) = registry.gather(100);
        assert_eq!(
            text("vault", &families),
            "# HELP vault_core_unsealed Whether unsealed.\n# TYPE vault_core_unsealed gauge\n\
             vault_core_unsealed{cluster=\"a \\\"b\\\"\\\\\\n\"} 1\n\
             # HELP process_open_fds Descriptors.\n# TYPE process_open_fds gauge\nprocess_open_fds 7.5\n\
             # HELP vault_route_read_my_app_ Reads.\n# TYPE vault_route_read_my_app_ summary\n\
             vault_route_read_my_app_{quantile=\"0.5\"} 2.031616\n\
             vault_route_read_my_app_{quantile=\"0.9\"} 2.031616\n\
             vault_route_read_my_app_{quantile=\"0.99\"} 2.031616\n\
             vault_route_read_my_app__sum 2\nvault_route_read_my_app__count 1\n\
             # HELP vault_token_create_root Root tokens.\n# TYPE vault_token_create_root counter\n\
             vault_token_create_root 2\n"
        );
    }

    #[test]
    fn names_have_nothing_that_prometheus_does_not_take() {
        assert_eq!(spelled("9 lives.ü-/x"), "_9_lives____x");
    }
}
