//! Laws that small, awkward networks must obey under every driver: nobody hangs, nobody is wrongly
//! called stuck, and every packet is accounted for.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{DRIVERS, Ran};
use paperflow_core::*;
use paperflow_engine::report::State;
use paperflow_engine::{Network, Options, Outcome, Policy, Scheduler, Started, Verdict, describe};
use paperflow_graph::{FileId, Graph, Resolve, Severity, Sources, examine};

/// How long a run may take that ends in no time unless it hangs.
const LONG: Duration = Duration::from_secs(4);

struct Subnets(Vec<(String, Arc<Graph>)>);

impl Resolve for Subnets {
    fn subnet(&mut self, name: &str, _: FileId) -> Option<Arc<Graph>> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, graph)| Arc::clone(graph))
    }
}

fn network(text: &str, subnets: &[(&str, &str)], options: Options) -> Network {
    let mut sources = Sources::new();
    let mut parse = |name: &str, text: &str| {
        let file = sources.add(Path::new(name), text);
        let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
        assert_eq!(parsed.diagnostics, []);
        parsed.graph
    };
    let graph = parse("test.fbp", text);
    let subnets = subnets
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Arc::new(parse(name, text))))
        .collect();
    let catalogue = catalogue();
    let checked = examine(&graph, &describe(&catalogue), &mut Subnets(subnets));
    let is_error = |severity| severity == Severity::Error;
    let errors: Vec<_> = checked
        .diagnostics
        .iter()
        .filter(|found| is_error(found.severity))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    Network::new(checked.plan, &catalogue, &sources, options)
}

fn options(scheduler: Scheduler, capacity: usize) -> Options {
    Options {
        scheduler,
        capacity,
        virtual_time: true,
        ..Options::default()
    }
}

/// Waits for the end; a run that hangs is killed, and is then abandoned instead of finished.
fn wait(started: Started) -> Outcome {
    let Started {
        running, inputs, ..
    } = started;
    drop(inputs);
    end(running)
}

fn end(running: paperflow_engine::Running) -> Outcome {
    let control = running.control();
    let (done, ended) = crossbeam_channel::bounded::<()>(1);
    let guard = std::thread::spawn(move || {
        if ended.recv_timeout(LONG) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
            control.kill();
        }
    });
    let outcome = running.wait();
    drop(done);
    guard.join().unwrap();
    let totals = outcome.statistics.totals;
    assert!(totals.is_conserved(), "{totals:?}");
    outcome
}

/// Until what was fed has gone as far as it can.
fn wait_until_quiet(running: &paperflow_engine::Running) {
    let is_waiting = |state: &State| matches!(state, State::Dormant | State::SuspendedReceive(_));
    let observer = running.observer();
    while observer.received() < 3 || !observer.states().iter().all(|(_, state)| is_waiting(state)) {
        std::thread::yield_now();
    }
}

fn every_way(text: &str, subnets: &[(&str, &str)], check: impl Fn(Ran, &str)) {
    for (scheduler, capacity) in DRIVERS {
        let mut network = network(text, subnets, options(scheduler, capacity));
        let has_out = network.output("OUT").is_ok();
        let mut started = network.start().unwrap();
        let reader = has_out.then(|| {
            let output = started.outputs.remove(0);
            std::thread::spawn(move || output.map(|packet| packet.to_string()).collect::<Vec<_>>())
        });
        let outcome = wait(started);
        let out = reader.map(|reader| reader.join().unwrap());
        let way = format!("{scheduler:?} at {capacity}");
        check(
            Ran {
                out: out.unwrap_or_default(),
                outcome,
            },
            &way,
        );
    }
}

fn expect(text: &str, subnets: &[(&str, &str)], expected: &[&str]) {
    every_way(text, subnets, |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.out, expected, "{way}");
    });
}

