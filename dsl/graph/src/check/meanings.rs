//! Whether messages travel on arcs that fit what they are said to be.

use std::collections::{BTreeMap, BTreeSet};

use crate::capabilities::{Mark, mark, row};
use crate::diagnostic::Diagnostic;
use crate::diagnostics::{
    applied_late, name_of_a_fact, needs_offset, one_receiver, scattered_facts, shed_facts,
    skipped_facts, wrong_channel,
};
use crate::plan::{ConnectorKind, Full, Intent, Link, Meaning, OnError, Shape, Writer};
use crate::source::Span;

use super::View;

pub(super) fn check(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    for (link, writer, meaning) in meant(view) {
        check_channel(link, meaning, found);
        check_intent(link, writer, meaning, found);
        if meaning.shape == Some(Shape::Series) {
            check_series(view, link, meaning, found);
        }
        if let Some(entity) = &meaning.entity {
            check_facts(view, link, entity, meaning.span, found);
        }
    }
    check_entities(view, found);
}

/// Every arrow that says what travels along it.
fn meant<'a>(view: &View<'a>) -> impl Iterator<Item = (&'a Link, &'a Writer, &'a Meaning)> {
    let links = view.plan.links.iter();
    let arrows = links.flat_map(|link| link.from.iter().map(move |writer| (link, writer)));
    arrows.filter_map(|(link, writer)| Some((link, writer, writer.meaning.as_deref()?)))
}

fn kind(link: &Link) -> Option<ConnectorKind> {
    link.connector.as_ref().map(|connector| connector.kind)
}

/// The table of messages: what belongs on which kind.
fn check_channel(link: &Link, meaning: &Meaning, found: &mut Vec<Diagnostic>) {
    let (Some(kind), Some(row)) = (kind(link), row(meaning.intent, meaning.shape)) else {
        return;
    };
    let is_told_otherwise = kind == ConnectorKind::Pubsub && is_request(meaning);
    if mark(row, kind) == Mark::No && !is_told_otherwise {
        found.push(wrong_channel::at(row, kind, meaning.span));
    }
}

/// Whether somebody in particular is to do something.
fn is_request(meaning: &Meaning) -> bool {
    matches!(
        meaning.intent,
        Some(Intent::Command | Intent::Query | Intent::Value)
    )
}

fn check_intent(link: &Link, writer: &Writer, meaning: &Meaning, found: &mut Vec<Diagnostic>) {
    if is_request(meaning) && kind(link) == Some(ConnectorKind::Pubsub) {
        found.push(one_receiver::at(meaning.span));
    }
    if meaning.intent == Some(Intent::Event)
        && let Some(name) = telling_name(link, writer)
        && !is_past(name)
    {
        found.push(name_of_a_fact::at(name, meaning.span));
    }
}

/// The name that says what an event is: that of its connector, or else of its out-port.
fn telling_name<'a>(link: &'a Link, writer: &'a Writer) -> Option<&'a str> {
    let connector = link.connector.as_ref().map(|connector| &*connector.name);
    // A name that was made from the ends is not the author's.
    let written = connector.filter(|name| !name.contains('.') && !name.contains('/'));
    let port = &writer.end.port;
    let says_something = port != "OUT" && port != "ACC" && port.len() > 2;
    written.or_else(|| says_something.then_some(port))
}

/// Past forms that do not end in `ed`.
const IRREGULAR: &[&str] = &[
    "begun", "bought", "broken", "built", "chosen", "done", "drawn", "found", "given", "gone",
    "grown", "held", "kept", "known", "left", "lost", "made", "met", "paid", "put", "read", "run",
    "seen", "sent", "set", "shown", "sold", "spent", "taken", "told", "won", "written",
];

/// Whether a name tells of something that has happened: some word of it is a past form.
fn is_past(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    // Words that are written as one are only told apart at their end, but for the usual ending.
    let is_irregular = |word: &str| IRREGULAR.iter().any(|form| word.ends_with(form));
    name.contains("ed") || words.any(is_irregular)
}

/// Only who remembers can make something of a series.
fn check_series(view: &View<'_>, link: &Link, meaning: &Meaning, found: &mut Vec<Diagnostic>) {
    let component = view.components[link.to.process];
    if component.is_some_and(|component| component.plain && component.tables.is_empty()) {
        let reader = view.address(link.to.process);
        found.push(needs_offset::at(reader, meaning.span));
    }
}

/// Facts that change an entity are all applied, in order.
fn check_facts(
    view: &View<'_>,
    link: &Link,
    entity: &str,
    span: Span,
    found: &mut Vec<Diagnostic>,
) {
    let process = &view.plan.processes[link.to.process];
    if is_if_later(&process.component) {
        found.push(applied_late::at(entity, &process.address, span));
    }
    let on_error = link.connector.as_ref();
    let on_error = on_error.and_then(|connector| connector.on_error.as_ref());
    match on_error {
        Some(OnError::Skip) => found.push(skipped_facts::at(entity, "skip", span)),
        Some(OnError::Copy(_)) => found.push(skipped_facts::at(entity, "copy", span)),
        Some(OnError::Retry) | None => {}
    }
    if link.full != Full::Wait {
        let policy = match link.divert {
            Some(_) => String::from("divert"),
            None => link.full.to_string(),
        };
        found.push(shed_facts::at(entity, &policy, span));
    }
}

/// Whether a component lets what is older than what it has be.
fn is_if_later(component: &str) -> bool {
    let name = component.rsplit('/').next().unwrap_or_default();
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.collect::<String>().eq_ignore_ascii_case("iflater")
}

/// What tells one channel from another: a connector, or a memory link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Channel<'a> {
    Connector(Option<&'a str>, &'a str),
    Memory(usize),
}

/// Facts of one entity stay in order only on one channel.
fn check_entities(view: &View<'_>, found: &mut Vec<Diagnostic>) {
    let mut entities = BTreeMap::<&str, Vec<(Channel<'_>, &str, Span)>>::new();
    for (at, link) in view.plan.links.iter().enumerate() {
        let channel = match &link.connector {
            Some(connector) => Channel::Connector(connector.store.as_deref(), &connector.name),
            None => Channel::Memory(at),
        };
        let meanings = link
            .from
            .iter()
            .filter_map(|arrow| arrow.meaning.as_deref());
        for meaning in meanings {
            if let (Some(entity), Some(datatype)) = (&meaning.entity, &meaning.datatype) {
                let facts = entities.entry(entity).or_default();
                facts.push((channel.clone(), datatype, meaning.span));
                found.extend(unordered(link, entity, meaning.span));
            }
        }
    }
    for (entity, facts) in entities {
        let (first, datatype, span) = &facts[0];
        let mut told = BTreeSet::new();
        for (channel, other, place) in &facts[1..] {
            if channel != first && other != datatype && told.insert(other) {
                let types = [*datatype, *other];
                found.push(scattered_facts::at(entity, types, [*span, *place]));
            }
        }
    }
}

/// A stream of several partitions keeps the order of an entity by its key only.
fn unordered(link: &Link, entity: &str, span: Span) -> Option<Diagnostic> {
    let connector = link.connector.as_ref()?;
    let several = connector
        .partitions
        .is_some_and(|partitions| partitions > 1);
    (several && connector.key.is_none()).then(|| scattered_facts::no_key(entity, span))
}
