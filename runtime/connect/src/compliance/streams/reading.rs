//! Who reads what, and where it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use paperflow_core::connector::{
    Connector, ConnectorKind, Declaration, Disposition, Outlook, StoreFaultKind,
};
use paperflow_core::message::Message;

use super::*;
use crate::compliance::*;
use crate::names;
use crate::streams::{At, Request};

/// T1: facts are there for whoever comes later, and stay.
pub fn t01_facts_stay_for_whoever_comes_later(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(0..5)).unwrap();
    let reader = read(&stream, "late", "g");
    let found = take_all(&reader);
    assert_eq!(bodies(&found), numbers(0..5));
    settle_all(&reader, &found);
    reader.flush().unwrap();
    assert_eq!(outlook(&reader), Outlook::default());
    assert_eq!(status(bench, "facts").partitions[0].records, 5);
}

/// T2: a group goes on behind what it has finished.
pub fn t02_a_group_goes_on_where_it_was(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(0..10)).unwrap();
    let reader = read(&stream, "one", "g");
    let found = take(&reader, 10);
    settle_all(&reader, &found[..7]);
    // Settled out of turn: what is before it is not finished.
    settle(&reader, &found[9], Disposition::Done);
    reader.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].offset, 7);
    drop((reader, stream));
    bench.restart();
    let stream = self::stream(bench, 1);
    let reader = read(&stream, "one", "g");
    let found = take_all(&reader);
    assert_eq!(bodies(&found), numbers(7..10));
    assert!(found.iter().all(|delivery| delivery.attempt == 1));
}

/// T3: a group's reading takes nothing from another.
pub fn t03_groups_read_independently(bench: &mut dyn Bench) {
    let stream = stream(bench, 2);
    stream.send(&messages(0..10)).unwrap();
    for name in ["g1", "g2"] {
        let reader = read(&stream, name, name);
        let found = take_all(&reader);
        settle_all(&reader, &found);
        let all: BTreeSet<String> = bodies(&found).into_iter().collect();
        assert_eq!(all.len(), 10, "{name}");
    }
}

/// T4: a range of the stream, by offset or time, is what a state follows from.
pub fn t04_a_range_can_be_read_by_offset_and_by_time(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    let between = Duration::from_secs(10);
    for change in ["+10", "+5", "-3"] {
        stream.send(&[message(change)]).unwrap();
        bench.advance(between);
    }
    let at_one = tail(bench, At::Start, Some(At::Offset(1)), 1);
    assert_eq!(texts(&at_one), ["+10", "+5"]);
    let all = tail(bench, At::Start, None, 100);
    assert_eq!(texts(&all), ["+10", "+5", "-3"]);
    let second = all[1].at;
    let gone = Duration::from_millis(second - all[0].at);
    assert!(bench.has_gone(gone, between), "{gone:?}");
    let to = |at| tail(bench, At::Start, Some(At::Time(at)), 100);
    assert_eq!(texts(&to(second)), ["+10", "+5"]);
    assert_eq!(texts(&to(second - 1)), ["+10"]);
    assert_eq!(texts(&tail(bench, At::Time(second + 1), None, 100)), ["-3"]);
    assert_eq!(texts(&tail(bench, At::Back(1), None, 100)), ["-3"]);
}

/// T5: each consumer reads its partitions only, and together they read everything.
pub fn t05_each_consumer_reads_its_own_partitions(bench: &mut dyn Bench) {
    let mut declaration = declaration(3);
    declaration.key = Some("key".to_owned());
    let stream = connect(bench, &declaration);
    let keys: Vec<String> = (0..30).map(|key| format!("key {key}")).collect();
    for number in 0..10 {
        let records: Vec<Message> = keys.iter().map(|key| keyed(key, number)).collect();
        stream.send(&records).unwrap();
    }
    let readers = ["a", "b", "c"].map(|name| read(&stream, name, "g"));
    let mut owners: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0;
    for (at, reader) in readers.iter().enumerate() {
        let found = take_all(reader);
        assert!(!found.is_empty(), "consumer {at} has a partition");
        count += found.len();
        for delivery in &found {
            let (key, _) = key_of(&delivery.message);
            assert_eq!(*owners.entry(key).or_insert(at), at, "a key has one reader");
        }
    }
    assert_eq!((count, owners.len()), (300, 30));
}

