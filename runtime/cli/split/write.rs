//! The wiring file of a graph that is cut.

use std::collections::BTreeSet;
use std::fmt::Write;

use paperflow_graph::capabilities::StoreSpec;
use paperflow_graph::guarantee::Hop;
use paperflow_graph::parts::{Cut, addresses, shown};
use paperflow_graph::plan::ConnectorKind;

use crate::load::Loaded;

/// The store that keeps the arcs between parts.
pub(super) enum Via {
    /// One that the wiring file has.
    Known(String),
    /// One that is added, by its name and URL.
    Url(String, String),
}

impl Via {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Known(name) | Self::Url(name, _) => name,
        }
    }

    /// What is known of stores of its sort; nothing when a variable says where it is.
    fn spec(&self, loaded: &Loaded) -> Option<&'static StoreSpec> {
        let scheme = match self {
            Self::Known(name) => loaded.wiring.store(name).map(|store| store.scheme()),
            Self::Url(name, _) => Some(name.as_str()),
        };
        scheme.and_then(StoreSpec::of)
    }

    /// What arcs in memory become there: queues, or streams where there are no queues.
    pub(super) fn kind(&self, loaded: &Loaded) -> ConnectorKind {
        let spec = self.spec(loaded);
        match spec.is_some_and(|spec| spec.with(ConnectorKind::Queue).is_none()) {
            true => ConnectorKind::Stream,
            false => ConnectorKind::Queue,
        }
    }

    /// The first of these arcs that the store cannot keep, and why.
    pub(super) fn refused(&self, loaded: &Loaded, arcs: &[Hop]) -> Option<(Hop, String)> {
        let spec = self.spec(loaded)?;
        arcs.iter().find_map(|hop| {
            let connector = loaded.plan.links[hop.link].connector.as_ref()?;
            let (kind, name) = (connector.kind, self.name());
            let Some(can) = spec.with(kind) else {
                return Some((*hop, format!("is a {kind}, and `{name}` keeps none")));
            };
            let what = can.lacks(connector).into_iter().next()?;
            let why = format!("asks for `{what}`, which a {kind} of `{name}` cannot do");
            Some((*hop, why))
        })
    }
}

/// The arcs that are to be kept by the store, each once, by name, and whether each has a kind.
pub(super) fn arcs(loaded: &Loaded, arcs: &[Hop], via: &Via) -> Vec<(String, bool)> {
    let plan = &loaded.plan;
    let mut known = BTreeSet::new();
    let moved = arcs.iter().filter(|hop| {
        let connector = plan.links[hop.link].connector.as_ref();
        connector.and_then(|one| one.store.as_deref()) != Some(via.name())
    });
    let named = moved.map(|hop| {
        let has_kind = plan.links[hop.link].connector.is_some();
        (shown(plan, *hop), has_kind)
    });
    named
        .filter(|(name, _)| known.insert(name.clone()))
        .collect()
}

/// What was in the wiring file, with what a cut needs.
pub(super) fn wiring(
    loaded: &Loaded,
    before: &str,
    cut: &Cut,
    tables: &[String],
    via: &Via,
) -> String {
    let mut added = String::new();
    let mut text = before.to_owned();
    if let Via::Url(name, url) = via
        && loaded.wiring.store(name).is_none()
    {
        let _ = writeln!(added, "\n[store.{}]\nurl = {url:?}", quoted(name));
    }
    for (arc, has_kind) in arcs(loaded, &cut.arcs, via) {
        let kind = match has_kind {
            true => String::new(),
            false => format!("kind = \"{}\"\n", via.kind(loaded)),
        };
        let lines = format!("{kind}via = {:?}\n", via.name());
        match heading(loaded, &text, &arc) {
            Some(at) => text.insert_str(at, &lines),
            None => {
                let _ = write!(added, "\n[arc.{arc:?}]\n{lines}");
            }
        }
    }
    if loaded.wiring.parts.is_empty() {
        for part in &cut.division.parts {
            let processes = addresses(&loaded.plan, part);
            let _ = writeln!(
                added,
                "\n[part.{}]\nprocesses = {processes:?}",
                quoted(&part.name)
            );
        }
    }
    // What one program has in memory until it ends is kept for as long by a part that may be killed.
    for table in tables {
        let _ = writeln!(added, "\n[table.{table:?}]\nkeep = \"run\"");
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match text.is_empty() {
        true => added.trim_start().to_owned(),
        false => text + &added,
    }
}

/// Where the lines of an arc begin that the wiring file has already.
fn heading(loaded: &Loaded, text: &str, arc: &str) -> Option<usize> {
    let plain = |name: &str| name.replace(char::is_whitespace, "").to_lowercase();
    let known = loaded.wiring.arcs.iter();
    let mut names = known.map(|known| known.name.text.as_str());
    let name = names.find(|name| plain(name) == plain(arc))?;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if line.trim_start().starts_with("[arc.") && line.contains(name) {
            return Some(at);
        }
    }
    None
}

/// A key of TOML.
fn quoted(name: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => format!("{name:?}"),
    }
}
