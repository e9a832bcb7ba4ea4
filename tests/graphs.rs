//! Every network of `graphs/` gives what its folder says, whoever runs it and however small its links.
//!
//! A folder holds `NAME/NAME.fbp` and `NAME/expected.txt`, the lines on the console. A network that does
//! not finish has `ends.txt` as well: how it ends, and who is to blame. One that `check` warns of, and
//! rightly, has `warns.txt`: the code of each warning. What is kept is kept in a new folder each time; with
//! `again.txt` the network then runs once more on what it has left behind, and with `later.txt` the network
//! `later.fbp` does. A new folder needs no change here.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use paperflow::Verdict;
use support::{Bench, Ran, ways};

/// Tested in a file of its own, with its own kind of expected output.
const ELSEWHERE: [&str; 1] = ["order-flow"];

/// Folders of networks, each with a table of what they show.
const COLLECTIONS: [&str; 4] = ["classic", "pubsub", "queues", "streams"];

/// Folders that hold a network, the collections opened.
fn folders() -> Vec<PathBuf> {
    let is_named = |folder: &Path, names: &[&str]| names.iter().any(|name| folder.ends_with(name));
    let mut folders = children(Path::new("graphs"));
    folders.retain(|folder| !is_named(folder, &ELSEWHERE) && !is_named(folder, &COLLECTIONS));
    folders.extend(COLLECTIONS.iter().flat_map(|name| collection(name)));
    folders.sort();
    folders
}

fn collection(name: &str) -> Vec<PathBuf> {
    children(&Path::new("graphs").join(name))
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths.filter(|path| path.is_dir()).collect()
}

fn name(folder: &Path) -> &str {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.expect("folders have plain names")
}

/// The network of a folder; files that it writes get a name of their own for each test process.
fn bench(folder: &Path, name: &str) -> Bench {
    let own = format!("-{}.tmp'", std::process::id());
    let file = folder.join(format!("{name}.fbp"));
    Bench::file(&file).change(|text| text.replace(".tmp'", &own))
}

fn lines(path: &Path) -> Vec<String> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

/// The lines of a file, if it is there.
fn optional(path: &Path) -> Option<Vec<String>> {
    path.exists().then(|| lines(path))
}

#[test]
fn every_network_gives_its_expected_output() {
    let folders = folders();
    assert!(folders.len() > 20, "{folders:?}");
    for folder in &folders {
        check(folder);
    }
}

fn check(folder: &Path) {
    let listed = |file: &str| optional(&folder.join(file));
    let expected = lines(&folder.join("expected.txt"));
    let ending =
        listed("ends.txt").map_or_else(|| String::from("finished"), |mut ends| ends.remove(0));
    let network = bench(folder, name(folder));
    if let Some(code) = ending.strip_prefix("error: ") {
        assert_eq!(network.error().code, code, "{}", folder.display());
        return;
    }
    warns(folder, &network, &listed("warns.txt").unwrap_or_default());
    let later = listed("later.txt").map(|expected| (bench(folder, "later"), expected));
    if let Some((network, _)) = &later {
        warns(folder, network, &[]);
    }
    let again = listed("again.txt");
    for way in ways() {
        let data = tempfile::tempdir().expect("there is room");
        let shows = |network: &Bench, ending: &str, expected: &[String]| {
            let ran = network.run_on(way, data.path());
            let at = format!("{} with {way:?}", folder.display());
            assert_eq!(how(&ran), ending, "{at}: {:#?}", ran.outcome);
            assert_eq!(ran.shown, expected, "{at}");
        };
        shows(&network, &ending, &expected);
        if let Some(expected) = &again {
            shows(&network, "finished", expected);
        }
        if let Some((network, expected)) = &later {
            shows(network, "finished", expected);
        }
    }
    tidy(folder);
}

/// `check` warns of just these.
fn warns(folder: &Path, network: &Bench, expected: &[String]) {
    let diagnostics = network.diagnostics();
    let codes: Vec<&str> = diagnostics.iter().map(|told| told.code).collect();
    assert_eq!(codes, expected, "{}: {diagnostics:#?}", folder.display());
}

/// How a run ended, and who is to blame.
fn how(ran: &Ran) -> String {
    match &ran.outcome.verdict {
        Verdict::Finished if ran.outcome.is_success() => String::from("finished"),
        Verdict::Finished => String::from("finished with a remark"),
        Verdict::Failed(report) => format!("failed: {}", report.address),
        Verdict::Deadlock(deadlock) => {
            let stuck = deadlock.stuck.iter().map(|stuck| stuck.address.as_str());
            format!("deadlock: {}", stuck.collect::<Vec<_>>().join(" "))
        }
        Verdict::Abandoned(left) => format!("abandoned: {}", left.join(" ")),
    }
}

fn tidy(folder: &Path) {
    let own = format!("-{}.tmp", std::process::id());
    let entries = fs::read_dir(folder).expect("the folder is there");
    for path in entries.map(|entry| entry.expect("it can be listed").path()) {
        if path.to_string_lossy().ends_with(&own) {
            fs::remove_file(path).expect("it was made here");
        }
    }
}

#[test]
fn every_network_says_what_it_shows() {
    for folder in folders() {
        let text = lines(&folder.join(format!("{}.fbp", name(&folder))));
        let says = |key: &str| text.iter().any(|line| line.starts_with(key));
        assert!(says("# @description "), "{}", folder.display());
    }
}

#[test]
fn every_network_of_a_collection_is_in_its_table() {
    for name in COLLECTIONS {
        let page = Path::new("graphs").join(name).join("README.md");
        let table = fs::read_to_string(page).expect("it is there");
        for folder in collection(name) {
            let row = format!("| [{0}]({0}/{0}.fbp) |", self::name(&folder));
            assert!(table.contains(&row), "{name}: no row {row}");
        }
    }
}
