//! Queues and desks of the embedded store, by the suite that every store passes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bench;

use paperflow_connect::compliance::{check, queues};

#[test]
fn the_embedded_store_complies() {
    let lines = check(&queues::cases(), &[], || Box::new(bench::Folder::new()));
    assert!(lines.iter().all(|line| line.starts_with("holds")));
}
