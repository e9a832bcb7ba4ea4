//! Streams and publish-subscribe channels between processes: the rows T1 to T12, C5 and C15, over the
//! embedded store. T4 is asked on the command line, in `stores.rs`.
#![cfg(feature = "sqlite")]

mod kept;

use std::collections::{BTreeMap, BTreeSet};

use kept::{Kept, until};
use paperflow::{
    Fault, Got, Grouped, In, Out, Outcome, Packet, Param, Scheduler, Table, Text, component,
};
use paperflow_connect::streams::{Answer, At, GroupStatus, PartitionStatus, Request, StreamRecord};
use paperflow_connect::{ChannelStatus, admin};
use serde_json::json;

const WAYS: [Scheduler; 3] = [Scheduler::Threads, Scheduler::Pool(1), Scheduler::Pool(2)];

/// A source that adds nothing, and what is read is in `facts`.
const READ_ONLY: &str = "'0' -> COUNT Shop(test/facts) OUT ->(stream, name=facts";

/// Emits `1` to the number.
#[component("test/facts", work = compute, repeats)]
async fn facts(
    /// How many.
    count: Param<u32>,
    /// Facts.
    out: Out<Text>,
) -> Result<(), paperflow::Closed> {
    for number in 1..=*count {
        out.send(number.to_string()).await?;
    }
    Ok(())
}

/// Emits records with the keys A, B and C in turn, each with steps from 1.
#[component("test/steps", work = compute, repeats)]
async fn steps(
    /// How many of each key.
    count: Param<u32>,
    /// Records.
    out: Out<Packet>,
) -> Result<(), paperflow::Closed> {
    for step in 1..=*count {
        for key in ["A", "B", "C"] {
            let record = json!({ "key": key, "step": step });
            out.send(Packet::record(record)).await?;
        }
    }
    Ok(())
}

fn attempt(packet: &Packet) -> u32 {
    let attempt = packet.headers().and_then(|headers| headers.get("attempt"));
    attempt.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Fails on the fact `3` as often as is said: a call that can fail.
#[component("test/fails", work = compute)]
fn fails(
    /// Facts.
    input: Packet,
    /// How often it fails.
    times: Param<u32>,
    /// Each, with the attempt it was.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    let attempt = attempt(&input);
    if input.to_string() == "3" && attempt <= *times {
        return Err(Fault::new("not today"));
    }
    out.put(format!("{input}/{attempt}"));
    Ok(())
}

/// The same, as a loop that gives back what it cannot handle.
#[component("test/gives-back", work = compute)]
async fn gives_back(
    /// Facts.
    input: In<Packet>,
    /// How often it fails.
    times: Param<u32>,
    /// Each, with the attempt it was.
    out: Out<Text>,
) -> Result<(), Fault> {
    while let Some(fact) = input.next().await {
        let attempt = attempt(&fact);
        if fact.to_string() == "3" && attempt <= *times {
            let given_back: Result<(), Got<Packet>> = fact.retry_later("not today");
            assert!(given_back.is_ok(), "it came from a store");
        } else {
            out.send(format!("{}/{attempt}", *fact)).await?;
        }
    }
    Ok(())
}

/// Tells which of all facts that it has had each one is, and fails on the fact `3` first.
#[component("test/counts", work = compute)]
fn counts(
    /// Facts.
    input: Packet,
    /// How often it fails.
    times: Param<u32>,
    /// Facts.
    seen: &mut Table<String, bool>,
    /// Each, with its number.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    if input.to_string() == "3" && attempt(&input) <= *times {
        return Err(Fault::new("not today"));
    }
    seen.put(input.to_string(), true);
    out.put(format!("{input} is number {}", seen.len()));
    Ok(())
}

