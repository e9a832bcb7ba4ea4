//! Which delivery holds from where packets come from to where they end, over a crash at any point.
//!
//! A path leads from a *source* (a process that nothing leads to, or an exported in-port) over arcs to a
//! *sink* (a process that nothing leaves, or an exported out-port). What holds on it is what holds at its
//! weakest place. The rules, by what the engine does:
//!
//! | place | what holds |
//! |---|---|
//! | memory arc behind a store | as before: what came from a store is settled only when all that follows from it is safe, so a crash has it delivered again |
//! | memory arc behind a source that sends the same in each run, and before a store | as before: the run after a crash makes the same packets with the same ids, and the store leaves out those it has |
//! | any other memory arc | at most once: a crash loses what is in it |
//! | memory arc that sheds or diverts when full | at most once |
//! | queue; stream that retries or copies | at least once; once only as far as the store knows ids again |
//! | stream with `on-error=skip` | at most once: what fails is left behind |
//! | pubsub | at most once: who is not there gets no copy |
//! | source that cannot send the same again, up to the first store | at most once: nobody knows what it had read |
//! | process with a table in a store | once only: what it has handled, its rows and what it sends are committed together, and what nobody may deliver again is owed until it has arrived |
//! | process without one that handles each packet by itself | as before: when it handles a packet again, what it sends has the same ids |
//! | any other process without one, behind a store or such a source | at least once: in another order it may send packets with other ids |
//! | sink without a table in a store | at least once: what it does to the world may be done again |
//! | sink behind a store that begins its file anew | at most once: what was written before a crash does not come again |
//!
//! Where it cannot be told, the weaker is said.

mod walk;

use std::fmt;

use crate::capabilities::Can;
use crate::catalogue::Catalogue;
use crate::check::stores::spec;
use crate::diagnostic::Diagnostic;
use crate::diagnostics::weak_path;
use crate::plan::{ConnectorKind, End, Full, Link, OnError, Plan};
use crate::source::Span;
use crate::wiring::Wiring;

pub use walk::{forgetful, paths};

/// How often a packet arrives; the better comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guarantee {
    /// Once or not at all.
    AtMostOnce,
    /// Once or several times.
    AtLeastOnce,
    /// Once, as far as can be seen.
    OnceOnly,
}

impl Guarantee {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::AtMostOnce, Self::AtLeastOnce, Self::OnceOnly];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AtMostOnce => "at-most-once",
            Self::AtLeastOnce => "at-least-once",
            Self::OnceOnly => "once-only",
        }
    }
}

impl fmt::Display for Guarantee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A step of a path: a link of the plan, and which of its writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Index of the link.
    pub link: usize,
    /// Index of the writer among those of the link.
    pub writer: usize,
}

/// The weakest way from a source to a sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Where packets come from: an address, or an exported in-port.
    pub from: String,
    /// Where they end: an address, or an exported out-port.
    pub to: String,
    /// The arcs between.
    pub over: Vec<Hop>,
    /// What holds.
    pub guarantee: Guarantee,
    /// What weakens it; nothing when it is once only.
    pub weakness: Option<Weakness>,
}

/// The place that weakens a path, and what would strengthen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weakness {
    /// The arc `A.OUT -> B.IN`, or the process.
    pub place: String,
    /// Why.
    pub reason: String,
    /// What to do about it.
    pub fix: String,
    /// Where it is written.
    pub span: Span,
}

/// What is needed to tell what holds.
#[derive(Clone, Copy)]
pub struct Grounds<'a> {
    /// The flat graph, as it was drawn.
    pub plan: &'a Plan,
    /// Its components.
    pub catalogue: &'a Catalogue,
    /// Its stores.
    pub wiring: &'a Wiring,
}

/// What holds on a connector alone; nothing for a memory link.
#[must_use]
pub fn of_link(plan: &Plan, link: &Link) -> Option<Guarantee> {
    let connector = link.connector.as_ref()?;
    if connector.kind == ConnectorKind::Pubsub || connector.on_error == Some(OnError::Skip) {
        return Some(Guarantee::AtMostOnce);
    }
    Some(if has_desk(plan, link.to.process) {
        Guarantee::OnceOnly
    } else {
        Guarantee::AtLeastOnce
    })
}

