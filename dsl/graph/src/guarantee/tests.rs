//! What holds on paths, and what would strengthen them.

use std::sync::Arc;

use super::*;
use crate::samples::{Subnets, catalogue, graph};
use crate::{Surroundings, expand_in};

/// Looks at a text whose components say what a test needs; a store keeps the rows of these processes.
fn with<R>(text: &str, tables: &[&str], look: impl FnOnce(Grounds<'_>) -> R) -> R {
    let mut catalogue = catalogue();
    for (name, component) in &mut catalogue.components {
        component.repeats = name == "gen";
        component.one_by_one = ["pass", "words", "drop", "filter"].contains(&name.as_str());
        component.tables = match name.as_str() {
            "drop" => vec![String::from("ROWS")],
            _ => Vec::new(),
        };
        component.renews = name == "shop/counter";
        component.forgets = name == "sort";
        let mut steps = component.inputs.iter_mut();
        steps
            .find(|port| port.name == "STEP")
            .into_iter()
            .for_each(|port| port.keeps = true);
    }
    let wiring = Wiring::default();
    let around = Surroundings::default();
    let mut plan = expand_in(
        around,
        Arc::new(graph(0, text)),
        &catalogue,
        &mut Subnets::new(&[]),
    )
    .plan;
    plan.tables = tables
        .iter()
        .map(|address| crate::plan::Table {
            process: plan.process(address).unwrap(),
            name: String::from("ROWS"),
            ..crate::plan::Table::default()
        })
        .collect();
    look(Grounds {
        plan: &plan,
        catalogue: &catalogue,
        wiring: &wiring,
    })
}

/// `from -> to: guarantee at place: reason` for each path; `gen` sends the same in each run.
fn told(text: &str, tables: &[&str]) -> Vec<String> {
    let shown = |path: &Path| {
        let weak = path.weakness.as_ref();
        let weak = weak.map(|weak| format!(" at {}", weak.place));
        let (from, to) = (&path.from, &path.to);
        format!(
            "{from} to {to}: {}{}",
            path.guarantee,
            weak.unwrap_or_default()
        )
    };
    with(text, tables, |grounds| {
        paths(grounds).iter().map(shown).collect()
    })
}

const SOURCE: &str = "'5' -> COUNT A(gen)\n";

fn one(text: &str, tables: &[&str]) -> String {
    let told = told(&format!("{SOURCE}{text}"), tables);
    assert_eq!(told.len(), 1, "{told:?}");
    told[0].clone()
}

#[test]
fn m04_memory_alone_is_at_most_once() {
    let expected = "A to D: at-most-once at A.OUT -> P.IN";
    assert_eq!(
        one("A OUT -> IN P(pass)\nP OUT -> IN D(drop)", &[]),
        expected
    );
}

#[test]
fn m04_a_source_that_repeats_and_a_queue_lose_nothing_but_the_sink_may_act_again() {
    let text = "A OUT -> IN P(pass)\nP OUT ->(kind=queue) IN Q(pass)\nQ OUT -> IN D(drop)";
    assert_eq!(one(text, &[]), "A to D: at-least-once at D");
    assert_eq!(one(text, &["D"]), "A to D: once-only");
}

#[test]
fn m04_a_source_that_cannot_repeat_is_weak_until_its_packets_are_stored() {
    let text = "A(lone)\nA OUT ->(kind=queue) IN D(drop)";
    assert_eq!(told(text, &["D"]), ["A to D: at-most-once at A"]);
    assert_eq!(
        told(text, &["A", "D"]),
        ["A to D: once-only"],
        "what it sends is owed"
    );
    let text = "A(lone)\nA OUT -> IN P(pass)\nP OUT ->(kind=queue) IN D(drop)";
    assert_eq!(
        told(text, &["D"]),
        ["A to D: at-most-once at A.OUT -> P.IN"]
    );
}

#[test]
fn m04_what_comes_from_outside_is_known_to_no_store() {
    let text = "P(pass)\nP OUT ->(kind=queue) IN D(drop)\nINPORT= P IN X";
    assert_eq!(
        told(text, &["D"]),
        ["the exported X to D: at-most-once at P"]
    );
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=queue) IN P(pass)\nOUTPORT= P OUT X";
    assert_eq!(told(text, &[]), ["A to the exported X: at-least-once at P"]);
}

