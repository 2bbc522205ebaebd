use clap::Args;
use serde_json::{Value, json};

use super::answered;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::output::{key_values, print};
use crate::ui::read_file;

/// Let a node join the cluster that another one leads
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  coffer operator raft join https://first.example:8200
  coffer operator raft join -leader-ca-cert=@ca.pem https://first.example:8200")]
pub(crate) struct Join {
    /// The leader
    #[arg(value_name = "URL", default_value = "")]
    leader: String,
    /// PEM text (@FILE) of the authority that signed the leader's certificate
    #[arg(long, value_name = "PEM")]
    leader_ca_cert: Option<String>,
    /// PEM text (@FILE) of the certificate to show to the leader
    #[arg(long, value_name = "PEM")]
    leader_client_cert: Option<String>,
    /// PEM text (@FILE) of its key
    #[arg(long, value_name = "PEM")]
    leader_client_key: Option<String>,
    /// Try until it succeeds
    #[arg(long)]
    retry: bool,
    /// Join without a vote
    #[arg(long)]
    non_voter: bool,
}

impl Join {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let body = json!({
            "leader_api_addr": self.leader,
            "leader_ca_cert": pem(self.leader_ca_cert.as_deref())?,
            "leader_client_cert": pem(self.leader_client_cert.as_deref())?,
            "leader_client_key": pem(self.leader_client_key.as_deref())?,
            "retry": self.retry,
            "non_voter": self.non_voter,
        });
        let answer = cx.client()?.write("sys/storage/raft/join", &body).await;
        let joined = answered(answer, "joining the cluster")?;
        let joined = joined.and_then(|secret| secret.data?.get("joined").cloned());
        let joined = joined.unwrap_or(Value::Bool(true));
        print(cx, &json!({ "joined": joined }), || {
            key_values(&[["Joined".to_owned(), joined.to_string()]])
        })
    }
}

fn pem(given: Option<&str>) -> Result<String, Failure> {
    match given.map(|text| (text, text.strip_prefix('@'))) {
        None => Ok(String::new()),
        Some((_, Some(file))) => Ok(read_file(file)?.to_string()),
        Some((text, None)) => Ok(text.to_owned()),
    }
}
