//! How much memory this program has, as the system tells it.

use std::fs;

/// Bytes in memory now. `None` where the system does not tell.
#[must_use]
pub fn resident() -> Option<u64> {
    field("VmRSS:")
}

/// The most bytes that were in memory at any time. `None` where the system does not tell.
#[must_use]
pub fn peak() -> Option<u64> {
    field("VmHWM:")
}

fn field(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
