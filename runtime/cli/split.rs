//! `split`: a graph is cut into parts, and what they need is written into a wiring file.

mod deploy;
mod told;
mod write;

use std::path::{Path, PathBuf};

use paperflow_core::Catalogue;
use paperflow_engine::describe;
use paperflow_graph::capabilities::StoreSpec;
use paperflow_graph::parts::{
    Cut, Undivided, cut, divide, find, is_shared, propose, shown, unkept,
};
use paperflow_graph::{Diagnostic, Severity};

use crate::load::{Loaded, View, WiringFile, draw};

use super::exit::{Exit, Failure};
use super::{files, out, render};

use write::Via;

/// Cuts a graph into parts that run as programs of their own, and writes the wiring file for them.
///
/// Where it is to be cut is said by `--at`, by `host=NAME` on processes and subnets, or by `[part.NAME]` in
/// the wiring file. With none of them, cuts are proposed where packets change hands (`org=NAME`), and where
/// a store keeps an arc already. `run --part` runs a part. Tables that were in memory are kept in the part's own
/// store until the run has finished, so that a part which is killed has them when it begins again.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow split graphs/order-flow/order-flow.fbp
  paperflow split shout.fbp --at 'Read.OUT -> Case.IN' --via redis -o paperflow.toml
  paperflow split shout.fbp --to compose")]
pub(super) struct Args {
    /// The graph: a `.fbp` text or a `.json` graph.
    graph: PathBuf,
    /// Cut at this arc, `A.OUT -> B.IN`; may be given again.
    #[arg(long, value_name = "ARC")]
    at: Vec<String>,
    /// The store that is to keep the arcs between parts: its name in the wiring file, a URL, or what a URL
    /// begins with, such as `redis`.
    #[arg(long, value_name = "STORE")]
    via: Option<String>,
    /// Add to this wiring file, in place of a `paperflow.toml` beside the graph.
    #[arg(long, value_name = "FILE")]
    wiring: Option<PathBuf>,
    /// Write what is needed to run the parts there, with the wiring file as it is: health and readiness,
    /// an orderly end, bounds on what they use.
    #[arg(long, value_enum, conflicts_with_all = ["at", "via", "json"])]
    to: Option<deploy::Place>,
    /// The container image that has the command.
    #[arg(
        long,
        value_name = "IMAGE",
        default_value = "paperflow:latest",
        requires = "to"
    )]
    image: String,
    /// Where to write; `-` is standard output. With `--to` it is a folder.
    #[arg(short, long, value_name = "FILE|-", default_value = "-")]
    output: PathBuf,
    /// Tell of parts, arcs and proposals as a JSON object, and write nothing.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let described = describe(catalogue);
    let text = std::fs::read_to_string(&args.graph);
    let text = text.map_err(|error| Failure::unreadable(args.graph.display(), &error))?;
    let view = files::view(false, args.wiring.as_deref(), None)?;
    let wiring = view.wiring.clone();
    let wiring = wiring.or_else(|| WiringFile::beside(&args.graph));
    let loaded = draw(&args.graph, text.clone(), &described, &view, |_| ());
    if loaded.has_errors() {
        return Ok(broken(&loaded.diagnostics, &loaded));
    }
    if let Some(place) = args.to {
        let wiring = wiring.as_ref().map(WiringFile::path);
        let files = (args.graph.as_path(), wiring);
        return deploy::execute(place, &args.image, &args.output, files, &loaded);
    }
    let Some(found) = wanted(args, &loaded)? else {
        out::print(&told::proposals(&loaded, args.json))?;
        return Ok(Exit::Fine);
    };
    let via = via(args, &loaded)?;
    if let Some((hop, why)) = via.refused(&loaded, &found.arcs) {
        return Err(refused(&shown(&loaded.plan, hop), &why));
    }
    let tables = unkept(&loaded.plan, &described);
    if args.json {
        out::print(&told::json(&loaded, &found, &tables, &via))?;
        return Ok(Exit::Fine);
    }
    let before = wiring.as_ref().map_or("", WiringFile::text);
    let written = write::wiring(&loaded, before, &found, &tables, &via);
    let file = match files::is_standard(&args.output) {
        true => Path::new("paperflow.toml"),
        false => &args.output,
    };
    let view = View {
        wiring: Some(WiringFile::new(file, written.as_str())),
        ..View::default()
    };
    let again = draw(&args.graph, text, &described, &view, |_| ());
    if again.has_errors() {
        return Ok(broken(&again.diagnostics, &again));
    }
    files::replace(&args.output, &written)?;
    out::tell(&told::summary(&loaded, &found, &tables, &via));
    Ok(Exit::Fine)
}

