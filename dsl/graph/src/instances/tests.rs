//! Several workers in place of one process.

use crate::samples::{links, plan, problems};

fn addresses(plan: &crate::Plan) -> Vec<&str> {
    let processes = plan.processes.iter();
    processes.map(|process| &*process.address).collect()
}

#[test]
fn a_balance_process_deals_to_the_workers_and_they_share_the_links_behind() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(capacity=7) IN P(pass:instances=2,x=3)\n\
                P OUT ->(capacity=9) IN B(drop)";
    let plan = plan(text, &[]);
    assert_eq!(addresses(&plan), ["A", "P/balance", "P[1]", "P[2]", "B"]);
    let expected = [
        "A.OUT => P/balance.IN (7)",
        "P[1].OUT+P[2].OUT => B.IN (9)",
        "P/balance.OUT[0] => P[1].IN (1)",
        "P/balance.OUT[1] => P[2].IN (1)",
    ];
    assert_eq!(links(&plan), expected);
    assert_eq!(plan.processes[1].component, "flow/balance");
    assert_eq!(plan.processes[2].metadata, [("x".into(), "3".into())]);
    assert_eq!(plan.workers("P").collect::<Vec<_>>(), [2, 3]);
    assert_eq!(plan.workers("A").collect::<Vec<_>>(), [0]);
}

#[test]
fn initial_packets_go_to_each_and_the_backlog_is_as_written() {
    let text = "'5' -> COUNT A(gen)\n'2' -> STEP P(shop/counter:instances=3,backlog=4)\n\
                A OUT -> IN P\nP OUT -> IN B(drop)";
    let plan = plan(text, &[]);
    let to: Vec<_> = plan
        .initials
        .iter()
        .map(|initial| initial.to.process)
        .collect();
    assert_eq!(to, [0, 2, 3, 4]);
    assert!(links(&plan).contains(&"P/balance.OUT[2] => P[3].IN (4)".into()));
}

#[test]
fn workers_behind_workers_inside_a_subnet_keep_every_arrow() {
    let inner = "P(pass:instances=2) OUT -> IN Q(pass:instances=2)\n\
                 INPORT= P IN IN\nOUTPORT= Q OUT OUT";
    let text = "'5' -> COUNT A(gen)\nA OUT -> IN S(inner)\nS OUT -> IN B(drop)";
    let plan = plan(text, &[("inner", inner)]);
    let shown = links(&plan);
    assert!(
        shown.contains(&"S/P[1].OUT+S/P[2].OUT => S/Q/balance.IN".into()),
        "{shown:?}"
    );
    assert!(
        shown.contains(&"S/Q[1].OUT+S/Q[2].OUT => B.IN".into()),
        "{shown:?}"
    );
    let export = &plan.subnets[0].inports[0];
    assert_eq!(plan.processes[export.end.process].address, "S/P/balance");
}

#[test]
fn an_exported_in_port_feeds_the_balance_process() {
    let text = "P(pass:instances=2) OUT -> IN B(drop)\nINPORT= P IN IN";
    let plan = plan(text, &[]);
    assert_eq!(plan.inports[0].end.process, 0);
    assert!(links(&plan).contains(&"P/balance.OUT[1] => P[2].IN (1)".into()));
}

#[test]
fn what_is_diverted_to_and_from_workers_finds_its_way() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(full=divert,divert=P.IN) IN B(drop)\n\
                P(pass:instances=2) OUT ->(full=divert,divert=D.IN) IN C(drop)\nD(drop)";
    let plan = plan(text, &[]);
    let expected = [
        "A.OUT => B.IN",
        "P[1].OUT+P[2].OUT => C.IN",
        "~A.OUT => P/balance.IN",
        "~P[1].OUT+~P[2].OUT => D.IN",
        "P/balance.OUT[0] => P[1].IN (1)",
        "P/balance.OUT[1] => P[2].IN (1)",
    ];
    assert_eq!(links(&plan), expected);
    assert_eq!(
        (plan.links[0].divert, plan.links[1].divert),
        (Some(2), Some(3))
    );
}

#[test]
fn one_worker_is_the_process_itself() {
    let text = "'5' -> COUNT A(gen)\nA OUT -> IN P(pass:instances=1)\nP OUT -> IN B(drop)";
    assert_eq!(addresses(&plan(text, &[])), ["A", "P", "B"]);
}

#[test]
fn bad_numbers() {
    for value in ["0", "-1", "many", "1.5", "65537", ""] {
        let text = format!(
            "'5' -> COUNT A(gen)\nA OUT -> IN P(pass:instances={value})\nP OUT -> IN B(drop)"
        );
        let expected = format!(
            "P0317 P(pass:instances={value}): `instances={value}` of `P` is not a number of instances"
        );
        assert_eq!(problems(&text, &[]), [expected]);
    }
}

#[test]
fn too_many_in_all() {
    let line = |at: usize| format!("A OUT[{at}] -> IN P{at}(drop:instances=65536)\n");
    let lines: String = (0..17).map(line).collect();
    let text = format!("'5' -> COUNT G(gen)\nG OUT -> IN A(copy)\n{lines}");
    let found = problems(&text, &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("make the graph too big"));
}

