//! How long records are kept, and who waits.

use std::collections::BTreeSet;
use std::task::Waker;
use std::time::Duration;

use super::*;
use crate::compliance::*;

/// Records are kept so long, and no longer; who has not read them by then knows how many it missed.
pub fn records_go_by_age(bench: &mut dyn Bench) {
    let mut declaration = declaration(1);
    declaration.retain.age = Some(Duration::from_secs(60));
    let stream = connect(bench, &declaration);
    stream.send(&messages(0..700)).unwrap();
    bench.advance(Duration::from_secs(30));
    stream.send(&messages(700..710)).unwrap();
    let reader = read(&stream, "one", "g");
    assert_eq!(status(bench, "facts").partitions[0].records, 710);
    bench.advance(Duration::from_secs(30));
    let partition = status(bench, "facts").partitions[0];
    assert_eq!(
        (partition.first, partition.next, partition.records),
        (700, 710, 10)
    );
    let found = take_all(&reader);
    assert_eq!(bodies(&found), numbers(700..710));
    settle_all(&reader, &found);
    reader.flush().unwrap();
    let offset = &group(bench, "g").partitions[0];
    assert_eq!((offset.expired, offset.offset, offset.lag), (700, 710, 0));
    bench.advance(Duration::from_secs(30));
    assert_eq!(status(bench, "facts").partitions[0].records, 0);
}

/// No more records, and no more bytes, are kept than the declaration says, by and by.
pub fn records_go_by_number_and_size(bench: &mut dyn Bench) {
    for by_size in [false, true] {
        let mut declaration = declaration(2);
        declaration.name = format!("facts.{by_size}");
        if by_size {
            declaration.retain.bytes = Some(300);
        } else {
            declaration.retain.messages = Some(100);
        }
        let stream = connect(bench, &declaration);
        for at in 0..20 {
            stream.send(&messages(100 * at..100 * (at + 1))).unwrap();
        }
        bench.advance(Duration::ZERO);
        let status = status(bench, &declaration.name);
        let records: u64 = status.partitions.iter().map(|at| at.records).sum();
        let bytes: u64 = status.partitions.iter().map(|at| at.bytes).sum();
        assert!((50..=101).contains(&records), "{records} records");
        assert!(!by_size || bytes <= 304, "{bytes} bytes");
        let found = take_all(&read(&stream, "one", "g"));
        assert_eq!(found.len() as u64, records);
        let last: BTreeSet<String> = bodies(&found).into_iter().collect();
        assert!(last.contains("1999"), "the latest stay");
    }
}

/// A stream without a bound takes everything, however slow its readers; with one its writers wait for
/// the slowest group that is there.
pub fn writers_wait_only_for_a_bounded_lag(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    let slow = read(&stream, "slow", "g");
    stream.send(&messages(0..100)).unwrap();
    assert_eq!(stream.room(Waker::noop()).unwrap(), usize::MAX);
    let mut bounded = declaration(1);
    bounded.lag = Some(150);
    let stream = connect(bench, &bounded);
    assert_eq!(stream.room(Waker::noop()).unwrap(), 50);
    stream.send(&messages(100..150)).unwrap();
    assert_eq!(stream.room(Waker::noop()).unwrap(), 0);
    let held = take(&slow, 20);
    assert_eq!(
        stream.room(Waker::noop()).unwrap(),
        20,
        "what is held does not count, or who holds all of it would wait for ever"
    );
    settle(&slow, &held[0], Disposition::Release);
    assert_eq!(stream.room(Waker::noop()).unwrap(), 19);
    settle_all(&slow, &held[1..]);
    drop(slow);
    let free = stream.room(Waker::noop()).unwrap();
    assert_eq!(free, 150, "who is not there holds nobody up");
}

/// A message that is sent again in the same run is known.
pub fn a_message_sent_again_is_known(bench: &mut dyn Bench) {
    let stream = stream(bench, 2);
    assert_eq!(stream.send(&messages(0..5)).unwrap().written, 5);
    let again = stream.send(&messages(3..7)).unwrap();
    assert_eq!((again.written, again.known), (2, 2));
    assert_eq!(take_all(&read(&stream, "one", "g")).len(), 7);
}

/// What was sent in a run that has finished well may be sent again in the next.
pub fn a_finished_run_is_followed_by_another(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    let epoch = bench.store().epoch("graph").unwrap();
    assert_eq!(stream.send(&messages(0..5)).unwrap().written, 5);
    bench.store().finish("graph", epoch).unwrap();
    let stream = self::stream(bench, 1);
    assert_ne!(bench.store().epoch("graph").unwrap(), epoch);
    assert_eq!(stream.send(&messages(0..5)).unwrap().written, 5);
    assert_eq!(stream.send(&messages(0..5)).unwrap().known, 5);
}
