use coffer_hcl::Value;
use coffer_kernel::events::EventSettings;

use super::Error;
use super::stanza::Stanza;

/// The least memory for the newest events: one of the longest must have room.
const MEMORY_BYTES_MIN: u64 = 1 << 20;
/// The most, so that a slip of the pen does not take the machine.
const MEMORY_BYTES_MAX: u64 = 4 << 30;

/// `events { retention = "24h" max_bytes = "64MiB" … }`: how long events are kept, and how many may subscribe to them. Our own
/// stanza.
pub(super) fn read(root: &mut Stanza) -> Result<EventSettings, Error> {
    let mut settings = EventSettings::default();
    for mut stanza in root.blocks("events", 0)? {
        if let Some(retention) = stanza.duration("retention")? {
            settings.retention = retention;
        }
        let size = "a number of bytes, as in 67108864 or \"64MiB\"";
        if let Some(bytes) = stanza.value("max_bytes", size, bytes)? {
            settings.max_bytes = bytes;
        }
        let memory = "a number of bytes from 1MiB to 4GiB";
        let within = |value: &Value| {
            let bytes = bytes(value)?;
            let fits = (MEMORY_BYTES_MIN..=MEMORY_BYTES_MAX).contains(&bytes);
            usize::try_from(bytes).ok().filter(|_| fits)
        };
        if let Some(bytes) = stanza.value("memory_bytes", memory, within)? {
            settings.memory_bytes = bytes;
        }
        let count = |value: &Value| usize::try_from(value.as_i64()?).ok().filter(|n| *n > 0);
        let above = "a whole number above 0";
        if let Some(most) = stanza.value("max_subscribers", above, count)? {
            settings.max_subscribers = most;
        }
        if let Some(most) = stanza.value("max_subscribers_per_client", above, count)? {
            settings.max_subscribers_per_client = most;
        }
        stanza.finish()?;
    }
    Ok(settings)
}

/// A number of bytes, perhaps with a unit of powers of 1024 (`KiB`, `MiB`, `GiB`) or of 1000 (`KB`, `MB`, `GB`).
fn bytes(value: &Value) -> Option<u64> {
    if let Value::Bool(_) = value {
        return None;
    }
    let text = value.as_text()?.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}
