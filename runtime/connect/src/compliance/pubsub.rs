//! What publish-subscribe channels promise.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use paperflow_core::connector::{
    Connector, ConnectorKind, Declaration, Disposition, Outlook, Subscription,
};

use super::{
    Bench, Case, ODD_NAME, bodies, connect, consumer, message, messages, oddities_pass, outlook,
    settle, settle_all, take, take_all,
};
use crate::ChannelStatus;
use crate::streams::{Answer, Request};

/// All cases, each for a bench of its own.
pub const CASES: &[Case] = &[
    (
        "c05_each_subscriber_gets_a_copy",
        c05_each_subscriber_gets_a_copy,
    ),
    ("c05_copies_outlast_a_crash", c05_copies_outlast_a_crash),
    (
        "what_was_sent_before_a_crash_is_known",
        what_was_sent_before_a_crash_is_known,
    ),
    ("c05_a_subscription_ends", c05_a_subscription_ends),
    (
        "c15_an_event_for_nobody_is_counted",
        c15_an_event_for_nobody_is_counted,
    ),
    (
        "a_new_subscriber_gets_the_last_message",
        a_new_subscriber_gets_the_last_message,
    ),
    (
        "a_failure_is_its_subscribers_own",
        a_failure_is_its_subscribers_own,
    ),
    (
        "a_writer_waits_for_the_slowest_that_is_there",
        a_writer_waits_for_the_slowest_that_is_there,
    ),
    (
        "whatever_a_packet_holds_comes_as_it_went",
        whatever_a_packet_holds_comes_as_it_went,
    ),
];

fn declaration() -> Declaration {
    let mut declaration = Declaration::new("news", ConnectorKind::Pubsub);
    declaration.delay.jitter = 0.0;
    declaration
}

fn channel(bench: &dyn Bench) -> Arc<dyn Connector> {
    connect(bench, &declaration())
}

/// Without a payload, with every byte and every header, under an odd name.
pub fn whatever_a_packet_holds_comes_as_it_went(bench: &mut dyn Bench) {
    let declaration = Declaration::new(ODD_NAME, ConnectorKind::Pubsub);
    let channel = connect(bench, &declaration);
    let reader = join(&channel, &format!("reader {ODD_NAME}"));
    oddities_pass(&channel, &reader);
}

fn join(channel: &Arc<dyn Connector>, name: &str) -> Arc<dyn Subscription> {
    channel.subscribe(consumer(name, "")).unwrap()
}

fn status(bench: &dyn Bench) -> ChannelStatus {
    match bench.ask(Request::Channels).unwrap() {
        Answer::Channels(mut channels) => channels.remove(0),
        other => panic!("{other:?}"),
    }
}

fn subscribers(bench: &dyn Bench) -> Vec<(String, bool, u64)> {
    let all = status(bench).subscribers.into_iter();
    all.map(|one| (one.name, one.is_present, one.copies))
        .collect()
}

/// C5: a copy for each subscriber, also for one that comes while others are at work.
pub fn c05_each_subscriber_gets_a_copy(bench: &mut dyn Bench) {
    let channel = channel(bench);
    let mut readers = ["a", "b", "c"].map(|name| join(&channel, name)).to_vec();
    channel.send(&[message("first")]).unwrap();
    let mut copies = 0;
    for reader in &readers {
        let found = take_all(reader);
        assert_eq!(bodies(&found), ["first"]);
        copies += found.len();
        settle_all(reader, &found);
    }
    readers.push(join(&channel, "d"));
    assert_eq!(channel.send(&[message("second")]).unwrap().written, 1);
    for reader in &readers {
        let found = take_all(reader);
        assert_eq!(bodies(&found), ["second"], "none gets what was before it");
        copies += found.len();
        settle_all(reader, &found);
        reader.flush().unwrap();
        assert_eq!(outlook(reader), Outlook::default());
    }
    assert_eq!(copies, 7);
    assert!(
        subscribers(bench)
            .iter()
            .all(|(_, is_present, copies)| *is_present && *copies == 0)
    );
}

/// C5: what a subscriber has not done is there after a crash; it missed nothing.
pub fn c05_copies_outlast_a_crash(bench: &mut dyn Bench) {
    let channel = channel(bench);
    let (a, b) = (join(&channel, "a"), join(&channel, "b"));
    channel.send(&messages(0..5)).unwrap();
    // A broker that sends them to us may do so one by one.
    let mut found = take(&a, 2);
    if found.len() == 1 {
        found.extend(take(&a, 1));
    }
    settle_all(&a, &found);
    a.flush().unwrap();
    settle_all(&b, &take_all(&b));
    b.flush().unwrap();
    bench.crash();
    drop((a, b, channel));
    let channel = self::channel(bench);
    let (a, b) = (join(&channel, "a"), join(&channel, "b"));
    assert_eq!(bodies(&take_all(&a)), ["2", "3", "4"]);
    assert!(take_all(&b).is_empty());
}

