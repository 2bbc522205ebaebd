use coffer_client::{Client, ClientBuilder, Token, variable};

use crate::failure::Failure;
use crate::global::Global;
use crate::output::Format;
use crate::rehearsal;
use crate::token_file;
use crate::ui::Ui;

/// What every command works with.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) format: Format,
    pub(crate) ui: Ui,
    /// What the user calls this program.
    pub(crate) program: String,
}

impl Context {
    pub(crate) fn new(global: Global, program: String) -> Result<Self, Failure> {
        let format = match (global.format, variable("FORMAT")) {
            (Some(format), _) => format,
            (None, Some(text)) => text.parse()?,
            (None, None) => Format::Table,
        };
        Ok(Self {
            format,
            ui: Ui::new(global.non_interactive),
            program,
            global,
        })
    }

    /// The token in use: from the environment, else from the last login.
    pub(crate) fn token(&self) -> Option<Token> {
        variable("TOKEN").map(Token::from).or_else(token_file::read)
    }

    /// A client as environment, flags and the last login say.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let builder = self
            .builder()
            .map_err(|error| Failure::local(error.to_string()))?;
        builder
            .token(self.token())
            .build()
            .map_err(|error| Failure::local(error.to_string()))
    }

    fn builder(&self) -> Result<ClientBuilder, coffer_client::Error> {
        let flags = &self.global;
        let mut builder = Client::builder_from_env()?;
        let agent = flags
            .agent_address
            .clone()
            .or_else(|| variable("AGENT_ADDR"));
        if let Some(address) = flags.address.clone().or(agent) {
            builder = builder.address(address);
        }
        if let Some(namespace) = &flags.namespace {
            builder = builder.namespace(namespace);
        }
        if let Some(file) = &flags.ca_cert {
            builder = builder.ca_cert(file);
        }
        if let Some(directory) = &flags.ca_path {
            builder = builder.ca_path(directory);
        }
        if let Some(file) = &flags.client_cert {
            builder = builder.client_cert(file);
        }
        if let Some(file) = &flags.client_key {
            builder = builder.client_key(file);
        }
        if let Some(name) = &flags.tls_server_name {
            builder = builder.tls_server_name(name);
        }
        if flags.tls_skip_verify {
            builder = builder.skip_verify(true);
        }
        if flags.output_curl_string {
            builder = builder.rehearse(rehearsal::curl);
        }
        if flags.output_policy {
            builder = builder.rehearse(rehearsal::policy);
        }
        if flags.disable_redirects {
            builder = builder.redirects(false);
        }
        if let Some(ttl) = &flags.wrap_ttl {
            builder = builder.wrap_ttl(coffer_wire::parse_duration(ttl).ok());
        }
        self.headers(builder)
    }

    fn headers(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, coffer_client::Error> {
        for (name, value) in &self.global.header {
            // These steer the server; each has a flag of its own that checks what it is given.
            if name.to_ascii_lowercase().starts_with("x-vault-") {
                return Err(coffer_client::Error::Config(format!(
                    "the header {name} cannot be set with -header; use the flag made for it"
                )));
            }
            builder = builder.header(name, value);
        }
        for credential in &self.global.mfa {
            builder = builder.header(coffer_wire::header::MFA, credential);
        }
        if self.global.policy_override {
            builder = builder.header("x-vault-policy-override", "true");
        }
        Ok(builder)
    }
}
