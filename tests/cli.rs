//! Whole commands: what they print, where, and how they end.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod command;

use std::fs;
use std::path::Path;
use std::process::Command;

use command::{Folder, PAPERFLOW, recorded, shown};

const WORDS: &str = "'in.txt' -> SOURCE Read(file/lines) OUT -> IN Split(text/words) OUT -> IN Show(console/write)\n";
const EXPORTED: &str = "INPORT=Split.IN:LINES\nOUTPORT=Split.OUT:WORDS\nSplit(text/words)\n";
/// All of it shares one worker, so that the report is the same in each run.
const DEADLOCK: &str = "\
'6' -> COUNT Make(flow/generate) OUT -> IN Deal(flow/round-robin)
Deal OUT[0] ->(1) IN[0] Join(flow/concat) OUT -> IN End(flow/drop)
Deal OUT[1] ->(1) IN[1] Join
";
const SUBNET: &str = "\
Main:
Start(flow/kick) OUT -> LINES Inner(Counting) COUNT -> IN Show(console/write);
Counting:
LINES => IN Take(flow/take) ACC -> IN Count(flow/count) COUNT => COUNT
NUMBER => NUMBER Take;
";

/// A folder with a graph, its input, and what else is given.
fn folder(name: &str, files: &[(&str, &str)]) -> Folder {
    let folder = Folder::new(name);
    folder.write("in.txt", "to be\nor not\n");
    for (name, text) in files {
        folder.write(name, text);
    }
    folder
}

#[test]
fn run_shows_what_the_graph_makes() {
    let folder = folder("run", &[("words.fbp", WORDS)]);
    recorded!(
        "run",
        folder.shows(&[
            "run words.fbp",
            "run words.fbp --scheduler pool=1 --capacity 1"
        ])
    );
}

#[test]
fn set_overrides_an_initial_packet_and_suggests_names() {
    let folder = folder(
        "set",
        &[
            ("words.fbp", WORDS),
            ("other.txt", "other\n"),
            ("subnet.fbp", SUBNET),
        ],
    );
    recorded!(
        "set",
        folder.shows(&[
            "run words.fbp --set Read.SOURCE=other.txt",
            "run words.fbp --set Read.source=other.txt",
            "run words.fbp --set Raed.SOURCE=other.txt",
            "run words.fbp --set Read.SUORCE=other.txt",
            "run words.fbp --set Split.IN=here",
            "run words.fbp --set Read",
            "run words.fbp --set Read=x",
            "run subnet.fbp",
            "run subnet.fbp --set Inner.NUMBER=1",
            "run subnet.fbp --set Inner/Take.NUMBER=1",
            "run subnet.fbp --set Inner/Take.NUMBER=one",
        ])
    );
}

#[test]
fn files_stand_behind_exported_ports() {
    let folder = folder(
        "files",
        &[("exported.fbp", EXPORTED), ("in.jsonl", "{\"a\":1}\n")],
    );
    folder.write(
        "records.fbp",
        "INPORT=Get.IN:RECORDS\nOUTPORT=Get.OUT:FIELDS\n'a' -> FIELD Get(record/get)\n",
    );
    recorded!(
        "files",
        folder.shows(&[
            "run exported.fbp --in LINES=in.txt --out WORDS=-",
            "run exported.fbp --in lines=in.txt --in LINES=in.txt --out words=out.txt",
            "run exported.fbp --out WORDS=-",
            "run exported.fbp --in LINES=in.txt",
            "run exported.fbp --in LINE=in.txt",
            "run exported.fbp --out LINES=-",
            "run exported.fbp --in LINES=none.txt --out WORDS=-",
            "run exported.fbp --in LINES",
            "run exported.fbp --in LINES=in.jsonl --out WORDS=-",
            "run records.fbp --in RECORDS=in.jsonl --out FIELDS=out.jsonl",
        ])
    );
    let words = folder.read("out.txt");
    let mut words: Vec<_> = words.lines().collect();
    words.sort_unstable();
    assert_eq!(words, ["be", "be", "not", "not", "or", "or", "to", "to"]);
    assert_eq!(folder.read("out.jsonl"), "1\n");
}

