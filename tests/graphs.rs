//! Every network of `graphs/` gives what its folder says, whoever runs it and however small its links.
//!
//! A folder holds `NAME/NAME.fbp` and `NAME/expected.txt`, the lines on the console. A network that does
//! not finish has `ends.txt` as well: how it ends, and who is to blame. One that `check` warns of, and
//! rightly, has `warns.txt`: the code of each warning. A new folder needs no change here.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use paperflow::Verdict;
use support::{Bench, Ran};

/// Tested in a file of its own, with its own kind of expected output.
const ELSEWHERE: [&str; 1] = ["order-flow"];

/// Folders that hold a network, `classic` opened.
fn folders() -> Vec<PathBuf> {
    let mut folders = children(Path::new("graphs"));
    folders.retain(|folder| !ELSEWHERE.iter().any(|name| folder.ends_with(name)));
    folders.retain(|folder| !folder.ends_with("classic"));
    folders.extend(children(Path::new("graphs/classic")));
    folders.sort();
    folders
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
fn bench(folder: &Path) -> Bench {
    let own = format!("-{}.tmp'", std::process::id());
    let file = folder.join(format!("{}.fbp", name(folder)));
    Bench::file(&file).change(|text| text.replace(".tmp'", &own))
}

fn lines(path: &Path) -> Vec<String> {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
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
    let expected = lines(&folder.join("expected.txt"));
    let ends = folder.join("ends.txt");
    let ending = if ends.exists() {
        lines(&ends).remove(0)
    } else {
        String::from("finished")
    };
    let bench = bench(folder);
    if let Some(code) = ending.strip_prefix("error: ") {
        assert_eq!(bench.error().code, code, "{}", folder.display());
        return;
    }
    let diagnostics = bench.diagnostics();
    let codes: Vec<&str> = diagnostics.iter().map(|told| told.code).collect();
    let warns = folder.join("warns.txt");
    let expected_codes = if warns.exists() {
        lines(&warns)
    } else {
        Vec::new()
    };
    assert_eq!(
        codes,
        expected_codes,
        "{}: {diagnostics:#?}",
        folder.display()
    );
    bench.every_way(|ran| {
        let at = format!("{} with {:?}", folder.display(), ran.way);
        assert_eq!(how(ran), ending, "{at}: {:#?}", ran.outcome);
        assert_eq!(ran.shown, expected, "{at}");
    });
    tidy(folder);
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
fn every_classic_network_is_in_the_table() {
    let table = fs::read_to_string("graphs/classic/README.md").expect("it is there");
    for folder in children(Path::new("graphs/classic")) {
        let row = format!("| [{0}]({0}/{0}.fbp) |", name(&folder));
        assert!(table.contains(&row), "no row {row}");
    }
}
