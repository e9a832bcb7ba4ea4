//! `list`: the components there are.

use std::collections::BTreeMap;
use std::fmt::Write;

use paperflow_core::{Catalogue, Spec};
use serde_json::json;

use super::exit::{Exit, Failure};
use super::{out, render};

/// Lists the components there are, by area, with one line about each.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  paperflow list")]
pub(super) struct Args {
    /// Print a JSON array of names, one line about each, and other names.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    out::print(&if args.json {
        as_json(catalogue)
    } else {
        as_text(catalogue)
    })?;
    Ok(Exit::Fine)
}

/// The other names of a component.
pub(super) fn aliases<'a>(catalogue: &'a Catalogue, name: &str) -> Vec<&'a str> {
    let aliases = catalogue.aliases().filter(|(_, target)| *target == name);
    aliases.map(|(alias, _)| alias).collect()
}

fn as_json(catalogue: &Catalogue) -> String {
    let entry = |spec: &Spec| json!({ "name": spec.name, "about": spec.about, "aliases": aliases(catalogue, &spec.name) });
    format!(
        "{:#}\n",
        json!(catalogue.specs().map(entry).collect::<Vec<_>>())
    )
}

fn as_text(catalogue: &Catalogue) -> String {
    let paint = out::stdout_paint();
    let mut areas: BTreeMap<&str, Vec<&Spec>> = BTreeMap::new();
    for spec in catalogue.specs() {
        let area = spec.name.split_once('/').map_or("", |(area, _)| area);
        areas.entry(area).or_default().push(spec);
    }
    let width = catalogue
        .specs()
        .map(|spec| spec.name.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for (area, specs) in &areas {
        let _ = writeln!(
            text,
            "{}",
            paint.strong(if area.is_empty() { "own" } else { area })
        );
        for spec in specs {
            let _ = writeln!(text, "  {:width$}  {}", spec.name, spec.about);
            let others = aliases(catalogue, &spec.name);
            if !others.is_empty() {
                let _ = writeln!(text, "  {:width$}  also {}", "", others.join(", "));
            }
        }
        text.push('\n');
    }
    let count = render::count(catalogue.specs().count(), "component");
    let _ = writeln!(text, "{count}; `paperflow describe COMPONENT` tells more.");
    text
}
