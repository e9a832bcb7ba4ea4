//! The rules of the house that a program can check.
//!
//! Each rule is a function that gives a line per violation, and a test of its own. What breaks a rule
//! for a good reason is in the list beside the rule, with the reason.

#[path = "tidy/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value as Json;

use source::{Source, files, line, places};

static ROOT: LazyLock<PathBuf> = LazyLock::new(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| source::all(&ROOT));

#[track_caller]
fn hold(rule: &str, violations: Vec<String>) {
    let list = violations.join("\n  ");
    assert!(violations.is_empty(), "{rule}:\n  {list}\n");
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(&*ROOT)
        .output()
        .expect("cargo can be started");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {complaint}");
    String::from_utf8(output.stdout).expect("cargo prints text")
}

// ---- who may lean on whom ----

/// The facade leans on all, and only the benchmarks and the kill ledger on it; what stands here and not there leans on
/// nothing of ours.
const ARROWS: [(&str, &[&str]); 13] = [
    ("paperflow-macros", &[]),
    ("paperflow-core", &["paperflow-macros"]),
    ("paperflow-std", &["paperflow-core"]),
    ("paperflow-io", &["paperflow-core"]),
    ("paperflow-messaging", &["paperflow-core"]),
    ("paperflow-course", &["paperflow-core"]),
    ("paperflow-graph", &[]),
    ("paperflow-syntax", &["paperflow-graph"]),
    ("paperflow-engine", &["paperflow-core", "paperflow-graph"]),
    ("paperflow-connect", &["paperflow-core"]),
    (
        FACADE,
        &[
            "paperflow-core",
            "paperflow-connect",
            "paperflow-macros",
            "paperflow-engine",
            "paperflow-std",
            "paperflow-io",
            "paperflow-messaging",
            "paperflow-course",
            "paperflow-graph",
            "paperflow-syntax",
        ],
    ),
    // It measures what users get, so it uses what they use; and the store by itself.
    (
        "paperflow-bench",
        &[FACADE, "paperflow-connect", "paperflow-core"],
    ),
    // It kills what users get.
    ("paperflow-ledger", &["paperflow-graph", FACADE]),
];
const FACADE: &str = "paperflow";

struct Package {
    name: String,
    folder: PathBuf,
    dependencies: Vec<Dependency>,
    /// Crate roots: libraries, programs, tests, examples.
    roots: Vec<PathBuf>,
}

struct Dependency {
    name: String,
    is_for_tests: bool,
}

static PACKAGES: LazyLock<Vec<Package>> = LazyLock::new(|| {
    let text = cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Json = serde_json::from_str(&text).expect("cargo metadata is JSON");
    let list = |json: &Json| json.as_array().expect("a list").clone();
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let package = |package: &Json| Package {
        name: text(&package["name"]),
        folder: Path::new(&text(&package["manifest_path"])).with_file_name(""),
        dependencies: list(&package["dependencies"])
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                is_for_tests: dependency["kind"] == "dev",
            })
            .collect(),
        roots: list(&package["targets"])
            .iter()
            .map(|target| PathBuf::from(text(&target["src_path"])))
            .collect(),
    };
    list(&metadata["packages"]).iter().map(package).collect()
});

fn arrows() -> Vec<String> {
    let allowed: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let ours: BTreeSet<_> = PACKAGES
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    let mut wrong = Vec::new();
    for Package {
        name, dependencies, ..
    } in PACKAGES.iter()
    {
        let Some(may) = allowed.get(name.as_str()) else {
            wrong.push(format!("{name} is not in the list of arrows"));
            continue;
        };
        for Dependency {
            name: other,
            is_for_tests,
        } in dependencies
        {
            let is_wrong = if *is_for_tests {
                other == FACADE
            } else {
                ours.contains(other.as_str()) && !may.contains(&other.as_str())
            };
            if is_wrong {
                wrong.push(format!("{name} leans on {other}"));
            }
        }
    }
    wrong
}

#[test]
fn crates_lean_only_on_those_they_may() {
    hold("arrows between crates", arrows());
}

/// What an embedding program without any components has to build.
const SPINE: [&str; 4] = [
    "paperflow-core",
    "paperflow-engine",
    "paperflow-graph",
    "paperflow-syntax",
];
const MOST_CRATES: usize = 44;

fn crates_of_the_spine() -> BTreeSet<String> {
    let mut arguments = vec![
        "tree",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--no-dedupe",
    ];
    arguments.extend(SPINE.iter().flat_map(|name| ["-p", name]));
    let tree = cargo(&arguments);
    let lines = tree.lines().filter(|line| !line.is_empty());
    let name_and_version = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    lines.map(name_and_version).collect()
}

