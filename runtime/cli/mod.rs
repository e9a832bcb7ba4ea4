//! The command: one file per verb.
//!
//! Only this module prints, reads the environment and chooses exit codes. What goes to standard output
//! is what was asked for; whatever else there is to say goes to standard error.

mod capabilities;
mod check;
mod completions;
mod describe;
mod exit;
mod explain;
mod faults;
mod files;
mod fmt;
mod graph;
mod guarantees;
mod health;
mod list;
mod new;
mod out;
#[cfg(feature = "sqlite")]
mod provision;
mod render;
mod run;
mod split;
#[cfg(feature = "sqlite")]
mod store;
mod tabular;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use paperflow_core::Catalogue;
use paperflow_graph::{Diagnostic, Sources};

use exit::{Exit, Failure};

/// Runs, checks and draws graphs of components.
#[derive(Debug, Parser)]
#[command(name = "paperflow", version, after_long_help = exit::TABLE)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Run(run::Args),
    Split(split::Args),
    #[cfg(feature = "sqlite")]
    Provision(provision::Args),
    Health(health::Args),
    Check(check::Args),
    Fmt(fmt::Args),
    List(list::Args),
    Describe(describe::Args),
    Explain(explain::Args),
    Graph(graph::Args),
    Capabilities(capabilities::Args),
    New(new::Args),
    Test(test::Args),
    Completions(completions::Args),
    #[cfg(feature = "sqlite")]
    #[command(subcommand)]
    Queue(store::queue::Verb),
    #[cfg(feature = "sqlite")]
    #[command(subcommand)]
    Dlq(store::dlq::Verb),
    #[cfg(feature = "sqlite")]
    #[command(subcommand)]
    Stream(store::stream::Verb),
    #[cfg(feature = "sqlite")]
    #[command(subcommand)]
    Pubsub(store::pubsub::Verb),
    #[cfg(feature = "sqlite")]
    Replay(store::stream::Replay),
    #[cfg(feature = "sqlite")]
    #[command(subcommand)]
    Link(store::link::Verb),
}

/// Runs the command line with the components of a catalogue.
///
/// A program with components of its own is `paperflow::cli(paperflow::standard().with(mine))`; it has
/// every verb.
#[must_use]
pub fn cli(catalogue: Catalogue) -> ExitCode {
    out::report_own_panics();
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return exit::of_usage(&error).into(),
    };
    let exit = line.verb.execute(&catalogue);
    exit.unwrap_or_else(|failure| failure.tell()).into()
}

/// Diagnostics in plain words, for programs that show them elsewhere.
pub(crate) fn rendered(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    render::all(diagnostics, sources, out::Paint::default())
}

impl Verb {
    fn execute(self, catalogue: &Catalogue) -> Result<Exit, Failure> {
        match self {
            Self::Run(args) => run::execute(&args, catalogue),
            Self::Split(args) => split::execute(&args, catalogue),
            #[cfg(feature = "sqlite")]
            Self::Provision(args) => provision::execute(&args, catalogue),
            Self::Health(args) => health::execute(&args),
            Self::Check(args) => check::execute(&args, catalogue),
            Self::Fmt(args) => fmt::execute(&args),
            Self::List(args) => list::execute(&args, catalogue),
            Self::Describe(args) => describe::execute(&args, catalogue),
            Self::Explain(args) => explain::execute(&args, catalogue),
            Self::Graph(args) => graph::execute(&args, catalogue),
            Self::Capabilities(args) => capabilities::execute(&args),
            Self::New(args) => new::execute(&args),
            Self::Test(args) => test::execute(&args, catalogue),
            Self::Completions(args) => completions::execute(&args),
            #[cfg(feature = "sqlite")]
            Self::Queue(verb) => store::queue::execute(verb),
            #[cfg(feature = "sqlite")]
            Self::Dlq(verb) => store::dlq::execute(verb),
            #[cfg(feature = "sqlite")]
            Self::Stream(verb) => store::stream::execute(verb),
            #[cfg(feature = "sqlite")]
            Self::Pubsub(verb) => store::pubsub::execute(verb),
            #[cfg(feature = "sqlite")]
            Self::Replay(args) => store::stream::replay(&args),
            #[cfg(feature = "sqlite")]
            Self::Link(verb) => store::link::execute(verb),
        }
    }
}

#[cfg(test)]
mod tests;
