//! Tables that a store keeps: rows, what was handled and what was sent are committed together.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::DRIVERS;
use common::shelf::Shelf;
use paperflow_core::connector::Store;
use paperflow_core::*;
use paperflow_engine::{
    Control, Network, Options, Outcome, Output, Scheduler, Started, Stores, Verdict,
};
use paperflow_graph::plan;

/// Counts each number, and says how often it has come.
#[component("k/count", work = compute)]
fn count(
    /// Numbers.
    number: i64,
    /// How often each has come, and how many have come at all.
    seen: &mut Table<i64, i64>,
    /// Fails on this number, once it has written its row.
    #[default(-1)]
    bad: &Param<i64>,
    /// The number and its count.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    let times = seen.get(&number).unwrap_or(0) + 1;
    seen.put(number, times);
    seen.put(-2, seen.get(&-2).unwrap_or(0) + 1);
    out.put(format!("{number}x{times}"));
    if number == **bad {
        return Err(Fault::new("a bad number"));
    }
    Ok(())
}

/// The same as a looper, which adds up.
#[component("k/add", work = compute)]
async fn add(
    /// Numbers.
    input: In<i64>,
    /// The sum so far.
    mut sums: Table<String, i64>,
    /// Each number, and the sum so far.
    out: Out<Text>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        let sum = sums.get("sum").unwrap_or(0) + *number;
        sums.put(String::from("sum"), sum);
        out.send(format!("{}:{sum}", *number)).await?;
    }
    Ok(())
}

/// Holds every other number until the next has come.
#[component("k/pairs", work = compute)]
async fn pairs(
    /// Numbers.
    input: In<i64>,
    /// How many pairs there were.
    mut pairs: Table<i64, i64>,
    /// The two numbers.
    out: Out<Text>,
) -> Result<(), Fault> {
    while let Some(one) = input.next().await {
        let Some(two) = input.next().await else { break };
        pairs.put(0, pairs.get(&0).unwrap_or(0) + 1);
        out.send(format!("{}+{}", *one, *two)).await?;
    }
    Ok(())
}

/// Sends each number back less one, until nothing is left of it.
#[component("k/step", work = compute)]
async fn step(
    /// Numbers.
    input: In<i64>,
    /// How often each has come.
    mut seen: Table<i64, i64>,
    /// Less one.
    back: Out<i64>,
    /// Nothing.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        seen.put(*number, seen.get(&number).unwrap_or(0) + 1);
        match *number {
            0 => out.send(0).await?,
            more => back.send(more - 1).await?,
        }
    }
    Ok(())
}

/// Takes a number only when the one before has come back.
#[component("k/one", work = compute)]
async fn one_by_one(
    /// Numbers.
    calls: In<i64>,
    /// Numbers that have come back.
    told: In<i64>,
    /// The number that is away.
    mut away: Table<String, i64>,
    /// Numbers that go away.
    ask: Out<i64>,
    /// Numbers that have been away.
    out: Out<i64>,
) -> Result<(), Fault> {
    loop {
        if away.is_empty() {
            let Some(call) = calls.next().await else {
                return Ok(());
            };
            away.put(String::from("one"), *call);
            ask.send(*call).await?;
        }
        let Some(told) = told.next().await else {
            return Ok(());
        };
        away.remove("one");
        out.send(*told).await?;
    }
}

/// Writes each number down, and sends it on to nobody.
#[component("k/note", work = compute)]
async fn note(
    /// Numbers.
    input: In<i64>,
    /// How often each has come.
    mut seen: Table<i64, i64>,
    /// The numbers.
    #[optional]
    gone: Out<i64>,
    /// Nothing.
    out: Out<i64>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        seen.put(*number, seen.get(&number).unwrap_or(0) + 1);
        gone.send(number).await?;
        assert!(out.is_connected(), "it is the end that the test reads");
    }
    Ok(())
}

/// Writes each number down, and handles it when it is delivered for the second time.
#[component("k/later", work = compute)]
async fn later(
    /// Numbers.
    input: In<i64>,
    /// How often each has come.
    mut seen: Table<i64, i64>,
    /// The number and how often it has come.
    out: Out<Text>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        let times = seen.get(&number).unwrap_or(0) + 1;
        seen.put(*number, times);
        if times > 1 {
            out.send(format!("{}x{times}", *number)).await?;
        } else if number.retry_later("not yet").is_err() {
            return Err(Fault::new("there is no store"));
        }
    }
    Ok(())
}

