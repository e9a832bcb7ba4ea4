//! Others at the same broker, in another language.
#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod brokers;
#[allow(dead_code, reason = "a part of it is used here")]
mod command;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use command::Folder;
use serde_json::{Value as Json, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");
/// A part between two that are written in Python: whoever sends greetings, and whoever takes them.
const GRAPH: &str = "\
'nobody' -> CONST Greeter(flow/inject:host=python) OUT ->(queue, name=greetings) IN Pass(flow/pass:host=here)
Pass OUT ->(queue, name=answers) IN Reader(flow/drop:host=python)
";

/// A Python that has what the requirements say. When it cannot be had, that is said aloud and there is nothing to
/// do; with `CI=true` it is a failure.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn python() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = home.join("bin/python");
    let has_all = |python: &Path| {
        let all = "import fastavro, google.protobuf, redis";
        let tried = Command::new(python).args(["-c", all]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    if has_all(&python) {
        return Some(python);
    }
    let run = |command: &mut Command| {
        let ended = command.output();
        let told = |output: std::process::Output| {
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            if output.status.success() {
                Ok(())
            } else {
                Err(errors)
            }
        };
        ended.map_err(|error| error.to_string()).and_then(told)
    };
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(&home)).and_then(|()| {
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
        run(pip.arg(Path::new(FOLDER).join("requirements.txt")))
    });
    match made {
        Ok(()) => Some(python),
        Err(reason) => {
            assert!(
                env::var("CI").is_err(),
                "no Python with its packages: {reason}"
            );
            eprintln!("skipped: no Python with its packages: {reason}");
            None
        }
    }
}

/// E26: what a program in Python sends, as JSON, Avro and Protobuf, goes through a part of a graph and is decoded by
/// a program in Python: the same value, or bit for bit what was sent, and said to be what it was said to be.
#[test]
fn e26_greetings_go_from_python_through_a_part_to_python() {
    let (Some(url), Some(python)) = (brokers::url("redis"), python()) else {
        return;
    };
    let folder = Folder::new("interop");
    folder.write("g.fbp", GRAPH);
    let prefix = format!("interop{}:", std::process::id());
    let wiring = format!(
        "[store.broker]\nurl = \"{url}?prefix={prefix}\"\n\
         [arc.\"Greeter.OUT -> Pass.IN\"]\nvia = \"broker\"\n\
         [arc.\"Pass.OUT -> Reader.IN\"]\nvia = \"broker\"\n"
    );
    folder.write("at.toml", &wiring);
    let greet = |verb: &str, queue: &str| -> Vec<Json> {
        let mut greet = Command::new(&python);
        greet.arg(Path::new(FOLDER).join("greet.py"));
        greet.args([verb, &url, &format!("{prefix}{queue}")]);
        let output = greet.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let works = |line: &str| {
        let output = folder.run(line);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {errors}");
    };
    works("provision g.fbp --wiring at.toml");
    let sent = greet("send", "greetings");
    // It ends when it has nothing to do and what it has sent has been taken.
    let mut part = folder.command("run g.fbp --wiring at.toml --part here --exit-when-idle 500ms");
    let mut part = part.spawn().unwrap();
    let taken = greet("take", "answers");
    assert!(part.wait().unwrap().success());
    assert_eq!(taken.len(), 3, "{taken:?}");
    for (sent, taken) in sent.iter().zip(&taken) {
        assert_eq!(taken["decoded"], json!({"name": "Zoë", "times": 3}));
        assert_eq!(taken["type"], "greeting");
        assert_eq!(taken["content"], sent["content"]);
        // JSON is a value here, and is written anew; bytes are what they were.
        let is_value = sent["content"] == "application/json";
        assert!(is_value || taken["body"] == sent["body"], "{taken}");
    }
}
