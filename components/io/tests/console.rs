//! Standard input, output and error, of this very program started once more.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;

use std::env;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use common::{rig, run};
use paperflow_core::Packet;
use paperflow_engine::report::Verdict;
use paperflow_engine::rig::Rig;
use paperflow_engine::{Network, Options};
use paperflow_graph::Sources;
use paperflow_graph::plan::{End, Initial, Link, Plan, Process, Writer};

const AS_CHILD: &str = "--as-child";

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.iter().position(|argument| argument == AS_CHILD) {
        Some(at) => child(&arguments[at + 1]),
        None => {
            packets_are_lines();
            errors_are_lines();
            a_closed_pipe_is_success();
            a_full_disk_is_a_fault();
            input_is_lines();
            lines_are_written_before_the_process_waits();
        }
    }
}

/// What this program does when it is started by itself.
fn child(what: &str) {
    let packets = [
        Packet::text("to be"),
        Packet::open(),
        Packet::int(7),
        Packet::close(),
    ];
    match what {
        "write" => finish(&rig("WriteToConsole").feed("IN", packets), &[]),
        "write-and-pass" => rig("console/write")
            .feed("IN", packets.clone())
            .expect("OUT", packets)
            .end(),
        "error" => finish(&rig("console/error").feed("IN", packets), &[]),
        "much" => finish(&rig("Output").feed("IN", vec!["a"; 200_000]), &[]),
        "full" => rig("console/write")
            .feed("IN", packets)
            .expect_fault("No space left on device")
            .end(),
        "lines" => assert_eq!(
            run(&rig("console/lines"), &["OUT"]).output("OUT"),
            ["a", "", "b"].map(Packet::text)
        ),
        "echo" => echo(),
        other => panic!("{other}"),
    }
}

/// So that a chain of expectations is a statement.
trait Ended: Sized {
    fn end(self) {}
}

impl Ended for Rig {}

fn finish(rig: &Rig, ports: &[&str]) {
    assert_eq!(run(rig, ports).outcome.verdict, Verdict::Finished);
}

fn start(what: &str, stdout: Stdio) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([AS_CHILD, what])
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn output(what: &str) -> (String, String) {
    let output = start(what, Stdio::piped()).wait_with_output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{what}: {err}");
    (out, err)
}

const SHOWN: &str = "to be\nOPEN(1)\n7\nCLOSE(1)\n";

fn packets_are_lines() {
    assert_eq!(output("write").0, SHOWN);
    assert_eq!(
        output("write-and-pass").0,
        SHOWN.repeat(5),
        "once for each way the rig runs it"
    );
}

fn errors_are_lines() {
    assert_eq!(output("error"), (String::new(), SHOWN.to_owned()));
}

fn a_closed_pipe_is_success() {
    let mut child = start("much", Stdio::piped());
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn a_full_disk_is_a_fault() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let child = start("full", full.into());
    assert!(child.wait_with_output().unwrap().status.success());
}

fn input_is_lines() {
    let mut child = start("lines", Stdio::null());
    child.stdin.take().unwrap().write_all(b"a\r\n\nb").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Each line comes back before the next one is typed.
fn lines_are_written_before_the_process_waits() {
    let mut child = start("echo", Stdio::piped());
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    for line in [b"a\n", b"b\n"] {
        stdin.write_all(line).unwrap();
        let mut back = [0; 2];
        stdout.read_exact(&mut back).unwrap();
        assert_eq!(&back, line);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// Standard input, through a child of its own, to standard output.
fn echo() {
    let names = ["console/lines", "process/exec", "console/write"];
    let end = |process: usize, port: &str| End {
        process,
        port: port.to_owned(),
        ..End::default()
    };
    let from = |process| {
        vec![Writer {
            end: end(process, "OUT"),
            ..Writer::default()
        }]
    };
    let link = |process| Link {
        to: end(process + 1, "IN"),
        from: from(process),
        ..Link::default()
    };
    let process = |name: &&str| Process {
        address: String::from(*name),
        component: String::from(*name),
        ..Process::default()
    };
    let command = Initial {
        to: end(1, "COMMAND"),
        value: "cat".into(),
        ..Initial::default()
    };
    let plan = Plan {
        processes: names.iter().map(process).collect(),
        links: vec![link(0), link(1)],
        initials: vec![command],
        ..Plan::default()
    };
    let network = Network::new(
        plan,
        &paperflow_io::catalogue(),
        &Sources::new(),
        Options::default(),
    );
    assert_eq!(
        network.start().unwrap().running.wait().verdict,
        Verdict::Finished
    );
}