/// Three workers, fed from a file; each counts as one process in what the command is given.
const SHARED: &str = "\
INPORT=Mark.IN:LINES
OUTPORT=Pass.OUT:MARKED
'>' -> PRE Mark(text/affix:instances=3, backlog=2) OUT -> IN Pass(flow/pass)
";
/// What Slow has no room for goes to Spill.
const DIVERTING: &str = "\
INPORT=Slow.IN:LINES
'50' -> COUNT Make(flow/generate) OUT ->(1, full=divert, divert=Spill.IN) IN Slow(flow/pass) OUT -> IN All(flow/merge)
Spill(flow/pass) OUT -> IN All OUT -> IN Count(flow/count) COUNT -> IN Show(console/write)
Count OUT -> IN End(flow/drop)
";

#[test]
fn instances_share_what_the_command_line_gives() {
    let folder = folder("shared", &[("shared.fbp", SHARED)]);
    let ran = |line: &str| {
        let text = shown(&folder.run(line));
        let mut lines: Vec<_> = text.lines().map(String::from).collect();
        lines.sort_unstable();
        lines
    };
    let given = "run shared.fbp --in LINES=in.txt --out MARKED=-";
    assert_eq!(ran(given), [">or not", ">to be", "[0]"]);
    assert_eq!(
        ran(&format!("{given} --set Mark.PRE=+")),
        ["+or not", "+to be", "[0]"]
    );
    let table = shown(&folder.run(&format!("{given} --stats")));
    for words in ["Mark/balance", "Mark[3]", "\nMark[2].OUT\n"] {
        assert!(table.contains(words), "`{words}` is missing in:\n{table}");
    }
    let drawing = shown(&folder.run("graph shared.fbp --to mermaid"));
    assert!(!drawing.contains("balance"), "{drawing}");
    let wrong = shown(&folder.run("run shared.fbp --set Mark[1].PRE=x"));
    assert!(
        wrong.contains("no process `Mark[1]`") && wrong.ends_with("[2]\n"),
        "{wrong}"
    );
}

#[test]
fn a_file_may_feed_a_link_that_diverts() {
    let folder = folder("diverting", &[("divert.fbp", DIVERTING)]);
    for scheduler in ["pool=1", "auto", "threads"] {
        let ran = folder.run(&format!(
            "run divert.fbp --in LINES=in.txt --scheduler {scheduler}"
        ));
        assert_eq!(shown(&ran), "52\n[0]\n");
    }
}

#[test]
fn strict_rules_are_kept_where_they_are_asked_for() {
    let graph = "\
'1' -> NUMBER OrderManager(flow/take) ACC -> IN Show(console/write)
Start(flow/kick) OUT -> IN OrderManager
'x' -> PRE Mark(text/affix) OUT -> IN End(flow/drop)
'y' -> POST Mark
Show OUT -> IN Mark
";
    let folder = folder("strict", &[("strict.fbp", graph)]);
    recorded!(
        "strict",
        folder.shows(&[
            "check strict.fbp",
            "check --strict strict.fbp",
            "run --strict strict.fbp",
            "explain strict",
            "explain P0216",
        ])
    );
}

#[test]
fn standard_input_is_a_file_too() {
    let folder = folder("stdin", &[("exported.fbp", EXPORTED)]);
    let output = folder.run_with("run exported.fbp --in LINES=- --out WORDS=-", "a b\nc\n");
    assert_eq!(shown(&output), "a\nb\nc\n[0]\n");
}

#[test]
fn a_deadlock_is_told_with_processes_links_and_lines() {
    let folder = folder("deadlock", &[("deadlock.fbp", DEADLOCK)]);
    recorded!(
        "deadlock",
        folder.shows(&["run deadlock.fbp --scheduler pool=1"])
    );
    let output = folder.run("run deadlock.fbp --scheduler pool=1 --json");
    let json: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    let deadlock = &json["verdict"]["deadlock"];
    let told = [&deadlock["culprit"], &deadlock["sufficient"]];
    let told = told.map(|line| line.as_str().unwrap_or_default());
    let found = json["diagnostics"].as_array().unwrap();
    let codes: Vec<_> = found.iter().map(|found| &found["code"]).collect();
    assert_eq!(codes, ["P0319", "P0602"]);
    assert_eq!(found[1]["help"], told.join("\n"));
    assert!(told[0].starts_with("Join waits for IN[0]"), "{json:#}");
}