/// T6: the order of a key is kept, also when the stream has more partitions than before, where only some
/// keys move.
pub fn t06_the_order_of_a_key_is_kept(bench: &mut dyn Bench) {
    let mut declaration = declaration(4);
    declaration.key = Some("key".to_owned());
    let keys: Vec<String> = (0..40).map(|key| format!("key {key}")).collect();
    let stream = connect(bench, &declaration);
    let write = |stream: &Arc<dyn Connector>, numbers: std::ops::Range<u32>| {
        for number in numbers {
            let records: Vec<Message> = keys.iter().map(|key| keyed(key, number)).collect();
            stream.send(&records).unwrap();
        }
    };
    write(&stream, 0..20);
    let reader = read(&stream, "one", "g");
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    let found = take_all(&reader);
    assert_eq!(found.len(), 800);
    for delivery in &found {
        let (key, number) = key_of(&delivery.message);
        let before = last.insert(key, number);
        assert!(before.is_none_or(|before| before < number));
    }
    settle_all(&reader, &found);
    reader.flush().unwrap();
    drop((reader, stream));
    let places = |bench: &dyn Bench, number: u64| -> BTreeMap<String, u32> {
        let records = tail(bench, At::Start, None, 1000);
        let all = records.iter().map(|record| {
            let text = record.text.as_deref().unwrap();
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            let key = json["key"].as_str().unwrap().to_owned();
            (json["number"].as_u64() == Some(number)).then_some((key, record.partition))
        });
        all.flatten().collect()
    };
    let before = places(bench, 0);
    declaration.partitions = 5;
    let stream = connect(bench, &declaration);
    write(&stream, 20..21);
    let after = places(bench, 20);
    let moved: Vec<_> = before
        .iter()
        .filter(|(key, at)| after[*key] != **at)
        .collect();
    assert!(
        moved.iter().all(|(key, _)| after[*key] == 4),
        "only to the new one"
    );
    assert!((1..=20).contains(&moved.len()), "{} of 40", moved.len());
    let reader = read(&stream, "one", "g");
    assert_eq!(take_all(&reader).len(), 40, "the new partition is read too");
    declaration.partitions = 2;
    let refused = bench.connect(&declaration).err().unwrap();
    assert_eq!(refused.kind(), StoreFaultKind::Unsupported);
}

/// T7: a partition has one reader; whoever is idle takes over from one that goes, at the committed offset.
pub fn t07_an_idle_consumer_takes_over(bench: &mut dyn Bench) {
    let stream = stream(bench, 2);
    let readers = ["a", "b", "c"].map(|name| read(&stream, name, "g"));
    stream.send(&messages(0..40)).unwrap();
    let found = readers.each_ref().map(take_all);
    assert!(found[2].is_empty(), "one too many is idle");
    assert_eq!(found[0].len() + found[1].len(), 40);
    settle_all(&readers[1], &found[1]);
    settle_all(&readers[0], &found[0][..3]);
    let rest = bodies(&found[0][3..]);
    let [first, second, third] = readers;
    let owners = group(bench, "g").partitions;
    assert_eq!(
        owners
            .iter()
            .map(|at| &at.owner)
            .collect::<BTreeSet<_>>()
            .len(),
        2
    );
    drop(first);
    let taken = take_all(&third);
    assert_eq!(bodies(&taken), rest, "from the first that was not finished");
    assert!(take_all(&second).is_empty());
    assert_eq!(group(bench, "g").consumers, ["b", "c"]);
    settle_all(&third, &taken);
    third.flush().unwrap();
    assert!(group(bench, "g").partitions.iter().all(|at| at.lag == 0));
}

