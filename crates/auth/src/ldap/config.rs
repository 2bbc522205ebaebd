//! `config`: how the directory is reached, and how people and their groups are found in it.

use std::time::Duration;

use coffer_crypto::Secret;
use coffer_engine::{Ctx, Fault, Handle, Reply, Routes, Stored, path, plaintext};
use coffer_wire::{Flag, Int, Text, Ttl};
use ldap3::DerefAliases;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::conversation::dereferencing;
use super::template::{Place, Template};
use super::{Ldap, dial, tls};
use crate::token_fields::{OldInput, TokenFields, TokenInput, TokenView};

/// Where the configuration is kept.
const PLACE: &str = "config";
/// Longest text of a field that is not a certificate, in bytes.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Longest that a connection or a conversation may be given, in seconds.
const PATIENCE_MAX: Duration = Duration::from_secs(120);
const CONNECTION: Ttl = Ttl::from_secs(30);
const REQUEST: Ttl = Ttl::from_secs(90);
const USER_FILTER: &str = "({{.UserAttr}}={{.Username}})";
const GROUP_FILTER: &str =
    "(|(memberUid={{.Username}})(member={{.UserDN}})(uniqueMember={{.UserDN}}))";
const NAME_ATTRIBUTE: &str = "cn";
const USER_PLACES: &[Place] = &[
    Place {
        name: "UserAttr",
        is_attribute: true,
    },
    Place {
        name: "Username",
        is_attribute: false,
    },
];
const GROUP_PLACES: &[Place] = &[
    Place {
        name: "UserDN",
        is_attribute: false,
    },
    Place {
        name: "Username",
        is_attribute: false,
    },
];

pub(super) fn routes() -> Routes<Ldap> {
    Routes::new([path(
        "config",
        "How the directory is reached, and how people and their groups are found in it.",
    )
    .read::<ReadConfig>()
    .write::<WriteConfig>()
    .tells("ldap/config-write")])
}

/// The stored configuration.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    pub(super) url: String,
    pub(super) userdn: String,
    pub(super) binddn: String,
    #[serde(serialize_with = "plaintext::text")]
    pub(super) bindpass: Secret<String>,
    pub(super) userattr: String,
    pub(super) userfilter: String,
    pub(super) groupdn: String,
    pub(super) groupfilter: String,
    pub(super) groupattr: String,
    pub(super) upndomain: String,
    pub(super) starttls: bool,
    pub(super) insecure_tls: bool,
    pub(super) certificate: String,
    pub(super) client_tls_cert: String,
    #[serde(serialize_with = "plaintext::text")]
    pub(super) client_tls_key: Secret<String>,
    pub(super) tls_min_version: String,
    pub(super) tls_max_version: String,
    pub(super) discoverdn: bool,
    pub(super) deny_null_bind: bool,
    pub(super) case_sensitive_names: bool,
    pub(super) use_token_groups: bool,
    pub(super) username_as_alias: bool,
    pub(super) anonymous_group_search: bool,
    pub(super) request_timeout: Ttl,
    pub(super) connection_timeout: Ttl,
    pub(super) max_page_size: i64,
    pub(super) dereference_aliases: String,
    pub(super) use_pre111_group_cn_behavior: bool,
    /// What tokens are like.
    pub(super) token: TokenFields,
}

/// How a user shows the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Their entry is looked for first.
    Search,
    /// Under their name in a domain.
    Domain,
    /// Under the name of the entry that they must have.
    Direct,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: "ldap://127.0.0.1".into(),
            userdn: String::new(),
            binddn: String::new(),
            bindpass: Secret::default(),
            userattr: NAME_ATTRIBUTE.into(),
            userfilter: USER_FILTER.into(),
            groupdn: String::new(),
            groupfilter: GROUP_FILTER.into(),
            groupattr: NAME_ATTRIBUTE.into(),
            upndomain: String::new(),
            starttls: false,
            insecure_tls: false,
            certificate: String::new(),
            client_tls_cert: String::new(),
            client_tls_key: Secret::default(),
            tls_min_version: "tls12".into(),
            tls_max_version: "tls12".into(),
            discoverdn: false,
            deny_null_bind: true,
            case_sensitive_names: false,
            use_token_groups: false,
            username_as_alias: false,
            anonymous_group_search: false,
            request_timeout: REQUEST,
            connection_timeout: CONNECTION,
            max_page_size: 0,
            dereference_aliases: "never".into(),
            use_pre111_group_cn_behavior: false,
            token: TokenFields::default(),
        }
    }
}