#[test]
fn faults_name_the_process_the_line_and_the_packet() {
    let folder = Folder::new("faults");
    folder.write("in.txt", "1\ntwo\n3\n");
    let graph = |node: &str| {
        format!(
            "'in.txt' -> SOURCE Read(file/lines) OUT -> IN {node} OUT -> IN Show(console/write)\n"
        )
    };
    folder.write(
        "stop.fbp",
        "'in.txt' -> SOURCE Read(file/lines) OUT -> IN Parse(number/parse) OUT -> IN End(flow/drop)\n",
    );
    folder.write("park.fbp", &graph("Parse(number/parse:fault=park)"));
    folder.write(
        "process.fbp",
        &graph("Parse(number/parse:fault=stop-process)"),
    );
    folder.write("panic.fbp", &graph("Parse(flow/crash)"));
    folder.write(
        "file.fbp",
        "'none.txt' -> SOURCE Read(file/lines) OUT -> IN Show(console/write)\n",
    );
    folder.write(
        "folder.fbp",
        "'.' -> SOURCE Read(file/lines) OUT -> IN Show(console/write)\n",
    );
    recorded!(
        "faults",
        folder.shows(&[
            "run stop.fbp",
            "run park.fbp",
            "run process.fbp",
            "run file.fbp",
            "run folder.fbp",
        ])
    );
    let crashed = folder.run("run panic.fbp");
    assert_eq!(crashed.status.code(), Some(1), "{}", shown(&crashed));
    assert!(
        shown(&crashed).contains("error[P0601]: `Parse"),
        "{}",
        shown(&crashed)
    );
}

#[test]
fn unmatched_brackets_are_a_failure() {
    let folder = Folder::new("brackets");
    let graph = "'7' -> COUNT Make(flow/generate-groups) OUT -> IN Some(flow/take) ACC -> IN Show(console/write)\n'1' -> NUMBER Some\n";
    folder.write("brackets.fbp", graph);
    let output = folder.run("run brackets.fbp");
    let text = shown(&output);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{text}");
    assert_eq!(
        output.status.code() == Some(1),
        text.contains("P06"),
        "{text}"
    );
}

#[test]
fn statistics_come_as_a_table_or_as_json() {
    let folder = folder("stats", &[("words.fbp", WORDS)]);
    let table = shown(&folder.run("run words.fbp --stats"));
    for words in [
        "PROCESS  COMPONENT",
        "Split    text/words     terminated",
        "Split.OUT  Show.IN",
        "6 packets received in ",
        "packets per second",
        "created 6 + initial 1 + fed 0 = dropped 7 + shed 0 + lost 0 + handed out 0",
    ] {
        assert!(table.contains(words), "`{words}` is missing in:\n{table}");
    }
    let output = folder.run("run words.fbp --stats --json");
    let json: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(json["verdict"], "finished");
    assert_eq!(json["statistics"]["totals"]["created"], 6);
    let output = folder.run("run words.fbp --json");
    let json: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(json["statistics"], serde_json::Value::Null);
}

#[test]
fn a_run_is_silent_in_a_pipe_and_a_trace_is_not() {
    let folder = folder("trace", &[("words.fbp", WORDS)]);
    assert!(folder.run("run words.fbp").stderr.is_empty());
    let traced = folder.run("run words.fbp --trace");
    assert!(String::from_utf8_lossy(&traced.stderr).contains("process=Split"));
    let mut filtered = folder.command("run words.fbp");
    let filtered = filtered
        .env("PAPERFLOW_LOG", "off")
        .arg("--trace")
        .output()
        .unwrap();
    assert!(filtered.stderr.is_empty());
}

#[test]
fn check_shows_everything_at_once() {
    let folder = folder("check", &[("words.fbp", WORDS)]);
    folder.write(
        "broken.fbp",
        "'in.txt' -> SUORCE Read(file/lines)\nRead OUT -> IN Split(text/wrods)\n",
    );
    folder.write(
        "warned.fbp",
        "Start(flow/kick) OUT ->(retries=3) IN Show(console/write)\n",
    );
    recorded!(
        "check",
        folder.shows(&[
            "check words.fbp",
            "check words.fbp broken.fbp warned.fbp",
            "check warned.fbp",
            "check --json words.fbp warned.fbp",
            "check none.fbp",
            "check .",
            "check",
        ])
    );
}