/// Sends of its own accord, and keeps how far it is.
#[component("k/clockwork", work = compute)]
async fn clockwork(
    /// How far it is.
    mut state: Table<String, i64>,
    /// 1 to 5.
    out: Out<i64>,
) -> Result<(), Fault> {
    while state.get("at").unwrap_or(0) < 5 {
        let next = state.get("at").unwrap_or(0) + 1;
        state.put(String::from("at"), next);
        out.send(next).await?;
    }
    Ok(())
}

/// Passes each number, and says when there are no more.
#[component("k/last", work = compute)]
async fn last(
    /// Numbers.
    input: In<i64>,
    /// Those that have come.
    mut seen: Table<i64, i64>,
    /// The same, and a last word.
    out: Out<Text>,
) -> Result<(), Fault> {
    while let Some(number) = input.next().await {
        seen.put(*number, 1);
        out.send(number.to_string()).await?;
    }
    out.send("end").await?;
    Ok(())
}

/// Lets each number pass once.
#[component("k/new", work = compute)]
fn new(
    /// Numbers.
    number: i64,
    /// Those that have passed.
    seen: &mut Table<i64, i64>,
    /// Each number once.
    out: &mut Out<i64>,
) {
    if seen.get(&number).is_none() {
        seen.put(number, 1);
        out.put(number);
    }
}

fn catalogue() -> Catalogue {
    common::catalogue()
        .with(last)
        .with(new)
        .with(count)
        .with(add)
        .with(pairs)
        .with(clockwork)
        .with(later)
        .with(note)
        .with(step)
        .with(one_by_one)
}

/// Runs a text in which this table of process P is kept, and the arrows into these in-ports are queues.
fn run(
    shelf: &Arc<Shelf>,
    text: &str,
    (table, queues): (&str, &[&str]),
    way: (Scheduler, usize),
    read: impl FnOnce(&Control, Output) -> Vec<String> + Send,
) -> (Outcome, Vec<String>) {
    run_keeping(shelf, text, (table, plan::Keep::Always, queues), way, read)
}

fn run_keeping(
    shelf: &Arc<Shelf>,
    text: &str,
    (table, keep, queues): (&str, plan::Keep, &[&str]),
    way: (Scheduler, usize),
    read: impl FnOnce(&Control, Output) -> Vec<String> + Send,
) -> (Outcome, Vec<String>) {
    let (mut plan, sources) = common::planned(text, &catalogue());
    let process = plan.process("P").unwrap();
    plan.tables.push(plan::Table {
        process,
        name: table.to_owned(),
        keep,
        ..plan::Table::default()
    });
    for link in &mut plan.links {
        let into = format!(
            "{}.{}",
            plan.processes[link.to.process].address, link.to.port
        );
        if queues.contains(&&*into) {
            link.connector = Some(Box::new(plan::Connector {
                name: into,
                retries: Some(1),
                ..plan::Connector::default()
            }));
        }
    }
    let options = Options {
        scheduler: way.0,
        capacity: way.1,
        patience: Duration::from_millis(if shelf.is_full() { 10 } else { 60_000 }),
        ..Options::default()
    };
    let mut network = Network::new(plan, &catalogue(), &sources, options);
    network.keep(Stores::new("test").usual(Arc::clone(shelf) as Arc<dyn Store>));
    network.output("OUT").unwrap();
    let Started {
        running,
        mut outputs,
        ..
    } = network.start().unwrap();
    let (output, control) = (outputs.remove(0), running.control());
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(&control, output));
        let outcome = running.wait();
        assert!(
            outcome.statistics.is_conserved(),
            "{way:?} {:#?}",
            outcome.statistics
        );
        assert_eq!(outcome.leaks, [], "{way:?}");
        (outcome, reader.join().unwrap())
    })
}

fn all(_: &Control, output: Output) -> Vec<String> {
    output.map(|packet| packet.to_string()).collect()
}

fn row(shelf: &Shelf, table: &str, key: &str) -> Option<String> {
    let key = (table.to_owned(), key.to_owned());
    shelf.kept("test/P", |kept| kept.rows.get(&key).cloned())
}

