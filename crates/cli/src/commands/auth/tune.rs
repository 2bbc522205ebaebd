use clap::Args;
use serde_json::{Map, Value};

use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::input;
use crate::mount_flags::MountFlags;

/// Change settings of an auth method; those not named stay
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  Shorter tokens:
      coffer auth tune -default-lease-ttl=1h userpass
  Lock a user out for ten minutes after three wrong passwords:
      coffer auth tune -user-lockout-threshold=3 -user-lockout-duration=10m userpass")]
pub(crate) struct Tune {
    /// Where it is mounted
    #[arg(value_name = "PATH")]
    path: String,
    /// Kind of the tokens it issues: service, batch, default-service, default-batch
    #[arg(long, value_name = "KIND")]
    token_type: Option<String>,
    /// Wrong passwords before a user is locked out
    #[arg(long, value_name = "COUNT")]
    user_lockout_threshold: Option<u32>,
    /// How long a user stays locked out
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    user_lockout_duration: Option<String>,
    /// How long wrong passwords are remembered
    #[arg(long, value_name = "DURATION", value_parser = input::duration)]
    user_lockout_counter_reset_duration: Option<String>,
    /// Never lock a user out
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    user_lockout_disable: Option<bool>,
    #[command(flatten)]
    flags: MountFlags,
}

impl Tune {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let path = self.path.trim_matches('/').trim_start_matches("auth/");
        let settings = self.settings();
        if settings.is_empty() {
            return Err(Failure::local(
                "there is nothing to change; see the flags with -h",
            ));
        }
        let tuned = cx
            .client()?
            .sys()
            .tune_mount(&format!("auth/{path}"), &settings)
            .await;
        tuned.or_failed(format!("tuning auth method {path}/"))?;
        cx.ui
            .line(&format!("Success! Tuned the auth method at: {path}/"));
        Ok(())
    }

    fn settings(&self) -> Map<String, Value> {
        let mut settings = self.flags.tuning();
        if let Some(kind) = &self.token_type {
            settings.insert("token_type".to_owned(), kind.clone().into());
        }
        let lockout: Map<String, Value> = [
            (
                "lockout_threshold",
                self.user_lockout_threshold
                    .map(|count| count.to_string().into()),
            ),
            (
                "lockout_duration",
                self.user_lockout_duration.clone().map(Value::from),
            ),
            (
                "lockout_counter_reset_duration",
                self.user_lockout_counter_reset_duration
                    .clone()
                    .map(Value::from),
            ),
            (
                "lockout_disable",
                self.user_lockout_disable.map(Value::from),
            ),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
        if !lockout.is_empty() {
            settings.insert("user_lockout_config".to_owned(), lockout.into());
        }
        settings
    }
}
