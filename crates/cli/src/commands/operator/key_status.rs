use clap::Args;
use coffer_client::sys;

use crate::context::Context;
use crate::failure::{Outcome, While};
use crate::output::print;

/// Show the key that encrypts storage: its number, age and use
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  coffer operator key-status")]
pub(crate) struct KeyStatus {}

impl KeyStatus {
    pub(crate) async fn run(self, cx: &Context) -> Outcome {
        let key = cx
            .client()?
            .sys()
            .key_status()
            .await
            .or_failed("reading the key's status")?;
        print(cx, &key, || table(&key))
    }
}

/// Three lines without a heading, as the reference prints them.
pub(super) fn table(key: &sys::KeyStatus) -> String {
    format!(
        "Key Term            {}\nInstall Time        {}\nEncryption Count    {}",
        key.term,
        short_time(&key.install_time).unwrap_or_else(|| key.install_time.clone()),
        key.encryptions
    )
}

/// `2026-11-23T22:39:06Z` as `23 Nov 26 22:39 UTC` (RFC 822, with a year of two digits).
fn short_time(rfc3339: &str) -> Option<String> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let utc = rfc3339.strip_suffix('Z')?;
    let (date, time) = utc.split_once('T')?;
    let mut date = date.split('-');
    let (year, month, day) = (
        date.next()?,
        date.next()?.parse::<usize>().ok()?,
        date.next()?,
    );
    Some(format!(
        "{day} {} {} {} UTC",
        MONTHS.get(month.checked_sub(1)?)?,
        year.get(2..)?,
        time.get(..5)?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(
            short_time("2026-11-23T22:39:06.528545168Z").unwrap(),
            "23 Nov 26 22:39 UTC"
        );
        assert_eq!(short_time("2026-13-23T22:39:06Z"), None);
        assert_eq!(short_time(""), None);
    }
}
