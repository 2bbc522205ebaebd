//! `identity/oidc/client`: applications that sign people in here.

use coffer_engine::{Ctx, Empty, Fault, Handle, Reply, Routes, path};
use coffer_wire::{CommaList, Flag, Text, Ttl};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::assignment::{ALLOW_ALL, Assignment};
use super::super::client::{
    Client, ClientKind, ClientName, DEFAULT_TTL, ID_CHARS, SECRET_CHARS, SECRET_PREFIX,
};
use super::super::key;
use super::listed_with;
use crate::identity::edit::{Draft, Edit, as_set, check_name};
use crate::identity::kept::Kept;
use crate::open::Open;

/// The longest list of addresses or assignments.
const MAX_LISTED: usize = 1_000;

pub(super) fn routes() -> Routes<Open> {
    Routes::new([
        path("oidc/client", "Lists the clients.").list::<ListClients>(),
        path(
            "oidc/client/{name}",
            "An application that signs people in here.",
        )
        .read::<ReadClient>()
        .write::<WriteClient>()
        .delete::<DeleteClient>(),
    ])
}

/// Lists the clients, without their secrets.
#[derive(Deserialize, JsonSchema)]
struct ListClients {}

impl Handle<Open> for ListClients {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        let clients = open.space.oidc.all::<Client>().await?.into_iter();
        listed_with(
            clients
                .map(|(name, client)| (name, shown(&client)))
                .collect(),
        )
    }
}

fn shown(client: &Client) -> Value {
    json!({
        "client_id": client.id,
        "client_type": match client.kind {
            ClientKind::Confidential => "confidential",
            ClientKind::Public => "public",
        },
        "key": client.key,
        "redirect_uris": client.redirect_uris,
        "assignments": client.assignments,
        "id_token_ttl": client.id_token_ttl.as_secs(),
        "access_token_ttl": client.access_token_ttl.as_secs(),
        "authorization_code": client.authorization_code,
        "client_credentials": client.client_credentials,
    })
}

/// Shows a client, with its secret if it has one.
#[derive(Deserialize, JsonSchema)]
struct ReadClient {
    /// Its name.
    name: String,
}

impl Handle<Open> for ReadClient {
    type Reply = Reply;

    async fn handle(self, open: &Open, _: &Ctx) -> Result<Reply, Fault> {
        check_name(&self.name)?;
        let client: Option<Client> = open.space.oidc.get(&self.name).await?;
        let client = client.ok_or(Fault::NotFound)?;
        let mut shown = shown(&client);
        if client.kind == ClientKind::Confidential
            && let Some(fields) = shown.as_object_mut()
        {
            fields.insert("client_secret".into(), client.secret.expose().into());
        }
        Reply::data(&coffer_wire::Wiped(shown).0)
    }
}

/// Makes a client, or changes one. Its id and secret are made up and stay.
#[derive(Deserialize, JsonSchema)]
struct WriteClient {
    /// Its name.
    name: String,
    /// The name of the key that signs its tokens; stays as it was made.
    #[serde(default)]
    key: Option<Text>,
    /// Where it may send people back to. Compared exactly; of addresses of the device itself the port may differ.
    #[serde(default)]
    redirect_uris: Option<CommaList>,
    /// The names of the assignments of those whom it may sign in.
    #[serde(default)]
    assignments: Option<CommaList>,
    /// `confidential` or `public`; stays as it was made.
    #[serde(default)]
    client_type: Option<Text>,
    /// How long its identity tokens hold; not longer than its key can be verified.
    #[serde(default)]
    id_token_ttl: Option<Ttl>,
    /// How long its access tokens hold.
    #[serde(default)]
    access_token_ttl: Option<Ttl>,
    /// Whether it signs people in.
    #[serde(default)]
    authorization_code: Option<Flag>,
    /// Whether it gets tokens about itself.
    #[serde(default)]
    client_credentials: Option<Flag>,
}

impl Handle<Open> for WriteClient {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        let secret = format!("{SECRET_PREFIX}{}", cx.random.base62(SECRET_CHARS));
        let put = PutClient {
            ask: self,
            fresh_id: cx.random.base62(ID_CHARS),
            fresh_secret: Kept::new(secret),
        };
        let key = open.space.oidc.edit(&put, cx.now).await?;
        open.space.oidc.key(open, &key).await?; // The built-in one is made when it is needed first: now.
        Ok(Empty)
    }
}

struct PutClient {
    ask: WriteClient,
    fresh_id: String,
    fresh_secret: Kept,
}

impl Edit for PutClient {
    type Done = String;