#[test]
fn the_spine_needs_few_crates() {
    let crates = crates_of_the_spine();
    let list = crates.iter().cloned().collect::<Vec<_>>().join(", ");
    assert!(
        crates.len() <= MOST_CRATES,
        "{} crates: {list}",
        crates.len()
    );
}

#[test]
fn the_spine_needs_no_async_runtime() {
    let runtimes = ["tokio ", "async-std ", "smol ", "async-executor "];
    let crates = crates_of_the_spine().into_iter();
    let found = crates.filter(|name| runtimes.iter().any(|runtime| name.starts_with(runtime)));
    hold("async runtimes below the facade", found.collect());
}

// ---- what lies where ----

/// What may lie at the root, and whether it must.
const AT_THE_ROOT: [(&str, bool); 15] = [
    ("Cargo.toml", true),
    ("Cargo.lock", true),
    ("README.md", true),
    ("ARCHITECTURE.md", true),
    ("CHANGELOG.md", true),
    ("LICENSE-MIT", true),
    ("LICENSE-APACHE", true),
    ("clippy.toml", true),
    ("rustfmt.toml", false),
    ("runtime", true),
    ("components", true),
    ("dsl", true),
    ("graphs", true),
    ("tests", true),
    ("benches", true),
];

fn layout() -> Vec<String> {
    let entries = fs::read_dir(&*ROOT).expect("the root is readable");
    let names: BTreeSet<_> = entries
        .map(|entry| entry.expect("an entry is readable").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let is_known = |name: &str| {
        let is_listed = AT_THE_ROOT.iter().any(|(known, _)| *known == name);
        is_listed || name.starts_with('.') || name == "target" || is_somebodys_own(name)
    };
    let missing = AT_THE_ROOT
        .iter()
        .filter(|(name, must)| *must && !names.contains(*name));
    let missing = missing.map(|(name, _)| format!("{name} is missing"));
    let strange = names.iter().filter(|name| !is_known(name));
    let strange = strange.map(|name| format!("{name} has no place at the root"));
    missing.chain(strange).collect()
}

/// A program that somebody has made here with `paperflow new`: a workspace by itself.
fn is_somebodys_own(name: &str) -> bool {
    let manifest = fs::read_to_string(ROOT.join(name).join("Cargo.toml"));
    manifest.is_ok_and(|manifest| manifest.contains("\n[workspace]\n"))
}

#[test]
fn the_root_has_its_known_entries() {
    hold("entries of the root", layout());
}

/// Fewer lines of code than this are no reason for a crate.
const SMALLEST_CRATE: usize = 100;

fn empty_crates() -> Vec<String> {
    let size = |package: &Package| -> usize {
        let folder = package.folder.join("src");
        let is_inside = |source: &&Source| ROOT.join(&source.path).starts_with(&folder);
        SOURCES
            .iter()
            .filter(is_inside)
            .map(Source::lines_of_code)
            .sum()
    };
    let crates = PACKAGES.iter().filter(|package| package.name != FACADE);
    let small = crates.filter(|package| size(package) < SMALLEST_CRATE);
    small
        .map(|package| format!("{} has {} lines of code", package.name, size(package)))
        .collect()
}

#[test]
fn no_crate_is_without_content() {
    hold("crates with next to nothing in them", empty_crates());
}

fn strays() -> Vec<String> {
    let members: Vec<_> = PACKAGES
        .iter()
        .map(|package| package.folder.join("Cargo.toml"))
        .collect();
    let manifests = ["runtime", "components", "dsl"]
        .into_iter()
        .flat_map(|folder| {
            let all = files(&ROOT.join(folder), "toml").into_iter();
            all.filter(|path| path.ends_with("Cargo.toml"))
        });
    let strays = manifests.filter(|path| !members.contains(path));
    strays
        .map(|path| format!("{} is no member of the workspace", path.display()))
        .collect()
}

#[test]
fn every_crate_is_a_member() {
    hold("crates that nobody builds", strays());
}

#[test]
fn every_crate_obeys_the_lints_of_the_workspace() {
    let obeys = |package: &&Package| {
        let manifest = fs::read_to_string(package.folder.join("Cargo.toml"));
        let manifest = manifest.expect("a manifest is readable");
        !manifest.contains("[lints]\nworkspace = true")
    };
    let names = PACKAGES
        .iter()
        .filter(obeys)
        .map(|package| package.name.clone());
    hold("crates without `[lints] workspace = true`", names.collect());
}

#[test]
fn graphs_have_no_rust() {
    let found = SOURCES.iter().filter(|source| source.lies_in(&["graphs/"]));
    hold(
        "Rust below graphs/",
        found.map(|source| source.path.clone()).collect(),
    );
}

const NAMES_THAT_SAY_NOTHING: [&str; 9] = [
    "util", "utils", "helper", "helpers", "common", "manager", "types", "misc", "shared",
];

#[test]
fn files_are_named_after_what_is_in_them() {
    let found = SOURCES
        .iter()
        .filter(|source| !source.is_test)
        .filter(|source| {
            let is_file = NAMES_THAT_SAY_NOTHING.contains(&source.stem());
            let folder = source.folder().rsplit('/').next().unwrap_or_default();
            is_file || NAMES_THAT_SAY_NOTHING.contains(&folder)
        });
    hold(
        "names that say nothing",
        found.map(|source| source.path.clone()).collect(),
    );
}

/// A file that no other file declares as a module is never compiled.
fn forgotten() -> Vec<String> {
    let roots: BTreeSet<_> = PACKAGES.iter().flat_map(|package| &package.roots).collect();
    let is_declared = |file: &Source| {
        let (folder, module) = match file.stem() {
            "mod" => file
                .folder()
                .rsplit_once('/')
                .unwrap_or(("", file.folder())),
            stem => (file.folder(), stem),
        };
        let declaration = format!("mod {module}");
        let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        SOURCES.iter().any(|source| {
            let is_near = source.folder() == folder || source.folder() == parent;
            is_near && !places(&source.with_tests, &declaration).is_empty()
        })
    };
    let files = SOURCES
        .iter()
        .filter(|source| !roots.contains(&ROOT.join(&source.path)));
    let files = files.filter(|source| !is_declared(source));
    files.map(|source| source.path.clone()).collect()
}

#[test]
fn no_file_is_forgotten() {
    hold("files that are never compiled", forgotten());
}

// ---- what is absent where ----

/// Code that says one of these words, but for the places that may.
fn words(words: &[&str], may: &[&str], where_else: fn(&Source) -> bool) -> Vec<String> {
    let sources = SOURCES.iter().filter(|source| !source.is_test);
    let sources = sources.filter(|source| !source.lies_in(may) && where_else(source));
    sources
        .flat_map(|source| {
            words.iter().flat_map(move |word| {
                let found = places(&source.code, word).into_iter();
                found.map(move |at| format!("{}:{}: {word}", source.path, line(&source.code, at)))
            })
        })
        .collect()
}

fn anywhere(_: &Source) -> bool {
    true
}

#[test]
fn nothing_is_unsafe() {
    let found = SOURCES.iter().flat_map(|source| {
        let found = places(&source.with_tests, "unsafe").into_iter();
        found.map(move |at| format!("{}:{}", source.path, line(&source.text, at)))
    });
    hold("unsafe code", found.collect());
    let manifest = fs::read_to_string(ROOT.join("Cargo.toml")).expect("the manifest is readable");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}

/// Where threads are started.
const THREADS: [&str; 4] = [
    "runtime/engine/",
    // One owns the file of a store.
    "runtime/connect/",
    // One writes to a child process while the component reads from it.
    "components/io/src/process/",
    // One listens to signals, one shows progress.
    "runtime/cli/run/",
];

#[test]
fn only_the_engine_starts_threads() {
    let starts = ["thread::spawn", "thread::Builder", "thread::scope"];
    hold(
        "threads outside their places",
        words(&starts, &THREADS, anywhere),
    );
}

#[test]
fn the_pure_crates_know_no_clock() {
    let pure = |source: &Source| {
        source.lies_in(&[
            "runtime/core/",
            "components/std/",
            "components/messaging/",
            "components/course/",
            "dsl/",
        ])
    };
    let clocks = ["Instant::now", "SystemTime", "thread::sleep"];
    hold("clocks in pure crates", words(&clocks, &[], pure));
}

/// Ends or stops the program where a test says so, and is compiled only for such tests.
const FAILPOINTS: [&str; 1] = ["runtime/core/src/failpoint.rs"];

#[test]
fn the_core_and_the_drawing_do_no_input_and_no_output() {
    let pure = |source: &Source| {
        source.lies_in(&[
            "runtime/core/",
            "components/std/",
            "components/messaging/",
            "dsl/",
        ])
    };
    let outside = [
        "std::fs",
        "std::net",
        "std::process",
        "io::stdin",
        "io::stdout",
    ];
    hold(
        "files, sockets or processes in pure crates",
        words(&outside, &FAILPOINTS, pure),
    );
}

#[test]
fn only_the_command_prints() {
    let macros = ["println!", "print!", "eprintln!", "eprint!"];
    hold(
        "printing outside the command",
        words(&macros, &["runtime/cli/"], anywhere),
    );
}

#[test]
fn only_the_command_reads_the_environment() {
    // The attribute runs while a crate is compiled, and asks cargo for its folder.
    let may = ["runtime/cli/", "runtime/macros/"];
    let reads = [
        "std::env",
        "env::var",
        "env::var_os",
        "env::args",
        "env::current_dir",
    ];
    hold(
        "the environment outside the command",
        words(&reads, &may, anywhere),
    );
}

#[test]
fn only_the_command_chooses_exit_codes() {
    let found = words(&["process::exit", "ExitCode"], &["runtime/cli/"], anywhere);
    hold("exit codes outside the command", found);
}

#[test]
fn the_components_know_no_graph_and_no_engine() {
    let components = |source: &Source| source.lies_in(&["components/", "runtime/core/"]);
    let found = words(&["paperflow_graph", "paperflow_engine"], &[], components);
    hold("components that know who runs them", found);
}

#[test]
fn nothing_is_left_unfinished() {
    let found = words(&["todo!", "unimplemented!", "dbg!", "FIXME"], &[], anywhere);
    hold("unfinished code", found);
}

// ---- sizes ----

const LONGEST_FILE: usize = 600;

#[test]
fn files_are_short() {
    let sources = SOURCES.iter().filter(|source| !source.is_test);
    let long = sources.filter(|source| source.lines_of_code() > LONGEST_FILE);
    let long = long.map(|source| format!("{}: {} lines", source.path, source.lines_of_code()));
    hold("files over 600 lines of code", long.collect());
}

const LONGEST_FUNCTION: usize = 60;

fn long_functions() -> Vec<String> {
    let sources = SOURCES.iter().filter(|source| !source.is_test);
    let long = sources.flat_map(|source| {
        let functions = source.functions().into_iter();
        let long = functions.filter(|function| function.length > LONGEST_FUNCTION);
        let unexplained = long.filter(|function| !source.above(function.line).contains("// Long"));
        unexplained.map(|function| {
            let source::Function { name, line, length } = function;
            format!(
                "{}:{line}: {name} has {length} lines, and no `// Long: why` above",
                source.path
            )
        })
    });
    long.collect()
}

#[test]
fn functions_are_short_or_say_why() {
    hold("functions over 60 lines", long_functions());
}

// ---- names ----

/// Tests named after a row of the mission, `b05_back_pressure`, by row: `b5`.
fn rows() -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::<_, Vec<_>>::new();
    for source in SOURCES.iter() {
        let tests = source.with_tests.match_indices("#[test]");
        for (at, _) in tests {
            let Some((_, rest)) = source.with_tests[at..].split_once("fn ") else {
                continue;
            };
            let name: String = rest.chars().take_while(|c| *c != '(').collect();
            if let Some(row) = row(&name) {
                rows.entry(row).or_default().push(name);
            }
        }
    }
    rows
}

