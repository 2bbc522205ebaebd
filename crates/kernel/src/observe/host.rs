//! The machine that the server runs on, as `/proc` tells it.

use std::collections::HashSet;
use std::fs;

use coffer_wire::Timestamp;
use serde_json::{Map, Value, json};

/// Clock ticks a second in `/proc/stat`.
const TICKS_PER_SEC: f64 = 100.0;
/// How many processors and file systems are told about.
const PROCESSORS_MAX: usize = 1_024;
const DISKS_MAX: usize = 64;

/// Everything about the host. It reads files, some of them of file systems: not to be called where waiting hurts.
pub(crate) fn read(now: Timestamp) -> Value {
    let stat = text("/proc/stat");
    json!({
        "cpu": processors(&text("/proc/cpuinfo")),
        "cpu_times": times(&stat),
        "disk": disks(&text("/proc/self/mounts")),
        "host": host(now, &stat),
        "memory": memory(&text("/proc/meminfo")),
        "timestamp": now,
    })
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn line(path: &str) -> String {
    text(path).trim().to_owned()
}

/// One object per processor.
fn processors(cpuinfo: &str) -> Vec<Value> {
    let blocks = cpuinfo
        .split("\n\n")
        .filter(|block| !block.trim().is_empty());
    let fields = blocks.take(PROCESSORS_MAX).map(|block| {
        let pairs = block.lines().filter_map(|line| line.split_once(':'));
        let pairs = pairs.map(|(name, value)| (name.trim(), value.trim()));
        pairs.collect::<Vec<_>>()
    });
    fields
        .filter(|fields| fields.iter().any(|(name, _)| *name == "processor"))
        .map(|fields| {
            let of = |name: &str| {
                let found = fields.iter().find(|(known, _)| *known == name);
                found.map_or("", |(_, value)| *value)
            };
            let flags: Vec<&str> = of("flags").split_whitespace().collect();
            let cache = of("cache size")
                .split_whitespace()
                .next()
                .unwrap_or_default();
            json!({
                "cpu": of("processor").parse::<u32>().unwrap_or_default(),
                "vendorId": of("vendor_id"),
                "family": of("cpu family"),
                "model": of("model"),
                "stepping": of("stepping").parse::<u32>().unwrap_or_default(),
                "physicalId": of("physical id"),
                "coreId": of("core id"),
                "cores": 1,
                "modelName": of("model name"),
                "mhz": of("cpu MHz").parse::<f64>().unwrap_or_default(),
                "cacheSize": cache.parse::<u64>().unwrap_or_default(),
                "flags": flags,
                "microcode": of("microcode"),
            })
        })
        .collect()
}

/// Seconds that each processor spent, by what it did.
fn times(stat: &str) -> Vec<Value> {
    const NAMES: [&str; 10] = [
        "user",
        "nice",
        "system",
        "idle",
        "iowait",
        "irq",
        "softirq",
        "steal",
        "guest",
        "guestNice",
    ];
    let lines = stat.lines().filter_map(|line| {
        let (name, counts) = line.split_once(' ')?;
        let number = name.strip_prefix("cpu")?;
        (!number.is_empty()).then_some((name, counts))
    });
    lines
        .take(PROCESSORS_MAX)
        .map(|(name, counts)| {
            let counts = counts.split_whitespace().map(|count| count.parse::<f64>());
            let mut times: Map<String, Value> = NAMES
                .iter()
                .zip(counts)
                .map(|(name, ticks)| {
                    let secs = ticks.unwrap_or_default() / TICKS_PER_SEC;
                    ((*name).to_owned(), json!(secs))
                })
                .collect();
            times.insert("cpu".into(), name.into());
            Value::Object(times)
        })
        .collect()
}

/// The file systems on devices, each once.
fn disks(mounts: &str) -> Vec<Value> {
    let mut seen = HashSet::new();
    let fields = mounts.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?, words.next()?))
    });
    let on_devices = fields.filter(|(device, _, _)| device.starts_with("/dev/"));
    let once = on_devices.filter(|(device, _, _)| seen.insert(*device));
    once.take(DISKS_MAX)
        .filter_map(|(_, path, kind)| disk(path, kind))
        .collect()
}

fn disk(path: &str, kind: &str) -> Option<Value> {
    let about = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(about.f_frsize);
    let used = about.f_blocks.saturating_sub(about.f_bfree);
    let inodes_used = about.f_files.saturating_sub(about.f_ffree);
    Some(json!({
        "path": path,
        "fstype": kind,
        "total": bytes(about.f_blocks),
        "free": bytes(about.f_bavail),
        "used": bytes(used),
        "usedPercent": percent(used, used + about.f_bavail),
        "inodesTotal": about.f_files,
        "inodesUsed": inodes_used,
        "inodesFree": about.f_ffree,
        "inodesUsedPercent": percent(inodes_used, about.f_files),
    }))
}