#[test]
fn fmt_changes_only_what_it_must() {
    let folder = Folder::new("fmt");
    folder.write(
        "ugly.fbp",
        "A(flow/kick)   OUT->IN B(flow/drop) # why\n\n\n\n'x'->SOURCE A",
    );
    folder.write("fine.fbp", "A(flow/kick) OUT -> IN B(flow/drop)\n");
    folder.write("broken.fbp", "A(flow/kick) OUT   -> \n");
    let before = fs::metadata(folder.path("fine.fbp"))
        .unwrap()
        .modified()
        .unwrap();
    recorded!(
        "fmt",
        folder.shows(&[
            "fmt --check ugly.fbp fine.fbp",
            "fmt ugly.fbp fine.fbp",
            "fmt --check ugly.fbp fine.fbp",
            "fmt broken.fbp",
            "fmt none.fbp broken.fbp",
            "fmt graph.json",
        ])
    );
    assert_eq!(
        folder.read("ugly.fbp"),
        "A(flow/kick) OUT -> IN B(flow/drop) # why\n\n'x' -> SOURCE A\n"
    );
    assert_eq!(folder.read("broken.fbp"), "A(flow/kick) OUT   -> \n");
    assert_eq!(
        fs::metadata(folder.path("fine.fbp"))
            .unwrap()
            .modified()
            .unwrap(),
        before
    );
    let piped = folder.run_with("fmt -", "A(flow/kick)OUT->IN B(flow/drop)");
    assert_eq!(shown(&piped), "A(flow/kick) OUT -> IN B(flow/drop)\n[0]\n");
    assert_eq!(
        fs::read_dir(folder.path(".")).unwrap().count(),
        3,
        "nothing is left beside the files"
    );
}

#[test]
fn list_and_describe_know_every_component() {
    let folder = Folder::new("list");
    let list = shown(&folder.run("list"));
    let catalogue = paperflow::standard();
    for spec in catalogue.specs() {
        assert!(
            list.contains(&format!("  {}  ", spec.name)),
            "{} is not listed",
            spec.name
        );
        let page = shown(&folder.run(&format!("describe {}", spec.name)));
        let ports = spec
            .inputs
            .iter()
            .chain(&spec.outputs)
            .map(|port| &port.name);
        for name in ports.chain(spec.params.iter().map(|param| &param.name)) {
            assert!(
                page.contains(&format!("  {name}")),
                "{}: {name} is not described:\n{page}",
                spec.name
            );
        }
        assert_eq!(
            page.matches("\nExample\n").count(),
            spec.examples.len(),
            "{}",
            spec.name
        );
    }
    let json: serde_json::Value =
        serde_json::from_slice(&folder.run("list --json").stdout).unwrap();
    assert_eq!(json.as_array().unwrap().len(), catalogue.specs().count());
    let json = folder.run("describe --json Passthru");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["name"], "flow/pass");
}

#[test]
fn test_runs_examples() {
    let folder = folder(
        "test",
        &[("words.fbp", WORDS), ("broken.fbp", "A(flow/pas)\n")],
    );
    recorded!(
        "test",
        folder.shows(&[
            "test text/words words.fbp",
            "test messaging/lookup-versioned",
            "test --idempotence flow/distinct",
            "test --idempotence flow/count",
            "test --idempotence flow/count --json",
            "test --idempotence file/lines",
            "test --crashes text/fill",
            "test --crashes number/sum",
            "test --crashes flow/distinct",
            "test text/wrods",
            "test missing.fbp",
            "test broken.fbp",
        ])
    );
}

#[test]
fn r10_test_knows_idempotent_components_from_others() {
    let folder = Folder::new("idempotence");
    let exit = |line: &str| folder.run(line).status.code();
    assert_eq!(exit("test --idempotence flow/distinct"), Some(0));
    assert_eq!(exit("test --idempotence number/sum"), Some(1));
    assert_eq!(exit("test --idempotence"), Some(0), "who says so is");
    assert_eq!(exit("test --crashes number/scan"), Some(1));
    assert_eq!(exit("test --crashes text/fill --idempotence"), Some(2));
}

#[test]
fn describe_is_a_page() {
    let folder = Folder::new("describe");
    recorded!(
        "describe",
        folder.shows(&[
            "describe text/words",
            "describe flow/concat",
            "describe Ticker",
            "describe wrods",
            "describe xyz"
        ])
    );
}

#[test]
fn explain_tells_codes_and_graphs() {
    let folder = folder(
        "explain",
        &[
            ("words.fbp", WORDS),
            ("subnet.fbp", SUBNET),
            ("exported.fbp", EXPORTED),
            ("shared.fbp", SHARED),
            ("divert.fbp", DIVERTING),
        ],
    );
    let cycle = "\
# @title A loop
# @description Counts down for ever.
Start(flow/kick) OUT -> IN Down(flow/pass) OUT ->(10, full=drop-oldest) IN Down
Start * -> * Other(flow/kick) OUT -> IN Show(console/write)
";
    folder.write("cycle.fbp", cycle);
    recorded!(
        "explain",
        folder.shows(&[
            "explain P0201",
            "explain p0602",
            "explain P9601",
            "explain none.fbp",
            "explain words.fbp",
            "explain subnet.fbp",
            "explain exported.fbp",
            "explain cycle.fbp",
            "explain shared.fbp",
            "explain divert.fbp",
        ])
    );
}