impl Stored for Config {
    const MAX_BYTES: usize = 1 << 20;
}

impl Config {
    /// The configuration, or that of a mount which has none.
    pub(super) async fn load(cx: &Ctx) -> Result<Self, Fault> {
        Ok(cx.view.get(PLACE).await?.unwrap_or_default())
    }

    /// How users show their passwords.
    pub(super) fn way(&self) -> Way {
        if self.discoverdn || self.has_account() {
            Way::Search
        } else if self.upndomain.is_empty() {
            Way::Direct
        } else {
            Way::Domain
        }
    }

    /// Whether there is an account to search with.
    pub(super) fn has_account(&self) -> bool {
        !self.binddn.is_empty() && !self.bindpass.expose().is_empty()
    }

    /// The attribute that users are named by.
    pub(super) fn attribute(&self) -> String {
        or_name(&self.userattr).to_owned()
    }

    /// The attribute that groups are named by.
    pub(super) fn group_attribute(&self) -> &str {
        or_name(&self.groupattr)
    }

    /// What finds a user.
    pub(super) fn user_filter(&self, typed: &str) -> Result<String, String> {
        let attribute = self.attribute();
        self.user_template()?.filter(|place| match place.name {
            "UserAttr" => attribute.as_str(),
            _ => typed,
        })
    }

    /// What finds the groups of a user.
    pub(super) fn group_filter(&self, typed: &str, whose: &str) -> Result<String, String> {
        let template = Template::parse(&self.groupfilter, GROUP_PLACES);
        let template = template.map_err(|why| format!("invalid groupfilter: {why}"))?;
        template.filter(|place| match place.name {
            "UserDN" => whose,
            _ => typed,
        })
    }

    fn user_template(&self) -> Result<Template, String> {
        let text = match self.userfilter.as_str() {
            "" => USER_FILTER,
            text => text,
        };
        Template::parse(text, USER_PLACES).map_err(|why| format!("invalid userfilter: {why}"))
    }

    /// Whether users are found by the attribute that names them.
    fn looks_at_attribute(&self) -> bool {
        let named = self
            .user_template()
            .is_ok_and(|template| template.names("UserAttr"));
        named
            || self
                .userfilter
                .to_lowercase()
                .contains(&format!("({}=", self.attribute()))
    }

    /// How long a connection may take to be there.
    pub(super) fn connection_patience(&self) -> Duration {
        patience(self.connection_timeout, CONNECTION)
    }

    /// How long a conversation may take.
    pub(super) fn request_patience(&self) -> Duration {
        patience(self.request_timeout, REQUEST)
    }

    /// How long the pages of results are; none for no pages.
    pub(super) fn page(&self) -> Option<i32> {
        let page = i32::try_from(self.max_page_size.min(i64::from(i32::MAX)));
        page.ok().filter(|page| *page > 0)
    }

    /// Which aliases are followed.
    pub(super) fn dereferencing(&self) -> DerefAliases {
        dereferencing(&self.dereference_aliases).unwrap_or(DerefAliases::Never)
    }

