//! `run`: a graph becomes a network, and the network's end an exit code.

#[cfg(feature = "sqlite")]
mod aside;
#[cfg(feature = "failpoints")]
mod failpoints;
pub(super) mod health;
pub(super) mod part;
mod ports;
mod progress;
mod signals;
mod statistics;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use paperflow_core::Catalogue;
use paperflow_core::value::parse_duration;
use paperflow_engine::report::Outcome;
use paperflow_engine::{DEFAULT_CAPACITY, Network, Options, Running, Scheduler, Verdict, describe};
use paperflow_graph::guarantee::Guarantee;
use paperflow_graph::{Diagnostic, Plan, Sources, Wiring};
use serde_json::{Value as Json, json};
use signal_hook::iterator::Signals;

use crate::load::{Loaded, draw};
use crate::stores::{data_folder, open_wired_stores, part_folder};

use super::exit::{Exit, Failure};
use super::{faults, files, out, render};

/// The environment variable that says what `--trace` shows.
const LOG: &str = "PAPERFLOW_LOG";

/// Runs a graph until it has ended.
///
/// The first Ctrl-C stops the sources and lets the network drain, the second stops it at once.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow run graphs/word-count/word-count.fbp
  paperflow run shout.fbp --in LINES=- --out LOUD=loud.txt --set Case.MODE=upper --stats
  paperflow run takeaway.fbp --wiring parts.toml --part kitchen")]
pub(super) struct Args {
    /// The graph: a `.fbp` text or a `.json` graph.
    graph: PathBuf,
    /// Give an initial packet in place of what the graph says, e.g. `Outer/Inner.PORT[0]=value`.
    #[arg(long, value_name = "PROCESS.PORT=VALUE")]
    set: Vec<ports::Setting>,
    /// Feed an exported in-port with the lines of a file; `-` is standard input.
    #[arg(long = "in", value_name = "PORT=FILE|-")]
    inputs: Vec<ports::Given>,
    /// Write what leaves an exported out-port to a file; `-` is standard output.
    #[arg(long = "out", value_name = "PORT=FILE|-")]
    outputs: Vec<ports::Given>,
    /// Who runs the processes: a pool and threads as each needs, threads only, or a pool of N.
    #[arg(long, value_name = "auto|threads|pool=N", default_value = "auto", value_parser = scheduler)]
    scheduler: Scheduler,
    /// Capacity, in packets, of each link that has none written.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_CAPACITY as u64, value_parser = clap::value_parser!(u64).range(1..=u32::MAX as u64))]
    capacity: u64,
    /// Hold the graph to the narrower rules of the course as well; `explain strict` lists them.
    #[arg(long)]
    strict: bool,
    /// Where the embedded store keeps queues, streams and tables; beside the graph by default.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Read this wiring file, in place of a `paperflow.toml` beside the graph.
    #[arg(long, value_name = "FILE")]
    wiring: Option<PathBuf>,
    /// Run only this part of the graph; `split` writes parts.
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// The name of this copy of the part, when several run: they share its work.
    #[arg(long, value_name = "NAME", requires = "part", value_parser = part::copy)]
    copy: Option<String>,
    /// End the input of this part from others when it has had nothing to do for so long, and nothing that
    /// it has sent is waiting.
    #[arg(long, value_name = "DURATION", requires = "part", value_parser = duration)]
    exit_when_idle: Option<Duration>,
    /// Fail unless this holds on every path: at-most-once, at-least-once or once-only.
    #[arg(long, value_name = "GUARANTEE", value_parser = files::guarantee)]
    require: Option<Guarantee>,
    /// How long a stopped network may take to drain.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    drain: Duration,
    /// How long a store that cannot be reached, or has no room, is tried again.
    #[arg(long, value_name = "DURATION", default_value = "1m", value_parser = duration)]
    patience: Duration,
    /// Answer `/live` and `/ready` over HTTP here while it runs, such as `0.0.0.0:8080`.
    #[arg(long, value_name = "HOST:PORT")]
    health: Option<String>,
    /// Show what each process and link did.
    #[arg(long)]
    stats: bool,
    /// Log each turn of each process; the variable PAPERFLOW_LOG filters.
    #[arg(long)]
    trace: bool,
    /// Say everything about the run as one JSON object on standard error.
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Where the embedded store is.
    fn folder(&self) -> PathBuf {
        let usual = || match &self.part {
            Some(part) => part_folder(&self.graph, part, self.copy.as_deref()),
            None => data_folder(&self.graph),
        };
        self.data.clone().unwrap_or_else(usual)
    }

