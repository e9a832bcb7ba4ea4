//! A graph in words.

use std::collections::HashSet;
use std::fmt::Write;

use paperflow_engine::DEFAULT_CAPACITY;
use paperflow_graph::guarantee::of_link;
use paperflow_graph::parts::{addresses, between, shown};
use paperflow_graph::plan::{End, Export, Link, Plan, Process};
use paperflow_graph::{Catalogue, Full};
use petgraph::algo::kosaraju_scc;
use petgraph::graphmap::DiGraphMap;

use crate::cli::guarantees;
use crate::cli::render::count;
use crate::load::Loaded;

/// Processes, subnets, links, cycles and exported ports.
pub(super) fn of(loaded: &Loaded, catalogue: &Catalogue) -> String {
    let Loaded { graph, plan, .. } = loaded;
    let mut text = String::new();
    headline(
        &mut text,
        graph.property("title").and_then(|title| title.as_str()),
        plan,
    );
    if let Some(about) = graph
        .property("description")
        .and_then(|about| about.as_str())
    {
        let _ = writeln!(text, "{about}");
    }
    processes(&mut text, plan, catalogue);
    subnets(&mut text, plan);
    links(&mut text, plan);
    initials(&mut text, plan);
    cycles(&mut text, plan);
    parts(&mut text, plan);
    text.push_str(&guarantees::all(loaded));
    exports(&mut text, plan);
    text
}

fn parts(text: &mut String, plan: &Plan) {
    if plan.parts.is_empty() {
        return;
    }
    text.push_str("\nParts\n");
    for part in &plan.parts {
        let processes = addresses(plan, part).join(", ");
        let _ = writeln!(text, "  {}: {processes}", part.name);
    }
    for hop in between(plan) {
        let link = &plan.links[hop.link];
        let store = link.connector.as_ref().and_then(|one| one.store.as_deref());
        let kept = store.map_or_else(|| String::from("in memory"), |store| format!("via {store}"));
        let _ = writeln!(text, "  between them: {} ({kept})", shown(plan, hop));
    }
}

fn headline(text: &mut String, title: Option<&str>, plan: &Plan) {
    let name = title.unwrap_or(&plan.name);
    let processes = count(plan.processes.len(), "process");
    let links = count(plan.links.len(), "link");
    let subnets = match plan.subnets.len() {
        0 => String::new(),
        number => format!(" from {}", count(number, "subnet")),
    };
    let _ = writeln!(text, "{name}: {processes}{subnets}, {links}.");
}

fn processes(text: &mut String, plan: &Plan, catalogue: &Catalogue) {
    text.push_str("\nProcesses\n");
    let width = |text: fn(&Process) -> &str| {
        plan.processes
            .iter()
            .map(|process| text(process).chars().count())
            .max()
            .unwrap_or(0)
    };
    let (addresses, components) = (
        width(|process| &process.address),
        width(|process| &process.component),
    );
    for process in &plan.processes {
        let about = catalogue
            .find(&process.component)
            .map_or("(unknown)", |component| &component.about);
        let line = format!(
            "  {:addresses$}  {:components$}  {about}{}",
            process.address,
            process.component,
            shared(process)
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// How many workers share the work of a process, and how much may wait for each.
fn shared(process: &Process) -> String {
    let number = |key: &str| {
        let pair = process.metadata.iter().rev().find(|(name, _)| name == key);
        let text = pair.map(|(_, value)| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), String::from)
        });
        text.and_then(|text| text.parse::<usize>().ok())
    };
    match number("instances") {
        Some(workers @ 2..) => {
            let backlog = count(number("backlog").unwrap_or(1), "packet");
            format!(" {workers} instances share the work; {backlog} may wait for each.")
        }
        _ => String::new(),
    }
}

fn subnets(text: &mut String, plan: &Plan) {
    if plan.subnets.is_empty() {
        return;
    }
    text.push_str("\nSubnets\n");
    for subnet in &plan.subnets {
        let inside = format!("{}/", subnet.address);
        let members = plan
            .processes
            .iter()
            .filter(|process| process.address.starts_with(&inside))
            .count();
        let rearmed = plan
            .scopes
            .iter()
            .any(|scope| scope.address == subnet.address);
        let again = if rearmed {
            "; it starts afresh for each group"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "  {} is the graph {}: {}{again}",
            subnet.address,
            subnet.component,
            count(members, "process")
        );
    }
}

fn links(text: &mut String, plan: &Plan) {
    if plan.links.is_empty() {
        return;
    }
    let usual = count(DEFAULT_CAPACITY, "packet");
    let _ = writeln!(
        text,
        "\nLinks: {usual} each where nothing else is written, or as `--capacity` says"
    );
    for link in &plan.links {
        let writers = match link.from.as_slice() {
            [] => vec![String::from("what is diverted")],
            from => from
                .iter()
                .map(|writer| name(plan, &writer.end))
                .collect::<Vec<_>>(),
        };
        let _ = writeln!(
            text,
            "  {} -> {}{}",
            writers.join(" and "),
            name(plan, &link.to),
            terms(plan, link)
        );
    }
}