fn catalogue() -> Catalogue {
    common::catalogue()
        .with(wrap)
        .with(glance)
        .with(behead)
        .with(stutter)
        .with(refuse)
        .with(faint_outside)
        .with(twice_outside)
        .with(nap)
        .with(put_and_close)
        .with(put_and_nap)
        .with(put_and_try)
        .with(group_of_either)
        .with(ask)
        .with(shed)
        .with(add)
}

/// Sends each number and then refuses one of them.
#[component("t/stutter", work = compute)]
fn stutter(
    /// Numbers.
    input: i64,
    /// The one that fails.
    number: &Param<i64>,
    /// All of them, the refused one each time it is tried.
    out: &mut Out<i64>,
) -> Result<(), Fault> {
    out.put(input);
    if input >= **number {
        return Err(Fault::new("refused"));
    }
    Ok(())
}

/// Refuses everything, for ever.
#[component("t/refuse", work = compute)]
fn refuse(
    /// Numbers.
    input: i64,
) -> Result<(), Fault> {
    Err(Fault::new(format!("refused {input}")))
}

/// Panics while it waits for the world.
#[component("t/faint-outside")]
async fn faint_outside(
    /// Nothing.
    out: Out<i64>,
) -> Result<(), Fault> {
    outside(|| assert!(!out.is_connected(), "fainted"));
    Ok(())
}

/// Waits for the world within waiting for the world.
#[component("t/twice-outside")]
async fn twice_outside(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        outside(|| outside(std::thread::yield_now));
        out.send(packet).await?;
    }
    Ok(())
}

/// Passes each packet after a second.
#[component("t/nap", work = compute)]
async fn nap(
    /// Anything.
    input: In<Packet>,
    /// Time.
    timer: Timer,
    /// The same, later.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        timer.sleep(Duration::from_secs(1)).await;
        out.send(packet).await?;
    }
    Ok(())
}

/// Puts three numbers and closes the port.
#[component("t/put-and-close", work = compute)]
async fn put_and_close(
    /// The numbers.
    mut out: Out<i64>,
) {
    for number in 1..=3 {
        out.put(number);
    }
    out.close();
}

/// Puts three numbers and sleeps for a very long time.
#[component("t/put-and-nap", work = compute)]
async fn put_and_nap(
    /// The numbers.
    mut out: Out<i64>,
    /// Time.
    timer: Timer,
) {
    for number in 1..=3 {
        out.put(number);
    }
    timer.sleep(Duration::from_secs(5)).await;
}

/// Puts two numbers and tries to send a third before them.
#[component("t/put-and-try", work = compute)]
async fn put_and_try(
    /// The numbers.
    mut out: Out<i64>,
) {
    out.put(1);
    out.put(2);
    drop(out.try_send(3));
}

/// Tells the size of each group from either port.
#[component("t/group-of-either", work = compute)]
async fn group_of_either(
    /// Groups.
    left: In<Grouped<i64>>,
    /// Groups.
    right: In<Grouped<i64>>,
    /// Sizes.
    out: Out<i64>,
    /// What the left groups hold.
    back: Out<i64>,
) -> Result<(), Fault> {
    while let Some(group) = select(left.next(), right.next()).await {
        match group {
            Either::Left(group) => back.send(group.data().sum::<i64>()).await?,
            Either::Right(group) => {
                out.send(i64::try_from(group.data().count()).unwrap_or(0))
                    .await?;
            }
        }
    }
    Ok(())
}

/// Opens a group, and closes it after an answer.
#[component("t/ask", work = compute, must_run)]
async fn ask(
    /// The answer.
    answer: In<i64>,
    /// Starts it.
    start: In<Packet>,
    /// A group.
    out: Out<Packet>,
) -> Result<(), Fault> {
    drop(start.next().await);
    out.send(Packet::open()).await?;
    if let Some(answer) = answer.next().await {
        out.send(*answer).await?;
    }
    answer.close();
    out.send(Packet::close()).await?;
    Ok(())
}

/// Passes what fits and drops the rest.
#[component("t/shed", work = compute)]
async fn shed(
    /// Numbers.
    input: In<i64>,
    /// Those that fit.
    out: Out<i64>,
) {
    while let Some(number) = input.next().await {
        drop(out.try_send(*number));
    }
}

