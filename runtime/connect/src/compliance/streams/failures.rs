//! What becomes of records that fail.

use std::time::Duration;

use paperflow_core::connector::{
    ConnectorKind, Declaration, Disposition, OnError, Outlook, StoreFaultKind,
};
use paperflow_core::message::{Id, Message};

use super::*;
use crate::compliance::*;
use crate::names;

/// T9: what fails is left behind and counted.
pub fn t09_a_failure_is_skipped(bench: &mut dyn Bench) {
    let mut declaration = declaration(1);
    declaration.on_error = OnError::Skip;
    let stream = connect(bench, &declaration);
    stream.send(&messages(1..6)).unwrap();
    let reader = read(&stream, "one", "g");
    for delivery in take_all(&reader) {
        let disposition = match &*body(&delivery.message) {
            "3" => Disposition::Invalid,
            "5" => Disposition::Retry,
            _ => Disposition::Done,
        };
        settle(&reader, &delivery, disposition);
    }
    reader.flush().unwrap();
    assert_eq!(outlook(&reader), Outlook::default());
    let offset = &group(bench, "g").partitions[0];
    assert_eq!((offset.skipped, offset.offset, offset.lag), (2, 5, 0));
    let invalid = bench.aside("facts.invalid");
    let aside = take_all(&read(&connect(bench, &invalid), "i", ""));
    assert_eq!(
        bodies(&aside),
        ["3"],
        "what cannot be read is kept as it is"
    );
}

/// T10: what fails is tried again in its place, after its rest; its partition waits, the others do not.
pub fn t10_a_failure_is_tried_again_in_its_place(bench: &mut dyn Bench) {
    let mut declaration = declaration(2);
    declaration.key = Some("key".to_owned());
    let stream = connect(bench, &declaration);
    let (one, other) = two_keys(bench, &declaration);
    for number in 1..5 {
        stream
            .send(&[keyed(&one, number), keyed(&other, number)])
            .unwrap();
    }
    let reader = read(&stream, "one", "g");
    let mut handled = Vec::new();
    for round in 0..3 {
        // One at a time, so that what is behind a failure is not on its way.
        while let [delivery] = &take(&reader, 1)[..] {
            let (key, number) = key_of(&delivery.message);
            let fails = key == one && number == 3 && round < 2;
            assert_eq!(
                delivery.attempt,
                if (&*key, number) == (&*one, 3) {
                    round + 1
                } else {
                    1
                }
            );
            if fails {
                settle(&reader, delivery, Disposition::Retry);
            } else {
                handled.push((key, number));
                settle(&reader, delivery, Disposition::Done);
            }
        }
        if round < 2 {
            let lag: u64 = group(bench, "g").partitions.iter().map(|at| at.lag).sum();
            assert_eq!(lag, 2, "the failed one and the one behind it");
            assert!(outlook(&reader).due.is_some());
            let second = Duration::from_secs(1);
            let nearly = bench.nearly(second);
            bench.advance(nearly);
            assert!(take(&reader, 1).is_empty());
            bench.advance(second - nearly);
        }
    }
    for key in [&one, &other] {
        let own = handled.iter().filter(|(other, _)| other == key);
        let own: Vec<u64> = own.map(|(_, number)| *number).collect();
        assert_eq!(own, [1, 2, 3, 4]);
    }
}

/// Two keys in different partitions.
fn two_keys(bench: &dyn Bench, declaration: &Declaration) -> (String, String) {
    let mut probe = declaration.clone();
    probe.name = "facts".to_owned() + ".probe";
    let stream = connect(bench, &probe);
    let keys: Vec<String> = (0..20).map(|key| format!("k{key}")).collect();
    let records: Vec<Message> = keys.iter().map(|key| keyed(key, 0)).collect();
    stream.send(&records).unwrap();
    let (a, b) = (read(&stream, "a", "g"), read(&stream, "b", "g"));
    let first = |reader| key_of(&take(reader, 1)[0].message).0;
    (first(&a), first(&b))
}

/// T10: when a failure turns the reading back, what was behind it and given back comes behind it again.
pub fn t10_what_was_behind_a_failure_comes_behind_it_again(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(1..6)).unwrap();
    let reader = read(&stream, "one", "g");
    let found = take_all(&reader);
    settle(&reader, &found[0], Disposition::Done);
    settle(&reader, &found[3], Disposition::Release);
    settle(&reader, &found[1], Disposition::Retry);
    settle(&reader, &found[2], Disposition::Done);
    settle(&reader, &found[4], Disposition::Release);
    reader.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].offset, 1);
    assert!(take_all(&reader).is_empty());
    bench.advance(Duration::from_secs(1));
    let again = take_all(&reader);
    assert_eq!(bodies(&again), ["2", "4", "5"]);
    let attempts: Vec<u32> = again.iter().map(|one| one.attempt).collect();
    assert_eq!(attempts, [2, 1, 1]);
    settle_all(&reader, &again);
    reader.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].lag, 0);
}