const LOOPER: &str = "'200' -> COUNT E(t/emit) OUT -> IN P(k/add)\nOUTPORT=P.OUT:OUT";
const COUNT: &str = "'200' -> COUNT E(t/emit) OUT -> NUMBER P(k/count)\nOUTPORT=P.OUT:OUT";

#[test]
fn rows_are_there_in_the_next_run() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        for times in 1..=2 {
            let (outcome, out) = run(&shelf, COUNT, ("seen", &[]), way, all);
            assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
            let expected: Vec<String> = (1..=200).map(|at| format!("{at}x{times}")).collect();
            assert_eq!(out, expected, "{way:?}");
        }
        assert_eq!(row(&shelf, "SEEN", "-2").as_deref(), Some("400"), "{way:?}");
    }
}

#[test]
fn rows_that_are_kept_for_a_run_are_not_there_in_the_next_one() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        for _ in 1..=2 {
            let kept = ("SEEN", plan::Keep::Run, &["P.NUMBER"][..]);
            let (outcome, out) = run_keeping(&shelf, COUNT, kept, way, all);
            assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
            let expected: Vec<String> = (1..=200).map(|at| format!("{at}x1")).collect();
            assert_eq!(out, expected, "{way:?}");
        }
        assert_eq!(row(&shelf, "SEEN", "-2").as_deref(), Some("200"), "{way:?}");
    }
}

#[test]
fn many_units_of_work_are_committed_at_a_time() {
    let shelf = Arc::new(Shelf::default());
    run(
        &shelf,
        COUNT,
        ("seen", &[]),
        (Scheduler::Threads, 1000),
        all,
    );
    let commits = shelf.kept("test/P", |kept| kept.commits);
    assert!(commits <= 100, "{commits} commits for 200 packets");
}

/// A run that is cut short after a few packets, and the run after it: each number is counted once.
fn cut_short(queues: &[&str]) {
    for keep in plan::Keep::WORDS {
        cut_short_keeping(keep.1, queues);
    }
}

fn cut_short_keeping(keep: plan::Keep, queues: &[&str]) {
    let text = COUNT.replace("200", "3000");
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let kept = ("SEEN", keep, queues);
        let (_, first) = run_keeping(&shelf, &text, kept, way, |control, output| {
            let seen: Vec<_> = (0..7).map_while(|_| output.recv()).collect();
            control.kill();
            seen.iter().map(ToString::to_string).collect()
        });
        let (outcome, second) = run_keeping(&shelf, &text, kept, way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let told: BTreeSet<String> = first.into_iter().chain(second).collect();
        let expected: BTreeSet<String> = (1..=3000).map(|at| format!("{at}x1")).collect();
        assert_eq!(told, expected, "{way:?}: all of them, none counted twice");
        assert_eq!(
            row(&shelf, "SEEN", "-2").as_deref(),
            Some("3000"),
            "{way:?}"
        );
    }
}

#[test]
fn m6_what_was_handled_is_not_handled_again_after_a_crash() {
    cut_short(&[]);
}

#[test]
fn m6_what_came_from_a_queue_is_not_handled_again_after_a_crash() {
    cut_short(&["P.NUMBER"]);
}

#[test]
fn a_call_that_fails_leaves_no_row_behind() {
    let text = format!("{COUNT}\n'50' -> BAD P");
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, out) = run(&shelf, &text, ("seen", &["P.NUMBER"]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let others: Vec<String> = (1..=200)
            .filter(|at| *at != 50)
            .map(|at| format!("{at}x1"))
            .collect();
        assert_eq!(out, others, "{way:?}");
        assert_eq!(row(&shelf, "SEEN", "50"), None, "{way:?}");
        assert_eq!(row(&shelf, "SEEN", "-2").as_deref(), Some("199"), "{way:?}");
        assert_eq!(
            shelf.with("P.NUMBER", |state| state.dead.len()),
            1,
            "{way:?}"
        );
    }
}

#[test]
fn what_cannot_be_committed_never_happened() {
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        shelf.refuse(1_000);
        let (outcome, out) = run(&shelf, COUNT, ("seen", &[]), way, all);
        assert!(matches!(outcome.verdict, Verdict::Failed(_)), "{way:?}");
        assert_eq!(out, [""; 0], "{way:?}");
        shelf.refuse(0);
        let (_, out) = run(&shelf, COUNT, ("seen", &[]), way, all);
        assert_eq!(out.len(), 200, "{way:?}");
        assert_eq!(row(&shelf, "SEEN", "-2").as_deref(), Some("200"), "{way:?}");
    }
}