#[test]
fn m04_who_looks_at_several_packets_needs_a_table_between_stores() {
    let text = "A OUT ->(kind=queue) IN S(sort)\nS OUT ->(kind=queue) IN D(drop)";
    assert_eq!(one(text, &["D"]), "A to D: at-least-once at S");
    assert_eq!(one(text, &["S", "D"]), "A to D: once-only");
    let text = "A OUT -> IN S(sort)\nS OUT ->(kind=queue) IN D(drop)";
    assert_eq!(
        one(text, &["D"]),
        "A to D: at-least-once at S",
        "it runs again"
    );
}

#[test]
fn m04_who_has_something_in_memory_forgets_it_behind_a_store() {
    let forgetful = |text: &str, tables: &[&str]| -> Vec<String> {
        let told = |found: Vec<Weakness>| {
            found
                .into_iter()
                .map(|one| format!("{}: {}", one.place, one.reason))
        };
        with(&format!("{SOURCE}{text}"), tables, |grounds| {
            told(forgetful(grounds)).collect()
        })
    };
    let again = |what: &str| {
        format!(
            "it keeps {what} in memory; a crash forgets that, and a store gives nothing again that was handled"
        )
    };
    let behind = "A OUT ->(kind=queue) IN P(pass)\nP OUT -> IN S(sort)\nS OUT -> IN D(drop)";
    let (former, table) = (
        again("what it knows of former packets"),
        again("its table ROWS"),
    );
    assert_eq!(
        forgetful(behind, &[]),
        [format!("S: {former}"), format!("D: {table}")]
    );
    assert_eq!(forgetful(behind, &["D"]), [format!("S: {former}")]);
    let plain = "A OUT ->(kind=queue) IN P(pass)\nP OUT -> IN D(drop)";
    assert_eq!(forgetful(plain, &["D"]), [""; 0]);
    let before = "A OUT -> IN S(sort)\nS OUT -> IN P(pass)\nP OUT ->(kind=queue) IN D(drop)";
    assert_eq!(
        forgetful(before, &["D"]),
        [""; 0],
        "the source sends all of it again"
    );
}

#[test]
fn m04_what_leaves_messages_out_is_at_most_once() {
    let through = |terms: &str| format!("A OUT ->({terms}) IN D(drop)");
    for (terms, expected) in [
        ("kind=stream", "A to D: once-only"),
        (
            "kind=stream,on-error=skip",
            "A to D: at-most-once at A.OUT -> D.IN",
        ),
        ("kind=pubsub", "A to D: at-most-once at A.OUT -> D.IN"),
    ] {
        assert_eq!(one(&through(terms), &["D"]), expected, "{terms}");
    }
    let text = "A OUT ->(kind=queue) IN P(pass)\nP OUT ->(full=drop-new) IN D(drop)";
    assert_eq!(one(text, &["D"]), "A to D: at-most-once at P.OUT -> D.IN");
}

#[test]
fn m04_a_file_that_is_begun_anew_loses_what_a_store_has_seen_written() {
    let stored = "A OUT ->(kind=queue) IN F(shop/counter)";
    assert_eq!(one(stored, &[]), "A to F: at-most-once at F");
    let kept = format!("{stored}\n'true' -> STEP F");
    assert_eq!(one(&kept, &[]), "A to F: at-least-once at F");
}

#[test]
fn m04_the_weakest_of_several_ways_counts() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=stream) IN F(filter)\n\
                F ACC ->(kind=queue) IN D(drop)\nF REJ ->(full=drop-oldest) IN D";
    let told = told(text, &["D"]);
    assert_eq!(told, ["A to D: at-most-once at F.REJ -> D.IN"]);
}

#[test]
fn a_cycle_is_followed_once() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=queue) IN L(loop)\nL AGAIN -> IN P(pass)\n\
                P OUT -> BACK L\nL OUT -> IN D(drop)";
    assert_eq!(told(text, &["L", "D"]), ["A to D: once-only"]);
}