#[test]
fn graph_writes_other_forms() {
    let graph = "# Words.\nINPORT=Split.IN:LINES\nSplit(text/words) OUT ->(3) in[1] Join(flow/concat) OUT -> IN Show(console/write)\n";
    let folder = folder(
        "graph",
        &[
            ("words.fbp", graph),
            ("empty.fbp", "# nothing\n"),
            ("broken.fbp", "A(a/b) ->\n"),
        ],
    );
    folder.write(
        "unknown.fbp",
        "A(no/such) OUT -> IN B(nor/this)\nA OUT -> IN C(flow/drop)\n",
    );
    recorded!(
        "graph",
        folder.shows(&[
            "graph words.fbp --to json",
            "graph words.fbp --to json --lowercase-ports",
            "graph words.fbp --to json --lossless -o lossless.json",
            "graph lossless.json --to fbp",
            "graph words.fbp --to json -o plain.json",
            "graph plain.json --to fbp",
            "graph plain.json --to fbp --upstream",
            "graph words.fbp --to fbp",
            "graph words.fbp --to fbp --lossless",
            "graph words.fbp --to dot",
            "graph words.fbp --to mermaid",
            "graph empty.fbp --to json",
            "graph unknown.fbp --to fbp",
            "graph broken.fbp --to json",
            "graph words.fbp --to json --upstream",
            "graph words.fbp --to dot --lossless",
            "graph words.fbp --to svg",
            "graph none.json --to fbp",
        ])
    );
    assert_eq!(
        shown(&folder.run("graph lossless.json --to fbp")),
        format!("{graph}[0]\n")
    );
}

#[test]
fn new_never_overwrites() {
    let folder = Folder::new("new");
    recorded!(
        "new",
        folder.shows(&[
            "new graph greeting",
            "new graph greeting",
            "new component greeting",
            "new component match",
            "new component Über",
            "new component shout --paperflow .",
        ])
    );
    let inside = folder.run_in("greeting", "run greeting.fbp");
    assert_eq!(
        shown(&inside).lines().next(),
        Some("To"),
        "{}",
        shown(&inside)
    );
    assert_eq!(
        shown(&folder.run_in("greeting", "fmt --check greeting.fbp")),
        "[0]\n"
    );
}

/// As a new user would: from an empty folder to own output.
#[test]
fn a_new_component_builds_passes_its_test_and_runs() {
    let folder = Folder::new("component");
    assert_eq!(
        folder.run("new component shout-loud").status.code(),
        Some(0)
    );
    let root = folder.path("shout-loud");
    // The versions that are here already, so that nothing is fetched and little is built.
    fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"),
        root.join("Cargo.lock"),
    )
    .unwrap();
    let cargo = |arguments: &[&str]| {
        let target = Path::new(PAPERFLOW).ancestors().nth(2).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        let output = cargo
            .args(arguments)
            .current_dir(&root)
            .env("CARGO_TARGET_DIR", target)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", shown(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let tested = cargo(&["test", "--offline", "--quiet"]);
    assert!(tested.contains("1 passed"), "{tested}");
    let ran = cargo(&[
        "run",
        "--offline",
        "--quiet",
        "--",
        "run",
        "graphs/shout-loud.fbp",
    ]);
    assert_eq!(ran, "TO BE, OR NOT TO BE,!\nTHAT IS THE QUESTION.!\n");
    let listed = cargo(&["run", "--offline", "--quiet", "--", "list"]);
    assert!(listed.contains("own/shout-loud"), "{listed}");
    assert_eq!(
        shown(&folder.run_in("shout-loud", "fmt --check graphs/shout-loud.fbp")),
        "[0]\n"
    );
}

#[test]
fn completions_know_every_verb() {
    let folder = Folder::new("completions");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = shown(&folder.run(&format!("completions {shell}")));
        for verb in [
            "run",
            "check",
            "fmt",
            "list",
            "describe",
            "explain",
            "graph",
            "new",
            "completions",
        ] {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
    }
}