/// The same, as a loop that gives back what it cannot handle.
#[component("test/counts-in-a-loop", work = compute)]
async fn counts_in_a_loop(
    /// Facts.
    input: In<Packet>,
    /// How often it fails.
    times: Param<u32>,
    /// Facts.
    mut seen: Table<String, bool>,
    /// Each, with its number.
    out: Out<Text>,
) -> Result<(), Fault> {
    while let Some(fact) = input.next().await {
        if fact.to_string() == "3" && attempt(&fact) <= *times {
            let given_back: Result<(), Got<Packet>> = fact.retry_later("not today");
            assert!(given_back.is_ok(), "it came from a store");
            continue;
        }
        seen.put(fact.to_string(), true);
        out.send(format!("{} is number {}", *fact, seen.len()))
            .await?;
    }
    Ok(())
}

/// Tells the first packet of each group, and how many it has; fails on the second group first.
#[component("test/fails-in-a-group", work = compute)]
async fn fails_in_a_group(
    /// Groups.
    input: In<Grouped<Text>>,
    /// How often it fails.
    times: Param<u32>,
    /// A line for each.
    out: Out<Text>,
) -> Result<(), Fault> {
    let mut failures = 0;
    while let Some(group) = input.next().await {
        let first = group
            .data()
            .next()
            .map(ToString::to_string)
            .unwrap_or_default();
        if first == "000015abcd" && failures < *times {
            failures += 1;
            let given_back = group.retry_later("not today");
            assert!(given_back.is_ok(), "it came from a store");
        } else {
            out.send(format!("{first} {}", group.items.len())).await?;
        }
    }
    Ok(())
}

fn bench(name: &str, text: &str) -> Kept {
    let kept = Kept::new(name, text).with(facts).with(steps);
    let kept = kept.with(fails).with(gives_back);
    let kept = kept.with(counts).with(counts_in_a_loop);
    kept.with(fails_in_a_group)
}

/// Runs it under each scheduler, on an empty store each time.
fn each_way(name: &str, text: &str, check: impl Fn(Kept, Scheduler)) {
    for way in WAYS {
        check(bench(name, text).under(way), way);
    }
}

fn ask(kept: &Kept, request: Request) -> Answer {
    kept.admin().ask_streams(request).expect("it answers")
}

fn group(kept: &Kept, stream: &str, name: &str) -> GroupStatus {
    let stream = stream.to_owned();
    match ask(kept, Request::Groups { stream }) {
        Answer::Groups(groups) => {
            let found = groups.into_iter().find(|group| group.name == name);
            found.unwrap_or_else(|| panic!("no group {name}"))
        }
        other => panic!("{other:?}"),
    }
}

fn partitions(kept: &Kept, stream: &str) -> Vec<PartitionStatus> {
    match ask(kept, Request::List) {
        Answer::Streams(streams) => {
            let found = streams.into_iter().find(|found| found.name == stream);
            found
                .unwrap_or_else(|| panic!("no stream {stream}"))
                .partitions
        }
        other => panic!("{other:?}"),
    }
}

fn records(kept: &Kept, stream: &str) -> Vec<StreamRecord> {
    let request = Request::Tail {
        stream: stream.to_owned(),
        partition: None,
        from: At::Start,
        to: None,
        after: Vec::new(),
        most: 1000,
    };
    match ask(kept, request) {
        Answer::Records { records, .. } => records,
        other => panic!("{other:?}"),
    }
}

fn channel(kept: &Kept) -> ChannelStatus {
    match ask(kept, Request::Channels) {
        Answer::Channels(mut channels) => channels.remove(0),
        other => panic!("{other:?}"),
    }
}

fn finished(outcome: &Outcome) {
    assert!(outcome.is_success(), "{outcome:#?}");
}

fn numbers(to: u32) -> Vec<String> {
    (1..=to).map(|number| number.to_string()).collect()
}

#[test]
fn t01_facts_are_there_for_a_reader_that_comes_later() {
    let text = "'5' -> COUNT Shop(test/facts) OUT ->(stream, name=facts, group=first) IN R(flow/drop)\n\
                '0' -> COUNT None(test/facts) OUT -> IN P(flow/pass)\nOUTPORT=P.OUT:OUT";
    each_way("t01", text, |mut kept, _| {
        kept.run();
        kept.text(&format!(
            "{READ_ONLY}, group=later) IN R(flow/pass)\nOUTPORT=R.OUT:OUT"
        ));
        assert_eq!(kept.run(), numbers(5));
        assert_eq!(partitions(&kept, "facts")[0].records, 5, "still stored");
    });
}

