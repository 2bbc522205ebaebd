//! A small service as one would write it: it has no database password, and no secret that needs a deployment to change.
//!
//! It asks Coffer for a database credential and keeps it with `coffer_client::LeaseKeeper`, serves a page of live queries,
//! changes over to the next database user without failing a request, and notices by Coffer's events when a secret in KV
//! has a new version.
//!
//! - `settings`: what the environment says; `session`: the token, kept alive;
//! - `credential`: the keeper, and what it tells; `database`: connections, a set for each credential;
//! - `watched_secret`: the KV secret; `status`: all that can be shown; `web`: the page.

mod credential;
mod database;
mod session;
mod settings;
mod status;
mod watched_secret;
mod web;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use database::Database;
use session::Session;
use settings::Settings;
use status::Status;

/// How often the service asks the database something of its own accord.
const PULSE: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("demo-service: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    let settings = Settings::from_env()?;
    let stopped = stop_signal().map_err(|error| format!("no signals: {error}"))?;
    let status = Arc::new(Status::new(&settings));
    let session = Session::open(&settings, status.clone())?;
    let listener = web::listen(&settings).await?;

    let keeper = Arc::new(credential::keep(&settings, &session, &status));
    let database = Arc::new(Database::new(&settings, keeper.clone(), status.clone()));
    tokio::spawn(session.clone().keep_alive());
    tokio::spawn(database.clone().follow());
    tokio::spawn(watched_secret::follow(
        settings.secret.clone(),
        session.clone(),
        status.clone(),
    ));
    tokio::spawn(pulse(database.clone()));
    tokio::spawn(status.clone().publish());

    web::serve(listener, database.clone(), status.clone(), stopped).await;
    // Nothing is under way any more, so the connections can go, and then the users that they are of.
    database.close();
    keeper.close().await;
    Ok(())
}

/// Asks the database again and again, as a service does whose users do.
async fn pulse(database: Arc<Database>) {
    loop {
        let _ = database.orders().await; // the status has counted it
        sleep(PULSE).await;
    }
}

/// Turns true at the first SIGTERM or SIGINT.
fn stop_signal() -> std::io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    });
    Ok(stopped)
}
