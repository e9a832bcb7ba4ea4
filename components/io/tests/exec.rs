//! Child processes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::process::{Command, Stdio};

use common::{Place, rig, run};
use paperflow_core::{Closed, In, Out, Packet, Text, component};
use paperflow_engine::report::Verdict;
use paperflow_engine::rig::Rig;
use paperflow_engine::{Network, Options};
use paperflow_graph::Sources;
use paperflow_graph::plan::{End, Initial, Link, Plan, Process, Writer};

const NOTHING: [&str; 0] = [];

fn exec(command: &str) -> Rig {
    rig("Exec").set("COMMAND", command)
}

#[test]
fn lines_go_in_and_come_out() {
    exec("tr a-z A-Z")
        .feed("IN", ["to be", "or not"])
        .expect("OUT", ["TO BE", "OR NOT"]);
    exec("echo 'to  be'").expect("OUT", ["to  be"]);
    exec("wc -l").feed("IN", NOTHING).expect("OUT", ["0"]);
}

#[test]
fn errors_are_lines_of_their_own() {
    exec("sh -c 'echo out; echo err >&2'").expect("ERR", ["err"]);
}

#[test]
fn a_failing_command_is_named_with_its_status() {
    exec("sh -c 'echo a; exit 3'")
        .expect_fault("`sh -c 'echo a; exit 3'` ended with exit status: 3");
    exec("sh -c 'kill -9 $$'").expect_fault("ended with signal: 9");
    exec("no-such-program x").expect_fault("cannot run `no-such-program x`: No such file");
    exec(" ").expect_fault("cannot run ` `: it is empty");
    exec("echo 'a").expect_fault("a ' is not closed");
    exec("printf 'a\\nb\\377\\n'").expect_fault("line 2 is not valid UTF-8");
    exec("cat")
        .feed("IN", [Packet::open()])
        .expect_fault("open bracket");
}

#[test]
fn a_child_may_write_much_before_it_reads() {
    let lines: Vec<String> = (0..30_000).map(|number| number.to_string()).collect();
    let command = "sh -c 'i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; cat'";
    let ran = run(&exec(command).feed("IN", lines), &["OUT"]);
    assert_eq!(ran.outcome.verdict, Verdict::Finished);
    assert_eq!(ran.output("OUT").len(), 50_000);
}

#[test]
fn a_child_may_stop_reading() {
    let lines = vec!["x"; 100_000];
    exec("head -n 1")
        .feed("IN", lines.clone())
        .expect("OUT", ["x"]);
    exec("true").feed("IN", lines).expect("OUT", NOTHING);
}

#[test]
fn a_child_that_writes_nothing_reads_on() {
    let place = Place::new();
    let lines: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let command = format!("sh -c 'exec cat > {}'", place.path("copy"));
    let ran = run(&exec(&command).feed("IN", lines.clone()), &["OUT"]);
    assert_eq!(ran.outcome.verdict, Verdict::Finished);
    assert_eq!(place.content("copy"), lines.join("\n") + "\n");
}

#[test]
fn a_child_is_killed_when_its_process_ends_early() {
    let place = Place::new();
    let command = format!(
        "sh -c 'echo $$ > {}; printf \"\\377\\n\"; exec sleep 60'",
        place.path("id")
    );
    exec(&command).expect_fault("is not valid UTF-8");
    assert!(!is_running(&place.content("id")));
}

#[test]
fn a_child_is_killed_when_nobody_takes_its_output() {
    let place = Place::new();
    let command = format!("sh -c 'echo $$ > {}; exec yes'", place.path("id"));
    let plan = plan(
        &command,
        &["process/exec", "test/first"],
        &[(0, "OUT", 1, "IN")],
    );
    assert_eq!(verdict(plan), Verdict::Finished);
    assert!(!is_running(&place.content("id")));
}

/// The graph is a loop in which everybody waits while the child thinks.
#[test]
fn a_child_that_thinks_is_no_deadlock_and_its_end_is_noticed() {
    let place = Place::new();
    let thinks = "sh -c 'while read line; do sleep 0.05; echo $line; done'";
    for (command, answers) in [(thinks, "a\nb\nc\n"), ("head -n 1", "a\n")] {
        let names = ["process/exec", "test/ask", "test/kick", "file/write"];
        let links = [
            (1, "OUT", 0, "IN"),
            (0, "OUT", 1, "ANSWERS"),
            (2, "OUT", 1, "START"),
            (1, "LOG", 3, "IN"),
        ];
        let mut plan = plan(command, &names, &links);
        let to = End {
            process: 3,
            port: String::from("DESTINATION"),
            ..End::default()
        };
        plan.initials.push(Initial {
            to,
            value: place.path("log").into(),
            ..Initial::default()
        });
        assert_eq!(verdict(plan), Verdict::Finished);
        assert_eq!(place.content("log"), answers);
    }
}

/// Starts others.
#[component("test/kick")]
async fn kick(
    /// One packet.
    out: Out<Text>,
) -> Result<(), Closed> {
    out.send("go").await
}

/// Takes one packet and leaves.
#[component("test/first")]
async fn first(
    /// Anything.
    input: In<Text>,
) {
    drop(input.next().await);
}

/// Asks three times, each time when it has been answered.
#[component("test/ask")]
async fn ask(
    /// Starts it.
    start: In<Text>,
    /// To each question.
    answers: In<Text>,
    /// Questions.
    out: Out<Text>,
    /// Answers.
    log: Out<Text>,
) -> Result<(), Closed> {
    drop(start.next().await);
    for question in ["a", "b", "c"] {
        // Nobody may be left to ask.
        let asked = out.send(question).await;
        let Some(answer) = answers.next().await else {
            return asked;
        };
        log.send(answer).await?;
    }
    Ok(())
}

fn plan(command: &str, names: &[&str], links: &[(usize, &str, usize, &str)]) -> Plan {
    let end = |process: usize, port: &str| End {
        process,
        port: port.to_owned(),
        ..End::default()
    };
    let process = |name: &&str| Process {
        address: String::from(*name),
        component: String::from(*name),
        ..Process::default()
    };
    let link = |(from, out, to, into): &(usize, &str, usize, &str)| Link {
        to: end(*to, into),
        from: vec![Writer {
            end: end(*from, out),
            ..Writer::default()
        }],
        ..Link::default()
    };
    Plan {
        processes: names.iter().map(process).collect(),
        links: links.iter().map(link).collect(),
        initials: vec![Initial {
            to: end(0, "COMMAND"),
            value: command.into(),
            ..Initial::default()
        }],
        ..Plan::default()
    }
}

fn verdict(plan: Plan) -> Verdict {
    let catalogue = paperflow_io::catalogue().with(kick).with(first).with(ask);
    let network = Network::new(plan, &catalogue, &Sources::new(), Options::default());
    network.start().unwrap().running.wait().verdict
}

fn is_running(id: &str) -> bool {
    let kill = Command::new("kill")
        .args(["-0", id.trim()])
        .stderr(Stdio::null())
        .status();
    kill.unwrap().success()
}