#[test]
fn t02_a_group_goes_on_where_it_was() {
    let text = "'10' -> COUNT Shop(test/facts) OUT ->(stream, name=facts, group=g) IN R(flow/take)\n\
                '7' -> NUMBER R\nOUTPORT=R.ACC:OUT";
    each_way("t02", text, |mut kept, _| {
        assert_eq!(kept.run(), numbers(7));
        assert_eq!(group(&kept, "facts", "g").partitions[0].offset, 7);
        kept.text(&format!(
            "{READ_ONLY}, group=g) IN R(flow/pass)\nOUTPORT=R.OUT:OUT"
        ));
        assert_eq!(kept.run(), ["8", "9", "10"]);
    });
}

#[test]
fn t03_each_group_sees_all() {
    let text = "'10' -> COUNT Shop(test/facts)
        Shop OUT ->(stream, group=g1) IN A(text/affix) OUT -> IN Sort(flow/sort)
        Shop OUT ->(stream, group=g2) IN B(text/affix) OUT -> IN Sort
        'a' -> PRE A
        'b' -> PRE B
        OUTPORT=Sort.OUT:OUT";
    each_way("t03", text, |kept, _| {
        let seen: BTreeSet<String> = kept.run().into_iter().collect();
        let all = |name: &'static str| {
            numbers(10)
                .into_iter()
                .map(move |fact| format!("{name}{fact}"))
        };
        assert_eq!(seen, all("a").chain(all("b")).collect());
        assert_eq!(records(&kept, "g.Shop.OUT").len(), 10);
    });
}

/// Three readers of one group, each of which says who it is.
fn three_readers(terms: &str, count: u32) -> String {
    let reader = |name: &str| {
        format!(
            "Shop OUT ->(stream, name=facts, group=g, key=key, {terms}) IN {name}(record/set) OUT -> IN All(flow/merge)\n\
             'by' -> FIELD {name}\n'{name}' -> VALUE {name}\n"
        )
    };
    let readers: String = ["R1", "R2", "R3"].map(reader).concat();
    format!("'{count}' -> COUNT Shop(test/steps)\n{readers}OUTPORT=All.OUT:OUT")
}

/// The steps of each key in the order they came, and the readers of each.
fn by_key(lines: &[String]) -> BTreeMap<String, (Vec<u64>, BTreeSet<String>)> {
    let mut keys = BTreeMap::<_, (Vec<u64>, BTreeSet<String>)>::new();
    for line in lines {
        let record: serde_json::Value = serde_json::from_str(line).expect("it is JSON");
        let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
        let (steps, readers) = keys.entry(text("key")).or_default();
        steps.push(record["step"].as_u64().expect("a number"));
        readers.insert(text("by"));
    }
    keys
}

#[test]
fn t05_each_reader_of_a_group_has_partitions_of_its_own() {
    each_way("t05", &three_readers("partitions=3", 100), |kept, way| {
        let lines = kept.run();
        assert_eq!(lines.len(), 300, "{way}: the union is all");
        let keys = by_key(&lines);
        for (key, (steps, readers)) in &keys {
            assert_eq!((steps.len(), readers.len()), (100, 1), "{way}: {key}");
        }
        let stored: u64 = partitions(&kept, "facts").iter().map(|at| at.records).sum();
        assert_eq!(stored, 300);
    });
}

#[test]
fn t06_what_has_one_key_stays_in_order() {
    each_way("t06", &three_readers("partitions=4", 100), |kept, way| {
        for (key, (steps, _)) in by_key(&kept.run()) {
            assert!(
                steps.is_sorted_by(|one, next| one < next),
                "{way}: {key}: {steps:?}"
            );
        }
    });
}

