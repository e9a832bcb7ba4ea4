//! What is set aside in the store of a network that has run.

use std::path::Path;

use paperflow_connect::Admin;
use paperflow_graph::Plan;

use crate::cli::render::count;
use crate::cli::store::dlq;

/// Tells of messages that somebody has to look after; `place` is how the store is named on the command
/// line. Who cannot look says nothing: what is wrong with the store was told by the run.
pub(super) fn note(plan: &Plan, folder: &Path, place: &str) -> String {
    if plan.links.iter().all(|link| link.connector.is_none()) {
        return String::new();
    }
    let queues = Admin::attach(folder).and_then(|mut admin| dlq::set_aside(&mut admin));
    let queues = queues.unwrap_or_default().into_iter();
    let line = |queue: paperflow_connect::admin::Statistics| {
        let waiting = usize::try_from(queue.ready + queue.delayed).unwrap_or(usize::MAX);
        let (messages, name) = (count(waiting, "message"), queue.queue);
        format!(
            "note: {name} has {messages} set aside; `paperflow dlq show {name} {place}` tells why\n"
        )
    };
    queues.map(line).collect()
}
