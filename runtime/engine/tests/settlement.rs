//! What becomes of packets that a store has given: when they are settled, and how.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::sync::{Arc, mpsc};

use common::DRIVERS;
use paperflow_core::connector::{
    Delivery, Disposition, Found, Outlook, Settlement, StoreFault, Subscription,
};
use paperflow_core::message::Id;
use paperflow_core::settle::{Token, Trail};
use paperflow_core::*;
use paperflow_engine::{Network, Options, Outcome, Scheduler, Started, Verdict};
use parking_lot::Mutex;

/// Writes down how each delivery was settled.
#[derive(Default)]
struct Book(Mutex<Vec<(u64, Settlement)>>);

impl Subscription for Book {
    fn receive(&self, _: usize, _: &mut Vec<Delivery>) -> Result<Found, StoreFault> {
        Ok(Found::Empty(Outlook::default()))
    }

    fn settle(&self, ticket: u64, settlement: Settlement) {
        self.0.lock().push((ticket, settlement));
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    fn close(&self) {}
}

impl Book {
    /// A number that follows from the delivery of that number.
    fn number(self: &Arc<Self>, number: u64) -> Packet {
        self.packet(number, Packet::int(i64::try_from(number).unwrap()))
    }

    /// A packet that follows from a delivery.
    fn packet(self: &Arc<Self>, number: u64, value: Packet) -> Packet {
        let book = Arc::clone(self) as Arc<dyn Subscription>;
        value.with_trail(Trail {
            id: Some(Id::of(&number.to_string())),
            tokens: Token::new(book, number).into(),
        })
    }

    /// How each was settled, by number; every one must have been, once.
    fn all(&self, packets: u64) -> Vec<Disposition> {
        let mut settled = self.0.lock().clone();
        settled.sort_by_key(|(number, _)| *number);
        let numbers: Vec<u64> = settled.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (0..packets).collect::<Vec<_>>(), "each once");
        let settlements = settled.into_iter();
        settlements
            .map(|(_, settled)| settled.disposition)
            .collect()
    }
}

fn catalogue() -> Catalogue {
    common::catalogue()
        .with(even)
        .with(give_up_at)
        .with(keep_two)
        .with(latest)
        .with(refuse)
        .with(sort)
        .with(stop_at)
}

/// Passes even numbers and drops the others.
#[component("s/even", work = compute)]
async fn even(
    /// Numbers.
    input: In<i64>,
    /// Even ones.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        if *number % 2 == 0 {
            out.send(number).await?;
        }
    }
    Ok(())
}

/// Passes numbers, and gives up at one of them.
#[component("s/give-up-at", work = compute)]
async fn give_up_at(
    /// Numbers.
    input: In<i64>,
    /// Where it gives up.
    number: Param<i64>,
    /// Those before.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(got) = input.next().await {
        if *got == *number {
            return Err(Fault::new(format!("will not take {}", *number)));
        }
        out.send(got).await?;
    }
    Ok(())
}

/// Lets the last two go only when there is a third.
#[component("s/keep-two", work = compute)]
async fn keep_two(
    /// Anything.
    input: In<Packet>,
    /// All but the last two.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut kept = std::collections::VecDeque::new();
    while let Some(packet) = input.next().await {
        kept.push_back(packet);
        if kept.len() > 2
            && let Some(first) = kept.pop_front()
        {
            out.send(first).await?;
        }
    }
    Ok(())
}

/// Answers each number, and says at the end which was the last one.
#[component("s/latest", work = compute)]
async fn latest(
    /// Numbers.
    input: In<i64>,
    /// A null for each, and the last number.
    out: Out<Packet>,
) -> Result<(), Fault> {
    let mut latest = 0;
    while let Some(number) = input.next().await {
        latest = number.into_inner();
        out.send(Packet::null()).await?;
    }
    out.send(latest).await?;
    Ok(())
}

/// Passes numbers, closes its out-port at one of them, and takes those behind it.
#[component("s/stop-at", work = compute)]
async fn stop_at(
    /// Numbers.
    input: In<i64>,
    /// Where it closes.
    number: Param<i64>,
    /// Those before.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(got) = input.next().await {
        if *got == *number {
            break;
        }
        out.send(got).await?;
    }
    out.close();
    while input.next().await.is_some() {}
    Ok(())
}

