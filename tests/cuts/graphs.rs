//! The networks of `graphs/` that finish, with what they show.

use std::fs;
use std::path::{Path, PathBuf};

use paperflow::graph::guarantee::Hop;
use paperflow::graph::parts::shown;
use paperflow::{describe, load_text, standard};

/// Components that send something else when they begin again, beside those that say that they forget, begin
/// anew what they have written, or send something else in each run: they take from several in-ports in an order.
const ORDER: [&str; 3] = ["flow/collate", "flow/concat", "flow/merge-in-turn"];

/// Arcs at which a cut changes what a graph shows.
const LEFT_OUT: [(&str, &str); 1] = [
    // A connector keeps a group as one message, once it is whole, and this one becomes whole only when the
    // loop that it is in has gone round.
    ("classic/hamming", "Merge.OUT -> Open.IN"),
];

/// Graphs whose lines come in an order that only time makes.
const BY_TIME: [&str; 2] = [
    "classic/timers",
    // What one reads from two streams comes in any order, whichever of them was written first.
    "reactive/bulkhead",
];

/// Graphs that do not show the same when a part of them is killed.
const MORTAL: [&str; 1] = [
    // Its arcs try nothing twice, so what was in hand is set aside.
    "pubsub/copies",
];

/// Arcs at which a graph may not be cut when a part of it is killed.
const MORTAL_AT: [(&str, &str); 2] = [
    // Who keeps rows in memory has let go of them, so they do not come again, and what needs them is a fault.
    ("lookup/ask", "List.OUT -> Answer.ROWS"),
    ("lookup/table", "List.OUT -> Price.ROWS"),
];

/// Graphs that do not show the same over a broker.
const NOT_OVER: [(&str, &str); 1] = [
    // All orders are in one partition, so one worker has all that fail, and may not begin anew so often.
    ("kafka", "reactive/supervisor"),
];

#[derive(Clone)]
pub(crate) struct Graph {
    /// The folder it lies in, as in `classic/copy`, or its number, as in `drawn/3`.
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) text: String,
    /// The lines it shows.
    pub(crate) expected: Vec<String>,
    /// Its processes, with the components that they use.
    processes: Vec<(String, String)>,
    /// Its arcs, as `split` knows them: workers of a process are not told apart.
    pub(crate) arcs: Vec<String>,
}

/// All of them, by name.
pub(crate) fn all() -> Vec<Graph> {
    let mut all = Vec::new();
    for folder in folders(Path::new("graphs")) {
        all.extend(Graph::of(&folder));
        all.extend(
            folders(&folder)
                .iter()
                .filter_map(|folder| Graph::of(folder)),
        );
    }
    assert!(all.len() > 50, "{}", all.len());
    all
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut folders: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

impl Graph {
    fn of(folder: &Path) -> Option<Self> {
        let expected = fs::read_to_string(folder.join("expected.txt")).ok()?;
        if folder.join("ends.txt").exists() {
            return None;
        }
        let name = folder.strip_prefix("graphs").ok()?.to_str()?;
        let file = folder.join(format!("{}.fbp", folder.file_name()?.to_str()?));
        let text = fs::read_to_string(&file).unwrap();
        Some(Self::new(name, file, text, &expected))
    }

    pub(crate) fn new(name: &str, file: PathBuf, text: String, expected: &str) -> Self {
        let drawn = text.replace("instances=", "workers=");
        let plan = load_text(&file, drawn, &describe(&standard())).plan;
        let mut arcs = Vec::new();
        for (link, found) in plan.links.iter().enumerate() {
            let writers = 0..found.writers().count();
            arcs.extend(writers.map(|writer| shown(&plan, Hop { link, writer })));
        }
        let processes = plan.processes.into_iter();
        let processes = processes.map(|process| (process.address, process.component));
        Self {
            name: name.to_owned(),
            file,
            text,
            expected: expected.lines().map(str::to_owned).collect(),
            processes: processes.collect(),
            arcs,
        }
    }

    /// Whether one of these processes, or of those in these subnets, remembers what it has let go of.
    pub(crate) fn remembers(&self, within: &[String]) -> bool {
        let catalogue = describe(&standard());
        self.has_any(within, |name| {
            let component = catalogue.find(name).unwrap();
            let mut ports = component.inputs.iter();
            let is_source = ports.all(|port| port.param) && !component.repeats;
            component.forgets || component.renews || is_source || ORDER.contains(&name)
        })
    }

    /// Whether one of them sends what it has sent by another way when it begins again, or in a group with
    /// others: so it comes as another packet, or in one, and is not known again.
    pub(crate) fn divides_anew(&self, within: &[String]) -> bool {
        self.has_any(within, |name| {
            ["flow/balance", "group/every"].contains(&name)
        })
    }

    fn has_any(&self, within: &[String], is_such: impl Fn(&str) -> bool) -> bool {
        let is_within = |address: &str| {
            within.iter().any(|name| {
                let rest = address.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        let mut some = self.processes.iter();
        some.any(|(address, component)| is_within(address) && is_such(component))
    }

    /// Whether it shows the same when it is cut at these arcs.
    pub(crate) fn bears(&self, at: &[String]) -> bool {
        !self.is_among(&LEFT_OUT, at)
    }

    fn is_among(&self, arcs: &[(&str, &str)], at: &[String]) -> bool {
        let mut arcs = arcs.iter();
        arcs.any(|(name, arc)| self.name == *name && at.iter().any(|at| at == arc))
    }

    /// Whether its lines may come in any order.
    pub(crate) fn is_by_time(&self) -> bool {
        BY_TIME.contains(&&*self.name)
    }

    /// Whether it shows the same when it is cut at these arcs and a part of it is killed.
    pub(crate) fn outlives_kills(&self, at: &[String]) -> bool {
        !MORTAL.contains(&&*self.name) && !self.is_among(&MORTAL_AT, at)
    }

    /// Whether it shows the same over a broker.
    pub(crate) fn goes_over(&self, broker: &str) -> bool {
        !NOT_OVER.contains(&(broker, &*self.name))
    }

    /// All processes.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let addresses = self.processes.iter().map(|(address, _)| address);
        addresses.cloned().collect()
    }
}
