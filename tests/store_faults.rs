//! What a user meets when a store is not as it should be, or the run is stopped: through the command.
#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other tests use the rest of it")]
mod command;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use command::{Folder, shown};
use paperflow::{
    Fault, Network, Options, Out, Stores, Text, Verdict, component, describe, load_text, standard,
};
use paperflow_connect::clock::ManualClock;
use paperflow_connect::{Admin, Embedded};

/// A hundred tasks in a queue, done one after the other.
const TASKS: &str = "\
'100' -> COUNT Make(flow/generate) OUT ->(queue) IN Work(flow/delay) OUT -> IN Show(console/write)
'20ms' -> INTERVAL Work
";

/// The same worker, without the pause and without the source.
const REST: &str = "\
'0' -> COUNT Make(flow/generate) OUT ->(queue) IN Work(flow/delay) OUT -> IN Show(console/write)
'0ms' -> INTERVAL Work
";

fn office(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("tasks.fbp", TASKS);
    fs::create_dir(folder.path("rest")).unwrap();
    folder.write("rest/tasks.fbp", REST);
    folder
}

fn start(folder: &Folder, line: &str) -> Child {
    let (out, errors) = ("out.txt", "errors.txt");
    let file = |name| fs::File::create(folder.path(name)).unwrap();
    let mut command = folder.command(line);
    command.stdout(file(out)).stderr(file(errors));
    command.stdin(Stdio::null()).spawn().unwrap()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// Waits until the run has shown so many lines.
fn wait_for_lines(folder: &Folder, count: usize) {
    let begun = Instant::now();
    while folder.read("out.txt").lines().count() < count {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing comes");
        thread::yield_now();
    }
}

fn signal(child: &Child, name: &str) {
    let mut kill = std::process::Command::new("kill");
    let status = kill.args([name, &child.id().to_string()]).status();
    assert!(status.unwrap().success());
}

/// What a stopped run has shown, and how it ended.
fn stop(folder: &Folder, drain: &str, after: usize) -> (Vec<String>, Option<i32>) {
    let line = format!("run tasks.fbp --data store --drain {drain}");
    let mut child = start(folder, &line);
    wait_for_lines(folder, after);
    signal(&child, "-TERM");
    let status = child.wait().unwrap();
    (lines(&folder.read("out.txt")), status.code())
}

fn stdout(output: &Output) -> Vec<String> {
    lines(&String::from_utf8_lossy(&output.stdout))
}

fn all() -> BTreeSet<String> {
    let texts = (1..=100).map(|number| format!("{number:06}abcd"));
    texts.collect()
}

/// A store with tasks in it that were not done.
fn with_rest(name: &str) -> Folder {
    let folder = office(name);
    let (done, code) = stop(&folder, "1ms", 1);
    assert!(done.len() < 90, "{} are done", done.len());
    assert_eq!(code, Some(5), "{}", folder.read("errors.txt"));
    folder
}

fn refused(folder: &Folder, reason: &str) {
    let before = fs::read(folder.path("store/store.db")).unwrap();
    let output = folder.run("run tasks.fbp --data store");
    let told = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("error[P0608]") && told.contains(reason),
        "{told}"
    );
    assert!(told.contains("move its folder away"), "{told}");
    assert!(output.stdout.is_empty(), "{told}");
    let after = fs::read(folder.path("store/store.db")).unwrap();
    assert!(before == after, "it was written to");
    let queues = folder.run("queue ls --data store");
    assert!(!queues.status.success(), "{}", shown(&queues));
    assert!(shown(&queues).contains(reason), "{}", shown(&queues));
}

#[test]
fn a_store_that_was_cut_off_is_refused_as_it_is() {
    let folder = with_rest("cut-off");
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).open(folder.path("store/store.db"));
    let file = file.unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length / 2).unwrap();
    refused(&folder, "is damaged");
}

#[test]
fn a_file_that_is_no_store_is_refused_as_it_is() {
    let folder = office("no-store");
    fs::create_dir(folder.path("store")).unwrap();
    folder.write("store/store.db", &"minutes of the meeting\n".repeat(99));
    refused(&folder, "is damaged");
}

#[test]
fn a_message_with_a_changed_byte_is_set_aside_and_the_others_go_on() {
    let folder = with_rest("one-byte");
    let path = folder.path("store/store.db");
    let mut bytes = fs::read(&path).unwrap();
    let body = b"000001abcd";
    let found = bytes.windows(body.len()).position(|piece| piece == body);
    bytes[found.expect("the last task is not done")] ^= 1;
    fs::write(&path, bytes).unwrap();
    let output = folder.run_in("rest", "run tasks.fbp --data ../store");
    assert!(output.status.success(), "{}", shown(&output));
    let mut done: BTreeSet<String> = lines(&folder.read("out.txt")).into_iter().collect();
    done.extend(stdout(&output));
    let mut expected = all();
    assert!(expected.remove("000001abcd"));
    assert_eq!(done, expected, "{}", shown(&output));
    let aside = folder.run("queue peek tasks.Work.IN.invalid --data store");
    let aside = shown(&aside);
    assert!(aside.contains("checksum is wrong"), "{aside}");
}

