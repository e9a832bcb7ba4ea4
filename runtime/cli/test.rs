//! `test`: examples of components, held against what the components do.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use paperflow_core::{Catalogue, Component, Example};
use paperflow_engine::describe;
use paperflow_engine::rig::{DRIVERS, Mismatch, try_crashes, try_example, try_twice};
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::load;

use super::describe::unknown;
use super::exit::{Exit, Failure};
use super::render::count;
use super::{out, render};

/// Runs the examples of components, under every scheduler and with small and large capacities.
///
/// Each packet of a component that says it is idempotent is also delivered twice, and must leave the
/// same behind as one that comes once: the same distinct packets, the same rows in its tables.
/// With `--crashes` a component is cut off in its examples and begins again with the packets that it had not let
/// go of, as after a crash; what it gives then must be the same, unless it says that it forgets.
/// Components that use the console are left out.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow test
  paperflow test text/words graphs/word-count/word-count.fbp
  paperflow test --idempotence lookup/table
  paperflow test --crashes text/fill")]
pub(super) struct Args {
    /// Components, or graphs for the components that they use; all components if there is none.
    #[arg(value_name = "GRAPH|COMPONENT")]
    names: Vec<String>,
    /// Only deliver packets twice, also to components that do not say they are idempotent.
    #[arg(long)]
    idempotence: bool,
    /// Only cut components off, also those that say they forget when they are named, and go on with them.
    #[arg(long, conflicts_with = "idempotence")]
    crashes: bool,
    /// Print a JSON object with what was run and what failed.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let Some(components) = chosen(args, catalogue)? else {
        return Ok(Exit::Broken);
    };
    let mut report = Report::default();
    for component in components.values() {
        report.test(component, args.only());
    }
    out::print(&if args.json {
        report.as_json()
    } else {
        report.as_text()
    })?;
    Ok(if report.failed.is_empty() {
        Exit::Fine
    } else {
        Exit::Failed
    })
}

/// What is done with an example.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Trial {
    /// It is run as it is.
    Plain,
    /// Each packet comes twice.
    Twice,
    /// It is cut off and gone on with.
    Cut,
}

impl Trial {
    /// Runs of the network that it takes at least.
    const fn runs(self) -> usize {
        match self {
            Self::Plain => DRIVERS.len(),
            Self::Twice | Self::Cut => 2 * DRIVERS.len(),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Twice => ", each packet twice",
            Self::Cut => ", cut off",
        }
    }
}

impl Args {
    /// The only trial that is made, if not all are that a component lays claim to.
    const fn only(&self) -> Option<Trial> {
        match (self.idempotence, self.crashes) {
            (true, _) => Some(Trial::Twice),
            (_, true) => Some(Trial::Cut),
            _ => None,
        }
    }
}

type Found = BTreeMap<String, Arc<dyn Component>>;

/// The components that are to be tested, by name; nothing when a graph has errors, which are told.
fn chosen(args: &Args, catalogue: &Catalogue) -> Result<Option<Found>, Failure> {
    let named = |component: &Arc<dyn Component>| {
        let name = component.spec().name.clone();
        (name, Arc::clone(component))
    };
    if args.names.is_empty() {
        let all = catalogue.iter();
        let wanted = |component: &&Arc<dyn Component>| match args.only() {
            Some(Trial::Twice) => component.spec().idempotent,
            Some(Trial::Cut) => !component.spec().forgets && component.spec().tables.is_empty(),
            Some(Trial::Plain) | None => true,
        };
        return Ok(Some(all.filter(wanted).map(named).collect()));
    }
    let mut found = Found::new();
    for name in &args.names {
        match catalogue.get(name) {
            Some(component) if component.spec().examples.is_empty() && args.only().is_some() => {
                let done = match args.crashes {
                    true => "that could be cut off",
                    false => "whose packets could come twice",
                };
                let message = format!("`{name}` has no example {done}");
                return Err(Failure::misuse(message, None));
            }
            Some(component) if args.crashes && !component.spec().tables.is_empty() => {
                let message = format!("`{name}` has tables, which a store keeps over a crash");
                return Err(Failure::misuse(message, None));
            }
            Some(component) => found.extend([named(component)]),
            None if is_graph(name) => match used(name, catalogue)? {
                Some(components) => found.extend(components.iter().map(named)),
                None => return Ok(None),
            },
            None => return Err(unknown(name, catalogue)),
        }
    }
    Ok(Some(found))
}