/// Sets one number aside for good.
#[component("s/refuse", work = compute)]
fn refuse(
    /// A number.
    input: i64,
    /// The number.
    number: &Param<i64>,
    /// The others.
    out: &mut Out<i64>,
) -> Result<(), Fault> {
    if input == **number {
        return Err(Fault::new("never").rejected());
    }
    out.put(input);
    Ok(())
}

/// Collects everything and sends it in order.
#[component("s/sort", work = compute)]
async fn sort(
    /// Numbers.
    input: In<i64>,
    /// The same, the smallest first.
    out: Out<i64>,
) -> Result<(), Fault> {
    let mut all = Vec::new();
    while let Some(number) = input.next().await {
        all.push(number);
    }
    all.sort_by_key(|number| **number);
    for number in all {
        out.send(number).await?;
    }
    Ok(())
}

/// Runs a text with ports IN and OUT; `read` gets what comes out.
fn run(
    text: &str,
    way: (Scheduler, usize),
    feed: impl FnOnce(&paperflow_engine::Input) + Send,
    read: impl FnOnce(paperflow_engine::Output) + Send,
) -> Outcome {
    let (plan, sources) = common::planned(text, &catalogue());
    let options = Options {
        scheduler: way.0,
        capacity: way.1,
        ..Options::default()
    };
    let mut network = Network::new(plan, &catalogue(), &sources, options);
    network.identify(Id::of("test"));
    network.input("IN").unwrap();
    network.output("OUT").unwrap();
    let Started {
        running,
        mut inputs,
        mut outputs,
    } = network.start().unwrap();
    let (input, output) = (inputs.remove(0), outputs.remove(0));
    std::thread::scope(|scope| {
        scope.spawn(move || feed(&input));
        scope.spawn(move || read(output));
        let outcome = running.wait();
        assert!(
            outcome.statistics.is_conserved(),
            "{:#?}",
            outcome.statistics
        );
        outcome
    })
}

/// Feeds the numbers below `packets`, reads everything, and gives the settlements.
fn settled(text: &str, way: (Scheduler, usize), packets: u64) -> (Vec<Disposition>, Vec<String>) {
    let book = Arc::new(Book::default());
    let fed = Arc::clone(&book);
    let out = Arc::new(Mutex::new(Vec::new()));
    let read = Arc::clone(&out);
    let outcome = run(
        text,
        way,
        move |input| {
            for number in 0..packets {
                if let Err(refused) = input.send(fed.number(number)) {
                    refused.0.release();
                }
            }
        },
        move |output| output.for_each(|packet| read.lock().push(packet.to_string())),
    );
    assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
    assert_eq!(outcome.leaks, [], "{way:?}");
    let out = out.lock().clone();
    (book.all(packets), out)
}

use Disposition::{Done, Invalid, Reject, Release, Retry};

/// The settlements of `packets` numbers are all done, but for these.
fn but(packets: u64, others: &[(usize, Disposition)]) -> Vec<Disposition> {
    let mut all = vec![Done; usize::try_from(packets).unwrap()];
    for (at, disposition) in others {
        all[*at] = *disposition;
    }
    all
}

fn expect(text: &str, packets: u64, expected: &[(usize, Disposition)]) {
    for way in DRIVERS {
        let (dispositions, _) = settled(text, way, packets);
        assert_eq!(dispositions, but(packets, expected), "{way:?}");
    }
}

#[test]
fn what_has_gone_through_is_done() {
    expect(
        "INPORT=A.IN:IN\nOUTPORT=C.OUT:OUT\nA(t/pass) -> B(t/walk) -> C(t/pass-on-thread)",
        300,
        &[],
    );
}

#[test]
fn what_a_looper_drops_is_done_when_it_ends() {
    expect("INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\nA(s/even)", 301, &[]);
}