#[test]
fn t07_an_idle_reader_takes_over_from_one_that_leaves() {
    let reader = |name: &str, component: &str| {
        format!(
            "Shop OUT ->(stream, name=facts, group=g, key=key, partitions=2) IN {name}({component})\n"
        )
    };
    let text = reader("R1", "flow/take") + &reader("R2", "flow/take") + &reader("R3", "flow/pass");
    let text = format!(
        "'100' -> COUNT Shop(test/steps)\n{text}'1' -> NUMBER R1\n'1' -> NUMBER R2\n\
         R1 ACC -> IN All(flow/merge)\nR2 ACC -> IN All\nR3 OUT -> IN All\nOUTPORT=All.OUT:OUT"
    );
    each_way("t07", &text, |kept, way| {
        let mut run = kept.start();
        let lines: Vec<String> = run.output("OUT").map(|packet| packet.to_string()).collect();
        let outcome = run.finish();
        finished(&outcome);
        assert_eq!(lines.len(), 300, "{way}: nothing twice, nothing lost");
        for (key, (steps, _)) in by_key(&lines) {
            assert_eq!(steps.len(), 100, "{way}: {key}");
        }
        let mut processes = outcome.statistics.processes.iter();
        let third = processes.find(|process| process.address == "R3");
        let taken_over = third.map_or(0, |third| third.received);
        assert!(taken_over >= 298, "{way}: {taken_over}");
    });
}

#[test]
fn t07_an_idle_reader_takes_over_what_the_program_still_has_in_its_hands() {
    let text =
        "'2' -> COUNT Shop(test/facts) OUT ->(stream, name=facts, group=g) IN First(flow/take)
        '1' -> NUMBER First
        Shop OUT ->(stream, name=facts, group=g) IN Next(flow/pass)
        OUTPORT=First.ACC:FIRST
        OUTPORT=Next.OUT:NEXT";
    each_way("t07-hands", text, |kept, way| {
        let mut run = kept.start();
        let (first, next) = (run.output("FIRST"), run.output("NEXT"));
        let in_hands = first.recv().expect("it is the first");
        let states = || run.observer.states();
        until("who is still there", states, |states| {
            let mut states = states.iter();
            states.all(|(name, state)| match state.to_string().as_str() {
                "terminated" => true,
                "active" => false,
                _ => name.ends_with(".IN]") || name == "Next",
            })
        });
        drop(in_hands);
        assert!(first.recv().is_none(), "{way}");
        let rest: Vec<String> = next.map(|packet| packet.to_string()).collect();
        assert_eq!(rest, ["2"], "{way}");
        finished(&run.finish());
    });
}

#[test]
fn t02_who_reads_after_the_end_is_not_waited_for() {
    let text = "'3' -> COUNT Shop(test/facts) OUT ->(stream) IN R(flow/pass)\nOUTPORT=R.OUT:OUT";
    each_way("t02-late", text, |kept, way| {
        let mut run = kept.start();
        let out = run.output("OUT");
        finished(&run.finish());
        let lines: Vec<String> = out.map(|packet| packet.to_string()).collect();
        assert_eq!(lines, numbers(3), "{way}");
    });
}

#[test]
fn t08_a_group_reads_again_and_the_log_stays_as_it_is() {
    let text = "'10' -> COUNT Shop(test/facts) OUT ->(stream, name=facts, group=g) IN R(flow/pass)\nOUTPORT=R.OUT:OUT";
    each_way("t08", text, |mut kept, _| {
        assert_eq!(kept.run(), numbers(10));
        let before = records(&kept, "facts");
        let replay = Request::Replay {
            stream: String::from("facts"),
            group: String::from("g"),
            partition: None,
            from: At::Offset(0),
        };
        ask(&kept, replay);
        kept.text(&format!(
            "{READ_ONLY}, group=g) IN R(flow/pass)\nOUTPORT=R.OUT:OUT"
        ));
        assert_eq!(kept.run(), numbers(10));
        assert_eq!(
            format!("{before:?}"),
            format!("{:?}", records(&kept, "facts"))
        );
    });
}

