//! Everything a graph can get wrong, one file each.
//!
//! The comment in such a file is the text that `paperflow explain CODE` prints.

/// Declares a diagnostic: its explanation as a doc comment, its code and its title.
macro_rules! explained {
    ($(#[doc = $line:literal])* $code:literal, $title:literal) => {
        // The examples in it are graphs, not Rust to be tested.
        $(#[cfg_attr(not(doctest), doc = $line)])*
        pub(crate) const CODE: &str = $code;

        const LINES: &[&str] = &[$($line),*];
        const BYTES: [u8; crate::diagnostics::length(LINES)] = crate::diagnostics::join(LINES);

        /// Code, title and the text above.
        pub(super) const EXPLANATION: (&str, &str, &str) =
            ($code, $title, crate::diagnostics::text(&BYTES));
    };
}

pub(crate) mod applied_late;
pub(crate) mod bad_capacity;
pub(crate) mod bad_instances;
pub(crate) mod bad_json;
pub(crate) mod bad_policy;
pub(crate) mod bad_setting;
pub(crate) mod bad_wiring;
pub(crate) mod cannot_share;
pub(crate) mod clashing_name;
pub(crate) mod conflict;
pub(crate) mod connected_export;
pub(crate) mod divert_ring;
pub(crate) mod doubled_export;
pub(crate) mod element_beyond;
pub(crate) mod empty_graph;
pub(crate) mod export_nowhere;
pub(crate) mod fan_out;
pub(crate) mod half_divert;
pub(crate) mod idle_out_port;
pub(crate) mod initial_automatic;
pub(crate) mod initial_beside_arrow;
pub(crate) mod initial_kind;
pub(crate) mod joined_parts;
pub(crate) mod kinds_differ;
pub(crate) mod misbehaves;
pub(crate) mod misdirected_port;
pub(crate) mod misplaced_chaos;
pub(crate) mod misplaced_setting;
pub(crate) mod missing_component;
pub(crate) mod missing_element;
pub(crate) mod missing_port;
pub(crate) mod name_of_a_fact;
pub(crate) mod nameless_border;
pub(crate) mod needs_connector;
pub(crate) mod needs_offset;
pub(crate) mod no_answer;
pub(crate) mod no_connector;
pub(crate) mod no_verb;
pub(crate) mod nothing_starts;
pub(crate) mod one_receiver;
pub(crate) mod plain_index;
pub(crate) mod recursive_subnet;
pub(crate) mod redefined_process;
pub(crate) mod requeue_on_stream;
pub(crate) mod routing_rule;
pub(crate) mod scattered_facts;
pub(crate) mod several_initials;
pub(crate) mod shared_part;
pub(crate) mod shed_facts;
pub(crate) mod skipped_facts;
pub(crate) mod store_cannot;
pub(crate) mod straight_border;
pub(crate) mod too_big;
pub(crate) mod two_initials;
pub(crate) mod uneven_branches;
pub(crate) mod unknown_component;
pub(crate) mod unknown_divert;
pub(crate) mod unknown_key;
pub(crate) mod unknown_kind;
pub(crate) mod unknown_port;
pub(crate) mod unknown_process;
pub(crate) mod unknown_store;
pub(crate) mod unknown_wired;
pub(crate) mod unknown_wiring_key;
pub(crate) mod unreachable;
pub(crate) mod unreadable_value;
pub(crate) mod weak_path;
pub(crate) mod wrong_channel;
pub(crate) mod wrong_shape;
pub(crate) mod wrong_wiring_value;

pub use bad_wiring::at as bad_wiring;

/// Code, title and explanation of every diagnostic of this crate, by code.
pub const EXPLANATIONS: &[(&str, &str, &str)] = &[
    bad_json::EXPLANATION,
    wrong_shape::EXPLANATION,
    unknown_key::EXPLANATION,
    bad_wiring::EXPLANATION,
    unknown_wiring_key::EXPLANATION,
    wrong_wiring_value::EXPLANATION,
    unknown_component::EXPLANATION,
    missing_component::EXPLANATION,
    unknown_port::EXPLANATION,
    misdirected_port::EXPLANATION,
    unknown_process::EXPLANATION,
    redefined_process::EXPLANATION,
    recursive_subnet::EXPLANATION,
    doubled_export::EXPLANATION,
    export_nowhere::EXPLANATION,
    nameless_border::EXPLANATION,
    clashing_name::EXPLANATION,
    empty_graph::EXPLANATION,
    too_big::EXPLANATION,
    straight_border::EXPLANATION,
    unknown_divert::EXPLANATION,
    no_verb::EXPLANATION,
    unknown_wired::EXPLANATION,
    unknown_store::EXPLANATION,
    missing_port::EXPLANATION,
    fan_out::EXPLANATION,
    initial_beside_arrow::EXPLANATION,
    two_initials::EXPLANATION,
    plain_index::EXPLANATION,
    conflict::EXPLANATION,
    bad_capacity::EXPLANATION,
    bad_policy::EXPLANATION,
    unreachable::EXPLANATION,
    nothing_starts::EXPLANATION,
    missing_element::EXPLANATION,
    element_beyond::EXPLANATION,
    connected_export::EXPLANATION,
    initial_automatic::EXPLANATION,
    half_divert::EXPLANATION,
    divert_ring::EXPLANATION,
    bad_instances::EXPLANATION,
    cannot_share::EXPLANATION,
    uneven_branches::EXPLANATION,
    several_initials::EXPLANATION,
    idle_out_port::EXPLANATION,
    routing_rule::EXPLANATION,
    no_answer::EXPLANATION,
    shared_part::EXPLANATION,
    joined_parts::EXPLANATION,
    kinds_differ::EXPLANATION,
    unreadable_value::EXPLANATION,
    initial_kind::EXPLANATION,
    unknown_kind::EXPLANATION,
    bad_setting::EXPLANATION,
    needs_connector::EXPLANATION,
    no_connector::EXPLANATION,
    misplaced_setting::EXPLANATION,
    requeue_on_stream::EXPLANATION,
    wrong_channel::EXPLANATION,
    one_receiver::EXPLANATION,
    name_of_a_fact::EXPLANATION,
    needs_offset::EXPLANATION,
    scattered_facts::EXPLANATION,
    applied_late::EXPLANATION,
    skipped_facts::EXPLANATION,
    shed_facts::EXPLANATION,
    store_cannot::EXPLANATION,
    weak_path::EXPLANATION,
    misbehaves::EXPLANATION,
    misplaced_chaos::EXPLANATION,
];

/// The bytes that lines of doc comment make as one text.
const fn length(lines: &[&str]) -> usize {
    let mut sum = 0;
    let mut at = 0;
    while at < lines.len() {
        sum += lines[at].len() + 1 - margin(lines[at].as_bytes());
        at += 1;
    }
    sum
}

/// Lines of doc comment as one text, each ended by a line break.
const fn join<const N: usize>(lines: &[&str]) -> [u8; N] {
    let mut bytes = [b'\n'; N];
    let mut to = 0;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].as_bytes();
        let mut from = margin(line);
        while from < line.len() {
            bytes[to] = line[from];
            to += 1;
            from += 1;
        }
        to += 1;
        at += 1;
    }
    bytes
}

/// The blank between the slashes and the text.
const fn margin(line: &[u8]) -> usize {
    if line.is_empty() { 0 } else { 1 }
}

/// The bytes as text; they were text before.
const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// Names in backticks, joined as in a sentence.
fn list(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}
