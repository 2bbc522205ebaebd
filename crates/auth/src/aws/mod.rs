//! `aws`: principals of AWS, who show a request that they signed. What AWS answers to it says who they are.
//!
//! Records: `config/client` as whom and where AWS is asked, `config/identity` what they are called here, `config/sts/<account>`
//! the role by which an account is asked, `role/<name>` a role.
//!
//! A login has these steps, each a file: the request is taken apart and put together anew (`signed`, `headers`, `hosts`), STS
//! says whose it is (`caller`), the role says whether they may (`role`, `arn`), where it matters after AWS was asked by us
//! (`api`): for the path of a role (`paths`), and for the instance that a session is named after (`instance`).

mod accounts;
mod api;
mod arn;
mod bounds;
mod caller;
mod client;
mod headers;
mod hosts;
mod identity;
mod instance;
mod login;
mod paths;
mod principals;
mod role;
mod rotate;
mod signed;
mod xml;

use coffer_crypto::Secret;
use coffer_crypto::sigv4::Credentials;
use coffer_engine::{Ctx, Engine, Fault, MountInfo, Routes};

use paths::Paths;

/// The aws method.
pub struct Aws {
    /// Who this process is to AWS, unless a mount says otherwise.
    environment: Option<Credentials>,
    paths: Paths,
}

impl Engine for Aws {
    const NAME: &'static str = "aws";
    const HELP: &'static str = "Logs in principals of AWS by a request that they signed.";

    fn new(_: &MountInfo) -> Self {
        Self {
            environment: from_environment(),
            paths: Paths::default(),
        }
    }

    fn routes() -> Routes<Self> {
        Routes::merge([
            login::routes(),
            role::routes(),
            client::routes(),
            rotate::routes(),
            identity::routes(),
            accounts::routes(),
        ])
    }

    async fn count(&self, cx: &Ctx) -> Result<Option<u64>, Fault> {
        coffer_engine::keys::count(&cx.view, role::FOLDER)
            .await
            .map(Some)
    }
}

/// The key that the environment of this process names, as the tools of AWS take it.
fn from_environment() -> Option<Credentials> {
    let named = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let either = |name: &str, old: &str| named(name).or_else(|| named(old));
    Some(Credentials {
        access_key: either("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY")?,
        secret_key: Secret::new(either("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY")?),
        session_token: named("AWS_SESSION_TOKEN").map(Secret::new),
    })
}
