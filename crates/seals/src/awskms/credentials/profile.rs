//! The files that AWS's clients share: `~/.aws/credentials` and `~/.aws/config`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use coffer_barrier::WrapError;
use coffer_crypto::Secret;
use coffer_crypto::sigv4::Credentials;

use super::web_identity::WebIdentity;
use crate::exchange::Exchange;
use crate::fresh::{Lasting, now};
use crate::source::file;
use crate::stanza::Stanza;

/// How long what was read is used: somebody may write it anew.
const READ_EVERY: Duration = Duration::from_secs(900);
const DEFAULT: &str = "default";
/// Ways to credentials that are not gone here.
const UNSUPPORTED: [&str; 5] = [
    "source_profile",
    "credential_source",
    "credential_process",
    "sso_session",
    "sso_start_url",
];

/// Where the files are, and which profile is wanted.
#[derive(Clone)]
pub(super) struct Files {
    credentials: Option<PathBuf>,
    config: Option<PathBuf>,
    profile: String,
    /// Whether somebody wanted it by name.
    is_named: bool,
    sts: Option<String>,
}

/// A profile that says whose key is to be used.
pub(super) enum Profile {
    Key(Credentials),
    Web(WebIdentity),
}

/// What stands in a section.
type Section = BTreeMap<String, Secret<String>>;

impl Files {
    pub(super) fn build(stanza: &Stanza<'_>) -> Self {
        let home = stanza.variable("HOME").map(PathBuf::from);
        let path = |variable: &str, name: &str| {
            let said = stanza.variable(variable).map(PathBuf::from);
            said.or_else(|| Some(home.as_ref()?.join(".aws").join(name)))
        };
        let named = stanza.variable("AWS_PROFILE");
        Self {
            credentials: path("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            config: path("AWS_CONFIG_FILE", "config"),
            is_named: named.is_some(),
            profile: named.unwrap_or_else(|| DEFAULT.to_owned()),
            sts: stanza.variable("AWS_ENDPOINT_URL_STS"),
        }
    }

    /// The region of the profile.
    pub(super) async fn region(&self) -> Result<Option<String>, String> {
        let section = self.section().await?;
        Ok(section.get("region").map(|region| region.expose().clone()))
    }

    /// The profile; none where it says nothing of credentials.
    pub(super) async fn profile(&self, exchange: &Exchange) -> Result<Option<Profile>, WrapError> {
        let refused =
            |why: &str| exchange.refused(&format!("the profile {:?} {why}", self.profile));
        let mut section = self.section().await.map_err(|why| refused(&why))?;
        let mut plain = |name: &str| section.remove(name);
        if let Some((access_key, secret_key)) =
            plain("aws_access_key_id").zip(plain("aws_secret_access_key"))
        {
            return Ok(Some(Profile::Key(Credentials {
                access_key: access_key.expose().clone(),
                secret_key,
                session_token: plain("aws_session_token"),
            })));
        }
        if let Some((role, token)) = plain("role_arn").zip(plain("web_identity_token_file")) {
            let session = plain("role_session_name").map(|name| name.expose().clone());
            let token = token.expose().into();
            let role = role.expose().clone();
            let web = WebIdentity::new(token, role, session, self.sts.clone());
            return Ok(Some(Profile::Web(web)));
        }
        if let Some(name) = UNSUPPORTED.iter().find(|name| section.contains_key(**name)) {
            return Err(refused(&format!(
                "has `{name}`, which is not supported here: use a key, a web identity, or the role of the machine"
            )));
        }
        match self.is_named {
            true => Err(refused("has no credentials, or is not there")),
            false => Ok(None),
        }
    }

    /// What both files say of the profile; the credentials' own file wins.
    async fn section(&self) -> Result<Section, String> {
        let files = self.clone();
        let read = tokio::task::spawn_blocking(move || files.read()).await;
        read.map_err(|_| "is not read".to_owned())?
    }

    fn read(&self) -> Result<Section, String> {
        let mut section = Section::new();
        let long = format!("profile {}", self.profile);
        let names: &[&str] = match self.profile == DEFAULT {
            true => &[DEFAULT, &long],
            false => &[&long],
        };
        for (path, names) in [
            (&self.config, names),
            (&self.credentials, &[self.profile.as_str()]),
        ] {
            let Some(path) = path.as_ref().filter(|path| path.exists()) else {
                continue;
            };
            let text = file(path)?;
            let text = std::str::from_utf8(&text);
            let text =
                text.map_err(|_| format!("stands in {}, which is no text", path.display()))?;
            section.extend(of(text, names));
        }
        Ok(section)
    }
}

impl Profile {
    pub(super) async fn credentials(
        self,
        exchange: &Exchange,
        region: &str,
    ) -> Result<Lasting<Credentials>, WrapError> {
        match self {
            Self::Key(value) => Ok(Lasting {
                value,
                until: Some(now().plus(READ_EVERY)),
            }),
            Self::Web(web) => web.credentials(exchange, region).await,
        }
    }
}

/// What the sections of these names say. Nested settings are left out.
fn of(text: &str, names: &[&str]) -> Section {
    let mut section = Section::new();
    let mut is_wanted = false;
    for line in text.lines() {
        let is_nested = line.starts_with([' ', '\t']);
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            let words: Vec<&str> = name.split_whitespace().collect();
            is_wanted = names.contains(&words.join(" ").as_str());
        } else if is_wanted
            && !is_nested
            && let Some((name, value)) = line.split_once('=')
        {
            let name = name.trim().to_ascii_lowercase();
            if !value.trim().is_empty() {
                section.insert(name, Secret::from(value.trim()));
            }
        }
    }
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read_as_aws_writes_them() {
        let text = "# c\n[default]\naws_access_key_id = AK\n; c\nregion=eu-west-1\ns3 =\n  max = 1\n\
                    [profile  other]\nRegion = x\n[profile other2]\nregion = no\n";
        let show = |section: Section| -> Vec<String> {
            let pairs = section.iter();
            pairs
                .map(|(name, value)| format!("{name}={}", value.expose()))
                .collect()
        };
        assert_eq!(
            show(of(text, &["default"])),
            ["aws_access_key_id=AK", "region=eu-west-1"]
        );
        assert_eq!(show(of(text, &["profile other"])), ["region=x"]);
        assert!(of(text, &["other"]).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "([\\[\\]a-z =;#\t]{0,40}\n){0,20}", name in "[a-z ]{0,8}") {
            let section = of(&text, &[&name]);
            proptest::prop_assert!(section.values().all(|value| !value.expose().is_empty()));
        }
    }
}
