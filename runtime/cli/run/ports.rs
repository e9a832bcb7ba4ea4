//! What the command line puts into a graph: initial packets, files behind exported ports.

use std::str::FromStr;

use paperflow_engine::set_initial;
use paperflow_graph::plan::{End, Export, Initial, Link, Process, Writer};
use paperflow_graph::similar::suggest;
use paperflow_graph::{Catalogue, Plan, Span};
use serde_json::Value as Json;

use crate::cli::exit::Failure;

/// `Outer/Inner.PORT[i]=value`.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    address: String,
    port: String,
    value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, value) = text.split_once('=').ok_or("it has no `=`")?;
        let (address, port) = place
            .rsplit_once('.')
            .ok_or("there is no `.` between process and port")?;
        Ok(Self {
            address: address.into(),
            port: port.into(),
            value: value.into(),
        })
    }
}

/// `PORT=FILE` or `PORT=-`.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    port: String,
    file: String,
}

impl FromStr for Given {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((port, file)) if !port.is_empty() && !file.is_empty() => Ok(Self {
                port: port.into(),
                file: file.into(),
            }),
            _ => Err(String::from(
                "it is not PORT=FILE; `-` stands for standard input or output",
            )),
        }
    }
}

/// Puts everything into the plan; the first mistake ends it.
pub(crate) fn adjust(
    plan: &mut Plan,
    catalogue: &Catalogue,
    set: &[Setting],
    inputs: &[Given],
    outputs: &[Given],
) -> Result<(), Failure> {
    for setting in set {
        put(plan, catalogue, setting)?;
    }
    let (inports, outports) = (plan.inports.clone(), plan.outports.clone());
    for given in inputs {
        let export = find(&inports, &given.port, "in-port")?;
        plan.inports.retain(|other| other != export);
        feed(plan, catalogue, export, &given.file)?;
    }
    for given in outputs {
        let export = find(&outports, &given.port, "out-port")?;
        plan.outports.retain(|other| other != export);
        drain(plan, catalogue, export, &given.file)?;
    }
    Ok(())
}

/// The exported in-ports that nothing feeds.
pub(crate) fn unfed(plan: &Plan) -> impl Iterator<Item = &Export> {
    plan.inports.iter().filter(|export| {
        let has_initial = plan
            .initials
            .iter()
            .any(|initial| is_same(&initial.to, &export.end));
        !has_initial && !plan.links.iter().any(|link| is_same(&link.to, &export.end))
    })
}

fn is_same(one: &End, two: &End) -> bool {
    (one.process, &one.port, one.index) == (two.process, &two.port, two.index)
}

// ---- initial packets ----

fn put(plan: &mut Plan, catalogue: &Catalogue, setting: &Setting) -> Result<(), Failure> {
    let (address, port) = inner(plan, setting);
    let Some(process) = plan.process(&address) else {
        return Err(unknown_process(plan, &setting.address));
    };
    let component = plan.processes[process].component.clone();
    let Some(component) = catalogue.find(&component) else {
        // The unknown component is reported with the graph.
        return Ok(());
    };
    let name = port.split('[').next().unwrap_or_default();
    let Some(declared) = component.input(name) else {
        let names = component.inputs.iter().map(|port| port.name.as_str());
        return Err(unknown_port(
            &format!("process `{address}`"),
            name,
            names.collect(),
        ));
    };
    let span = plan.processes[process].span;
    let value = value(
        &setting.value,
        declared.param || declared.kinds.0 == ["text"],
    );
    set_initial(plan, catalogue, &address, &port, value)
        .map_err(|error| Failure::misuse(error.to_string(), None))?;
    place_last(plan, span);
    Ok(())
}

/// What `set_initial` added is written nowhere; the process stands for it.
fn place_last(plan: &mut Plan, span: Span) {
    if let Some(initial) = plan.initials.last_mut() {
        (initial.span, initial.to.span) = (span, span);
    }
}

/// The process and port behind a subnet's public port; others stand for themselves.
fn inner(plan: &Plan, setting: &Setting) -> (String, String) {
    let subnet = plan
        .subnets
        .iter()
        .find(|subnet| subnet.address == setting.address);
    let export = subnet.and_then(|subnet| {
        subnet
            .inports
            .iter()
            .find(|export| export.public.eq_ignore_ascii_case(&setting.port))
    });
    let Some(Export { end, .. }) = export else {
        return (setting.address.clone(), setting.port.clone());
    };
    let address = plan
        .processes
        .get(end.process)
        .map_or("", |process| &process.address);
    let port = end.index.map_or_else(
        || end.port.clone(),
        |index| format!("{}[{index}]", end.port),
    );
    (String::from(address), port)
}

/// Text for parameters and text ports; anything else is JSON if it reads as JSON.
fn value(text: &str, is_text: bool) -> Json {
    let as_text = || Json::String(String::from(text));
    if is_text {
        as_text()
    } else {
        serde_json::from_str(text).unwrap_or_else(|_| as_text())
    }
}