/// What is wrong keeps it from being cut.
fn broken(diagnostics: &[Diagnostic], loaded: &Loaded) -> Exit {
    let errors = diagnostics.iter();
    let errors: Vec<Diagnostic> = errors
        .filter(|found| found.severity == Severity::Error)
        .cloned()
        .collect();
    out::tell(&render::all(&errors, &loaded.sources, out::stderr_paint()));
    Exit::Broken
}

/// The cut that is asked for; nothing when none is.
fn wanted(args: &Args, loaded: &Loaded) -> Result<Option<Cut>, Failure> {
    let plan = &loaded.plan;
    if args.at.is_empty() {
        let division = divide(plan, |connector| is_shared(&loaded.wiring, connector));
        let arcs = division.joints.clone();
        return Ok((!division.parts.is_empty()).then_some(Cut { division, arcs }));
    }
    if !loaded.wiring.parts.is_empty() {
        return Err(Failure::misuse(
            "the wiring file has parts already",
            Some(String::from(
                "leave `--at` out, or take `[part.NAME]` out of it",
            )),
        ));
    }
    let names: Vec<&str> = args.at.iter().map(String::as_str).collect();
    let at = find(plan, &names).map_err(|(name, near)| {
        let help = near.map(|near| format!("did you mean `{near}`?"));
        Failure::misuse(format!("the graph has no arc `{name}`"), help)
    })?;
    cut(plan, &at)
        .map(Some)
        .map_err(|found| undivided(loaded, &found))
}

/// Arcs that do not part the graph, and what else would have to be cut.
fn undivided(loaded: &Loaded, found: &[Undivided]) -> Failure {
    let plan = &loaded.plan;
    let tell = |one: &Undivided| {
        let joining = one.joining.iter();
        let joining: Vec<_> = joining
            .map(|hop| format!("`{}`", shown(plan, *hop)))
            .collect();
        let at = shown(plan, one.at);
        match joining.is_empty() {
            true => format!(
                "a cut at `{at}` parts nothing: its ends start anew together for each group"
            ),
            false => format!(
                "a cut at `{at}` alone parts nothing: its ends are still joined by {}",
                joining.join(", ")
            ),
        }
    };
    let told: Vec<_> = found.iter().map(tell).collect();
    Failure::misuse(
        told.join("; "),
        Some(String::from("cut there as well, with `--at`")),
    )
}

/// An arc that is drawn as something which the store does not keep.
fn refused(arc: &str, why: &str) -> Failure {
    Failure::misuse(
        format!("`{arc}` {why}"),
        Some(String::from(
            "name another store, or let the wiring file make it of another kind",
        )),
    )
}

/// The store that is to keep arcs between parts.
fn via(args: &Args, loaded: &Loaded) -> Result<Via, Failure> {
    let stores = &loaded.wiring.stores;
    let known = || {
        let shared = stores.iter().filter(|store| store.scheme() != "sqlite");
        shared.map(|store| store.name.text.clone())
    };
    let Some(named) = &args.via else {
        return known().next().map(Via::Known).ok_or_else(|| {
            Failure::misuse(
                "no store is named that could keep the arcs between parts",
                Some(String::from("say `--via redis`, or `--via` with a URL")),
            )
        });
    };
    let scheme = named.split(':').next().unwrap_or_default();
    let spec = StoreSpec::of(scheme).filter(|spec| spec.feature != "sqlite");
    match spec {
        _ if known().any(|name| name == *named) => Ok(Via::Known(named.clone())),
        Some(_) if named.contains("://") => Ok(Via::Url(scheme.to_owned(), named.clone())),
        Some(_) => {
            let variable = format!("${{{}_URL}}", scheme.to_uppercase().replace('+', "_"));
            Ok(Via::Url(scheme.to_owned(), variable))
        }
        None => Err(Failure::misuse(
            format!("`{named}` is no store that several programs can use"),
            Some(String::from(
                "name one that the wiring file declares, or say `redis`, `nats`, `amqp` or `kafka`, or a URL",
            )),
        )),
    }
}

/// A line of `check` about a graph that could be cut well.
pub(super) fn hint(loaded: &Loaded) -> Option<String> {
    let division = divide(&loaded.plan, |connector| {
        is_shared(&loaded.wiring, connector)
    });
    if !division.parts.is_empty() {
        return None;
    }
    let (cut, places) = propose(&loaded.plan);
    told::hint(&cut, &places)
}