    /// What can not be.
    fn refuse(&self) -> Result<(), String> {
        let texts = [
            &self.url,
            &self.userdn,
            &self.binddn,
            &self.groupdn,
            &self.upndomain,
            self.bindpass.expose(),
        ];
        if texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(format!("a text is longer than {TEXT_BYTES_MAX} bytes"));
        }
        let names = [
            ("userdn", &self.userdn),
            ("binddn", &self.binddn),
            ("groupdn", &self.groupdn),
            ("upndomain", &self.upndomain),
        ];
        for (field, name) in names {
            if name.chars().any(char::is_control) {
                return Err(format!("{field} has a control character in it"));
            }
        }
        if !is_domain(&self.upndomain) {
            return Err("upndomain is not a domain; write one like example.org".to_owned());
        }
        dial::servers(&self.url)?;
        for (field, attribute) in [("userattr", &self.userattr), ("groupattr", &self.groupattr)] {
            if !is_attribute(attribute) {
                return Err(format!("{field} is not the name of an attribute"));
            }
        }
        self.user_template()?;
        if !self.groupfilter.is_empty() {
            self.group_filter("a", "cn=a")?;
        }
        if dereferencing(&self.dereference_aliases).is_none() {
            return Err(
                "invalid 'dereference_aliases'; write never, finding, searching or always"
                    .to_owned(),
            );
        }
        tls::check(self)
    }

    fn view(self) -> ConfigView {
        ConfigView {
            anonymous_group_search: self.anonymous_group_search,
            binddn: self.binddn,
            case_sensitive_names: self.case_sensitive_names,
            certificate: self.certificate,
            connection_timeout: self.connection_timeout,
            deny_null_bind: self.deny_null_bind,
            dereference_aliases: self.dereference_aliases,
            discoverdn: self.discoverdn,
            groupattr: self.groupattr,
            groupdn: self.groupdn,
            groupfilter: self.groupfilter,
            insecure_tls: self.insecure_tls,
            max_page_size: self.max_page_size,
            request_timeout: self.request_timeout,
            starttls: self.starttls,
            tls_max_version: self.tls_max_version,
            tls_min_version: self.tls_min_version,
            upndomain: self.upndomain,
            url: self.url,
            use_pre111_group_cn_behavior: self.use_pre111_group_cn_behavior,
            use_token_groups: self.use_token_groups,
            userattr: self.userattr,
            userdn: self.userdn,
            userfilter: self.userfilter,
            username_as_alias: self.username_as_alias,
            token: self.token.view(),
        }
    }
}

/// Shows the configuration, without passwords and keys.
#[derive(Deserialize, JsonSchema)]
struct ReadConfig {}

/// The configuration as clients see it.
#[derive(Serialize, JsonSchema)]
struct ConfigView {
    anonymous_group_search: bool,
    binddn: String,
    case_sensitive_names: bool,
    certificate: String,
    /// In seconds.
    connection_timeout: Ttl,
    deny_null_bind: bool,
    dereference_aliases: String,
    discoverdn: bool,
    groupattr: String,
    groupdn: String,
    groupfilter: String,
    insecure_tls: bool,
    max_page_size: i64,
    /// In seconds.
    request_timeout: Ttl,
    starttls: bool,
    tls_max_version: String,
    tls_min_version: String,
    upndomain: String,
    url: String,
    use_pre111_group_cn_behavior: bool,
    use_token_groups: bool,
    userattr: String,
    userdn: String,
    userfilter: String,
    username_as_alias: bool,
    #[serde(flatten)]
    token: TokenView,
}

impl Handle<Ldap> for ReadConfig {
    type Reply = ConfigView;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<ConfigView, Fault> {
        Ok(Config::load(cx).await?.view())
    }
}