#[test]
fn t09_what_cannot_be_read_is_left_behind() {
    let text = "'1 2 three 4 5' -> CONST Say(flow/inject) OUT -> IN Words(text/words)
        Words OUT ->(stream, on-error=skip) IN Parse(number/parse)
        OUTPORT=Parse.OUT:OUT";
    each_way("t09", text, |kept, _| {
        assert_eq!(kept.run(), ["1", "2", "4", "5"]);
        let read = group(&kept, "g.Words.OUT", "g.Parse.IN");
        let read = &read.partitions[0];
        assert_eq!((read.skipped, read.offset, read.lag), (1, 5, 0));
    });
}

const TERMS: &str = "stream, on-error=retry, delay=1ms, retries=5";

#[test]
fn t10_a_failure_is_tried_again_in_its_place_and_the_order_stays() {
    let behind = |component: &str| {
        format!(
            "'9' -> COUNT Shop(test/facts) OUT ->({TERMS}) IN R({component})\n\
             '2' -> TIMES R\nOUTPORT=R.OUT:OUT"
        )
    };
    let further = |component: &str| {
        let behind = behind(component);
        behind.replace("IN R", "IN P(flow/pass) OUT -> IN Q(flow/pass) OUT -> IN R")
    };
    for (component, text) in [
        ("test/fails", behind("test/fails")),
        ("test/gives-back", behind("test/gives-back")),
        ("test/fails further on", further("test/fails")),
        ("test/gives-back further on", further("test/gives-back")),
    ] {
        each_way("t10", &text, |kept, way| {
            let expected = numbers(9).into_iter().map(|fact| match &*fact {
                "3" => String::from("3/3"),
                other => format!("{other}/1"),
            });
            assert_eq!(
                kept.run(),
                expected.collect::<Vec<_>>(),
                "{component}, {way}"
            );
        });
    }
}

#[test]
fn t10_what_is_handled_with_a_table_is_handled_in_order() {
    for component in ["test/counts", "test/counts-in-a-loop"] {
        let text = format!(
            "'9' -> COUNT Shop(test/facts) OUT ->({TERMS}) IN R({component})\n\
             '2' -> TIMES R\nOUTPORT=R.OUT:OUT"
        );
        each_way("t10-table", &text, |kept, way| {
            let kept = kept.keeping("R", "SEEN");
            let expected = (1..10).map(|fact| format!("{fact} is number {fact}"));
            assert_eq!(
                kept.run(),
                expected.collect::<Vec<_>>(),
                "{component}, {way}"
            );
        });
    }
}

#[test]
fn t10_a_group_is_tried_again_as_a_whole_and_those_behind_it_wait() {
    let text = format!(
        "'20' -> COUNT Shop(flow/generate-groups) OUT ->({TERMS}) IN R(test/fails-in-a-group)\n\
         '2' -> TIMES R\nOUTPORT=R.OUT:OUT"
    );
    each_way("t10-groups", &text, |kept, way| {
        let expected = [
            "000020abcd 5",
            "000015abcd 5",
            "000010abcd 5",
            "000005abcd 5",
        ];
        assert_eq!(kept.run(), expected, "{way}");
    });
}

#[test]
fn t11_a_copy_comes_back_at_the_end() {
    for component in ["test/fails", "test/gives-back"] {
        let text = format!(
            "'5' -> COUNT Shop(test/facts) OUT ->(stream, on-error=copy, copy-to=waiting, delay=20ms) IN R({component})\n\
             '1' -> TIMES R\nOUTPORT=R.OUT:OUT"
        );
        each_way("t11", &text, |kept, way| {
            let expected = ["1/1", "2/1", "4/1", "5/1", "3/2"];
            assert_eq!(kept.run(), expected, "{component}, {way}");
            assert_eq!(group(&kept, "g.Shop.OUT", "g.R.IN").partitions[0].lag, 0);
        });
    }
}

