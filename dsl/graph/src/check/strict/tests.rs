//! Each narrower rule, and what it leaves alone.

use super::{STRICT, strict};
use crate::diagnostics::EXPLANATIONS;
use crate::samples::{Subnets, catalogue, graph};
use crate::{Graph, expand};

fn found(graph: &Graph) -> Vec<String> {
    let inner = [("shop/counter-desk", "X(drop)\nINPORT= X IN IN")];
    let expanded = expand(graph, &catalogue(), &mut Subnets::new(&inner));
    let found = strict(&expanded, &catalogue());
    let shown = found
        .iter()
        .map(|found| format!("{} {}", found.code, found.message));
    shown.collect()
}

fn sweep(rows: &[(&str, &[&str])]) {
    for (text, expected) in rows {
        assert_eq!(found(&graph(0, text)), *expected, "{text}");
    }
}

#[test]
fn one_initial_packet_for_a_process() {
    sweep(&[
        ("'5' -> COUNT A(gen)\nA OUT -> IN B(drop)", &[]),
        (
            "'5' -> COUNT A(gen)\n'1s' -> WAIT A\n'yes' -> LOUD A\nA OUT -> IN B(drop)",
            &["P0320 `A` has 3 initial packets"],
        ),
    ]);
}

#[test]
fn names_are_verbs() {
    sweep(&[
        (
            "PlaceOrder(drop)\nCount(drop)\nmerge(merge)\nPress(drop)",
            &[],
        ),
        (
            "OrderManager(drop)",
            &["P0216 `OrderManager` names a thing, not what it does"],
        ),
        (
            "card-service_2(drop)",
            &["P0216 `card-service_2` names a thing, not what it does"],
        ),
        (
            "Words(words) WORD -> IN B(drop)",
            &["P0216 `Words` names a thing, not what it does"],
        ),
        (
            "Counter(shop/counter) OUT -> IN B(drop)",
            &["P0216 `Counter` names a thing, not what it does"],
        ),
        ("CountDrinks(shop/counter) OUT -> IN B(drop)", &[]),
        ("_Counter_1(shop/counter) OUT -> IN B(drop)", &[]),
        (
            "DeskHelper(shop/counter-desk)",
            &["P0216 `DeskHelper` names a thing, not what it does"],
        ),
    ]);
}

#[test]
fn every_out_port_but_error_leads_somewhere() {
    sweep(&[
        ("Sell(shop/counter) OUT -> IN B(drop)", &[]),
        ("Sell(shop/counter)", &[]),
        (
            "Tell(count) COUNT -> IN B(drop)",
            &["P0321 out-port `OUT` of `Tell` not connected"],
        ),
        ("Sell(shop/counter)\nOUTPORT= Sell OUT OUT", &[]),
        (
            "Go(loop) OUT -> IN B(drop)",
            &["P0321 out-port `AGAIN` of `Go` not connected"],
        ),
    ]);
}

#[test]
fn arrows_carry_no_rules() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(pattern=in-only) IN B(drop)";
    assert_eq!(found(&graph(0, text)), [""; 0]);
    let mut graph = graph(0, "'5' -> COUNT A(gen)\nA OUT -> IN B(drop)");
    let metadata = [("route", "1"), ("Filter", "total > 100")];
    let metadata = metadata.map(|(key, value)| (String::from(key), value.into()));
    graph.connections[1].metadata = Vec::from(metadata);
    assert_eq!(
        found(&graph),
        ["P0322 `Filter` makes the arrow choose among packets"]
    );
}

#[test]
fn every_rule_is_explained_and_names_its_row() {
    for (code, rule) in STRICT {
        let (_, _, text) = EXPLANATIONS.iter().find(|entry| entry.0 == *code).unwrap();
        assert!(text.starts_with("Only with `--strict`"), "{code}");
        let (_, row) = rule.rsplit_once('(').unwrap();
        let row = row.trim_end_matches(')');
        assert!(
            text.contains(&format!("mission {row}")) || text.contains(&format!("(mission\n{row}")),
            "{code} {row}"
        );
    }
}
