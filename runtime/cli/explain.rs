//! `explain`: what a diagnostic means, or what a graph says.

mod words;

use std::path::{Path, PathBuf};

use paperflow_core::Catalogue;
use paperflow_engine::describe;
use paperflow_graph::check::STRICT;
use paperflow_graph::similar::suggest;

use crate::load::draw;

use super::exit::{Exit, Failure};
use super::{faults, files, guarantees, out, render};

/// Explains a diagnostic code, a graph in words, or the strict rules; alone, lists all codes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow explain P0201
  paperflow explain graphs/word-count/word-count.fbp
  paperflow explain strict
  paperflow explain")]
pub(super) struct Args {
    /// A code such as P0201, the file of a graph, or `strict`.
    what: Option<String>,
    /// Read this wiring file with the graph, in place of a `paperflow.toml` beside it.
    #[arg(long, value_name = "FILE")]
    wiring: Option<PathBuf>,
    /// Print what holds on each path of the graph, as a JSON array.
    #[arg(long, requires = "what")]
    json: bool,
}

/// What to explain for the rules of `--strict`.
const STRICT_RULES: &str = "strict";

/// Code, title and text.
type Explanation = (&'static str, &'static str, &'static str);

/// Every diagnostic there is, by code.
pub(super) fn explanations() -> Vec<Explanation> {
    let tables = [
        paperflow_syntax::EXPLANATIONS,
        paperflow_graph::diagnostics::EXPLANATIONS,
        faults::EXPLANATIONS,
    ];
    let mut all = tables.concat();
    all.sort_unstable();
    all
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let Some(what) = &args.what else {
        let line = |(code, title, _): &Explanation| format!("{code}  {title}\n");
        out::print(&explanations().iter().map(line).collect::<String>())?;
        return Ok(Exit::Fine);
    };
    let all = explanations();
    if args.json && !Path::new(what).exists() {
        let help = String::from("name the file of a graph");
        return Err(Failure::misuse(
            "`--json` tells of the paths of a graph",
            Some(help),
        ));
    }
    if let Some((code, title, text)) = all
        .iter()
        .find(|(code, ..)| code.eq_ignore_ascii_case(what))
    {
        let title = out::stdout_paint().strong(&format!("{code}: {title}"));
        out::print(&format!("{title}\n\n{}\n", text.trim_end()))?;
        return Ok(Exit::Fine);
    }
    if what == STRICT_RULES {
        out::print(&strict_rules())?;
        return Ok(Exit::Fine);
    }
    if Path::new(what).exists() {
        explain_graph(args, what, catalogue)
    } else {
        Err(unknown(what, &all))
    }
}

/// The rules of `--strict`, with the rows of the mission they come from.
fn strict_rules() -> String {
    let mut text = String::from(
        "With `--strict`, `check` and `run` hold a graph to the narrower rules of the course:\n\n",
    );
    for (code, rule) in STRICT {
        text.push_str(&format!("{code}  {rule}\n"));
    }
    text + "\nIn brackets is the row of the mission that a rule comes from; `explain CODE` tells more.\n"
}

fn unknown(what: &str, all: &[Explanation]) -> Failure {
    let near = suggest(what, all.iter().map(|(code, ..)| *code));
    let help = near.map(|near| format!("did you mean `{near}`?"));
    let help = help.unwrap_or_else(|| String::from("`paperflow explain` lists every code"));
    Failure::misuse(
        format!("`{what}` is neither a diagnostic code nor a file"),
        Some(help),
    )
}

fn explain_graph(args: &Args, path: &str, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let described = describe(catalogue);
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::unreadable(path, &error))?;
    let view = files::view(false, args.wiring.as_deref(), None)?;
    let loaded = draw(Path::new(path), text, &described, &view, |_| ());
    out::tell(&render::all(
        &loaded.diagnostics,
        &loaded.sources,
        out::stderr_paint(),
    ));
    out::print(&if args.json {
        guarantees::json(&loaded)
    } else {
        words::of(&loaded, &described)
    })?;
    Ok(if loaded.has_errors() {
        Exit::Broken
    } else {
        Exit::Fine
    })
}