#[test]
fn a_commit_that_is_refused_for_a_while_is_tried_again() {
    for text in [COUNT, LOOPER] {
        for way in DRIVERS {
            let shelf = Arc::new(Shelf::default());
            shelf.refuse(5);
            let table = if text == COUNT { "seen" } else { "sums" };
            let (outcome, out) = run(&shelf, text, (table, &[]), way, all);
            assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
            assert!(out.len() >= 100, "{way:?}: {}", out.len());
            let different: BTreeSet<_> = out.iter().collect();
            assert_eq!(different.len(), out.len(), "{way:?}: each once");
        }
    }
}

#[test]
fn a_looper_goes_on_with_the_sum_it_had() {
    let text = "'2000' -> COUNT E(t/emit) OUT -> IN P(k/add)\nOUTPORT=P.OUT:OUT";
    for queues in [&[][..], &["P.IN"]] {
        for way in DRIVERS {
            let shelf = Arc::new(Shelf::default());
            let (_, first) = run(&shelf, text, ("sums", queues), way, |control, output| {
                let seen: Vec<_> = (0..5).map_while(|_| output.recv()).collect();
                control.kill();
                seen.iter().map(ToString::to_string).collect()
            });
            let (outcome, second) = run(&shelf, text, ("sums", queues), way, all);
            assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
            let told: BTreeSet<String> = first.into_iter().chain(second).collect();
            assert_eq!(told.len(), 2000, "{way:?}: no number with two sums");
            let sum = row(&shelf, "SUMS", "\"sum\"");
            assert_eq!(sum.as_deref(), Some("2001000"), "{way:?}");
        }
    }
}

#[test]
fn a_packet_that_is_held_has_not_been_handled() {
    let text = "'2000' -> COUNT E(t/emit) OUT -> IN P(k/pairs)\nOUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (_, first) = run(
            &shelf,
            text,
            ("pairs", &["P.IN"]),
            way,
            |control, output| {
                let seen: Vec<_> = (0..5).map_while(|_| output.recv()).collect();
                control.kill();
                seen.iter().map(ToString::to_string).collect()
            },
        );
        let (outcome, second) = run(&shelf, text, ("pairs", &["P.IN"]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let told: BTreeSet<&String> = first.iter().chain(&second).collect();
        let numbers = told.iter().flat_map(|pair| pair.split('+'));
        let mut numbers: Vec<i64> = numbers.map(|number| number.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert!(
            numbers.iter().copied().eq(1..=2000),
            "{way:?}: no number lost or in two pairs"
        );
        assert_eq!(
            row(&shelf, "PAIRS", "0").as_deref(),
            Some("1000"),
            "{way:?}"
        );
    }
}

#[test]
fn what_is_delivered_twice_is_handled_once() {
    let text = "'100' -> COUNT E(t/emit) OUT -> IN P(k/add)\nOUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        shelf.double();
        let (outcome, out) = run(&shelf, text, ("sums", &["P.IN"]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let sum = row(&shelf, "SUMS", "\"sum\"");
        assert_eq!(sum.as_deref(), Some("5050"), "{way:?}: {out:?}");
    }
}

#[test]
fn what_is_delivered_again_while_it_is_held_is_the_same_packet() {
    let text = "'100' -> COUNT E(t/emit) OUT -> IN P(k/pairs)\nOUTPORT=P.OUT:OUT";
    let pairs = (1..100).step_by(2);
    let pairs: Vec<_> = pairs.map(|one| format!("{one}+{}", one + 1)).collect();
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        shelf.double();
        let (outcome, out) = run(&shelf, text, ("pairs", &["P.IN"]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let told: BTreeSet<_> = out.iter().collect();
        assert_eq!(told, pairs.iter().collect(), "{way:?}");
        assert_eq!(row(&shelf, "PAIRS", "0").as_deref(), Some("50"), "{way:?}");
        shelf.with("P.IN", |queue| assert!(queue.leased.is_empty(), "{way:?}"));
    }
}

#[test]
fn what_is_sent_of_its_own_accord_is_owed_until_it_has_arrived() {
    let text = "P(k/clockwork) OUT -> IN B(t/pass)\nOUTPORT=B.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (_, first) = run(&shelf, text, ("state", &[]), way, |control, output| {
            let seen: Vec<_> = (0..2).map_while(|_| output.recv()).collect();
            control.kill();
            seen.iter().map(ToString::to_string).collect()
        });
        let (_, second) = run(&shelf, text, ("state", &[]), way, all);
        let told: BTreeSet<String> = first.into_iter().chain(second).collect();
        let expected = ["1", "2", "3", "4", "5"].map(String::from);
        assert_eq!(told, BTreeSet::from(expected), "{way:?}");
        let owed = shelf.kept("test/P", |kept| kept.owed.len());
        assert_eq!(owed, 0, "{way:?}");
    }
}