/// T7: who has records in its hands keeps their partition until they are settled; then it moves, and what
/// comes after has one reader only.
pub fn t07_a_partition_moves_when_nothing_of_it_is_unsettled(bench: &mut dyn Bench) {
    let stream = stream(bench, 2);
    let first = read(&stream, "a", "g");
    stream.send(&messages(0..20)).unwrap();
    let found = [take(&first, 5), take(&first, 5)].concat();
    let second = read(&stream, "b", "g");
    assert!(
        take_all(&second).is_empty(),
        "both are in the hands of the first"
    );
    assert!(outlook(&second).elsewhere >= found.len());
    let more = take_all(&first);
    settle_all(&first, &found);
    settle_all(&first, &more);
    let taken = take_all(&second);
    let kept = take_all(&first);
    let mut all = [bodies(&found), bodies(&more), bodies(&taken), bodies(&kept)].concat();
    assert_eq!(all.len(), 20, "each once");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 20);
    assert!(!taken.is_empty());
}

/// T7: who has left has no say any more.
pub fn t07_who_left_has_no_say(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(0..3)).unwrap();
    let first = read(&stream, "a", "g");
    let found = take_all(&first);
    first.close();
    settle_all(&first, &found);
    let second = read(&stream, "b", "g");
    second.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].offset, 0);
    assert_eq!(bodies(&take_all(&second)), numbers(0..3));
}

/// T8: a group can be sent back, and says so; the stream is as before.
pub fn t08_a_group_reads_again(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(0..6)).unwrap();
    bench.advance(Duration::from_secs(60));
    stream.send(&messages(6..10)).unwrap();
    let before = tail(bench, At::Start, None, 100);
    let reader = read(&stream, "one", "g");
    let found = take_all(&reader);
    assert!(
        found
            .iter()
            .all(|one| one.message.headers.get(names::REPLAYED).is_none())
    );
    settle_all(&reader, &found);
    replay(bench, "g", At::Start);
    let again = take_all(&reader);
    assert_eq!(bodies(&again), numbers(0..10));
    assert!(
        again
            .iter()
            .all(|one| one.message.headers.get(names::REPLAYED) == Some("true"))
    );
    // What was in its hands when it was sent back has no say.
    replay(bench, "g", At::Offset(4));
    settle_all(&reader, &again);
    reader.flush().unwrap();
    assert_eq!(group(bench, "g").partitions[0].offset, 4);
    replay(bench, "g", At::Time(before[6].at));
    stream.send(&messages(10..11)).unwrap();
    let again = take_all(&reader);
    assert_eq!(bodies(&again), numbers(6..11));
    let last = again.last().unwrap();
    assert_eq!(
        last.message.headers.get(names::REPLAYED),
        None,
        "that one is new"
    );
    settle_all(&reader, &again);
    replay(bench, "g", At::Back(2));
    assert_eq!(bodies(&take_all(&reader)), numbers(9..11));
    replay(bench, "new", At::Offset(8));
    let other = read(&stream, "other", "new");
    assert_eq!(bodies(&take_all(&other)), numbers(8..11));
    assert_eq!(tail(bench, At::Start, None, 100)[..10], before);
}

/// T8: that a group was sent back is known after a restart.
pub fn t08_a_replay_outlasts_a_restart(bench: &mut dyn Bench) {
    let stream = stream(bench, 1);
    stream.send(&messages(0..4)).unwrap();
    let reader = read(&stream, "one", "g");
    settle_all(&reader, &take_all(&reader));
    replay(bench, "g", At::Offset(2));
    drop((reader, stream));
    bench.restart();
    let stream = self::stream(bench, 1);
    let again = take_all(&read(&stream, "one", "g"));
    assert_eq!(bodies(&again), ["2", "3"]);
    assert!(
        again
            .iter()
            .all(|one| one.message.headers.get(names::REPLAYED).is_some())
    );
}

/// T8: a queue cannot be read again, and says so.
pub fn t08_only_streams_can_be_read_again(bench: &mut dyn Bench) {
    let queue = connect(bench, &Declaration::new("facts", ConnectorKind::Queue));
    let request = Request::Replay {
        stream: "facts".to_owned(),
        group: "g".to_owned(),
        partition: None,
        from: At::Start,
    };
    let refused = bench.ask(request).unwrap_err();
    assert_eq!(refused.kind(), StoreFaultKind::Unsupported);
    assert!(refused.to_string().contains("queue"), "{refused}");
    drop(queue);
}