/// Changes the configuration; what is not named stays as it is.
#[derive(Deserialize, JsonSchema)]
struct WriteConfig {
    /// The servers of the directory, `ldap://` or `ldaps://`, with commas between them; they are tried in turn.
    #[serde(default)]
    url: Option<Text>,
    /// Where users are looked for, for example `ou=people,dc=example,dc=org`.
    #[serde(default)]
    userdn: Option<Text>,
    /// The account that users and groups are looked for with.
    #[serde(default)]
    binddn: Option<Text>,
    /// The password of that account; it is never shown.
    #[serde(default)]
    bindpass: Option<Text>,
    /// The attribute that names a user.
    #[serde(default)]
    userattr: Option<Text>,
    /// Finds a user; `{{.UserAttr}}` and `{{.Username}}` stand for the attribute and for the name at the login.
    #[serde(default)]
    userfilter: Option<Text>,
    /// Where groups are looked for; empty for nowhere.
    #[serde(default)]
    groupdn: Option<Text>,
    /// Finds the groups of a user; `{{.UserDN}}` and `{{.Username}}` stand for the name of their entry and for the name at the login.
    #[serde(default)]
    groupfilter: Option<Text>,
    /// The attribute of what is found that names a group.
    #[serde(default)]
    groupattr: Option<Text>,
    /// Users log in as NAME@DOMAIN, with this domain, as Active Directory has it.
    #[serde(default)]
    upndomain: Option<Text>,
    /// Encrypts connections to `ldap://` before anything else is said.
    #[serde(default)]
    starttls: Option<Flag>,
    /// Believes any certificate of the directory: whoever is in between can read passwords and let anybody in.
    #[serde(default)]
    insecure_tls: Option<Flag>,
    /// The certificates, in PEM, one of which the directory's must come from; empty for those that the system trusts.
    #[serde(default)]
    certificate: Option<Text>,
    /// The certificate, in PEM, that is shown to the directory.
    #[serde(default)]
    client_tls_cert: Option<Text>,
    /// Its key, in PEM; it is never shown.
    #[serde(default)]
    client_tls_key: Option<Text>,
    /// The oldest version of TLS: `tls12` or `tls13`; `tls10` and `tls11` mean `tls12`.
    #[serde(default)]
    tls_min_version: Option<Text>,
    /// The newest version of TLS: `tls12` or `tls13`.
    #[serde(default)]
    tls_max_version: Option<Text>,
    /// Looks for users without an account of its own.
    #[serde(default)]
    discoverdn: Option<Flag>,
    /// Kept for clients that set it: empty passwords are refused always.
    #[serde(default)]
    deny_null_bind: Option<Flag>,
    /// Whether names of users and groups here differ by case.
    #[serde(default)]
    case_sensitive_names: Option<Flag>,
    /// Finds groups by the attribute `tokenGroups` of Active Directory, those within groups included.
    #[serde(default)]
    use_token_groups: Option<Flag>,
    /// Names entities by the name at the login instead of by `userattr` of the entry.
    #[serde(default)]
    username_as_alias: Option<Flag>,
    /// Looks for groups without an account.
    #[serde(default)]
    anonymous_group_search: Option<Flag>,
    /// How long the directory may take for a login.
    #[serde(default)]
    request_timeout: Option<Ttl>,
    /// How long each server may take to be connected.
    #[serde(default)]
    connection_timeout: Option<Ttl>,
    /// How many entries the directory answers at once, if over zero.
    #[serde(default)]
    max_page_size: Option<Int>,
    /// Which aliases in the directory are followed: `never`, `finding`, `searching` or `always`.
    #[serde(default)]
    dereference_aliases: Option<Text>,
    /// Names groups as versions before 1.1.1 did: by `CN` in capitals alone.
    #[serde(default)]
    use_pre111_group_cn_behavior: Option<Flag>,
    #[serde(flatten)]
    token: TokenInput,
}

impl Handle<Ldap> for WriteConfig {
    type Reply = Reply;

    async fn handle(self, _: &Ldap, cx: &Ctx) -> Result<Reply, Fault> {
        let decide = |kept: Option<Config>| {
            let before = kept.unwrap_or_default();
            let mut config = before.clone();
            self.apply(&mut config);
            config.token.apply(&self.token, &OldInput::default())?;
            config.refuse().map_err(Fault::Invalid)?;
            self.keep_password_home(&before, &config)
                .map_err(Fault::Invalid)?;
            let remarks = self.remarks(&config);
            Ok::<_, Fault>((Some(config), remarks))
        };
        let remarks = cx.view.update(PLACE, decide).await?;
        Ok(Reply {
            warnings: remarks,
            ..Reply::default()
        })
    }
}

impl WriteConfig {
    /// What whoever writes this should know.
    fn remarks(&self, config: &Config) -> Vec<String> {
        let wrote = |field: Option<Flag>| field.is_some_and(|flag| flag.0);
        let mut remarks = Vec::new();
        if self.userfilter.is_some() && !config.looks_at_attribute() {
            remarks.push("userfilter does not look at userattr; make sure that two users never have one value of it".to_owned());
        }
        if wrote(self.insecure_tls) {
            remarks.push("insecure_tls: whoever is between this server and the directory can read passwords and let anybody in; set certificate instead".to_owned());
        }
        if self.deny_null_bind.is_some_and(|flag| !flag.0) {
            remarks.push("deny_null_bind has no effect: empty passwords are refused always, because directories say yes to them".to_owned());
        }
        remarks
    }

