//! Making and changing a role.

use coffer_engine::{Ctx, Fault, Handle, Reply};
use coffer_wire::{CommaList, Flag, Int, Text, Ttl};
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use super::Cert;
use super::certificate;
use super::role::{OcspFields, Role, is_name, place};
use crate::names;
use crate::token_fields::{OldInput, TokenInput};

/// How many certificates a role may hold.
const CERTIFICATES_MAX: usize = 64;
/// How many entries one of its lists may have.
const ENTRIES_MAX: usize = 1_000;
/// How many responders may be asked.
pub(super) const OCSP_SERVERS_MAX: usize = 8;
const OCSP_RETRIES_MAX: u8 = 4;

/// Makes or changes a role; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
pub(super) struct WriteRole {
    /// Name of the role: letters, digits, `_`, and inside `-` and `.`.
    name: String,
    /// What is trusted, in PEM: authorities, that sign what clients show, or the certificates of clients themselves.
    #[serde(default)]
    certificate: Option<Text>,
    /// What people see in the tokens' names; the name of the role where nothing is said.
    #[serde(default)]
    display_name: Option<Text>,
    /// Patterns, of which one has to fit the common name, a DNS name or a mail address. Better name which of them.
    #[serde(default)]
    allowed_names: Option<Patterns>,
    /// Patterns, of which one has to fit the common name.
    #[serde(default)]
    allowed_common_names: Option<Patterns>,
    /// Patterns, of which one has to fit a DNS name.
    #[serde(default)]
    allowed_dns_sans: Option<Patterns>,
    /// Patterns, of which one has to fit a mail address.
    #[serde(default)]
    allowed_email_sans: Option<Patterns>,
    /// Patterns, of which one has to fit a URI.
    #[serde(default)]
    allowed_uri_sans: Option<Patterns>,
    /// Patterns, of which one has to fit an organizational unit.
    #[serde(default)]
    allowed_organizational_units: Option<Patterns>,
    /// What extensions must hold, all of them: `OID:PATTERN` for a text, `hex:OID:PATTERN` for all bytes in hexadecimal.
    #[serde(default)]
    required_extensions: Option<Patterns>,
    /// The object identifiers of extensions whose text is noted with the token, with `-` for `.`.
    #[serde(default)]
    allowed_metadata_extensions: Option<Patterns>,
    /// Whether a responder of OCSP is asked at each login.
    #[serde(default)]
    ocsp_enabled: Option<Flag>,
    /// In PEM, whom to trust beside the issuer: as the signer of answers, and for responders at `https`.
    #[serde(default)]
    ocsp_ca_certificates: Option<Text>,
    /// Addresses of responders to ask in place of those that the certificate names.
    #[serde(default)]
    ocsp_servers_override: Option<CommaList>,
    /// Lets a login through where no responder knows. A certificate that is revoked is refused all the same.
    #[serde(default)]
    ocsp_fail_open: Option<Flag>,
    /// Asks all responders; all have to say that the certificate is good.
    #[serde(default)]
    ocsp_query_all_servers: Option<Flag>,
    /// How old an answer may be; 0 for any age.
    #[serde(default)]
    ocsp_this_update_max_age: Option<Ttl>,
    /// How often a responder that does not answer is asked again: up to 4 times, once where nothing is said.
    #[serde(default)]
    ocsp_max_retries: Option<Int>,
    #[serde(flatten)]
    token: TokenInput,
    /// The old name of `token_policies`.
    #[serde(default)]
    policies: Option<CommaList>,
    /// An old name of `token_ttl`, in seconds.
    #[serde(default)]
    lease: Option<Int>,
    /// The old name of `token_ttl`.
    #[serde(default)]
    ttl: Option<Ttl>,
    /// The old name of `token_max_ttl`.
    #[serde(default)]
    max_ttl: Option<Ttl>,
    /// The old name of `token_period`.
    #[serde(default)]
    period: Option<Ttl>,
    /// The old name of `token_bound_cidrs`.
    #[serde(default)]
    bound_cidrs: Option<CommaList>,
}