/// The row that a name begins with.
fn row(name: &str) -> Option<String> {
    let (row, _) = name.split_once('_').unwrap_or((name, ""));
    let letter = row.chars().next().filter(char::is_ascii_lowercase)?;
    let number: usize = row[1..].parse().ok()?;
    Some(format!("{letter}{number}"))
}

/// Rows that there are: capabilities of the runtime, queues and streams, conversations and their
/// state, repair, reliable messaging, fat and skinny messages, domain events, conversations of many
/// steps, worked flows, what lies beside, and events on the wire.
fn is_row(row: &str) -> bool {
    let number: usize = row[1..].parse().unwrap_or(0);
    match row.as_bytes()[0] {
        b'b' | b'c' => (1..=16).contains(&number),
        b'q' => (1..=12).contains(&number),
        b't' => (1..=15).contains(&number),
        b'v' => (1..=6).contains(&number),
        b'r' | b'w' => (1..=13).contains(&number),
        b'm' | b'd' => (1..=9).contains(&number),
        b'f' => (1..=10).contains(&number),
        b'x' => (1..=8).contains(&number),
        b'y' => (1..=13).contains(&number),
        b'p' => (1..=14).contains(&number),
        b'e' => (1..=26).contains(&number),
        // Points at which a process may be killed.
        b'k' => (0..=25).contains(&number),
        _ => false,
    }
}