    /// Refuses to send the password that is kept to a server that it was not given for, or with less between it and whoever listens:
    /// who may write here may not read it.
    fn keep_password_home(&self, before: &Config, after: &Config) -> Result<(), String> {
        if self.bindpass.is_some() || before.bindpass.expose().is_empty() {
            return Ok(());
        }
        // What was kept by an older version may be no address any more.
        let known = dial::servers(&before.url).unwrap_or_default();
        let is_known = |server| known.contains(server);
        let why = if !dial::servers(&after.url)?.iter().all(is_known) {
            "url names another server, to which bindpass would be sent"
        } else if before.starttls && !after.starttls {
            "without starttls bindpass would be sent in the open"
        } else if !before.insecure_tls && after.insecure_tls {
            "with insecure_tls bindpass would be sent to any server"
        } else if before.certificate != after.certificate {
            "certificate lets another server have bindpass"
        } else {
            return Ok(());
        };
        Err(format!("{why}: give bindpass as well"))
    }

    fn apply(&self, config: &mut Config) {
        set(&mut config.url, lower(&self.url));
        set(&mut config.userdn, text(&self.userdn));
        set(&mut config.binddn, text(&self.binddn));
        set(&mut config.bindpass, text(&self.bindpass).map(Secret::new));
        set(&mut config.userattr, lower(&self.userattr));
        set(&mut config.userfilter, text(&self.userfilter));
        set(&mut config.groupdn, text(&self.groupdn));
        set(&mut config.groupfilter, text(&self.groupfilter));
        set(&mut config.groupattr, text(&self.groupattr));
        set(&mut config.upndomain, text(&self.upndomain));
        set(&mut config.certificate, text(&self.certificate));
        set(&mut config.client_tls_cert, text(&self.client_tls_cert));
        set(
            &mut config.client_tls_key,
            text(&self.client_tls_key).map(Secret::new),
        );
        set(&mut config.tls_min_version, text(&self.tls_min_version));
        set(&mut config.tls_max_version, text(&self.tls_max_version));
        set(
            &mut config.dereference_aliases,
            text(&self.dereference_aliases),
        );
        set(&mut config.request_timeout, self.request_timeout);
        set(&mut config.connection_timeout, self.connection_timeout);
        set(
            &mut config.max_page_size,
            self.max_page_size.map(|size| size.0),
        );
        self.apply_flags(config);
    }

    fn apply_flags(&self, config: &mut Config) {
        let flags = [
            (&mut config.starttls, self.starttls),
            (&mut config.insecure_tls, self.insecure_tls),
            (&mut config.discoverdn, self.discoverdn),
            (&mut config.deny_null_bind, self.deny_null_bind),
            (&mut config.case_sensitive_names, self.case_sensitive_names),
            (&mut config.use_token_groups, self.use_token_groups),
            (&mut config.username_as_alias, self.username_as_alias),
            (
                &mut config.anonymous_group_search,
                self.anonymous_group_search,
            ),
            (
                &mut config.use_pre111_group_cn_behavior,
                self.use_pre111_group_cn_behavior,
            ),
        ];
        for (kept, new) in flags {
            set(kept, new.map(|flag| flag.0));
        }
    }
}

fn set<T>(kept: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *kept = new;
    }
}

fn text(written: &Option<Text>) -> Option<String> {
    written.as_ref().map(|text| text.0.clone())
}

fn lower(written: &Option<Text>) -> Option<String> {
    written.as_ref().map(|text| text.0.to_lowercase())
}

fn or_name(attribute: &str) -> &str {
    match attribute {
        "" => NAME_ATTRIBUTE,
        other => other,
    }
}

/// Whether a text is an attribute's name or number (RFC 4512 section 1.4), or none at all.
fn is_attribute(text: &str) -> bool {
    text.len() <= 256
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.;".contains(&byte))
}

/// Whether a text is a domain, or none at all.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_fine = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_');
        !label.is_empty() && label.chars().all(is_fine)
    };
    text.is_empty() || (text.len() <= 255 && text.split('.').all(is_label))
}

fn patience(wanted: Ttl, usual: Ttl) -> Duration {
    match wanted.is_zero() {
        true => usual.0,
        false => wanted.0.min(PATIENCE_MAX),
    }
}