impl Handle<Cert> for WriteRole {
    type Reply = Reply;

    async fn handle(self, _: &Cert, cx: &Ctx) -> Result<Reply, Fault> {
        if !is_name(&self.name) {
            return Err(Fault::UnsupportedPath);
        }
        let name = names::normal(&self.name);
        self.refuse_long_lists()?;
        let decide = |kept: Option<Role>| {
            let mut role = kept.unwrap_or_default();
            self.apply(&mut role, &name)?;
            let token = role.token.clone();
            Ok::<_, Fault>((Some(role), token))
        };
        let token = cx.view.update(&place(&name), decide).await?;
        let reply = Reply::default();
        let (ttl, longest) = (
            cx.mount.default_lease_ttl.as_secs(),
            cx.mount.max_lease_ttl.as_secs(),
        );
        let reply = match token.ttl.0.as_secs() {
            wished if wished > longest => reply.warn(format!("Given ttl of {wished} seconds is greater than current mount/system default of {ttl} seconds")),
            _ => reply,
        };
        Ok(match token.max_ttl.0.as_secs() {
            wished if wished > longest => reply.warn(format!("Given max_ttl of {wished} seconds is greater than current mount/system default of {longest} seconds")),
            _ => reply,
        })
    }
}

impl WriteRole {
    fn apply(&self, role: &mut Role, name: &str) -> Result<(), Fault> {
        if let Some(text) = &self.certificate {
            role.certificate.clone_from(&text.0);
        }
        refuse_certificates(role)?;
        if let Some(display_name) = &self.display_name {
            role.display_name.clone_from(&display_name.0);
        }
        if role.display_name.is_empty() {
            name.clone_into(&mut role.display_name);
        }
        let constraints = &mut role.constraints;
        set(&mut constraints.allowed_names, &self.allowed_names);
        set(
            &mut constraints.allowed_common_names,
            &self.allowed_common_names,
        );
        set(&mut constraints.allowed_dns_sans, &self.allowed_dns_sans);
        set(
            &mut constraints.allowed_email_sans,
            &self.allowed_email_sans,
        );
        set(&mut constraints.allowed_uri_sans, &self.allowed_uri_sans);
        set(
            &mut constraints.allowed_organizational_units,
            &self.allowed_organizational_units,
        );
        set(
            &mut constraints.required_extensions,
            &self.required_extensions,
        );
        set(
            &mut role.allowed_metadata_extensions,
            &self.allowed_metadata_extensions,
        );
        self.apply_ocsp(&mut role.ocsp)?;
        let lease = self.lease.map(lease).transpose()?;
        let old = OldInput {
            policies: self.policies.clone(),
            ttl: self.ttl.or(lease),
            max_ttl: self.max_ttl,
            period: self.period,
            bound_cidrs: self.bound_cidrs.clone(),
            ..OldInput::default()
        };
        role.token.apply(&self.token, &old)
    }

    fn apply_ocsp(&self, ocsp: &mut OcspFields) -> Result<(), Fault> {
        if let Some(flag) = self.ocsp_enabled {
            ocsp.enabled = flag.0;
        }
        if let Some(text) = &self.ocsp_ca_certificates {
            refuse_signers(&text.0)?;
            ocsp.ca_certificates.clone_from(&text.0);
        }
        if let Some(servers) = &self.ocsp_servers_override {
            refuse_servers(&servers.0)?;
            ocsp.servers_override = Some(servers.0.clone());
        }
        if let Some(flag) = self.ocsp_fail_open {
            ocsp.fail_open = flag.0;
        }
        if let Some(flag) = self.ocsp_query_all_servers {
            ocsp.query_all_servers = flag.0;
        }
        if let Some(age) = self.ocsp_this_update_max_age {
            ocsp.this_update_max_age = age;
        }
        if let Some(retries) = self.ocsp_max_retries {
            ocsp.max_retries = Some(retries_of(retries)?);
        }
        Ok(())
    }