#[test]
fn nothing_is_settled_while_somebody_holds_what_follows_from_it() {
    for way in DRIVERS {
        let book = Arc::new(Book::default());
        let (fed, seen) = (Arc::clone(&book), Arc::clone(&book));
        run(
            "INPORT=A.IN:IN\nOUTPORT=B.OUT:OUT\nA(t/tally) -> B(t/pass)",
            way,
            move |input| {
                for number in 0..40 {
                    input.send(fed.packet(number, Packet::null())).unwrap();
                }
            },
            move |output| {
                let count = output.recv().unwrap();
                assert_eq!(count, Packet::int(40));
                assert_eq!(seen.0.lock().len(), 0, "the count follows from all of them");
                drop(count);
                assert_eq!(output.recv(), None);
            },
        );
        assert_eq!(book.all(40), [Done; 40], "{way:?}");
    }
}

/// It waits for its next packet, and does not know that it is the end that comes.
#[test]
fn what_a_looper_has_answered_last_is_held_by_what_it_sends_at_its_end() {
    for way in DRIVERS {
        let book = Arc::new(Book::default());
        let (fed, seen) = (Arc::clone(&book), Arc::clone(&book));
        let (answered, all_are_answered) = mpsc::channel();
        run(
            "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\nA(s/latest)",
            way,
            move |input| {
                (0..3).for_each(|number| input.send(fed.number(number)).unwrap());
                all_are_answered.recv().unwrap();
            },
            move |output| {
                for _ in 0..3 {
                    assert_eq!(output.recv(), Some(Packet::null()));
                }
                answered.send(()).unwrap();
                let latest = output.recv().unwrap();
                assert_eq!(latest, Packet::int(2));
                let settled = seen.0.lock().iter().any(|(number, _)| *number == 2);
                assert!(!settled, "nobody would deliver it again, {way:?}");
                drop(latest);
                assert_eq!(output.recv(), None);
            },
        );
        assert_eq!(book.all(3), [Done; 3], "{way:?}");
    }
}

/// Who begins anew is to close there again, and passes nothing that came behind it.
#[test]
fn what_has_closed_a_port_is_held_until_the_process_ends() {
    for way in DRIVERS {
        let book = Arc::new(Book::default());
        let (fed, seen) = (Arc::clone(&book), Arc::clone(&book));
        let (ended, is_closed) = mpsc::channel();
        run(
            "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\n'1' -> NUMBER A(s/stop-at)",
            way,
            move |input| {
                (0..5).for_each(|number| input.send(fed.number(number)).unwrap());
                is_closed.recv().unwrap();
                let settled = seen.0.lock().iter().any(|(number, _)| *number > 0);
                assert!(!settled, "{way:?}");
            },
            move |output| {
                assert_eq!(output.recv(), Some(Packet::int(0)));
                assert_eq!(output.recv(), None);
                ended.send(()).unwrap();
            },
        );
        assert_eq!(book.all(5), [Done; 5], "{way:?}");
    }
}

#[test]
fn what_is_sorted_is_held_one_by_one() {
    expect(
        "INPORT=A.IN:IN\nOUTPORT=B.OUT:OUT\n'7' -> NUMBER B\nA(s/sort) -> B(t/fail-on)",
        50,
        &[(7, Retry)],
    );
}

#[test]
fn a_packet_that_a_function_refuses_is_to_be_given_again_and_the_process_goes_on() {
    expect(
        "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\n'7' -> NUMBER A(t/fail-on)",
        50,
        &[(7, Retry)],
    );
    expect(
        "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\n'7' -> NUMBER A(t/panic-on)",
        50,
        &[(7, Retry)],
    );
}

#[test]
fn a_component_and_a_policy_decide_what_is_set_aside() {
    let text =
        |process: &str| format!("INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\n'7' -> NUMBER A({process})");
    expect(&text("s/refuse"), 20, &[(7, Reject)]);
    expect(&text("t/fail-on:fault=reject"), 20, &[(7, Reject)]);
    expect(&text("t/fail-on:fault=invalid"), 20, &[(7, Invalid)]);
    expect(&text("t/fail-on:fault=park"), 20, &[(7, Reject)]);
    expect(&text("t/fail-on:fault=retry,retries=2"), 20, &[(7, Retry)]);
}

#[test]
fn the_worst_of_several_ways_wins() {
    let text = "INPORT=C.IN:IN\nOUTPORT=A.OUT:OUT\nC(t/copies) OUT[0] -> IN A(t/pass)\n\
                C OUT[1] -> IN B(t/fail-on) -> D(t/discard)\n'7' -> NUMBER B";
    expect(text, 20, &[(7, Retry)]);
}