#[test]
fn what_comes_by_another_way_after_a_crash_had_been_sent_and_is_sent_again() {
    for (way, next) in DRIVERS.into_iter().flat_map(|way| [(way, 1), (way, 0)]) {
        let shelf = Arc::new(Shelf::default());
        let life = |first: usize, read| {
            let text = format!(
                "'1000' -> COUNT E(t/emit) OUT -> IN C(t/choose)\n'{first}' -> FIRST C\n\
                 C OUT[0] -> IN A(t/pass) OUT -> NUMBER P(k/new)\n\
                 C OUT[1] -> IN B(t/pass) OUT -> NUMBER P\nOUTPORT=P.OUT:OUT"
            );
            run(&shelf, &text, ("SEEN", &["C.IN"]), way, read)
        };
        let cut: fn(&Control, Output) -> Vec<String> = |control, output| {
            let seen: Vec<_> = (0..7).map_while(|_| output.recv()).collect();
            control.kill();
            seen.iter().map(ToString::to_string).collect()
        };
        let (_, first) = life(0, cut);
        let (outcome, second) = life(next, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let once: BTreeSet<&String> = second.iter().collect();
        assert_eq!(
            once.len(),
            second.len(),
            "{way:?}: what comes again the same way is not sent twice"
        );
        let told: BTreeSet<String> = first.into_iter().chain(second).collect();
        let expected: BTreeSet<String> = (1..=1000).map(|at| at.to_string()).collect();
        let lost: Vec<_> = expected.difference(&told).collect();
        assert!(lost.is_empty(), "{way:?}: {lost:?}");
    }
}

#[test]
fn what_may_come_in_another_order_and_fails_is_tried_again_and_set_aside_by_its_store() {
    let text = "'20' -> COUNT E(t/emit) OUT -> IN C(t/walk) OUT -> NUMBER P(k/new)\n\
                '7' -> NUMBER F(t/fail-on)\nP OUT -> IN F\nOUTPORT=F.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, out) = run(&shelf, text, ("SEEN", &["C.IN"]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let told: BTreeSet<&str> = out.iter().map(String::as_str).collect();
        assert_eq!(
            (told.len(), told.contains("7")),
            (19, false),
            "{way:?}: {out:?}"
        );
        shelf.with("C.IN", |queue| {
            let failed: Vec<_> = queue
                .dead
                .iter()
                .map(|(message, _)| common::shelf::body(message))
                .collect();
            assert_eq!(failed, ["7"], "{way:?}");
        });
        let (next, again) = run(&shelf, text, ("SEEN", &["C.IN"]), way, all);
        assert_eq!(
            next.verdict,
            Verdict::Finished,
            "{way:?}: nothing is owed of a run that has finished"
        );
        assert!(again.is_empty(), "{way:?}: {again:?}");
    }
}

#[test]
fn a_packet_that_is_to_come_again_has_not_been_handled() {
    let text = "'200' -> COUNT E(t/emit) OUT -> IN P(k/later)\nOUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, out) = run(&shelf, text, ("seen", &["P.IN"]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        let told: BTreeSet<String> = out.into_iter().collect();
        let expected: BTreeSet<String> = (1..=200).map(|at| format!("{at}x2")).collect();
        assert_eq!(told, expected, "{way:?}");
        assert_eq!(row(&shelf, "SEEN", "7").as_deref(), Some("2"), "{way:?}");
    }
}

#[test]
fn a_packet_that_is_sent_to_nobody_has_been_handled() {
    let text = "'200' -> COUNT E(t/emit) OUT -> IN P(k/note)\nOUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        run(&shelf, text, ("seen", &["P.IN"]), way, all);
        let handled = shelf.kept("test/P", |kept| kept.handled.len());
        assert_eq!(handled, 200, "{way:?}");
    }
}