#[test]
fn work_that_cannot_be_shared_says_why() {
    let start = "'5' -> COUNT A(gen)\n'5' -> COUNT C(gen)\n";
    let rows: &[(&str, &str)] = &[
        (
            "A OUT -> IN[0] P(merge:instances=2)\nC OUT -> IN[1] P\nP OUT -> IN B(drop)",
            "arrows lead to `IN[0]` and `IN[1]`",
        ),
        (
            "A OUT -> IN P(copy:instances=2)\nP OUT[1] -> IN B(drop)\nC OUT -> IN D(drop)",
            "it uses elements of `OUT`",
        ),
        (
            "A OUT -> IN P(pass:instances=2)\nP OUT -> IN B(drop)\nC OUT -> * P",
            "its automatic port `*` is connected",
        ),
        (
            "A OUT -> IN P(pass:instances=2)\nP OUT -> IN B(drop)\nC OUT -> IN D(drop)\nP * -> * D",
            "its automatic port `*` is connected",
        ),
        (
            "A OUT -> IN P(pass:instances=2)\nC OUT -> IN D(drop)\nOUTPORT= P OUT OUT",
            "its out-port `OUT` is exported",
        ),
        (
            "A OUT -> IN B(drop)\nC OUT -> IN D(drop)\n'5' -> COUNT P(gen:instances=2)\nP OUT -> IN B",
            "no arrow leads here, so there is no work to share",
        ),
        (
            "A OUT -> IN P(inner:instances=2)\nC OUT -> IN D(drop)",
            "it is a subnet",
        ),
    ];
    for (text, note) in rows {
        let files = [("inner", "X(drop)\nINPORT= X IN IN")];
        let found = crate::samples::checked(&format!("{start}{text}"), &files).diagnostics;
        let shown: Vec<_> = found
            .iter()
            .map(|found| (found.code, &*found.note))
            .collect();
        assert_eq!(shown, [("P0318", *note)], "{text}");
    }
}

#[test]
fn addresses_of_workers_must_be_free() {
    let mut graph = crate::samples::graph(
        0,
        "'5' -> COUNT A(gen)\nA OUT -> IN P(pass:instances=2)\nP OUT -> IN X(drop)",
    );
    graph.processes[2].name = String::from("P[1]");
    graph.connections[2].to.process = String::from("P[1]");
    let found = crate::examine(&graph, &crate::samples::catalogue(), &mut crate::NoSubnets);
    let codes: Vec<_> = found.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, ["P0211"]);
}

#[test]
fn a_catalogue_without_a_balance_process_is_told_so() {
    let text = "'5' -> COUNT A(gen)\nA OUT -> IN P(pass:instances=2)\nP OUT -> IN X(drop)";
    let mut catalogue = crate::samples::catalogue();
    catalogue.components.remove("flow/balance");
    let graph = crate::samples::graph(0, text);
    let found = crate::examine(&graph, &catalogue, &mut crate::NoSubnets).diagnostics;
    let messages: Vec<_> = found.iter().map(|found| &*found.message).collect();
    assert_eq!(messages, ["unknown component `flow/balance`"]);
}

#[test]
fn workers_read_for_themselves_from_a_queue_and_a_stream() {
    for kind in ["queue", "stream"] {
        let text = format!(
            "'5' -> COUNT A(gen)\nA OUT ->(kind={kind}) IN P(pass:instances=2)\n\
             P OUT -> IN B(drop)"
        );
        let plan = plan(&text, &[]);
        assert_eq!(addresses(&plan), ["A", "P[1]", "P[2]", "B"]);
        let expected = [
            "A.OUT => P[1].IN",
            "P[1].OUT+P[2].OUT => B.IN",
            "A.OUT => P[2].IN",
        ];
        assert_eq!(links(&plan), expected);
        assert_eq!(plan.links[0].connector, plan.links[2].connector);
        let group = &plan.links[0].connector.as_ref().unwrap().group;
        assert_eq!(group, ".P.IN", "one group for all");
    }
}

#[test]
fn all_workers_together_are_one_subscriber() {
    let text = "'5' -> COUNT A(gen)\nA OUT ->(kind=pubsub) IN P(pass:instances=2)\n\
                P OUT -> IN B(drop)";
    let shown = links(&plan(text, &[]));
    assert_eq!(shown[0], "A.OUT => P/balance.IN");
    assert_eq!(shown.len(), 4, "{shown:?}");
}

#[test]
fn what_comes_by_memory_is_dealt_beside_a_queue() {
    let text = "'5' -> COUNT A(gen)\n'5' -> COUNT M(gen)\nA OUT ->(kind=queue) IN P(pass:instances=2)\n\
                M OUT -> IN P\nP OUT -> IN B(drop)";
    let plan = plan(text, &[]);
    let expected = [
        "A.OUT => P[1].IN",
        "M.OUT => P/balance.IN",
        "P[1].OUT+P[2].OUT => B.IN",
        "A.OUT => P[2].IN",
        "P/balance.OUT[0] => P[1].IN (1)",
        "P/balance.OUT[1] => P[2].IN (1)",
    ];
    assert_eq!(links(&plan), expected);
}