/// T10: what was delivered behind a failure is wanted back, in its partition and nowhere else; and a failure
/// counts whatever is delivered behind it.
pub fn t10_what_was_delivered_behind_a_failure_is_recalled(bench: &mut dyn Bench) {
    let mut declaration = declaration(2);
    declaration.key = Some("key".to_owned());
    let stream = connect(bench, &declaration);
    let (one, other) = two_keys(bench, &declaration);
    for number in 1..4 {
        stream
            .send(&[keyed(&one, number), keyed(&other, number)])
            .unwrap();
    }
    let reader = read(&stream, "one", "g");
    let poison = (one, 2);
    for attempt in 1..=declaration.retries {
        let found = take_all(&reader);
        let fails = |delivery: &&Delivery| key_of(&delivery.message) == poison;
        let failing = found.iter().find(fails).unwrap();
        assert_eq!(failing.attempt, attempt);
        settle(&reader, failing, Disposition::Retry);
        let recalled: Vec<_> = found
            .iter()
            .filter(|delivery| delivery.recall.is_recalled())
            .collect();
        let keys: Vec<_> = recalled
            .iter()
            .map(|found| key_of(&found.message))
            .collect();
        assert_eq!(keys, [(poison.0.clone(), 3)]);
        recalled
            .iter()
            .for_each(|found| settle(&reader, found, Disposition::Release));
        bench.advance(Duration::from_secs(60));
    }
}

/// T10: attempts, and the rest between them, are known after a restart.
pub fn t10_attempts_outlast_a_restart(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(1..3)).unwrap();
    let reader = read(&stream, "one", "g");
    settle(&reader, &take(&reader, 1)[0], Disposition::Retry);
    reader.flush().unwrap();
    drop((reader, stream));
    bench.restart();
    let stream = self::stream(bench, 1);
    let reader = read(&stream, "one", "g");
    assert!(take_all(&reader).is_empty(), "it rests");
    bench.advance(Duration::from_secs(1));
    let found = take_all(&reader);
    assert_eq!(bodies(&found), ["1", "2"]);
    assert_eq!(found[0].attempt, 2);
}

/// T11: what fails is copied to a delay stream and comes back at the end; its order is lost.
pub fn t11_a_failure_comes_back_at_the_end(bench: &mut dyn Bench) {
    let mut declaration = declaration(1);
    declaration.on_error = OnError::Copy("later".to_owned());
    let stream = connect(bench, &declaration);
    stream.send(&messages(1..6)).unwrap();
    let (reader, other) = (read(&stream, "one", "g"), read(&stream, "two", "other"));
    let mut handled = Vec::new();
    let found = take_all(&reader);
    for delivery in &found {
        let disposition = match &*body(&delivery.message) {
            "3" => Disposition::Retry,
            _ => Disposition::Done,
        };
        if disposition == Disposition::Done {
            handled.push(body(&delivery.message));
        }
        settle(&reader, delivery, disposition);
    }
    reader.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].lag, 0, "the stream goes on");
    assert!(outlook(&reader).due.is_some(), "one is to come back");
    assert_eq!(status(bench, "later").partitions[0].records, 1);
    drop((reader, stream));
    settle_all(&other, &take_all(&other));
    drop(other);
    bench.restart();
    let stream = connect(bench, &declaration);
    let (reader, other) = (read(&stream, "one", "g"), read(&stream, "two", "other"));
    assert!(take_all(&reader).is_empty());
    bench.advance(Duration::from_secs(1));
    let back = take_all(&reader);
    assert_eq!(bodies(&back), ["3"]);
    assert_eq!(back[0].attempt, 2);
    handled.extend(bodies(&back));
    assert_eq!(handled, ["1", "2", "4", "5", "3"]);
    assert!(take_all(&other).is_empty(), "only who failed gets it again");
    settle_all(&reader, &back);
    reader.flush().unwrap();
    assert_eq!(outlook(&reader), Outlook::default());
    assert!(
        group(bench, "other").partitions[0].lag == 0,
        "and the other has nothing left"
    );
}

/// T11: what has come back from a delay stream is kept there no more.
pub fn t11_a_copy_that_came_back_is_kept_no_more(bench: &mut dyn Bench) {
    let mut declaration = declaration(1);
    declaration.on_error = OnError::Copy("later".to_owned());
    let stream = connect(bench, &declaration);
    stream.send(&messages(1..3)).unwrap();
    let reader = read(&stream, "one", "g");
    let found = take_all(&reader);
    settle(&reader, &found[0], Disposition::Retry);
    settle(&reader, &found[1], Disposition::Done);
    reader.flush().unwrap();
    assert_eq!(status(bench, "later").partitions[0].records, 1);
    bench.advance(Duration::from_secs(1));
    assert_eq!(bodies(&take_all(&reader)), ["1"]);
    assert_eq!(status(bench, "later").partitions[0].records, 0);
}

