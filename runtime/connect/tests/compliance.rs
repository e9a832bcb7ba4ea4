//! The embedded store, by the suite that every store passes; and the page of what all stores pass.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bench;

use paperflow_connect::compliance::record::{page_is_current, recorded};
use paperflow_connect::compliance::{Case, check, pubsub, queues, streams};
use paperflow_core::connector::ConnectorKind;

/// Every store of which there is a column.
const STORES: [&str; 6] = ["embedded", "redis", "nats", "amqp", "kafka", "mqtt"];

fn suites() -> [(ConnectorKind, Vec<Case>); 3] {
    [
        (ConnectorKind::Queue, queues::cases()),
        (ConnectorKind::Stream, streams::CASES.to_vec()),
        (ConnectorKind::Pubsub, pubsub::CASES.to_vec()),
    ]
}

#[test]
fn the_embedded_store_complies() {
    for (kind, cases) in suites() {
        let lines = check(&cases, &[], || Box::new(bench::Folder::new()));
        assert!(lines.iter().all(|line| line.starts_with("holds")));
        recorded("embedded", kind, &lines);
    }
}

#[test]
fn the_page_of_all_stores_is_current() {
    page_is_current(&STORES, &suites());
}