fn unknown_process(plan: &Plan, address: &str) -> Failure {
    let processes = plan
        .processes
        .iter()
        .map(|process| process.address.as_str());
    let names = processes.chain(plan.subnets.iter().map(|subnet| subnet.address.as_str()));
    let help = suggest(address, names).map(|near| format!("did you mean `{near}`?"));
    let help =
        help.unwrap_or_else(|| String::from("`paperflow explain GRAPH` lists every process"));
    Failure::misuse(format!("the graph has no process `{address}`"), Some(help))
}

fn unknown_port(owner: &str, name: &str, names: Vec<&str>) -> Failure {
    let help = match suggest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => format!("{owner} has no such port at all"),
        None => format!("{owner} has {}", names.join(", ")),
    };
    Failure::misuse(format!("{owner} has no port `{name}`"), Some(help))
}

// ---- files ----

fn find<'a>(exports: &'a [Export], port: &str, side: &str) -> Result<&'a Export, Failure> {
    exports
        .iter()
        .find(|export| export.public.eq_ignore_ascii_case(port))
        .ok_or_else(|| {
            let names: Vec<_> = exports
                .iter()
                .map(|export| export.public.as_str())
                .collect();
            let near =
                suggest(port, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| match names.as_slice() {
                [] => format!("it exports no {side} at all"),
                names => format!("it exports {}", names.join(", ")),
            });
            Failure::misuse(format!("the graph exports no {side} `{port}`"), Some(help))
        })
}

fn feed(
    plan: &mut Plan,
    catalogue: &Catalogue,
    export: &Export,
    file: &str,
) -> Result<(), Failure> {
    let component = if is_records(plan, catalogue, export, file) {
        "file/json-lines"
    } else {
        "file/lines"
    };
    let from = End {
        port: String::from("OUT"),
        ..add(plan, catalogue, "--in", component, export)?
    };
    let writer = Writer {
        end: from.clone(),
        span: export.span,
        into: export.end.span,
        meaning: None,
    };
    let mut links = plan.links.iter();
    match links.position(|link| link.connector.is_none() && is_same(&link.to, &export.end)) {
        Some(at) => join(plan, at, writer),
        None => plan.links.push(Link {
            to: export.end.clone(),
            from: vec![writer],
            ..Link::default()
        }),
    }
    name_file(plan, from, "SOURCE", file);
    Ok(())
}

/// One more writer of a link, and so of the link that takes what this one refuses.
fn join(plan: &mut Plan, link: usize, writer: Writer) {
    if let Some(divert) = plan.links[link].divert {
        plan.links[divert].diverted.push(writer.clone());
    }
    plan.links[link].from.push(writer);
}

fn drain(
    plan: &mut Plan,
    catalogue: &Catalogue,
    export: &Export,
    file: &str,
) -> Result<(), Failure> {
    let component = match file {
        "-" => "console/write",
        _ if is_json_lines(file) => "file/write-json-lines",
        _ => "file/write",
    };
    let to = End {
        port: String::from("IN"),
        ..add(plan, catalogue, "--out", component, export)?
    };
    let writer = Writer {
        end: export.end.clone(),
        span: export.span,
        into: export.end.span,
        meaning: None,
    };
    plan.links.push(Link {
        to: to.clone(),
        from: vec![writer],
        ..Link::default()
    });
    if file != "-" {
        name_file(plan, to, "DESTINATION", file);
    }
    Ok(())
}

/// Adds a process behind an exported port; its port is still to be named.
fn add(
    plan: &mut Plan,
    catalogue: &Catalogue,
    flag: &str,
    component: &str,
    export: &Export,
) -> Result<End, Failure> {
    if catalogue.find(component).is_none() {
        let message = format!(
            "`{flag}` needs the component `{component}`, which the catalogue does not have"
        );
        return Err(Failure::misuse(message, None));
    }
    let used = |address: &String| {
        plan.processes
            .iter()
            .any(|process| process.address == *address)
    };
    let name = format!("{flag} {}", export.public);
    let names =
        std::iter::once(name.clone()).chain((2..).map(|number| format!("{name} ({number})")));
    let address = names
        .into_iter()
        .find(|address| !used(address))
        .unwrap_or(name);
    let component = String::from(component);
    let (span, component_span) = (export.span, export.span);
    plan.processes.push(Process {
        address,
        component,
        span,
        component_span,
        ..Process::default()
    });
    Ok(End {
        process: plan.processes.len() - 1,
        span: export.span,
        ..End::default()
    })
}

fn name_file(plan: &mut Plan, end: End, port: &str, file: &str) {
    let span = end.span;
    let to = End {
        port: String::from(port),
        ..end
    };
    plan.initials.push(Initial {
        to,
        value: Json::String(String::from(file)),
        span,
    });
}

/// Standard input has no ending; there the port decides.
fn is_records(plan: &Plan, catalogue: &Catalogue, export: &Export, file: &str) -> bool {
    let component = plan
        .processes
        .get(export.end.process)
        .and_then(|process| catalogue.find(&process.component));
    let port = component.and_then(|component| component.input(&export.end.port));
    is_json_lines(file) || (file == "-" && port.is_some_and(|port| port.kinds.0 == ["record"]))
}

fn is_json_lines(file: &str) -> bool {
    std::path::Path::new(file)
        .extension()
        .is_some_and(|ending| ending == "jsonl")
}
