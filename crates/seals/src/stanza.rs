//! A stanza while it is read, together with the environment.

use std::collections::BTreeMap;

use coffer_hcl::nearest;

use crate::build::BuildError;
use crate::source::Source;

/// The prefixes of variables that have a dialect, by rank.
const DIALECTS: [&str; 3] = ["COFFER", "BAO", "VAULT"];

/// Parameters of OpenBao's that every stanza may have and that have no effect.
const WITHOUT_EFFECT: [&str; 4] = [
    "health_check_enabled",
    "health_check_timeout",
    "health_check_interval",
    "health_check_interval_unhealthy",
];

/// What a stanza says, and the environment beside it. Whoever reads a parameter makes it a known one.
pub(crate) struct Stanza<'a> {
    pub(crate) kind: &'static str,
    options: &'a BTreeMap<String, String>,
    environment: &'a dyn Fn(&str) -> Option<String>,
    known: Vec<&'static str>,
}

impl<'a> Stanza<'a> {
    pub(crate) fn new(
        kind: &'static str,
        options: &'a BTreeMap<String, String>,
        environment: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            kind,
            options,
            environment,
            known: Vec::new(),
        }
    }

    /// A parameter, by its variables first. Empty counts as absent. A variable that begins with `*_` is looked for in each
    /// dialect: `*_ADDR` is `COFFER_ADDR`, `BAO_ADDR`, `VAULT_ADDR`.
    pub(crate) fn text(&mut self, name: &'static str, variables: &[&str]) -> Option<String> {
        let own = self.own(name);
        variables
            .iter()
            .find_map(|name| self.variable(name))
            .or(own)
    }

    /// A parameter, by the stanza alone.
    pub(crate) fn own(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let value = self.options.get(name);
        value.filter(|value| !value.is_empty()).cloned()
    }

    /// A parameter that has to be there.
    pub(crate) fn required(
        &mut self,
        name: &'static str,
        variables: &[&str],
    ) -> Result<String, BuildError> {
        let found = self.text(name, variables);
        found.ok_or_else(|| self.missing(name, variables))
    }

    /// A secret: itself, or where it is to be read.
    pub(crate) fn secret(
        &mut self,
        name: &'static str,
        variables: &[&str],
    ) -> Result<Option<Source>, BuildError> {
        let found = self.text(name, variables);
        found.map(|text| self.source(name, text)).transpose()
    }

    /// What a text says: `env://NAME`, `file://PATH`, or the secret itself.
    pub(crate) fn source(&self, name: &str, text: String) -> Result<Source, BuildError> {
        Source::read(text, self.environment).map_err(|problem| self.unfit(name, problem))
    }

    /// A boolean in any of its spellings.
    pub(crate) fn flag(
        &mut self,
        name: &'static str,
        variables: &[&str],
    ) -> Result<bool, BuildError> {
        match self.text(name, variables).as_deref().map(str::trim) {
            None | Some("false" | "False" | "FALSE" | "f" | "F" | "0") => Ok(false),
            Some("true" | "True" | "TRUE" | "t" | "T" | "1") => Ok(true),
            Some(_) => Err(self.unfit(name, "is neither true nor false")),
        }
    }

    /// A parameter that others know and that is not obeyed here; it may be absent, empty or false.
    pub(crate) fn refused(
        &mut self,
        name: &'static str,
        variables: &[&str],
        why: &str,
    ) -> Result<(), BuildError> {
        match self.text(name, variables).as_deref().map(str::trim) {
            None | Some("false" | "0") => Ok(()),
            Some(_) => Err(self.unfit(name, format!("is not supported: {why}"))),
        }
    }

    /// A variable; empty counts as absent.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let get = |name: &str| (self.environment)(name).filter(|value| !value.is_empty());
        match name.strip_prefix("*_") {
            None => get(name),
            Some(rest) => DIALECTS
                .iter()
                .find_map(|dialect| get(&format!("{dialect}_{rest}"))),
        }
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(&self) -> Result<(), BuildError> {
        let mut names = self.options.keys().map(String::as_str);
        for name in names.clone().filter(|name| WITHOUT_EFFECT.contains(name)) {
            tracing::warn!(
                seal = self.kind,
                parameter = name,
                "a parameter has no effect: how often and how long a keeper is asked whether it is well is fixed"
            );
        }
        let unknown =
            names.find(|name| !self.known.contains(name) && !WITHOUT_EFFECT.contains(name));
        match unknown {
            None => Ok(()),
            Some(name) => Err(BuildError::Unknown {
                kind: self.kind,
                parameter: name.to_owned(),
                suggestion: nearest(name, self.known.iter().copied()).map(str::to_owned),
            }),
        }
    }

    pub(crate) fn missing(&self, parameter: &'static str, variables: &[&str]) -> BuildError {
        let variables: Vec<String> = variables
            .iter()
            .map(|name| name.replace("*_", "VAULT_"))
            .collect();
        let advice = match variables.is_empty() {
            true => "write it into the stanza".to_owned(),
            false => format!(
                "write it into the stanza, or set {}",
                variables.join(" or ")
            ),
        };
        BuildError::Missing {
            kind: self.kind,
            parameter,
            advice,
        }
    }

    pub(crate) fn unfit(&self, parameter: &str, problem: impl Into<String>) -> BuildError {
        BuildError::Unfit {
            kind: self.kind,
            parameter: parameter.to_owned(),
            problem: problem.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "BAO_A" => Some("bao".into()),
            "VAULT_A" => Some("vault".into()),
            "VAULT_B" => Some("true".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn the_environment_beats_the_stanza_and_dialects_have_ranks() {
        let options = options(&[
            ("a", "own"),
            ("c", "own"),
            ("d", ""),
            ("health_check_interval", "1h"),
        ]);
        let mut stanza = Stanza::new("k", &options, &environment);
        assert_eq!(stanza.text("a", &["*_A"]).unwrap(), "bao");
        assert_eq!(stanza.text("a", &["VAULT_A"]).unwrap(), "vault");
        assert_eq!(stanza.text("c", &["EMPTY", "*_C"]).unwrap(), "own");
        assert_eq!(stanza.text("d", &[]), None);
        assert!(stanza.flag("b", &["*_B"]).unwrap());
        stanza.finish().unwrap();
    }

    #[test]
    fn faults_name_the_stanza_the_parameter_and_what_to_do() {
        let options = options(&[
            ("key_nmae", "hunter2"),
            ("skip", "true"),
            ("flag", "hunter2"),
        ]);
        let mut stanza = Stanza::new("k", &options, &environment);
        let missing = stanza.required("key_name", &["*_KEY"]).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "seal \"k\": `key_name` is missing; write it into the stanza, or set VAULT_KEY"
        );
        let refused = stanza.refused("skip", &[], "it is never done").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "seal \"k\": `skip` is not supported: it is never done"
        );
        let wrong = stanza.flag("flag", &[]).unwrap_err().to_string();
        assert_eq!(wrong, "seal \"k\": `flag` is neither true nor false");
        assert_eq!(
            stanza.finish().unwrap_err().to_string(),
            "seal \"k\": unknown parameter `key_nmae`; did you mean `key_name`?"
        );
    }
}
