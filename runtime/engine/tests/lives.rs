//! Lives that begin again: after a group, after an activation, after a panic.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use common::{DRIVERS, Ran};
use paperflow_core::*;
use paperflow_engine::report::State;
use paperflow_engine::{Network, Options, Scheduler, Started, Verdict, describe};
use paperflow_graph::{FileId, Graph, Resolve, Severity, Sources, examine};
use parking_lot::Mutex;

/// The one subnet that any unknown component stands for.
struct Only(Option<Arc<Graph>>);

impl Resolve for Only {
    fn subnet(&mut self, _: &str, _: FileId) -> Option<Arc<Graph>> {
        self.0.clone()
    }
}

fn run(text: &str, subnet: &str, catalogue: &Catalogue, way: (Scheduler, usize)) -> Ran {
    let mut sources = Sources::new();
    let mut parse = |name: &str, text: &str| {
        let file = sources.add(Path::new(name), text);
        let parsed = paperflow_syntax::parse(&sources, file, paperflow_syntax::Options::default());
        assert_eq!(parsed.diagnostics, []);
        parsed.graph
    };
    let graph = parse("test.fbp", text);
    let inner = (!subnet.is_empty()).then(|| Arc::new(parse("subnet.fbp", subnet)));
    let checked = examine(&graph, &describe(catalogue), &mut Only(inner));
    let errors = checked.diagnostics.iter();
    let errors: Vec<_> = errors
        .filter(|found| found.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let options = Options {
        scheduler: way.0,
        capacity: way.1,
        virtual_time: true,
        ..Options::default()
    };
    let mut network = Network::new(checked.plan, catalogue, &sources, options);
    let has_out = network.output("OUT").is_ok();
    let Started {
        running,
        mut outputs,
        ..
    } = network.start().unwrap();
    let reader = has_out.then(|| {
        let output = outputs.remove(0);
        std::thread::spawn(move || output.map(|packet| packet.to_string()).collect::<Vec<_>>())
    });
    let outcome = running.wait();
    let out = reader.map(|reader| reader.join().unwrap());
    assert!(
        outcome.statistics.is_conserved(),
        "{way:?} {:#?}",
        outcome.statistics
    );
    assert_eq!(outcome.leaks, [], "{way:?}");
    Ran {
        out: out.unwrap_or_default(),
        outcome,
    }
}

fn expect(text: &str, subnet: &str, expected: &[&str]) {
    for way in DRIVERS {
        let ran = run(text, subnet, &common::catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(ran.out, expected, "{way:?}");
    }
}

// ---- the end of each group ----

const GROUPS: &str = "'IN' -> NAME I(SubInSS) OUT -> IN N(t/tally) OUT -> IN O(SubOutSS)
                      'OUT' -> NAME O
                      INPORT=I.IN:IN
                      OUTPORT=O.OUT:OUT";

#[test]
fn a_packet_without_content_tells_of_the_end_of_each_group() {
    let text = "'7' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN D(t/discard)
                '3' -> SIZE G
                S * -> IN W(t/walk)
                OUTPORT=W.OUT:OUT";
    expect(text, GROUPS, &["null", "null", "null"]);
}

#[test]
fn no_group_has_no_end() {
    let text = "'0' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN D(t/discard)
                '3' -> SIZE G
                S * -> IN W(t/tally)
                OUTPORT=W.OUT:OUT";
    expect(text, GROUPS, &["0"]);
}

#[test]
fn the_end_of_a_group_comes_behind_all_that_the_group_has_sent() {
    // One by one through a link of one packet: the subnet waits for room before it starts again.
    let text = "'4' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> (1) IN J(t/walk)
                '2' -> SIZE G
                S * -> (1) IN J
                OUTPORT=J.OUT:OUT";
    expect(
        text,
        GROUPS,
        &["(", "2", ")", "null", "(", "2", ")", "null"],
    );
}

#[test]
fn groups_go_on_when_nobody_wants_to_hear_of_their_end_any_more() {
    let text = "'9' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN W(t/walk)
                '3' -> SIZE G
                S * -> IN L(t/first-only)
                OUTPORT=W.OUT:OUT";
    for way in DRIVERS {
        let ran = run(text, GROUPS, &catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        let groups = ["(", "3", ")", "(", "3", ")", "(", "3", ")"];
        assert_eq!(ran.out, groups, "{way:?}");
    }
}

#[test]
fn an_automatic_in_port_behind_a_subnet_waits_for_the_last_group() {
    let text = "'4' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN J(t/walk)
                '2' -> SIZE G
                S * -> * Last(t/say) OUT -> IN J
                'last' -> WHAT Last
                OUTPORT=J.OUT:OUT";
    expect(text, GROUPS, &["(", "2", ")", "(", "2", ")", "last"]);
}

#[test]
fn who_cannot_tell_of_the_end_of_a_group_is_named() {
    // J reads all of IN[0], the groups, before it looks at IN[1], where their ends wait.
    let text = "'8' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN[0] C(t/chain)
                '1' -> SIZE G
                S * -> (2) IN[1] C
                C OUT -> IN D(t/discard)";
    for way in DRIVERS {
        let ran = run(text, GROUPS, &common::catalogue(), way);
        let Verdict::Deadlock(deadlock) = ran.outcome.verdict else {
            panic!("{way:?}: {:?}", ran.outcome.verdict)
        };
        let herald = deadlock.stuck.iter().find(|stuck| stuck.address == "S/I");
        let full = State::SuspendedSend(vec![String::from("*")]);
        assert_eq!(herald.map(|stuck| &stuck.state), Some(&full), "{way:?}");
    }
}

/// Reads one packet and leaves.
#[component("t/first-only", work = compute)]
async fn first_only(
    /// Anything.
    input: In<Packet>,
) {
    drop(input.next().await);
}

/// Looks whether there will be more before it receives.
#[component("t/look-ahead", work = compute)]
async fn look_ahead(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while !input.is_ended() {
        let Some(packet) = input.next().await else {
            break;
        };
        out.send(packet).await?;
    }
    Ok(())
}

#[test]
fn who_looks_for_the_end_right_behind_a_group_has_received_its_bracket() {
    let text = "'6' -> COUNT G(t/groups) OUT -> IN L(t/look-ahead) OUT -> IN W(t/walk)
                '3' -> SIZE G
                OUTPORT=W.OUT:OUT";
    for way in DRIVERS {
        let ran = run(text, "", &catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(ran.outcome.unbalanced, [], "{way:?}");
    }
}

// ---- ports that a component closes itself ----

/// Sends two packets of a life and closes its out-port; the rest it reads and counts as nothing.
#[component("t/two-and-read-on", work = compute)]
async fn two_and_read_on(
    /// Anything.
    input: In<Packet>,
    /// The first two.
    out: Out<Packet>,
) -> Result<(), Fault> {
    for _ in 0..2 {
        let Some(packet) = input.next().await else {
            break;
        };
        out.send(packet).await?;
    }
    out.close();
    while input.next().await.is_some() {}
    Ok(())
}

/// Sends two packets of a life, closes both ports and leaves.
#[component("t/two-and-leave", work = compute)]
async fn two_and_leave(
    /// Anything.
    input: In<Packet>,
    /// The first two.
    out: Out<Packet>,
) -> Result<(), Fault> {
    for _ in 0..2 {
        let Some(packet) = input.next().await else {
            break;
        };
        out.send(packet).await?;
    }
    out.close();
    input.close();
    Ok(())
}

/// Sends on after it has closed its out-port.
#[component("t/close-and-send", work = compute)]
async fn close_and_send(
    /// Anything.
    input: In<Packet>,
    /// The first packet.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
        out.close();
    }
    Ok(())
}

/// Puts one packet of another stream before all others.
#[component("t/headed", work = compute)]
async fn headed(
    /// One packet of it is read.
    head: In<Packet>,
    /// Anything.
    input: In<Packet>,
    /// All of them.
    out: Out<Packet>,
) -> Result<(), Fault> {
    if let Some(packet) = head.next().await {
        out.send(packet).await?;
    }
    head.close();
    while let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    Ok(())
}

#[test]
fn a_port_that_leads_out_of_a_subnet_is_closed_for_one_group_only() {
    let text = "'23' -> COUNT G(t/groups) OUT -> IN X(Head) OUT -> IN W(t/walk)
                '5' -> SIZE G
                OUTPORT=W.OUT:OUT";
    let all = ["1", "2", "6", "7", "11", "12", "16", "17", "21", "22"];
    let first = ["1", "6", "11", "16", "21"];
    for (component, expected) in [
        ("t/two-and-read-on", &all[..]),
        ("t/two-and-leave", &all),
        ("t/close-and-send", &first),
    ] {
        let inner = format!(
            "'IN' -> NAME I(SubInSS) OUT -> IN T({component})
             INPORT=I.IN:IN
             OUTPORT=T.OUT:OUT"
        );
        for way in DRIVERS {
            let ran = run(text, &inner, &catalogue(), way);
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
            assert_eq!(ran.out, expected, "{component} {way:?}");
        }
    }
}

#[test]
fn what_comes_from_outside_waits_for_the_next_group_when_its_port_is_closed() {
    let text = "'4' -> COUNT G(t/groups) OUT -> IN X(Headed) OUT -> IN W(t/walk)
                '2' -> SIZE G
                '3' -> COUNT Titles(t/emit) OUT -> HEAD X
                OUTPORT=W.OUT:OUT";
    let inner = "'IN' -> NAME I(SubInSS) OUT -> IN H(t/headed) OUT -> IN O(SubOutSS)
                 'OUT' -> NAME O
                 INPORT=I.IN:IN
                 INPORT=H.HEAD:HEAD
                 OUTPORT=O.OUT:OUT";
    for way in DRIVERS {
        let ran = run(text, inner, &catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        // The third title has a life of its own: the groups are over.
        let expected = [
            "(", "1", "1", "2", ")", "(", "2", "3", "4", ")", "(", "3", ")",
        ];
        assert_eq!(ran.out, expected, "{way:?}");
    }
}

// ---- lives in which nothing happens ----

/// Returns at once, each time.
#[component("t/refrain", work = compute, again)]
async fn refrain(
    /// What it never reads.
    input: In<Packet>,
) {
    let _ = input;
}

/// Reads one packet, each time.
#[component("t/one-by-one", work = compute, again)]
async fn one_by_one(
    /// Anything.
    input: In<Packet>,
    /// The same.
    out: Out<Packet>,
) -> Result<(), Fault> {
    if let Some(packet) = input.next().await {
        out.send(packet).await?;
    }
    Ok(())
}

/// The entry of a substream-sensitive subnet that reads nothing.
#[component("subnet/in-ss", work = compute, again)]
async fn in_ss(
    /// Its name.
    name: Param<Option<String>>,
    /// Groups.
    input: In<Packet>,
    /// Their inside.
    out: Out<Packet>,
) {
    let _ = (name, input, out);
}

fn catalogue() -> Catalogue {
    common::catalogue()
        .with(first_only)
        .with(look_ahead)
        .with(two_and_read_on)
        .with(two_and_leave)
        .with(close_and_send)
        .with(headed)
        .with(refrain)
        .with(one_by_one)
        .with(faint)
        .with(send_and_faint)
        .with(walk_and_faint)
}

#[test]
fn a_component_that_is_started_again_for_ever_is_named() {
    let text = "'9' -> COUNT E(t/emit) OUT -> IN R(t/refrain)";
    for way in DRIVERS {
        let ran = run(text, "", &catalogue(), way);
        let Verdict::Failed(report) = ran.outcome.verdict else {
            panic!("{way:?}: {:?}", ran.outcome.verdict)
        };
        assert_eq!(
            report.to_string(),
            "R.IN (t/refrain) at test.fbp:1:34: has returned without receiving anything while packets wait at IN; it would be started again for ever"
        );
    }
}

#[test]
fn a_component_that_reads_one_packet_each_time_is_started_again() {
    let text = "'9' -> COUNT E(t/emit) OUT -> IN R(t/one-by-one)\nOUTPORT=R.OUT:OUT";
    for way in DRIVERS {
        let ran = run(text, "", &catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        let expected = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
        assert_eq!(ran.out, expected, "{way:?}");
    }
}

#[test]
fn a_subnet_that_is_started_again_for_ever_is_named() {
    let text = "'4' -> COUNT G(t/groups) OUT -> IN S(Sub) OUT -> IN D(t/discard)
                '2' -> SIZE G";
    for way in DRIVERS {
        let ran = run(text, GROUPS, &catalogue().with(in_ss), way);
        let Verdict::Failed(report) = ran.outcome.verdict else {
            panic!("{way:?}: {:?}", ran.outcome.verdict)
        };
        assert_eq!(
            report.to_string(),
            "S/I.IN (subnet/in-ss) at subnet.fbp:1:14: has ended without receiving anything while packets wait at IN; its subnet would start again for ever"
        );
    }
}

// ---- panics ----

/// Panics when it sees a number for the first time in a run.
#[component("t/faint", work = compute)]
fn faint(
    /// Numbers.
    input: i64,
    /// Which run.
    run: &Param<String>,
    /// The same.
    out: &mut Out<i64>,
) {
    static SEEN: LazyLock<Mutex<BTreeSet<(String, i64)>>> = LazyLock::new(Mutex::default);
    let is_new = SEEN.lock().insert((run.to_string(), input));
    assert!(!is_new, "never saw {input}");
    out.put(input);
}

/// Sends what it gets and then panics.
#[component("t/send-and-faint", work = compute)]
fn send_and_faint(
    /// Anything.
    input: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    out.put(input);
    panic!("fainted");
}

/// Panics at a packet, as a looper.
#[component("t/walk-and-faint", work = compute)]
async fn walk_and_faint(
    /// Anything.
    input: In<Packet>,
) {
    assert!(input.next().await.is_none(), "cannot bear it");
}

#[test]
fn a_packet_at_which_a_function_panics_is_parked() {
    for policy in ["fault=park", "fault=retry,retries=2"] {
        let text = format!(
            "'5' -> COUNT E(t/emit) OUT -> IN P(t/panic-on:{policy})
             '3' -> NUMBER P
             OUTPORT=P.OUT:OUT"
        );
        for way in DRIVERS {
            let ran = run(&text, "", &catalogue(), way);
            assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
            assert_eq!(ran.out, ["1", "2", "4", "5"], "{way:?}");
            let [fault] = &ran.outcome.faults[..] else {
                panic!("{way:?}: {:?}", ran.outcome.faults)
            };
            assert_eq!(fault.packet.as_deref(), Some("3"));
            assert_eq!(fault.message, "the component panicked: cannot bear 3");
            let parked = ran.outcome.statistics.processes.iter();
            assert_eq!(parked.map(|process| process.parked).sum::<u64>(), 1);
        }
    }
}

#[test]
fn a_packet_at_which_a_function_panics_once_is_handled_at_the_second_try() {
    for (at, way) in DRIVERS.into_iter().enumerate() {
        let text = format!(
            "'3' -> COUNT E(t/emit) OUT -> IN P(t/faint:fault=retry,retries=1)
             '{at}' -> RUN P
             OUTPORT=P.OUT:OUT"
        );
        let ran = run(&text, "", &catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(ran.out, ["1", "2", "3"], "{way:?}");
        assert_eq!(ran.outcome.faults, []);
    }
}

#[test]
fn a_packet_at_which_a_function_panics_goes_to_error() {
    let text = "'5' -> COUNT E(t/emit) OUT -> IN P(t/panic-on) OUT -> IN D(t/discard)
                '3' -> NUMBER P
                P ERROR -> IN W(t/walk)
                OUTPORT=W.OUT:OUT";
    for way in DRIVERS {
        let ran = run(text, "", &catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(ran.out, ["3"], "{way:?}");
    }
}

#[test]
fn what_was_sent_before_a_panic_is_sent() {
    let text = "'3' -> COUNT E(t/emit) OUT -> IN P(t/send-and-faint:fault=park)\nOUTPORT=P.OUT:OUT";
    for way in DRIVERS {
        let ran = run(text, "", &catalogue(), way);
        assert_eq!(ran.outcome.verdict, Verdict::Finished, "{way:?}");
        assert_eq!(ran.out, ["1", "2", "3"], "{way:?}");
        assert_eq!(ran.outcome.faults.len(), 3);
    }
}

#[test]
fn a_looper_that_panics_takes_the_network_with_it_whatever_is_to_become_of_its_packets() {
    for policy in ["fault=park", "fault=retry"] {
        let text = format!("'3' -> COUNT E(t/emit) OUT -> IN P(t/walk-and-faint:{policy})");
        for way in DRIVERS {
            let ran = run(&text, "", &catalogue(), way);
            let Verdict::Failed(report) = ran.outcome.verdict else {
                panic!("{way:?}: {:?}", ran.outcome.verdict)
            };
            assert_eq!(report.address, "P");
        }
    }
}