#[test]
fn a_second_program_on_a_store_is_told_who_has_it() {
    let folder = office("second");
    let mut first = start(&folder, "run tasks.fbp --data store");
    wait_for_lines(&folder, 1);
    let second = folder.run("run tasks.fbp --data store");
    let told = shown(&second);
    assert_eq!(second.status.code(), Some(1), "{told}");
    let holder = format!("is in use by process {}", first.id());
    assert!(
        told.contains("error[P0608]") && told.contains(&holder),
        "{told}"
    );
    assert!(told.contains("--data DIR"), "{told}");
    assert!(first.wait().unwrap().success(), "the first goes on");
    let done: BTreeSet<String> = lines(&folder.read("out.txt")).into_iter().collect();
    assert_eq!(done, all());
}

#[test]
fn k24_a_full_disk_is_told_and_the_next_run_goes_on() {
    let folder = office("full");
    let big = TASKS.replace("'100'", "'20000'").replace("'20ms'", "'1s'");
    folder.write("big.fbp", &big);
    let line =
        "trap '' XFSZ; ulimit -f 1024; exec \"$0\" run big.fbp --data store --patience 100ms";
    let output = std::process::Command::new("sh")
        .args(["-c", line, command::PAPERFLOW])
        .current_dir(folder.path("."))
        .output()
        .unwrap();
    let told = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("error[P0601]"), "{told}");
    assert!(told.contains("[send]"), "{told}");
    let none = big
        .replace("'1s'", "'0s'")
        .replace("console/write", "flow/drop");
    folder.write("big.fbp", &none);
    let output = folder.run("run big.fbp --data store");
    assert!(output.status.success(), "{}", shown(&output));
    let queues = shown(&folder.run("queue ls --data store --json"));
    assert!(queues.contains("\"sent\": 20000"), "{queues}");
    assert!(queues.contains("\"done\": 20000"), "{queues}");
}

#[test]
fn k22_what_was_not_drained_is_listed_and_the_next_run_goes_on_there() {
    let folder = office("abandoned");
    let (done, code) = stop(&folder, "1ms", 3);
    let told = folder.read("errors.txt");
    assert_eq!(code, Some(5), "{told}");
    assert!(
        told.contains("error[P0606]") && told.contains("Work ("),
        "{told}"
    );
    let rest = folder.run("run tasks.fbp --data store");
    assert!(rest.status.success(), "{}", shown(&rest));
    let rest: Vec<String> = stdout(&rest);
    let again: BTreeSet<String> = done.iter().chain(&rest).cloned().collect();
    assert_eq!(again, all());
    // What was in the worker's hands, and on its way to be shown, may come again.
    assert!(done.len() + rest.len() <= 100 + 2, "{done:?} {rest:?}");
}

#[test]
fn k22_a_run_that_drains_does_nothing_twice() {
    let folder = office("drained");
    let (done, code) = stop(&folder, "60s", 3);
    assert_eq!(code, Some(0), "{}", folder.read("errors.txt"));
    let rest = stdout(&folder.run("run tasks.fbp --data store"));
    let mut each = [done, rest].concat();
    each.sort();
    assert!(each.iter().eq(&all()), "{each:?}");
}

/// When the first try of the task was made.
static FIRST: OnceLock<()> = OnceLock::new();

/// Fails on its first try.
#[component("test/second-try", work = compute)]
fn second_try(
    /// Tasks.
    task: Text,
    /// The same.
    out: &mut Out<Text>,
) -> Result<(), Fault> {
    if FIRST.set(()).is_ok() {
        return Err(Fault::new("not today"));
    }
    out.put(task);
    Ok(())
}

/// A task rests for a second; the clock is set back by a day, and a second goes by.
#[test]
fn a_clock_that_is_set_back_holds_no_network_up() {
    let text = "'1' -> COUNT Make(flow/generate) OUT ->(queue, delay=1s) TASK Try(test/second-try)\n\
                OUTPORT=Try.OUT:OUT";
    let catalogue = standard().with(second_try);
    let loaded = load_text(Path::new("g.fbp"), text.to_owned(), &describe(&catalogue));
    assert!(!loaded.has_errors(), "{}", loaded.report());
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let clock = ManualClock::at(now);
    let store = Embedded::open_with(folder.path(), Arc::new(clock.clone())).unwrap();
    let mut network = Network::new(loaded.plan, &catalogue, &loaded.sources, Options::default());
    network.keep(Stores::new("g").usual(Arc::new(store)));
    network.output("OUT").unwrap();
    let started = network.start().unwrap();
    let begun = Instant::now();
    let admin = || Admin::attach(folder.path()).unwrap().queues().unwrap();
    while admin().iter().all(|queue| queue.delayed == 0) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it does not rest"
        );
        thread::yield_now();
    }
    clock.set_wall(now - Duration::from_secs(86_400));
    clock.advance(Duration::from_secs(2));
    let out = started.outputs.into_iter().next().unwrap();
    assert_eq!(out.recv().unwrap().to_string(), "000001abcd");
    drop(out);
    assert_eq!(started.running.wait().verdict, Verdict::Finished);
}
