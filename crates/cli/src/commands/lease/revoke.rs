use clap::Args;
use coffer_client::sys::RevokePrefix;

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};

/// Revoke a lease, or all below a prefix
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  One, and wait until it is done:
      coffer lease revoke -sync database/creds/app-role/2f6a614c...
  All of a role:
      coffer lease revoke -prefix database/creds/app-role
  Forget leases whose database is gone for good:
      coffer lease revoke -force -prefix database/creds/app-role")]
pub(crate) struct Revoke {
    /// The lease, or the prefix with -prefix
    #[arg(value_name = "LEASE | PREFIX")]
    lease: String,
    /// Revoke every lease that begins so
    #[arg(long)]
    prefix: bool,
    /// Forget the leases even if the target system refuses; what was issued may live on there
    #[arg(short, long)]
    force: bool,
    /// Wait until it is done
    #[arg(long)]
    sync: bool,
}

impl Revoke {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let lease = self.lease.trim_start_matches('/');
        if self.force && !self.prefix {
            return Err(Failure::local(
                "-force is for prefixes only; give -prefix too",
            ));
        }
        let client = cx.client()?;
        let sys = client.sys();
        if self.force {
            cx.ui.warn(
                "Warning! What the forgotten leases stand for may live on in the target system.",
            );
            sys.revoke_prefix(lease, RevokePrefix::Forced)
                .await
                .or_failed(format!("revoking leases below {lease}"))?;
            cx.ui.line(&format!(
                "Success! Force revoked any leases with prefix: {lease}"
            ));
            return Ok(());
        }
        let revoked = match (self.prefix, self.sync) {
            (true, true) => sys.revoke_prefix(lease, RevokePrefix::Sync).await,
            (true, false) => sys.revoke_prefix(lease, RevokePrefix::Queued).await,
            (false, sync) => sys.revoke_lease(lease, sync).await,
        };
        revoked.or_failed(format!("revoking {lease}"))?;
        cx.ui.line(&match (self.sync, self.prefix) {
            (false, _) => format!("Success! The server took the revocation of {lease}"),
            (true, true) => format!("Success! Revoked any leases with prefix: {lease}"),
            (true, false) => format!("Success! Revoked lease: {lease}"),
        });
        Ok(())
    }
}
