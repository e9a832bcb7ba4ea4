//! `check`: everything that is wrong with graphs.

use std::path::PathBuf;

use paperflow_core::Catalogue;
use paperflow_engine::describe;
use paperflow_graph::guarantee::Guarantee;
use serde_json::json;

use crate::load::{Loaded, draw};

use super::exit::{Exit, Failure};
use super::{files, guarantees, out, render, split};

/// Shows everything that is wrong with graphs.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  paperflow check graphs/word-count/word-count.fbp")]
pub(super) struct Args {
    /// Graphs: `.fbp` texts or `.json` graphs.
    #[arg(required = true)]
    graphs: Vec<PathBuf>,
    /// Hold them to the narrower rules of the course as well; `explain strict` lists them.
    #[arg(long)]
    strict: bool,
    /// Read this wiring file, in place of a `paperflow.toml` beside the graph.
    #[arg(long, value_name = "FILE")]
    wiring: Option<PathBuf>,
    /// Fail unless this holds on every path: at-most-once, at-least-once or once-only.
    #[arg(long, value_name = "GUARANTEE", value_parser = files::guarantee)]
    require: Option<Guarantee>,
    /// Print a JSON array of diagnostics.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let described = describe(catalogue);
    let view = files::view(args.strict, args.wiring.as_deref(), args.require)?;
    let mut checked = Vec::new();
    for path in &args.graphs {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| Failure::unreadable(path.display(), &error))?;
        let loaded = draw(path, text, &described, &view, |_| ());
        checked.push((path, loaded));
    }
    out::print(&if args.json {
        as_json(&checked)
    } else {
        as_text(&checked)
    })?;
    let is_broken = checked.iter().any(|(_, loaded)| loaded.has_errors());
    Ok(if is_broken { Exit::Broken } else { Exit::Fine })
}

fn as_json(checked: &[(&PathBuf, Loaded)]) -> String {
    let found = checked.iter().flat_map(|(_, loaded)| {
        loaded
            .diagnostics
            .iter()
            .map(|found| render::json(found, &loaded.sources))
    });
    format!("{:#}\n", json!(found.collect::<Vec<_>>()))
}

fn as_text(checked: &[(&PathBuf, Loaded)]) -> String {
    let paint = out::stdout_paint();
    let mut text = String::new();
    for (path, loaded) in checked {
        if loaded.diagnostics.is_empty() {
            text.push_str(&fine(path, loaded));
        } else {
            text.push_str(&render::all(&loaded.diagnostics, &loaded.sources, paint));
        }
        if !loaded.has_errors() {
            text.push_str(&guarantees::summary(loaded));
            text.extend(split::hint(loaded));
        }
    }
    let tally = render::tally(checked.iter().flat_map(|(_, loaded)| &loaded.diagnostics));
    if let Some(tally) = tally {
        text.push_str(&format!(
            "{tally} in {}.\n",
            render::count(checked.len(), "graph")
        ));
    }
    text
}

fn fine(path: &std::path::Path, loaded: &Loaded) -> String {
    let processes = render::count(loaded.plan.processes.len(), "process");
    let links = render::count(loaded.plan.links.len(), "link");
    format!("{} is fine: {processes}, {links}.\n", path.display())
}
