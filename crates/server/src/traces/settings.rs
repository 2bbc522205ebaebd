//! What the configuration and the environment say about traces. The configuration wins.

use std::path::PathBuf;

use crate::config::Traces;

/// What the server is called in traces where nobody says.
const SERVICE: &str = "coffer";

/// Everything the tracer needs to know.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    /// The whole URL that spans are sent to; `None` turns traces off.
    pub(super) url: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) ratio: f64,
    pub(super) full_paths: bool,
    /// What is said once about all spans.
    pub(super) resource: Vec<(String, String)>,
}

impl Settings {
    /// As the configuration and the variables of this process say.
    pub(crate) fn new(config: &Traces) -> Self {
        Self::from(config, &|name| {
            std::env::var(name).ok().filter(|value| !value.is_empty())
        })
    }

    fn from(config: &Traces, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let for_traces = |name: &str| {
            let own = variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"));
            own.or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        let headers = match config.headers.is_empty() {
            true => for_traces("HEADERS").map(|text| pairs(&text)),
            false => Some(config.headers.clone()),
        };
        Self {
            url: url(config, variable),
            headers: headers.unwrap_or_default(),
            ca_file: config
                .ca_file
                .clone()
                .or_else(|| for_traces("CERTIFICATE").map(PathBuf::from)),
            ratio: config.sample_ratio.unwrap_or_else(|| ratio(variable)),
            full_paths: config.full_paths,
            resource: resource(config, variable),
        }
    }
}

/// The collector's URL. A general one gets `/v1/traces`, one for traces alone is taken as it is.
fn url(config: &Traces, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let with_path = |url: &str| format!("{}/v1/traces", url.trim_end_matches('/'));
    if let Some(url) = &config.endpoint {
        return Some(with_path(url));
    }
    let is_off = variable("OTEL_SDK_DISABLED")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || variable("OTEL_TRACES_EXPORTER").is_some_and(|name| name != "otlp");
    if is_off {
        return None;
    }
    let own = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    own.or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(|url| with_path(&url)))
}

fn ratio(variable: &dyn Fn(&str) -> Option<String>) -> f64 {
    let argument = || {
        let given = variable("OTEL_TRACES_SAMPLER_ARG")?.parse::<f64>().ok()?;
        (0.0..=1.0).contains(&given).then_some(given)
    };
    match variable("OTEL_TRACES_SAMPLER").as_deref() {
        Some("always_off" | "parentbased_always_off") => 0.0,
        Some("traceidratio" | "parentbased_traceidratio") => argument().unwrap_or(1.0),
        _ => 1.0,
    }
}

fn resource(config: &Traces, variable: &dyn Fn(&str) -> Option<String>) -> Vec<(String, String)> {
    let mut all = variable("OTEL_RESOURCE_ATTRIBUTES").map_or_else(Vec::new, |text| pairs(&text));
    let named = config
        .service_name
        .clone()
        .or_else(|| variable("OTEL_SERVICE_NAME"));
    let has_name = all.iter().any(|(name, _)| name == "service.name");
    if named.is_some() || !has_name {
        all.retain(|(name, _)| name != "service.name");
        let name = named.unwrap_or_else(|| SERVICE.to_owned());
        all.push(("service.name".to_owned(), name));
    }
    let version = env!("CARGO_PKG_VERSION").to_owned();
    all.push(("service.version".to_owned(), version));
    all
}

/// `name=value,name=value` with percent signs for what is special in it.
fn pairs(text: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let encoded = text.trim().replace('+', "%2B");
        let decoded = url::form_urlencoded::parse(encoded.as_bytes()).next();
        decoded.map_or_else(String::new, |(text, _)| text.into_owned())
    };
    let each = text.split(',').filter_map(|pair| pair.split_once('='));
    each.map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(config: &Traces, variables: &[(&str, &str)]) -> Settings {
        Settings::from(config, &|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_said_is_off() {
        assert_eq!(settings(&Traces::default(), &[]).url, None);
        let off = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ];
        assert_eq!(settings(&Traces::default(), &off).url, None);
    }

    #[test]
    fn the_environment_says_it_in_the_standard_s_words() {
        let said = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Bearer%20x+y,a=b",
            ),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=vault,site=north"),
        ];
        let settings = settings(&Traces::default(), &said);
        assert_eq!(settings.url.as_deref(), Some("http://c:4318/v1/traces"));
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            settings.headers,
            [pair("authorization", "Bearer x+y"), pair("a", "b")]
        );
        assert_eq!(settings.ratio, 0.25);
        assert!(settings.resource.contains(&pair("service.name", "vault")));
        assert!(settings.resource.contains(&pair("site", "north")));
    }

    #[test]
    fn the_configuration_wins() {
        let config = Traces {
            endpoint: Some("https://own:4318".into()),
            service_name: Some("team".into()),
            sample_ratio: Some(0.5),
            ..Traces::default()
        };
        let said = [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:4318/x"),
            ("OTEL_SERVICE_NAME", "other"),
            ("OTEL_TRACES_SAMPLER", "always_off"),
        ];
        let settings = settings(&config, &said);
        assert_eq!(settings.url.as_deref(), Some("https://own:4318/v1/traces"));
        assert_eq!(settings.ratio, 0.5);
        assert!(
            settings
                .resource
                .contains(&("service.name".to_owned(), "team".to_owned()))
        );
        let own = self::settings(&Traces::default(), &said);
        assert_eq!(own.url.as_deref(), Some("http://c:4318/x"));
    }
}