    async fn decide(&self, draft: &mut Draft) -> Result<String, Fault> {
        let ask = &self.ask;
        let stored = draft.get::<Client>(&ask.name).await?;
        let mut client = match stored {
            Some(client) => self.unchanged(client)?,
            None => self.new_client(draft)?,
        };
        if let Some(CommaList(uris)) = &ask.redirect_uris {
            client.redirect_uris = as_set(uris.clone());
        }
        if let Some(CommaList(names)) = &ask.assignments {
            client.assignments = as_set(names.clone());
        }
        if let Some(Ttl(ttl)) = ask.id_token_ttl {
            client.id_token_ttl = ttl;
        }
        if let Some(Ttl(ttl)) = ask.access_token_ttl {
            client.access_token_ttl = ttl;
        }
        if let Some(Flag(on)) = ask.authorization_code {
            client.authorization_code = on;
        }
        if let Some(Flag(on)) = ask.client_credentials {
            client.client_credentials = on;
        }
        self.check(draft, &client).await?;
        draft.put(&ask.name, &client)?;
        Ok(client.key)
    }
}

impl PutClient {
    fn new_client(&self, draft: &mut Draft) -> Result<Client, Fault> {
        let ask = &self.ask;
        let kind = match &ask.client_type {
            None => ClientKind::Confidential,
            Some(Text(name)) => ClientKind::parse(name)
                .ok_or_else(|| Fault::Invalid(format!("invalid client_type {name:?}")))?,
        };
        let name = ClientName {
            name: ask.name.clone(),
        };
        draft.put(&self.fresh_id, &name)?;
        Ok(Client {
            id: self.fresh_id.clone(),
            secret: match kind {
                ClientKind::Confidential => self.fresh_secret.clone(),
                ClientKind::Public => Kept::default(),
            },
            kind,
            key: match &ask.key {
                Some(Text(name)) if !name.is_empty() => name.clone(),
                _ => key::DEFAULT.to_owned(),
            },
            redirect_uris: Vec::new(),
            assignments: Vec::new(),
            id_token_ttl: DEFAULT_TTL,
            access_token_ttl: DEFAULT_TTL,
            authorization_code: true,
            client_credentials: false,
        })
    }

    /// What was settled when the client was made can be said again, and not otherwise.
    fn unchanged(&self, client: Client) -> Result<Client, Fault> {
        let ask = &self.ask;
        let other_key = |Text(name): &Text| *name != client.key;
        if ask.key.as_ref().is_some_and(other_key) {
            return Err(Fault::invalid("key modification is not allowed"));
        }
        let other_kind = |Text(name): &Text| ClientKind::parse(name) != Some(client.kind);
        if ask.client_type.as_ref().is_some_and(other_kind) {
            return Err(Fault::invalid("client_type modification is not allowed"));
        }
        Ok(client)
    }

    async fn check(&self, draft: &mut Draft, client: &Client) -> Result<(), Fault> {
        if client.client_credentials && client.kind == ClientKind::Public {
            return Err(Fault::invalid(
                "client_credentials=true is only allowed for client_type=confidential",
            ));
        }
        if client.redirect_uris.len().max(client.assignments.len()) > MAX_LISTED {
            return Err(Fault::Invalid(format!(
                "a client has at most {MAX_LISTED} redirect_uris and as many assignments"
            )));
        }
        for name in client.assignments.iter().filter(|name| *name != ALLOW_ALL) {
            let known = check_name(name).is_ok() && draft.get::<Assignment>(name).await?.is_some();
            if !known {
                return Err(Fault::Invalid(format!(
                    "assignment {name:?} does not exist"
                )));
            }
        }
        let unknown = || Fault::Invalid(format!("key {:?} does not exist", client.key));
        check_name(&client.key).map_err(|_| unknown())?;
        let key = draft.key(&client.key).await?.ok_or_else(unknown)?;
        if client.id_token_ttl > key.verification_ttl {
            return Err(Fault::invalid(
                "a client's id_token_ttl cannot be greater than the verification_ttl of the key it references",
            ));
        }
        Ok(())
    }
}

/// Takes a client away. Its codes and tokens are refused from then on.
#[derive(Deserialize, JsonSchema)]
struct DeleteClient {
    /// Its name.
    name: String,
}

impl Handle<Open> for DeleteClient {
    type Reply = Empty;

    async fn handle(self, open: &Open, cx: &Ctx) -> Result<Empty, Fault> {
        check_name(&self.name)?;
        open.space.oidc.edit(&self, cx.now).await?;
        Ok(Empty)
    }
}

impl Edit for DeleteClient {
    type Done = ();

    async fn decide(&self, draft: &mut Draft) -> Result<(), Fault> {
        if let Some(client) = draft.get::<Client>(&self.name).await? {
            draft.delete::<ClientName>(&client.id)?;
            draft.delete::<Client>(&self.name)?;
        }
        Ok(())
    }
}