fn is_graph(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ending == "fbp" || ending == "json")
}

/// The components that a graph uses, with its subnets; nothing when it has errors, which are told.
fn used(path: &str, catalogue: &Catalogue) -> Result<Option<Vec<Arc<dyn Component>>>, Failure> {
    let loaded = load(path, &describe(catalogue));
    let loaded = loaded.map_err(|error| Failure::unreadable(path, &error))?;
    if loaded.has_errors() {
        out::tell(&render::all(
            &loaded.diagnostics,
            &loaded.sources,
            out::stderr_paint(),
        ));
        return Ok(None);
    }
    let processes = loaded.plan.processes.iter();
    let components = processes.filter_map(|process| catalogue.get(&process.component));
    Ok(Some(components.cloned().collect()))
}

/// The area of components that write to the console.
const CONSOLE: &str = "console/";

/// What was run, and what came of it.
#[derive(Default)]
struct Report {
    components: usize,
    examples: usize,
    runs: usize,
    without_example: Vec<String>,
    /// Components that would write between the lines of this report.
    left_out: Vec<String>,
    failed: Vec<Failed>,
}

/// An example that does not come true.
struct Failed {
    component: String,
    /// Which example of the component, from 1.
    example: usize,
    trial: Trial,
    found: Vec<Mismatch>,
}

impl Report {
    fn test(&mut self, component: &Arc<dyn Component>, only: Option<Trial>) {
        let spec = component.spec();
        if spec.name.starts_with(CONSOLE) {
            self.left_out.push(spec.name.clone());
            return;
        }
        self.components += 1;
        self.examples += spec.examples.len();
        if spec.examples.is_empty() {
            self.without_example.push(spec.name.clone());
        }
        for (at, example) in (1..).zip(&spec.examples) {
            if only.is_none() {
                self.run(component, at, example, Trial::Plain);
            }
            let claimed = spec.idempotent.then_some(Trial::Twice);
            if let Some(trial) = only.or(claimed) {
                self.run(component, at, example, trial);
            }
        }
    }

    fn run(&mut self, component: &Arc<dyn Component>, at: usize, example: &Example, trial: Trial) {
        self.runs += trial.runs();
        let found = match trial {
            Trial::Plain => try_example(component, example),
            Trial::Twice => try_twice(component, example),
            Trial::Cut => try_crashes(component, example),
        };
        if !found.is_empty() {
            self.failed.push(Failed {
                component: component.spec().name.clone(),
                example: at,
                trial,
                found,
            });
        }
    }

    fn as_text(&self) -> String {
        let paint = out::stdout_paint();
        let mut text = String::new();
        for failed in &self.failed {
            let (name, at) = (&failed.component, failed.example);
            let head = format!("{name}, example {at}{}:", failed.trial.words());
            text.push_str(&format!("{} {head}\n", paint.error("failed:")));
            for mismatch in &failed.found {
                text.push_str(&format!("  {mismatch}\n"));
            }
        }
        let lists = [
            ("without an example", &self.without_example),
            ("left out, as they use the console", &self.left_out),
        ];
        for (what, names) in lists.into_iter().filter(|(_, names)| !names.is_empty()) {
            text.push_str(&format!("{what}: {}\n", names.join(", ")));
        }
        let components = count(self.components, "component");
        let (examples, runs) = (count(self.examples, "example"), count(self.runs, "run"));
        let end = match self.failed.len() {
            0 => String::from("all as they should be"),
            failures => format!("{} failed", count(failures, "example")),
        };
        text + &format!("{components}, {examples}, {runs}: {end}.\n")
    }

    fn as_json(&self) -> String {
        let failed = self.failed.iter().map(|failed| {
            json!({
                "component": failed.component,
                "example": failed.example,
                "trial": failed.trial,
                "found": failed.found.iter().map(as_json).collect::<Vec<_>>(),
            })
        });
        let report = json!({
            "components": self.components,
            "examples": self.examples,
            "runs": self.runs,
            "without_example": self.without_example,
            "left_out": self.left_out,
            "failed": failed.collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}

fn as_json(mismatch: &Mismatch) -> Json {
    let ways = mismatch.ways.iter().map(
        |(scheduler, capacity)| json!({ "scheduler": scheduler.to_string(), "capacity": capacity }),
    );
    json!({
        "message": mismatch.difference.to_string(),
        "difference": mismatch.difference,
        "ways": ways.collect::<Vec<_>>(),
    })
}