/// Adds a number to each.
#[component("t/add", work = compute)]
fn add(
    /// Numbers.
    input: i64,
    /// What to add.
    number: &Param<i64>,
    /// Sums.
    out: &mut Out<i64>,
) {
    out.put(input + **number);
}

// ---- faults ----

#[test]
fn a_packet_is_retried_as_often_as_was_said_also_when_the_link_is_full() {
    expect(
        "'1' -> COUNT E(t/emit) OUT -> IN S(t/stutter:fault=retry,retries=2) OUT -> IN P(t/pass)
         '1' -> NUMBER S
         OUTPORT=P.OUT:OUT",
        &[],
        &["1", "1", "1"],
    );
}

#[test]
fn each_packet_has_retries_of_its_own() {
    expect(
        "'3' -> COUNT E(t/emit) OUT -> IN S(t/stutter:fault=retry,retries=1) OUT -> IN P(t/pass)
         '2' -> NUMBER S
         OUTPORT=P.OUT:OUT",
        &[],
        &["1", "2", "2", "3", "3"],
    );
}

#[test]
fn a_packet_that_waits_for_its_retry_is_counted_when_the_network_is_killed() {
    let text = "'1' -> COUNT E(t/emit) OUT -> IN R(t/refuse:fault=retry,retries=4000000000)";
    for (scheduler, capacity) in DRIVERS {
        let running = network(text, &[], options(scheduler, capacity))
            .start()
            .unwrap()
            .running;
        while running.observer().received() == 0 {
            std::thread::yield_now();
        }
        running.control().kill();
        let totals = running.wait().statistics.totals;
        assert!(totals.is_conserved(), "{totals:?}");
    }
    assert_eq!(Policy::default(), Policy::Usual);
}

#[test]
fn a_panic_outside_leaves_the_counting_right() {
    // The loop behind B ends only when somebody judges.
    let text = "F(t/faint-outside:fault=stop-process) OUT -> IN D(t/discard)
                '3' -> COUNT E(t/emit) OUT -> IN A(t/nap) OUT -> IN[0] J(t/join) OUT -> IN W(t/walk) OUT -> IN C(t/copies)
                C OUT[0] -> IN X(t/countdown) OUT -> IN[1] J
                C OUT[1] -> IN T(t/tally) OUT -> IN Z(t/discard)";
    every_way(text, &[], |ran, way| {
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way}");
        assert_eq!(ran.outcome.faults.len(), 1, "{way}");
    });
}

#[test]
fn waiting_for_the_world_twice_counts_once() {
    let text = "'50' -> COUNT E(t/emit) OUT -> IN[0] J(t/join) OUT -> IN W(t/twice-outside) OUT -> IN X(t/countdown)
                X OUT -> IN[1] J";
    every_way(text, &[], |ran, way| {
        // The sum of all steps down does not fit into small links: who is stuck is told at once.
        let ended = matches!(
            ran.outcome.verdict,
            Verdict::Finished | Verdict::Deadlock(_)
        );
        assert!(ended, "{way}: {:?}", ran.outcome.verdict);
    });
}

// ---- the hand ----

#[test]
fn what_was_put_before_a_close_arrives() {
    expect(
        "S(t/put-and-close) OUT -> IN P(t/pass)\nOUTPORT=P.OUT:OUT",
        &[],
        &["1", "2", "3"],
    );
}

#[test]
fn what_was_put_leaves_before_a_nap_is_over() {
    // The other nap is shorter, so its packet comes last only if the hand waited for the long nap.
    let text = "S(t/put-and-nap) OUT -> IN[0] J(t/join)
                '1' -> COUNT E(t/emit) OUT -> IN A(t/add) OUT -> IN N(t/nap) OUT -> IN[1] J
                '98' -> NUMBER A
                J OUT ->(100) IN P(t/pass)
                OUTPORT=P.OUT:OUT";
    expect(text, &[], &["1", "2", "3", "99"]);
}