#[test]
fn nothing_leaves_before_it_is_committed_also_when_it_had_to_wait_for_room() {
    let text = "'2000' -> COUNT E(t/emit) OUT -> NUMBER P(k/count) OUT ->(8) IN B(t/pass) OUT -> IN C(t/walk)\n\
                OUTPORT=C.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        run(&shelf, text, ("seen", &["P.NUMBER", "C.IN"]), way, all);
        let forgotten = shelf.kept("test/P", |kept| {
            let handled = kept.handled.values();
            handled.filter(|handled| handled.sent.is_empty()).count()
        });
        assert_eq!(forgotten, 0, "{way:?}: what was sent is in the outbox");
    }
}

#[test]
fn a_cycle_with_a_kept_table_ends_by_itself() {
    let text = "'4' -> COUNT E(t/emit) OUT -> IN[0] J(t/join) OUT ->(100) IN P(k/step)\n\
                P BACK ->(100) IN[1] J\nOUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, out) = run(&shelf, text, ("seen", &[]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(out, ["0"; 4], "{way:?}");
    }
}

#[test]
fn what_is_away_when_it_crashes_comes_back_though_nobody_reads_what_led_to_it() {
    let text = "'500' -> COUNT E(t/emit) OUT -> CALLS P(k/one) ASK -> IN B(t/pass) OUT -> TOLD P\n\
                OUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let mut told = BTreeSet::new();
        for cut in [3, 50, 100] {
            let (_, some) = run(&shelf, text, ("away", &[]), way, |control, output| {
                let seen: Vec<_> = (0..cut).map_while(|_| output.recv()).collect();
                control.kill();
                seen.iter().map(ToString::to_string).collect()
            });
            told.extend(some);
        }
        let (outcome, rest) = run(&shelf, text, ("away", &[]), way, all);
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        told.extend(rest);
        assert_eq!(told.len(), 500, "{way:?}");
    }
}

/// Receives so many, stops the run, and receives what comes before it ends.
fn stop_after(count: usize) -> impl FnOnce(&Control, Output) -> Vec<String> + Send {
    move |control, output| {
        let first: Vec<_> = (0..count).map_while(|_| output.recv()).collect();
        control.stop(Duration::from_secs(600));
        let all = first.into_iter().chain(output);
        all.map(|packet| packet.to_string()).collect()
    }
}

#[test]
fn who_has_a_kept_table_is_not_told_that_its_input_ends_when_the_run_is_stopped() {
    let text = "'5000' -> COUNT E(t/emit) OUT -> IN P(k/last)\nOUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let shelf = Arc::new(Shelf::default());
        let (outcome, first) = run(&shelf, text, ("seen", &[]), way, stop_after(3));
        assert_eq!(outcome.verdict, Verdict::Finished, "{way:?}");
        assert!(!first.contains(&String::from("end")), "{way:?}");
        let (_, second) = run(&shelf, text, ("seen", &[]), way, all);
        assert_eq!(second.last().map(String::as_str), Some("end"), "{way:?}");
        let told: BTreeSet<&String> = first.iter().chain(&second).collect();
        assert_eq!(told.len(), 5_001, "{way:?}");
    }
}

#[test]
fn what_a_stopped_run_leaves_is_told_unless_it_comes_again() {
    let text = "E(t/news) OUT -> CALLS P(k/one) ASK -> IN Q(t/pass)\nOUTPORT=Q.OUT:OUT\n\
                N(t/sit) OUT -> TOLD P OUT -> IN D(t/discard)";
    for way in DRIVERS.into_iter().filter(|(_, capacity)| *capacity > 1) {
        let run = |text: &str| {
            let shelf = Arc::new(Shelf::default());
            run(&shelf, text, ("away", &["P.TOLD"]), way, stop_after(1)).0
        };
        let Verdict::Abandoned(left) = run(text).verdict else {
            panic!("{way:?}: nothing is left")
        };
        assert_eq!(left.len(), 1, "{way:?}: {left:?}");
        assert!(
            left[0].starts_with("P (suspended(receive"),
            "{way:?}: {left:?}"
        );
        let again = text.replace("E(t/news)", "'5' -> COUNT E(t/emit)");
        assert_eq!(run(&again).verdict, Verdict::Finished, "{way:?}");
    }
}
