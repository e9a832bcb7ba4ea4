//! What a full link gives up.

use std::collections::VecDeque;

use paperflow_core::Packet;
use paperflow_core::headers::names;
use paperflow_graph::Full;

/// Which packet a full link sheds: one of the least priority, and among those the oldest or the new one,
/// as the policy says. `None` is the new one.
pub(crate) fn least(queue: &VecDeque<Packet>, new: &Packet, full: Full) -> Option<usize> {
    let least = queue
        .iter()
        .enumerate()
        .min_by_key(|(_, packet)| priority(packet));
    let (at, oldest) = least?;
    let is_new = match full {
        Full::DropNew => priority(new) <= priority(oldest),
        _ => priority(new) < priority(oldest),
    };
    (!is_new).then_some(at)
}

/// The header `priority`, a whole number; 0 without it.
fn priority(packet: &Packet) -> i64 {
    let header = packet
        .headers()
        .and_then(|headers| headers.get(names::PRIORITY));
    header.and_then(|text| text.parse().ok()).unwrap_or(0)
}