#[test]
fn nothing_overtakes_the_hand() {
    every_way(
        "S(t/put-and-try) OUT -> IN P(t/pass)\nOUTPORT=P.OUT:OUT",
        &[],
        |ran, way| assert!(ran.out.is_sorted(), "{way}: {:?}", ran.out),
    );
}

// ---- judgement ----

#[test]
fn a_group_half_received_hides_no_other_port() {
    let text = "A(t/ask) OUT -> IN[0] Dummy(t/join) OUT -> RIGHT G(t/group-of-either)
                '1' -> COUNT K(t/emit) OUT -> START A
                '1' -> COUNT T(t/ticks) OUT -> IN B(t/box) OUT -> LEFT G
                G BACK -> ANSWER A
                OUTPORT=G.OUT:OUT";
    let text = text.replace("IN B(t/box) OUT", "IN B(Box) OUT");
    let boxed = "'IN' -> NAME O(SubOutSS)\nINPORT=O.IN:IN\nOUTPORT=O.OUT:OUT";
    expect(&text, &[("Box", boxed)], &["1"]);
}

#[test]
fn a_looper_that_shed_does_not_wait_for_room() {
    // X sheds into the loop and then waits for more: the loop is quiescent, nobody is stuck.
    let text = "'9' -> COUNT E(t/emit) OUT -> IN[0] J(t/join) OUT -> IN X(t/countdown) OUT -> IN Y(t/shed) OUT -> IN[1] J";
    every_way(text, &[], |ran, way| {
        let ended = matches!(
            ran.outcome.verdict,
            Verdict::Finished | Verdict::Deadlock(_)
        );
        assert!(ended, "{way}: {:?}", ran.outcome.verdict);
    });
}

#[test]
fn a_loop_fed_by_the_program_ends_with_its_input() {
    let text = "INPORT=J.IN[0]:IN
                J(t/join) OUT -> IN W(t/walk) OUT -> IN F(t/fail-on:fault=park) OUT -> IN[1] J
                '7' -> NUMBER F";
    for (scheduler, capacity) in DRIVERS {
        let mut network = network(text, &[], options(scheduler, capacity));
        network.input("IN").unwrap();
        let Started {
            running, inputs, ..
        } = network.start().unwrap();
        inputs[0].send(7_i64).unwrap();
        wait_until_quiet(&running);
        drop(inputs);
        assert_eq!(
            end(running).verdict,
            Verdict::Finished,
            "{scheduler:?} {capacity}"
        );
    }
}

#[test]
fn a_stopped_feed_ends_a_loop() {
    let text = "INPORT=J.IN[0]:IN
                J(t/join) OUT -> IN W(t/walk) OUT -> IN F(t/fail-on:fault=park) OUT -> IN[1] J
                '7' -> NUMBER F";
    for (scheduler, capacity) in DRIVERS {
        let mut network = network(text, &[], options(scheduler, capacity));
        network.input("IN").unwrap();
        let Started {
            running, inputs, ..
        } = network.start().unwrap();
        inputs[0].send(7_i64).unwrap();
        wait_until_quiet(&running);
        running.control().stop(LONG);
        assert_eq!(
            end(running).verdict,
            Verdict::Finished,
            "{scheduler:?} {capacity}"
        );
    }
}

#[test]
fn whoever_waits_for_a_parameter_waits_for_nothing_else() {
    let text = "'1000000' -> COUNT Gen(t/emit) OUT -> IN Repl(t/copies)
Repl OUT[0] -> IN[0] Cat(t/chain)
Repl OUT[1] -> IN[1] Cat
Cat OUT -> IN T(t/tally) OUT -> NUMBER A(t/add)
Sit(t/sit) OUT -> IN A OUT -> IN D(t/discard)";
    every_way(text, &[], |ran, way| {
        let Verdict::Deadlock(deadlock) = &ran.outcome.verdict else {
            panic!("{way}: {:?}", ran.outcome.verdict)
        };
        let stuck = deadlock.stuck.iter().map(|stuck| stuck.address.as_str());
        let stuck: Vec<_> = stuck.collect();
        assert_eq!(stuck, ["Gen", "Repl", "Cat", "T", "A", "D"], "{way}");
    });
}

