use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coffer_client::{Client, Error, Renewal, Renewer, Token};
use tokio::time::sleep;

use crate::settings::Settings;
use crate::status::Status;

/// How long to wait before the token's file is looked at again.
const AGAIN: Duration = Duration::from_secs(5);
/// A request that takes longer is tried again.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The service's token: kept alive, and read from its file again when it has ended.
pub struct Session {
    client: Mutex<Client>,
    token_file: PathBuf,
    status: Arc<Status>,
}

impl Session {
    /// Reads the token. The server need not be there yet.
    pub fn open(settings: &Settings, status: Arc<Status>) -> Result<Arc<Self>, String> {
        let builder = Client::builder_from_env().map_err(|error| error.to_string())?;
        let client = builder.token(None).timeout(Some(TIMEOUT)).build();
        let session = Self {
            client: Mutex::new(client.map_err(|error| error.to_string())?),
            token_file: settings.token_file.clone(),
            status,
        };
        session.read_token().map_err(|error| error.to_string())?;
        Ok(Arc::new(session))
    }

    /// A client with the token of now.
    pub fn client(&self) -> Client {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client.clone()
    }

    /// Takes the token from its file, where an operator or an agent may have put another.
    pub fn read_token(&self) -> Result<Client, Error> {
        let text = std::fs::read_to_string(&self.token_file);
        let text = text.map_err(|error| {
            let file = self.token_file.display();
            Error::Config(format!("the token's file {file} cannot be read: {error}"))
        })?;
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *client = client.with_token(Some(Token::new(text)));
        Ok(client.clone())
    }

    /// Renews the token for as long as that goes, then waits for another.
    pub async fn keep_alive(self: Arc<Self>) {
        loop {
            let client = self.client();
            match client.tokens().renew_self(None).await {
                Ok(answer) => {
                    if let Ok(auth) = answer.token() {
                        self.status.coffer_answers();
                        renew(Renewer::token(client, auth), &self.status).await;
                    }
                }
                Err(error) => self.status.coffer_fails("the token is not renewed", &error),
            }
            sleep(AGAIN).await;
            let _ = self.read_token(); // its failure shows in the next renewal
        }
    }
}

/// Returns when the token is about to end.
async fn renew(mut renewer: Renewer, status: &Status) {
    loop {
        match renewer.next().await {
            Renewal::Renewed { .. } => status.coffer_answers(),
            Renewal::Failed { error, .. } => {
                status.coffer_fails("the token is not renewed", &error);
            }
            Renewal::Ending { .. } => return,
        }
    }
}
