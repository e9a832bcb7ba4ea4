//! `fmt`: texts in canonical style.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use paperflow_graph::{Severity, Sources};
use paperflow_syntax::format;

use super::exit::{Exit, Failure};
use super::{files, out, render};

/// Puts `.fbp` texts into canonical style, in place.
///
/// Comments, order and meaning stay. A text with errors is reported and left as it is.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow fmt graphs/word-count/word-count.fbp
  paperflow fmt --check graphs/*/*.fbp
  paperflow fmt - < old.fbp > new.fbp")]
pub(super) struct Args {
    /// Texts; `-` reads standard input and writes standard output.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; list the texts that would change, and end with 1 if there are any.
    #[arg(long)]
    check: bool,
}

/// What has been found out about the texts so far.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    errors: bool,
    changes: bool,
    failures: bool,
}

pub(super) fn execute(args: &Args) -> Result<Exit, Failure> {
    let mut found = Found::default();
    for path in &args.files {
        match one(args, path, &mut found) {
            Err(Failure::Pipe) => return Err(Failure::Pipe),
            // The other texts are looked at all the same.
            Err(failure) => found.failures |= failure.tell() != Exit::Fine,
            Ok(()) => {}
        }
    }
    Ok(match found {
        Found { failures: true, .. } => Exit::Misused,
        Found { errors: true, .. } => Exit::Broken,
        Found { changes: true, .. } if args.check => Exit::Failed,
        _ => Exit::Fine,
    })
}

fn one(args: &Args, path: &Path, found: &mut Found) -> Result<(), Failure> {
    if path.extension() == Some(OsStr::new("json")) {
        let help = String::from("`paperflow graph FILE --to fbp` writes a graph JSON as text");
        return Err(Failure::misuse(
            format!("{} is no `.fbp` text", path.display()),
            Some(help),
        ));
    }
    let text = files::read(path)?;
    let formatted = format(&text);
    let mut sources = Sources::new();
    sources.add(path, text.as_str());
    out::tell(&render::all(
        &formatted.diagnostics,
        &sources,
        out::stderr_paint(),
    ));
    let is_error = |problem: &paperflow_graph::Diagnostic| problem.severity == Severity::Error;
    if formatted.diagnostics.iter().any(is_error) {
        found.errors = true;
        return Ok(());
    }
    let is_changed = formatted.text != text;
    found.changes |= is_changed;
    match (args.check, is_changed) {
        (true, true) => out::print(&format!("{}\n", path.display())),
        (false, _) if files::is_standard(path) => out::print(&formatted.text),
        (false, true) => files::replace(path, &formatted.text),
        _ => Ok(()),
    }
}
