//! Channels of the embedded store, by the suite that every store passes.
#![cfg(feature = "compliance")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bench;

use paperflow_connect::compliance::{Bench, pubsub};

fn check(check: fn(&mut dyn Bench)) {
    check(&mut bench::Folder::new());
}

#[test]
fn c05_each_subscriber_gets_a_copy() {
    check(pubsub::c05_each_subscriber_gets_a_copy);
}

#[test]
fn c05_copies_outlast_a_crash() {
    check(pubsub::c05_copies_outlast_a_crash);
}

#[test]
fn what_was_sent_before_a_crash_is_known() {
    check(pubsub::what_was_sent_before_a_crash_is_known);
}

#[test]
fn c05_a_subscription_ends() {
    check(pubsub::c05_a_subscription_ends);
}

#[test]
fn c15_an_event_for_nobody_is_counted() {
    check(pubsub::c15_an_event_for_nobody_is_counted);
}

#[test]
fn a_new_subscriber_gets_the_last_message() {
    check(pubsub::a_new_subscriber_gets_the_last_message);
}

#[test]
fn a_failure_is_its_subscribers_own() {
    check(pubsub::a_failure_is_its_subscribers_own);
}

#[test]
fn a_writer_waits_for_the_slowest_that_is_there() {
    check(pubsub::a_writer_waits_for_the_slowest_that_is_there);
}