fn percent(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a percentage is for people")]
    let percent = part as f64 / whole.max(1) as f64 * 100.0;
    percent
}

fn host(now: Timestamp, stat: &str) -> Value {
    let release = text("/etc/os-release");
    let of = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let boot = stat.lines().find_map(|line| line.strip_prefix("btime "));
    let boot: u64 = boot.and_then(|secs| secs.parse().ok()).unwrap_or_default();
    let platform = of("ID=");
    let family = of("ID_LIKE=");
    let family = family
        .split_whitespace()
        .next()
        .unwrap_or(&platform)
        .to_owned();
    json!({
        "hostname": line("/proc/sys/kernel/hostname"),
        "uptime": now.secs().saturating_sub(boot),
        "bootTime": boot,
        "procs": processes(),
        "os": std::env::consts::OS,
        "platform": platform,
        "platformFamily": family,
        "platformVersion": of("VERSION_ID="),
        "kernelVersion": line("/proc/sys/kernel/osrelease"),
        "kernelArch": std::env::consts::ARCH,
        "virtualizationSystem": "",
        "virtualizationRole": "",
        "hostid": line("/etc/machine-id"),
    })
}

fn processes() -> usize {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .count()
}

/// Sizes in bytes.
fn memory(meminfo: &str) -> Value {
    let bytes = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.unwrap_or_default().saturating_mul(1_024)
    };
    let (total, available) = (bytes("MemTotal:"), bytes("MemAvailable:"));
    let used = total.saturating_sub(available);
    json!({
        "total": total,
        "available": available,
        "used": used,
        "usedPercent": percent(used, total),
        "free": bytes("MemFree:"),
        "active": bytes("Active:"),
        "inactive": bytes("Inactive:"),
        "buffers": bytes("Buffers:"),
        "cached": bytes("Cached:"),
        "dirty": bytes("Dirty:"),
        "writeback": bytes("Writeback:"),
        "shared": bytes("Shmem:"),
        "slab": bytes("Slab:"),
        "sreclaimable": bytes("SReclaimable:"),
        "sunreclaim": bytes("SUnreclaim:"),
        "pagetables": bytes("PageTables:"),
        "commitlimit": bytes("CommitLimit:"),
        "committedas": bytes("Committed_AS:"),
        "mapped": bytes("Mapped:"),
        "swaptotal": bytes("SwapTotal:"),
        "swapfree": bytes("SwapFree:"),
        "swapcached": bytes("SwapCached:"),
        "hugepagesize": bytes("Hugepagesize:"),
        "hugepagestotal": bytes("HugePages_Total:") / 1_024,
        "hugepagesfree": bytes("HugePages_Free:") / 1_024,
        "vmalloctotal": bytes("VmallocTotal:"),
        "vmallocused": bytes("VmallocUsed:"),
        "vmallocchunk": bytes("VmallocChunk:"),
        "writebacktmp": bytes("WritebackTmp:"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_has_processors_memory_and_a_name() {
        let about = read(Timestamp::from_secs(4_000_000_000));
        assert!(!about["cpu"].as_array().unwrap().is_empty());
        assert_eq!(
            about["cpu"].as_array().unwrap().len(),
            about["cpu_times"].as_array().unwrap().len()
        );
        assert!(about["memory"]["total"].as_u64().unwrap() > 0);
        assert!(!about["host"]["hostname"].as_str().unwrap().is_empty());
    }

    #[test]
    fn odd_files_are_no_reason_to_fail() {
        assert_eq!(processors("garbage\n\n: :\n\n").len(), 0);
        assert_eq!(times("cpu 1 2\ncpu0 x y\nintr 5").len(), 1);
        assert_eq!(disks("/dev/none /nowhere ext4 rw 0 0\nproc\n").len(), 0);
        assert_eq!(memory("MemTotal: many kB")["total"], 0);
    }

    #[test]
    fn processors_are_told_apart() {
        let cpuinfo = "processor\t: 0\nmodel name\t: One\ncpu MHz\t\t: 2245.780\ncache size\t: 512 KB\nflags\t\t: fpu vme\n\nprocessor\t: 1\nmodel name\t: Two\n\n";
        let all = processors(cpuinfo);
        assert_eq!(all.len(), 2);
        assert_eq!(
            (
                &all[0]["modelName"],
                &all[0]["cacheSize"],
                &all[0]["flags"][1]
            ),
            (&json!("One"), &json!(512), &json!("vme"))
        );
        assert_eq!(all[1]["cpu"], 1);
    }
}
