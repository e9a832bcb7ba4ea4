//! `provision`: what a graph needs in its stores is made ahead of the run, or only looked at.

use std::env;
use std::path::PathBuf;

use paperflow_core::Catalogue;
use paperflow_core::connector::{Declaration, Difference, Standing, Store};
use paperflow_engine::{Declared, declared, describe};
use serde::Serialize;

use crate::load::draw;
use crate::stores::{data_folder, open_wired_stores, part_folder, without_new_folders};

use super::exit::{Exit, Failure};
use super::run::part;
use super::{files, out, render, tabular};

/// Makes what the arcs of a graph need in their stores, ahead of the run: queues, streams and channels, and the
/// queues in which messages are set aside.
///
/// What is there already, and is not as the graph says, is changed where the store can do that.
/// `--plan` only shows what would be made, what is there, and what is not as the graph says; then it ends
/// with 1.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow provision orders.fbp --wiring production.toml --plan
  paperflow provision orders.fbp --wiring production.toml
  paperflow provision orders.fbp --wiring production.toml --part kitchen --plan --json")]
pub(super) struct Args {
    /// The graph: a `.fbp` text or a `.json` graph.
    graph: PathBuf,
    /// Read this wiring file, in place of a `paperflow.toml` beside the graph.
    #[arg(long, value_name = "FILE")]
    wiring: Option<PathBuf>,
    /// Only what this part of the graph needs.
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Where the embedded store is; beside the graph by default.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Make nothing, and show what would be made.
    #[arg(long)]
    plan: bool,
    /// Print a JSON array.
    #[arg(long)]
    json: bool,
}

/// A connector, and what was found or done.
#[derive(Debug, Serialize)]
struct Row {
    store: String,
    connector: String,
    kind: String,
    state: State,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    /// It is there, as it is declared.
    Same,
    /// It is not there.
    Absent,
    /// It is there, and not as it is declared.
    Drifted,
    /// The store cannot tell.
    Unknown,
    /// It was not there, and is now.
    Made,
    /// It was not as it is declared, and is now.
    Changed,
    /// The store keeps it; whether it was there before it cannot tell.
    Declared,
    /// The store does not keep it so.
    Refused,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Absent => "absent",
            Self::Drifted => "drifted",
            Self::Unknown => "unknown",
            Self::Made => "made",
            Self::Changed => "changed",
            Self::Declared => "declared",
            Self::Refused => "refused",
        }
    }
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let described = describe(catalogue);
    let text = std::fs::read_to_string(&args.graph);
    let text = text.map_err(|error| Failure::unreadable(args.graph.display(), &error))?;
    let view = files::view(false, args.wiring.as_deref(), None)?;
    let loaded = draw(&args.graph, text, &described, &view, |_| ()).spread();
    let loaded = match &args.part {
        Some(name) if !loaded.has_errors() => part::only(loaded, name)?,
        _ => loaded,
    };
    if loaded.has_errors() {
        let found = render::all(&loaded.diagnostics, &loaded.sources, out::stderr_paint());
        out::tell(&found);
        return Ok(Exit::Broken);
    }
    let variables = |name: &str| env::var(name).ok();
    let (folder, wiring) = (args.folder(), &loaded.wiring);
    let wanted = declared(&loaded.plan);
    let plan = match args.plan {
        true => without_new_folders(&loaded.plan, wiring, &folder, variables),
        false => Ok(loaded.plan.clone()),
    };
    let stores = plan.and_then(|plan| open_wired_stores(&plan, wiring, &folder, variables));
    let stores = stores.map_err(|fault| Failure::Refused {
        message: fault.to_string(),
        help: None,
    })?;
    let rows = wanted.iter().map(|wanted| {
        let store = stores.get(wanted.store.as_deref());
        row(args, wanted, store.map(AsRef::as_ref))
    });
    let rows: Vec<Row> = rows.collect();
    out::print(&match args.json {
        true => json(&rows)?,
        false => table(&rows),
    })?;
    let is_wrong = |row: &Row| matches!(row.state, State::Drifted | State::Refused);
    Ok(match rows.iter().any(is_wrong) {
        true => Exit::Failed,
        false => Exit::Fine,
    })
}

impl Args {
    fn folder(&self) -> PathBuf {
        let usual = || match &self.part {
            Some(part) => part_folder(&self.graph, part, None),
            None => data_folder(&self.graph),
        };
        self.data.clone().unwrap_or_else(usual)
    }
}

/// What is found of a connector, and with `--plan` nothing else; a store that is not made yet has nothing.
fn row(args: &Args, wanted: &Declared, store: Option<&dyn Store>) -> Row {
    let declaration = &wanted.declaration;
    let found = store.map(|store| store.inspect(declaration));
    let (mut state, differences, mut fault) = match found {
        None | Some(Ok(Standing::Absent)) => (State::Absent, Vec::new(), None),
        Some(Ok(Standing::Unknown)) => (State::Unknown, Vec::new(), None),
        Some(Ok(Standing::Present(found))) if found.is_empty() => (State::Same, found, None),
        Some(Ok(Standing::Present(found))) => (State::Drifted, found, None),
        Some(Err(fault)) => (State::Refused, Vec::new(), Some(fault.to_string())),
    };
    if let (false, Some(store)) = (args.plan || fault.is_some(), store) {
        (state, fault) = make(store, declaration, state);
    }
    Row {
        store: wanted
            .store
            .clone()
            .unwrap_or_else(|| String::from("embedded")),
        connector: declaration.name.clone(),
        kind: declaration.kind.to_string(),
        state,
        differences,
        fault,
    }
}

/// Lets a store have a connector as it is declared.
fn make(store: &dyn Store, declaration: &Declaration, before: State) -> (State, Option<String>) {
    match (store.connect(declaration), before) {
        (Err(fault), _) => (State::Refused, Some(fault.to_string())),
        (Ok(_), State::Absent) => (State::Made, None),
        (Ok(_), State::Drifted) => (State::Changed, None),
        (Ok(_), State::Unknown) => (State::Declared, None),
        (Ok(_), before) => (before, None),
    }
}

fn json(rows: &[Row]) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(rows);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::Unwritable(error.to_string()))
}

fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return String::from("no arc of this graph is kept by a store\n");
    }
    let cells = rows.iter().map(|row| {
        let differences = row.differences.iter().map(ToString::to_string);
        let why: Vec<String> = differences.chain(row.fault.clone()).collect();
        vec![
            row.connector.clone(),
            row.store.clone(),
            row.kind.clone(),
            row.state.word().to_owned(),
            why.join("; "),
        ]
    });
    let head = ["CONNECTOR", "STORE", "KIND", "STATE", "WHY"];
    tabular::aligned(&tabular::rows(&head, cells), 5, out::stdout_paint())
}