/// What is written about a link, or what its automatic port means.
fn terms(plan: &Plan, link: &Link) -> String {
    if link.to.port == "*" {
        return String::from(": starts when the writer has ended");
    }
    let capacity = link.capacity.map(|capacity| count(capacity, "packet"));
    let divert = link.divert.and_then(|at| plan.links.get(at));
    let full = match (divert, link.full) {
        (Some(other), _) => Some(format!(
            "when full the new packet is diverted to {}",
            name(plan, &other.to)
        )),
        (None, Full::Wait) => None,
        (None, Full::DropOldest) => Some(String::from("when full the oldest packet is shed")),
        (None, Full::DropNew) => Some(String::from("when full the new packet is shed")),
    };
    let kept = link.connector.as_ref();
    let kept = kept.map(|connector| format!("{} `{}`", connector.kind, connector.name));
    let holds = of_link(plan, link).map(|guarantee| guarantee.to_string());
    let terms = [kept, capacity, full, holds].into_iter().flatten();
    let terms: Vec<_> = terms.collect();
    if terms.is_empty() {
        String::new()
    } else {
        format!(": {}", terms.join(", "))
    }
}

fn initials(text: &mut String, plan: &Plan) {
    if plan.initials.is_empty() {
        return;
    }
    text.push_str("\nInitial packets\n");
    for initial in &plan.initials {
        let value = initial
            .value
            .as_str()
            .map_or_else(|| initial.value.to_string(), |text| format!("'{text}'"));
        let _ = writeln!(text, "  {value} -> {}", name(plan, &initial.to));
    }
}

fn cycles(text: &mut String, plan: &Plan) {
    let mut arrows = DiGraphMap::<usize, ()>::new();
    let data = plan.links.iter().filter(|link| link.to.port != "*");
    for (link, writer) in data.flat_map(|link| link.writers().map(move |writer| (link, writer))) {
        arrows.add_edge(writer.end.process, link.to.process, ());
    }
    let mut groups = kosaraju_scc(&arrows);
    groups.retain(|group| {
        group.len() > 1
            || group
                .iter()
                .any(|process| arrows.contains_edge(*process, *process))
    });
    groups.iter_mut().for_each(|group| group.sort_unstable());
    groups.sort();
    if !groups.is_empty() {
        text.push_str("\nCycles\n");
    }
    for group in groups {
        cycle(text, plan, &group);
    }
}

fn cycle(text: &mut String, plan: &Plan, group: &[usize]) {
    let members: Vec<_> = group
        .iter()
        .map(|process| address(plan, *process))
        .collect();
    let into = plan
        .links
        .iter()
        .filter(|link| group.contains(&link.to.process) && link.to.port != "*");
    let feeders = into
        .flat_map(Link::writers)
        .filter(|writer| !group.contains(&writer.end.process));
    let mut feeders: Vec<_> = feeders.map(|writer| name(plan, &writer.end)).collect();
    // What writes into the cycle and also diverts into it is named once.
    let mut seen = HashSet::new();
    feeders.retain(|feeder| seen.insert(feeder.clone()));
    let exported = plan
        .inports
        .iter()
        .filter(|export| group.contains(&export.end.process));
    feeders.extend(exported.map(|export| format!("the exported {}", export.public)));
    let end = match feeders.as_slice() {
        [] => String::from("nothing outside feeds it: it ends when no packet is left in it"),
        [feeder] => {
            format!("it ends by itself when {feeder} has ended and no packet is left in it")
        }
        feeders => format!(
            "it ends by itself when {} have ended and no packet is left in it",
            feeders.join(" and ")
        ),
    };
    let _ = writeln!(text, "  {}: {end}", members.join(", "));
}

fn exports(text: &mut String, plan: &Plan) {
    let mut side = |title: &str, exports: &[Export], flag: &str| {
        if exports.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{title}");
        for Export { public, end, .. } in exports {
            let _ = writeln!(
                text,
                "  {public} is {}: `{flag} {public}=FILE`",
                name(plan, end)
            );
        }
    };
    side("Exported in-ports", &plan.inports, "--in");
    side("Exported out-ports", &plan.outports, "--out");
}

fn address(plan: &Plan, process: usize) -> &str {
    plan.processes
        .get(process)
        .map_or("", |process| &process.address)
}

fn name(plan: &Plan, end: &End) -> String {
    let index = end
        .index
        .map(|index| format!("[{index}]"))
        .unwrap_or_default();
    format!("{}.{}{index}", address(plan, end.process), end.port)
}
