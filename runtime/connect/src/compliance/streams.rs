//! What streams promise.

mod failures;
mod keeping;
mod reading;

use std::sync::Arc;
use std::time::Duration;

use paperflow_core::Packet;
use paperflow_core::connector::{Connector, ConnectorKind, Declaration, Subscription};
use paperflow_core::message::{Id, Message};

use super::{Bench, Case, ODD_NAME, body, connect, consumer, oddities_pass};
use crate::streams::{Answer, At, GroupStatus, Request, StreamRecord, StreamStatus};

pub use failures::*;
pub use keeping::*;
pub use reading::*;

/// All cases, each for a bench of its own.
pub const CASES: &[Case] = &[
    (
        "t01_facts_stay_for_whoever_comes_later",
        t01_facts_stay_for_whoever_comes_later,
    ),
    (
        "t02_a_group_goes_on_where_it_was",
        t02_a_group_goes_on_where_it_was,
    ),
    (
        "t03_groups_read_independently",
        t03_groups_read_independently,
    ),
    (
        "t04_a_range_can_be_read_by_offset_and_by_time",
        t04_a_range_can_be_read_by_offset_and_by_time,
    ),
    (
        "t05_each_consumer_reads_its_own_partitions",
        t05_each_consumer_reads_its_own_partitions,
    ),
    (
        "t06_the_order_of_a_key_is_kept",
        t06_the_order_of_a_key_is_kept,
    ),
    (
        "t07_an_idle_consumer_takes_over",
        t07_an_idle_consumer_takes_over,
    ),
    (
        "t07_a_partition_moves_when_nothing_of_it_is_unsettled",
        t07_a_partition_moves_when_nothing_of_it_is_unsettled,
    ),
    ("t07_who_left_has_no_say", t07_who_left_has_no_say),
    ("t08_a_group_reads_again", t08_a_group_reads_again),
    (
        "t08_a_replay_outlasts_a_restart",
        t08_a_replay_outlasts_a_restart,
    ),
    (
        "t08_only_streams_can_be_read_again",
        t08_only_streams_can_be_read_again,
    ),
    ("t09_a_failure_is_skipped", t09_a_failure_is_skipped),
    (
        "t10_a_failure_is_tried_again_in_its_place",
        t10_a_failure_is_tried_again_in_its_place,
    ),
    (
        "t10_what_was_behind_a_failure_comes_behind_it_again",
        t10_what_was_behind_a_failure_comes_behind_it_again,
    ),
    (
        "t10_what_was_delivered_behind_a_failure_is_recalled",
        t10_what_was_delivered_behind_a_failure_is_recalled,
    ),
    (
        "t10_attempts_outlast_a_restart",
        t10_attempts_outlast_a_restart,
    ),
    (
        "t11_a_failure_comes_back_at_the_end",
        t11_a_failure_comes_back_at_the_end,
    ),
    (
        "t11_a_copy_that_came_back_is_kept_no_more",
        t11_a_copy_that_came_back_is_kept_no_more,
    ),
    (
        "t11_a_copy_is_set_aside_after_its_tries",
        t11_a_copy_is_set_aside_after_its_tries,
    ),
    (
        "t12_a_dead_letter_knows_where_it_came_from",
        t12_a_dead_letter_knows_where_it_came_from,
    ),
    (
        "t12_dead_letters_can_be_a_stream",
        t12_dead_letters_can_be_a_stream,
    ),
    ("t13_a_stream_has_no_requeue", t13_a_stream_has_no_requeue),
    ("records_go_by_age", records_go_by_age),
    (
        "records_go_by_number_and_size",
        records_go_by_number_and_size,
    ),
    (
        "writers_wait_only_for_a_bounded_lag",
        writers_wait_only_for_a_bounded_lag,
    ),
    (
        "a_message_sent_again_is_known",
        a_message_sent_again_is_known,
    ),
    (
        "a_finished_run_is_followed_by_another",
        a_finished_run_is_followed_by_another,
    ),
    (
        "whatever_a_packet_holds_comes_as_it_went",
        whatever_a_packet_holds_comes_as_it_went,
    ),
];

fn declaration(partitions: u32) -> Declaration {
    let mut declaration = Declaration::new("facts", ConnectorKind::Stream);
    declaration.partitions = partitions;
    declaration.delay.first = Duration::from_secs(1);
    declaration.delay.factor = 1.0;
    declaration.delay.jitter = 0.0;
    declaration
}

fn stream(bench: &dyn Bench, partitions: u32) -> Arc<dyn Connector> {
    connect(bench, &declaration(partitions))
}

fn read(stream: &Arc<dyn Connector>, name: &str, group: &str) -> Arc<dyn Subscription> {
    stream.subscribe(consumer(name, group)).unwrap()
}

/// A record with a key.
fn keyed(key: &str, number: u32) -> Message {
    let record = serde_json::json!({"key": key, "number": number});
    let id = Id::of(&format!("{key} {number}"));
    Message::of(id, &Packet::json(record)).unwrap()
}

fn key_of(message: &Message) -> (String, u64) {
    let json: serde_json::Value = serde_json::from_str(&body(message)).unwrap();
    (
        json["key"].as_str().unwrap().to_owned(),
        json["number"].as_u64().unwrap(),
    )
}

fn status(bench: &dyn Bench, name: &str) -> StreamStatus {
    match bench.ask(Request::List).unwrap() {
        Answer::Streams(streams) => {
            let found = streams.into_iter().find(|stream| stream.name == name);
            found.unwrap()
        }
        other => panic!("{other:?}"),
    }
}

fn group(bench: &dyn Bench, name: &str) -> GroupStatus {
    let request = Request::Groups {
        stream: "facts".to_owned(),
    };
    match bench.ask(request).unwrap() {
        Answer::Groups(groups) => groups.into_iter().find(|group| group.name == name).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn replay(bench: &dyn Bench, group: &str, from: At) -> GroupStatus {
    let request = Request::Replay {
        stream: "facts".to_owned(),
        group: group.to_owned(),
        partition: None,
        from,
    };
    match bench.ask(request).unwrap() {
        Answer::Groups(mut groups) => groups.remove(0),
        other => panic!("{other:?}"),
    }
}

fn tail(bench: &dyn Bench, from: At, to: Option<At>, most: usize) -> Vec<StreamRecord> {
    let mut all = Vec::new();
    let mut after = Vec::new();
    loop {
        let request = Request::Tail {
            stream: "facts".to_owned(),
            partition: None,
            from,
            to,
            after,
            most,
        };
        match bench.ask(request).unwrap() {
            Answer::Records { records, .. } if records.is_empty() => return all,
            Answer::Records {
                records,
                after: next,
            } => {
                all.extend(records);
                after = next;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn texts(records: &[StreamRecord]) -> Vec<&str> {
    let texts = records.iter().map(|record| record.text.as_deref());
    texts.map(Option::unwrap).collect()
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|at| at.to_string()).collect()
}

/// Without a payload, with every byte and every header, under an odd name.
pub fn whatever_a_packet_holds_comes_as_it_went(bench: &mut dyn Bench) {
    let declaration = Declaration::new(ODD_NAME, ConnectorKind::Stream);
    let stream = connect(bench, &declaration);
    let reader = stream.subscribe(consumer("reader", ODD_NAME)).unwrap();
    oddities_pass(&stream, &reader);
}
