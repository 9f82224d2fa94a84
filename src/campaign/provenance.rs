//! Where a result comes from: program, build, machine, configuration.

use super::plan::Plan;
use crate::real::isa;
use std::time::{SystemTime, UNIX_EPOCH};

/// Version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit of the build, with `-dirty` when the tree had changes; "unknown" outside a clone.
pub const COMMIT: &str = env!("ERGODICA_COMMIT");

/// Version of the compiler.
pub const RUSTC: &str = env!("ERGODICA_RUSTC");

/// Features of the build.
pub fn features() -> String {
    let mut list = Vec::new();
    if cfg!(feature = "hdf5") {
        list.push("hdf5");
    }
    if cfg!(feature = "report") {
        list.push("report");
    }
    list.join(",")
}

/// Name of the machine.
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::env::var("HOSTNAME"))
        .or_else(|_| std::env::var("COMPUTERNAME"));
    name.map_or_else(|_| "unknown".to_owned(), |n| n.trim().to_owned())
}

/// Model of the processor.
pub fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|l| l.starts_with("model name")).and_then(|l| l.split_once(':'));
    model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, m)| m.trim().to_owned())
}

/// What every file of a run says about its origin.
pub(super) fn of(plan: &Plan) -> Vec<(String, String)> {
    let text = plan.text();
    let hash = blake3::hash(text.as_bytes()).to_hex().to_string();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let isa = isa::path().map_or_else(|_| "unknown".to_owned(), |p| p.name().to_owned());
    let pairs = [
        ("program", "ergodica".to_owned()),
        ("version", VERSION.to_owned()),
        ("commit", COMMIT.to_owned()),
        ("rustc", RUSTC.to_owned()),
        ("features", features()),
        ("isa", isa),
        ("host", host()),
        ("processor", processor()),
        ("seed", plan.seed.to_string()),
        ("started_unix", now.to_string()),
        ("command", std::env::args().collect::<Vec<_>>().join(" ")),
        ("config_hash", hash),
        ("config", text),
    ];
    pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

/// A seed for a campaign that names none: from the clock and the process, printed and stored by the runner.
pub(super) fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let mut h = blake3::Hasher::new();
    h.update(&now.to_le_bytes());
    h.update(&std::process::id().to_le_bytes());
    let bytes = h.finalize();
    // 32 bits: easy to copy by hand, exact in every JSON reader.
    u64::from(u32::from_le_bytes([bytes.as_bytes()[0], bytes.as_bytes()[1], bytes.as_bytes()[2], bytes.as_bytes()[3]]))
}