    fn refuse_long_lists(&self) -> Result<(), Fault> {
        let lists = [
            &self.allowed_names,
            &self.allowed_common_names,
            &self.allowed_dns_sans,
            &self.allowed_email_sans,
            &self.allowed_uri_sans,
            &self.allowed_organizational_units,
            &self.required_extensions,
            &self.allowed_metadata_extensions,
        ];
        match lists
            .into_iter()
            .flatten()
            .any(|list| list.0.len() > ENTRIES_MAX)
        {
            true => Err(Fault::Invalid(format!(
                "a list has more than {ENTRIES_MAX} entries"
            ))),
            false => Ok(()),
        }
    }
}

/// A list in which an entry without text stays: it fits nothing, so it must not be taken for "no entries", which fits all.
#[derive(Clone, Debug, JsonSchema)]
struct Patterns(Vec<String>);

impl<'de> Deserialize<'de> for Patterns {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let is_blank = |item: &Value| item.as_str().is_some_and(|text| text.trim().is_empty());
        let has_blank = value
            .as_array()
            .is_some_and(|items| items.iter().any(is_blank));
        let list: CommaList = serde_json::from_value(value).map_err(D::Error::custom)?;
        let blank = has_blank.then(String::new);
        Ok(Self(list.0.into_iter().chain(blank).collect()))
    }
}

fn set(kept: &mut Option<Vec<String>>, new: &Option<Patterns>) {
    if let Some(new) = new {
        *kept = Some(new.0.clone());
    }
}

fn refuse_certificates(role: &Role) -> Result<(), Fault> {
    let unread = || Fault::invalid("failed to parse certificate");
    let trusted = certificate::from_pem(&role.certificate).map_err(|_| unread())?;
    let first = trusted.first().ok_or_else(unread)?;
    if trusted.len() > CERTIFICATES_MAX {
        return Err(Fault::Invalid(format!(
            "a role holds {CERTIFICATES_MAX} certificates at most"
        )));
    }
    match first.is_ca || first.is_for_clients() {
        true => Ok(()),
        false => Err(Fault::invalid(
            "nonCA certificates should have TLS client authentication set as an extended key usage",
        )),
    }
}

fn refuse_signers(pem: &str) -> Result<(), Fault> {
    let wrong = || Fault::invalid("ocsp_ca_certificates holds no certificates in PEM");
    match certificate::from_pem(pem).map_err(|_| wrong())?.is_empty() && !pem.is_empty() {
        true => Err(wrong()),
        false => Ok(()),
    }
}

fn refuse_servers(servers: &[String]) -> Result<(), Fault> {
    if servers.len() > OCSP_SERVERS_MAX {
        return Err(Fault::Invalid(format!(
            "{OCSP_SERVERS_MAX} OCSP servers are enough"
        )));
    }
    match servers.iter().find(|server| !is_web_address(server)) {
        Some(server) => Err(Fault::Invalid(format!(
            "the OCSP server {server:?} is no address that begins with http:// or https://"
        ))),
        None => Ok(()),
    }
}

/// Whether it can be asked by HTTP.
pub(super) fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn lease(seconds: Int) -> Result<Ttl, Fault> {
    let seconds = u64::try_from(seconds.0);
    let seconds = seconds.map_err(|_| Fault::invalid("lease cannot be negative"))?;
    Ok(Ttl(std::time::Duration::from_secs(seconds)))
}

fn retries_of(retries: Int) -> Result<u8, Fault> {
    let retries = u8::try_from(retries.0).ok();
    let retries = retries.filter(|retries| *retries <= OCSP_RETRIES_MAX);
    retries.ok_or_else(|| {
        Fault::Invalid(format!(
            "ocsp_max_retries is a number from 0 to {OCSP_RETRIES_MAX}"
        ))
    })
}
