//! From a file to a plan: read, parse, find the subnets, check.

mod consequences;
mod wiring;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use paperflow_graph::check::{check, stores, strict, tidy};
use paperflow_graph::guarantee::{self, Grounds, Guarantee, weaker};
use paperflow_graph::instances::spread;
use paperflow_graph::plan::Connector;
use paperflow_graph::{
    Checked, Diagnostic, FileId, Graph, Plan, Resolve, Severity, Sources, Surroundings, Wiring,
    examine, expand_in, parts,
};
use paperflow_syntax::{Options, parse};

pub(crate) use wiring::WiringFile;

/// A graph with every subnet it uses, checked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The top graph as written.
    pub graph: Graph,
    /// The flat graph, fit to run when there is no error.
    pub plan: Plan,
    /// Every file that was read.
    pub sources: Sources,
    /// What the wiring file says; nothing when there is none.
    pub wiring: Wiring,
    /// Which delivery holds from each source to each of its sinks; nothing for a graph of memory arcs,
    /// unless it is required.
    pub paths: Vec<guarantee::Path>,
    /// Processes on them that begin at nothing after a crash.
    pub forgetful: Vec<guarantee::Weakness>,
    /// Everything that is wrong, in text order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Loaded {
    /// Everything that is wrong, as people read it: source lines, carets, the way out.
    #[must_use]
    pub fn report(&self) -> String {
        crate::cli::rendered(&self.diagnostics, &self.sources)
    }

    /// Whether it cannot run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Puts the workers of each process with instances in its place, if the plan is fit to run.
    pub(crate) fn spread(mut self) -> Self {
        if !self.has_errors() {
            self.plan = spread(self.plan);
        }
        self
    }
}

/// Reads a `.fbp` text or a graph JSON (by its ending) and checks it against a catalogue.
///
/// A component that the catalogue does not have is looked for as a labelled network of the same file,
/// then as `NAME.fbp` or `NAME.json` beside it, or at the path that the graph gives.
/// A process with `instances=N` stands in the plan as the workers that share its work.
/// A wiring file `paperflow.toml` beside it says which arcs are of another kind than they are drawn.
///
/// # Errors
/// The file itself cannot be read. Everything else is a diagnostic.
pub fn load(path: impl AsRef<Path>, catalogue: &paperflow_graph::Catalogue) -> io::Result<Loaded> {
    let text = std::fs::read_to_string(path.as_ref())?;
    Ok(load_text(path.as_ref(), text, catalogue))
}

/// As [`load`], with the text at hand; subnets are looked for beside `path`.
#[must_use]
pub fn load_text(path: &Path, text: String, catalogue: &paperflow_graph::Catalogue) -> Loaded {
    draw(path, text, catalogue, &View::default(), |_| ()).spread()
}

/// As [`load`], with the narrower rules of the course as well (`check --strict`).
///
/// # Errors
/// The file itself cannot be read.
pub fn load_strict(
    path: impl AsRef<Path>,
    catalogue: &paperflow_graph::Catalogue,
) -> io::Result<Loaded> {
    let text = std::fs::read_to_string(path.as_ref())?;
    let view = View {
        rules: Rules::Strict,
        ..View::default()
    };
    Ok(draw(path.as_ref(), text, catalogue, &view, |_| ()).spread())
}

/// As [`load`], with a wiring file of another name.
///
/// # Errors
/// One of the files cannot be read.
pub fn load_wired(
    path: impl AsRef<Path>,
    wiring: impl AsRef<Path>,
    catalogue: &paperflow_graph::Catalogue,
) -> io::Result<Loaded> {
    let text = std::fs::read_to_string(path.as_ref())?;
    let view = View {
        wiring: Some(WiringFile::read(wiring.as_ref())?),
        ..View::default()
    };
    Ok(draw(path.as_ref(), text, catalogue, &view, |_| ()).spread())
}

/// As [`load`]; that less holds on a path than this guarantee is an error.
///
/// # Errors
/// The file itself cannot be read.
pub fn load_required(
    path: impl AsRef<Path>,
    required: Guarantee,
    catalogue: &paperflow_graph::Catalogue,
) -> io::Result<Loaded> {
    let text = std::fs::read_to_string(path.as_ref())?;
    let view = View {
        required: Some(required),
        ..View::default()
    };
    Ok(draw(path.as_ref(), text, catalogue, &view, |_| ()).spread())
}

/// How a graph is looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// Which rules it is held to.
    pub(crate) rules: Rules,
    /// The wiring file; the one beside the graph, if there is one, when none is named.
    pub(crate) wiring: Option<WiringFile>,
    /// What is to hold on every path.
    pub(crate) required: Option<Guarantee>,
}

/// Which rules a graph is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Rules {
    /// Those that a network needs to run.
    #[default]
    Usual,
    /// Those and the narrower ones of the course.
    Strict,
}

impl Rules {
    /// What the flag `--strict` says.
    pub(crate) const fn of(is_strict: bool) -> Self {
        if is_strict { Self::Strict } else { Self::Usual }
    }
}