    /// How the other verbs are told where it is.
    #[cfg(feature = "sqlite")]
    fn place(&self) -> String {
        match &self.data {
            Some(data) => format!("--data {}", data.display()),
            None if self.part.is_some() => format!("--data {}", self.folder().display()),
            None => format!("--graph {}", self.graph.display()),
        }
    }
}

fn scheduler(text: &str) -> Result<Scheduler, String> {
    let workers = |number: &str| number.parse().ok().filter(|workers| *workers > 0);
    match (text, text.strip_prefix("pool=").and_then(workers)) {
        ("auto", _) => Ok(Scheduler::Auto),
        ("threads", _) => Ok(Scheduler::Threads),
        (_, Some(workers)) => Ok(Scheduler::Pool(workers)),
        _ => Err(String::from(
            "it can be `auto`, `threads` or `pool=N` with N from 1",
        )),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| String::from("it can be a duration such as 250ms, 5s or 2m"))
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    trace(args.trace);
    #[cfg(feature = "failpoints")]
    failpoints::arm()?;
    let (loaded, adjusted) = open(args, catalogue)?;
    if let Err(failure) = adjusted {
        tell(args, &loaded.diagnostics, &loaded.sources);
        return Err(failure);
    }
    let loaded = match &args.part {
        Some(name) if !loaded.has_errors() => part::only(loaded, name)?,
        _ => loaded,
    };
    if loaded.has_errors() {
        tell(args, &loaded.diagnostics, &loaded.sources);
        return Ok(Exit::Broken);
    }
    if !args.json {
        tell(args, &loaded.diagnostics, &loaded.sources);
    }
    warn_unread(args, &loaded.plan);
    warn_apart(args, &loaded.plan);
    let Loaded {
        plan,
        sources,
        wiring,
        diagnostics,
        ..
    } = loaded;
    let signals = signals::catch();
    let asked = health::listen(args.health.as_deref())?;
    let outcome = match start(args, catalogue, (&plan, &wiring), &sources) {
        Ok(running) => {
            health::answer(asked, &running);
            wait(args, &plan, running, signals)
        }
        Err(found) => {
            tell(args, &[*found], &sources);
            return Ok(Exit::Failed);
        }
    };
    report(args, &outcome, &plan, &sources, &diagnostics);
    #[cfg(feature = "sqlite")]
    if !args.json {
        out::tell(&aside::note(&plan, &args.folder(), &args.place()));
    }
    Ok(exit(&outcome))
}

/// What leaves an exported port that nobody reads is dropped; that may not be meant.
fn warn_unread(args: &Args, plan: &Plan) {
    for export in plan.outports.iter().filter(|_| !args.json) {
        let public = &export.public;
        out::tell(&format!(
            "note: nobody reads the exported out-port {public}; `--out {public}=-` shows it\n"
        ));
    }
}

/// Copies of a part do not see each other's tables; that may not be meant.
fn warn_apart(args: &Args, plan: &Plan) {
    if args.copy.is_some() && !plan.tables.is_empty() && !args.json {
        let first = &plan.processes[plan.tables[0].process].address;
        out::tell(&format!(
            "note: each copy of this part keeps tables of its own, such as that of {first}: what one copy has handled another does not know\n"
        ));
    }
}

