//! What is said of a cut.

use std::fmt::Write;

use paperflow_graph::guarantee::Hop;
use paperflow_graph::parts::{Cut, Why, addresses, propose, shown};
use serde_json::{Value as Json, json};

use crate::cli::render::count;
use crate::load::Loaded;

use super::write::{self, Via};

/// Where a graph could be cut, for people or as JSON.
pub(super) fn proposals(loaded: &Loaded, is_json: bool) -> String {
    let (cut, places) = propose(&loaded.plan);
    let plan = &loaded.plan;
    if is_json {
        let proposals = places
            .iter()
            .map(|(hop, why)| json!({ "arc": shown(plan, *hop), "why": why.to_string() }));
        let proposals = proposals.collect::<Vec<_>>();
        return format!(
            "{:#}\n",
            json!({ "parts": parts(loaded, &cut), "proposals": proposals })
        );
    }
    if places.is_empty() {
        return String::from(
            "No cut suggests itself: no arc leads from one `org=` or `host=` to another, and no store keeps one that parts the graph.\n",
        );
    }
    let mut text = String::from("It could be cut at\n");
    for (hop, why) in &places {
        let _ = writeln!(text, "  {}  ({why})", shown(plan, *hop));
    }
    text.push_str("into\n");
    text.push_str(&listed(loaded, &cut));
    text.push_str("`--at ARC` for each of them, and `--via STORE`, write the wiring file.\n");
    text
}

/// A line of `check`: only where it says itself that packets change hands.
pub(super) fn hint(cut: &Cut, places: &[(Hop, Why)]) -> Option<String> {
    let is_said = |(_, why): &(Hop, Why)| *why != Why::Kept;
    places.iter().any(is_said).then(|| {
        format!(
            "  It could be cut into {} at {}; `paperflow split GRAPH` tells where.\n",
            count(cut.division.parts.len(), "part"),
            count(places.len(), "arc")
        )
    })
}

/// What has been written.
pub(super) fn summary(loaded: &Loaded, cut: &Cut, tables: &[String], via: &Via) -> String {
    let parts = count(cut.division.parts.len(), "part");
    let arcs = count(write::arcs(loaded, &cut.arcs, via).len(), "arc");
    let tables = match tables.len() {
        0 => String::new(),
        some => format!(", {} kept until the run has finished", count(some, "table")),
    };
    format!(
        "{parts}, {arcs} moved to `{}`{tables}:\n{}",
        via.name(),
        listed(loaded, cut)
    )
}

fn listed(loaded: &Loaded, cut: &Cut) -> String {
    let mut text = String::new();
    for part in &cut.division.parts {
        let processes = addresses(&loaded.plan, part);
        let _ = writeln!(text, "  {}: {}", part.name, processes.join(", "));
    }
    text
}

/// Parts and arcs of a cut.
pub(super) fn json(loaded: &Loaded, cut: &Cut, tables: &[String], via: &Via) -> String {
    let kind = via.kind(loaded);
    let arcs = write::arcs(loaded, &cut.arcs, via).into_iter();
    let arcs = arcs.map(|(arc, has_kind)| {
        let kind = (!has_kind).then(|| kind.word());
        json!({ "arc": arc, "kind": kind, "via": via.name() })
    });
    let arcs = arcs.collect::<Vec<_>>();
    format!(
        "{:#}\n",
        json!({ "parts": parts(loaded, cut), "arcs": arcs, "tables": tables })
    )
}

fn parts(loaded: &Loaded, cut: &Cut) -> Vec<Json> {
    let parts = cut.division.parts.iter();
    parts
        .map(|part| json!({ "name": part.name, "processes": addresses(&loaded.plan, part) }))
        .collect()
}