/// Whether a store keeps tables of a process.
fn has_desk(plan: &Plan, process: usize) -> bool {
    plan.tables.iter().any(|table| table.process == process)
}

impl Grounds<'_> {
    fn has_desk(&self, process: usize) -> bool {
        has_desk(self.plan, process)
    }

    fn can(&self, link: &Link) -> Option<Can> {
        let connector = link.connector.as_ref()?;
        spec(self.wiring, connector.store.as_deref())?.with(connector.kind)
    }

    /// Whether the store leaves out what it has.
    fn knows_ids(&self, link: &Link) -> bool {
        self.can(link).is_some_and(|can| can.knows_ids)
    }

    fn address(&self, process: usize) -> &str {
        &self.plan.processes[process].address
    }

    fn port(&self, end: &End) -> String {
        let element = end.index.map(|index| format!("[{index}]"));
        let element = element.unwrap_or_default();
        format!("{}.{}{element}", self.address(end.process), end.port)
    }

    /// `A.OUT -> B.IN`.
    #[must_use]
    pub fn arc(&self, hop: Hop) -> String {
        let link = &self.plan.links[hop.link];
        let from = link.writers().nth(hop.writer);
        let from = from
            .map(|writer| self.port(&writer.end))
            .unwrap_or_default();
        format!("{from} -> {}", self.port(&link.to))
    }

    fn weak_arc(&self, hop: Hop, reason: &str, fix: &str) -> Weakness {
        let link = &self.plan.links[hop.link];
        let written = link.connector.as_ref().map(|connector| connector.span);
        let arrow = link.writers().nth(hop.writer).map(|writer| writer.span);
        Weakness {
            place: self.arc(hop),
            reason: String::from(reason),
            fix: String::from(fix),
            span: written.or(arrow).unwrap_or_default(),
        }
    }

    fn weak_process(&self, process: usize, reason: &str, fix: String) -> Weakness {
        Weakness {
            place: String::from(self.address(process)),
            reason: String::from(reason),
            fix,
            span: self.plan.processes[process].span,
        }
    }

    /// How a process gets a table in a store.
    fn table_fix(&self, process: usize) -> String {
        let found = &self.plan.processes[process];
        let component = self.catalogue.find(&found.component);
        match component.and_then(|component| component.tables.first()) {
            Some(table) => self.keep_fix(process, table),
            None => String::from(
                "make what it does idempotent, or use a component with a table that a store keeps",
            ),
        }
    }

    /// How a store gets a table of a process.
    fn keep_fix(&self, process: usize, table: &str) -> String {
        let address = self.address(process);
        format!("let a store keep its table: `[table.\"{address}.{table}\"]` in the wiring file")
    }

    /// How a process is kept from beginning anew what it has written; nothing when it does not.
    fn renewal_fix(&self, process: usize) -> Option<String> {
        let found = &self.plan.processes[process];
        let component = self.catalogue.find(&found.component);
        let component = component.filter(|component| component.renews)?;
        let Some(keeps) = component.inputs.iter().find(|port| port.keeps) else {
            return Some(String::from(
                "write it with a component that goes on behind what is there",
            ));
        };
        let mut initials = self.plan.initials.iter();
        let initial = initials.find(|one| one.to.process == process && one.to.port == keeps.name);
        let is_kept = initial.is_some_and(|one| one.value == true || one.value == "true");
        (!is_kept).then(|| format!("`'true' -> {} {}` keeps it", keeps.name, found.address))
    }

    fn sheds(link: &Link) -> bool {
        link.full != Full::Wait
    }
}

/// What keeps paths from what is required.
#[must_use]
pub fn weaker(paths: &[Path], required: Guarantee) -> Vec<Diagnostic> {
    let weak = paths.iter().filter(|path| path.guarantee < required);
    weak.filter_map(|path| {
        let weakness = path.weakness.as_ref()?;
        Some(weak_path::at(path, weakness, required))
    })
    .collect()
}

#[cfg(test)]
mod tests;