// ---- subnets that live once per group ----

const INNER: &str = "'IN' -> NAME I(SubInSS) OUT -> IN N(t/nap) OUT -> IN O(SubOutSS)
'OUT' -> NAME O
INPORT=I.IN:IN
OUTPORT=O.OUT:OUT";

#[test]
fn a_nap_in_a_subnet_within_a_subnet_is_no_deadlock() {
    let text = "'2' -> COUNT G(t/groups) OUT -> IN S(Outer) OUT -> IN P(t/pass)
                '1' -> SIZE G
                OUTPORT=P.OUT:OUT";
    let outer = "'IN' -> NAME I(SubInSS) OUT -> IN S(Inner)
                 INPORT=I.IN:IN
                 OUTPORT=S.OUT:OUT";
    let subnets = [("Outer", outer), ("Inner", INNER)];
    expect(text, &subnets, &["(", "1", ")", "(", "2", ")"]);
}

/// Puts brackets around each packet.
#[component("t/wrap", work = compute)]
async fn wrap(
    /// Anything.
    input: In<Packet>,
    /// Groups of one.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        out.send(Packet::open()).await?;
        out.send(packet).await?;
        out.send(Packet::close()).await?;
    }
    Ok(())
}

/// Reads one packet, sends 7 and leaves.
#[component("t/glance", work = compute)]
async fn glance(
    /// Anything.
    input: In<Packet>,
    /// 7.
    out: Out<i64>,
) -> Result<(), Fault> {
    drop(input.next().await);
    out.send(7).await?;
    Ok(())
}

/// Sends the first packet elsewhere, and puts brackets around each of the others.
#[component("t/behead", work = compute)]
async fn behead(
    /// Anything.
    input: In<Packet>,
    /// The first.
    head: Out<Packet>,
    /// Groups of one.
    out: Out<Packet>,
) -> Result<(), Fault> {
    if let Some(packet) = input.next().await {
        head.send(packet).await?;
    }
    while let Some(packet) = input.next().await {
        out.send(Packet::open()).await?;
        out.send(packet).await?;
        out.send(Packet::close()).await?;
    }
    Ok(())
}

#[test]
fn a_parameter_of_a_subnet_within_a_subnet_comes_anew_in_each_life_of_the_outer_one() {
    let text = "'6' -> COUNT G(t/groups) OUT -> IN S(Outer) OUT -> IN P(t/pass)
                '3' -> SIZE G
                OUTPORT=P.OUT:OUT";
    let outer = "'IN' -> NAME I(SubInSS) OUT -> IN H(t/behead) OUT -> IN S(Inner)
                 H HEAD -> NUMBER S
                 INPORT=I.IN:IN
                 OUTPORT=S.OUT:OUT";
    let inner = "'IN' -> NAME I(SubInSS) OUT -> IN A(t/add)
                 INPORT=I.IN:IN
                 INPORT=A.NUMBER:NUMBER
                 OUTPORT=A.OUT:OUT";
    let subnets = [("Outer", outer), ("Inner", inner)];
    expect(text, &subnets, &["3", "4", "9", "10"]);
}

#[test]
fn a_subnet_within_a_subnet_ends_its_life_when_its_reader_has_left() {
    let text = "'200' -> COUNT G(t/groups) OUT -> IN S(Outer) OUT -> IN P(t/pass)
                '100' -> SIZE G
                OUTPORT=P.OUT:OUT";
    let outer =
        "'IN' -> NAME I(SubInSS) OUT -> IN W(t/wrap) OUT -> IN S(Inner) OUT -> IN L(t/glance)
                 INPORT=I.IN:IN
                 OUTPORT=L.OUT:OUT";
    let subnets = [("Outer", outer), ("Inner", INNER)];
    expect(text, &subnets, &["7", "7"]);
}

