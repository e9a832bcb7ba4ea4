//! Mermaid, the drawings that documents show.

use std::fmt::{self, Write};

use crate::plan::Plan;

use super::{Cluster, arrow, note, port};

/// The plan as a Mermaid flowchart.
#[must_use]
pub fn to_mermaid(plan: &Plan) -> String {
    let mut chart = String::new();
    // A `String` takes whatever is written to it.
    let written = write_chart(plan, &mut chart);
    debug_assert!(written.is_ok());
    chart
}

fn write_chart(plan: &Plan, chart: &mut String) -> fmt::Result {
    writeln!(chart, "flowchart LR")?;
    let mut clusters = 0;
    write_cluster(plan, &Cluster::of(plan), 1, &mut clusters, chart)?;
    for (at, initial) in plan.initials.iter().enumerate() {
        let (text, on) = (quoted(&note(&initial.value)), quoted(&port(&initial.to)));
        writeln!(chart, "  i{at}>{text}] -.->|{on}| p{}", initial.to.process)?;
    }
    write_exports(plan, chart)?;
    for link in &plan.links {
        for writer in &link.from {
            let (from, to) = (writer.end.process, link.to.process);
            writeln!(
                chart,
                "  p{from} -->|{}| p{to}",
                quoted(&arrow(plan, &writer.end, link))
            )?;
        }
    }
    Ok(())
}

fn write_cluster(
    plan: &Plan,
    cluster: &Cluster<'_>,
    level: usize,
    clusters: &mut usize,
    chart: &mut String,
) -> fmt::Result {
    let indent = "  ".repeat(level);
    for process in &cluster.processes {
        let found = &plan.processes[*process];
        let name = cluster.local(&found.address);
        let label = quoted(&format!("{name}\n{}", found.component));
        writeln!(chart, "{indent}p{process}({label})")?;
    }
    for inner in &cluster.inner {
        let label = cluster.title(inner);
        writeln!(chart, "{indent}subgraph s{clusters}[{}]", quoted(&label))?;
        *clusters += 1;
        write_cluster(plan, inner, level + 1, clusters, chart)?;
        writeln!(chart, "{indent}end")?;
    }
    Ok(())
}

fn write_exports(plan: &Plan, chart: &mut String) -> fmt::Result {
    for (at, export) in plan.inports.iter().enumerate() {
        let (public, on) = (quoted(&export.public), quoted(&port(&export.end)));
        writeln!(
            chart,
            "  in{at}([{public}]) -->|{on}| p{}",
            export.end.process
        )?;
    }
    for (at, export) in plan.outports.iter().enumerate() {
        let (public, on) = (quoted(&export.public), quoted(&port(&export.end)));
        writeln!(
            chart,
            "  p{} -->|{on}| out{at}([{public}])",
            export.end.process
        )?;
    }
    Ok(())
}

/// A Mermaid string; what it cannot hold is written as an entity.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '\n' => quoted.push_str("<br/>"),
            '"' | '#' | '&' | '<' | '>' | '`' => quoted.push_str(&entity(letter)),
            letter if letter.is_control() => quoted.push(' '),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

fn entity(letter: char) -> String {
    format!("#{};", u32::from(letter))
}
