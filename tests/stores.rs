//! The verbs that look into a store, as they are given on the command line.
#![cfg(all(unix, feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "other tests use the rest of it")]
mod command;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use command::{Folder, shown};
use serde_json::Value as Json;

const LETTERS: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT ->(queue, retries=1, delay=1ms, dead-letter=failed) IN Parse(number/parse) OUT -> IN Show(console/write)
";
const TOLD: &str = "\
'in.txt' -> SOURCE Shop(file/lines)
Shop OUT ->(pubsub, name=news) IN A(flow/drop)
Shop OUT ->(pubsub, name=news) IN B(flow/drop)
Shop2(file/lines) OUT ->(stream, name=facts) IN C(flow/drop)
'in.txt' -> SOURCE Shop2
";

fn folder(name: &str) -> Folder {
    let folder = Folder::new(&format!("stores-{name}"));
    folder.write("in.txt", "1\ntwo\n3\n");
    folder.write("letters.fbp", LETTERS);
    folder.write("told.fbp", TOLD);
    folder
}

/// Standard output and standard error, when it ends like this.
fn ends(folder: &Folder, line: &str, code: i32) -> String {
    let told = shown(&folder.run(line));
    let end = format!("[{code}]\n");
    assert!(told.ends_with(&end), "{line}: {told}");
    told
}

fn json(folder: &Folder, line: &str) -> Json {
    serde_json::from_slice(&folder.run(line).stdout).unwrap()
}

#[test]
fn a_run_tells_what_it_has_set_aside_and_where_to_look() {
    let folder = folder("note");
    let told = ends(&folder, "run letters.fbp --data kept", 0);
    let note =
        "note: failed has 1 message set aside; `paperflow dlq show failed --data kept` tells why";
    assert!(told.contains(note), "{told}");
    let told = ends(&folder, "run letters.fbp", 0);
    assert!(
        told.contains("dlq show failed --graph letters.fbp"),
        "{told}"
    );
    let told = ends(&folder, "run told.fbp --data kept", 0);
    assert!(
        told.contains("note: failed has 1 message"),
        "it still has: {told}"
    );
    let table = ends(&folder, "dlq show failed --data kept", 0);
    let fields: Vec<_> = table.lines().nth(1).unwrap().split_whitespace().collect();
    let (attempts, body) = (fields[fields.len() - 2], fields[fields.len() - 3]);
    assert_eq!((body, attempts), ("two", "2"), "{table}");
}

#[test]
fn what_is_not_there_is_said_and_what_was_meant_is_suggested() {
    let folder = folder("names");
    let told = ends(&folder, "queue ls", 1);
    assert!(told.contains("say where it is: `--data DIR`"), "{told}");
    ends(&folder, "run letters.fbp", 0);
    ends(&folder, "run told.fbp", 0);
    for (line, near) in [
        ("queue peek faild", "failed"),
        ("queue stats letters.Pars.IN", "letters.Parse.IN"),
        ("queue purge letters.Pars.IN --yes", "letters.Parse.IN"),
        (
            "queue redrive failed --to letters.Pars.IN --yes",
            "letters.Parse.IN",
        ),
        ("dlq show faild", "failed"),
        ("stream offsets fact", "facts"),
        ("stream tail fact", "facts"),
        ("replay fact --group g", "facts"),
        ("link log new", "news"),
    ] {
        let told = ends(&folder, line, 1);
        assert!(
            told.contains(&format!("help: did you mean `{near}`?")),
            "{line}: {told}"
        );
    }
    let nobody = "00000000000000000000000000000000";
    for (line, expected) in [
        ("queue peek xyz", "there is no queue `xyz`"),
        ("queue peek facts", "`facts` is a stream, and no queue"),
        ("dlq show failed abc", "`abc` is no identity"),
        ("dlq resend failed abc", "`abc` is no identity"),
        ("link status abc", "`abc` is no identity"),
        (
            "queue redrive failed --to xyz --yes",
            "there is no queue or stream `xyz`",
        ),
        ("link log facts", "whose deliveries are not logged"),
    ] {
        let told = ends(&folder, line, 1);
        assert!(told.contains(expected), "{line}: {told}");
        assert!(!told.contains("did you mean"), "{line}: {told}");
    }
    for line in ["dlq show failed", "dlq resend failed"] {
        let told = ends(&folder, &format!("{line} {nobody}"), 1);
        assert!(told.contains(nobody), "{told}");
    }
    assert_eq!(
        json(&folder, "queue ls --json").as_array().unwrap().len(),
        4,
        "none was made"
    );
}

