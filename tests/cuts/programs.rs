//! The parts of a graph as programs.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::brokers;
use super::graphs::Graph;

/// Parts that have not ended by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// A broker, and a folder for what is cut over it.
pub(crate) struct Agency {
    folder: PathBuf,
    broker: String,
    url: String,
}

/// What comes of an attempt to cut a graph.
pub(crate) enum Split<'a> {
    Parts(Office<'a>),
    /// What was said of it.
    Refused(String),
}

/// A graph that is cut.
pub(crate) struct Office<'a> {
    agency: &'a Agency,
    graph: &'a Graph,
    /// The arcs at which it is cut.
    pub(crate) at: Vec<String>,
    /// Its parts, each with its processes and subnets.
    pub(crate) parts: Vec<(String, Vec<String>)>,
    folder: PathBuf,
}

impl Agency {
    pub(crate) fn new(test: &str, broker: &str, url: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cuts");
        let folder = folder.join(format!("{broker}-{test}"));
        drop(fs::remove_dir_all(&folder));
        Self {
            folder,
            broker: broker.to_owned(),
            url: url.to_owned(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The variable that wiring files take the broker from.
    fn variable(&self) -> String {
        format!("{}_URL", self.broker.to_uppercase())
    }

    /// Cuts a graph at some arcs, and at those that `split` says still join their ends.
    pub(crate) fn split<'a>(&'a self, graph: &'a Graph, at: &[String]) -> Split<'a> {
        let folder = self
            .folder
            .join(brokers::own(&graph.name.replace('/', "-")));
        fs::create_dir_all(&folder).unwrap();
        let stem = graph.file.file_name().unwrap();
        let own = format!("{}/", folder.display());
        // What it writes beside itself in `graphs` is written here.
        let text = match graph.text.contains(".tmp'") {
            true => graph.text.replace(&format!("graphs/{}/", graph.name), &own),
            false => graph.text.clone(),
        };
        fs::write(folder.join(stem), text).unwrap();
        let mut at = at.to_vec();
        loop {
            let mut command = paperflow();
            command.arg("split").arg(folder.join(stem));
            command.args(at.iter().flat_map(|arc| ["--at", arc]));
            command.args(["--via", &self.broker, "-o"]);
            let output = command.arg(folder.join("parts.toml")).output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            if output.status.success() {
                let parts = parts(&folder);
                assert!(parts.len() > 1, "{told}");
                return Split::Parts(Office {
                    agency: self,
                    graph,
                    at,
                    parts,
                    folder,
                });
            }
            let more = joining(&told);
            if more.is_empty() || more.iter().all(|arc| at.contains(arc)) {
                return Split::Refused(told);
            }
            at.extend(more);
        }
    }
}

fn paperflow() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paperflow"));
    command.stdin(Stdio::null());
    command
}

/// The parts that a wiring file declares.
fn parts(folder: &Path) -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(folder.join("parts.toml")).unwrap();
    let wiring: toml::Table = text.parse().unwrap();
    let parts = wiring["part"].as_table().unwrap();
    let parts = parts.iter().map(|(name, part)| {
        let processes = part["processes"].as_array().unwrap().iter();
        let processes = processes.map(|name| name.as_str().unwrap().to_owned());
        (name.clone(), processes.collect())
    });
    parts.collect()
}

/// The arcs of which `split` has said that they still join the ends of others.
fn joining(told: &str) -> Vec<String> {
    let lists = told.split("its ends are still joined by ").skip(1);
    let quoted = lists.flat_map(|list| list.split(';').next().unwrap_or_default().split('`'));
    let arcs = quoted.filter(|arc| arc.contains(" -> "));
    arcs.map(str::to_owned).collect()
}

impl Office<'_> {
    /// Runs all parts. Those that are named are killed one after the other, each so long after the one before
    /// and if it still runs, and begin again.
    pub(crate) fn run(&self, kills: &[(usize, Duration)]) -> Ran {
        let folder = self.folder.join(brokers::own("run"));
        fs::create_dir(&folder).unwrap();
        let mut url = brokers::corner(&self.agency.url, "cuts");
        // It is soon noticed that a program was killed; and NATS may keep what rests for as long as a lease.
        url += match (self.agency.broker.as_str(), kills.is_empty()) {
            ("kafka", false) => "&session=2",
            ("nats" | "redis", false) => "&lease=2",
            ("nats", true) => "&lease=5",
            _ => "",
        };
        let begin = |part: usize| self.begin(part, &folder, &url);
        let begun = Instant::now();
        let mut programs: Vec<Child> = (0..self.parts.len()).map(begin).collect();
        let (mut victims, mut moment) = (BTreeSet::new(), Duration::ZERO);
        for (part, pause) in kills {
            moment += *pause;
            while begun.elapsed() < moment {
                thread::park_timeout(moment.saturating_sub(begun.elapsed()));
            }
            let victim = &mut programs[*part];
            // Once it has ended its run may be over: begun again it would wait for the next one.
            if victim.try_wait().unwrap().is_none() {
                victim.kill().unwrap();
                if !victim.wait().unwrap().success() {
                    victims.insert(*part);
                    programs[*part] = self.begin(*part, &folder, &url);
                }
            }
        }
        let ends = ended(&mut programs, begun);
        let took = begun.elapsed();
        let read = |at: usize, kind: &str| fs::read_to_string(file(&folder, at, kind)).unwrap();
        let ends = ends.into_iter().enumerate().map(|(at, status)| End {
            part: self.parts[at].0.clone(),
            is_waiting: status.is_none(),
            is_success: status.is_some_and(|status| status.success()),
            how: status.map_or_else(
                || String::from("has not ended"),
                |status| status.to_string(),
            ),
            shown: read(at, "out").lines().map(str::to_owned).collect(),
            told: read(at, "err"),
        });
        Ran {
            ends: ends.collect(),
            is_known: !matches!(self.agency.broker.as_str(), "amqp" | "kafka"),
            victims,
            took,
            folder: folder.clone(),
        }
    }

