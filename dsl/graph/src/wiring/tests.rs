//! Wiring files, as names and values.

use std::sync::Arc;

use super::*;
use crate::plan::{ConnectorKind, Keep, Plan};
use crate::samples::{Subnets, catalogue, graph, links};
use crate::{Diagnostic, Surroundings, expand_in};

/// `section name key value` on each line; a value with commas is a list.
fn wiring(text: &str) -> (Wiring, Vec<Diagnostic>) {
    let mut sections = Vec::<Entry>::new();
    let entry = |name: &str, value: Value| Entry {
        name: Written {
            text: String::from(name),
            span: Span::default(),
        },
        node: Node {
            value,
            span: Span::default(),
        },
    };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split('|');
        let [section, name, key, value] = [(); 4].map(|()| words.next().unwrap().trim());
        let plain = |text: &str| entry("", Value::Plain(String::from(text))).node;
        let value = match value.strip_prefix('[') {
            Some(list) => Value::List(list.split(',').map(plain).collect()),
            None => Value::Plain(String::from(value)),
        };
        let named = entry(name, Value::Section(vec![entry(key, value)]));
        sections.push(entry(section, Value::Section(vec![named])));
    }
    let mut diagnostics = Vec::new();
    (Wiring::read(&sections, &mut diagnostics), diagnostics)
}

const GRAPH: &str = "'5' -> COUNT A(gen)\nA OUT ->(capacity=3,kind=queue,retries=3) FROM S(inner)\n\
                     S OUT -> IN D(drop)";
const INNER: &str = "P(pass)\nQ(pass)\nP OUT -> IN[0] M(merge)\nM OUT -> IN Q\nINPORT= P IN FROM\nOUTPORT= Q OUT OUT";

fn wired(text: &str) -> (Plan, Vec<String>) {
    let (wiring, mut diagnostics) = wiring(text);
    let mut catalogue = catalogue();
    let pass = catalogue.components.get_mut("pass").unwrap();
    pass.tables = vec![String::from("ROWS")];
    let around = Surroundings {
        stem: Some("g"),
        wiring: Some(&wiring),
    };
    let mut subnets = Subnets::new(&[("inner", INNER)]);
    let expanded = expand_in(around, Arc::new(graph(0, GRAPH)), &catalogue, &mut subnets);
    diagnostics.extend(expanded.diagnostics);
    let told = |found: &Diagnostic| {
        let help = found.help.as_deref().unwrap_or_default();
        format!("{} {}: {help}", found.code, found.message)
    };
    (expanded.plan, diagnostics.iter().map(told).collect())
}

fn kinds(plan: &Plan) -> Vec<Option<ConnectorKind>> {
    let links = plan.links.iter();
    links
        .map(|link| link.connector.as_ref().map(|found| found.kind))
        .collect()
}

#[test]
fn an_arc_is_found_by_its_inner_ports_and_as_it_is_drawn() {
    for name in ["S/Q.OUT -> D.IN", "S.OUT -> D.in", "S/Q.OUT->D.IN"] {
        let (plan, problems) = wired(&format!("arc | {name} | kind | stream"));
        assert_eq!(problems, [""; 0]);
        assert_eq!(links(&plan)[1], "S/Q.OUT => D.IN");
        assert_eq!(kinds(&plan)[1], Some(ConnectorKind::Stream));
    }
    let (plan, _) = wired("arc | S/P.OUT -> S/M.IN[0] | kind | queue");
    assert_eq!(
        plan.links[2].connector.as_ref().unwrap().name,
        "g.S/M.IN[0]"
    );
}

#[test]
fn the_wiring_goes_before_the_arrow() {
    let (plan, problems) = wired("arc | A.OUT -> S/P.IN | kind | memory");
    assert_eq!(problems, [""; 0], "what belongs to a queue is left out");
    assert_eq!((kinds(&plan)[0], plan.links[0].capacity), (None, Some(3)));
    let (plan, problems) = wired("arc | A.OUT -> S.FROM | retries | 9");
    assert_eq!(problems, [""; 0]);
    assert_eq!(plan.links[0].connector.as_ref().unwrap().retries, Some(9));
}