#[test]
fn t12_a_dead_letter_tells_where_it_came_from() {
    let text = "'5' -> COUNT Shop(test/facts) OUT ->(stream, on-error=retry, retries=2, delay=1ms, dead-letter=failed) IN R(test/fails)\n\
                '100' -> TIMES R\nOUTPORT=R.OUT:OUT";
    each_way("t12", text, |kept, _| {
        assert_eq!(kept.run(), ["1/1", "2/1", "4/1", "5/1"]);
        let dead = kept.admin().peek("failed", 9).expect("it is there");
        assert_eq!(dead.len(), 1);
        let cause = |name: &str| dead[0].cause.get(name).unwrap_or_default().to_owned();
        assert_eq!(cause("failure-connector"), "g.Shop.OUT");
        assert_eq!(cause("failure-partition"), "0");
        assert_eq!(cause("failure-offset"), "2");
        assert_eq!(cause("failure-attempts"), "3");
        assert_eq!(group(&kept, "g.Shop.OUT", "g.R.IN").partitions[0].lag, 0);
    });
}

#[test]
fn t12_a_dead_letter_is_sent_again_to_the_group_that_failed() {
    let reader = |name: &str, component: &str| {
        format!(
            "Shop OUT ->(stream, name=facts, group={name}, on-error=retry, retries=0, dead-letter=failed) IN {name}({component})\n"
        )
    };
    let text = |count: u32, component: &str| {
        format!(
            "'{count}' -> COUNT Shop(test/facts)\n{}{}'100' -> TIMES A\nA OUT -> IN Sort(flow/sort)\n\
             B OUT -> IN Drop(flow/count) COUNT -> IN Sort OUT -> IN Last(flow/pass)\nDrop OUT -> IN End(flow/drop)\nOUTPORT=Last.OUT:OUT",
            reader("A", component),
            reader("B", "flow/pass"),
        )
    };
    each_way("t12-again", &text(5, "test/fails"), |mut kept, way| {
        assert_eq!(kept.run(), ["5", "1/1", "2/1", "4/1", "5/1"], "{way}");
        let resend = admin::Ask::Redrive {
            queue: String::from("failed"),
            ids: Vec::new(),
            to: None,
        };
        let sent = kept.admin().ask(&resend).expect("it answers");
        assert_eq!(sent, admin::Answer::Changed(1));
        assert_eq!(records(&kept, "facts").len(), 6, "it is there again");
        kept.text(&text(0, "test/fails").replace("'100'", "'0'"));
        assert_eq!(kept.run(), ["0", "3/1"], "{way}: B does not get it");
        assert_eq!(group(&kept, "facts", "B").partitions[0].lag, 0);
    });
}

#[test]
fn what_is_held_to_the_end_takes_no_room() {
    for kind in ["queue", "stream"] {
        let text = format!(
            "'9' -> COUNT Shop(test/facts) OUT ->({kind}, capacity=1) IN R(flow/sort)\n\
             'true' -> REVERSE R\nOUTPORT=R.OUT:OUT"
        );
        each_way("held", &text, |kept, way| {
            let mut sorted = numbers(9);
            sorted.reverse();
            assert_eq!(kept.run(), sorted, "{kind}, {way}");
        });
    }
}

/// Several packets go round, more than there is room for; the first one that is at 0 closes the loop, and the
/// others are held to its end.
#[test]
fn a_loop_that_has_closed_itself_ends_however_little_room_it_has() {
    for kind in ["queue", "stream"] {
        for capacity in 1..=2 {
            let text = format!(
                "'7' -> COUNT Shop(test/facts) OUT -> IN Loop(flow/countdown)\n\
                 Loop OUT ->({kind}, capacity={capacity}) IN Count(flow/count)\n\
                 Count OUT ->({kind}, capacity={capacity}) IN Loop\n\
                 Count COUNT -> IN P(flow/pass)\nOUTPORT=P.OUT:OUT"
            );
            each_way("round", &text, |kept, way| {
                assert_eq!(kept.run().len(), 1, "{kind}, {capacity}, {way}");
            });
        }
    }
}

/// A hundred times as much as there is room for, and a reader that wants one.
const LEFT: &str = "'100' -> COUNT Shop(test/facts) OUT ->(KIND, capacity=1) IN R(flow/take)\n\
                    '1' -> NUMBER R\nOUTPORT=R.ACC:OUT";