    fn begin(&self, part: usize, folder: &Path, url: &str) -> Child {
        let mut command = paperflow();
        command
            .arg("run")
            .arg(self.folder.join(self.graph.file.file_name().unwrap()));
        command.arg("--wiring").arg(self.folder.join("parts.toml"));
        command.args(["--part", &self.parts[part].0, "--data"]);
        command.arg(folder.join(part.to_string()));
        command.env(self.agency.variable(), url);
        let open = |kind: &str| {
            let mut options = File::options();
            options
                .create(true)
                .append(true)
                .open(file(folder, part, kind))
                .unwrap()
        };
        command.stdout(open("out")).stderr(open("err"));
        command.spawn().unwrap()
    }
}

fn file(folder: &Path, part: usize, kind: &str) -> PathBuf {
    folder.join(format!("{part}.{kind}"))
}

/// How programs have ended; nothing of one that has not ended in time.
fn ended(programs: &mut [Child], begun: Instant) -> Vec<Option<ExitStatus>> {
    loop {
        let ends: Vec<_> = programs
            .iter_mut()
            .map(|one| one.try_wait().unwrap())
            .collect();
        let is_late = begun.elapsed() > PATIENCE;
        if is_late || ends.iter().all(Option::is_some) {
            for program in programs {
                // It has ended, or it is not waited for any more.
                drop(program.kill());
                drop(program.wait());
            }
            return ends;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// How a part has ended.
pub(crate) struct End {
    pub(crate) part: String,
    pub(crate) is_waiting: bool,
    pub(crate) is_success: bool,
    pub(crate) how: String,
    pub(crate) shown: Vec<String>,
    /// What it has said beside.
    pub(crate) told: String,
}

/// What has come of a run of all parts.
pub(crate) struct Ran {
    pub(crate) ends: Vec<End>,
    /// The broker knows what is sent again.
    pub(crate) is_known: bool,
    /// The parts that were killed while they ran.
    pub(crate) victims: BTreeSet<usize>,
    pub(crate) took: Duration,
    pub(crate) folder: PathBuf,
}

impl Ran {
    /// All lines, part by part.
    pub(crate) fn shown(&self) -> Vec<&str> {
        let ends = self.ends.iter();
        ends.flat_map(|end| end.shown.iter().map(String::as_str))
            .collect()
    }

    /// Whether these lines were shown; in this order, if one part alone has shown them.
    pub(crate) fn is_same(&self, expected: &[String]) -> bool {
        let showing = self.ends.iter().filter(|end| !end.shown.is_empty());
        match showing.count() {
            0 | 1 => self.shown() == expected,
            _ => sorted(self.shown()) == sorted(expected.iter().map(String::as_str).collect()),
        }
    }

    /// Whether these lines and no others were shown, whatever their order. A line that a part has shown which
    /// was then killed may come again; so may any, where the broker does not know what is sent again.
    pub(crate) fn has_all(&self, expected: &[String]) -> bool {
        let shown = sorted(self.shown());
        let expected = sorted(expected.iter().map(String::as_str).collect());
        let has_shown = |victim: &usize| !self.ends[*victim].shown.is_empty();
        let mut victims = self.victims.iter();
        let is_twice = victims.any(|victim| !self.is_known || has_shown(victim));
        if !is_twice {
            return shown == expected;
        }
        let count = |all: &[&str], line: &str| all.iter().filter(|other| **other == line).count();
        let is_there = expected
            .iter()
            .all(|line| count(&shown, line) >= count(&expected, line));
        is_there && shown.iter().all(|line| expected.contains(line))
    }
}

fn sorted(mut lines: Vec<&str>) -> Vec<&str> {
    lines.sort_unstable();
    lines
}
