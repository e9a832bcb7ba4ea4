//! `describe`: all there is to know about a component.

use std::fmt::Write;

use paperflow_core::spec::{Example, ParamSpec, PortSpec, Sample};
use paperflow_core::{Catalogue, Reads, Sends, Spec, Work};
use paperflow_graph::similar::suggest;
use serde_json::json;

use super::exit::{Exit, Failure};
use super::list::aliases;
use super::out::{self, Paint};

/// Tells all there is to know about a component: ports, parameters, tables, examples.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Example:
  paperflow describe text/words")]
pub(super) struct Args {
    /// A component's name, or another name of it.
    component: String,
    /// Print its description as a JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(args: &Args, catalogue: &Catalogue) -> Result<Exit, Failure> {
    let found = catalogue
        .get(&args.component)
        .ok_or_else(|| unknown(&args.component, catalogue))?;
    let spec = found.spec();
    let others = aliases(catalogue, &spec.name);
    if args.json {
        let mut described = json!(spec);
        described["aliases"] = json!(others);
        out::print(&format!("{described:#}\n"))?;
    } else {
        out::print(&Page::of(spec, &others, out::stdout_paint()))?;
    }
    Ok(Exit::Fine)
}

/// What to say about a component that nobody knows.
pub(super) fn unknown(name: &str, catalogue: &Catalogue) -> Failure {
    let names = catalogue.specs().map(|spec| spec.name.as_str());
    let names = names.chain(catalogue.aliases().map(|(alias, _)| alias));
    let help = suggest(name, names).map(|near| format!("did you mean `{near}`?"));
    let help = help.unwrap_or_else(|| String::from("`paperflow list` shows every component"));
    Failure::misuse(format!("unknown component `{name}`"), Some(help))
}

/// The page of a component, part by part.
struct Page {
    text: String,
    paint: Paint,
}

impl Page {
    fn of(spec: &Spec, aliases: &[&str], paint: Paint) -> String {
        let mut page = Self {
            text: String::new(),
            paint,
        };
        page.line(0, &paint.strong(&spec.name));
        if !aliases.is_empty() {
            page.line(0, &format!("also {}", aliases.join(", ")));
        }
        page.line(0, "");
        page.line(0, spec.doc.trim());
        page.ports("In-ports", &spec.inputs);
        page.params(&spec.params);
        page.ports("Out-ports", &spec.outputs);
        page.tables(spec);
        page.life(spec);
        for example in &spec.examples {
            page.example(example);
        }
        page.text
    }

    fn line(&mut self, indent: usize, line: &str) {
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn title(&mut self, title: &str) {
        let title = self.paint.strong(title);
        self.line(0, "");
        self.line(0, &title);
    }

    fn ports(&mut self, title: &str, ports: &[PortSpec]) {
        if ports.is_empty() {
            return;
        }
        self.title(title);
        for port in ports {
            self.line(2, &format!("{}  {}", port_name(port), port_terms(port)));
            self.line(6, &port.about);
        }
    }

    fn params(&mut self, params: &[ParamSpec]) {
        if params.is_empty() {
            return;
        }
        self.title("Parameters");
        for param in params {
            self.line(2, &format!("{}  {}", param.name, param_terms(param)));
            self.line(6, &param.about);
        }
    }

    fn tables(&mut self, spec: &Spec) {
        if spec.tables.is_empty() {
            return;
        }
        self.title("Tables");
        for table in &spec.tables {
            self.line(2, &table.name);
            self.line(6, &table.about);
        }
    }

    fn life(&mut self, spec: &Spec) {
        let work = match spec.work {
            Work::Thread => "has a thread of its own",
            Work::Compute => "shares a pool of workers",
        };
        let said = [
            (spec.must_run, "runs once even when no packet comes"),
            (
                spec.again,
                "starts again after it has ended, while packets come",
            ),
            (
                spec.repeats,
                "sends the same in each run with the same parameters",
            ),
            (
                spec.idempotent,
                "leaves the same behind when a packet comes twice",
            ),
            (
                spec.renews,
                "begins anew what it has written whenever it begins",
            ),
            (
                spec.forgets,
                "keeps in memory what it knows of former packets",
            ),
            (
                spec.passes_over,
                "gives to another what is for a reader that has left",
            ),
        ];
        let said = said
            .into_iter()
            .filter_map(|(is, words)| is.then_some(words));
        let orders = [reads(spec), sends(spec)].into_iter().flatten();
        let words: Vec<_> = std::iter::once(work).chain(said).chain(orders).collect();
        self.title("Life");
        self.line(2, &words.join("; "));
    }

    fn example(&mut self, example: &Example) {
        self.title("Example");
        for (name, value) in &example.params {
            self.line(2, &format!("'{value}' -> {name}"));
        }
        for (name, samples) in &example.feeds {
            self.line(2, &format!("{name} <- {}", row(samples)));
        }
        for (name, samples) in &example.expects {
            self.line(2, &format!("{name} -> {}", row(samples)));
        }
    }
}

fn port_name(port: &PortSpec) -> String {
    match (port.array, port.size) {
        (true, Some(size)) => format!("{}[0..{size}]", port.name),
        (true, None) => format!("{}[i]", port.name),
        _ => port.name.clone(),
    }
}

fn reads(spec: &Spec) -> Option<&'static str> {
    match spec.reads {
        Reads::Freely => None,
        Reads::InStep => Some(
            "takes some from each in-port in its turn, and while it waits for one nothing from \
             the others",
        ),
        Reads::ToEnd => Some(
            "reads each in-port to its end before the next, and meanwhile nothing from the others",
        ),
    }
}

fn sends(spec: &Spec) -> Option<&'static str> {
    match spec.sends {
        Sends::Freely => None,
        Sends::InStep => Some("keeps its out-ports in step"),
        Sends::ToEnd => Some("closes each out-port before it uses the next"),
        Sends::ByChoice => Some("chooses one out-port for each packet"),
    }
}

fn port_terms(port: &PortSpec) -> String {
    let kinds = if port.kinds.is_empty() {
        String::from("any")
    } else {
        port.kinds.join(" or ")
    };
    let need = if port.optional {
        "optional"
    } else {
        "required"
    };
    let at_end = if port.at_end { ", at the end" } else { "" };
    let afresh = if port.afresh {
        ", afresh in each life"
    } else {
        ""
    };
    format!("{kinds}, {need}{at_end}{afresh}")
}

fn param_terms(param: &ParamSpec) -> String {
    let need = match (&param.default, param.optional) {
        (Some(default), _) => format!("default '{default}'"),
        (None, true) => String::from("optional"),
        (None, false) => String::from("required"),
    };
    format!("{}, {need}", param.parses)
}

fn row(samples: &[Sample]) -> String {
    let word = |sample: &Sample| match sample {
        Sample::Open => String::from("("),
        Sample::Close => String::from(")"),
        Sample::Data(value) => value.to_string(),
    };
    samples.iter().map(word).collect::<Vec<_>>().join(" ")
}
