//! Which delivery holds, in words and as JSON.

use std::fmt::Write;

use paperflow_graph::guarantee::{Grounds, Path};
use serde_json::json;

use crate::load::Loaded;

use super::render::count;

/// More paths than this are not told one by one by `check`.
const MOST: usize = 10;

/// A line for each path, the weakest first, and for each process that forgets.
pub(super) fn summary(loaded: &Loaded) -> String {
    let mut sorted: Vec<_> = loaded.paths.iter().collect();
    sorted.sort_by_key(|path| path.guarantee);
    let mut text = String::new();
    for path in sorted.iter().take(MOST) {
        let weak = path.weakness.as_ref();
        let weak = weak.map(|weak| format!("; weakest at {}: {}", weak.place, weak.reason));
        let _ = writeln!(
            text,
            "  {} from {} to {}{}.",
            path.guarantee,
            path.from,
            path.to,
            weak.unwrap_or_default()
        );
    }
    if sorted.len() > MOST {
        let more = count(sorted.len() - MOST, "path");
        let _ = writeln!(text, "  {more} more; `paperflow explain GRAPH` tells all.");
    }
    for forgetful in &loaded.forgetful {
        let _ = writeln!(text, "  {} forgets: {}.", forgetful.place, forgetful.reason);
    }
    text
}

/// Each path with its arcs, what weakens it and what would strengthen it.
pub(super) fn all(loaded: &Loaded) -> String {
    if loaded.paths.is_empty() {
        return String::new();
    }
    let mut text = String::from("\nGuarantees\n");
    for path in &loaded.paths {
        let (from, to) = (&path.from, &path.to);
        let _ = writeln!(text, "  {from} to {to}: {}", path.guarantee);
        let _ = writeln!(text, "    over {}", arcs(loaded, path).join(", "));
        if let Some(weak) = &path.weakness {
            let _ = writeln!(text, "    weakest at {}: {}", weak.place, weak.reason);
            let _ = writeln!(text, "    to strengthen it, {}", weak.fix);
        }
    }
    for forgetful in &loaded.forgetful {
        let _ = writeln!(text, "  {} forgets", forgetful.place);
        let _ = writeln!(text, "    {}", forgetful.reason);
        let _ = writeln!(text, "    to strengthen it, {}", forgetful.fix);
    }
    text
}

fn arcs(loaded: &Loaded, path: &Path) -> Vec<String> {
    // The arcs need no catalogue.
    let catalogue = paperflow_graph::Catalogue::default();
    let grounds = Grounds {
        plan: &loaded.plan,
        catalogue: &catalogue,
        wiring: &loaded.wiring,
    };
    path.over.iter().map(|hop| grounds.arc(*hop)).collect()
}

/// The processes on a path that forget.
fn forgetful<'a>(loaded: &'a Loaded, path: &Path) -> Vec<&'a str> {
    let processes = &loaded.plan.processes;
    let readers = path
        .over
        .iter()
        .map(|hop| loaded.plan.links[hop.link].to.process);
    let addresses: Vec<_> = readers.map(|reader| &processes[reader].address).collect();
    let forgetful = loaded.forgetful.iter().map(|one| &one.place);
    forgetful
        .filter(|place| addresses.contains(place))
        .map(String::as_str)
        .collect()
}

/// The same as a JSON array.
pub(super) fn json(loaded: &Loaded) -> String {
    let paths = loaded.paths.iter().map(|path| {
        let weakness = path
            .weakness
            .as_ref()
            .map(|weak| json!({ "place": weak.place, "reason": weak.reason, "fix": weak.fix }));
        json!({
            "from": path.from,
            "to": path.to,
            "over": arcs(loaded, path),
            "guarantee": path.guarantee.word(),
            "weakness": weakness,
            "forgetful": forgetful(loaded, path),
        })
    });
    format!("{:#}\n", json!(paths.collect::<Vec<_>>()))
}
