//! Which delivery holds, in words and as JSON.

use std::fmt::Write;

use paperflow_graph::guarantee::{Grounds, Path};
use serde_json::json;

use crate::load::Loaded;

use super::render::count;

/// More paths than this are not told one by one by `check`.
const MOST: usize = 10;

/// A line for each path, the weakest first.
pub(super) fn summary(paths: &[Path]) -> String {
    let mut sorted: Vec<_> = paths.iter().collect();
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
        })
    });
    format!("{:#}\n", json!(paths.collect::<Vec<_>>()))
}