#[test]
fn tests_of_rows_say_the_row_and_what_it_shows() {
    let wrong = rows().into_iter().flat_map(|(row, names)| {
        let fits = move |name: &String| is_row(&row) && name.contains('_');
        names.into_iter().filter(move |name| !fits(name))
    });
    hold(
        "test names that are no `<row>_<what it shows>`",
        wrong.collect(),
    );
}

#[test]
fn every_promised_row_has_a_test() {
    let numbers = |letter: &'static str, numbers: &'static [usize]| {
        numbers
            .iter()
            .map(move |number| format!("{letter}{number}"))
    };
    let promised = numbers("b", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16])
        .chain(numbers("c", &[2, 5, 14, 15, 16]))
        .chain(numbers("d", &[2, 6]))
        .chain(numbers("f", &[7, 10]))
        .chain(numbers("m", &[3, 4, 6]))
        .chain(numbers("p", &[13]))
        .chain(numbers("q", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))
        .chain(numbers("r", &[2, 3, 4, 10, 11]))
        .chain(numbers(
            "t",
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
        ))
        .chain(numbers("x", &[1, 2, 3, 4, 5, 6]))
        .chain(numbers("y", &[6]));
    let rows = rows();
    hold(
        "rows without a test",
        promised.filter(|row| !rows.contains_key(row)).collect(),
    );
}