/// The same messages in the same run are known.
pub fn what_was_sent_before_a_crash_is_known(bench: &mut dyn Bench) {
    let channel = channel(bench);
    let a = join(&channel, "a");
    channel.send(&messages(0..5)).unwrap();
    settle_all(&a, &take_all(&a));
    a.flush().unwrap();
    bench.crash();
    drop((a, channel));
    let channel = self::channel(bench);
    let a = join(&channel, "a");
    assert_eq!(channel.send(&messages(3..6)).unwrap().known, 2);
    assert_eq!(bodies(&take_all(&a)), ["5"]);
}

/// C5: a subscription ends when its subscriber leaves with nothing to do; who left with something keeps
/// that, and gets no more.
pub fn c05_a_subscription_ends(bench: &mut dyn Bench) {
    let channel = channel(bench);
    let (a, b) = (join(&channel, "a"), join(&channel, "b"));
    channel.send(&messages(0..2)).unwrap();
    settle_all(&a, &take_all(&a));
    settle_all(&b, &take(&b, 1));
    a.close();
    b.close();
    assert_eq!(subscribers(bench), [("b".to_owned(), false, 1)]);
    channel.send(&messages(2..4)).unwrap();
    let (a, b) = (join(&channel, "a"), join(&channel, "b"));
    assert!(take_all(&a).is_empty());
    assert_eq!(bodies(&take_all(&b)), ["1"]);
    assert_eq!(status(bench).unobserved, 2);
}

/// C15: an event for nobody is no error, and is counted.
pub fn c15_an_event_for_nobody_is_counted(bench: &mut dyn Bench) {
    let channel = channel(bench);
    assert_eq!(channel.send(&messages(0..3)).unwrap().written, 3);
    let status = status(bench);
    assert_eq!((status.sent, status.unobserved), (3, 3));
    assert_eq!(channel.room(Waker::noop()).unwrap(), usize::MAX);
    assert!(take_all(&join(&channel, "late")).is_empty());
}

/// A new subscriber gets the last message first, if the channel keeps it; one that comes back does not.
pub fn a_new_subscriber_gets_the_last_message(bench: &mut dyn Bench) {
    let mut declaration = declaration();
    declaration.retained = true;
    let channel = connect(bench, &declaration);
    channel.send(&messages(0..3)).unwrap();
    let reader = join(&channel, "a");
    let found = take_all(&reader);
    assert_eq!(bodies(&found), ["2"]);
    settle_all(&reader, &found);
    reader.flush().unwrap();
    let again = join(&channel, "a");
    assert!(take_all(&again).is_empty());
    drop((reader, again, channel));
    bench.restart();
    let channel = connect(bench, &declaration);
    assert_eq!(bodies(&take_all(&join(&channel, "b"))), ["2"]);
}

/// What fails for one subscriber is no business of the others.
pub fn a_failure_is_its_subscribers_own(bench: &mut dyn Bench) {
    let mut declaration = declaration();
    declaration.retries = 1;
    let channel = connect(bench, &declaration);
    let (a, b) = (join(&channel, "a"), join(&channel, "b"));
    channel.send(&messages(0..1)).unwrap();
    settle_all(&b, &take_all(&b));
    for attempt in [1, 2] {
        let found = take_all(&a);
        assert_eq!(found[0].attempt, attempt);
        settle(&a, &found[0], Disposition::Retry);
        bench.advance(Duration::from_secs(60));
    }
    a.flush().unwrap();
    assert!(take_all(&a).is_empty() && take_all(&b).is_empty());
    assert_eq!(bench.set_aside("news.dead"), ["0"]);
}

/// A writer waits for the slowest subscriber that is there, and for nobody who is not.
pub fn a_writer_waits_for_the_slowest_that_is_there(bench: &mut dyn Bench) {
    let mut declaration = declaration();
    declaration.capacity = 10;
    let channel = connect(bench, &declaration);
    let (fast, slow) = (join(&channel, "fast"), join(&channel, "slow"));
    channel.send(&messages(0..8)).unwrap();
    take_all(&fast);
    assert_eq!(channel.room(Waker::noop()).unwrap(), 2);
    slow.close();
    assert_eq!(channel.room(Waker::noop()).unwrap(), 10);
}
