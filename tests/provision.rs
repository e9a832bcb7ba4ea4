//! `provision`: what a graph needs in its stores is made ahead of the run, and what has drifted is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "broker")]
mod brokers;
#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use command::{Folder, recorded};

const BEFORE: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT ->(queue, name=tasks, retries=5, capacity=100) IN Case(text/upper)
Case OUT ->(stream, name=facts, partitions=3, retain=1d) IN Show(console/write)
";
/// The same arcs, with other settings: one that can be changed, and one that cannot.
const AFTER: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT ->(queue, name=tasks, retries=5, capacity=200) IN Case(text/upper)
Case OUT ->(stream, name=facts, partitions=2, retain=1d) IN Show(console/write)
";

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("in.txt", "to be\nor not\n");
    folder.write("before.fbp", BEFORE);
    folder.write("after.fbp", AFTER);
    folder.write(
        "memory.fbp",
        "'in.txt' -> SOURCE Read(file/lines) OUT -> IN Show(console/write)\n",
    );
    folder
}

#[test]
fn provision_makes_what_a_graph_needs_and_tells_what_drifts() {
    let folder = folder("provision");
    recorded!(
        "provision",
        folder.shows(&[
            "provision memory.fbp",
            "provision before.fbp --data store --plan",
            "provision before.fbp --data store",
            "provision before.fbp --data store",
            "provision after.fbp --data store --plan",
            "provision after.fbp --data store --plan --json",
            "provision after.fbp --data store",
            "provision after.fbp --data store --plan",
            "queue ls --data store",
            "provision before.fbp --part kitchen",
        ])
    );
}

#[test]
fn a_plan_makes_no_store() {
    let folder = folder("provision-plan");
    let planned = folder.run("provision before.fbp --data store --plan");
    assert!(planned.status.success());
    assert!(!folder.path("store").exists());
}

/// What is made ahead is what a run finds, at a server as in a folder.
#[cfg(feature = "broker")]
fn asks(broker: &str) {
    let Some(url) = brokers::url(broker) else {
        return;
    };
    let folder = folder(&format!("provision-{broker}"));
    let url = brokers::corner(&url, "provision");
    folder.write(
        "at.toml",
        &format!(
            "[store.broker]\nurl = \"{url}\"\n\
             [arc.\"Read.OUT -> Case.IN\"]\nvia = \"broker\"\n\
             [arc.\"Case.OUT -> Show.IN\"]\nvia = \"broker\"\n"
        ),
    );
    let states = |line: &str| -> (Option<i32>, Vec<(String, String)>) {
        let output = folder.run(&format!("provision {line} --wiring at.toml --json"));
        let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
        let rows = rows.as_array().unwrap().iter();
        let rows = rows.map(|row| (text(row, "connector"), text(row, "state")));
        (output.status.code(), rows.collect())
    };
    let all = |state: &str| {
        let names = [
            "facts",
            "facts.dead",
            "facts.invalid",
            "tasks",
            "tasks.dead",
            "tasks.invalid",
        ];
        names
            .map(|name| (name.to_owned(), state.to_owned()))
            .to_vec()
    };
    assert_eq!(states("before.fbp --plan"), (Some(0), all("absent")));
    assert_eq!(states("before.fbp"), (Some(0), all("made")));
    assert_eq!(states("before.fbp --plan"), (Some(0), all("same")));
    let run = folder.run("run before.fbp --wiring at.toml");
    assert_eq!(String::from_utf8_lossy(&run.stdout), "TO BE\nOR NOT\n");
    assert_eq!(
        states("before.fbp --plan"),
        (Some(0), all("same")),
        "as the run had it"
    );
    let mut drifted = all("same");
    for at in [0, 3] {
        drifted[at].1 = String::from("drifted");
    }
    assert_eq!(states("after.fbp --plan"), (Some(1), drifted.clone()));
    drifted[0].1 = String::from("refused");
    drifted[3].1 = String::from("changed");
    assert_eq!(states("after.fbp"), (Some(1), drifted));
}

#[cfg(feature = "redis")]
#[test]
fn provision_asks_a_redis_server() {
    asks("redis");
}

#[cfg(feature = "nats")]
#[test]
fn provision_asks_a_nats_server() {
    asks("nats");
}