#[test]
fn what_cannot_be_taken_back_needs_a_yes() {
    let folder = folder("yes");
    ends(&folder, "run letters.fbp", 0);
    for line in [
        "queue purge failed",
        "queue redrive failed",
        "dlq resend failed",
    ] {
        let told = ends(&folder, line, 2);
        assert!(told.contains("say `--yes`"), "{told}");
    }
    assert_eq!(json(&folder, "dlq ls --json")[0]["ready"], 1);
    let told = ends(&folder, "dlq resend failed --yes", 0);
    assert_eq!(told, "1 message sent again\n[0]\n");
    let told = ends(&folder, "queue purge letters.Parse.IN --yes --json", 0);
    assert!(told.contains("\"messages\": 1"), "{told}");
}

const BALANCE: &str = "\
'in.txt' -> SOURCE Read(file/lines) OUT -> IN Parse(number/parse) OUT ->(stream, name=balance) IN End(flow/drop)
";

#[test]
fn t04_a_balance_is_known_as_it_was_at_each_moment() {
    let folder = folder("balance");
    folder.write("in.txt", "10\n5\n-3\n");
    folder.write("balance.fbp", BALANCE);
    ends(&folder, "run balance.fbp", 0);
    for (at, balance) in [("--at 0", 10), ("--at 1", 15), ("", 12)] {
        let told = ends(&folder, &format!("stream state balance --fold sum {at}"), 0);
        assert_eq!(told, format!("{balance}\n[0]\n"), "{at}");
    }
}

#[test]
fn channels_show_their_subscribers_and_log_what_those_did() {
    let folder = folder("channels");
    ends(&folder, "run told.fbp", 0);
    let table = ends(&folder, "pubsub ls", 0);
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let expected = [
        "CHANNEL SUBSCRIBER READS SENT UNHEARD WAITING",
        "news news[receive A.IN] no 3 0 0",
        "news news[receive B.IN] no 3 0 0",
        "[0]",
    ];
    assert_eq!(lines.collect::<Vec<_>>(), expected);
    assert_eq!(json(&folder, "pubsub ls --json")[0]["sent"], 3);
    assert_eq!(
        json(&folder, "link log news --json")
            .as_array()
            .unwrap()
            .len(),
        6
    );
    assert_eq!(
        json(&folder, "link log news --json --most 2")
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn every_verb_answers_while_a_network_runs_and_when_it_has_been_killed() {
    let folder = folder("live");
    let text = "'5ms' -> INTERVAL Tick(flow/tick) OUT ->(queue, name=ticks) IN Show(console/write)\n\
                '5ms' -> INTERVAL Tock(flow/tick) OUT ->(stream, name=facts) IN Drop(flow/drop)\n\
                '5ms' -> INTERVAL Tuck(flow/tick) OUT ->(pubsub, name=news) IN Drop\n";
    folder.write("endless.fbp", text);
    let mut command = folder.command("run endless.fbp");
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut shows = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(shows.next().unwrap().unwrap(), "1");
    let asked = [
        "queue ls",
        "queue peek ticks",
        "queue stats ticks",
        "dlq ls",
        "stream ls",
        "stream tail facts",
        "stream groups facts",
        "stream offsets facts",
        "stream state facts --fold count",
        "pubsub ls",
        "link log ticks",
        "link log news --errors",
        "replay facts --group again",
        "link status 00000000000000000000000000000000",
    ];
    for line in asked {
        ends(&folder, line, 0);
        ends(&folder, &format!("{line} --json"), 0);
    }
    let told = ends(&folder, "run endless.fbp", 1);
    assert!(told.contains("is in use by process"), "{told}");
    let groups = json(&folder, "stream groups facts --json");
    let names: Vec<_> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| &group["name"])
        .collect();
    assert_eq!(names, ["again", "endless.Drop.IN"]);
    child.kill().unwrap();
    child.wait().unwrap();
    for line in asked {
        ends(&folder, line, 0);
    }
}

#[test]
fn a_closed_pipe_is_success() {
    let folder = folder("pipe");
    ends(&folder, "run told.fbp", 0);
    for line in [
        "queue ls",
        "stream tail facts --from 0",
        "pubsub ls",
        "dlq ls --json",
        "link log news",
    ] {
        let mut command = folder.command(line);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(shown(&output), "[0]\n", "{line}");
    }
}

#[test]
fn every_verb_shows_an_example() {
    let folder = folder("help");
    for verb in ["queue", "dlq", "stream", "pubsub", "link"] {
        let help = ends(&folder, &format!("{verb} --help"), 0);
        assert!(help.contains("\nExamples:\n  paperflow "), "{help}");
        let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
        let listed = listed.take_while(|line| !line.is_empty());
        let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        let names = names.filter_map(|line| line.split_whitespace().next());
        for name in names.filter(|name| *name != "help") {
            let help = ends(&folder, &format!("{verb} {name} --help"), 0);
            assert!(
                help.contains(&format!("Example:\n  paperflow {verb} {name}")),
                "{help}"
            );
        }
    }
}