#[test]
fn wrong_use_ends_with_two() {
    let folder = folder("wrong", &[("words.fbp", WORDS)]);
    recorded!(
        "wrong",
        folder.shows(&[
            "rnu words.fbp",
            "run",
            "run words.fbp --scheduler pool=0",
            "run words.fbp --capacity 0",
            "run words.fbp --drain soon",
            "run none.fbp",
        ])
    );
    assert_eq!(folder.run("").status.code(), Some(2));
    for help in ["--help", "-h", "--version", "run --help", "help run"] {
        assert_eq!(folder.run(help).status.code(), Some(0), "{help}");
    }
}

#[cfg(unix)]
mod streams {
    use super::*;
    use std::io::{BufRead, BufReader, Read};
    use std::process::{Child, Stdio};

    const ENDLESS: &str = "'5ms' -> INTERVAL Tick(flow/tick) OUT -> IN Show(console/write)\n";
    /// It never drains: a packet stays in Wait for an hour.
    const STUCK: &str = "\
'5ms' -> INTERVAL Tick(flow/tick) OUT -> IN Show(console/write) OUT -> IN Wait(flow/delay) OUT -> IN End(flow/drop)
'1h' -> INTERVAL Wait
";

    fn start(folder: &Folder, line: &str) -> Child {
        let mut command = folder.command(line);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn first_line(reader: impl Read) -> String {
        let mut line = String::new();
        BufReader::new(reader).read_line(&mut line).unwrap();
        line
    }

    fn interrupt(child: &Child) {
        let sent = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    #[test]
    fn the_first_signal_drains_and_ends_with_zero() {
        let folder = folder("signal", &[("endless.fbp", ENDLESS)]);
        let mut child = start(&folder, "run endless.fbp");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        stdout.read_line(&mut text).unwrap();
        interrupt(&child);
        stdout.read_to_string(&mut text).unwrap();
        let (status, stderr) = (
            child.wait().unwrap(),
            first_line(child.stderr.take().unwrap()),
        );
        assert_eq!(
            (status.code(), text.lines().next()),
            (Some(0), Some("1")),
            "{stderr}"
        );
        assert!(
            stderr.starts_with("stopping: draining for at most 10s"),
            "{stderr}"
        );
    }

    #[test]
    fn the_second_signal_ends_at_once_and_lists_what_is_left() {
        let folder = folder("signals", &[("stuck.fbp", STUCK)]);
        let mut child = start(&folder, "run stuck.fbp --drain 1h");
        let stdout = child.stdout.take().unwrap();
        assert_eq!(first_line(stdout), "1\n");
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut text = String::new();
        interrupt(&child);
        stderr.read_line(&mut text).unwrap();
        interrupt(&child);
        stderr.read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(5), "{text}");
        assert!(
            text.contains("error[P0606]") && text.contains("Wait"),
            "{text}"
        );
    }

    #[test]
    fn what_does_not_drain_in_time_is_given_up() {
        let folder = folder("drain", &[("stuck.fbp", STUCK)]);
        let mut child = start(&folder, "run stuck.fbp --drain 50ms");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        interrupt(&child);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(5), "{}", shown(&output));
    }

    #[test]
    fn a_closed_pipe_is_success() {
        let endless = "'100000000' -> COUNT Make(flow/generate) OUT -> IN Show(console/write)\n";
        let folder = folder("pipe", &[("endless.fbp", endless)]);
        for line in [
            "run endless.fbp",
            "list",
            "explain",
            "explain endless.fbp",
            "graph endless.fbp --to json",
        ] {
            let mut child = start(&folder, line);
            drop(child.stdout.take());
            let output = child.wait_with_output().unwrap();
            assert_eq!(shown(&output), "[0]\n", "{line}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        let folder = folder("full", &[("words.fbp", WORDS), ("exported.fbp", EXPORTED)]);
        let ran = shown(&folder.run("run exported.fbp --in LINES=in.txt --out WORDS=/dev/full"));
        assert!(
            ran.contains("cannot write /dev/full: No space left on device")
                && ran.ends_with("[1]\n"),
            "{ran}"
        );
        let written = shown(&folder.run("graph words.fbp --to json -o /dev/full"));
        assert!(
            written.contains("cannot write /dev/full: ") && written.ends_with("[1]\n"),
            "{written}"
        );
    }

    #[test]
    fn the_binary_is_the_one_under_test() {
        assert!(Path::new(PAPERFLOW).is_file());
    }
}