/// T11: a copy that fails as often as it may is set aside.
pub fn t11_a_copy_is_set_aside_after_its_tries(bench: &mut dyn Bench) {
    let mut declaration = declaration(1);
    declaration.on_error = OnError::Copy("later".to_owned());
    declaration.retries = 2;
    let stream = connect(bench, &declaration);
    stream.send(&messages(1..2)).unwrap();
    let reader = read(&stream, "one", "g");
    let mut attempts = Vec::new();
    for _ in 0..5 {
        for delivery in take_all(&reader) {
            attempts.push(delivery.attempt);
            settle(&reader, &delivery, Disposition::Retry);
        }
        reader.flush().unwrap();
        bench.advance(Duration::from_secs(1));
    }
    assert_eq!(attempts, [1, 2, 3]);
    let dead = bench.aside("facts.dead");
    let dead = take_all(&read(&connect(bench, &dead), "d", ""));
    assert_eq!(bodies(&dead), ["1"]);
    assert_eq!(dead[0].message.headers.get(names::ATTEMPTS), Some("3"));
}

/// T12: what fails as often as it may goes to a queue, and knows where it came from.
pub fn t12_a_dead_letter_knows_where_it_came_from(bench: &mut dyn Bench) {
    let mut declaration = declaration(1);
    declaration.retries = 2;
    let stream = connect(bench, &declaration);
    stream.send(&messages(1..5)).unwrap();
    let reader = read(&stream, "one", "g");
    let mut attempts = 0;
    for _ in 0..4 {
        for delivery in take_all(&reader) {
            let fails = body(&delivery.message) == "3";
            attempts += u32::from(fails);
            let disposition = if fails {
                Disposition::Retry
            } else {
                Disposition::Done
            };
            settle(&reader, &delivery, disposition);
        }
        bench.advance(Duration::from_secs(1));
    }
    reader.flush().unwrap();
    assert_eq!(attempts, 3, "once and two more times");
    assert_eq!(group(bench, "g").partitions[0].lag, 0);
    let dead = bench.aside("facts.dead");
    let dead = take_all(&read(&connect(bench, &dead), "d", ""));
    let [dead] = &dead[..] else {
        panic!("{dead:?}");
    };
    assert_eq!(dead.message.id, Id::of("3"));
    let header = |name| dead.message.headers.get(name);
    assert_eq!(header(names::CONNECTOR), Some("facts"));
    assert_eq!(header(names::PARTITION), Some("0"));
    assert_eq!(header(names::OFFSET), Some("2"));
    assert_eq!(header(names::GROUP), Some("g"));
    assert_eq!(header(names::ATTEMPTS), Some("3"));
    assert_eq!(header(names::REASON), Some("delivery-error"));
    assert_eq!(header(names::ERROR), Some("no luck"));
}

/// T12: if there is a stream of that name, it goes there.
pub fn t12_dead_letters_can_be_a_stream(bench: &mut dyn Bench) {
    let mut declaration = declaration(1);
    declaration.dead_letter = Some("graves".to_owned());
    let graves = connect(bench, &Declaration::new("graves", ConnectorKind::Stream));
    let stream = connect(bench, &declaration);
    stream.send(&messages(1..3)).unwrap();
    let reader = read(&stream, "one", "g");
    let found = take_all(&reader);
    settle(&reader, &found[0], Disposition::Reject);
    settle(&reader, &found[1], Disposition::Done);
    reader.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].lag, 0);
    let dead = take_all(&read(&graves, "d", "g"));
    assert_eq!(bodies(&dead), ["1"]);
    assert_eq!(dead[0].message.headers.get(names::OFFSET), Some("0"));
    assert_eq!(dead[0].message.headers.get(names::REASON), Some("rejected"));
}

/// T13: no record can be given back alone.
pub fn t13_a_stream_has_no_requeue(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(1..3)).unwrap();
    let reader = read(&stream, "one", "g");
    let found = take_all(&reader);
    let refused = reader.requeue(found[0].ticket, Duration::ZERO).unwrap_err();
    assert_eq!(refused.kind(), StoreFaultKind::Unsupported);
    for strategy in ["skip", "retry", "copy"] {
        assert!(refused.to_string().contains(strategy), "{refused}");
    }
    settle_all(&reader, &found);
    reader.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].lag, 0, "it was as it was");
}
