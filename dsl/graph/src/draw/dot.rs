//! DOT, the language of Graphviz.

use std::fmt::{self, Write};

use crate::plan::Plan;

use super::{Cluster, arrow, note, port};

/// The plan as a Graphviz graph.
#[must_use]
pub fn to_dot(plan: &Plan) -> String {
    let mut dot = String::new();
    // A `String` takes whatever is written to it.
    let written = write_graph(plan, &mut dot);
    debug_assert!(written.is_ok());
    dot
}

fn write_graph(plan: &Plan, dot: &mut String) -> fmt::Result {
    writeln!(dot, "digraph {} {{", quoted(&plan.name))?;
    writeln!(dot, "  rankdir=LR;")?;
    writeln!(dot, "  node [shape=box, style=rounded];")?;
    write_cluster(plan, &Cluster::of(plan), 1, dot)?;
    write_initials(plan, dot)?;
    write_exports(plan, dot)?;
    write_links(plan, dot)?;
    writeln!(dot, "}}")
}

fn write_cluster(
    plan: &Plan,
    cluster: &Cluster<'_>,
    level: usize,
    dot: &mut String,
) -> fmt::Result {
    let indent = "  ".repeat(level);
    for process in &cluster.processes {
        let process = &plan.processes[*process];
        let (id, name) = (quoted(&process.address), cluster.local(&process.address));
        let label = quoted(&format!("{name}\n{}", process.component));
        writeln!(dot, "{indent}{id} [label={label}];")?;
    }
    for inner in &cluster.inner {
        let id = quoted(&format!("cluster {}", inner.id()));
        let label = quoted(&cluster.title(inner));
        writeln!(dot, "{indent}subgraph {id} {{")?;
        writeln!(dot, "{indent}  label={label};")?;
        write_cluster(plan, inner, level + 1, dot)?;
        writeln!(dot, "{indent}}}")?;
    }
    Ok(())
}

fn write_initials(plan: &Plan, dot: &mut String) -> fmt::Result {
    for (at, initial) in plan.initials.iter().enumerate() {
        let (id, label) = (
            quoted(&format!("initial {at}")),
            quoted(&note(&initial.value)),
        );
        let to = quoted(&plan.processes[initial.to.process].address);
        let on = quoted(&port(&initial.to));
        writeln!(dot, "  {id} [shape=note, style=\"\", label={label}];")?;
        writeln!(dot, "  {id} -> {to} [style=dashed, label={on}];")?;
    }
    Ok(())
}

fn write_exports(plan: &Plan, dot: &mut String) -> fmt::Result {
    let inports = plan.inports.iter().map(|export| (export, true));
    let outports = plan.outports.iter().map(|export| (export, false));
    for (export, inwards) in inports.chain(outports) {
        let side = if inwards { "in" } else { "out" };
        let id = quoted(&format!("{side} {}", export.public));
        let process = quoted(&plan.processes[export.end.process].address);
        let (public, on) = (quoted(&export.public), quoted(&port(&export.end)));
        let (from, to) = if inwards {
            (&id, &process)
        } else {
            (&process, &id)
        };
        writeln!(dot, "  {id} [shape=ellipse, style=\"\", label={public}];")?;
        writeln!(dot, "  {from} -> {to} [label={on}];")?;
    }
    Ok(())
}

fn write_links(plan: &Plan, dot: &mut String) -> fmt::Result {
    for link in &plan.links {
        let to = quoted(&plan.processes[link.to.process].address);
        for writer in &link.from {
            let from = quoted(&plan.processes[writer.end.process].address);
            let label = quoted(&arrow(plan, &writer.end, link));
            writeln!(dot, "  {from} -> {to} [label={label}];")?;
        }
    }
    Ok(())
}

/// A DOT string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            letter if letter.is_control() => quoted.push(' '),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
