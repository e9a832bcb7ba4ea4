//! `explain`: what a diagnostic means, or what a graph says.

mod words;

use std::path::Path;

use paperflow_core::Catalogue;
use paperflow_engine::describe;
use paperflow_graph::similar::suggest;

use crate::load::load;

use super::exit::{Exit, Failure};
use super::{faults, out, render};

/// Explains a diagnostic code, or a graph in words; without an argument, lists all codes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow explain P0201
  paperflow explain graphs/word-count/word-count.fbp
  paperflow explain")]
pub(super) struct Args {
    /// A code such as P0201, or the file of a graph.
    what: Option<String>,
}

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
    if let Some((code, title, text)) = all
        .iter()
        .find(|(code, ..)| code.eq_ignore_ascii_case(what))
    {
        let title = out::stdout_paint().strong(&format!("{code}: {title}"));
        out::print(&format!("{title}\n\n{}\n", text.trim_end()))?;
        return Ok(Exit::Fine);
    }
    if Path::new(what).exists() {
        explain_graph(what, catalogue)
    } else {
        Err(unknown(what, &all))
    }
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

fn explain_graph(path: &str, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let described = describe(catalogue);
    let loaded = load(path, &described).map_err(|error| Failure::unreadable(path, &error))?;
    out::tell(&render::all(
        &loaded.diagnostics,
        &loaded.sources,
        out::stderr_paint(),
    ));
    out::print(&words::of(&loaded, &described))?;
    Ok(if loaded.has_errors() {
        Exit::Broken
    } else {
        Exit::Fine
    })
}