#[test]
fn a_packet_of_another_kind_is_invalid() {
    for way in DRIVERS {
        let book = Arc::new(Book::default());
        let fed = Arc::clone(&book);
        run(
            "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\n'7' -> NUMBER A(t/fail-on)",
            way,
            move |input| {
                let texts = ["1", "two", "3"];
                for (number, text) in (0..).zip(texts) {
                    let value = text
                        .parse()
                        .map_or_else(|_| Packet::text(text), Packet::int);
                    input.send(fed.packet(number, value)).unwrap();
                }
            },
            |output| output.for_each(drop),
        );
        assert_eq!(book.all(3), [Done, Invalid, Done], "{way:?}");
    }
}

#[test]
fn a_looper_that_gets_a_packet_of_another_kind_starts_afresh() {
    for way in DRIVERS {
        let book = Arc::new(Book::default());
        let fed = Arc::clone(&book);
        let outcome = run(
            "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\nA(s/even)",
            way,
            move |input| {
                let packets = [Packet::int(2), Packet::text("two"), Packet::int(4)];
                for (number, packet) in (0..).zip(packets) {
                    input.send(fed.packet(number, packet)).unwrap();
                }
            },
            |output| {
                let numbers: Vec<_> = output.filter_map(|packet| packet.as_int()).collect();
                assert_eq!(numbers, [2, 4], "{way:?}");
            },
        );
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(book.all(3), [Done, Invalid, Done], "{way:?}");
    }
}

#[test]
fn what_goes_to_error_is_done_when_it_has_been_taken_care_of() {
    expect(
        "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\n'7' -> NUMBER A(t/fail-on) ERROR -> IN B(t/discard)",
        20,
        &[],
    );
}

#[test]
fn a_looper_that_fails_starts_afresh_and_what_it_held_is_to_be_given_again() {
    for way in DRIVERS {
        let text = "INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\n'7' -> NUMBER A(s/give-up-at)";
        let (dispositions, out) = settled(text, way, 20);
        assert_eq!(dispositions, but(20, &[(7, Retry)]), "{way:?}");
        let others: Vec<String> = (0..20)
            .filter(|at| *at != 7)
            .map(|at| at.to_string())
            .collect();
        assert_eq!(out, others, "{way:?}");
    }
}

#[test]
fn what_nobody_takes_any_more_is_given_back() {
    for way in DRIVERS {
        // A function, and a looper that is told so in its own code.
        for sender in ["A(t/pass)", "'1000' -> NUMBER A\nA(s/give-up-at)"] {
            let text = format!("INPORT=A.IN:IN\nOUTPORT=B.OUT:OUT\n{sender} -> B(t/leaver)");
            let (dispositions, out) = settled(&text, way, 60);
            assert_eq!(out.len(), 19, "{sender} {way:?}");
            assert_eq!(dispositions[..20], [Done; 20], "{sender} {way:?}");
            assert!(
                dispositions[20..].iter().all(|one| *one == Release),
                "{sender} {way:?} {dispositions:?}"
            );
        }
    }
}

#[test]
fn what_is_kept_to_the_end_and_never_sent_is_done_with_its_process() {
    expect("INPORT=A.IN:IN\nOUTPORT=A.OUT:OUT\nA(s/keep-two)", 30, &[]);
}

#[test]
fn ids_are_the_same_when_everything_is_done_again() {
    let ids = |way| {
        let ids = Arc::new(Mutex::new(Vec::new()));
        let read = Arc::clone(&ids);
        let book = Arc::new(Book::default());
        run(
            "INPORT=A.IN:IN\nOUTPORT=B.OUT:OUT\nA(t/copies) OUT[0] -> IN B(t/walk)\nA OUT[1] -> IN C(t/discard)",
            way,
            move |input| {
                for number in 0..30 {
                    input.send(book.packet(number, Packet::null())).unwrap();
                }
            },
            move |output| {
                output
                    .for_each(|packet| read.lock().push(packet.trail().and_then(|trail| trail.id)));
            },
        );
        ids.lock().clone()
    };
    let first = ids(DRIVERS[0]);
    let mut distinct = first.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 30);
    assert!(first.iter().all(Option::is_some));
    for way in DRIVERS {
        assert_eq!(ids(way), first, "{way:?}");
    }
}
