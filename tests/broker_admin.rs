//! The verbs that look into a store, over a broker: whoever implements `Asked` is asked here.
#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod brokers;
#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use command::Folder;
use serde_json::Value as Json;

const GRAPH: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT ->(queue, name=tasks, retries=0) IN Parse(number/parse)
Parse OUT -> IN Format(number/format) OUT ->(stream, name=facts) IN Show(console/write)
";

/// What a verb says as JSON about the store of this folder.
fn asked(folder: &Folder, line: &str) -> Json {
    let output = folder.run(&format!("{line} --wiring at.toml --json"));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{line}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn names(found: &Json, key: &str) -> Vec<String> {
    let found = found.as_array().unwrap().iter();
    found
        .map(|one| one[key].as_str().unwrap().to_owned())
        .collect()
}

/// S4, S9: what was set aside is looked at where it lies, and sent again with its identity, as one thing.
#[test]
fn dead_letters_of_a_broker_are_shown_and_sent_again() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let folder = Folder::new("broker-admin");
    folder.write("in.txt", "1\ntwo\n3\n");
    folder.write("g.fbp", GRAPH);
    let wiring = format!(
        "[store.broker]\nurl = \"{url}?prefix=admin{}:\"\n\
         [arc.\"Read.OUT -> Parse.IN\"]\nvia = \"broker\"\n\
         [arc.\"Format.OUT -> Show.IN\"]\nvia = \"broker\"\n",
        std::process::id()
    );
    folder.write("at.toml", &wiring);
    let run = || {
        let output = folder.run("run g.fbp --wiring at.toml");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(), "1\n3\n");
    let queues = asked(&folder, "queue ls");
    assert_eq!(names(&queues, "queue"), ["tasks", "tasks.dead"]);
    assert_eq!(queues[0]["done"], 2);
    assert_eq!(
        (&queues[0]["dead"], &queues[1]["ready"]),
        (&Json::from(1), &Json::from(1))
    );
    assert_eq!(names(&asked(&folder, "dlq ls"), "queue"), ["tasks.dead"]);
    let dead = asked(&folder, "dlq show tasks.dead");
    assert_eq!(
        (&dead[0]["body"], &dead[0]["state"]),
        (&Json::from("two"), &Json::from("ready"))
    );
    assert_eq!(dead[0]["cause"]["failure-connector"], "tasks");
    let id = dead[0]["id"].as_str().unwrap().to_owned();
    let one = asked(&folder, &format!("dlq show tasks.dead {id}"));
    assert_eq!(one[0], dead[0]);

    let streams = asked(&folder, "stream ls");
    assert_eq!(names(&streams, "name"), ["facts"]);
    let groups = asked(&folder, "stream groups facts");
    assert_eq!(groups.as_array().unwrap().len(), 1);

    assert_eq!(
        asked(&folder, &format!("dlq resend tasks.dead {id}"))["messages"],
        1
    );
    let again = asked(&folder, "queue peek tasks");
    assert_eq!(
        (&again[0]["id"], &again[0]["body"]),
        (&Json::from(id.as_str()), &Json::from("two"))
    );
    assert_eq!(
        again[0]["cause"],
        Json::Object(serde_json::Map::new()),
        "as if it had never failed"
    );
    assert_eq!(
        asked(&folder, "dlq show tasks.dead"),
        Json::Array(Vec::new())
    );
    // It fails again, and is what it was.
    folder.write("in.txt", "");
    assert_eq!(run(), "");
    let dead = asked(&folder, "dlq show tasks.dead");
    assert_eq!(names(&dead, "id"), [id.as_str()]);
    assert_eq!(
        asked(&folder, "queue purge tasks.dead --yes")["messages"],
        1
    );
    assert_eq!(
        asked(&folder, "queue peek tasks.dead"),
        Json::Array(Vec::new())
    );
}

#[test]
fn what_is_not_there_or_not_meant_is_said() {
    let Some(url) = brokers::url("redis") else {
        return;
    };
    let folder = Folder::new("broker-admin-wrong");
    let store = |name: &str| {
        format!(
            "[store.{name}]\nurl = \"{url}?prefix=none{}:\"\n",
            std::process::id()
        )
    };
    folder.write("one.toml", &store("broker"));
    folder.write("two.toml", &(store("broker") + &store("other")));
    let said = |line: &str| {
        let output = folder.run(line);
        assert!(!output.status.success(), "{line}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said_of = |line: &str, wanted: &str| {
        let said = said(line);
        assert!(said.contains(wanted), "{line}: {said}");
    };
    said_of(
        "queue peek nothing --wiring one.toml",
        "there is no queue `nothing`",
    );
    said_of(
        "queue ls --wiring two.toml",
        "say `--store NAME`, of `broker`, `other`",
    );
    said_of(
        "queue ls --wiring two.toml --store third",
        "no store of this name",
    );
    said_of("link log tasks --wiring one.toml", "Redis keeps no log");
    said_of(
        "dlq resend tasks.dead --wiring one.toml --yes",
        "there is no queue `tasks.dead`",
    );
}