#[test]
fn a_nap_behind_a_subnet_within_a_subnet_is_no_deadlock() {
    let text = "'2' -> COUNT G(t/groups) OUT -> IN S(Outer) OUT -> IN P(t/pass)
                '1' -> SIZE G
                OUTPORT=P.OUT:OUT";
    let outer = "'IN' -> NAME I(SubInSS) OUT -> IN S(Inner) OUT -> IN N(t/nap)
                 INPORT=I.IN:IN
                 OUTPORT=N.OUT:OUT";
    let subnets = [("Outer", outer), ("Inner", INNER)];
    expect(text, &subnets, &["(", "1", ")", "(", "2", ")"]);
}

#[test]
fn a_parameter_by_arrow_comes_anew_in_each_life() {
    let text = "'6' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN P(t/pass)
                '2' -> SIZE G
                OUTPORT=P.OUT:OUT";
    let sub = "'IN' -> NAME I(SubInSS) OUT -> IN A(t/add)
               '1' -> COUNT K(t/emit) OUT -> NUMBER A
               INPORT=I.IN:IN
               OUTPORT=A.OUT:OUT";
    expect(text, &[("Sub", sub)], &["2", "3", "4", "5", "6", "7"]);
}

#[test]
fn stopping_lets_the_lives_that_have_begun_run_to_their_end() {
    let text = "'1000000000' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN D(t/discard)
                '2' -> SIZE G";
    let sub = "'IN' -> NAME I(SubInSS) OUT -> IN[0] J(t/join)
               '1' -> COUNT K(t/emit) OUT -> IN[1] J
               INPORT=I.IN:IN
               OUTPORT=J.OUT:OUT";
    for (scheduler, capacity) in DRIVERS {
        let running = network(text, &[("Sub", sub)], options(scheduler, capacity))
            .start()
            .unwrap()
            .running;
        while running.observer().received() < 200 {
            std::thread::yield_now();
        }
        running.control().stop(LONG);
        assert_eq!(
            end(running).verdict,
            Verdict::Finished,
            "{scheduler:?} {capacity}"
        );
    }
}

// ---- the price of judgement ----

#[test]
fn nobody_looks_where_nobody_can_be_stuck() {
    let row =
        "'100' -> COUNT T(t/ticks) OUT -> IN A(t/pass) OUT -> IN B(t/walk) OUT -> IN D(t/discard)";
    let diamond = "'100' -> COUNT T(t/ticks) OUT -> IN C(t/copies) OUT[0] -> IN[0] J(t/join) OUT -> IN D(t/discard)
                   C OUT[1] -> IN A(t/walk) OUT -> IN[1] J";
    for text in [row, diamond] {
        for scheduler in [Scheduler::Threads, Scheduler::Pool(2)] {
            let network = network(text, &[], options(scheduler, 7));
            let running = network.start().unwrap().running;
            let observer = running.observer();
            assert_eq!(end(running).verdict, Verdict::Finished);
            assert_eq!(observer.judgements(), 0, "{scheduler:?} {text}");
        }
    }
}

#[test]
fn a_loop_that_is_very_long_ends_when_it_is_quiescent() {
    const LENGTH: usize = 20_000;
    let mut text = String::from("'1' -> COUNT E(t/emit) OUT -> IN P0(t/pass)\n");
    for at in 1..LENGTH {
        text += &format!("P{} OUT -> IN P{at}(t/pass)\n", at - 1);
    }
    text += &format!(
        "P{} OUT -> IN C(t/fail-on:fault=park) OUT -> IN P0\n'1' -> NUMBER C\n",
        LENGTH - 1
    );
    let running = network(&text, &[], options(Scheduler::Pool(2), 7))
        .start()
        .unwrap()
        .running;
    let observer = running.observer();
    assert_eq!(end(running).verdict, Verdict::Finished);
    assert_eq!(observer.received(), LENGTH as u64 + 1);
}