/// A graph whose plan is as it was drawn: a process with instances is one process still.
///
/// The plan is changed before it is checked; the strict rules look at what is written.
pub(crate) fn draw(
    path: &Path,
    text: String,
    catalogue: &paperflow_graph::Catalogue,
    view: &View,
    adjust: impl FnOnce(&mut Plan),
) -> Loaded {
    let mut library = Library::default();
    let graph = library.add(path, text);
    let wiring = library.wiring(path, view.wiring.as_ref());
    let Checked { plan, diagnostics } = if graph.processes.is_empty() {
        examine(&graph, catalogue, &mut library)
    } else {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let around = Surroundings {
            stem,
            wiring: Some(&wiring),
        };
        let mut expanded = expand_in(around, Arc::clone(&graph), catalogue, &mut library);
        let narrow = match view.rules {
            Rules::Usual => Vec::new(),
            Rules::Strict => strict(&expanded, catalogue),
        };
        adjust(&mut expanded.plan);
        let found = check(&expanded, catalogue);
        expanded.diagnostics.extend(found);
        expanded.diagnostics.extend(stores(&expanded.plan, &wiring));
        let joined = parts::check(&expanded.plan, &wiring);
        expanded.diagnostics.extend(joined);
        let is_shared = |connector: &Connector| parts::is_shared(&wiring, connector);
        expanded.plan.parts = parts::divide(&expanded.plan, is_shared).parts;
        expanded.diagnostics.extend(narrow);
        Checked {
            plan: expanded.plan,
            diagnostics: expanded.diagnostics,
        }
    };
    library.diagnostics.extend(diagnostics);
    let (paths, forgetful) = held(&plan, catalogue, &wiring, view.required);
    if let Some(required) = view.required {
        library.diagnostics.extend(weaker(&paths, required));
    }
    let mut diagnostics = tidy(library.diagnostics);
    consequences::leave_out(&mut diagnostics, &library.sources);
    // Nobody else has the graph then.
    library.read.clear();
    Loaded {
        graph: Arc::unwrap_or_clone(graph),
        plan,
        sources: library.sources,
        wiring,
        paths,
        forgetful,
        diagnostics,
    }
}

/// What holds on the paths of a graph that a store has a part in, or of which something is required; and who
/// forgets.
fn held(
    plan: &Plan,
    catalogue: &paperflow_graph::Catalogue,
    wiring: &Wiring,
    required: Option<Guarantee>,
) -> (Vec<guarantee::Path>, Vec<guarantee::Weakness>) {
    let is_kept = plan.links.iter().any(|link| link.connector.is_some());
    if !is_kept && plan.tables.is_empty() && required.is_none() {
        return (Vec::new(), Vec::new());
    }
    let grounds = Grounds {
        plan,
        catalogue,
        wiring,
    };
    (guarantee::paths(grounds), guarantee::forgetful(grounds))
}

/// The files read so far, and the networks in them.
#[derive(Default)]
struct Library {
    sources: Sources,
    /// By path: the network itself.
    read: HashMap<PathBuf, Arc<Graph>>,
    /// By file: its labelled subnets by name.
    labelled: HashMap<FileId, HashMap<String, Arc<Graph>>>,
    diagnostics: Vec<Diagnostic>,
}

impl Library {
    fn add(&mut self, path: &Path, text: String) -> Arc<Graph> {
        let file = self.sources.add(path, text);
        let graph = Arc::new(self.interpret(path, file));
        self.read.insert(path.to_path_buf(), Arc::clone(&graph));
        graph
    }

    fn interpret(&mut self, path: &Path, file: FileId) -> Graph {
        if path.extension().is_some_and(|ending| ending == "json") {
            let text = self.sources.get(file).map_or("", |source| &source.text);
            let (graph, diagnostics) = paperflow_graph::json::from_json(text, file);
            self.diagnostics.extend(diagnostics);
            return graph;
        }
        let parsed = parse(&self.sources, file, Options::default());
        self.diagnostics.extend(parsed.diagnostics);
        let labelled = parsed.subnets.into_iter();
        let labelled = labelled.map(|subnet| (subnet.name.clone(), Arc::new(subnet)));
        let labelled: HashMap<_, _> = labelled.collect();
        if !labelled.is_empty() {
            self.labelled.insert(file, labelled);
        }
        parsed.graph
    }

    /// The labelled network of this name in a file.
    fn labelled(&self, name: &str, from: FileId) -> Option<&Arc<Graph>> {
        self.labelled.get(&from)?.get(name)
    }

    fn folder(&self, from: FileId) -> PathBuf {
        let path = self.sources.get(from).map(|source| source.path.as_path());
        path.and_then(Path::parent)
            .map(Path::to_path_buf)
            .unwrap_or_default()
    }

    fn candidates(&self, name: &str, from: FileId) -> [PathBuf; 3] {
        let folder = self.folder(from);
        [
            folder.join(name),
            folder.join(format!("{name}.fbp")),
            folder.join(format!("{name}.json")),
        ]
    }
}

impl Resolve for Library {
    fn subnet(&mut self, name: &str, from: FileId) -> Option<Arc<Graph>> {
        if let Some(graph) = self.labelled(name, from) {
            return Some(Arc::clone(graph));
        }
        for path in self.candidates(name, from) {
            if let Some(graph) = self.read.get(&path) {
                return Some(Arc::clone(graph));
            }
            let is_graph = path
                .extension()
                .is_some_and(|ending| ending == "fbp" || ending == "json");
            if is_graph && let Ok(text) = std::fs::read_to_string(&path) {
                return Some(self.add(&path, text));
            }
        }
        None
    }

    fn is_local(&mut self, name: &str, from: FileId) -> bool {
        self.labelled(name, from).is_some()
    }

    fn names(&mut self, from: FileId) -> Vec<String> {
        let labelled = self.labelled.get(&from).into_iter();
        let mut names: Vec<String> = labelled.flat_map(HashMap::keys).cloned().collect();
        let folder = self.folder(from);
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &folder
        };
        let beside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let stems = beside.filter_map(|entry| {
            let path = entry.path();
            let is_graph = path.extension().is_some_and(|ending| ending == "fbp");
            is_graph
                .then(|| {
                    path.file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned())
                })
                .flatten()
        });
        names.extend(stems);
        names.sort();
        names
    }
}