#[test]
fn tables_parts_and_policies_are_those_of_the_plan() {
    let (plan, problems) = wired(
        "table | S/P.rows | store | disk
         store | disk | dir | data
         part | front | processes | [A,S
         part | back | processes | [D
         policy | D | fault | park",
    );
    assert_eq!(problems, [""; 0]);
    let table = &plan.tables[0];
    assert_eq!(
        (table.process, &*table.name, table.store.as_deref()),
        (1, "ROWS", Some("disk"))
    );
    assert_eq!(table.keep, Keep::Always);
    let (plan, problems) = wired("table | S/P.rows | keep | run");
    assert_eq!((problems, plan.tables[0].keep), (Vec::new(), Keep::Run));
    let (plan, _) = wired(
        "part | front | processes | [A,S
         part | back | processes | [D
         policy | D | fault | park",
    );
    assert_eq!(plan.parts[0].processes, [0, 1, 2, 3]);
    assert_eq!(
        plan.processes[4].metadata,
        [("fault".into(), "park".into())]
    );
}

#[test]
fn what_is_not_there_is_told_with_what_was_probably_meant() {
    let rows = [
        (
            "arc | S/P.OUTT -> S/M.IN[0] | kind | queue",
            "P0217 the graph has no arc `S/P.OUTT -> S/M.IN[0]`: did you mean `S/P.OUT -> S/M.IN[0]`?",
        ),
        (
            "arc | S/P.OUT | kind | queue",
            "P0217 `S/P.OUT` is not the name of an arc: name both ends: `[arc.\"A.OUT -> B.IN\"]`",
        ),
        (
            "arc | S.OUT -> D.IN | kinds | queue",
            "P0195 [arc.\"S.OUT -> D.IN\"] has no `kinds`: did you mean `kind`?",
        ),
        (
            "arc | S.OUT -> D.IN | kind | strem",
            "P0501 `strem` is not a kind of arc: did you mean `stream`?",
        ),
        (
            "arc | S.OUT -> D.IN | via | rabbit",
            "P0503 attribute `via` has no effect here: leave it out",
        ),
        (
            "arcs | S.OUT -> D.IN | kind | queue",
            "P0195 a wiring file has no `arcs`: did you mean `arc`?",
        ),
        (
            "table | S/P.ROW | store | x",
            "P0217 `S/P` has no table `ROW`: did you mean `ROWS`?",
        ),
        (
            "table | D.ROWS | url | x",
            "P0195 [table.\"D.ROWS\"] has no `url`: it can be `store` and `keep`",
        ),
        (
            "table | s/p.ROWS | store | x",
            "P0217 the graph has no process `s/p`: did you mean `S/P`?",
        ),
        (
            "policy | D | fault | parks",
            "P0196 `parks` is not what can become of a fault: did you mean `park`?",
        ),
        (
            "policy | D | retries | few",
            "P0502 `few` is not a value of the attribute `retries`: write a whole number, at least 0",
        ),
        (
            "table | D.ROWS | keep | runs",
            "P0196 `runs` is no time to keep a table for: did you mean `run`?",
        ),
        (
            "part | x | processes | A",
            "P0196 `processes` is a list: write `processes = [\"ONE\", \"TWO\"]`",
        ),
        (
            "part | x | processes | [S,S/P",
            "P0324 `S/P` has a part already: leave it out of one of them",
        ),
    ];
    for (text, expected) in rows {
        let (_, problems) = wired(text);
        assert_eq!(
            problems.first().map(String::as_str),
            Some(expected),
            "{text}"
        );
    }
}

#[test]
fn a_store_that_is_named_is_declared() {
    let (_, problems) = wired("arc | A.OUT -> S.FROM | via | dsk\nstore | disk | dir | data");
    assert_eq!(
        problems,
        ["P0218 the store `dsk` is not declared: did you mean `disk`?"]
    );
}

#[test]
fn a_broker_is_written_to_in_one_of_two_ways() {
    let (wiring, found) = wiring(
        "store | one | ce | structured\n\
         store | two | ce | binary\n\
         store | bad | ce | structurd",
    );
    let ways: Vec<Ce> = wiring.stores.iter().map(|store| store.ce).collect();
    assert_eq!(ways, [Ce::Structured, Ce::Binary, Ce::Binary]);
    let told: Vec<_> = found
        .iter()
        .filter_map(|found| found.help.as_deref())
        .collect();
    assert_eq!(told, ["did you mean `structured`?"]);
}