const DIAGNOSTICS: [&str; 2] = ["dsl/graph/src/diagnostics/", "dsl/syntax/src/diagnostics/"];

/// Codes as they are written in a file: `"P0203"`.
fn codes(source: &Source) -> Vec<&str> {
    let quotes = source
        .text
        .match_indices("\"P0")
        .map(|(at, _)| &source.text[at + 1..]);
    let codes = quotes.filter_map(|rest| rest.split('"').next());
    codes
        .filter(|code| code.len() == 5 && code[1..].bytes().all(|b| b.is_ascii_digit()))
        .collect()
}

fn diagnostics() -> Vec<String> {
    let mut seen = BTreeMap::new();
    let mut wrong = Vec::new();
    let files = SOURCES.iter().filter(|source| source.lies_in(&DIAGNOSTICS));
    for source in files.filter(|source| !["mod", "tests"].contains(&source.stem())) {
        let codes = codes(source);
        let [code] = codes[..] else {
            wrong.push(format!("{} declares {codes:?}", source.path));
            continue;
        };
        if let Some(other) = seen.insert(code, &source.path) {
            wrong.push(format!("{} and {other} both declare {code}", source.path));
        }
    }
    wrong
}

#[test]
fn one_diagnostic_is_one_file() {
    hold(
        "files that do not declare one code of their own",
        diagnostics(),
    );
}

// ---- the reading of sources itself ----

/// Failpoints that are in the code and not in their list, or the other way round.
fn failpoints() -> Vec<String> {
    const LIST: &str = "runtime/core/src/failpoint.rs";
    let names = |text: &str, before: &str| -> BTreeSet<String> {
        let after = text.split(before).skip(1);
        let names = after.filter_map(|rest| rest.split_once('"'));
        names.map(|(name, _)| name.to_owned()).collect()
    };
    let placed = SOURCES
        .iter()
        .filter(|source| !source.is_test && source.path != LIST);
    let placed: BTreeSet<String> = placed
        .flat_map(|source| names(&source.text, "failpoint!(\""))
        .collect();
    let list = SOURCES.iter().filter(|source| source.path == LIST);
    let listed: BTreeSet<String> = list
        .flat_map(|source| names(&source.text, "\n    \""))
        .collect();
    placed.symmetric_difference(&listed).cloned().collect()
}

#[test]
fn every_failpoint_is_in_its_list() {
    hold("failpoints in one place only", failpoints());
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    let text = r##"
fn one() { let a = "fn two() {"; } // fn three() {
/* fn four() {} */
const FIVE: &str = r#"fn "six"() {"#;
fn seven<'a>(c: char) -> bool { c == '{' || c == '\'' }
#[cfg(test)]
mod tests {
    fn eight() {}
}
fn nine(
    a: [u8; 2],
) {
}
"##;
    let source = Source::new("src/x.rs", text.to_owned());
    let found: Vec<_> = source
        .functions()
        .into_iter()
        .map(|f| (f.name, f.line, f.length))
        .collect();
    let expected = [("one", 2, 1), ("seven", 5, 1), ("nine", 10, 4)];
    assert_eq!(
        found,
        expected.map(|(name, line, length)| (name.to_owned(), line, length))
    );
    assert_eq!(source.with_tests.lines().count(), text.lines().count());
    assert_eq!(places(&source.with_tests, "fn").len(), 4);
}
