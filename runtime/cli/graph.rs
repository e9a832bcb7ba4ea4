//! `graph`: a graph in another form.

use std::path::{Path, PathBuf};

use paperflow_core::Catalogue;
use paperflow_engine::describe;
use paperflow_graph::draw::{to_dot, to_mermaid};
use paperflow_graph::json::{
    JsonOptions, from_json, lossless_text, to_json_lossless, to_json_text,
};
use paperflow_graph::{Diagnostic, FileId, Graph, Plan, Severity, Sources};
use paperflow_syntax::{Options, Parsed, check_contents, format, parse, print, print_upstream};

use crate::load::draw;

use super::exit::{Exit, Failure};
use super::{files, out, render};

/// Writes a graph in another form: JSON, text, or a drawing.
///
/// Only what the text itself gets wrong is reported here; `check` finds the rest.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  paperflow graph graphs/word-count/word-count.fbp --to json
  paperflow graph old.json --to fbp -o new.fbp
  paperflow graph graphs/order-flow/order-flow.fbp --to dot | dot -Tsvg > order-flow.svg")]
pub(super) struct Args {
    /// A `.fbp` text or a `.json` graph; `-` reads a text from standard input.
    file: PathBuf,
    /// The form to write.
    #[arg(long, value_enum)]
    to: Form,
    /// Write port names in small letters, as the reference parser does unless told otherwise.
    #[arg(long)]
    lowercase_ports: bool,
    /// Keep comments and layout: inside the JSON, or from a JSON that has them.
    #[arg(long)]
    lossless: bool,
    /// Write text as the reference serializer does, with what it loses.
    #[arg(long)]
    upstream: bool,
    /// Read this wiring file, in place of a `paperflow.toml` beside the graph.
    #[arg(long, value_name = "FILE")]
    wiring: Option<PathBuf>,
    /// Where to write; `-` is standard output.
    #[arg(short, long, value_name = "FILE|-", default_value = "-")]
    output: PathBuf,
}

/// What a graph can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Graph JSON, as flow-based tools exchange it.
    Json,
    /// A `.fbp` text.
    Fbp,
    /// A drawing for Graphviz.
    Dot,
    /// A drawing for documents.
    Mermaid,
}

/// A graph as it was read.
struct Read {
    text: String,
    is_json: bool,
    graph: Graph,
    subnets: Vec<Graph>,
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    refuse_idle_flags(args)?;
    let read = read(args)?;
    out::tell(&render::all(
        &read.diagnostics,
        &read.sources,
        out::stderr_paint(),
    ));
    if read
        .diagnostics
        .iter()
        .any(|found| found.severity == Severity::Error)
    {
        return Ok(Exit::Broken);
    }
    let written = match args.to {
        Form::Json => as_json(args, &read),
        Form::Fbp => as_text(args, &read),
        Form::Dot => to_dot(&drawn(args, read, catalogue)?),
        Form::Mermaid => to_mermaid(&drawn(args, read, catalogue)?),
    };
    files::replace(&args.output, &written)?;
    Ok(Exit::Fine)
}

/// The flat graph with each process as it was drawn, be it several instances or one.
fn drawn(args: &Args, read: Read, catalogue: &Catalogue) -> Result<Plan, Failure> {
    let described = describe(catalogue);
    let view = files::view(false, args.wiring.as_deref(), None)?;
    Ok(draw(&args.file, read.text, &described, &view, |_| ()).plan)
}

/// A flag that could change nothing was meant otherwise.
fn refuse_idle_flags(args: &Args) -> Result<(), Failure> {
    let only = |flag: &str, form: &str| {
        Failure::misuse(
            format!("`{flag}` has no meaning here"),
            Some(format!("it belongs to `--to {form}`")),
        )
    };
    if args.upstream && args.to != Form::Fbp {
        return Err(only("--upstream", "fbp"));
    }
    if args.wiring.is_some() && matches!(args.to, Form::Json | Form::Fbp) {
        return Err(only("--wiring", "dot` or `--to mermaid"));
    }
    if args.lossless && !matches!(args.to, Form::Json | Form::Fbp) {
        return Err(only("--lossless", "json` or `--to fbp"));
    }
    if args.lossless && (args.upstream || args.lowercase_ports) {
        let message = "`--lossless` keeps everything as it is; it goes with neither `--upstream` nor `--lowercase-ports`";
        return Err(Failure::misuse(message, None));
    }
    Ok(())
}

fn read(args: &Args) -> Result<Read, Failure> {
    let text = files::read(&args.file)?;
    let mut sources = Sources::new();
    let file = sources.add(&args.file, text.as_str());
    let is_json = args.file.extension().is_some_and(|ending| ending == "json");
    let Parsed {
        graph,
        subnets,
        diagnostics,
    } = if is_json {
        interpret_json(args, &text, file)
    } else {
        parse(
            &sources,
            file,
            Options {
                lowercase_ports: args.lowercase_ports,
            },
        )
    };
    Ok(Read {
        text,
        is_json,
        graph,
        subnets,
        sources,
        diagnostics,
    })
}

fn interpret_json(args: &Args, text: &str, file: FileId) -> Parsed {
    let (graph, mut diagnostics) = from_json(text, file);
    // The reference serializer writes whatever it is given.
    if !args.upstream {
        diagnostics.extend(check_contents(&graph));
    }
    Parsed {
        graph,
        subnets: Vec::new(),
        diagnostics,
    }
}

fn as_json(args: &Args, read: &Read) -> String {
    for subnet in &read.subnets {
        out::tell(&format!(
            "note: the network `{}` of the same file is left out\n",
            subnet.name
        ));
    }
    let options = JsonOptions {
        lowercase_ports: args.lowercase_ports,
    };
    if args.lossless && !read.is_json {
        return format!("{:#}\n", to_json_lossless(&read.graph, &read.text));
    }
    to_json_text(&read.graph, options) + "\n"
}

fn as_text(args: &Args, read: &Read) -> String {
    if args.upstream {
        return print_upstream(&read.graph) + "\n";
    }
    if !read.is_json && (args.lossless || !read.subnets.is_empty()) {
        return format(&read.text).text;
    }
    let remembered = lossless_text(&read.graph, |text| parse_again(&args.file, text));
    remembered.unwrap_or_else(|| print(&nameless(&read.graph, &args.file)))
}

fn parse_again(path: &Path, text: &str) -> Graph {
    let mut sources = Sources::new();
    let file = sources.add(path, text);
    parse(&sources, file, Options::default()).graph
}

/// The graph without the name that only its file or its properties gave it.
fn nameless(graph: &Graph, path: &Path) -> Graph {
    let mut graph = graph.clone();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy());
    let is_property = graph
        .property("name")
        .is_some_and(|name| name.as_str() == Some(graph.name.as_str()));
    if is_property || stem.is_some_and(|stem| stem == graph.name) {
        graph.name.clear();
    }
    graph
}
