use std::io::Write;
use std::time::Duration;

use clap::Args;
use coffer_client::events::{Delivery, Event, Subscription};

use super::line;
use crate::context::Context;
use crate::failure::{Failure, Outcome, While};
use crate::output::Format;

/// Follow events as they happen
///
/// Connections that break are made again, and go on behind the last event. What could not be delivered is told on standard
/// error. Ends when it is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  All that happens:
      coffer events subscribe
  Changes of one secret, for a program:
      coffer events subscribe -format=json -filter='data_path == \"secret/data/app\"' 'kv-v2/*'
  Of all namespaces below this one, too:
      coffer events subscribe -namespaces='*' 'lease/*'
  What happened since an event (its id is in the JSON):
      coffer events subscribe -since=00000000-0001-8c80-8000-0123456789ab 'kv*'")]
pub(crate) struct Subscribe {
    /// The kinds of events, in which `*` stands for any text
    #[arg(default_value = "*")]
    pattern: String,
    /// Begin after the event with this id, instead of now
    #[arg(long, value_name = "ID")]
    since: Option<String>,
    /// Only events for which this holds, as in: data_path == "secret/data/app" and operation != "data-delete"
    #[arg(long, value_name = "EXPRESSION")]
    filter: Option<String>,
    /// Events of these namespaces below the current one, too; may be repeated, `*` stands for any text
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    namespaces: Vec<String>,
    /// Show the date and the fractions of the second
    #[arg(long)]
    timestamps: bool,
    /// End after this long
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
}

impl Subscribe {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let for_programs = match cx.format {
            Format::Table => false,
            Format::Json | Format::Raw => true,
            Format::Yaml | Format::Pretty => {
                return Err(Failure::local(
                    "events come one a line; use -format=table or -format=json",
                ));
            }
        };
        let ends = time_left(self.timeout.as_deref())?;
        let client = cx.client()?;
        let mut wish = client
            .events()
            .subscribe(&self.pattern)
            .namespaces(&self.namespaces);
        if let Some(filter) = &self.filter {
            wish = wish.filter(filter);
        }
        if let Some(id) = &self.since {
            wish = wish.since(id);
        }
        let shown = |event: &Event| match for_programs {
            true => line::for_programs(event),
            false => line::for_people(event, self.timestamps),
        };
        tokio::select! {
            ended = follow(cx, wish.start(), shown) => ended,
            _ = tokio::signal::ctrl_c() => Ok(()),
            () = ends => Ok(()),
        }
    }
}

/// Waits until the time is over, if there is an end.
fn time_left(timeout: Option<&str>) -> Result<impl Future<Output = ()>, Failure> {
    let timeout = timeout.map(coffer_wire::parse_duration).transpose();
    let timeout = timeout.map_err(|error| Failure::local(format!("-timeout: {error}")))?;
    let timeout = timeout.filter(|timeout| *timeout != Duration::ZERO);
    Ok(async move {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    })
}

/// Prints until the server refuses or nobody reads any more.
async fn follow(
    cx: &Context,
    mut stream: Subscription,
    shown: impl Fn(&Event) -> String,
) -> Outcome {
    let mut is_broken = false;
    loop {
        let next = stream.next().await;
        match next.or_failed("following events")? {
            Delivery::Event(event) => {
                is_broken = false;
                let mut out = std::io::stdout().lock();
                let written = writeln!(out, "{}", shown(&event)).and_then(|()| out.flush());
                if written.is_err() {
                    return Ok(());
                }
            }
            Delivery::Lost { reason } => {
                cx.ui.warn(&format!("Events may be missing here: {reason}"))
            }
            // Once is enough, however often it is tried.
            Delivery::Broken { reason, .. } if !std::mem::replace(&mut is_broken, true) => {
                cx.ui
                    .warn(&format!("Connection lost ({reason}); it is made again."));
            }
            Delivery::Broken { .. } => {}
        }
    }
}