fn trace(wanted: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env(LOG).ok();
    if filter.is_none() && !wanted {
        return;
    }
    let filter = filter.unwrap_or_else(|| EnvFilter::new("trace"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}

/// The graph with what the command line changes in it; what the command line gets wrong comes beside.
fn open(args: &Args, catalogue: &Catalogue) -> Result<(Loaded, Result<(), Failure>), Failure> {
    let described = describe(catalogue);
    let text = std::fs::read_to_string(&args.graph);
    let text = text.map_err(|error| Failure::unreadable(args.graph.display(), &error))?;
    let mut adjusted = Ok(());
    let view = files::view(args.strict, args.wiring.as_deref(), args.require)?;
    let loaded = draw(&args.graph, text, &described, &view, |plan| {
        adjusted = ports::adjust(plan, &described, &args.set, &args.inputs, &args.outputs);
    });
    Ok((loaded.spread(), adjusted))
}

fn tell(args: &Args, diagnostics: &[Diagnostic], sources: &Sources) {
    if !args.json {
        out::tell(&render::all(diagnostics, sources, out::stderr_paint()));
        return;
    }
    let found: Vec<_> = diagnostics
        .iter()
        .map(|found| render::json(found, sources))
        .collect();
    out::tell(&format!("{}\n", json!({ "diagnostics": found })));
}

fn start(
    args: &Args,
    catalogue: &Catalogue,
    (plan, wiring): (&Plan, &Wiring),
    sources: &Sources,
) -> Result<Running, Box<Diagnostic>> {
    let data = args.folder();
    let stores = open_wired_stores(plan, wiring, &data, |name| env::var(name).ok());
    let stores = stores.map_err(|fault| faults::unopened(&fault))?;
    let options = Options {
        scheduler: args.scheduler,
        capacity: usize::try_from(args.capacity).unwrap_or(usize::MAX),
        drain: args.drain,
        patience: args.patience,
        copy: args.copy.clone().unwrap_or_else(|| Options::default().copy),
        idle: args.exit_when_idle,
        ..Options::default()
    };
    let mut network = Network::new(plan.clone(), catalogue, sources, options);
    network.keep(stores);
    let started = ports::unfed(plan)
        .try_for_each(|export| network.input(&export.public))
        .and_then(|()| network.start());
    // Dropping the handles ends the streams that nobody feeds.
    Ok(started.map_err(|error| faults::unbuilt(&error))?.running)
}

fn wait(args: &Args, plan: &Plan, running: Running, signals: Option<Signals>) -> Outcome {
    signals::obey(signals, &running, args.drain);
    if !args.json {
        running.on_notice(|notice| out::tell(&format!("note: {notice}\n")));
    }
    let progress = progress::start(&running, plan);
    let outcome = running.wait();
    progress.finish();
    outcome
}

fn report(args: &Args, outcome: &Outcome, plan: &Plan, sources: &Sources, before: &[Diagnostic]) {
    let found = faults::of_outcome(outcome, plan);
    if args.json {
        let all = before
            .iter()
            .chain(&found)
            .map(|found| render::json(found, sources))
            .collect();
        out::tell(&format!("{}\n", as_json(args, outcome, all)));
        return;
    }
    out::tell(&render::all(&found, sources, out::stderr_paint()));
    if !outcome.is_accounted {
        let totals = outcome.statistics.totals;
        out::tell(&format!(
            "packets are not accounted for; please report this with the graph: {totals:?}\n"
        ));
    }
    if let Verdict::Deadlock(deadlock) = &outcome.verdict {
        out::tell(&faults::waits(deadlock));
    }
    for disturbance in &outcome.disturbances {
        out::tell(&format!("note: {disturbance}\n"));
    }
    if args.stats {
        out::tell(&statistics::table(&outcome.statistics, out::stderr_paint()));
    }
}

fn as_json(args: &Args, outcome: &Outcome, diagnostics: Vec<Json>) -> Json {
    let mut whole = json!(outcome);
    whole["diagnostics"] = Json::Array(diagnostics);
    if let (false, Some(object)) = (args.stats, whole.as_object_mut()) {
        object.shift_remove("statistics");
    }
    whole
}

fn exit(outcome: &Outcome) -> Exit {
    match &outcome.verdict {
        _ if !outcome.is_accounted => Exit::Bug,
        Verdict::Deadlock(_) => Exit::Deadlock,
        Verdict::Abandoned(_) => Exit::Undrained,
        _ if outcome.is_success() => Exit::Fine,
        _ => Exit::Failed,
    }
}
