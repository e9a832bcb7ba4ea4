//! Streams of the embedded store, by the suite that every store passes.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod bench;

use paperflow_connect::compliance::{Bench, streams};

fn check(check: fn(&mut dyn Bench)) {
    check(&mut bench::Folder::new());
}

#[test]
fn t01_facts_stay_for_whoever_comes_later() {
    check(streams::t01_facts_stay_for_whoever_comes_later);
}

#[test]
fn t02_a_group_goes_on_where_it_was() {
    check(streams::t02_a_group_goes_on_where_it_was);
}

#[test]
fn t03_groups_read_independently() {
    check(streams::t03_groups_read_independently);
}

#[test]
fn t04_a_range_can_be_read_by_offset_and_by_time() {
    check(streams::t04_a_range_can_be_read_by_offset_and_by_time);
}

#[test]
fn t05_each_consumer_reads_its_own_partitions() {
    check(streams::t05_each_consumer_reads_its_own_partitions);
}

#[test]
fn t06_the_order_of_a_key_is_kept() {
    check(streams::t06_the_order_of_a_key_is_kept);
}

#[test]
fn t07_an_idle_consumer_takes_over() {
    check(streams::t07_an_idle_consumer_takes_over);
}

#[test]
fn t07_a_partition_moves_when_nothing_of_it_is_unsettled() {
    check(streams::t07_a_partition_moves_when_nothing_of_it_is_unsettled);
}

#[test]
fn t07_who_left_has_no_say() {
    check(streams::t07_who_left_has_no_say);
}

#[test]
fn t08_a_group_reads_again() {
    check(streams::t08_a_group_reads_again);
}

#[test]
fn t08_a_replay_outlasts_a_restart() {
    check(streams::t08_a_replay_outlasts_a_restart);
}

#[test]
fn t08_only_streams_can_be_read_again() {
    check(streams::t08_only_streams_can_be_read_again);
}

#[test]
fn t09_a_failure_is_skipped() {
    check(streams::t09_a_failure_is_skipped);
}

#[test]
fn t10_a_failure_is_tried_again_in_its_place() {
    check(streams::t10_a_failure_is_tried_again_in_its_place);
}

#[test]
fn t10_what_was_behind_a_failure_comes_behind_it_again() {
    check(streams::t10_what_was_behind_a_failure_comes_behind_it_again);
}

#[test]
fn t10_what_was_delivered_behind_a_failure_is_recalled() {
    check(streams::t10_what_was_delivered_behind_a_failure_is_recalled);
}

#[test]
fn t10_attempts_outlast_a_restart() {
    check(streams::t10_attempts_outlast_a_restart);
}

#[test]
fn t11_a_failure_comes_back_at_the_end() {
    check(streams::t11_a_failure_comes_back_at_the_end);
}

#[test]
fn t11_a_copy_is_set_aside_after_its_tries() {
    check(streams::t11_a_copy_is_set_aside_after_its_tries);
}

#[test]
fn t12_a_dead_letter_knows_where_it_came_from() {
    check(streams::t12_a_dead_letter_knows_where_it_came_from);
}

#[test]
fn t12_dead_letters_can_be_a_stream() {
    check(streams::t12_dead_letters_can_be_a_stream);
}

#[test]
fn t13_a_stream_has_no_requeue() {
    check(streams::t13_a_stream_has_no_requeue);
}

#[test]
fn records_go_by_age() {
    check(streams::records_go_by_age);
}

#[test]
fn records_go_by_number_and_size() {
    check(streams::records_go_by_number_and_size);
}

#[test]
fn writers_wait_only_for_a_bounded_lag() {
    check(streams::writers_wait_only_for_a_bounded_lag);
}

#[test]
fn a_message_sent_again_is_known() {
    check(streams::a_message_sent_again_is_known);
}

#[test]
fn a_finished_run_is_followed_by_another() {
    check(streams::a_finished_run_is_followed_by_another);
}