#[test]
fn a_writer_ends_when_there_is_no_room_and_all_readers_have_left() {
    for kind in ["queue", "stream", "pubsub"] {
        let text = LEFT.replace("KIND", kind);
        each_way("left", &text, |kept, way| {
            assert_eq!(kept.run(), ["1"], "{kind}, {way}");
        });
    }
}

#[test]
fn who_has_left_holds_up_nobody_else() {
    for kind in ["stream", "pubsub"] {
        let text = LEFT.replace("KIND", kind);
        let text = format!(
            "{text}\nShop OUT ->({kind}, capacity=1) IN Count(flow/count) COUNT -> IN P(flow/pass)\n\
             OUTPORT=P.OUT:COUNT\nOUTPORT=Count.OUT:REST"
        );
        each_way("others", &text, |kept, way| {
            let mut run = kept.start();
            let [_one, count, rest] = ["OUT", "COUNT", "REST"].map(|port| run.output(port));
            assert_eq!(rest.count(), 100, "{kind}, {way}");
            let counted = count.recv().map(|packet| packet.to_string());
            assert_eq!(counted.as_deref(), Some("100"), "{kind}, {way}");
            drop((_one, count));
            finished(&run.finish());
        });
    }
}

#[test]
fn a_clerk_reads_what_is_set_aside_in_the_same_run() {
    for kind in ["queue", "stream, on-error=retry"] {
        let text = format!(
            "'5' -> COUNT Shop(test/facts) OUT ->({kind}, retries=1, delay=1ms, dead-letter=failed) IN R(test/fails)
            '100' -> TIMES R
            R OUT -> IN End(flow/drop)
            R * -> * None(test/facts) OUT ->(queue, name=failed) IN Clerk(flow/pass)
            '0' -> COUNT None
            OUTPORT=Clerk.OUT:OUT"
        );
        each_way("clerk", &text, |kept, way| {
            assert_eq!(kept.run(), ["3"], "{kind}, {way}");
        });
    }
}

/// A shop that tells so many subscribers.
fn told_to(subscribers: usize) -> String {
    let names = (1..=subscribers).map(|number| format!("S{number}"));
    let arrows = names.map(|name| {
        format!("Shop OUT ->(pubsub) IN {name}(text/affix) OUT -> IN All(flow/sort)\n'{name}' -> PRE {name}\n")
    });
    let arrows: String = arrows.collect();
    format!("'1' -> COUNT Shop(test/facts)\n{arrows}OUTPORT=All.OUT:OUT")
}

#[test]
fn c05_each_subscriber_gets_a_copy_also_one_that_is_added() {
    each_way("c05", &told_to(3), |mut kept, way| {
        assert_eq!(kept.run(), ["S11", "S21", "S31"], "{way}");
        kept.text(&told_to(4));
        assert_eq!(kept.run(), ["S11", "S21", "S31", "S41"], "{way}");
    });
}

#[test]
fn c15_an_event_that_nobody_hears_is_no_error_and_is_counted() {
    let text = "'5' -> COUNT Shop(test/facts) OUT -> IN Hold(flow/gate)
        INPORT=Hold.TRIGGER:OPEN
        'news' -> SOURCE First(flow/kick) OUT ->(pubsub, name=news) IN Once(flow/take)
        Hold OUT ->(pubsub, name=news) IN Once
        '1' -> NUMBER Once
        OUTPORT=Once.ACC:OUT";
    each_way("c15", text, |kept, way| {
        let mut run = kept.start();
        assert_eq!(
            run.output("OUT")
                .map(|packet| packet.to_string())
                .collect::<Vec<_>>(),
            ["news"],
            "{way}"
        );
        run.until("news[receive Once.IN]", "terminated");
        run.input("OPEN").send(1_i64).expect("it listens");
        finished(&run.finish());
        let channel = channel(&kept);
        assert_eq!((channel.sent, channel.unobserved), (6, 5), "{way}");
    });
}
